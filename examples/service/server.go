package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"tinyactor/actor"
)

const (
	maxName  = 1024 // bytes
	maxWords = 1000 // that one may ask for
)

// handler routes the requests. Everything is answered in JSON, errors too.
func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /texts", s.postText)
	mux.HandleFunc("GET /texts/{name...}", s.getText)
	mux.HandleFunc("GET /words", s.getWords)

	mux.HandleFunc("/texts", only("POST"))
	mux.HandleFunc("/texts/{name...}", only("GET, HEAD"))
	mux.HandleFunc("/words", only("GET, HEAD"))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, http.StatusNotFound, "there is no %s; there are /texts?name=…, /texts/{name} and /words?n=…", r.URL.Path)
	})
	return mux
}

// postText admits the body as the text of the given name. The answer comes
// when the text is admitted, which is before it has been counted.
func (s *service) postText(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("name")
	if name == "" || len(name) > maxName {
		fail(w, http.StatusBadRequest, "a text needs a name of 1 to %d bytes: POST /texts?name=…", maxName)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.maxBytes))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		fail(w, http.StatusRequestEntityTooLarge, "the text is larger than %d bytes", tooLarge.Limit)
		return
	}
	if err != nil {
		fail(w, http.StatusBadRequest, "reading the text: %v", err)
		return
	}
	if len(body) == 0 {
		fail(w, http.StatusBadRequest, "the text is empty")
		return
	}
	admitted, err := actor.Ask(r.Context(), s.address, post{text: name, pieces: s.split(string(body))}.to)
	answer(w, http.StatusAccepted, admitted, err)
}

func (s *service) getText(w http.ResponseWriter, r *http.Request) {
	info, err := actor.Ask(r.Context(), s.address, lookUp{text: r.PathValue("name")}.to)
	answer(w, http.StatusOK, info, err)
}

func (s *service) getWords(w http.ResponseWriter, r *http.Request) {
	n := 10
	if query := r.URL.Query(); query.Has("n") {
		var err error
		n, err = strconv.Atoi(query.Get("n"))
		if err != nil || n < 1 || n > maxWords {
			fail(w, http.StatusBadRequest, "n is %q and must be a number from 1 to %d", query.Get("n"), maxWords)
			return
		}
	}
	words, err := actor.Ask(r.Context(), s.address, topWords{n: n}.to)
	answer(w, http.StatusOK, words, err)
}

// only answers requests for a path that exists by a method that does not.
func only(allowed string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allowed)
		fail(w, http.StatusMethodNotAllowed, "the method is %s and must be %s", r.Method, allowed)
	}
}

// answer writes what an Ask gave.
func answer(w http.ResponseWriter, status int, value any, err error) {
	switch {
	case err == nil:
		reply(w, status, value)
	case errors.Is(err, errUnknown):
		fail(w, http.StatusNotFound, "%v", err)
	case errors.Is(err, errFull):
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusTooManyRequests, "%v", err)
	default:
		// The service is stopping, or the client has gone and reads this no more.
		fail(w, http.StatusServiceUnavailable, "%v", err)
	}
}

func fail(w http.ResponseWriter, status int, format string, args ...any) {
	reply(w, status, map[string]string{"error": fmt.Sprintf(format, args...)})
}

func reply(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// An error here is the client's connection, of which net/http takes care.
	_ = json.NewEncoder(w).Encode(value)
}

// serve answers the requests that come to l with s until ctx ends. Then it
// takes no more requests, has s finish the work that is queued, writes the
// account to out, and returns the books. It ends in the same way, with an
// error, when the server or one of the actors fails.
func serve(ctx context.Context, l net.Listener, s *service, out io.Writer) (books, error) {
	// The limits on reading and writing also bound how long Shutdown waits.
	server := &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	fmt.Fprintf(out, "listening on http://%s\n", l.Addr())

	var failed error
	select {
	case <-ctx.Done():
	case failed = <-served:
	case <-s.store.Done():
		failed = errors.New("the store has ended")
	case <-s.workers.Done():
		failed = errors.New("the workers have ended")
	}
	stopped := server.Shutdown(context.Background())
	left, finished := s.finish(context.Background())
	fmt.Fprintln(out, left.account)
	return left, errors.Join(failed, stopped, finished)
}
