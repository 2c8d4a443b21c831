//go:build !modelcheck && !perturb

package sched

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

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

// Err is ctx.Err().
func Err(ctx context.Context) error { return ctx.Err() }

// Cancel ends the context that cancel belongs to.
func Cancel(cancel context.CancelCauseFunc, cause error) { cancel(cause) }
