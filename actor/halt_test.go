package actor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"tinyactor/actor"
)

// Case 8: one halt closes the channel, ends the waiting senders, and tells
// every process, also one that comes later.
func TestH1HaltClosesAndTellsAll(t *testing.T) {
	type pool = *actor.Pool[int, actor.None]
	for _, c := range []struct {
		name string
		halt func(pool)
	}{
		{"Pool.Halt", pool.Halt},
		{"Address.Halt", func(p pool) { p.Address().Halt() }},
		{"Ref.Halt", func(p pool) { actor.Ref(p).Halt() }},
		{"halt after close", func(p pool) { p.Close(); p.Halt() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pool, addr, p := rxPool(t, actor.Config{Capacity: actor.Bounded(1)}, 3)
				var sent sync.WaitGroup
				waits := p[0].does(rxRecv)
				rxSend(t, addr, 1)
				rxWant(t, "the waiting process", waits, "1")
				rxSend(t, addr, 2)
				for range 3 {
					sent.Go(func() {
						if err := addr.Send(context.Background(), 3); !errors.Is(err, actor.ErrClosed) {
							t.Errorf("a Send that waited: %v, want ErrClosed", err)
						}
					})
				}
				synctest.Wait()
				c.halt(pool)
				sent.Wait()
				if !addr.Closed() {
					t.Error("not closed by a halt")
				}
				if err := addr.TrySend(4); !errors.Is(err, actor.ErrClosed) {
					t.Errorf("TrySend: %v, want ErrClosed", err)
				}
				p = append(p, rxJoin(t, pool))
				for i := range p {
					rxWant(t, fmt.Sprint("process ", i), p[i].does(rxTryRecv), "halted")
				}
				rxWant(t, "what was queued", p[3].does(rxTryRecv), "2")
				p = append(p, rxJoin(t, pool))
				rxWant(t, "a process that comes even later", p[4].does(rxTryRecv), "halted")
			})
		})
	}
}

// A Child's Halt is the same.
func TestH1ChildHalt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got list[int]
		var why atomic.Value
		child, addr := actor.Spawn(t.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
			err := keep(&got)(ctx, in)
			why.Store(err)
			return err
		})
		rxSend(t, addr, 1)
		synctest.Wait()
		child.Halt()
		if _, err := child.Wait(t.Context()); err != nil || why.Load() != actor.ErrHalted {
			t.Errorf("exit %v after %v, want nil after ErrHalted", err, why.Load())
		}
	})
}

// Case 9: exactly n processes are told, the channel stays open, and no sender
// hears of it.
func TestH1HaltSome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, addr, p := rxPool(t, actor.Config{Capacity: actor.Bounded(1)}, 3)
		rxSend(t, addr, 1)
		var sent atomic.Bool
		go func() {
			_ = addr.Send(context.Background(), 2)
			sent.Store(true)
		}()
		synctest.Wait()
		pool.HaltSome(0)
		pool.HaltSome(2)
		synctest.Wait()
		if addr.Closed() || sent.Load() || addr.Len() != 1 {
			t.Errorf("closed %v, a waiting Send returned %v, %d messages; want false, false, 1",
				addr.Closed(), sent.Load(), addr.Len())
		}
		var answers []string
		for _, p := range p {
			o := p.does(rxTryRecv)
			synctest.Wait()
			answers = append(answers, o.text())
		}
		slices.Sort(answers)
		if want := []string{"1", "halted", "halted"}; !slices.Equal(answers, want) {
			t.Errorf("receives %v, want %v", answers, want)
		}
	})
}

func TestH1HaltSomeTakesWaitingOnesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, _, p := rxPool(t, actor.Config{}, 5)
		a, b := p[3].does(rxRecv), p[1].does(rxOne)
		pool.HaltSome(1)
		rxWant(t, "who has waited longest", a, "halted")
		rxWant(t, "the other one that waits", b, "waits")
		pool.HaltSome(2)
		rxWant(t, "the other one that waits", b, "halted")
		told := 0
		for _, i := range []int{0, 2, 4} {
			o := p[i].does(rxTryRecv)
			synctest.Wait()
			if o.text() == "halted" {
				told++
			}
		}
		if told != 1 {
			t.Errorf("%d of the busy ones are halted, want 1", told)
		}
	})
}

