package actortest_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/actortest"
)

func TestNewStops(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		var parent, child *actor.Address[int]
		alive := false
		failures := try(func(t testing.TB) {
			ctx := actortest.New(t)
			t.Cleanup(func() { alive = ctx.Err() == nil && !parent.Closed() })
			spawned := make(chan struct{})
			_, parent = actor.Spawn(ctx, actor.Config{Name: "parent"}, func(ctx context.Context, in *actor.Inbox[int]) error {
				_, child = actor.Spawn(ctx, actor.Config{Name: "child"}, serve[int])
				close(spawned)
				return serve(ctx, in)
			})
			<-spawned
		})
		if len(failures) > 0 {
			t.Errorf("the test failed: %q", failures)
		}
		if !alive {
			t.Error("a later cleanup has not found the actor and the context alive")
		}
		for _, addr := range []*actor.Address[int]{parent, child} {
			select {
			case <-addr.Done():
			default:
				t.Errorf("%v runs after the test", addr)
			}
		}
	})
}

// A context derived from that of New owns too.
func TestNewDerived(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		var addr *actor.Address[int]
		failures := try(func(t testing.TB) {
			type key struct{}
			ctx, cancel := context.WithCancel(context.WithValue(actortest.New(t), key{}, 1))
			_, addr = actor.Spawn(ctx, actor.Config{}, serve[int])
			_, early := actor.Spawn(ctx, actor.Config{}, serve[int])
			t.Cleanup(func() { // the earlier cancel stops them already
				if err := early.Wait(context.Background()); err != nil {
					t.Error(err)
				}
			})
			t.Cleanup(cancel)
		})
		if len(failures) > 0 || !addr.Closed() {
			t.Errorf("failures %q, closed %t", failures, addr.Closed())
		}
	})
}

func TestNewStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		before := time.Now()
		failures := try(func(t testing.TB) {
			ctx := actortest.New(t)
			actor.Spawn(ctx, actor.Config{}, serve[int])
			actor.Spawn(ctx, actor.Config{Name: "parent"}, func(ctx context.Context, in *actor.Inbox[int]) error {
				actor.Spawn(ctx, actor.Config{Name: "deep", AbortTimer: time.Hour}, until(release))
				return serve(ctx, in)
			})
			actor.SpawnPool(ctx, actor.Config{Name: "pool"}, 2,
				func(ctx context.Context, in *actor.Inbox[int]) (int, error) {
					if in.Index() == 0 {
						return 0, serve(ctx, in)
					}
					<-release
					return 0, nil
				})
		})
		if d, want := time.Since(before), actor.DefaultAbortTimer+actor.StuckAfter; d != want {
			t.Errorf("the check took %v, want %v", d, want)
		}
		if len(failures) != 1 {
			t.Fatalf("failures: %q", failures)
		}
		contains(t, failures[0], `actor "deep" (#`, `actor "pool" (#`, "process 1 is stuck", "aborted 1s ago", "helpers_test.go", "new_test.go")
		lacks(t, failures[0], `"parent"`, "still runs")
		close(release)
	})
}

