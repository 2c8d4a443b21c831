package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"tinyactor/observer"
)

var errEnded = errors.New("the actors were stopped")

// serve answers the requests that come to l with s, and shows its actors on o's
// page, until ctx ends. Then, within
// the grace, it takes no more requests, has s finish the work that is queued,
// writes the account to out, and returns the books. It ends in the same way,
// with an error, when the server fails, or a part of the service too often.
//
// When the grace is over, or when abort ends, it waits for nothing more: what is
// not finished is aborted, and the error says what that was.
func serve(ctx, abort context.Context, l net.Listener, o *observer.Observer, s *service, out io.Writer) (books, error) {
	server := &http.Server{
		Handler:           withActors(o, s.handler()),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	fmt.Fprintf(out, "listening on http://%s\nactors on http://%[1]s%s\n", l.Addr(), actorsPath)

	var failed error
	select {
	case <-ctx.Done():
	case <-abort.Done():
	case failed = <-served:
	case <-s.tree.Done():
		if s.tree.Wait(ctx) == nil { // otherwise finish says why
			failed = errEnded
		}
	}

	grace, cancel := context.WithTimeoutCause(abort, s.grace, fmt.Errorf("the service has not ended in order within %v", s.grace))
	defer cancel()
	stopped := s.shutDown(grace, server)
	left, finished := s.finish(grace)
	fmt.Fprintln(out, left.account)
	return left, errors.Join(failed, context.Cause(grace), stopped, finished)
}

// shutDown takes no more requests and waits for those under way. They get half
// of the grace, because a client that is slow to send or to read must not cost
// the accepted work its time; the connections of the rest are cut.
func (s *service) shutDown(ctx context.Context, server *http.Server) error {
	half, cancel := context.WithTimeout(ctx, s.grace/2)
	defer cancel()
	err := server.Shutdown(half)
	if err == nil {
		return nil
	}
	n := s.underWay.Load()
	if closed := server.Close(); !errors.Is(err, half.Err()) || closed != nil {
		return errors.Join(err, closed)
	}
	if ctx.Err() == nil {
		slog.Warn("connections were cut because the service ends", "requests", n)
		return nil
	}
	return fmt.Errorf("connections were cut, with requests under way: %d", n)
}
