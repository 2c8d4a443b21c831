package actor_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// lifeObey is a body that drops its messages until it is told to stop.
func lifeObey(ctx context.Context, in *actor.Inbox[int]) error {
	for range in.Messages(ctx) {
	}
	return in.Err()
}

// lifeDeaf is a body that hears of nothing but an abort.
func lifeDeaf(ctx context.Context, _ *actor.Inbox[int]) error {
	<-ctx.Done()
	return nil
}

// lifeOver reports whether a channel is closed.
func lifeOver(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// lifeEvents is an observer that keeps what it is told.
type lifeEvents struct{ list[actor.Event] }

func (l *lifeEvents) Observe(e actor.Event) { l.add(e) }

// of returns the events of one kind.
func (l *lifeEvents) of(kind actor.EventKind) []actor.Event {
	return slices.DeleteFunc(l.get(), func(e actor.Event) bool { return e.Kind != kind })
}

// lifeReceives are all ways to receive; each returns the number of messages it got.
var lifeReceives = []struct {
	name string
	op   func(ctx context.Context, in *actor.Inbox[int]) int
	wait bool // it waits if there is nothing
}{
	{"Recv", func(ctx context.Context, in *actor.Inbox[int]) int {
		if _, err := in.Recv(ctx); err != nil {
			return 0
		}
		return 1
	}, true},
	{"Recv with another context", func(_ context.Context, in *actor.Inbox[int]) int {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		if _, err := in.Recv(ctx); err != nil {
			return 0
		}
		return 1
	}, true},
	{"TryRecv", func(_ context.Context, in *actor.Inbox[int]) int {
		if _, err := in.TryRecv(); err != nil {
			return 0
		}
		return 1
	}, false},
	{"RecvBatch", func(ctx context.Context, in *actor.Inbox[int]) int {
		n, _ := in.RecvBatch(ctx, make([]int, 4), time.Hour)
		return n
	}, true},
	{"Messages", func(ctx context.Context, in *actor.Inbox[int]) int {
		for range in.Messages(ctx) {
			return 1
		}
		return 0
	}, true},
	{"Serve", func(ctx context.Context, in *actor.Inbox[int]) int {
		n := 0
		_ = in.Serve(ctx, func(context.Context, int) error { n++; return actor.ErrHalted })
		return n
	}, true},
}

// Case 25. A process that waits in its inbox is gone as soon as it is aborted,
// one that works at its next receive; only deferred calls run after that.
func TestA1AbortUnwinds(t *testing.T) {
	for _, r := range lifeReceives {
		for _, working := range []bool{false, true} {
			if !working && !r.wait {
				continue
			}
			t.Run(r.name+map[bool]string{true: " next", false: " waiting"}[working], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var before, got, after, deferred int
					gate := make(chan struct{})
					var left list[any]
					child, addr := actor.SpawnValue(context.Background(), actor.Config{Undelivered: left.addAny},
						func(ctx context.Context, in *actor.Inbox[int]) (int, error) {
							defer func() { deferred++ }()
							before++
							if working {
								<-gate
							}
							got = r.op(ctx, in)
							after++
							return 7, nil
						})
					synctest.Wait()
					start := time.Now()
					if working {
						if err := addr.TrySend(1); err != nil {
							t.Fatal(err)
						}
					}
					if !child.Abort() {
						t.Error("Abort is false")
					}
					if working {
						synctest.Wait()
						if lifeOver(child.Done()) || child.Processes() != 1 {
							t.Error("the process ended before its body was at its inbox")
						}
						close(gate)
					}
					value, err := child.Wait(context.Background())
					if value != 0 || !errors.Is(err, actor.ErrAborted) {
						t.Errorf("Wait gives %d, %v; want 0 and ErrAborted", value, err)
					}
					if before != 1 || got != 0 || after != 0 || deferred != 1 {
						t.Errorf("the body began %d times, received %d, went on %d times, deferred calls ran %d times; want 1, 0, 0, 1",
							before, got, after, deferred)
					}
					if d := time.Since(start); d != 0 {
						t.Errorf("the end came after %v", d)
					}
					if n := len(left.get()); working && n != 1 {
						t.Errorf("%d messages undelivered, want the one that was queued", n)
					}
				})
			})
		}
	}
}

