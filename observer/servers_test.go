package observer

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
)

// requestTo is the context of a request to a server.
func requestTo(server *http.Server) context.Context {
	return context.WithValue(context.Background(), http.ServerContextKey, server)
}

// A program may shut a server down more than once: with a deadline and then again,
// or from two places.
func TestShutdownTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &http.Server{Handler: newHandler(newFakeSource(1), Options{})}
		client := servePipes(t, server)
		fetch(t, client, "http://page/", http.StatusOK).Body.Close()
		for range 2 {
			if err := server.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			synctest.Wait() // what it calls is on goroutines of their own
		}
	})
}

// A handler that serves for many servers, one after the other, keeps none of them.
func TestServersAreForgotten(t *testing.T) {
	var s servers
	for range 100 {
		if s.ended(requestTo(new(http.Server))) == nil {
			t.Fatal("a server was not noticed")
		}
	}
	server := new(http.Server)
	ended := s.ended(requestTo(server))
	collectUntil(t, "forgotten", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.known) <= 1
	})
	if s.ended(requestTo(server)) != ended {
		t.Error("a server that is there was forgotten")
	}
}
