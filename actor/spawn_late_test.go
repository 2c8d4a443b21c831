package actor_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// X4. An actor that is spawned when its owner has ended runs its body, stopped
// from the start in the way in which its owner was.
func TestX4SpawnUnderAnEndedOwner(t *testing.T) {
	captureLogs(t)
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	bare, cancelBare := context.WithCancelCause(context.Background())
	cancelBare(actor.ErrAborted)
	wrapped, cancelWrapped := context.WithCancelCause(context.Background())
	cancelWrapped(fmt.Errorf("some other actor: %w", actor.ErrAborted))
	process := func(abort bool) func(*testing.T) context.Context {
		return func(t *testing.T) context.Context {
			var own context.Context
			child, _ := actor.Spawn(context.Background(), actor.Config{}, func(ctx context.Context, _ *actor.Inbox[int]) error {
				own = ctx
				if abort {
					<-ctx.Done()
				}
				return nil
			})
			synctest.Wait()
			child.Abort()
			<-child.Done()
			return own
		}
	}
	running := func(derive bool) func(t *testing.T) context.Context {
		return func(t *testing.T) context.Context {
			var own context.Context
			release := make(chan struct{})
			child, _ := actor.Spawn(context.Background(), actor.Config{}, func(ctx context.Context, _ *actor.Inbox[int]) error {
				own = ctx
				<-release
				return nil
			})
			synctest.Wait()
			child.Abort()
			t.Cleanup(func() { close(release) })
			if derive {
				var cancel context.CancelFunc
				own, cancel = context.WithCancel(own)
				t.Cleanup(cancel)
			}
			return own
		}
	}
	given := func(ctx context.Context) func(*testing.T) context.Context {
		return func(*testing.T) context.Context { return ctx }
	}
	tests := []struct {
		name    string
		owner   func(t *testing.T) context.Context
		aborted bool
	}{
		{"canceled", given(canceled), false},
		{"foreign, canceled", given(lifeForeign{canceled}), false},
		{"canceled with ErrAborted", given(bare), true},
		{"canceled because another actor was aborted", given(wrapped), false},
		{"process that has ended", process(false), false},
		{"process that ended aborted", process(true), true},
		{"process that is being aborted", running(false), true},
		{"derived from a process that is being aborted", running(true), true},
	}
	for _, tt := range tests {
		for _, drain := range []bool{false, true} {
			t.Run(tt.name+map[bool]string{true: " drain", false: ""}[drain], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					owner := tt.owner(t)
					ran := false
					var first, cause error
					child, addr := actor.Spawn(owner, actor.Config{Drain: drain}, func(ctx context.Context, in *actor.Inbox[int]) error {
						ran = true
						cause = context.Cause(ctx)
						_, first = in.TryRecv()
						return nil
					})
					if err := addr.TrySend(1); !errors.Is(err, actor.ErrClosed) {
						t.Errorf("it takes messages: %v", err)
					}
					_, err := child.Wait(context.Background())
					want := actor.ErrHalted
					switch {
					case tt.aborted:
						want = nil
					case drain:
						want = actor.ErrClosed
					}
					if !ran || first != want || errors.Is(err, actor.ErrAborted) != tt.aborted || (cause != nil) != tt.aborted {
						t.Errorf("ran %v, was told %v, its context's cause %v, exit %v; want %v, aborted %v", ran, first, cause, err, want, tt.aborted)
					}
				})
			})
		}
	}
}

// X4. The owner has been aborted after its body had returned, while it hands
// back or waits for a child: what is then spawned with its context is aborted.
func TestX4SpawnUnderAnOwnerAbortedAfterItsBody(t *testing.T) {
	captureLogs(t)
	for _, where := range []string{"handing back", "waiting for a child"} {
		for _, d := range lifeDerived {
			if d.deaf {
				continue
			}
			t.Run(where+" "+d.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					gate, aborted := make(chan struct{}), make(chan struct{})
					var own context.Context
					var cancel context.CancelFunc
					root, addr := actor.Spawn(context.Background(), actor.Config{Undelivered: func(any) {
						if where == "handing back" {
							<-aborted
						}
					}}, func(ctx context.Context, in *actor.Inbox[int]) error {
						own, cancel = d.derive(ctx)
						if where == "waiting for a child" {
							actor.Spawn(ctx, actor.Config{}, func(context.Context, *actor.Inbox[int]) error {
								<-aborted
								return nil
							})
						}
						<-gate
						return nil
					})
					if err := addr.TrySend(1); err != nil {
						t.Fatal(err)
					}
					close(gate)
					synctest.Wait()
					if !root.Abort() {
						t.Fatal("the root has ended already")
					}
					start := time.Now()
					kid, _ := actor.Spawn(own, actor.Config{AbortTimer: time.Hour}, lifeDeaf)
					<-kid.Done()
					close(aborted)
					<-root.Done()
					if took := time.Since(start); took != 0 {
						t.Errorf("the child was not aborted from the start: it ended after %v", took)
					}
					if cancel != nil {
						cancel()
					}
				})
			})
		}
	}
}

