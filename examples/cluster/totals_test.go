package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"tinyactor/actor"
	"tinyactor/cluster/embedded"
)

// storage returns JetStream on a server of the test's own.
func storage(t *testing.T) jetstream.JetStream {
	t.Helper()
	server, err := embedded.Start(embedded.Config{JetStream: true, Store: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	nc, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// TestJournal opens a journal that somebody else has open.
func TestJournal(t *testing.T) {
	t.Parallel()
	js := storage(t)
	var read []string
	open := func(fence uint64) (*journal, error) {
		read = nil
		return openJournal(t.Context(), js, 1, fence, func(r record) { read = append(read, r.Texts...) })
	}
	write := func(j *journal, id string) error { return j.append(t.Context(), record{Texts: []string{id}}) }
	first, err := open(3)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(write(first, "a"), write(first, "b")); err != nil {
		t.Fatal(err)
	}
	second, err := open(5)
	if want := []string{"a", "b"}; err != nil || !slices.Equal(read, want) {
		t.Fatalf("it has read %q, %v, want %q", read, err, want)
	}
	if err := write(first, "c"); !refused(err) {
		t.Errorf("the first writes after the second has opened: %v", err)
	}
	if err := write(second, "d"); err != nil {
		t.Error(err)
	}
	if _, err := open(3); !errors.Is(err, errFenced) {
		t.Errorf("the first opens after the second: %v", err)
	}
	if err := write(second, "e"); !refused(err) { // it cannot know who has opened
		t.Errorf("the second writes after another has opened: %v", err)
	}
	if _, err := open(5); err != nil || !slices.Equal(read, []string{"a", "b", "d"}) {
		t.Errorf("at last it has read %q, %v", read, err)
	}
}

// TestTotals aborts the totals and starts them again, as another node would.
func TestTotals(t *testing.T) {
	t.Parallel()
	js := storage(t)
	start := func() (*actor.Child[totalsMsg, actor.None], *actor.Address[totalsMsg]) {
		return actor.Spawn(t.Context(), actor.Config{Name: totalsName}, keepTotals("here", js, 1))
	}
	child, to := start()
	count := func(id, body string) {
		t.Helper()
		if _, err := actor.Ask(t.Context(), to, add{ID: id, Words: countWords(body)}.to); err != nil {
			t.Fatal(err)
		}
	}
	check := func(texts, words, again int, top ...wordCount) {
		t.Helper()
		c, err := actor.Ask(t.Context(), to, look{}.to)
		if err != nil || c.Texts != texts || c.Words != words || c.Again != again || !slices.Equal(c.Top, top) {
			t.Errorf("the totals are %+v, %v", c, err)
		}
	}
	check(0, 0, 0)
	count("1", "to be or not to be")
	count("1", "to be or not to be")
	check(1, 6, 1, wordCount{"be", 2}, wordCount{"to", 2}, wordCount{"not", 1}, wordCount{"or", 1})

	child.Abort()
	if _, err := child.Wait(t.Context()); !errors.Is(err, actor.ErrAborted) {
		t.Fatal(err)
	}
	child, to = start()
	count("1", "to be or not to be") // whose answer was lost, for all that is known
	count("2", "or")
	check(2, 7, 1, wordCount{"be", 2}, wordCount{"or", 2}, wordCount{"to", 2}, wordCount{"not", 1})
	if _, err := child.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestTotalsFenced checks that totals that were replaced end instead of answering.
func TestTotalsFenced(t *testing.T) {
	t.Parallel()
	js := storage(t)
	child, to := actor.Spawn(t.Context(), actor.Config{Name: totalsName}, keepTotals("here", js, 1))
	if _, err := actor.Ask(t.Context(), to, add{ID: "1"}.to); err != nil {
		t.Fatal(err)
	}
	if _, err := openJournal(t.Context(), js, 1, 1, func(record) {}); err != nil {
		t.Fatal(err)
	}
	if _, err := actor.Ask(t.Context(), to, add{ID: "2"}.to); !errors.Is(err, actor.ErrNoReply) {
		t.Errorf("replaced totals answer: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := child.Wait(ctx); !refused(err) {
		t.Errorf("they have ended with %v", err)
	}
}

func TestPage(t *testing.T) {
	words := make(map[string]int)
	for n := range uint64(pageWords + 10) {
		words[demoWord(n)] = int(n)
	}
	all := &totals{words: words}
	first := all.page("")
	rest := all.page(first[len(first)-1].Word)
	if len(first) != pageWords || len(rest) != 10 || len(all.page(rest[9].Word)) != 0 {
		t.Errorf("pages have %d and %d words", len(first), len(rest))
	}
	for _, w := range slices.Concat(first, rest) {
		if words[w.Word] != w.Count {
			t.Errorf("%s has %d, want %d", w.Word, w.Count, words[w.Word])
		}
		delete(words, w.Word)
	}
	if len(words) > 0 {
		t.Errorf("not in a page: %v", words)
	}
	long := strings.Repeat("x", pageBytes/2)
	all = &totals{words: map[string]int{long: 1, long + "x": 2, long + "xx": 3, long + "xxx": 4}}
	if page := all.page(""); len(page) != 2 || len(all.page(page[1].Word)) != 2 {
		t.Errorf("a page has %d long words", len(page))
	}
}
