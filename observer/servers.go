package observer

import (
	"context"
	"net/http"
	"sync"
)

// servers are those that a handler has served for. Shutdown of an http.Server
// waits for its requests and does not cancel them, so a request without an end has
// to learn of it. Asking the server that a request names takes no line in the program.
type servers struct {
	mu    sync.Mutex
	known map[*http.Server]chan struct{}
}

// ended returns a channel that is closed when the server of the request with that
// context is shut down; nil, if it names none.
func (s *servers) ended(ctx context.Context) <-chan struct{} {
	server, ok := ctx.Value(http.ServerContextKey).(*http.Server)
	if !ok {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ended, ok := s.known[server]
	if !ok {
		if s.known == nil {
			s.known = make(map[*http.Server]chan struct{})
		}
		ended = make(chan struct{})
		s.known[server] = ended
		server.RegisterOnShutdown(func() { close(ended) })
	}
	return ended
}
