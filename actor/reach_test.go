package actor_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"tinyactor/actor"
)

// reachLimit bounds every wait for the garbage collector.
const reachLimit = 10 * time.Second

// reachUntil collects garbage until cond holds.
func reachUntil(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(reachLimit); !cond(); {
		if time.Now().After(end) {
			t.Fatalf("after %v of garbage collections: not %s", reachLimit, what)
		}
		runtime.GC()
	}
}

// reachRounds collects garbage until the cleanups of whatever was unreachable
// at the call have run.
func reachRounds(t *testing.T) {
	t.Helper()
	for range 3 {
		ran := new(atomic.Bool)
		reachSentinel(ran)
		reachUntil(t, "a cleanup that runs", ran.Load)
	}
}

// reachSentinel makes an object that nobody reaches, whose cleanup sets ran.
//
//go:noinline
func reachSentinel(ran *atomic.Bool) {
	runtime.AddCleanup(new([64]byte), func(ran *atomic.Bool) { ran.Store(true) }, ran)
}

// reachLife is what the body of a reachSpawn tells of itself without being
// reachable.
type reachLife struct {
	got   list[any]
	ended chan error // why the inbox said to end
}

func (l *reachLife) over() bool { return len(l.ended) > 0 }

type (
	reachAddress = actor.Address[any]
	reachChild   = actor.Child[any, actor.None]
)

// reachSpawn spawns an actor that receives until its inbox says to end.
//
//go:noinline
func reachSpawn(cfg actor.Config) (*reachChild, *reachAddress, *reachLife) {
	l := &reachLife{ended: make(chan error, 1)}
	child, addr := actor.Spawn(context.Background(), cfg, func(ctx context.Context, in *actor.Inbox[any]) error {
		err := keep(&l.got)(ctx, in)
		l.ended <- err
		return nil
	})
	return child, addr, l
}

func TestH3AnActorThatNobodyReachesWorksOffItsQueueAndEnds(t *testing.T) {
	t.Parallel()
	_, addr, life := reachSpawn(actor.Config{})
	for i := range 3 {
		if err := addr.Send(t.Context(), i); err != nil {
			t.Fatal(err)
		}
	}
	done := addr.Done() // a channel keeps nothing open
	reachUntil(t, "ended", life.over)
	if err := <-life.ended; err != actor.ErrClosed {
		t.Errorf("the inbox said %v, want ErrClosed", err)
	}
	if n := len(life.got.get()); n != 3 {
		t.Errorf("received %d messages, want 3", n)
	}
	<-done
}

// A thousand actors that nobody reaches, waiting in every way, and no goroutine is left.
func TestH3UnreachableActorsDoNotLeak(t *testing.T) {
	bodies := []func(context.Context, *actor.Inbox[int]) error{
		keep(new(list[int])),
		func(ctx context.Context, in *actor.Inbox[int]) error {
			_, err := in.RecvBatch(ctx, make([]int, 4), time.Hour)
			return err
		},
		func(_ context.Context, in *actor.Inbox[int]) error { <-in.Ready(); return nil },
		func(ctx context.Context, in *actor.Inbox[int]) error {
			return in.Serve(ctx, func(context.Context, int) error { return nil })
		},
		func(ctx context.Context, in *actor.Inbox[int]) error { // a child of its own, as unreachable
			actor.Spawn(ctx, actor.Config{}, keep(new(list[int])))
			_, err := in.Recv(ctx)
			return err
		},
	}
	var live atomic.Int64
	spawn := func(i int) {
		live.Add(3)
		body := bodies[i%len(bodies)]
		counted := func(ctx context.Context, in *actor.Inbox[int]) error {
			defer live.Add(-1)
			return body(ctx, in)
		}
		actor.Spawn(t.Context(), actor.Config{}, counted)
		actor.SpawnPool(t.Context(), actor.Config{Detached: true}, 2, actor.NoValue(counted))
	}
	before := runtime.NumGoroutine()
	for i := range 300 {
		spawn(i)
	}
	reachUntil(t, "ended, all 900", func() bool { return live.Load() == 0 })
	reachUntil(t, "gone, all goroutines", func() bool { return runtime.NumGoroutine() <= before+2 })
}