// One that was halted before does not count, whatever it does now: it has been
// told or not, works or waits for the next message.
func TestH1HaltSomeMarksTheUnmarked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, addr, p := rxPool(t, actor.Config{}, 4)
		waits := p[0].does(rxRecv)
		pool.HaltSome(1)
		rxWant(t, "process 0", waits, "halted")
		waits = p[0].does(rxRecv)
		pool.HaltSome(1) // one that is busy
		pool.HaltSome(1) // another one
		rxWant(t, "process 0 again", waits, "waits")
		pool.HaltSome(1)
		for i, p := range p[1:] {
			rxWant(t, fmt.Sprint("process ", i+1), p.does(rxTryRecv), "halted")
		}
		rxSend(t, addr, 1)
		rxWant(t, "process 0 again", waits, "1")
	})
}

// HaltSome marks processes and leaves no number behind: neither a surplus nor
// what an exited process was told counts for one that comes later.
func TestH1HaltSomeForgetsASurplus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, addr, p := rxPool(t, actor.Config{}, 3)
		pool.HaltSome(1)
		waits := p[2].does(rxRecv)
		p[0].quit() // halted, and gone without having heard of it
		pool.HaltSome(100)
		rxWant(t, "process 1", p[1].does(rxTryRecv), "halted")
		rxWant(t, "process 2", waits, "halted")
		late := rxJoin(t, pool)
		rxWant(t, "who comes later", late.does(rxTryRecv), "empty")
		if addr.Closed() {
			t.Error("closed by HaltSome")
		}
		pool.HaltSome(1)
		rxWant(t, "who comes later", late.does(rxTryRecv), "halted")
	})
}

// Exactly as many end as were asked to, while they come, go and work.
func TestH1HaltSomeCountsExactly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := actor.NoValue(func(ctx context.Context, in *actor.Inbox[int]) error {
			for range in.Messages(ctx) {
			}
			return in.Err()
		})
		pool, addr := actor.SpawnPool(t.Context(), actor.Config{}, 100, body)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for i := range 20 {
					pool.HaltSome(1)
					_ = addr.SendNow(i)
				}
			})
		}
		wg.Wait()
		synctest.Wait()
		if n := pool.Processes(); n != 20 {
			t.Errorf("%d of 100 processes are left after 80 were halted one by one", n)
		}
		pool.Halt()
		<-pool.Done()
	})
}

