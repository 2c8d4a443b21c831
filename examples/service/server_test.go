package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// newTestService starts a service that is gone when the test ends.
func newTestService(t *testing.T, set settings, count func(string) map[string]int) *service {
	t.Helper()
	owner, end := context.WithCancel(context.Background())
	s := newService(owner, set, count)
	t.Cleanup(func() {
		end()
		<-s.workers.Done()
		<-s.store.Done()
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

func TestTextsAndWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestService(t, settings{workers: 2, queue: 8, maxBytes: 1000}, countWords)
		s.post(t, "a.txt", "the cat and the dog")
		s.post(t, "dir/b.txt", "The bird")
		synctest.Wait()

		if got, want := s.text(t, "a.txt"), (textInfo{Name: "a.txt", Post: 1, Words: 5, Distinct: 4}); got != want {
			t.Errorf("a.txt is %+v, want %+v", got, want)
		}
		want := textInfo{Name: "dir/b.txt", Post: 2, Words: 2, Distinct: 2}
		for _, path := range []string{"dir/b.txt", "dir%2Fb.txt"} {
			if got := s.text(t, path); got != want {
				t.Errorf("%s is %+v, want %+v", path, got, want)
			}
		}

		var words ranking
		s.request(t, "GET", "/words?n=3", "", &words)
		if words.Texts != 2 || words.Distinct != 5 || len(words.Words) != 3 ||
			words.Words[0] != (wordCount{"the", 3}) || words.Words[1] != (wordCount{"and", 1}) || words.Words[2] != (wordCount{"bird", 1}) {
			t.Errorf("the words are %+v", words)
		}
		s.request(t, "GET", "/words", "", &words)
		if len(words.Words) != 5 {
			t.Errorf("of 5 words one sees %+v", words)
		}
	})
}

func TestBadRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestService(t, settings{workers: 1, queue: 8, maxBytes: 100}, countWords)
		for _, test := range []struct {
			method, target, body string
			status               int
			failure              string // a part of it
		}{
			{"GET", "/", "", 404, "/texts"},
			{"GET", "/elsewhere", "", 404, "/elsewhere"},
			{"GET", "/texts", "", 405, "POST"},
			{"DELETE", "/texts/a", "", 405, "GET"},
			{"POST", "/words", "", 405, "GET"},
			{"POST", "/texts", "text", 400, "name"},
			{"POST", "/texts?name=", "text", 400, "name"},
			{"POST", "/texts?name=" + strings.Repeat("n", maxName+1), "text", 400, "name"},
			{"POST", "/texts?name=a", "", 400, "empty"},
			{"POST", "/texts?name=a", strings.Repeat("x", 101), 413, "100 bytes"},
			{"GET", "/texts/a", "", 404, "name"},
			{"GET", "/texts/", "", 404, "name"},
			{"GET", "/words?n=0", "", 400, `"0"`},
			{"GET", "/words?n=-1", "", 400, `"-1"`},
			{"GET", "/words?n=1001", "", 400, "1000"},
			{"GET", "/words?n=ten", "", 400, `"ten"`},
			{"GET", "/words?n=", "", 400, `""`},
		} {
			status, failure := s.request(t, test.method, test.target, test.body, nil)
			if status != test.status || !strings.Contains(failure, test.failure) {
				t.Errorf("%s %.30s: status %d, %q; want %d and a reason with %q", test.method, test.target, status, failure, test.status, test.failure)
			}
		}
		left, err := s.finish(t.Context())
		if err != nil || left.account != (account{}) || len(left.texts) != 0 {
			t.Errorf("bad requests left %v, %v, %v", left.account, left.texts, err)
		}
	})
}

// A body that ends early is not a text.
func TestBrokenBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestService(t, settings{workers: 1, queue: 8, maxBytes: 100}, countWords)
		broken := io.MultiReader(strings.NewReader("half a te"), brokenReader{})
		w := httptest.NewRecorder()
		s.handler().ServeHTTP(w, httptest.NewRequest("POST", "/texts?name=a", broken))
		if w.Code != http.StatusBadRequest {
			t.Errorf("status %d", w.Code)
		}
		if status, _ := s.request(t, "GET", "/texts/a", "", nil); status != http.StatusNotFound {
			t.Errorf("half a text is known: status %d", status)
		}
	})
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// A request whose client has gone away ends.
func TestRequestContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestService(t, settings{workers: 1, queue: 8, maxBytes: 100}, countWords)
		held := make(chan struct{})
		if err := s.address.Send(t.Context(), hold(held)); err != nil {
			t.Fatal(err)
		}
		ctx, leave := context.WithCancel(t.Context())
		answered := make(chan int)
		go func() {
			w := httptest.NewRecorder()
			s.handler().ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/words", nil))
			answered <- w.Code
		}()
		synctest.Wait()
		select {
		case status := <-answered:
			t.Errorf("status %d from a store that is held", status)
		default:
		}
		leave()
		if status := <-answered; status != http.StatusServiceUnavailable {
			t.Errorf("status %d", status)
		}
		close(held)
	})
}

// hold keeps the store from going on until it is closed.
type hold chan struct{}

func (h hold) apply(*store) { <-h }
