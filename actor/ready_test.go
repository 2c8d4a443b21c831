package actor_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// rxSignal waits for a signal of Ready and says which: "ready" or, once the
// channel is closed, "closed".
func rxSignal(_ context.Context, in *actor.Inbox[int]) string {
	if _, open := <-in.Ready(); !open {
		return "closed"
	}
	return "ready"
}

// rxPoll is rxSignal on a channel that was asked for before: it calls no
// method of the inbox.
func rxPoll(ready <-chan struct{}) rxStep {
	return func(context.Context, *actor.Inbox[int]) string {
		if _, open := <-ready; !open {
			return "closed"
		}
		return "ready"
	}
}

// rxHoist asks a puppet's inbox for its Ready channel.
func rxHoist(p *rxPuppet) <-chan struct{} {
	var ready <-chan struct{}
	p.does(func(_ context.Context, in *actor.Inbox[int]) string {
		ready = in.Ready()
		return ""
	})
	return ready
}

func TestR6ReadyIsAlwaysTheSameChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, addr, p := rxPool(t, actor.Config{}, 2)
		ready, halting := rxHoist(p[0]), (<-chan struct{})(nil)
		p[0].does(func(_ context.Context, in *actor.Inbox[int]) string { halting = in.Halting(); return "" })
		for _, change := range []func(){
			func() { rxSend(t, addr, 1) },
			func() { p[0].does(rxRecv) },
			func() { pool.HaltSome(2) },
			func() { p[0].does(rxTryRecv) },
			func() { pool.Close() },
			func() { pool.Halt() },
		} {
			change()
			p[0].does(func(_ context.Context, in *actor.Inbox[int]) string {
				if in.Ready() != ready || in.Halting() != halting {
					t.Error("Ready or Halting returned another channel")
				}
				return ""
			})
		}
		if rxHoist(p[1]) == ready {
			t.Error("two processes have the same Ready channel")
		}
	})
}

// The usual loop: Ready hoisted out of it, and one message per turn. It gets all
// that was queued before and comes after, waits in between, and ends.
func TestR6HoistedLoopTakesOneMessagePerTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got list[int]
		var turns atomic.Int32
		begin := make(chan struct{})
		child, addr := actor.Spawn(t.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
			<-begin
			ready := in.Ready()
			for {
				<-ready
				turns.Add(1)
				m, err := in.TryRecv()
				switch err {
				case nil:
					got.add(m)
				case actor.ErrEmpty:
				default:
					return err
				}
			}
		})
		rxSend(t, addr, 0, 1, 2) // before Ready was asked for
		close(begin)
		for i := 3; i < 100; i++ {
			if i%7 == 0 {
				synctest.Wait()
			}
			rxSend(t, addr, i)
		}
		synctest.Wait() // if it span, this would not return
		if got := got.get(); len(got) != 100 || !slices.IsSorted(got) {
			t.Errorf("received %v, want 0 to 99", got)
		}
		if n := turns.Load(); n > 210 {
			t.Errorf("%d turns for 100 messages", n)
		}
		child.Halt()
		<-child.Done()
	})
}

// Every operation that leaves something to receive signals again, although the
// signal for it was taken before.
func TestR6EveryOperationArmsAgain(t *testing.T) {
	ready := func(_ context.Context, in *actor.Inbox[int]) string { in.Ready(); return "" }
	serve := func(ctx context.Context, in *actor.Inbox[int]) string {
		return rxSay(nil, in.Serve(ctx, func(context.Context, int) error { return actor.ErrHalted }))
	}
	for _, op := range []rxWay{
		{"Recv", rxRecv},
		{"TryRecv", rxTryRecv},
		{"RecvBatch", rxBatch(1, 0)},
		{"a step of Messages", rxStepOfMessages},
		{"Serve", serve},
		{"Ready", ready},
	} {
		t.Run(op.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pool, addr, p := rxPool(t, actor.Config{}, 1)
				ready := rxHoist(p[0])
				rxSend(t, addr, 1, 2)
				rxWant(t, "signal", p[0].does(rxPoll(ready)), "ready")
				p[0].does(op.recv)
				rxWant(t, "signal for the next message", p[0].does(rxPoll(ready)), "ready")
				p[0].does(rxBatch(2, 0))
				p[0].does(func(context.Context, *actor.Inbox[int]) string {
					select {
					case <-ready: // may be stale
					default:
					}
					return ""
				})
				// A halt is something to receive as well.
				rxSend(t, addr, 3)
				pool.HaltSome(1)
				rxWant(t, "signal for the halt", p[0].does(rxPoll(ready)), "ready")
				if op.name == "Ready" {
					p[0].does(op.recv)
					rxWant(t, "signal for the halt", p[0].does(rxPoll(ready)), "ready")
				}
				rxWant(t, "receive", p[0].does(rxTryRecv), "halted")
				rxWant(t, "signal for the message", p[0].does(rxPoll(ready)), "ready")
			})
		})
	}
}