// Case 35. Pool.Spawn on a live actor adds a process; once the last body has
// returned it is ErrClosed and the body does not run, also while the last
// process still hands back or waits for its children.
func TestX4PoolSpawnAfterTheLastBody(t *testing.T) {
	for _, where := range []string{"handing back", "waiting for a child", "ended"} {
		t.Run(where, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gate, release := make(chan struct{}), make(chan struct{})
				pool, addr := actor.SpawnPool(context.Background(), actor.Config{Undelivered: func(any) {
					if where == "handing back" {
						<-release
					}
				}}, 1, func(ctx context.Context, in *actor.Inbox[int]) (int, error) {
					if where == "waiting for a child" {
						actor.Spawn(ctx, actor.Config{AbortTimer: time.Hour}, until[int](release))
					}
					<-gate
					return in.Index(), nil
				})
				second := func(_ context.Context, in *actor.Inbox[int]) (int, error) {
					<-gate
					return in.Index(), nil
				}
				if err := pool.Spawn(second); err != nil || pool.Processes() != 2 {
					t.Errorf("Spawn on a live pool gives %v, %d processes", err, pool.Processes())
				}
				if err := addr.TrySend(1); err != nil {
					t.Fatal(err)
				}
				close(gate)
				synctest.Wait()
				ran := false
				err := pool.Spawn(func(context.Context, *actor.Inbox[int]) (int, error) { ran = true; return 0, nil })
				if !errors.Is(err, actor.ErrClosed) || pool.Processes() != 0 {
					t.Errorf("Spawn gives %v, %d processes", err, pool.Processes())
				}
				close(release)
				exits, err := pool.Wait(context.Background())
				if ran || len(exits) != 2 || err != nil {
					t.Errorf("the body ran: %v; exits %v, %v", ran, exits, err)
				}
			})
		})
	}
}

// A process that joins later hears what its actor was told before.
func TestX4PoolSpawnOnAStoppedActor(t *testing.T) {
	captureLogs(t)
	for name, tt := range map[string]struct {
		stop func(*actor.Pool[int, error])
		told error
		exit error
	}{
		"halted":  {func(p *actor.Pool[int, error]) { p.Halt() }, actor.ErrHalted, nil},
		"closed":  {func(p *actor.Pool[int, error]) { p.Close() }, actor.ErrClosed, nil},
		"aborted": {func(p *actor.Pool[int, error]) { p.Abort() }, nil, actor.ErrAborted},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gate := make(chan struct{})
				pool, _ := actor.SpawnPool(context.Background(), actor.Config{}, 1,
					func(context.Context, *actor.Inbox[int]) (error, error) { <-gate; return nil, nil })
				tt.stop(pool)
				var cause error
				err := pool.Spawn(func(ctx context.Context, in *actor.Inbox[int]) (error, error) {
					cause = context.Cause(ctx)
					_, err := in.TryRecv()
					return err, nil
				})
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				close(gate)
				exits, _ := pool.Wait(context.Background())
				if len(exits) != 2 || exits[0].Index != 1 || exits[0].Value != tt.told || !errors.Is(exits[0].Err, tt.exit) || cause != tt.exit {
					t.Errorf("exits %v, cause %v; want told %v, exit %v", exits, cause, tt.told, tt.exit)
				}
			})
		})
	}
}

// All processes of a new pool are live before the first body runs.
func TestX4PoolIsCompleteBeforeItsFirstBody(t *testing.T) {
	for range 20 {
		seen := make(chan int, 8)
		pool, _ := actor.SpawnPool(context.Background(), actor.Config{}, 8, func(_ context.Context, in *actor.Inbox[int]) (int, error) {
			seen <- in.Address().Processes()
			<-in.Halting()
			return 0, nil
		})
		for range 8 {
			if n := <-seen; n != 8 {
				t.Fatalf("a body saw %d processes", n)
			}
		}
		pool.Stop(context.Background())
	}
}
