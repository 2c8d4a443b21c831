//go:build perturb && !modelcheck

package sched

import (
	"context"
	"math/rand/v2"
	"runtime"
	"time"
	"weak"
)

// Modeled says that package explore decides who goes on.
const Modeled = false

// oneIn is how many operations there are to one that lets others run first.
const oneIn = 8

type gate interface{ Open() bool }

func before(string, gate) {
	if rand.Uint32N(oneIn) == 0 {
		runtime.Gosched()
	}
}

func changed() {}

func yield() { runtime.Gosched() }

func spin() { runtime.Gosched() }

// Weak is a weak pointer.
type Weak[T any] = weak.Pointer[T]

// MakeWeak returns a weak pointer to p.
func MakeWeak[T any](p *T) Weak[T] { return weak.Make(p) }

// AddCleanup has f called with arg some time after p has become unreachable.
func AddCleanup[T, S any](p *T, f func(S), arg S) { runtime.AddCleanup(p, f, arg) }

// Go starts a goroutine.
func Go(f func()) { go f() }

// Goexit ends the goroutine after its deferred calls.
func Goexit() { runtime.Goexit() }

// Recovered returns what recover returned, nil if that was a Goexit.
func Recovered(v any) any { return v }

// Stacks writes the stacks of all goroutines into buf and returns their length.
// The program stands still meanwhile.
func Stacks(buf []byte) int { return runtime.Stack(buf, true) }

// Select receives from one of three channels, each of which may be nil, and says
// which. v is what first gave.
func Select[T any](first <-chan T, done <-chan struct{}, tick <-chan time.Time) (v T, which int) {
	before("select", nil)
	select {
	case v = <-first:
		return v, First
	case <-done:
		return v, Done
	case <-tick:
		return v, Tick
	}
}

// Timer is a timer.
type Timer = time.Timer

// NewTimer returns a timer that sends on its channel after d.
func NewTimer(d time.Duration) *Timer { return time.NewTimer(d) }

// AfterFunc calls f on a goroutine of its own after d.
func AfterFunc(d time.Duration, f func()) *Timer { return time.AfterFunc(d, f) }

// Now is the time.
func Now() time.Time { return time.Now() }

// Since is how long t is ago.
func Since(t time.Time) time.Duration { return time.Since(t) }

// AfterEnd calls f on a goroutine of its own when ctx has ended, unless stop is
// called before.
func AfterEnd(ctx context.Context, f func()) (stop func() bool) { return context.AfterFunc(ctx, f) }
