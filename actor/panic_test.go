package actor_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// A panic is told and logged when its deferred calls have run, before the
// process waits for its children or its hand-back.
func TestX3PanicIsRecordedAtOnce(t *testing.T) {
	logs := captureLogs(t)
	synctest.Test(t, func(t *testing.T) {
		var seen lifeEvents
		gate, deferred := make(chan struct{}), make(chan struct{})
		child, addr := actor.Spawn(actor.WithObserver(context.Background(), &seen),
			actor.Config{Name: "bang", Undelivered: func(any) { <-gate }},
			func(ctx context.Context, in *actor.Inbox[int]) error {
				actor.Spawn(ctx, actor.Config{AbortTimer: time.Hour}, until[int](gate))
				defer func() { <-deferred }()
				lifePanic("boom")
				return nil
			})
		if err := addr.TrySend(1); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(seen.of(actor.EventPanicked))+len(logs.lines("boom")) != 0 {
			t.Error("the panic was recorded before its deferred calls had run")
		}
		close(deferred)
		synctest.Wait()
		if lifeOver(child.Done()) {
			t.Fatal("the actor did not wait")
		}
		if lines := logs.lines("level=ERROR", "actor=bang", "boom", "lifePanic("); len(lines) != 1 {
			t.Errorf("logged %d times", len(lines))
		}
		events := seen.of(actor.EventPanicked)
		if len(events) != 1 || !strings.Contains(events[0].Stack, "lifePanic(") || events[0].Process != 0 {
			t.Errorf("told %d times: %v", len(events), events)
		}
		close(gate)
		<-child.Done()
		synctest.Wait()
		if len(logs.lines("boom")) != 1 || len(seen.of(actor.EventPanicked)) != 1 {
			t.Error("the panic was recorded again")
		}
	})
}

// Case 49. Only panics are logged, and by one: an observer may say that it does.
func TestX3WhoLogsWhat(t *testing.T) {
	for _, tt := range []struct {
		name  string
		ctx   context.Context
		body  func() error
		lines int
	}{
		{"panic", context.Background(), func() error { panic("boom") }, 1},
		{"panic, observed", actor.WithObserver(context.Background(), &lifeEvents{}), func() error { panic("boom") }, 1},
		{"panic, logged by the observer", actor.WithObserver(actor.WithObserver(context.Background(), lifeLogger(true)), &lifeEvents{}),
			func() error { panic("boom") }, 0},
		{"panic, not logged by the observer", actor.WithObserver(context.Background(), lifeLogger(false)), func() error { panic("boom") }, 1},
		{"error", context.Background(), func() error { return errLife }, 0},
		{"Goexit", context.Background(), func() error { runtime.Goexit(); return nil }, 0},
		{"nil", context.Background(), func() error { return nil }, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			logs := captureLogs(t)
			child, _ := actor.Spawn(tt.ctx, actor.Config{}, func(context.Context, *actor.Inbox[int]) error { return tt.body() })
			<-child.Done()
			if lines := logs.lines(""); len(lines) != tt.lines {
				t.Errorf("logged: %v", lines)
			}
		})
	}
}

// lifeLogger is an observer that says whether it logs panics.
type lifeLogger bool

func (lifeLogger) Observe(actor.Event) {}

func (l lifeLogger) LogsPanics() bool { return bool(l) }

