//go:build modelcheck || perturb

package sched

import (
	"context"
	"sync"
	"sync/atomic"
)

// Each operation below is the plain one after a call of before, which says what
// comes and what, if not nil, must be open for it to end without waiting; and
// before a call of changed, if others may look differently at the world now.

// Uint32 is an atomic number.
type Uint32 struct{ v atomic.Uint32 }

// Load is the plain one, as a step.
func (x *Uint32) Load() uint32 {
	before("load", nil)
	return x.v.Load()
}

// Store is the plain one, as a step.
func (x *Uint32) Store(new uint32) {
	before("store", nil)
	x.v.Store(new)
	changed()
}

// Swap is the plain one, as a step.
func (x *Uint32) Swap(new uint32) uint32 {
	before("swap", nil)
	old := x.v.Swap(new)
	if old != new {
		changed()
	}
	return old
}

// CompareAndSwap is the plain one, as a step.
func (x *Uint32) CompareAndSwap(old, new uint32) bool {
	before("compare and swap", nil)
	ok := x.v.CompareAndSwap(old, new)
	if ok {
		changed()
	}
	return ok
}

// Add is the plain one, as a step.
func (x *Uint32) Add(delta uint32) uint32 {
	before("add", nil)
	defer changed()
	return x.v.Add(delta)
}

// Or is the plain one, as a step.
func (x *Uint32) Or(mask uint32) uint32 {
	before("or", nil)
	defer changed()
	return x.v.Or(mask)
}

// Uint64 is an atomic number.
type Uint64 struct{ v atomic.Uint64 }

// Load is the plain one, as a step.
func (x *Uint64) Load() uint64 {
	before("load", nil)
	return x.v.Load()
}

// Store is the plain one, as a step.
func (x *Uint64) Store(new uint64) {
	before("store", nil)
	x.v.Store(new)
	changed()
}

// CompareAndSwap is the plain one, as a step.
func (x *Uint64) CompareAndSwap(old, new uint64) bool {
	before("compare and swap", nil)
	ok := x.v.CompareAndSwap(old, new)
	if ok {
		changed()
	}
	return ok
}

// Add is the plain one, as a step.
func (x *Uint64) Add(delta uint64) uint64 {
	before("add", nil)
	defer changed()
	return x.v.Add(delta)
}

// Int32 is an atomic number.
type Int32 struct{ v atomic.Int32 }

// Load is the plain one, as a step.
func (x *Int32) Load() int32 {
	before("load", nil)
	return x.v.Load()
}

// Store is the plain one, as a step.
func (x *Int32) Store(new int32) {
	before("store", nil)
	x.v.Store(new)
	changed()
}

// Add is the plain one, as a step.
func (x *Int32) Add(delta int32) int32 {
	before("add", nil)
	defer changed()
	return x.v.Add(delta)
}

// Int64 is an atomic number.
type Int64 struct{ v atomic.Int64 }

// Load is the plain one, as a step.
func (x *Int64) Load() int64 {
	before("load", nil)
	return x.v.Load()
}

// Store is the plain one, as a step.
func (x *Int64) Store(v int64) {
	before("store", nil)
	defer changed()
	x.v.Store(v)
}

// Add is the plain one, as a step.
func (x *Int64) Add(delta int64) int64 {
	before("add", nil)
	defer changed()
	return x.v.Add(delta)
}

// Bool is an atomic boolean.
type Bool struct{ v atomic.Bool }

// Load is the plain one, as a step.
func (x *Bool) Load() bool {
	before("load", nil)
	return x.v.Load()
}

// Store is the plain one, as a step.
func (x *Bool) Store(new bool) {
	before("store", nil)
	x.v.Store(new)
	changed()
}

// Pointer is an atomic pointer.
type Pointer[T any] struct{ v atomic.Pointer[T] }

// Load is the plain one, as a step.
func (x *Pointer[T]) Load() *T {
	before("load", nil)
	return x.v.Load()
}

// Store is the plain one, as a step.
func (x *Pointer[T]) Store(new *T) {
	before("store", nil)
	x.v.Store(new)
	changed()
}

// CompareAndSwap is the plain one, as a step.
func (x *Pointer[T]) CompareAndSwap(old, new *T) bool {
	before("compare and swap", nil)
	ok := x.v.CompareAndSwap(old, new)
	if ok {
		changed()
	}
	return ok
}

// Mutex is a lock.
type Mutex struct{ v sync.Mutex }

// Lock is the plain one, as a step.
func (m *Mutex) Lock() {
	before("lock", (*lockGate)(m))
	m.v.Lock()
}

// Unlock is the plain one, as a step.
func (m *Mutex) Unlock() {
	m.v.Unlock()
	changed()
}

type lockGate Mutex

func (m *lockGate) Open() bool {
	free := m.v.TryLock()
	if free {
		m.v.Unlock()
	}
	return free
}

// Pause passes some time, in which others may change something.
func Pause(int) { spin() }

// Yield lets other goroutines run.
func Yield() { yield() }

// Spin lets other goroutines run: the caller can do nothing until one of them has
// changed something.
func Spin() { spin() }

// Recv receives from ch.
func Recv[T any](ch <-chan T) T {
	before("receive", chanGate[T]{ch})
	defer changed()
	return <-ch
}

type chanGate[T any] struct{ ch <-chan T }

func (g chanGate[T]) Open() bool { return len(g.ch) > 0 || closed(g.ch) }

// closed reports whether ch, which has nothing in it, is closed.
func closed[T any](ch <-chan T) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

// Send sends to ch, which has room.
func Send[T any](ch chan<- T, v T) {
	before("send", nil)
	ch <- v
	changed()
}

// Ended reports whether ch, on which nothing is sent, is closed.
func Ended(ch <-chan struct{}) bool {
	before("look at a channel", nil)
	return closed(ch)
}

// Err is ctx.Err().
func Err(ctx context.Context) error {
	before("look at a context", nil)
	return ctx.Err()
}

// Cancel ends the context that cancel belongs to.
func Cancel(cancel context.CancelCauseFunc, cause error) {
	before("end a context", nil)
	cancel(cause)
	changed()
}