// A halt with nothing queued is told too, if the signal was taken in vain.
func TestR6ReadyArmsAgainForAHalt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, _, p := rxPool(t, actor.Config{}, 1)
		ready := rxHoist(p[0])
		pool.HaltSome(1)
		for range 3 {
			rxWant(t, "signal", p[0].does(rxPoll(ready)), "ready")
			rxHoist(p[0])
		}
		rxWant(t, "receive", p[0].does(rxSelect), "halted")
	})
}

func TestR6ReadyFiresForEveryEnd(t *testing.T) {
	captureLogs(t)
	type pool = *actor.Pool[int, actor.None]
	for _, c := range []struct {
		name   string
		end    func(pool)
		signal string // what the channel gives at last
		recv   string
	}{
		{"halt", pool.Halt, "closed", "halted"},
		{"halt some", func(p pool) { p.HaltSome(2) }, "ready", "halted"},
		{"close", func(p pool) { p.Close() }, "closed", "closed"},
		{"close, halt", func(p pool) { p.Close(); p.Halt() }, "closed", "halted"},
		{"abort", func(p pool) { p.Abort() }, "closed", "unwinds"},
		{"close, abort", func(p pool) { p.Close(); p.Abort() }, "closed", "unwinds"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pool, _, p := rxPool(t, actor.Config{}, 2)
				ready := rxHoist(p[0])
				waits := p[0].does(rxPoll(ready))
				rxWant(t, "before", waits, "waits")
				c.end(pool)
				synctest.Wait()
				if waits.text() == "waits" {
					t.Error("Ready has not fired")
				}
				if c.signal == "closed" {
					rxWant(t, "signal", p[0].does(rxPoll(ready)), "closed")
				}
				rxWant(t, "receive", p[0].does(rxSelect), c.recv)
				// The other one asks only now.
				first := p[1].does(rxSignal)
				synctest.Wait()
				if c.signal == "closed" && first.text() == "ready" {
					first = p[1].does(rxSignal)
				}
				rxWant(t, "signal of who asks late", first, c.signal)
				rxWant(t, "receive of who asks late", p[1].does(rxTryRecv), c.recv)
			})
		})
	}
}

// Each process of a pool that has asked is signalled, whoever gets the message
// in the end; who waits in a receive gets it first, although others have asked
// before.
func TestR6PoolWaitingInDifferentWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, addr, p := rxPool(t, actor.Config{}, 5)
		ready := [3]<-chan struct{}{rxHoist(p[0]), rxHoist(p[1]), rxHoist(p[2])}
		var waits [3]*rxOutcome
		for i := range waits {
			waits[i] = p[i].does(rxPoll(ready[i]))
		}
		p[3].does(func(_ context.Context, in *actor.Inbox[int]) string { in.Halting(); return "" })
		recv := p[3].does(rxRecv)
		batch := p[4].does(rxBatch(1, time.Hour))

		rxSend(t, addr, 1, 2)
		rxWant(t, "Recv", recv, "1")
		rxWant(t, "RecvBatch", batch, "[2]")

		rxSend(t, addr, 3)
		for i := range waits {
			rxWant(t, fmt.Sprint("Ready of process ", i), waits[i], "ready")
		}
		rxWant(t, "first", p[2].does(rxTryRecv), "3")
		rxWant(t, "second", p[0].does(rxTryRecv), "empty")
		rxWant(t, "third", p[1].does(rxTryRecv), "empty")

		for i := range waits {
			waits[i] = p[i].does(rxPoll(ready[i]))
		}
		synctest.Wait()
		rxSend(t, addr, 4, 5)
		// One that was signalled ends without receiving: the others have been, too.
		p[0].quit()
		rxWant(t, "Ready of process 1", waits[1], "ready")
		rxWant(t, "Ready of process 2", waits[2], "ready")
		rxWant(t, "receive of process 1", p[1].does(rxTryRecv), "4")
		rxWant(t, "receive of process 2", p[2].does(rxTryRecv), "5")

		recv = p[3].does(rxRecv)
		late := rxJoin(t, pool)
		rxWant(t, "Ready of who joins later", late.does(rxSignal), "waits")
		rxSend(t, addr, 6, 7)
		rxWant(t, "Recv", recv, "6")
		rxWant(t, "receive of who joins later", late.does(rxSelect), "7")
	})
}

