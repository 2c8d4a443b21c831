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
	"time"
)

// order orders a worker or the store to crash, from a goroutine of its own.
func (s *service) order(t *testing.T, what string) (piece <-chan pieceID) {
	told := make(chan pieceID, 1)
	go func() {
		var id pieceID
		if status, failure := s.request(t, "POST", "/crash?what="+what, "", &id); status != http.StatusOK {
			t.Errorf("ordering a crash: status %d, %s", status, failure)
		}
		told <- id
	}()
	return told
}

// A worker crashes on one piece: the piece is reported, its post fails as a
// whole, the text is as it was before, and everything else is counted, by the same
// worker, which is the only one and was started again.
func TestCrash(t *testing.T) {
	log := logged(t)
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		s := newTestService(t, testSettings(t, 1, 16, 1<<20), func(text string) map[string]int {
			if strings.Contains(text, "held") {
				<-hold
			}
			return countWords(text)
		})
		s.post(t, "a", "earlier words")
		synctest.Wait()
		s.post(t, "b", "held")

		// The second post of the text a is waited for.
		failed := make(chan string)
		go func() {
			status, failure := s.request(t, "POST", "/texts?name=a&wait=true", textOf(3, "half"), nil)
			failed <- fmt.Sprint(status, " ", failure)
		}()
		synctest.Wait()
		s.post(t, "c", "other words")

		told := s.order(t, "worker")
		synctest.Wait()
		hold <- struct{}{} // the worker that holds the text b crashes
		want := pieceID{Text: "b", Post: 2, Piece: 1, Pieces: 1}
		if got := <-told; got != want {
			t.Errorf("reported is %v, want %v", got, want)
		}
		if got := s.text(t, "b"); got.Post != 0 || got.Words != 0 || got.Failed == nil || got.Failed.pieceID != want {
			t.Errorf("the text without an earlier post is %+v", got)
		}
		if got := <-failed; !strings.HasPrefix(got, "200") {
			t.Errorf("the post of which nothing crashed: %s", got)
		}

		// Now one of the pieces of a later post of the text a.
		before := s.text(t, "a")
		again := make(chan string)
		go func() {
			status, failure := s.request(t, "POST", "/texts?name=a&wait=true", "held "+textOf(3, "later"), nil)
			again <- fmt.Sprint(status, " ", failure)
		}()
		synctest.Wait()
		told = s.order(t, "worker")
		synctest.Wait()
		hold <- struct{}{}
		id := <-told
		if got := <-again; !strings.HasPrefix(got, "500") || !strings.Contains(got, `piece 1 of 3 of post 5 of "a"`) {
			t.Errorf("the post of which %v crashed: %s", id, got)
		}
		synctest.Wait()
		after := s.text(t, "a")
		if after.Failed == nil || after.Failed.pieceID != id || after.Pending != 0 {
			t.Errorf("the text of which %v crashed is %+v", id, after)
		}
		if after.Failed = nil; after != before {
			t.Errorf("the text was %+v and is %+v", before, after)
		}

		var got stats
		s.request(t, "GET", "/stats", "", &got)
		if got.Accepted != 9 || got.Processed != 7 || got.Crashed != 2 || got.Restarts["workers"] != 2 || got.Open != 0 || got.Processes["workers"] != 1 {
			t.Errorf("the figures are %+v", got)
		}

		// A later post that is counted makes the failure a thing of the past.
		s.post(t, "a", "last")
		synctest.Wait()
		if got, want := s.text(t, "a"), (textInfo{Name: "a", Post: 6, Words: 1, Distinct: 1}); got != want {
			t.Errorf("the text is %+v, want %+v", got, want)
		}
		if log.Len() > 0 {
			t.Errorf("crashes that were ordered are logged:\n%s", log)
		}
		left, err := s.finish(t.Context())
		if want := (account{accepted: 10, processed: 8, crashed: 2}); err != nil || left.account != want {
			t.Errorf("the account is %v, %v; want %v", left.account, err, want)
		}
		if want := countWords("last other words"); !maps.Equal(left.total, want) {
			t.Errorf("there are the words %v, want %v", left.total, want)
		}
	})
}

// A panic that nobody has ordered is treated like one that somebody has, and is
// no failure of the service.
func TestPanicOfAWorker(t *testing.T) {
	log := logged(t)
	synctest.Test(t, func(t *testing.T) {
		s := newTestService(t, testSettings(t, 2, 64, 1<<20), func(text string) map[string]int {
			if strings.Contains(text, "poison") {
				panic("a word too much")
			}
			return countWords(text)
		})
		for i := range 5 {
			s.post(t, fmt.Sprint("good", i), textOf(2, "word"))
			s.post(t, fmt.Sprint("bad", i), textOf(2, "word")+" poison")
		}
		synctest.Wait()
		if got := s.text(t, "bad3"); got.Words != 0 || got.Failed == nil || got.Failed.Piece != 2 {
			t.Errorf("a text with a poisoned piece is %+v", got)
		}
		left, err := s.finish(t.Context())
		if want := (account{accepted: 20, processed: 15, crashed: 5}); err != nil || left.account != want {
			t.Errorf("the account is %v, %v; want %v", left.account, err, want)
		}
		synctest.Wait()
		for text, want := range map[string]int{
			`"actor panicked"`:                   5,
			`"child ended, restarting it"`:       5,
			`piece 2 of 2 of post 8 of \"bad3\"`: 1,
		} {
			if got := strings.Count(log.String(), text); got != want {
				t.Errorf("the log has %q %d times, want %d:\n%s", text, got, want, log)
			}
		}
		if want := 5 * countWords(textOf(2, "word"))["word"]; left.total["word"] != want || len(left.total) != 1 {
			t.Errorf("there are the words %v, want %d", left.total, want)
		}
	})
}

