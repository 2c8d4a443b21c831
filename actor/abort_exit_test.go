package actor_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"tinyactor/actor"
)

// What a body makes of its abort: its value stands if it returns one without an
// error, otherwise the abort shows.
func TestA2ExitOfAnAbortedProcess(t *testing.T) {
	captureLogs(t)
	own := errors.New("own")
	tests := []struct {
		name    string
		body    func(ctx context.Context, in *actor.Inbox[int]) (int, error)
		value   int
		aborted bool
		is      error
	}{
		{"value", func(context.Context, *actor.Inbox[int]) (int, error) { return 7, nil }, 7, false, nil},
		{"error", func(context.Context, *actor.Inbox[int]) (int, error) { return 7, own }, 7, true, own},
		{"panic", func(context.Context, *actor.Inbox[int]) (int, error) { panic(own) }, 0, true, own},
		{"context's error", func(ctx context.Context, _ *actor.Inbox[int]) (int, error) { return 7, ctx.Err() }, 7, true, context.Canceled},
		{"context's cause", func(ctx context.Context, _ *actor.Inbox[int]) (int, error) { return 7, context.Cause(ctx) }, 7, true, nil},
		{"halted", func(context.Context, *actor.Inbox[int]) (int, error) { return 7, actor.ErrHalted }, 7, false, nil},
		{"unwound", func(ctx context.Context, in *actor.Inbox[int]) (int, error) {
			_, err := in.Recv(ctx)
			return 7, err
		}, 0, true, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				child, _ := actor.SpawnValue(context.Background(), actor.Config{Name: "torn"},
					func(ctx context.Context, in *actor.Inbox[int]) (int, error) {
						<-ctx.Done()
						return tt.body(ctx, in)
					})
				child.Abort()
				value, err := child.Wait(context.Background())
				if value != tt.value || errors.Is(err, actor.ErrAborted) != tt.aborted || (err != nil) != tt.aborted {
					t.Errorf("Wait gives %d, %v; want %d, aborted %v", value, err, tt.value, tt.aborted)
				}
				if tt.is != nil && !errors.Is(err, tt.is) {
					t.Errorf("%v does not match %v", err, tt.is)
				}
			})
		})
	}
}

// lifeTouchyError is an error that calls back into the actor when it is compared.
type lifeTouchyError struct{ touch func() }

func (lifeTouchyError) Error() string { return "touchy" }

func (e lifeTouchyError) Is(err error) bool { e.touch(); return false }

// An error's own Is is the user's code: it may use the actor, and it may panic.
func TestA2ErrorsAreComparedWithoutALock(t *testing.T) {
	captureLogs(t)
	for name, touch := range map[string]func(actor.Ref){
		"uses the actor": func(r actor.Ref) { r.Halt(); r.Done(); r.Len() },
		"panics":         func(actor.Ref) { panic("touched") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ref := make(chan actor.Ref, 1)
				child, addr := actor.Spawn(context.Background(), actor.Config{},
					func(ctx context.Context, in *actor.Inbox[int]) error {
						<-ctx.Done()
						r := <-ref
						return lifeTouchyError{func() { touch(r) }}
					})
				ref <- addr
				child.Abort()
				_, err := child.Wait(context.Background())
				if e := (lifeTouchyError{}); !errors.As(err, &e) {
					t.Errorf("exit is %v", err)
				}
			})
		})
	}
}

// Case 34. One abort is the first; what comes after it, or after the end, is not.
func TestA3AbortSaysWhetherItWasTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		child, _ := actor.Spawn(context.Background(), actor.Config{}, until[int](gate))
		pool := child.Pool()
		var firsts atomic.Int32
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() {
				if i%2 == 0 && child.Abort() || i%2 == 1 && pool.Abort() {
					firsts.Add(1)
				}
			})
		}
		all.Wait()
		if n := firsts.Load(); n != 1 {
			t.Errorf("%d aborts were the first", n)
		}
		close(gate)
		<-child.Done()
		if child.Abort() || pool.Abort() {
			t.Error("an abort after the end is true")
		}
	})
}

func TestA3AbortAtTheEndAndBelow(t *testing.T) {
	captureLogs(t)
	synctest.Test(t, func(t *testing.T) {
		ended, _ := actor.Spawn(context.Background(), actor.Config{},
			func(context.Context, *actor.Inbox[int]) error { return nil })
		<-ended.Done()
		if ended.Abort() {
			t.Error("the abort of an ended actor is true")
		}

		// A body that has returned and waits for its child: Done is open.
		var kid *actor.Child[int, actor.None]
		waiting, _ := actor.Spawn(context.Background(), actor.Config{},
			func(ctx context.Context, _ *actor.Inbox[int]) error {
				kid, _ = actor.Spawn(ctx, actor.Config{}, lifeDeaf)
				return nil
			})
		synctest.Wait()
		if lifeOver(waiting.Done()) {
			t.Fatal("the parent did not wait for its child")
		}
		if !waiting.Abort() {
			t.Error("the abort of an actor that waits for its children is false")
		}
		if kid.Abort() {
			t.Error("the abort of what the parent's abort has reached is true")
		}
		if _, err := waiting.Wait(context.Background()); err != nil {
			t.Errorf("an abort has changed the result of a body that had returned: %v", err)
		}
	})
}
