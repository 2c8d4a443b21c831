package actor_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// The ways in which an owner lets an attached actor go.
var lifeReleases = []struct {
	name string
	let  func(child *actor.Child[int, actor.None], cancel context.CancelFunc)
}{
	{"owner ends", func(_ *actor.Child[int, actor.None], cancel context.CancelFunc) { cancel() }},
	{"Drop", func(child *actor.Child[int, actor.None], _ context.CancelFunc) { child.Drop() }},
	{"Drop, then owner ends", func(child *actor.Child[int, actor.None], cancel context.CancelFunc) { child.Drop(); cancel() }},
	{"Pool.Drop", func(child *actor.Child[int, actor.None], _ context.CancelFunc) { child.Pool().Drop() }},
}

// Case 29. When its owner lets it go, an attached actor is halted, and aborted
// after its abort timer.
func TestO1OwnerEndHaltsThenAborts(t *testing.T) {
	captureLogs(t)
	tests := []struct {
		timer, after time.Duration
		halted       bool
	}{
		{0, actor.DefaultAbortTimer, true},
		{time.Minute, time.Minute, true},
		{-1, 0, false},
	}
	for _, r := range lifeReleases {
		for _, tt := range tests {
			t.Run(r.name+" "+tt.timer.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					owner, cancel := context.WithCancel(context.Background())
					defer cancel()
					var first error
					obstinate, _ := actor.Spawn(owner, actor.Config{AbortTimer: tt.timer},
						func(ctx context.Context, in *actor.Inbox[int]) error {
							_, first = in.Recv(context.Background())
							<-ctx.Done()
							return ctx.Err()
						})
					obedient, _ := actor.Spawn(owner, actor.Config{AbortTimer: tt.timer}, lifeObey)
					synctest.Wait()
					start := time.Now()
					r.let(obstinate, cancel)
					r.let(obedient, cancel)
					synctest.Wait()
					if !lifeOver(obedient.Done()) {
						t.Error("an obedient actor was not stopped at once")
					}
					<-obstinate.Done()
					if d := time.Since(start); d != tt.after {
						t.Errorf("the abort came after %v, want %v", d, tt.after)
					}
					if tt.halted && first != actor.ErrHalted || !tt.halted && first != nil {
						t.Errorf("the process was told %v", first)
					}
					if _, err := obstinate.Wait(context.Background()); !errors.Is(err, actor.ErrAborted) {
						t.Errorf("the obstinate one ended with %v", err)
					}
					if _, err := obedient.Wait(context.Background()); (err == nil) != tt.halted {
						t.Errorf("the obedient one ended with %v", err)
					}
				})
			})
		}
	}
}

// An owner that ends because some other actor was aborted, as an errgroup's
// context does, has ended like any other.
func TestO1OwnerThatEndsWithAnotherActorsError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		owner, cancel := context.WithCancelCause(context.Background())
		child, _ := actor.Spawn(owner, actor.Config{}, lifeObey)
		other, _ := actor.Spawn(context.Background(), actor.Config{}, lifeObey)
		synctest.Wait()
		other.Abort()
		_, err := other.Wait(context.Background())
		cancel(err)
		if _, err := child.Wait(context.Background()); err != nil {
			t.Errorf("exit is %v", err)
		}
	})
}

// With Config.Drain the owner's end closes: queued work is finished, but for no
// longer than the abort timer.
func TestO1DrainFinishesQueuedWork(t *testing.T) {
	captureLogs(t)
	for _, r := range lifeReleases {
		t.Run(r.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				owner, cancel := context.WithCancel(context.Background())
				defer cancel()
				var got list[int]
				var left list[any]
				child, addr := actor.Spawn(owner, actor.Config{Drain: true, AbortTimer: 8 * time.Second, Undelivered: left.addAny},
					func(ctx context.Context, in *actor.Inbox[int]) error {
						for m := range in.Messages(ctx) {
							time.Sleep(time.Duration(m) * time.Second)
							got.add(m)
						}
						return in.Err()
					})
				for m := range 6 {
					if err := addr.TrySend(m); err != nil {
						t.Fatal(err)
					}
				}
				r.let(child, cancel)
				synctest.Wait()
				if err := addr.TrySend(9); !errors.Is(err, actor.ErrClosed) {
					t.Errorf("a send after the owner's end gives %v", err)
				}
				_, err := child.Wait(context.Background())
				// The first four take 6 s, the timer ends at 8 s, in the middle of the next.
				if want := []int{0, 1, 2, 3, 4}; !slices.Equal(got.get(), want) || len(left.get()) != 1 || !errors.Is(err, actor.ErrAborted) {
					t.Errorf("received %v, undelivered %v, exit %v; want %v, one, ErrAborted", got.get(), left.get(), err, want)
				}
			})
		})
	}
}

