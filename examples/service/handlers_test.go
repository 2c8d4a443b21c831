package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
)

func TestTextsAndWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestService(t, testSettings(t, 2, 8, 1000), countWords)
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
		s := newTestService(t, testSettings(t, 1, 8, 100), countWords)
		for _, test := range []struct {
			method, target, body string
			status               int
			failure              string // a part of it
		}{
			{"GET", "/", "", 404, "/texts"},
			{"GET", "/elsewhere", "", 404, "/elsewhere"},
			{"GET", "/texts/a//b", "", 404, "/texts/{name}"},
			{"GET", "/texts/a/../b", "", 404, "/texts/{name}"},
			{"GET", "/elsewhere/../words", "", 404, "/words"},
			{"POST", "/tasks/snapshot/", "", 404, "/tasks/snapshot"},
			{"POST", "/tasks/snapshot/stop/now", "", 404, "/tasks/snapshot"},
			{"GET", "/texts", "", 405, "POST"},
			{"DELETE", "/texts/a", "", 405, "GET"},
			{"POST", "/words", "", 405, "GET"},
			{"DELETE", "/tasks/snapshot", "", 405, "POST"},
			{"GET", "/tasks/snapshot/stop", "", 405, "POST"},
			{"GET", "/crash", "", 405, "POST"},
			{"POST", "/stats", "", 405, "GET"},
			{"POST", "/healthz", "", 405, "GET"},
			{"POST", "/texts", "text", 400, "name"},
			{"POST", "/texts?name=", "text", 400, "name"},
			{"POST", "/texts?name=" + strings.Repeat("n", maxName+1), "text", 400, "name"},
			{"POST", "/texts?name=%ff", "text", 400, "UTF-8"},
			{"POST", "/texts?name=a/../b", "text", 400, "name"},
			{"POST", "/texts?name=a//b", "text", 400, "name"},
			{"POST", "/texts?name=a/", "text", 400, "name"},
			{"POST", "/texts?name=a%zz", "text", 400, "query"},
			{"POST", "/texts?name=a&wait=long", "text", 400, `"long"`},
			{"POST", "/texts?name=a", "", 400, "empty"},
			{"POST", "/texts?name=a", strings.Repeat("x", 101), 413, "100 bytes"},
			{"GET", "/texts/a", "", 404, "name"},
			{"GET", "/texts/", "", 404, "name"},
			{"GET", "/words?n=0", "", 400, `"0"`},
			{"GET", "/words?n=-1", "", 400, `"-1"`},
			{"GET", "/words?n=1001", "", 400, "1000"},
			{"GET", "/words?n=ten", "", 400, `"ten"`},
			{"GET", "/words?n=", "", 400, `""`},
			{"GET", "/tasks/coffee", "", 404, "snapshot"},
			{"POST", "/tasks/coffee?format=csv", "", 404, "snapshot"},
			{"POST", "/tasks/coffee/stop", "", 404, "snapshot"},
			{"POST", "/tasks/snapshot/pause", "", 404, "stop and start"},
			{"POST", "/tasks/snapshot?format=xml", "", 400, "[json csv]"},
			{"POST", "/tasks/snapshot", "", 400, "[json csv]"},
			{"POST", "/crash", "", 409, "in hand"},
			{"POST", "/crash?what=store", "", 409, "in hand"},
			{"POST", "/crash?what=foreman", "", 400, "worker, store or task"},
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
		s := newTestService(t, testSettings(t, 1, 8, 100), countWords)
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
		s := newTestService(t, testSettings(t, 1, 8, 100), countWords)
		held := make(chan struct{})
		if err := s.store.address.Send(t.Context(), hold(held)); err != nil {
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

// A post that is waited for is answered when it has been counted.
func TestPostAndWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, open := newHeldService(t, testSettings(t, 1, 16, 1<<20))
		answered := make(chan receipt)
		go func() {
			var got receipt
			if status, failure := s.request(t, "POST", "/texts?name=a&wait=true", textOf(3, "word"), &got); status != http.StatusOK {
				t.Errorf("status %d, %s", status, failure)
			}
			answered <- got
		}()
		synctest.Wait()
		select {
		case got := <-answered:
			t.Errorf("an answer before anything was counted: %+v", got)
		default:
		}
		open()
		want := receipt{Name: "a", Post: 1, Pieces: 3, Words: countWords(textOf(3, "word"))["word"], Distinct: 1}
		if got := <-answered; got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}
