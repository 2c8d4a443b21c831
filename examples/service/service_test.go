package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"tinyactor/actor"
)

// textOf returns a text of some words that the service cuts into n pieces.
func textOf(n int, word string) string {
	return strings.Repeat(word+" ", (n*pieceBytes-pieceBytes/2)/(len(word)+1))
}

// A full queue refuses a text and nothing has changed: no piece of it is
// counted, an older text of that name stands, and what fits still fits.
func TestFullQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, open := newHeldService(t, testSettings(t, 1, 8, 1<<20))
		pieces := 0
		for i, n := range []int{2, 2, 2, 1} {
			name := fmt.Sprint("admitted", i)
			got := s.post(t, name, textOf(n, name))
			if got.Pieces != n {
				t.Fatalf("%s was cut into %d pieces, want %d", name, got.Pieces, n)
			}
			pieces += n
		}
		for _, name := range []string{"refused", "admitted0"} {
			status, failure := s.request(t, "POST", "/texts?name="+name, textOf(2, "refused"), nil)
			if status != http.StatusTooManyRequests {
				t.Errorf("two pieces more for one place: status %d, %s", status, failure)
			}
		}
		if status, _ := s.request(t, "GET", "/texts/refused", "", nil); status != http.StatusNotFound {
			t.Errorf("a refused text is known: status %d", status)
		}
		s.post(t, "last", "one piece")
		pieces++

		open()
		synctest.Wait()
		s.post(t, "refused", textOf(2, "room"))
		pieces += 2
		left, err := s.finish(t.Context())
		if want := (account{accepted: pieces, processed: pieces}); err != nil || left.account != want {
			t.Errorf("the account is %v, %v; want %v", left.account, err, want)
		}
		if left.total["refused"] != 0 || left.texts["admitted0"]["admitted0"] == 0 || left.texts["refused"]["room"] == 0 {
			t.Errorf("the books are %v", left.texts)
		}
	})
}

// Many clients post at once; whatever is admitted is counted whole, whatever
// is refused leaves no trace, and the account is what the clients were told.
func TestAdmission(t *testing.T) {
	const clients, each = 8, 25
	s, open := newHeldService(t, testSettings(t, 3, 16, 1<<20))
	type told struct {
		pieces int
		texts  map[string]map[string]int
	}
	all := make(chan told, clients)
	for client := range clients {
		go func() {
			mine := told{texts: make(map[string]map[string]int)}
			for i := range each {
				name := fmt.Sprintf("c%dt%d", client, i)
				text := textOf(i%4+1, name)
				var got receipt
				switch status, failure := s.request(t, "POST", "/texts?name="+name, text, &got); status {
				case http.StatusAccepted:
					mine.pieces += got.Pieces
					mine.texts[name] = countWords(text)
				case http.StatusTooManyRequests:
					open() // the queue has been full
				default:
					t.Errorf("posting %s: status %d, %s", name, status, failure)
				}
			}
			all <- mine
		}()
	}
	sum := told{texts: make(map[string]map[string]int)}
	for range clients {
		mine := <-all
		sum.pieces += mine.pieces
		maps.Copy(sum.texts, mine.texts)
	}
	left, err := s.finish(t.Context())
	if want := (account{accepted: sum.pieces, processed: sum.pieces}); err != nil || left.account != want {
		t.Errorf("the account is %v, %v; want %v", left.account, err, want)
	}
	if !maps.EqualFunc(left.texts, sum.texts, maps.Equal) {
		t.Errorf("the books hold %d texts, or other words, and the clients were told of %d", len(left.texts), len(sum.texts))
	}
	if len(sum.texts) == clients*each {
		t.Error("no text was refused")
	}
}

// Of two posts of one name the one that was admitted last wins, whichever is
// counted first.
func TestPostAgain(t *testing.T) {
	for _, order := range [][]string{{"old", "new"}, {"new", "old"}} {
		t.Run(strings.Join(order, " first, then "), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				turns := map[string]chan struct{}{"old": make(chan struct{}), "new": make(chan struct{})}
				s := newTestService(t, testSettings(t, 2, 8, 1000), func(text string) map[string]int {
					word, _, _ := strings.Cut(text, " ")
					if turn, ok := turns[word]; ok {
						<-turn
					}
					return countWords(text)
				})
				s.post(t, "a", "first")
				synctest.Wait()
				s.post(t, "a", "old words")
				s.post(t, "a", "new and other words")
				synctest.Wait()
				if got, want := s.text(t, "a"), (textInfo{Name: "a", Post: 1, Words: 1, Distinct: 1, Pending: 2}); got != want {
					t.Errorf("before the later posts are counted: %+v, want %+v", got, want)
				}
				for _, word := range order {
					close(turns[word])
					synctest.Wait()
				}
				if got, want := s.text(t, "a"), (textInfo{Name: "a", Post: 3, Words: 4, Distinct: 4}); got != want {
					t.Errorf("after all are counted: %+v, want %+v", got, want)
				}
				left, err := s.finish(t.Context())
				if want := countWords("new and other words"); err != nil || !maps.Equal(left.total, want) {
					t.Errorf("in all there are %v, %v; want %v", left.total, err, want)
				}
				if want := (account{accepted: 3, processed: 3}); left.account != want {
					t.Errorf("the account is %v, want %v", left.account, want)
				}
			})
		})
	}
}

