package actor_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// Case 7: one message for ten processes that wait, in whatever way, is received
// by one of them, and the one that has waited longest in a receive.
func TestR5OneMessageForManyThatWait(t *testing.T) {
	for _, way := range rxWays {
		t.Run(way.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, addr, p := rxPool(t, actor.Config{}, 10)
				waits := make([]*rxOutcome, len(p))
				for i := range p {
					waits[i] = p[i].does(way.recv)
				}
				for m := range p {
					rxSend(t, addr, m)
					synctest.Wait()
					got := 0
					for i, w := range waits {
						switch w.text() {
						case "waits":
						case fmt.Sprint(m):
							got++
							if way.name != "Ready" && i != m {
								t.Errorf("message %d went to process %d, which has not waited longest", m, i)
							}
						}
					}
					if got != 1 || addr.Len() != 0 {
						t.Errorf("message %d was received by %d processes, and %d are left", m, got, addr.Len())
					}
				}
			})
		})
	}
}

// No message waits for a busy process while another one is free: neither those
// behind the message in its hand, nor those behind a full batch.
func TestR5BusyProcessesSitOnNothing(t *testing.T) {
	for _, busy := range []rxWay{
		{"Recv", rxRecv},
		{"Messages", rxStepOfMessages},
		{"RecvBatch", rxBatch(1, time.Hour)},
		{"Ready", rxSelect},
	} {
		t.Run(busy.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pool, addr, p := rxPool(t, actor.Config{}, 2)
				rxSend(t, addr, 1, 2, 3, 4, 5)
				release := make(chan struct{})
				p[0].does(func(ctx context.Context, in *actor.Inbox[int]) string {
					text := busy.recv(ctx, in)
					<-release
					return text
				})
				rxWant(t, "the free process", p[1].does(rxBatch(2, 0)), "[2 3]")
				late := rxJoin(t, pool)
				rxWant(t, "a process that joins later", late.does(rxRecv), "4")
				rxWant(t, "a process that joins later", late.does(rxSelect), "5")
				w := late.does(rxRecv)
				rxSend(t, addr, 6)
				rxWant(t, "a process that joins later", w, "6")
				close(release)
			})
		})
	}
}

// Messages that are sent while one process gathers a batch and others wait go
// to who has waited longest, and none is left.
func TestR5GatheringProcessSharesWithOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, addr, p := rxPool(t, actor.Config{}, 2)
		batch := p[0].does(rxBatch(3, time.Minute))
		rxSend(t, addr, 1)
		synctest.Wait()
		recv := p[1].does(rxRecv)
		rxSend(t, addr, 2, 3)
		rxWant(t, "the other process", recv, "3")
		time.Sleep(time.Hour)
		rxWant(t, "the batch", batch, "[1 2]")
	})
}

// What is accepted while everybody waits never lies in the inbox: at each
// moment of rest it is empty or nobody waits.
func TestR5WorkConserving(t *testing.T) {
	const processes, messages = 4, 400
	synctest.Test(t, func(t *testing.T) {
		var waiting, got atomic.Int32
		pool, addr := actor.SpawnPool(t.Context(), actor.Config{}, processes,
			actor.NoValue(func(ctx context.Context, in *actor.Inbox[int]) error {
				for {
					waiting.Add(1)
					text := rxWays[in.Index()].recv(ctx, in)
					waiting.Add(-1)
					if text == "closed" {
						return nil
					}
					got.Add(1)
					time.Sleep(time.Duration(len(text)+in.Index()) * time.Millisecond)
				}
			}))
		for i := range messages {
			rxSend(t, addr, i)
			time.Sleep(time.Duration(i%5) * 500 * time.Microsecond)
			synctest.Wait()
			if w, n := waiting.Load(), addr.Len(); w > 0 && n > 0 {
				t.Fatalf("%d messages wait, and so do %d processes", n, w)
			}
		}
		if _, err := pool.Drain(context.Background()); err != nil || got.Load() != messages {
			t.Errorf("%v; received %d of %d", err, got.Load(), messages)
		}
	})
}