// An actor that has to be aborted is not left.
func TestNewAborts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var addr *actor.Address[int]
		failures := try(func(t testing.TB) {
			_, addr = actor.Spawn(actortest.New(t), actor.Config{AbortTimer: time.Hour},
				func(ctx context.Context, in *actor.Inbox[int]) error {
					<-ctx.Done()
					return nil
				})
		})
		if len(failures) > 0 {
			t.Errorf("failures: %q", failures)
		}
		if err := addr.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestNewDetached(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		var all []*actor.Child[int, actor.None]
		failures := try(func(t testing.TB) {
			ctx := actortest.NewBounded(t, time.Second, time.Second)
			spawn := func(name string) *actor.Child[int, actor.None] {
				child, _ := actor.Spawn(ctx, actor.Config{Name: name, Detached: true}, serve[int])
				all = append(all, child)
				return child
			}
			spawn("forgotten")
			spawn("halted").Halt()
			if _, err := spawn("stopped").Stop(context.Background()); err != nil {
				t.Error(err)
			}
			attached := spawn("attached")
			attached.Attach(0)
			attached.Detach()
			attached.Attach(0)
			actor.Spawn(ctx, actor.Config{Name: "outer"}, func(ctx context.Context, in *actor.Inbox[int]) error {
				child, _ := actor.Spawn(ctx, actor.Config{Name: "inner"}, serve[int])
				child.Detach()
				all = append(all, child)
				return nil
			})
		})
		if len(failures) != 1 {
			t.Fatalf("failures: %q", failures)
		}
		contains(t, failures[0], `actor "forgotten" (#`, `actor "inner" (#`, "was not told to stop")
		lacks(t, failures[0], "halted", "stopped", "attached", "outer")
		for _, child := range all {
			if _, err := child.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
}

// A detached actor that was told to stop, and does not, is named with that.
func TestNewDetachedClosed(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		release := make(chan struct{})
		var addr *actor.Address[int]
		failures := try(func(t testing.TB) {
			ctx := actortest.NewBounded(t, time.Second, time.Second/2)
			var child *actor.Child[int, actor.None]
			child, addr = actor.Spawn(ctx, actor.Config{Detached: true}, until(release))
			child.Close()
		})
		if len(failures) != 1 {
			t.Fatalf("failures: %q", failures)
		}
		contains(t, failures[0], "actor #", "still runs and is closed")
		close(release)
		if err := addr.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// What is spawned last is not overlooked, though nobody waits for the events.
func TestNewLastMoment(t *testing.T) {
	for range 3 {
		var child *actor.Child[int, actor.None]
		failures := try(func(t testing.TB) {
			ctx := actortest.NewBounded(t, time.Second, 300*time.Millisecond)
			child, _ = actor.Spawn(ctx, actor.Config{Name: "late", Detached: true}, serve[int])
		})
		if len(failures) != 1 {
			t.Errorf("failures: %q", failures)
		}
		if _, err := child.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// The check outside of a bubble knows by its goroutine that package actor is
// about to tell an observer something.
func TestTelling(t *testing.T) {
	release := make(chan struct{})
	ctx := actor.WithObserver(actortest.New(t), blocked(release))
	for range 100 {
		actor.Spawn(ctx, actor.Config{}, serve[int])
		if !actortest.Telling() {
			t.Fatal("a goroutine that tells an observer is not found")
		}
	}
	close(release)
	for actortest.Telling() {
		runtime.Gosched()
	}
}

type blocked <-chan struct{}

func (b blocked) Observe(actor.Event) { <-b }

// A body that fails is no leak.
func TestNewFailedActors(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		failures := try(func(t testing.TB) {
			ctx := actortest.New(t)
			actor.Spawn(ctx, actor.Config{}, func(context.Context, *actor.Inbox[int]) error { return errors.New("no") })
			actor.Spawn(ctx, actor.Config{}, func(context.Context, *actor.Inbox[int]) error { panic("no") })
		})
		if len(failures) > 0 {
			t.Errorf("failures: %q", failures)
		}
	})
}

// A test that fails at once is cleaned up too.
func TestNewFatal(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		var addr *actor.Address[int]
		failures := try(func(t testing.TB) {
			_, addr = actor.Spawn(actortest.New(t), actor.Config{}, serve[int])
			t.Fatal("too bad")
		})
		if len(failures) != 1 || !addr.Closed() {
			t.Errorf("failures %q, closed %t", failures, addr.Closed())
		}
	})
}

// Observers and values that the user adds work together with the check's.
func TestNewObserver(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		events := actortest.Probe[actor.Event](t)
		ctx := actor.WithObserver(actortest.New(t), observer{events.Address()})
		child, _ := actor.Spawn(ctx, actor.Config{}, serve[int])
		if _, err := child.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		events.Wait(func(got []actor.Event) bool {
			return len(got) > 0 && got[len(got)-1].Kind == actor.EventEnded
		})
	})
}

type observer struct{ to *actor.Address[actor.Event] }

func (o observer) Observe(e actor.Event) { _ = o.to.SendNow(e) }

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		failures := try(func(t testing.TB) {
			actor.Spawn(actortest.New(t), actor.Config{}, serve[int])
		})
		if len(failures) > 0 {
			b.Fatal(failures)
		}
	}
}

func FuzzNew(f *testing.F) {
	f.Add(3)
	f.Fuzz(func(t *testing.T, n int) {
		ctx := actortest.New(t)
		probe := actortest.Probe[int](t)
		if err := probe.Address().Send(ctx, n); err != nil {
			t.Error(err)
		}
		if got := probe.Next(); got != n {
			t.Errorf("got %d, want %d", got, n)
		}
	})
}
