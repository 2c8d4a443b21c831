package sched

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Together makes something for all who want it at the same time: for those who
// come while it is made, it is made once more, and that once.
type Together[T any] struct {
	wanted atomic.Uint64 // how often

	mu     sync.Mutex // held while it is made; that does not wait for other goroutines
	served uint64     // up to which of those the latest is of use: they came before it was begun
	given  uint64     // to how many
	latest T
}

// Get returns what produce returns, which was called after Get was: by this call,
// or by another one at the same time.
func (t *Together[T]) Get(produce func() T) T {
	n := t.wanted.Add(1)
	t.mu.Lock()
	defer t.mu.Unlock()
	if n > t.served {
		runtime.Gosched() // who is about to come, comes
		t.served = t.wanted.Load()
		t.latest = produce()
	}
	got := t.latest
	if t.given++; t.given == t.served { // nobody else will take it
		var none T
		t.latest = none
	}
	return got
}
