package actor_test

import (
	"slices"
	"sync"
	"testing"
)

// stressTally is what became of the messages.
type stressTally struct {
	mu                    sync.Mutex
	accepted, refused     []int // what a send said of them
	received, undelivered []int
}

func (s *stressTally) add(to *[]int, ids ...int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*to = append(*to, ids...)
}

// check compares what was accepted with what has arrived. Of a message that is
// neither accepted nor refused (an Ask that was cancelled) all that is known is
// that it does not arrive twice.
func (s *stressTally) check(t *testing.T) {
	t.Helper()
	arrived := map[int]int{}
	for _, id := range slices.Concat(s.received, s.undelivered) {
		arrived[id]++
	}
	for id, n := range arrived {
		if n > 1 {
			t.Errorf("message %#x arrived %d times", id, n)
		}
	}
	for _, id := range s.accepted {
		if arrived[id] == 0 {
			t.Errorf("message %#x was accepted and is lost", id)
		}
	}
	for _, id := range s.refused {
		if arrived[id] > 0 {
			t.Errorf("message %#x was refused and arrived", id)
		}
	}
}

// stressOrder checks that each sender's messages are in their order.
func stressOrder(t *testing.T, ids []int) {
	t.Helper()
	last := map[int]int{}
	for _, id := range ids {
		if k := id >> 20; id < last[k] {
			t.Errorf("message %#x came after %#x", id, last[k])
		} else {
			last[k] = id
		}
	}
}
