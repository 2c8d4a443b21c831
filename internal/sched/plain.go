//go:build !modelcheck && !perturb

package sched

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"weak"
)

// Modeled says that package explore decides who goes on.
const Modeled = false

// Bool is that of package atomic.
type Bool = atomic.Bool

// Int32 is that of package atomic.
type Int32 = atomic.Int32

// Int64 is that of package atomic.
type Int64 = atomic.Int64

// Uint32 is that of package atomic.
type Uint32 = atomic.Uint32

// Uint64 is that of package atomic.
type Uint64 = atomic.Uint64

// Mutex is that of package sync.
type Mutex = sync.Mutex

// Pointer is an atomic pointer.
type Pointer[T any] = atomic.Pointer[T]

// Weak is a weak pointer.
type Weak[T any] = weak.Pointer[T]

// MakeWeak returns a weak pointer to p.
func MakeWeak[T any](p *T) Weak[T] { return weak.Make(p) }

// AddCleanup has f called with arg some time after p has become unreachable.
func AddCleanup[T, S any](p *T, f func(S), arg S) { runtime.AddCleanup(p, f, arg) }

// Pause passes the time of n turns of an empty loop.
func Pause(n int) {
	for range n {
	}
}

// Yield lets other goroutines run.
func Yield() { runtime.Gosched() }

// Spin lets other goroutines run: the caller can do nothing until one of them has
// changed something.
func Spin() { runtime.Gosched() }

// Go starts a goroutine.
func Go(f func()) { go f() }

// Goexit ends the goroutine after its deferred calls.
func Goexit() { runtime.Goexit() }

// Recovered returns what recover returned, nil if that was a Goexit.
func Recovered(v any) any { return v }

// Stacks writes the stacks of all goroutines into buf and returns their length.
// The program stands still meanwhile.
func Stacks(buf []byte) int { return runtime.Stack(buf, true) }

// Recv receives from ch.
func Recv[T any](ch <-chan T) T { return <-ch }

// Send sends to ch, which has room.
func Send[T any](ch chan<- T, v T) { ch <- v }

// Ended reports whether ch, on which nothing is sent, is closed.
func Ended(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

// Which of the channels given to Select was first.
const (
	First = iota
	Done
	Tick
)

// Select receives from one of three channels, each of which may be nil, and says
// which. v is what first gave.
func Select[T any](first <-chan T, done <-chan struct{}, tick <-chan time.Time) (v T, which int) {
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

// Err is ctx.Err().
func Err(ctx context.Context) error { return ctx.Err() }

// Cancel ends the context that cancel belongs to.
func Cancel(cancel context.CancelCauseFunc, cause error) { cancel(cause) }