// A panic during an abort is joined with it. In deferred calls, an inbox
// operation unwinds again: the rest of the deferred call is skipped, the others run.
func TestX3PanicsAndDeferredCallsInAnAbort(t *testing.T) {
	logs := captureLogs(t)
	tests := []struct {
		name  string
		body  func(ctx context.Context, in *actor.Inbox[int], ran func())
		panic bool // the exit has a PanicError
		ran   int
	}{
		{"panic in a deferred call of the unwinding", func(ctx context.Context, in *actor.Inbox[int], ran func()) {
			defer ran()
			defer lifePanic("unwinding")
			in.Recv(ctx)
		}, true, 1},
		{"recovered there", func(ctx context.Context, in *actor.Inbox[int], ran func()) {
			defer ran()
			defer func() { _ = recover() }()
			defer lifePanic("unwinding")
			in.Recv(ctx)
		}, false, 1},
		{"panic after the abort", func(ctx context.Context, in *actor.Inbox[int], ran func()) {
			defer ran()
			<-ctx.Done()
			lifePanic("aborted")
		}, true, 1},
		{"inbox in a deferred call of the unwinding", func(ctx context.Context, in *actor.Inbox[int], ran func()) {
			defer ran()
			defer func() {
				in.TryRecv()
				ran() // not this one
			}()
			in.Recv(ctx)
		}, false, 1},
		{"inbox in a deferred call of a return", func(ctx context.Context, in *actor.Inbox[int], ran func()) {
			defer ran()
			defer func() {
				in.Recv(ctx)
				ran() // not this one
			}()
			<-ctx.Done()
		}, false, 1},
		{"inbox in a deferred call of a panic", func(ctx context.Context, in *actor.Inbox[int], ran func()) {
			defer ran()
			defer func() { in.TryRecv() }()
			<-ctx.Done()
			lifePanic("hidden")
		}, false, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ran := 0
				child, _ := actor.Spawn(context.Background(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
					tt.body(ctx, in, func() { ran++ })
					return nil
				})
				synctest.Wait()
				before := len(logs.lines("level=ERROR"))
				child.Abort()
				_, err := child.Wait(context.Background())
				var p *actor.PanicError
				if !errors.Is(err, actor.ErrAborted) || errors.As(err, &p) != tt.panic || ran != tt.ran {
					t.Errorf("exit is %v, deferred calls ran %d times, want %d", err, ran, tt.ran)
				}
				if logged := len(logs.lines("level=ERROR")) > before; logged != tt.panic {
					t.Errorf("logged: %v", logged)
				}
			})
		})
	}
}

// A log handler that ends its goroutine, or hangs, does not keep a panicked
// actor from ending.
func TestX3LogHandlerThatFails(t *testing.T) {
	for _, hang := range []bool{false, true} {
		t.Run(map[bool]string{true: "hangs", false: "exits"}[hang], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				quit := make(chan struct{})
				lifeLogTo(t, func(string) {
					if hang {
						<-quit
					}
					runtime.Goexit()
				})
				child, _ := actor.Spawn(context.Background(), actor.Config{}, func(context.Context, *actor.Inbox[int]) error { panic("boom") })
				_, err := child.Wait(lifeShort(t, time.Minute))
				if p := new(actor.PanicError); !errors.As(err, &p) {
					t.Errorf("exit is %v", err)
				}
				close(quit)
			})
		})
	}
}

// X3. An owner's context that panics, when the actor lets go of it or when it
// ends, ends nothing and holds nobody up.
func TestX3OwnersContextThatPanics(t *testing.T) {
	for _, ends := range []bool{false, true} {
		t.Run(map[bool]string{true: "owner ends", false: "actor ends"}[ends], func(t *testing.T) {
			logs := captureLogs(t)
			synctest.Test(t, func(t *testing.T) {
				var told list[error]
				watcher, addr := actor.Spawn(context.Background(), actor.Config{}, keep(&told))
				owner, cancel := context.WithCancel(context.Background())
				defer cancel()
				broken := new(atomic.Bool)
				child, _ := actor.Spawn(lifeBroken{owner, broken}, actor.Config{Name: "child"}, lifeObey)
				addr.Watch(child, func(err error) error { return err })
				broken.Store(true)
				if ends {
					cancel()
				} else {
					child.Halt()
				}
				if _, err := child.Wait(lifeShort(t, time.Hour)); err != nil {
					t.Errorf("Wait gives %v", err)
				}
				synctest.Wait()
				if got := told.get(); len(got) != 1 || got[0] != nil {
					t.Errorf("the watcher was told %v", got)
				}
				if len(logs.lines("level=ERROR", "actor=child", "broken context")) == 0 {
					t.Errorf("the panic was not recorded: %v", logs.lines(""))
				}
				watcher.Stop(context.Background())
			})
		})
	}
}