// finish refuses what comes too late and finishes what is queued.
func TestFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, open := newHeldService(t, testSettings(t, 2, 8, 1<<20))
		for i := range 4 {
			s.post(t, fmt.Sprint("text", i), textOf(2, "word"))
		}
		finished := make(chan struct{})
		go func() {
			defer close(finished)
			left, err := s.finish(t.Context())
			if want := (account{accepted: 8, processed: 8}); err != nil || left.account != want {
				t.Errorf("the account is %v, %v; want %v", left.account, err, want)
			}
			if want := 4 * countWords(textOf(2, "word"))["word"]; left.total["word"] != want {
				t.Errorf("there are %d words, want %d", left.total["word"], want)
			}
		}()
		synctest.Wait()
		if status, failure := s.request(t, "POST", "/texts?name=late", "late", nil); status != http.StatusServiceUnavailable {
			t.Errorf("posting while the service stops: status %d, %s", status, failure)
		}
		open()
		<-finished
		if status, failure := s.request(t, "GET", "/words", "", nil); status != http.StatusServiceUnavailable {
			t.Errorf("asking after the service has stopped: status %d, %s", status, failure)
		}
	})
}

// When finish runs out of time, what is in hand is finished, the rest is
// handed back, and no text is half counted.
func TestFinishOutOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, open := newHeldService(t, testSettings(t, 3, 8, 1<<20))
		for i := range 4 {
			s.post(t, fmt.Sprint("text", i), textOf(2, fmt.Sprint("word", i)))
		}
		ctx, cancel := context.WithCancel(t.Context())
		finished := make(chan struct{})
		go func() {
			defer close(finished)
			left, err := s.finish(ctx)
			if !errors.Is(err, actor.ErrAborted) {
				t.Errorf("finish says %v, want that the workers were aborted", err)
			}
			if want := (account{accepted: 8, processed: 3, handedBack: 5}); left.account != want {
				t.Errorf("the account is %v, want %v", left.account, want)
			}
			if want := countWords(textOf(2, "word0")); !maps.Equal(left.total, want) {
				t.Errorf("there are the words %v, want %v", left.total, want)
			}
		}()
		synctest.Wait()
		cancel()
		synctest.Wait()
		open()
		<-finished
	})
}

// When there are no workers any more while the service runs, texts are refused,
// and no text waits for pieces that never come.
func TestNoWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestService(t, testSettings(t, 2, 8, 1000), countWords)
		s.post(t, "early", "word")
		synctest.Wait()
		if err := errors.Join(s.tree.Terminate(t.Context(), "workers"), s.tree.Remove(t.Context(), "workers")); err != nil {
			t.Fatal(err)
		}
		if status, failure := s.request(t, "POST", "/texts?name=late", "word", nil); status != http.StatusServiceUnavailable {
			t.Errorf("posting without workers: status %d, %s", status, failure)
		}
		if status, _ := s.request(t, "GET", "/texts/late", "", nil); status != http.StatusNotFound {
			t.Errorf("a text that nobody counts is known: status %d", status)
		}
		left, err := s.finish(t.Context())
		if want := (account{accepted: 1, processed: 1}); err != nil || left.account != want {
			t.Errorf("the account is %v, %v; want %v", left.account, err, want)
		}
	})
}

// Pieces of a post that was not admitted whole, because the workers ended
// between two of them, are on the account and nowhere else.
func TestPiecesOfNoPost(t *testing.T) {
	s := &store{texts: map[string]*text{"known": {counts: map[string]int{"word": 1}, post: 1}}}
	id := func(name string, post int) pieceID { return pieceID{Text: name, Post: post, Piece: 1, Pieces: 2} }
	counted{id("new", 2), map[string]int{"half": 1}}.apply(s)
	counted{id("known", 3), map[string]int{"half": 1}}.apply(s)
	returned{id("known", 3)}.apply(s)
	crashed{id("known", 4)}.apply(s)
	if want := (account{processed: 2, handedBack: 1, crashed: 1}); s.account != want {
		t.Errorf("the account is %v, want %v", s.account, want)
	}
	if left := s.books(); len(left.texts) != 1 || !maps.Equal(left.texts["known"], map[string]int{"word": 1}) || len(left.total) != 0 {
		t.Errorf("the books are %v, %v", left.texts, left.total)
	}
}
