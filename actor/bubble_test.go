package actor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// bubble runs f in a synctest bubble. A wait that is not durably blocking would
// make synctest.Wait and the fake clock wait for ever: that ends the program,
// after a real time in which every honest test is done.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	name := t.Name()
	alarm := time.AfterFunc(20*time.Second, func() { panic(name + ": a wait in the bubble is not durably blocking") })
	defer alarm.Stop()
	synctest.Test(t, f)
}

// bubbleWaits are all operations that wait, each one for ever until its actor
// is aborted or ctx ends.
var bubbleWaits = []struct {
	name string
	wait func(ctx context.Context, in *actor.Inbox[int]) // on a goroutine of a process
}{
	{"Recv", func(ctx context.Context, in *actor.Inbox[int]) { in.Recv(ctx) }},
	{"Recv with a ctx of another", func(ctx context.Context, in *actor.Inbox[int]) {
		c, cancel := context.WithCancel(context.WithoutCancel(ctx))
		defer cancel()
		in.Recv(c)
	}},
	{"RecvBatch", func(ctx context.Context, in *actor.Inbox[int]) { in.RecvBatch(ctx, make([]int, 4), time.Hour) }},
	{"RecvBatch that gathers", func(ctx context.Context, in *actor.Inbox[int]) {
		in.Address().TrySend(1)
		in.RecvBatch(ctx, make([]int, 4), 1000*time.Hour)
	}},
	{"Messages", func(ctx context.Context, in *actor.Inbox[int]) {
		for range in.Messages(ctx) {
		}
	}},
	{"Serve", func(ctx context.Context, in *actor.Inbox[int]) {
		in.Serve(ctx, func(context.Context, int) error { return nil })
	}},
	{"Ready", func(_ context.Context, in *actor.Inbox[int]) { <-in.Ready() }},
	{"Halting", func(_ context.Context, in *actor.Inbox[int]) { <-in.Halting() }},
	{"the context", func(ctx context.Context, _ *actor.Inbox[int]) { <-ctx.Done() }},
	{"Send", func(ctx context.Context, _ *actor.Inbox[int]) {
		_, full := bubbleFull(ctx)
		full.Send(ctx, 1)
	}},
	{"Send with a ctx of another", func(ctx context.Context, _ *actor.Inbox[int]) {
		_, full := bubbleFull(ctx)
		c, cancel := context.WithTimeout(ctx, 1000*time.Hour)
		defer cancel()
		full.Send(c, 1)
	}},
	{"SendAll", func(ctx context.Context, _ *actor.Inbox[int]) {
		_, full := bubbleFull(ctx)
		full.SendAll(ctx, []int{1, 2})
	}},
	{"Ask", func(ctx context.Context, _ *actor.Inbox[int]) {
		_, a := actor.Spawn(ctx, actor.Config{}, func(ctx context.Context, in *actor.Inbox[actor.Reply[int]]) error {
			in.Recv(ctx)
			_, err := in.Recv(ctx)
			return err
		})
		actor.Ask(ctx, a, func(r actor.Reply[int]) actor.Reply[int] { return r })
	}},
	{"Address.Wait", func(ctx context.Context, _ *actor.Inbox[int]) {
		_, a := bubbleFull(ctx)
		a.Wait(ctx)
	}},
	{"Child.Wait", func(ctx context.Context, _ *actor.Inbox[int]) {
		c, _ := bubbleFull(ctx)
		c.Wait(ctx)
	}},
	{"Pool.Exits", func(ctx context.Context, _ *actor.Inbox[int]) {
		c, _ := bubbleFull(ctx)
		for range c.Pool().Exits(ctx) {
		}
	}},
	{"Done", func(ctx context.Context, _ *actor.Inbox[int]) {
		c, _ := bubbleFull(ctx)
		select {
		case <-c.Done():
		case <-ctx.Done():
		}
	}},
	{"Stop", func(ctx context.Context, _ *actor.Inbox[int]) {
		c, _ := bubbleFull(ctx)
		c.Stop(ctx)
	}},
	{"Drain", func(ctx context.Context, _ *actor.Inbox[int]) {
		c, _ := bubbleFull(ctx)
		c.Drain(context.WithoutCancel(ctx))
	}},
	{"the end of a child", func(ctx context.Context, _ *actor.Inbox[int]) { bubbleFull(ctx) }},
	{"the end of a child that drains", func(ctx context.Context, _ *actor.Inbox[int]) {
		actor.Spawn(ctx, actor.Config{Drain: true, AbortTimer: 1000 * time.Hour}, bubbleDeaf)
	}},
}