// reachKept are things that keep an actor open. hold returns what to hold on
// to, or nil if the thing is held by somebody else, and what makes it let go.
var reachKept = []struct {
	name string
	hold func(t *testing.T, child *reachChild, addr *reachAddress) (held any, letGo func())
}{
	{"Address", func(_ *testing.T, _ *reachChild, a *reachAddress) (any, func()) { return a, nil }},
	{"Child", func(_ *testing.T, c *reachChild, _ *reachAddress) (any, func()) { return c, nil }},
	{"Pool", func(_ *testing.T, c *reachChild, _ *reachAddress) (any, func()) { return c.Pool(), nil }},
	{"Sender", func(_ *testing.T, _ *reachChild, a *reachAddress) (any, func()) { return actor.Sender[any](a), nil }},
	{"method value", func(_ *testing.T, _ *reachChild, a *reachAddress) (any, func()) { return a.TrySend, nil }},
	{"Map", func(_ *testing.T, _ *reachChild, a *reachAddress) (any, func()) {
		return actor.Map(a, func(i int) any { return i }), nil
	}},
	{"Map of Map", func(_ *testing.T, _ *reachChild, a *reachAddress) (any, func()) {
		return actor.Map(actor.Map(a, func(i int) any { return i }), func(s string) int { return len(s) }), nil
	}},
	{"SendAfter", func(_ *testing.T, _ *reachChild, a *reachAddress) (any, func()) {
		stop := a.SendAfter(time.Hour, 1)
		return stop, func() { stop() }
	}},
	{"SendEvery", func(_ *testing.T, _ *reachChild, a *reachAddress) (any, func()) {
		stop := a.SendEvery(time.Hour, 1)
		return stop, func() { stop() }
	}},
	{"Watch", func(t *testing.T, _ *reachChild, a *reachAddress) (any, func()) {
		other, _ := actor.Spawn(t.Context(), actor.Config{}, keep(new(list[int])))
		a.Watch(other, func(exit error) any { return exit })
		return nil, other.Halt
	}},
	{"Watch until it is stopped", func(t *testing.T, _ *reachChild, a *reachAddress) (any, func()) {
		other, _ := actor.Spawn(t.Context(), actor.Config{}, keep(new(list[int])))
		stop := a.Watch(other, func(exit error) any { return exit })
		return other, func() { stop() }
	}},
	{"Ask", func(t *testing.T, _ *reachChild, a *reachAddress) (any, func()) {
		ctx, cancel := context.WithCancel(t.Context())
		go actor.Ask(ctx, a, func(r actor.Reply[int]) any { return r })
		return nil, cancel
	}},
	{"Ask through Map", func(t *testing.T, _ *reachChild, a *reachAddress) (any, func()) {
		ctx, cancel := context.WithCancel(t.Context())
		to := actor.Map(a, func(r actor.Reply[int]) any { return r })
		go actor.Ask(ctx, to, func(r actor.Reply[int]) actor.Reply[int] { return r })
		return nil, cancel
	}},
	{"message queued elsewhere", func(t *testing.T, _ *reachChild, a *reachAddress) (any, func()) {
		gate := make(chan struct{})
		_, other := actor.Spawn(t.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[*reachAddress]) error {
			<-gate
			in.TryRecv()
			_, err := in.Recv(ctx)
			return err
		})
		if err := other.Send(t.Context(), a); err != nil {
			t.Error(err)
		}
		return nil, func() { close(gate) }
	}},
	{"Send that waits elsewhere", func(t *testing.T, _ *reachChild, a *reachAddress) (any, func()) {
		gate := make(chan struct{})
		child, other := actor.Spawn(t.Context(), actor.Config{Capacity: actor.Bounded(1), Undelivered: func(any) {}}, until[*reachAddress](gate))
		if err := other.TrySend(nil); err != nil {
			t.Error(err)
		}
		go other.Send(t.Context(), a)
		return nil, func() { close(gate); child.Close() }
	}},
	{"body of another", func(t *testing.T, _ *reachChild, a *reachAddress) (any, func()) {
		other, _ := actor.Spawn(t.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
			_, err := in.Recv(ctx)
			runtime.KeepAlive(a)
			return err
		})
		return nil, other.Halt
	}},
}

func TestH3WhatKeepsAnActorOpen(t *testing.T) {
	for _, c := range reachKept {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			child, addr, life := reachSpawn(actor.Config{Undelivered: func(any) {}})
			held, letGo := c.hold(t, child, addr)
			reachRounds(t)
			if life.over() {
				t.Fatalf("closed while it was held: %v", <-life.ended)
			}
			runtime.KeepAlive(held)
			if letGo != nil {
				letGo()
			}
			reachUntil(t, "ended after it was let go", life.over)
		})
	}
}

// A timer that nobody can stop any more keeps the actor open until it has fired.
func TestH3APendingTimerIsDelivered(t *testing.T) {
	t.Parallel()
	_, addr, life := reachSpawn(actor.Config{})
	addr.SendAfter(20*time.Millisecond, "tick")
	reachUntil(t, "ended", life.over)
	if got := life.got.get(); len(got) != 1 {
		t.Errorf("received %v, want one tick", got)
	}
}

