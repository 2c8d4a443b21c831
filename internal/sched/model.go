//go:build modelcheck

package sched

import (
	"context"
	"runtime"
	"time"

	"tinyactor/internal/sched/explore"
)

// Modeled says that package explore decides who goes on.
const Modeled = true

type gate = explore.Gate

func before(what string, g gate) {
	if r := explore.Current(); r != nil {
		r.Step(what, g)
	}
}

func changed() {
	if r := explore.Current(); r != nil {
		r.Changed()
	}
}

func yield() {
	if r := explore.Current(); r != nil {
		r.Step("yield", nil) // who goes on at once is as legal as another
		return
	}
	runtime.Gosched()
}

func spin() {
	if r := explore.Current(); r != nil {
		r.Spin()
		return
	}
	runtime.Gosched()
}

// Weak is a weak pointer, whose object is gone when the exploration says so.
type Weak[T any] struct {
	p    *T
	life *explore.Object
}

// MakeWeak returns a weak pointer to p.
func MakeWeak[T any](p *T) Weak[T] { return Weak[T]{p, explore.Current().Object(p)} }

// Value returns the pointer, nil if the object is gone.
func (w Weak[T]) Value() *T {
	if w.life == nil || w.life.Gone() {
		return nil
	}
	return w.p
}

// AddCleanup has f called with arg some time after p has become unreachable.
func AddCleanup[T, S any](p *T, f func(S), arg S) {
	explore.Current().Object(p).AtEnd(func() { f(arg) })
}

// Go starts a goroutine.
func Go(f func()) {
	if r := explore.Current(); r != nil {
		r.Go("", f)
		return
	}
	go f()
}

// Goexit ends the goroutine after its deferred calls.
func Goexit() {
	if explore.Current() != nil {
		panic(explore.Goexit)
	}
	runtime.Goexit()
}

// Recovered returns what recover returned, nil if that was a Goexit.
func Recovered(v any) any {
	if v == explore.Goexit {
		return nil
	}
	return v
}

// Stacks writes nothing: those of coroutines tell little.
func Stacks([]byte) int { return 0 }

// Select receives from one of three channels, each of which may be nil, and says
// which. v is what first gave.
func Select[T any](first <-chan T, done <-chan struct{}, tick <-chan time.Time) (v T, which int) {
	r := explore.Current()
	if r == nil {
		select {
		case v = <-first:
			return v, First
		case <-done:
			return v, Done
		case <-tick:
			return v, Tick
		}
	}
	g := &selectGate[T]{chanGate[T]{first}, chanGate[struct{}]{done}, chanGate[time.Time]{tick}}
	r.Step("select", g)
	defer changed()
	open := g.which()
	switch which = open[r.Choose(len(open))]; which {
	case First:
		v = <-first
	case Done:
		<-done
	case Tick:
		<-tick
	}
	return v, which
}

type selectGate[T any] struct {
	first chanGate[T]
	done  chanGate[struct{}]
	tick  chanGate[time.Time]
}

func (g *selectGate[T]) Open() bool { return g.first.Open() || g.done.Open() || g.tick.Open() }

func (g *selectGate[T]) which() (open []int) {
	for i, one := range []gate{g.first, g.done, g.tick} {
		if one.Open() {
			open = append(open, i)
		}
	}
	return open
}

// Timer is a timer on the exploration's clock.
type Timer struct {
	C     <-chan time.Time
	c     chan time.Time
	alarm *explore.Alarm
}

// NewTimer returns a timer that sends on its channel after d.
func NewTimer(d time.Duration) *Timer {
	t := &Timer{c: make(chan time.Time, 1)}
	t.C = t.c
	r := explore.Current()
	t.alarm = r.Alarm(d, func() {
		select {
		case t.c <- r.Now():
		default:
		}
	})
	return t
}

// AfterFunc calls f on a goroutine of its own after d.
func AfterFunc(d time.Duration, f func()) *Timer {
	r := explore.Current()
	return &Timer{alarm: r.Alarm(d, func() { r.Go("timer", f) })}
}

// Stop prevents the timer from firing and reports whether it was to fire.
func (t *Timer) Stop() bool {
	before("stop a timer", nil)
	t.drain()
	return t.alarm.Stop()
}

// Reset makes the timer fire after d.
func (t *Timer) Reset(d time.Duration) bool {
	before("reset a timer", nil)
	t.drain()
	return t.alarm.Reset(d)
}

// drain takes out a tick that nobody has received: who stops a timer sees none.
func (t *Timer) drain() {
	select {
	case <-t.c:
	default:
	}
}

// Now is the time.
func Now() time.Time {
	if r := explore.Current(); r != nil {
		return r.Now()
	}
	return time.Now()
}

// Since is how long t is ago.
func Since(t time.Time) time.Duration { return Now().Sub(t) }

// AfterEnd calls f on a goroutine of its own when ctx has ended, unless stop is
// called before.
func AfterEnd(ctx context.Context, f func()) (stop func() bool) {
	r := explore.Current()
	return r.When(func() bool { return closed(ctx.Done()) }, f)
}