// bubbleDeaf is a body that ends on abort only.
func bubbleDeaf(ctx context.Context, _ *actor.Inbox[int]) error {
	<-ctx.Done()
	return nil
}

// bubbleFull spawns an actor that never receives and whose inbox is full.
func bubbleFull(ctx context.Context) (*actor.Child[int, actor.None], *actor.Address[int]) {
	cfg := actor.Config{Capacity: actor.Bounded(1), AbortTimer: 1000 * time.Hour, Undelivered: func(any) {}}
	child, addr := actor.Spawn(ctx, cfg, bubbleDeaf)
	addr.TrySend(0)
	return child, addr
}

// Each wait lets the fake clock run: an hour passes while everybody waits, and
// an abort gets everybody out.
func TestE1EveryWaitIsDurable(t *testing.T) {
	captureLogs(t)
	for _, c := range bubbleWaits {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				waited := false
				root, addr := actor.Spawn(context.Background(), actor.Config{AbortTimer: 1000 * time.Hour, Undelivered: func(any) {}},
					func(ctx context.Context, in *actor.Inbox[int]) error {
						c.wait(ctx, in)
						waited = true
						return nil
					})
				synctest.Wait()
				start := time.Now()
				time.Sleep(time.Hour)
				if d := time.Since(start); d != time.Hour {
					t.Errorf("an hour took %v", d)
				}
				select {
				case <-addr.Done():
					t.Errorf("did not wait (returned: %v)", waited)
				default:
				}
				root.Abort()
				synctest.Wait()
				select {
				case <-addr.Done():
				default:
					t.Error("an abort did not get it out")
				}
			})
		})
	}
}

// bubbleRound uses everything once: what waits, what is timed, what is kept for
// reuse. It must find and leave nothing that another bubble can meet.
func bubbleRound(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var events atomic.Int64
	ctx = actor.WithObserver(ctx, bubbleObserver{&events})
	var got list[int]
	pool, addr := actor.SpawnPool(ctx, actor.Config{Capacity: actor.Bounded(2)}, 3,
		func(ctx context.Context, in *actor.Inbox[int]) (int, error) {
			actor.Spawn(ctx, actor.Config{}, keep(new(list[int])))
			ready, dst := in.Ready(), make([]int, 3)
			for {
				select {
				case <-ready:
				case <-in.Halting():
				}
				n, err := in.RecvBatch(ctx, dst, time.Millisecond)
				if err != nil {
					return in.Index(), err
				}
				for _, m := range dst[:n] {
					got.add(m)
				}
				in.Ready()
			}
		})
	stop := addr.SendEvery(time.Second, -1)
	addr.SendAfter(90*time.Second, -2)
	for i := range 8 {
		go addr.Send(ctx, i) // some of them wait for room
	}
	pressed, slow := actor.Spawn(ctx, actor.Config{Capacity: actor.Backpressure(1, time.Millisecond, 2), Drain: true}, keep(&got))
	for i := range 8 {
		go slow.Send(ctx, 100+i) // some of them are delayed
	}
	asked, oracle := actor.Spawn(ctx, actor.Config{}, func(ctx context.Context, in *actor.Inbox[actor.Reply[int]]) error {
		return in.Serve(ctx, func(_ context.Context, r actor.Reply[int]) error {
			r.Answer(42, nil)
			return nil
		})
	})
	addr.Watch(asked, func(error) int { return -3 })
	if v, err := actor.Ask(ctx, oracle, func(r actor.Reply[int]) actor.Reply[int] { return r }); v != 42 || err != nil {
		t.Errorf("Ask: %d, %v", v, err)
	}
	time.Sleep(100 * time.Second)
	stop()
	asked.Stop(ctx)
	synctest.Wait()
	cancel()
	if _, err := pool.Wait(context.Background()); err != nil {
		t.Error(err)
	}
	pressed.Wait(context.Background())
	// 8 and 8 messages, 99 or 100 ticks, one timer, one watch.
	if n := len(got.get()); n != 118 && n != 117 {
		t.Errorf("received %d messages, want 117 or 118", n)
	}
	synctest.Wait()
	if events.Load() == 0 {
		t.Error("the observer heard nothing")
	}
}

type bubbleObserver struct{ n *atomic.Int64 }