func TestH3ATickerKeepsItsActorOpen(t *testing.T) {
	t.Parallel()
	enough := make(chan error, 1)
	_, addr := actor.Spawn(t.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
		for range 5 {
			if _, err := in.Recv(ctx); err != nil {
				enough <- err
				return err
			}
		}
		enough <- nil
		return nil
	})
	addr.SendEvery(5*time.Millisecond, 1)
	reachUntil(t, "ticked five times", func() bool { return len(enough) > 0 })
	if err := <-enough; err != nil {
		t.Errorf("the inbox said %v before the fifth tick", err)
	}
}

// The stop of a timer or Watch that is over keeps nothing.
func TestH3AStoppedTimerKeepsNothing(t *testing.T) {
	t.Parallel()
	_, addr, life := reachSpawn(actor.Config{})
	stops := []func() bool{
		addr.SendAfter(time.Hour, 1),
		addr.SendEvery(time.Hour, 1),
		addr.Watch(addr, func(error) any { return nil }),
	}
	for i, stop := range stops {
		if !stop() {
			t.Errorf("stop %d: false, want true", i)
		}
	}
	reachUntil(t, "ended", life.over)
	runtime.KeepAlive(stops)
}

// A message in its own inbox that holds the address keeps an actor open.
func TestH3AMessageInItsOwnInboxKeepsAnActorOpen(t *testing.T) {
	t.Parallel()
	gate, result := make(chan struct{}), make(chan error, 1)
	_, addr := actor.Spawn(t.Context(), actor.Config{Undelivered: func(any) {}}, func(ctx context.Context, in *actor.Inbox[any]) error {
		<-gate
		m, err := in.TryRecv()
		if err == nil {
			err = m.(*reachAddress).TrySend("still open")
		}
		result <- err
		return nil
	})
	if err := addr.Send(t.Context(), addr); err != nil {
		t.Fatal(err)
	}
	reachRounds(t)
	close(gate)
	if err := <-result; err != nil {
		t.Errorf("send to the address in the message: %v", err)
	}
}

// A process that has asked for its own address keeps its actor open.
func TestH3InboxAddressKeepsAnActorOpen(t *testing.T) {
	t.Parallel()
	release, ended := make(chan struct{}), make(chan error, 1)
	asked := make(chan struct{})
	actor.Spawn(t.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
		in.Address()
		close(asked)
		select {
		case <-release:
			ended <- nil
		case <-in.Ready():
			_, err := in.TryRecv()
			ended <- err
		}
		return nil
	})
	<-asked
	reachRounds(t)
	if len(ended) > 0 {
		t.Errorf("the inbox said %v", <-ended)
	}
	close(release)
}

// An address that the process asks for while the last handle is being collected
// is open as long as it is held, or closed from the start.
func TestH3NoCloseWhenANewerAddressExists(t *testing.T) {
	t.Parallel()
	const n = 200
	var asked, closedLater atomic.Int64
	finish := make(chan struct{})
	for i := range n {
		go actor.Spawn(context.Background(), actor.Config{}, func(_ context.Context, in *actor.Inbox[int]) error {
			for range i % 50 {
				runtime.Gosched()
			}
			a := in.Address()
			open := !a.Closed()
			asked.Add(1)
			<-finish
			if open && a.Closed() {
				closedLater.Add(1)
			}
			asked.Add(-1)
			return nil
		})
		if i%8 == 0 {
			runtime.GC()
		}
	}
	reachUntil(t, "asked, all", func() bool { return asked.Load() == n })
	reachRounds(t)
	close(finish)
	reachUntil(t, "ended, all", func() bool { return asked.Load() == 0 })
	if k := closedLater.Load(); k > 0 {
		t.Errorf("%d of %d actors were closed although a newer address was in use", k, n)
	}
}

func TestH3ActorsThatHoldEachOtherStayOpen(t *testing.T) {
	t.Parallel()
	part := make(chan struct{})
	ended := make(chan error, 2)
	reachPair(t, part, ended)
	reachRounds(t)
	if len(ended) > 0 {
		t.Errorf("closed while another actor held it: %v", <-ended)
	}
	close(part)
	reachUntil(t, "ended, both", func() bool { return len(ended) == 2 })
}

// reachPair spawns two actors that hold each other's address until part is closed.
//
//go:noinline
func reachPair(t *testing.T, part <-chan struct{}, ended chan<- error) {
	body := func(ctx context.Context, in *actor.Inbox[any]) error {
		other, err := in.Recv(ctx)
		if err != nil {
			t.Errorf("first message: %v", err)
		}
		select {
		case <-part:
		case <-in.Halting():
		case <-in.Ready():
		}
		runtime.KeepAlive(other)
		_, err = in.Recv(ctx)
		ended <- err
		return nil
	}
	_, a := actor.Spawn(t.Context(), actor.Config{}, body)
	_, b := actor.Spawn(t.Context(), actor.Config{}, body)
	if err := errors.Join(a.Send(t.Context(), b), b.Send(t.Context(), a)); err != nil {
		t.Error(err)
	}
}
