package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// testSettings are settings with a steady number of workers and a snapshot file
// of the test's own.
func testSettings(t *testing.T, workers, queue int, maxBytes int64) settings {
	return settings{
		workersMin: workers,
		workersMax: workers,
		queue:      queue,
		maxBytes:   maxBytes,
		snapshot:   filepath.Join(t.TempDir(), "snapshot"),
		period:     10 * time.Second,
		grace:      10 * time.Second,
		restarts:   10, restartsWithin: time.Second,
		allowCrash: true,
	}
}

// logged catches what the test logs.
func logged(t *testing.T) *bytes.Buffer {
	t.Helper()
	log := new(bytes.Buffer) // the handler does not write to it at the same time
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(log, nil)))
	t.Cleanup(func() { slog.SetDefault(old) })
	return log
}

// newTestService starts a service that is gone when the test ends.
func newTestService(t *testing.T, set settings, count func(string) map[string]int) *service {
	t.Helper()
	owner, end := context.WithCancel(context.Background())
	s, err := newService(owner, set, count)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		end()
		<-s.tree.Done()
	})
	return s
}

// newHeldService starts a service whose workers wait, each with its first
// piece in hand, until open is called.
func newHeldService(t *testing.T, set settings) (s *service, open func()) {
	t.Helper()
	opened := make(chan struct{})
	open = sync.OnceFunc(func() { close(opened) })
	s = newTestService(t, set, func(text string) map[string]int {
		<-opened
		return countWords(text)
	})
	t.Cleanup(open)
	return s, open
}

// request makes a request without a network and decodes the answer into value
// if it is one of success, else it returns the error that the answer tells.
func (s *service) request(t *testing.T, method, target, body string, value any) (status int, failure string) {
	t.Helper()
	w := httptest.NewRecorder()
	s.handler().ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
	if kind := w.Header().Get("Content-Type"); kind != "application/json" {
		t.Errorf("%s %s: the answer's type is %q", method, target, kind)
	}
	if w.Code < 300 && value != nil {
		if err := json.Unmarshal(w.Body.Bytes(), value); err != nil {
			t.Errorf("%s %s: %v", method, target, err)
		}
	}
	if w.Code >= 400 {
		var told struct{ Error string }
		if err := json.Unmarshal(w.Body.Bytes(), &told); err != nil || told.Error == "" {
			t.Errorf("%s %s: status %d without a reason: %q", method, target, w.Code, w.Body)
		}
		failure = told.Error
	}
	return w.Code, failure
}

// post posts a text that must be admitted.
func (s *service) post(t *testing.T, name, text string) receipt {
	t.Helper()
	var got receipt
	if status, failure := s.request(t, "POST", "/texts?name="+name, text, &got); status != http.StatusAccepted {
		t.Fatalf("posting %s: status %d, %s", name, status, failure)
	}
	return got
}

// text asks for a text that must be known.
func (s *service) text(t *testing.T, name string) textInfo {
	t.Helper()
	var got textInfo
	if status, failure := s.request(t, "GET", "/texts/"+name, "", &got); status != http.StatusOK {
		t.Fatalf("asking for %s: status %d, %s", name, status, failure)
	}
	return got
}