// Case 32: processes that work equally long get equally much.
func TestR5FairShares(t *testing.T) {
	for _, c := range []struct{ processes, messages, low, high int }{
		{3, 30, 9, 11},
		{4, 4000, 900, 1100},
	} {
		synctest.Test(t, func(t *testing.T) {
			received := make([]int, c.processes)
			seen := make([]atomic.Int32, c.messages)
			pool, addr := actor.SpawnPool(t.Context(), actor.Config{Capacity: actor.Unbounded()}, c.processes,
				actor.NoValue(func(ctx context.Context, in *actor.Inbox[int]) error {
					for m := range in.Messages(ctx) {
						seen[m].Add(1)
						received[in.Index()]++
						time.Sleep(time.Millisecond)
					}
					return in.Err()
				}))
			for i := range c.messages {
				rxSend(t, addr, i)
			}
			if _, err := pool.Drain(context.Background()); err != nil {
				t.Error(err)
			}
			for i := range seen {
				if n := seen[i].Load(); n != 1 {
					t.Errorf("message %d was received %d times", i, n)
				}
			}
			for i, n := range received {
				if n < c.low || n > c.high {
					t.Errorf("process %d received %d of %d, want %d to %d", i, n, c.messages, c.low, c.high)
				}
			}
		})
	}
}

// Case 35: a process may join until the last body has returned; after that its
// body is not run.
func TestX4PoolSpawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, addr, p := rxPool(t, actor.Config{}, 1)
		late := rxJoin(t, pool)
		rxSend(t, addr, 1)
		rxWant(t, "the new process", late.does(rxTryRecv), "1")
		p[0].quit() // the first, but not the last
		late2 := rxJoin(t, pool)
		pool.Close()
		late3 := rxJoin(t, pool) // closed, but alive
		for _, p := range []*rxPuppet{late, late2, late3} {
			rxWant(t, "receive", p.does(rxTryRecv), "closed")
			p.quit()
		}
		<-pool.Done()
		err := pool.Spawn(func(context.Context, *actor.Inbox[int]) (actor.None, error) {
			t.Error("a body runs after the actor's end")
			return actor.None{}, nil
		})
		if !errors.Is(err, actor.ErrClosed) {
			t.Errorf("Spawn after the end: %v, want ErrClosed", err)
		}
		synctest.Wait()
		if exits, _ := pool.Wait(t.Context()); len(exits) != 4 {
			t.Errorf("%d exits, want 4", len(exits))
		}
	})
}

// The actor's end begins when the last body has returned, not when Done is
// closed: meanwhile nobody can join.
func TestX4PoolSpawnDuringTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handing, release := make(chan struct{}), make(chan struct{})
		pool, addr, p := rxPool(t, actor.Config{Undelivered: func(any) { close(handing); <-release }}, 1)
		rxSend(t, addr, 1)
		p[0].lastStep()
		<-handing
		if err := pool.Spawn(newRxPuppet(t).body); !errors.Is(err, actor.ErrClosed) {
			t.Errorf("Spawn while leftovers are handed back: %v, want ErrClosed", err)
		}
		if n := pool.Processes(); n != 0 {
			t.Errorf("%d processes, want 0", n)
		}
		close(release)
		<-pool.Done()
	})
}

// Joining races with the last exit: either the body runs and is among the
// exits, or Spawn says ErrClosed and it does not.
func TestX4PoolSpawnRacesWithTheLastExit(t *testing.T) {
	for range 300 {
		pool, _ := actor.SpawnPool(context.Background(), actor.Config{}, 1,
			func(context.Context, *actor.Inbox[int]) (int, error) { return 1, nil })
		var ran atomic.Int32
		accepted := 0
		for range 3 {
			err := pool.Spawn(func(context.Context, *actor.Inbox[int]) (int, error) { ran.Add(1); return 2, nil })
			switch {
			case err == nil:
				accepted++
			case !errors.Is(err, actor.ErrClosed):
				t.Fatal(err)
			}
		}
		exits, err := pool.Wait(context.Background())
		if err != nil || len(exits) != 1+accepted || int(ran.Load()) != accepted {
			t.Fatalf("%d joined, %d ran, %d exits, %v", accepted, ran.Load(), len(exits), err)
		}
	}
}
