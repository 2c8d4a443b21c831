package observer

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"tinyactor/actor"
	"tinyactor/internal/inspect"
)

// Of what Redact changes, nothing is shown or logged as it was.
func TestRedact(t *testing.T) {
	var mu sync.Mutex
	kinds := make(map[Text]bool)
	var log strings.Builder
	o := New(Options{Logger: slog.New(slog.NewTextHandler(&log, nil)), Redact: func(kind Text, text string) string {
		mu.Lock()
		defer mu.Unlock()
		kinds[kind] = true
		switch {
		case kind == TextReason:
			return text // which has the panic's value
		case kind == TextName && strings.HasPrefix(text, "#"):
			t.Errorf("Redact got the id %s", text)
		}
		return strings.ReplaceAll(text, "secret", "***")
	}})
	since := time.Now().Add(-time.Hour)
	f := &fake{
		reading: inspect.Reading{Path: "secret-top/#7/secret", Processes: 1, Limit: 1, Length: 1},
		waits:   []inspect.Wait{{From: 1, Since: since}, {From: 9, FromName: "secret-sender", Since: since}},
	}
	a := bear(o, 1, "secret", f)
	a.Message = "secret.Message"
	panicked := fmt.Errorf("w: %w", &actor.PanicError{Value: "a secret value", Stack: []byte("secret stack")})
	for _, e := range []actor.Event{
		{Kind: actor.EventPanicked, Err: panicked, Stack: "secret stack"},
		{Kind: actor.EventExited, Err: panicked},
		{Kind: actor.EventUndelivered, Type: "secret.Message", Count: 1},
	} {
		e.ID, e.Name, e.Path = 1, "secret", "secret-top/#7/secret"
		o.observe(e)
	}
	s := o.Snapshot()
	if len(s.Deadlocks) != 1 || !strings.Contains(log.String(), "***") {
		t.Errorf("the deadlocks are %+v, logged %q", s.Deadlocks, log.String())
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text)+log.String(), "secret") {
		t.Errorf("it shows %s and logs %s", text, log.String())
	}
	if s.Actors[0].Path != "***-top/#7/***" {
		t.Errorf("the path is %s", s.Actors[0].Path)
	}
	if len(kinds) != 5 {
		t.Errorf("Redact got %v", kinds)
	}
	runtime.KeepAlive(a)
}

// In paths, too, names are redacted as a whole, whatever they look like.
func TestRedactNamesInPaths(t *testing.T) {
	o := New(Options{Redact: func(kind Text, text string) string {
		if kind == TextName {
			return "[" + text + "]"
		}
		return text
	}})
	ctx := o.Watch(t.Context())
	ready := make(chan struct{})
	spawn := func(ctx context.Context, name string, then func(ctx context.Context)) {
		actor.Spawn(ctx, actor.Config{Name: name}, func(ctx context.Context, in *actor.Inbox[int]) error {
			then(ctx)
			<-in.Halting()
			return nil
		})
	}
	spawn(ctx, "GET /users/42", func(ctx context.Context) {
		spawn(ctx, "", func(ctx context.Context) {
			spawn(ctx, "#4711", func(ctx context.Context) {
				spawn(ctx, "/", func(context.Context) { close(ready) })
			})
		})
	})
	<-ready
	s := o.Snapshot()
	want := fmt.Sprintf("[GET /users/42]/#%d/[#4711]/[/]", s.Actors[1].ID)
	if got := s.Actors[3].Path; got != want {
		t.Errorf("the path is %s, want %s", got, want)
	}
	await(t, "spawned", func() bool { return len(o.after(0)) == 4 })
	for _, e := range o.after(0) {
		if e.ID == s.Actors[3].ID && e.Path != want {
			t.Errorf("the path in an event is %s, want %s", e.Path, want)
		}
	}
}

// Where Redact panics, nothing is shown.
func TestRedactThatPanics(t *testing.T) {
	o := New(Options{Redact: func(Text, string) string { panic("no") }})
	a := bear(o, 1, "secret", new(fake))
	o.observe(actor.Event{Kind: actor.EventExited, ID: 1, Name: "secret", Path: "secret", Err: actor.ErrGoexit})
	s := o.Snapshot()
	if len(s.Actors) != 1 || len(s.Events) != 1 || strings.Contains(fmt.Sprintf("%+v", s), "secret") {
		t.Errorf("got %+v", s)
	}
	runtime.KeepAlive(a)
}

// Redact is called with no lock held: whatever it does, the next one can look.
func TestRedactIsFree(t *testing.T) {
	var redact func() // what else it does, once
	o := New(Options{Redact: func(_ Text, text string) string {
		if do := redact; do != nil {
			redact = nil
			do()
		}
		return text
	}})
	actors := waitInARing(o, []*fake{new(fake), new(fake)})
	for _, a := range actors {
		f := a.Source.(*fake)
		f.reading.Path, f.waits[0].Since = "a", time.Now().Add(-ripe)
	}
	for what, do := range map[string]func(){"looks": func() { o.Snapshot() }, "unwinds": runtime.Goexit} {
		for i, look := range []func(){func() { o.Snapshot() }, o.check} {
			redact, o.watch = do, deadlockWatch{} // so that there is something to log
			done := make(chan struct{})
			go func() { defer close(done); look() }()
			select {
			case <-done:
			case <-time.After(10 * time.Second):
				t.Fatalf("where Redact %s, look %d does not come back", what, i)
			}
			if redact != nil {
				t.Errorf("look %d has not called Redact", i)
			}
		}
	}
	if s := o.Snapshot(); len(s.Actors) != 2 || len(s.Deadlocks) != 1 {
		t.Errorf("afterwards it shows %+v", s)
	}
	runtime.KeepAlive(actors)
}