// Halting is closed by everything that asks this process to stop, and takes
// nothing away from the receive that says so.
func TestH1Halting(t *testing.T) {
	halting := func(_ context.Context, in *actor.Inbox[int]) string { <-in.Halting(); return "halting" }
	type pool = *actor.Pool[int, actor.None]
	for _, c := range []struct {
		name string
		end  func(pool)
		next string
	}{
		{"halt", pool.Halt, "halted"},
		{"halt some", func(p pool) { p.HaltSome(2) }, "halted"},
		{"halt some, halt", func(p pool) { p.HaltSome(2); p.Halt() }, "halted"},
		{"abort", func(p pool) { p.Abort() }, "unwinds"},
		{"halt, abort", func(p pool) { p.Halt(); p.Abort() }, "unwinds"},
	} {
		t.Run(c.name, func(t *testing.T) {
			captureLogs(t)
			synctest.Test(t, func(t *testing.T) {
				pool, _, p := rxPool(t, actor.Config{}, 2)
				early := p[0].does(halting)
				rxWant(t, "Halting before", early, "waits")
				c.end(pool)
				rxWant(t, "Halting that waits", early, "halting")
				rxWant(t, "Halting that was asked for later", p[1].does(halting), "halting")
				if c.next == "halted" && pool.Address().Closed() {
					rxWant(t, "Halting of who comes later", rxJoin(t, pool).does(halting), "halting")
				}
				rxWant(t, "receive", p[0].does(rxTryRecv), c.next)
				rxWant(t, "receive", p[1].does(rxTryRecv), c.next)
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		pool, _, p := rxPool(t, actor.Config{}, 1)
		o := p[0].does(halting)
		pool.Close()
		rxWant(t, "Halting after a close", o, "waits")
		pool.Halt()
		rxWant(t, "Halting after a halt", o, "halting")
	})
}

// One call of many is the one that closed, and after it no send is accepted.
func TestH2CloseSaysWhoClosed(t *testing.T) {
	for range 50 {
		pool, addr := actor.SpawnPool(context.Background(), actor.Config{Undelivered: func(any) {}}, 2,
			actor.NoValue(func(ctx context.Context, in *actor.Inbox[int]) error {
				<-in.Halting()
				return nil
			}))
		var closed atomic.Int32
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if pool.Close() {
					closed.Add(1)
				}
				if err := addr.SendNow(1); !errors.Is(err, actor.ErrClosed) {
					t.Errorf("send after Close: %v, want ErrClosed", err)
				}
			})
		}
		wg.Wait()
		if n := closed.Load(); n != 1 {
			t.Errorf("%d calls of Close closed, want 1", n)
		}
		pool.Halt()
		<-pool.Done()
	}
}

func TestH2CloseIsFalseAfterAnotherEnd(t *testing.T) {
	captureLogs(t)
	type child = *actor.Child[int, actor.None]
	for _, c := range []struct {
		name string
		end  func(child)
		want bool
	}{
		{"nothing", func(child) {}, true},
		{"HaltSome", func(c child) { c.Pool().HaltSome(1) }, true},
		{"Close", func(c child) { c.Close() }, false},
		{"the pool's Close", func(c child) { c.Pool().Close() }, false},
		{"Halt", child.Halt, false},
		{"Abort", func(c child) { c.Abort() }, false},
		{"Drop", child.Drop, false},
	} {
		owner, cancel := context.WithCancel(context.Background())
		release := make(chan struct{})
		child, _ := actor.Spawn(owner, actor.Config{}, until[int](release))
		c.end(child)
		if got := child.Close(); got != c.want {
			t.Errorf("Close after %s: %v, want %v", c.name, got, c.want)
		}
		close(release)
		<-child.Done()
		if child.Close() {
			t.Errorf("Close after %s and the end: true", c.name)
		}
		cancel()
	}
}

// Cases 3 and 6: a close wakes every receiver and sender, what is queued stays
// receivable, and the processes may go on.
func TestH2ProcessesGoOnAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, addr, p := rxPool(t, actor.Config{}, 10)
		var waits []*rxOutcome
		for _, p := range p {
			waits = append(waits, p.does(rxRecv))
		}
		pool.Close()
		for i, w := range waits {
			rxWant(t, fmt.Sprint("process ", i), w, "closed")
		}
		if n := addr.Processes(); n != 10 {
			t.Errorf("%d processes after a close, want 10", n)
		}
		select {
		case <-addr.Done():
			t.Error("Done after a close")
		default:
		}
	})
	synctest.Test(t, func(t *testing.T) {
		_, addr, p := rxPool(t, actor.Config{Capacity: actor.Bounded(2)}, 1)
		rxSend(t, addr, 1, 2)
		var sent sync.WaitGroup
		for range 10 {
			sent.Go(func() {
				if err := addr.Send(context.Background(), 3); !errors.Is(err, actor.ErrClosed) {
					t.Errorf("a Send that waited: %v, want ErrClosed", err)
				}
			})
		}
		synctest.Wait()
		p[0].does(func(_ context.Context, in *actor.Inbox[int]) string { in.Close(); return "" })
		sent.Wait()
		for _, want := range []string{"1", "2", "closed"} {
			rxWant(t, "receive after a close", p[0].does(rxRecv), want)
		}
	})
}