// The store crashes on the count of a piece: the piece is reported, its post fails
// as a whole, whoever waits for another one goes on waiting, what was sent
// meanwhile is dealt with, and all else is as it was.
func TestCrashOfTheStore(t *testing.T) {
	log := logged(t)
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		s := newTestService(t, testSettings(t, 2, 16, 1<<20), func(text string) map[string]int {
			if strings.Contains(text, "held") {
				<-hold
			}
			return countWords(text)
		})
		s.post(t, "a", "earlier words")
		synctest.Wait()
		before := s.text(t, "a")
		answers := make(chan string, 2)
		wait := func(name, text string) {
			go func() {
				status, failure := s.request(t, "POST", "/texts?name="+name+"&wait=true", text, nil)
				answers <- fmt.Sprint(name, " ", status, " ", failure)
			}()
			synctest.Wait()
		}
		wait("b", "held words")
		told := s.order(t, "store")
		synctest.Wait()
		s.post(t, "a", "crash")
		want := pieceID{Text: "a", Post: 3, Piece: 1, Pieces: 1}
		if got := <-told; got != want {
			t.Errorf("reported is %v, want %v", got, want)
		}
		synctest.Wait() // the store waits for the worker that holds the other text
		wait("c", "later words")
		close(hold)
		for range 2 {
			if got := <-answers; !strings.Contains(got, " 200 ") {
				t.Error(got)
			}
		}
		synctest.Wait()
		after := s.text(t, "a")
		if after.Failed == nil || after.Failed.pieceID != want || after.Pending != 0 {
			t.Errorf("the text of which %v crashed is %+v", want, after)
		}
		if after.Failed = nil; after != before {
			t.Errorf("the text was %+v and is %+v", before, after)
		}
		var got stats
		s.request(t, "GET", "/stats", "", &got)
		if got.Restarts["store"] != 1 || got.Restarts["workers"] != 0 || got.Open != 0 {
			t.Errorf("the figures are %+v", got)
		}
		if len(s.store.waits) != 0 {
			t.Errorf("%d posts are waited for", len(s.store.waits))
		}
		if log.Len() > 0 {
			t.Errorf("crashes that were ordered are logged:\n%s", log)
		}
		left, err := s.finish(t.Context())
		if want := (account{accepted: 4, processed: 3, crashed: 1}); err != nil || left.account != want {
			t.Errorf("the account is %v, %v; want %v", left.account, err, want)
		}
		if want := countWords("earlier words held words later words"); !maps.Equal(left.total, want) {
			t.Errorf("there are the words %v, want %v", left.total, want)
		}
	})
}

// A failed post does not hide that of two later ones the last has failed too,
// nor does it come back when an earlier one fails after it.
func TestFailures(t *testing.T) {
	id := func(post int) pieceID { return pieceID{Text: "a", Post: post, Piece: 1, Pieces: 1} }
	s := &store{texts: map[string]*text{"a": {drafts: make(map[int]*draft)}}, total: make(map[string]int)}
	for post := 1; post <= 5; post++ {
		s.texts["a"].drafts[post] = &draft{open: 1, counts: make(map[string]int)}
	}
	failed := func(want int) {
		t.Helper()
		got := 0
		if f := s.texts["a"].failed; f != nil {
			got = f.Post
		}
		if got != want {
			t.Errorf("the failure is that of post %d, want %d", got, want)
		}
	}
	crashed{id(3)}.apply(s)
	failed(3)
	crashed{id(2)}.apply(s)
	failed(3)
	counted{id(4), map[string]int{"x": 1}}.apply(s)
	failed(0)
	crashed{id(1)}.apply(s)
	failed(0)
	crashed{id(5)}.apply(s)
	failed(5)
}

// A crash must be allowed.
func TestCrashNotAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := testSettings(t, 1, 8, 1000)
		set.allowCrash = false
		s := newTestService(t, set, countWords)
		if status, failure := s.request(t, "POST", "/crash", "", nil); status != http.StatusForbidden || !strings.Contains(failure, "-allow-crash") {
			t.Errorf("status %d, %s", status, failure)
		}
	})
}

// An order that no worker takes in time is withdrawn.
func TestCrashWithdrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestService(t, testSettings(t, 1, 8, 1000), countWords)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if id, err := s.workers.crashes.order(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, %v", id, err)
		}
		s.post(t, "a", "a word")
		synctest.Wait()
		if got := s.text(t, "a"); got.Words != 2 {
			t.Errorf("the text is %+v", got)
		}
	})
}
