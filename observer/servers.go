package observer

import (
	"context"
	"net/http"
	"runtime"
	"sync"
	"weak"
)

// servers are those that a handler has served for. Shutdown of an http.Server
// waits for its requests and does not cancel them, so a request without an end has
// to learn of it. Asking the server that a request names takes no line in the program.
//
// A server that was shut down may still have a request that is about to ask, so it
// stays until nobody refers to it.
type servers struct {
	mu    sync.Mutex
	known map[weak.Pointer[http.Server]]<-chan struct{}
}

// ended returns a channel that is closed when the server of the request with that
// context is shut down; nil, if it names none.
func (s *servers) ended(ctx context.Context) <-chan struct{} {
	server, ok := ctx.Value(http.ServerContextKey).(*http.Server)
	if !ok {
		return nil
	}
	key := weak.Make(server)
	s.mu.Lock()
	defer s.mu.Unlock()
	if ended, ok := s.known[key]; ok {
		return ended
	}
	if s.known == nil {
		s.known = make(map[weak.Pointer[http.Server]]<-chan struct{})
	}
	ended := make(chan struct{})
	s.known[key] = ended
	server.RegisterOnShutdown(sync.OnceFunc(func() { close(ended) })) // each Shutdown calls it
	runtime.AddCleanup(server, s.forget, key)
	return ended
}

// forget removes a server that is gone.
func (s *servers) forget(server weak.Pointer[http.Server]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known, server)
}
