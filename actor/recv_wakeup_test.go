package actor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// Each message is sent while the process goes to sleep, and others contend for
// the inbox, so that whoever lets go of it between looking and sleeping loses
// it: a message that is not seen is a deadlock, which ends the bubble.
func TestR4NoMessageIsSleptThrough(t *testing.T) {
	const rounds = 150
	for _, way := range rxWays {
		t.Run(way.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := make(chan string)
				child, addr := actor.Spawn(t.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
					for {
						text := way.recv(ctx, in)
						if text == "closed" {
							return nil
						}
						got <- text
					}
				})
				var over atomic.Bool
				for range 4 {
					go func() {
						for i := 0; i < 200_000 && !over.Load(); i++ {
							addr.Len()
						}
					}()
				}
				for i := range rounds {
					rxSend(t, addr, i)
					if text := <-got; text != fmt.Sprint(i) {
						t.Fatalf("received %s, want %d", text, i)
					}
				}
				over.Store(true)
				if _, err := child.Drain(context.Background()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// Case 21: processes of one pool that wait in different ways, and senders that
// wait for room: all messages come through, once.
func TestR4AllWaysTogether(t *testing.T) {
	const senders, each = 4, 500
	synctest.Test(t, func(t *testing.T) {
		var seen [senders * each]atomic.Int32
		ways := append(slices.Clone(rxWays), rxWay{"batch", rxBatch(3, time.Millisecond)})
		pool, addr := actor.SpawnPool(t.Context(), actor.Config{Capacity: actor.Bounded(2)}, len(ways),
			actor.NoValue(func(ctx context.Context, in *actor.Inbox[int]) error {
				for {
					text := ways[in.Index()].recv(ctx, in)
					if text == "closed" {
						return nil
					}
					for field := range strings.FieldsSeq(strings.Trim(text, "[]")) {
						var i int
						if _, err := fmt.Sscan(field, &i); err != nil {
							return err
						}
						seen[i].Add(1)
					}
				}
			}))
		var wg sync.WaitGroup
		for s := range senders {
			wg.Go(func() {
				for i := range each {
					if err := addr.Send(t.Context(), s*each+i); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		synctest.Wait() // all processes wait: the close must wake each of them
		if _, err := pool.Drain(context.Background()); err != nil {
			t.Error(err)
		}
		for i := range seen {
			if n := seen[i].Load(); n != 1 {
				t.Fatalf("message %d was received %d times", i, n)
			}
		}
	})
}

// Cases 3 and 4: whoever waits for anything wakes at a close or at the end,
// also who goes to sleep at that moment.
func TestR4EndsWakeAll(t *testing.T) {
	type child = *actor.Child[int, actor.None]
	for _, c := range []struct {
		name string
		body func(context.Context, *actor.Inbox[int]) error
		end  func(child)
		halt bool
	}{
		{"close", func(_ context.Context, in *actor.Inbox[int]) error { <-in.Ready(); return nil }, func(c child) { c.Close() }, false},
		{"halt", func(_ context.Context, in *actor.Inbox[int]) error { <-in.Halting(); return nil }, child.Halt, true},
		{"abort", func(_ context.Context, in *actor.Inbox[int]) error { <-in.Halting(); return nil }, func(c child) { c.Abort() }, true},
		{"exit", func(_ context.Context, in *actor.Inbox[int]) error { <-in.Ready(); return nil }, func(c child) { c.Halt() }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 100 {
				synctest.Test(t, func(t *testing.T) {
					child, addr := actor.Spawn(context.Background(),
						actor.Config{Capacity: actor.Bounded(1), Undelivered: func(any) {}}, c.body)
					var wg sync.WaitGroup
					if c.halt { // the body does not look at its inbox, so it may be full
						rxSend(t, addr, 1)
						wg.Go(func() {
							if err := addr.Send(context.Background(), 2); !errors.Is(err, actor.ErrClosed) {
								t.Errorf("the waiting Send: %v, want ErrClosed", err)
							}
						})
					}
					wg.Go(func() { <-addr.Done() })
					wg.Go(func() { _ = addr.Wait(context.Background()) })
					wg.Go(func() { _, _ = child.Wait(context.Background()) })
					wg.Go(func() {
						for range child.Pool().Exits(context.Background()) {
						}
					})
					c.end(child)
					wg.Wait()
				})
			}
		})
	}
}
