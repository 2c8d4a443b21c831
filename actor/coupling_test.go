package actor_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// The zero values are of no actor: one that has ended, and nothing to wait for.
func TestC1ZeroValuesHaveEnded(t *testing.T) {
	ctx := t.Context()
	in := new(actor.Inbox[int])
	for _, way := range append(slices.Clone(rxWays), rxWay{"TryRecv", rxTryRecv}) {
		if got := way.recv(ctx, in); got != "closed" {
			t.Errorf("%s of the zero Inbox: %s, want closed", way.name, got)
		}
	}
	<-in.Halting()
	in.Close()
	if in.Len() != 0 || in.Index() != 0 || in.Address() != nil || in.Err() != actor.ErrClosed {
		t.Errorf("zero Inbox: Len %d, Index %d, Address %v, Err %v", in.Len(), in.Index(), in.Address(), in.Err())
	}
	address, child, pool := new(actor.Address[int]), new(actor.Child[int, int]), new(actor.Pool[int, int])
	for _, err := range []error{address.Send(ctx, 1), address.TrySend(1), address.SendNow(1), pool.Spawn(
		func(context.Context, *actor.Inbox[int]) (int, error) { t.Error("a body runs"); return 0, nil })} {
		if !errors.Is(err, actor.ErrClosed) {
			t.Errorf("%v, want ErrClosed", err)
		}
	}
	for _, ref := range []actor.Ref{address, child, pool} {
		<-ref.Done()
		ref.Halt()
		if ref.ID() != 0 || ref.Name() != "" || ref.Len() != 0 {
			t.Errorf("zero %T: ID %d, Name %q, Len %d", ref, ref.ID(), ref.Name(), ref.Len())
		}
	}
	if _, err := child.Wait(ctx); !errors.Is(err, actor.ErrClosed) {
		t.Errorf("Wait of the zero Child: %v, want ErrClosed", err)
	}
	if exits, err := pool.Wait(ctx); len(exits) != 0 || err != nil {
		t.Errorf("Wait of the zero Pool: %v, %v", exits, err)
	}
	if child.Close() || child.Abort() || pool.Close() || pool.Abort() {
		t.Error("a zero value was open")
	}
}

// Case 1.
func TestC2IDsIncrease(t *testing.T) {
	spawn := func() actor.ID {
		child, addr := actor.Spawn(context.Background(), actor.Config{}, func(context.Context, *actor.Inbox[int]) error { return nil })
		if child.ID() != addr.ID() || child.Pool().ID() != addr.ID() || addr.ID() == 0 {
			t.Errorf("Child %d, Pool %d, Address %d", child.ID(), child.Pool().ID(), addr.ID())
		}
		<-child.Done()
		return addr.ID()
	}
	var all list[actor.ID]
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for last := actor.ID(0); last < 1<<62; {
				id := spawn()
				if id <= last {
					t.Errorf("actor #%d was spawned after #%d", id, last)
				}
				all.add(id)
				if last = id; len(all.get()) > 500 {
					return
				}
			}
		})
	}
	wg.Wait()
	ids := all.get()
	slices.Sort(ids)
	if len(slices.Compact(slices.Clone(ids))) != len(ids) {
		t.Errorf("an ID was used twice: %v", ids)
	}
}

// However one comes by an actor's address, it is the same pointer, and another
// actor's is another.
func TestC2OneAddressPerActor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, addr, p := rxPool(t, actor.Config{}, 2)
		var mine list[*actor.Address[int]]
		ask := func(_ context.Context, in *actor.Inbox[int]) string { mine.add(in.Address()); return "" }
		for _, p := range append(p, rxJoin(t, pool)) {
			p.does(ask)
			p.does(ask)
		}
		mine.add(pool.Address())
		for i, a := range mine.get() {
			if a != addr {
				t.Errorf("address %d is %p, want %p", i, a, addr)
			}
		}
		if _, other, _ := rxPool(t, actor.Config{}, 1); other == addr {
			t.Error("two actors have the same address")
		}
	})
}

// Case 19: letting go of all handles but one address closes nothing.
func TestC2OneHandleIsEnough(t *testing.T) {
	got := make(chan int)
	_, addr := actor.Spawn(context.Background(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
		for m := range in.Messages(ctx) {
			got <- m
		}
		return in.Err()
	})
	for i := range 5 {
		runtime.GC()
		if err := addr.Send(context.Background(), i); err != nil {
			t.Fatal(err)
		}
		<-got
	}
	addr.Halt()
	<-addr.Done()
}