// Ready and Halting of one process take no wakeup from another that waits in
// Recv: whatever they see, the message goes to the one that receives.
func TestR6ReadyAndHaltingTakeNoWakeup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, addr, p := rxPool(t, actor.Config{}, 3)
		halting := p[0].does(func(_ context.Context, in *actor.Inbox[int]) string { <-in.Halting(); return "halting" })
		ready := p[1].does(rxSelect)
		for i := range 20 {
			recv := p[2].does(rxRecv)
			rxSend(t, addr, i)
			rxWant(t, "Recv", recv, fmt.Sprint(i))
		}
		rxWant(t, "Ready", ready, "waits")
		recv := p[2].does(rxRecv)
		pool.HaltSome(1) // the one that waits in Recv
		rxWant(t, "Recv", recv, "halted")
		rxWant(t, "Ready", ready, "waits")
		rxWant(t, "Halting", halting, "waits")
		pool.Halt()
		rxWant(t, "Ready", ready, "halted")
		rxWant(t, "Halting", halting, "halting")
		rxWant(t, "receive after Halting", p[0].does(rxRecv), "halted")
	})
}

// A message whose sender waited for room comes into the queue when another is
// taken. That is signalled, too, also to processes that were not the taker.
func TestR6RoomForAWaitingSenderIsSignalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, addr, p := rxPool(t, actor.Config{Capacity: actor.Bounded(1)}, 2)
		ready := [2]<-chan struct{}{rxHoist(p[0]), rxHoist(p[1])}
		rxSend(t, addr, 1)
		go func() { _ = addr.Send(context.Background(), 2) }()
		synctest.Wait()
		for i := range ready {
			rxWant(t, "signal", p[i].does(rxPoll(ready[i])), "ready")
		}
		other := p[1].does(rxPoll(ready[1]))
		rxWant(t, "before there is room", other, "waits")
		rxWant(t, "receive", p[0].does(rxTryRecv), "1")
		rxWant(t, "signal of the taker", p[0].does(rxPoll(ready[0])), "ready")
		rxWant(t, "signal of the other", other, "ready")
		rxWant(t, "receive", p[1].does(rxTryRecv), "2")
	})
}

// Two processes that only ever take one message per signal, and a third that
// comes and goes: nothing is left lying while they wait.
func TestR6NothingIsLeftWhileAllWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got list[int]
		body := actor.NoValue(func(ctx context.Context, in *actor.Inbox[int]) error {
			for ready := in.Ready(); ; {
				select {
				case <-ready:
				case <-in.Halting():
				}
				switch m, err := in.TryRecv(); err {
				case nil:
					got.add(m)
				case actor.ErrEmpty:
				default:
					return err
				}
			}
		})
		pool, addr := actor.SpawnPool(t.Context(), actor.Config{}, 2, body)
		for i := range 200 {
			rxSend(t, addr, 2*i, 2*i+1)
			switch i % 4 {
			case 0:
				if err := pool.Spawn(body); err != nil {
					t.Error(err)
				}
			case 2:
				pool.HaltSome(1)
			}
			synctest.Wait()
			if n := len(got.get()); n != 2*i+2 || addr.Len() != 0 {
				t.Fatalf("%d of %d messages received, %d left, and everybody waits", n, 2*i+2, addr.Len())
			}
		}
		pool.Halt()
		<-pool.Done()
	})
}
