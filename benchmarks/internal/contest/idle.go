package contest

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
)

// idle measures the memory that an actor needs which has handled a message and
// waits for the next: heap and stacks, and what its owner has to hold of it.
func idle(r *Run) error {
	boxes := make([]Mailbox, r.N)
	all := int64(r.N)
	var count, sum atomic.Int64
	done := make(chan struct{})
	receiver := handler(func(m Msg) {
		sum.Add(m.V)
		if count.Add(1) == all {
			close(done)
		}
	})
	before := live()
	for i := range boxes {
		boxes[i] = r.Spawn(Options{}, receiver)
		boxes[i].Send(Msg{int64(i) + 1})
	}
	if err := r.wait(done); err != nil {
		return err
	}
	after := live()
	r.report("", "B", float64(after-before)/float64(r.N))
	stopAll(boxes)
	if got, want := sum.Load(), all*(all+1)/2; got != want || count.Load() != all {
		return fmt.Errorf("%d messages with the sum %d instead of %d with %d", count.Load(), got, all, want)
	}
	return nil
}

// live returns how many bytes of the heap and of stacks are in use. What is on
// its way to wait gets there before; a collection shrinks stacks that are too
// large for what is on them, and gives back what an earlier one has freed.
func live() int64 {
	time.Sleep(10 * time.Millisecond)
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