// Every method of the handles may be called by many goroutines at once; the
// race detector looks on.
func TestC3HandlesAreSafeForConcurrentUse(t *testing.T) {
	captureLogs(t) // of what the aborts tear down
	ctx := context.Background()
	body := actor.NoValue(func(ctx context.Context, in *actor.Inbox[int]) error {
		for range in.Messages(ctx) {
		}
		return in.Err()
	})
	for range 20 {
		pool, addr := actor.SpawnPool(ctx, actor.Config{Undelivered: func(any) {}}, 2, body)
		child, _ := actor.Spawn(ctx, actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
			_, err := body(ctx, in)
			return err
		})
		var wg sync.WaitGroup
		for range 3 {
			for _, f := range []func(){
				func() { _ = addr.Send(ctx, 1); _ = addr.TrySend(2); _ = addr.SendNow(3) },
				func() { _, _ = addr.SendAll(ctx, []int{4, 5}) },
				func() { addr.SendAfter(0, 6)(); addr.SendEvery(time.Nanosecond, 7)() },
				func() { addr.Watch(child, func(error) int { return 8 })() },
				func() { _, _, _, _ = addr.Len(), addr.Processes(), addr.Closed(), addr.Capacity() },
				func() { _, _, _ = pool.Len(), pool.Processes(), pool.Address() },
				func() { _, _, _ = child.Len(), child.Processes(), child.Address() },
				func() { pool.Attach(time.Hour); pool.Detach(); child.Attach(0); child.Detach() },
				func() { pool.HaltSome(1); _ = pool.Spawn(body); child.Pool().HaltSome(0) },
				func() { pool.Close(); child.Close(); child.Halt(); addr.Halt() },
				func() { child.Drop(); pool.Drop(); child.Abort(); pool.Abort() },
				func() { _, _ = pool.Stop(ctx); _, _ = pool.Drain(ctx); _, _ = pool.Wait(ctx) },
				func() { _, _ = child.Stop(ctx); _, _ = child.Drain(ctx); _, _ = child.Wait(ctx) },
				func() { <-addr.Done(); <-pool.Done(); <-child.Done(); _ = addr.Wait(ctx) },
				func() {
					for range pool.Exits(ctx) {
					}
				},
			} {
				wg.Go(f)
			}
		}
		wg.Wait()
	}
}

// rxGoroutines is how many goroutines are in the caller's bubble.
func rxGoroutines(t *testing.T) int {
	t.Helper()
	synctest.Wait()
	dump := make([]byte, 1<<20)
	dump = dump[:runtime.Stack(dump, true)]
	header, _, _ := strings.Cut(string(dump), "\n") // the first is the caller
	_, bubble, ok := strings.Cut(header, ", synctest bubble ")
	if !ok {
		t.Fatalf("not in a bubble: %s", header)
	}
	return strings.Count(string(dump), ", synctest bubble "+bubble)
}

// rxForeign is a context that package context does not know.
type rxForeign struct {
	context.Context
	done chan struct{}
}

func (c rxForeign) Done() <-chan struct{} { return c.done }

// An idle actor is one goroutine, however it waits and whoever owns it.
func TestC4AnIdleActorIsOneGoroutine(t *testing.T) {
	body := func(recv rxStep) func(context.Context, *actor.Inbox[int]) error {
		return func(ctx context.Context, in *actor.Inbox[int]) error {
			if text := recv(ctx, in); text != "halted" {
				return errors.New(text)
			}
			return nil
		}
	}
	derived := func(recv rxStep) rxStep {
		return func(ctx context.Context, in *actor.Inbox[int]) string {
			ctx, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			return recv(ctx, in)
		}
	}
	ways := []rxWay{
		{"Recv with a derived context", derived(rxRecv)},
		{"RecvBatch with a derived context", derived(rxOne)},
		{"select", func(ctx context.Context, in *actor.Inbox[int]) string {
			select {
			case <-in.Ready():
			case <-in.Halting():
			case <-ctx.Done():
			}
			return rxTryRecv(ctx, in)
		}},
	}
	for _, way := range append(ways, rxWays...) {
		synctest.Test(t, func(t *testing.T) {
			cancelable, cancel := context.WithCancel(t.Context())
			defer cancel()
			foreign := rxForeign{t.Context(), make(chan struct{})}
			var parent context.Context
			root, _ := actor.Spawn(cancelable, actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
				parent = ctx
				return body(way.recv)(ctx, in)
			})
			synctest.Wait()
			before := rxGoroutines(t)
			for _, c := range []struct {
				name  string
				owner context.Context
				want  int
			}{
				{"nobody", context.Background(), 10},
				{"a context", cancelable, 10},
				{"a context with a value", context.WithValue(cancelable, rxForeign{}, 1), 10},
				{"a process", parent, 10},
				{"a context below a process", context.WithValue(parent, rxForeign{}, 1), 10},
				{"a context of a foreign type", foreign, 20}, // package context starts one for each
			} {
				var children []*actor.Child[int, actor.None]
				for range 10 {
					child, _ := actor.Spawn(c.owner, actor.Config{Name: "idle"}, body(way.recv))
					children = append(children, child)
				}
				if n := rxGoroutines(t) - before; n != c.want {
					t.Errorf("%s, owned by %s: %d goroutines for 10 actors, want %d", way.name, c.name, n, c.want)
				}
				for _, child := range children {
					if _, err := child.Stop(t.Context()); err != nil {
						t.Errorf("%s, owned by %s: %v", way.name, c.name, err)
					}
				}
				if n := rxGoroutines(t) - before; n != 0 {
					t.Errorf("%s, owned by %s: %d goroutines are left", way.name, c.name, n)
				}
			}
			if _, err := root.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
