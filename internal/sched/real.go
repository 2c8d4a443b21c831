//go:build !modelcheck

package sched

import (
	"context"
	"runtime"
	"time"
	"weak"
)

// Modeled says that package explore decides who goes on.
const Modeled = false

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