func (o bubbleObserver) Observe(actor.Event) { o.n.Add(1) }

// Bubbles one after the other, side by side, and beside actors outside of any:
// they share nothing that belongs to one of them.
func TestE1BubblesShareNothing(t *testing.T) {
	for i := range 3 {
		t.Run(fmt.Sprint("in turn ", i), func(t *testing.T) { bubble(t, bubbleRound) })
	}
	for i := range 4 {
		t.Run(fmt.Sprint("side by side ", i), func(t *testing.T) {
			t.Parallel()
			bubble(t, bubbleRound)
		})
	}
	t.Run("outside", func(t *testing.T) {
		t.Parallel()
		_, addr, life := reachSpawn(actor.Config{Capacity: actor.Bounded(1)})
		for i := range 1000 {
			addr.Send(t.Context(), i)
		}
		reachUntil(t, "ended", life.over)
		if n := len(life.got.get()); n != 1000 {
			t.Errorf("received %d messages, want 1000", n)
		}
	})
}

// Law H3: in a bubble nothing is closed by the garbage collector, because a
// cleanup runs outside of the bubble, and whoever touches a bubble's channel
// there ends the program. These actors are unreachable while they wait on
// channels of the bubble, in every way, and the cleanups that are due have run.
func TestH3NoCleanupTouchesABubble(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		var live, ended atomic.Int64
		for range 4 {
			for _, spawn := range []func(func()){func(f func()) { f() }, func(f func()) { go f() }, func(f func()) { time.AfterFunc(time.Hour, f) }} {
				spawn(func() { bubbleUnreachable(ctx, &live, &ended) })
			}
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if n := live.Load(); n != 12*5 {
			t.Fatalf("%d processes, want 60", n)
		}
		for range 3 {
			ran := new(atomic.Bool)
			reachSentinel(ran)
			for range 100_000 { // the fake clock stands still: count
				if ran.Load() {
					break
				}
				runtime.GC()
			}
			if !ran.Load() {
				t.Fatal("no cleanup ran")
			}
		}
		synctest.Wait()
		if n := ended.Load(); n != 0 {
			t.Errorf("%d processes have ended by themselves", n)
		}
		cancel()
		synctest.Wait()
		if n := live.Load(); n != 0 {
			t.Errorf("%d processes are left", n)
		}
	})
}

// bubbleUnreachable spawns actors that wait, and forgets them.
//
//go:noinline
func bubbleUnreachable(ctx context.Context, live, ended *atomic.Int64) {
	counted := func(wait func(context.Context, *actor.Inbox[int]) error) func(context.Context, *actor.Inbox[int]) error {
		return func(ctx context.Context, in *actor.Inbox[int]) error {
			live.Add(1)
			defer live.Add(-1)
			if err := wait(ctx, in); !errors.Is(err, actor.ErrHalted) {
				ended.Add(1)
			}
			return nil
		}
	}
	recv := func(ctx context.Context, in *actor.Inbox[int]) error { _, err := in.Recv(ctx); return err }
	actor.Spawn(ctx, actor.Config{}, counted(recv))
	actor.SpawnPool(ctx, actor.Config{Capacity: actor.Bounded(1)}, 2, actor.NoValue(counted(recv)))
	actor.Spawn(ctx, actor.Config{}, counted(func(_ context.Context, in *actor.Inbox[int]) error {
		<-in.Ready()
		_, err := in.TryRecv()
		return err
	}))
	_, done := actor.Spawn(ctx, actor.Config{}, counted(func(_ context.Context, in *actor.Inbox[int]) error {
		<-in.Halting()
		_, err := in.TryRecv()
		return err
	}))
	done.Done() // a channel of the bubble that the end of the actor closes
}

// The library looks for a bubble where it spawns. A bubble elsewhere, and a
// goroutine whose name only looks like one, do not switch law H3 off.
func TestH3OutsideOfABubbleNextToOne(t *testing.T) {
	t.Parallel()
	_, before, life := reachSpawn(actor.Config{})
	bubble(t, func(t *testing.T) {
		child, _ := actor.Spawn(context.Background(), actor.Config{}, keep(new(list[int])))
		child.Stop(context.Background())
	})
	before.Send(t.Context(), 1)
	_, _, later := reachSpawn(actor.Config{Name: "synctest bubble 1"})
	reachUntil(t, "ended, both", func() bool { return life.over() && later.over() })
}