// Case 30. A detached actor does not notice its owner's end or Drop.
func TestO1Detached(t *testing.T) {
	tests := []struct {
		name   string
		detach func(child *actor.Child[int, actor.None], cancel context.CancelFunc)
		cfg    actor.Config
	}{
		{"Config.Detached", func(child *actor.Child[int, actor.None], cancel context.CancelFunc) { child.Drop(); cancel() },
			actor.Config{Detached: true}},
		{"Detach", func(child *actor.Child[int, actor.None], cancel context.CancelFunc) {
			child.Detach()
			child.Drop()
			cancel()
		},
			actor.Config{}},
		{"Attach, then Detach", func(child *actor.Child[int, actor.None], cancel context.CancelFunc) {
			child.Attach(time.Second)
			child.Pool().Detach()
			child.Drop()
			cancel()
		}, actor.Config{Detached: true}},
		{"negative timer", func(child *actor.Child[int, actor.None], cancel context.CancelFunc) {
			child.Detach()
			child.Drop()
			cancel()
		},
			actor.Config{AbortTimer: -1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				owner, cancel := context.WithCancel(context.Background())
				var got list[int]
				child, addr := actor.Spawn(owner, tt.cfg, keep(&got))
				tt.detach(child, cancel)
				time.Sleep(time.Hour)
				if err := addr.Send(context.Background(), 1); err != nil {
					t.Errorf("a detached actor: %v", err)
				}
				synctest.Wait()
				if _, err := child.Stop(lifeShort(t, time.Second)); err != nil || !slices.Equal(got.get(), []int{1}) {
					t.Errorf("it ended with %v and had received %v", err, got.get())
				}
			})
		})
	}
}

// Detach after the owner's end leaves the halt, and stops the abort timer.
// Attach after the owner's end stops the actor, with the new timer.
func TestO1DetachAndAttachAfterTheOwnersEnd(t *testing.T) {
	captureLogs(t)
	synctest.Test(t, func(t *testing.T) {
		owner, cancel := context.WithCancel(context.Background())
		child, addr := actor.Spawn(owner, actor.Config{AbortTimer: time.Second}, lifeDeaf)
		cancel()
		synctest.Wait()
		if !addr.Closed() {
			t.Error("the owner's end has not halted the actor")
		}
		child.Detach()
		time.Sleep(time.Hour)
		if lifeOver(child.Done()) {
			t.Fatal("a detached actor was aborted")
		}
		start := time.Now()
		child.Attach(time.Minute)
		<-child.Done()
		if d := time.Since(start); d != time.Minute {
			t.Errorf("the abort came %v after Attach", d)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		owner, cancel := context.WithCancel(context.Background())
		child, addr := actor.Spawn(owner, actor.Config{Detached: true}, lifeObey)
		cancel()
		synctest.Wait()
		child.Attach(0)
		if !addr.Closed() {
			t.Error("Attach after the owner's end has not stopped the actor when it returns")
		}
		if _, err := child.Wait(context.Background()); err != nil {
			t.Errorf("exit is %v", err)
		}
	})
}

// Attach gives an attached actor a new abort timer; the latest counts.
func TestO1AttachChangesTheTimer(t *testing.T) {
	captureLogs(t)
	for _, timer := range []time.Duration{-1, time.Second, time.Hour} {
		for _, first := range []bool{true, false} {
			t.Run(timer.String()+map[bool]string{true: " before", false: " after"}[first]+" the owner's end", func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					owner, cancel := context.WithCancel(context.Background())
					child, _ := actor.Spawn(owner, actor.Config{AbortTimer: time.Minute}, lifeDeaf)
					start := time.Now()
					if first {
						child.Attach(timer)
						cancel()
					} else {
						cancel()
						synctest.Wait()
						child.Attach(timer)
					}
					<-child.Done()
					if d := time.Since(start); d != max(timer, 0) {
						t.Errorf("the abort came after %v", d)
					}
				})
			})
		}
	}
}

// Collecting the Child stops nothing: who has the address can go on.
func TestO1CollectingTheChildStopsNothing(t *testing.T) {
	done := make(chan struct{})
	child, addr := actor.Spawn(context.Background(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
		defer close(done)
		return lifeObey(ctx, in)
	})
	collected := make(chan struct{})
	runtime.AddCleanup(child, func(c chan struct{}) { close(c) }, collected)
	for !lifeOver(collected) {
		runtime.GC()
		runtime.Gosched()
	}
	for range 3 {
		runtime.GC()
	}
	if err := addr.Send(context.Background(), 1); err != nil || lifeOver(done) {
		t.Errorf("without its Child the actor ended; Send gives %v", err)
	}
	addr.Halt()
	<-done
}
