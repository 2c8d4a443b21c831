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

// X1. An exiting process that waits for its children hears no questions: those
// that its children ask fail at once, so that they can end.
func TestX1ChildAsksItsExitingParent(t *testing.T) {
	captureLogs(t)
	for _, when := range []string{"before", "after", "taken"} {
		t.Run(when, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got list[error]
				gate := make(chan struct{})
				parent, _ := actor.Spawn(context.Background(), actor.Config{},
					func(ctx context.Context, in *actor.Inbox[lifeAsk]) error {
						addr := in.Address()
						for n := range 3 {
							actor.Spawn(ctx, actor.Config{AbortTimer: time.Hour}, func(ctx context.Context, in *actor.Inbox[int]) error {
								if when == "after" {
									<-in.Halting()
								}
								_, err := actor.Ask(ctx, addr, func(r actor.Reply[int]) lifeAsk { return lifeAsk{r, n} })
								got.add(err)
								return nil
							})
						}
						<-gate
						if when == "taken" {
							in.Recv(ctx)
							in.Recv(ctx)
						}
						return nil
					})
				synctest.Wait()
				start := time.Now()
				close(gate)
				<-parent.Done()
				if took := time.Since(start); took != 0 {
					t.Errorf("the parent ended after %v", took)
				}
				want := actor.ErrNoReply
				if when == "after" {
					want = actor.ErrClosed
				}
				all := got.get()
				if len(all) != 3 || slices.ContainsFunc(all, func(err error) bool { return !errors.Is(err, want) }) {
					t.Errorf("the children were told %v, want %v", all, want)
				}
			})
		})
	}
}

// X1. Whoever sees Done finds the inbox empty, no process, and nothing alive below.
func TestX1WhatDoneMeans(t *testing.T) {
	for _, end := range []string{"halt", "abort", "return"} {
		t.Run(end, func(t *testing.T) {
			for range 50 {
				var left list[any]
				var kids list[actor.Ref]
				ready := make(chan struct{})
				gate := make(chan struct{})
				root, addr := actor.Spawn(context.Background(), actor.Config{Undelivered: left.addAny},
					func(ctx context.Context, in *actor.Inbox[int]) error {
						for range 4 {
							_, kid := actor.Spawn(ctx, actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
								_, grandkid := actor.Spawn(ctx, actor.Config{}, lifeObey)
								kids.add(grandkid)
								return lifeObey(ctx, in)
							})
							kids.add(kid)
						}
						close(ready)
						<-gate
						if end == "return" {
							return nil
						}
						return lifeObey(ctx, in)
					})
				for m := range 8 {
					if err := addr.Send(context.Background(), m); err != nil {
						t.Fatal(err)
					}
				}
				<-ready
				switch end {
				case "halt":
					root.Halt()
				case "abort":
					root.Abort()
				}
				close(gate)
				<-addr.Done()
				if n, u, p := addr.Len(), len(left.get()), addr.Processes(); n != 0 || u != 8 || p != 0 || !addr.Closed() {
					t.Errorf("at Done: %d messages, %d undelivered, %d processes, closed %v", n, u, p, addr.Closed())
				}
				for _, kid := range kids.get() {
					if !lifeOver(kid.Done()) {
						t.Fatalf("%v lives", kid)
					}
				}
			}
		})
	}
}

// X1. The order of an exit: not live any more, closed, leftovers handed back,
// then the children are stopped, then Done.
func TestX1OrderOfAnExit(t *testing.T) {
	for _, d := range lifeDerived {
		t.Run(d.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var kidAddr *actor.Address[int]
				var root *actor.Child[int, actor.None]
				var got list[int]
				var cancel context.CancelFunc
				gate := make(chan struct{})
				root, addr := actor.Spawn(context.Background(), actor.Config{Undelivered: func(m any) {
					synctest.Wait() // whoever would stop the child has done so
					if root.Processes() != 0 || !root.Address().Closed() || lifeOver(root.Done()) {
						t.Errorf("in Undelivered: %d processes, closed %v", root.Processes(), root.Address().Closed())
					}
					if err := kidAddr.TrySend(m.(int)); err != nil {
						t.Errorf("the child was stopped before the hand-back had ended: %v", err)
					}
				}}, func(ctx context.Context, in *actor.Inbox[int]) error {
					var owner context.Context
					owner, cancel = d.derive(ctx)
					_, kidAddr = actor.Spawn(owner, actor.Config{Drain: true}, keep(&got))
					<-gate
					return nil
				})
				for m := range 3 {
					if err := addr.TrySend(m); err != nil {
						t.Fatal(err)
					}
				}
				synctest.Wait()
				close(gate)
				<-root.Done()
				if !slices.Equal(got.get(), []int{0, 1, 2}) || !lifeOver(kidAddr.Done()) {
					t.Errorf("the child got %v, ended %v", got.get(), lifeOver(kidAddr.Done()))
				}
				if cancel != nil {
					cancel()
				}
			})
		})
	}
}

// X1. A process of a pool that has returned is no longer live, although its
// actor and its children are, and waits for its children alone.
func TestX1ReturnedProcessOfAPool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		pool, addr := actor.SpawnPool(context.Background(), actor.Config{}, 2,
			func(ctx context.Context, in *actor.Inbox[int]) (int, error) {
				if in.Index() == 1 {
					return 1, lifeObey(ctx, in)
				}
				actor.Spawn(ctx, actor.Config{AbortTimer: time.Hour}, until[int](gate))
				return 0, nil
			})
		synctest.Wait()
		if n := pool.Processes(); n != 1 {
			t.Errorf("%d processes live, want 1", n)
		}
		for exit := range pool.Exits(lifeShort(t, time.Second)) {
			t.Errorf("an exit was told before the children were gone: %+v", exit)
		}
		pool.HaltSome(1) // must choose the one that lives
		synctest.Wait()
		if pool.Processes() != 0 || !addr.Closed() || lifeOver(pool.Done()) {
			t.Errorf("%d processes live, closed %v, ended %v", pool.Processes(), addr.Closed(), lifeOver(pool.Done()))
		}
		close(gate)
		exits, err := pool.Wait(context.Background())
		if len(exits) != 2 || err != nil || exits[0].Index != 1 {
			t.Errorf("exits %v, %v", exits, err)
		}
	})
}