func TestA1AbortClosesAndEndsTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		var during, cause error
		child, addr := actor.Spawn(context.Background(), actor.Config{},
			func(ctx context.Context, in *actor.Inbox[int]) error {
				during = ctx.Err()
				<-ctx.Done()
				cause = context.Cause(ctx)
				<-gate
				return nil
			})
		synctest.Wait()
		child.Abort()
		if err := addr.TrySend(1); !errors.Is(err, actor.ErrClosed) || !addr.Closed() {
			t.Errorf("TrySend after Abort gives %v, Closed %v", err, addr.Closed())
		}
		synctest.Wait()
		if during != nil || cause != actor.ErrAborted {
			t.Errorf("the context's error before is %v, its cause after %v", during, cause)
		}
		close(gate)
		<-child.Done()
	})
}

// A process hears of an abort perhaps while that is still on its way to those
// below, and may have ended before it is back. The cause of its context's end
// is the same.
func TestA1CauseOfAProcessThatEndsAtOnce(t *testing.T) {
	for name, wait := range map[string]func(context.Context, *actor.Inbox[int]) error{
		"unwinds": lifeObey,
		"returns": func(_ context.Context, in *actor.Inbox[int]) error { <-in.Halting(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			for range 3 {
				own := make(chan context.Context, 1)
				child, _ := actor.Spawn(context.Background(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
					in.Address() // it must not end because nobody can reach it
					for range 200 {
						actor.Spawn(ctx, actor.Config{}, lifeObey)
					}
					own <- ctx
					return wait(ctx, in)
				})
				ctx := <-own
				ended := make(chan error, 1)
				context.AfterFunc(ctx, func() { ended <- context.Cause(ctx) })
				child.Abort()
				if cause := <-ended; cause != actor.ErrAborted {
					t.Fatalf("the cause is %v", cause)
				}
				<-child.Done()
			}
		})
	}
}

// A process that waits for Ready or Halting, and for nothing else, hears of an abort.
func TestA1AbortFiresReadyAndHalting(t *testing.T) {
	channels := map[string]func(*actor.Inbox[int]) <-chan struct{}{
		"Ready":   (*actor.Inbox[int]).Ready,
		"Halting": (*actor.Inbox[int]).Halting,
	}
	for name, channel := range channels {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				child, _ := actor.Spawn(context.Background(), actor.Config{},
					func(ctx context.Context, in *actor.Inbox[int]) error {
						<-channel(in)
						_, err := in.TryRecv()
						return err
					})
				synctest.Wait()
				child.Abort()
				synctest.Wait()
				if !lifeOver(child.Done()) {
					t.Fatal("the process still waits")
				}
				if _, err := child.Wait(context.Background()); !errors.Is(err, actor.ErrAborted) {
					t.Errorf("exit is %v", err)
				}
			})
		})
	}
}

// All that is attached below an aborted actor is aborted with it, whatever the
// abort timers say; what is detached lives on.
func TestA1AbortGoesDownTheTree(t *testing.T) {
	captureLogs(t)
	synctest.Test(t, func(t *testing.T) {
		hour := actor.Config{AbortTimer: time.Hour}
		var detached *actor.Child[int, actor.None]
		var below list[*actor.Child[int, actor.None]]
		var causes list[error]
		var grow func(depth int) func(context.Context, *actor.Inbox[int]) error
		grow = func(depth int) func(context.Context, *actor.Inbox[int]) error {
			return func(ctx context.Context, in *actor.Inbox[int]) error {
				if depth > 0 {
					for range 2 {
						kid, _ := actor.Spawn(ctx, hour, grow(depth-1))
						below.add(kid)
					}
				}
				<-ctx.Done()
				causes.add(context.Cause(ctx))
				_, err := in.Recv(ctx)
				return err
			}
		}
		root, _ := actor.Spawn(context.Background(), hour, func(ctx context.Context, in *actor.Inbox[int]) error {
			detached, _ = actor.Spawn(ctx, actor.Config{Detached: true}, lifeObey)
			return grow(3)(ctx, in)
		})
		synctest.Wait()
		start := time.Now()
		root.Abort()
		<-root.Done()
		if d := time.Since(start); d != 0 {
			t.Errorf("the tree was gone after %v", d)
		}
		kids := below.get()
		if len(kids) != 2+4+8 {
			t.Fatalf("%d descendants", len(kids))
		}
		for _, kid := range kids {
			if _, err := kid.Wait(context.Background()); !errors.Is(err, actor.ErrAborted) {
				t.Errorf("%v ended with %v", kid, err)
			}
		}
		for _, cause := range causes.get() {
			if cause != actor.ErrAborted {
				t.Errorf("a context ended with cause %v", cause)
			}
		}
		if lifeOver(detached.Done()) || detached.Address().Closed() {
			t.Error("the abort has reached a detached actor")
		}
		if _, err := detached.Stop(context.Background()); err != nil {
			t.Errorf("the detached actor ended with %v", err)
		}
	})
}
