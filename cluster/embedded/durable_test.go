package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// job is a message of a durable inbox, with an ID of its own.
type job struct {
	ID string
	N  int
}

func (j job) MessageID() string { return j.ID }

// note is one without.
type note struct{ N int }

// open opens a durable inbox for a test.
func open[M any](t testing.TB, n *cluster.Node, name string, cfg cluster.DurableConfig) *cluster.Durable[M] {
	t.Helper()
	d, err := cluster.OpenDurable[M](within(t, 20*time.Second), n, name, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// handle spawns workers that are stopped when the test ends.
func handle[M any](t testing.TB, d *cluster.Durable[M], workers int, f func(context.Context, M) error) *actor.Child[actor.None, actor.None] {
	t.Helper()
	child := d.Spawn(context.WithoutCancel(t.Context()), actor.Config{Name: d.Name()}, workers, f)
	t.Cleanup(func() { stop(t, child) })
	return child
}

func stop(t testing.TB, child *actor.Child[actor.None, actor.None]) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err := child.Stop(ctx); err != nil && !errors.Is(err, cluster.ErrNodeClosed) {
		t.Errorf("stop: %v", err)
	}
}

// effects counts what handlers did, by number.
type effects struct {
	mu    sync.Mutex
	times map[int]int
	order []int
}

func (e *effects) add(n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.times == nil {
		e.times = make(map[int]int)
	}
	e.times[n]++
	e.order = append(e.order, n)
}

func (e *effects) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.times)
}

// What many goroutines have stored is handled, each message once if nothing fails.
func TestDurable(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true})
	n := join(t, s, cluster.Config{Name: "one"})
	d := open[note](t, n, "notes.all", cluster.DurableConfig{})
	var done effects
	var senders sync.WaitGroup
	for g := range 10 {
		senders.Go(func() {
			for i := range 50 {
				if err := d.Send(t.Context(), note{g*50 + i}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	senders.Wait()
	if got := n.Stats().Stored; got != 500 {
		t.Errorf("%d are stored, want 500", got)
	}
	child := handle(t, d, 4, func(ctx context.Context, m note) error {
		if a := cluster.Attempt(ctx); a != 1 {
			t.Errorf("attempt %d", a)
		}
		if cluster.MessageID(ctx) == "" {
			t.Error("no ID")
		}
		done.add(m.N)
		return nil
	})
	eventually(t, "all are handled", func() bool { return done.count() == 500 })
	stop(t, child)
	for n, k := range done.times {
		if k != 1 {
			t.Errorf("%d was handled %d times", n, k)
		}
	}
	if cluster.Attempt(t.Context()) != 0 || cluster.MessageID(t.Context()) != "" {
		t.Error("another ctx has an attempt or an ID")
	}
}

// A failing message is handled again after a pause, and its attempts are counted.
func TestDurableFails(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true})
	n := join(t, s, cluster.Config{Name: "one"})
	d := open[note](t, n, "notes", cluster.DurableConfig{Backoff: 20 * time.Millisecond})
	var last atomic.Int64 // attempt
	ids := make(chan string, 10)
	if err := d.Send(t.Context(), note{1}); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	handle(t, d, 1, func(ctx context.Context, m note) error {
		a := cluster.Attempt(ctx)
		ids <- cluster.MessageID(ctx)
		switch a {
		case 1:
			return errors.New("not yet")
		case 2:
			panic("nor now")
		}
		last.Store(int64(a))
		return nil
	})
	eventually(t, "handled", func() bool { return n.Stats().Handled == 1 })
	if took := time.Since(begun); took < 60*time.Millisecond {
		t.Errorf("the third attempt comes after %v, want 20 ms and 40 ms", took)
	}
	if a, b, c := <-ids, <-ids, <-ids; a != b || b != c {
		t.Errorf("IDs %q, %q, %q", a, b, c)
	}
	if st := n.Stats(); last.Load() != 3 || st.Failed != 2 || st.Redelivered != 2 {
		t.Errorf("%+v", st)
	}
}

// Attempts exhausted: set aside, with the reason; retried or dropped.
func TestDurableAside(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true})
	n := join(t, s, cluster.Config{Name: "one"})
	d := open[job](t, n, "jobs", cluster.DurableConfig{Backoff: time.Millisecond, Attempts: 3})
	var mended atomic.Bool
	var done effects
	handle(t, d, 2, func(ctx context.Context, m job) error {
		if !mended.Load() && m.N < 2 {
			return fmt.Errorf("job %d fails", m.N)
		}
		if !mended.Load() && m.N == 2 {
			panic("job 2 panics")
		}
		if id := cluster.MessageID(ctx); id != m.ID { // also after Retry
			t.Errorf("the ID of %+v is %q", m, id)
		}
		done.add(m.N)
		return nil
	})
	for i := range 4 {
		if err := d.Send(t.Context(), job{fmt.Sprint("j", i), i}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "three are set aside", func() bool { return n.Stats().SetAside == 3 })
	all := make(map[int]cluster.Aside[job])
	for a, err := range d.Aside(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all[a.Msg.N] = a
		if a.Err != nil || a.Attempts != 3 || a.Node != n.ID() || a.MessageID != a.Msg.ID || a.Stored.IsZero() || a.Time.Before(a.Stored) {
			t.Errorf("%+v", a)
		}
	}
	if len(all) != 3 || all[1].Reason != "job 1 fails" {
		t.Fatalf("%+v", all)
	}
	mended.Store(true)
	if err := d.Retry(t.Context(), all[2].Number); err != nil {
		t.Error(err)
	}
	if err := d.Drop(t.Context(), all[1].Number); err != nil {
		t.Error(err)
	}
	eventually(t, "the retried one is handled", func() bool { return done.count() == 2 })
	if err := d.Retry(t.Context(), all[2].Number); !errors.Is(err, cluster.ErrNotFound) {
		t.Errorf("retry again: %v", err)
	}
	if err := d.Drop(t.Context(), all[1].Number); !errors.Is(err, cluster.ErrNotFound) {
		t.Errorf("drop again: %v", err)
	}
	left := 0
	for a := range d.Aside(t.Context()) {
		left++
		if a.Msg.N != 0 {
			t.Errorf("left: %+v", a)
		}
	}
	if left != 1 {
		t.Errorf("%d are left", left)
	}
}
