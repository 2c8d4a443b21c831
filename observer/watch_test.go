package observer

import (
	"context"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// receive is a body that receives until its inbox says to end.
func receive(ctx context.Context, in *actor.Inbox[int]) error {
	for range in.Messages(ctx) {
	}
	return in.Err()
}

// collectUntil collects garbage until cond holds.
func collectUntil(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !cond(); {
		if time.Now().After(end) {
			t.Fatalf("after 10 s of garbage collections: not %s", what)
		}
		runtime.GC()
	}
}

// entriesOf is how many actors an observer knows.
func entriesOf(o *Observer) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.entries)
}

// abandon spawns an actor that has worked, been looked at and asked, and lets go
// of it.
//
//go:noinline
func abandon(t *testing.T, o *Observer, ctx context.Context, ended *atomic.Bool) {
	_, addr := actor.Spawn(ctx, actor.Config{Name: "abandoned", Capacity: actor.Bounded(1)}, func(ctx context.Context, in *actor.Inbox[int]) error {
		defer ended.Store(true)
		return receive(ctx, in)
	})
	for range 100 {
		if err := addr.Send(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
	}
	if s := o.Snapshot(); len(s.Actors) != 1 {
		t.Errorf("there are %d actors, want 1", len(s.Actors))
	}
	if _, err := o.stack(uint64(addr.ID())); err != nil {
		t.Error(err)
	}
}

// Law H3 under an observer: an actor that nobody can reach ends, and nothing is
// left of it, though it is watched and has been looked at.
func TestWatchingKeepsNothingAlive(t *testing.T) {
	o := New(Options{})
	var ended atomic.Bool
	abandon(t, o, o.Watch(t.Context()), &ended)
	collectUntil(t, "ended", ended.Load)
	collectUntil(t, "forgotten", func() bool { return entriesOf(o) == 0 })
	if s := o.Snapshot(); len(s.Actors) != 0 || s.Totals.Received != 100 {
		t.Errorf("afterwards there are %d actors, and %d messages received", len(s.Actors), s.Totals.Received)
	}
}

// The observer refers to what it looks at only while it does.
func TestEntriesAreWeak(t *testing.T) {
	o := New(Options{})
	for id := range uint64(100) {
		bear(o, id+1, "nobody keeps it", new(fake))
	}
	o.Snapshot()
	collectUntil(t, "collected", func() bool { return len(o.living()) == 0 })
	if n := entriesOf(o); n > 0 {
		t.Errorf("%d entries are left", n)
	}
}

// What is kept of actors goes when they end, also while nobody looks.
func TestEntriesGo(t *testing.T) {
	o := New(Options{})
	ctx := o.Watch(t.Context())
	d := &supervisor.Dynamic[int, int]{Name: "jobs", Template: func(int) *supervisor.Worker[int] {
		return &supervisor.Worker[int]{Run: receive, Restart: supervisor.Temporary}
	}}
	s, err := supervisor.Start(ctx, &supervisor.Spec{Name: "top", Children: []supervisor.Child{d}})
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		w, err := d.Add(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Remove(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		child, _ := actor.Spawn(ctx, actor.Config{}, receive)
		if _, err := child.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "left with the two supervisors", func() bool { return entriesOf(o) == 2 })
	if _, err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, "empty", func() bool { return entriesOf(o) == 0 })
}

// An actor below several watched contexts is one, and tells each event once.
func TestWatchTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, other := New(Options{}), New(Options{})
		ctx := o.Watch(other.Watch(o.Watch(context.Background())))
		child, _ := actor.Spawn(ctx, actor.Config{Name: "parent"}, func(ctx context.Context, in *actor.Inbox[int]) error {
			actor.Spawn(o.Watch(ctx), actor.Config{Name: "child"}, receive)
			return receive(ctx, in)
		})
		synctest.Wait()
		for _, o := range []*Observer{o, other} {
			s := o.Snapshot()
			if len(s.Actors) != 2 || len(s.Events) != 2 || s.Actors[1].Path != "parent/child" || s.Actors[1].Parent != s.Actors[0].ID {
				t.Errorf("got %+v with %+v", s.Actors, s.Events)
			}
		}
		if _, err := child.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// What an observer is told of actors that it does not watch is nothing.
func TestUnwatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New(Options{})
		o.Watch(t.Context())
		child, _ := actor.Spawn(t.Context(), actor.Config{}, receive)
		synctest.Wait()
		if s := o.Snapshot(); len(s.Actors)+len(s.Events) > 0 {
			t.Errorf("got %+v", s)
		}
		if _, err := child.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// While nobody looks and nobody waits, no timer runs and no goroutine; while
// somebody waits for a long time, none either once it was seen that nobody is
// blocked.
func TestNothingRunsWhileNothingHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New(Options{})
		ctx := o.Watch(t.Context())
		child, addr := actor.Spawn(ctx, actor.Config{Capacity: actor.Bounded(1)}, func(ctx context.Context, in *actor.Inbox[int]) error {
			for range in.Messages(ctx) {
				time.Sleep(time.Hour)
			}
			return nil
		})
		still := func(when string) {
			t.Helper()
			synctest.Wait()
			if got := o.alarm.state.Load(); got != quiet {
				t.Errorf("%s: the alarm is set", when)
			}
		}
		still("at the beginning")
		time.Sleep(time.Minute)
		still("while it waits for a message")
		before := inBubble(t)
		sent := make(chan error)
		go func() {
			for range 3 {
				if err := addr.Send(context.Background(), 1); err != nil {
					sent <- err
				}
			}
			close(sent)
		}()
		synctest.Wait()
		if o.alarm.state.Load() == quiet {
			t.Error("somebody waits, and no alarm is set")
		}
		time.Sleep(time.Minute)
		still("while somebody has waited for a minute")
		if got := inBubble(t); got != before+1 {
			t.Errorf("there are %d goroutines, before %d and one that sends", got, before)
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		still("after that")
		child.Abort()
		<-child.Done()
		time.Sleep(2 * time.Hour)
	})
}

// inBubble counts the goroutines in the caller's synctest bubble: what other tests
// have left behind, and the runtime's own, come and go.
func inBubble(t *testing.T) int {
	t.Helper()
	dump := make([]byte, 1<<20)
	dump = dump[:runtime.Stack(dump, true)]
	head, _, _ := strings.Cut(string(dump), "\n") // of the caller, who is the first
	_, bubble, ok := strings.Cut(head, "synctest bubble ")
	if !ok {
		t.Fatalf("no bubble in %q", head)
	}
	return strings.Count(string(dump), "synctest bubble "+bubble+"\n")
}
