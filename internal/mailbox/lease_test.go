package mailbox

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// claim is one or some, and what it gives.
func claim(l *lease, n int) (at, taken int) {
	if n > 1 {
		return l.some(n)
	}
	at, ok := l.one()
	if !ok {
		return 0, 0
	}
	return at, 1
}

func TestLease(t *testing.T) {
	type step struct {
		what     string
		n, slot  int
		at, took int // of a claim; at: the first free slot after a limit
	}
	for name, steps := range map[string][]step{
		"claims to the end":  {{"set", 2, 5, 0, 0}, {"claim", 1, 0, 2, 1}, {"claim", 2, 0, 3, 2}, {"claim", 1, 0, 0, 0}, {"claim", 2, 0, 0, 0}},
		"more than there is": {{"set", 1, 4, 0, 0}, {"claim", 9, 0, 1, 3}, {"claim", 9, 0, 0, 0}},
		"ended and lengthened": {{"set", 0, 9, 0, 0}, {"claim", 1, 0, 0, 1}, {"limit", 0, 0, 1, 0}, {"claim", 1, 0, 0, 0}, {"claim", 2, 0, 0, 0},
			{"limit", 0, 3, 1, 0}, {"claim", 1, 0, 1, 1}, {"claim", 5, 0, 2, 1}, {"claim", 1, 0, 0, 0}},
		"not before what is claimed": {{"set", 0, 9, 0, 0}, {"claim", 4, 0, 0, 4}, {"limit", 0, 2, 4, 0}, {"claim", 1, 0, 0, 0}, {"limit", 0, -7, 4, 0}},
		"nothing":                    {{"claim", 1, 0, 0, 0}, {"claim", 2, 0, 0, 0}, {"limit", 0, 0, 0, 0}},
		// A claim adds one also if the lease was ended meanwhile.
		"overshoot": {{"set", 3, 3, 0, 0}, {"add", 0, 0, 0, 0}, {"claim", 2, 0, 0, 0}, {"head", 0, 0, 3, 0}, {"limit", 0, 5, 3, 0}, {"claim", 1, 0, 3, 1}, {"claim", 2, 0, 4, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			var l lease
			for i, s := range steps {
				at, took := s.at, s.took
				switch s.what {
				case "set":
					l.set(s.n, s.slot)
				case "add":
					l.word.Add(1)
				case "limit":
					at = l.limit(s.slot)
				case "head":
					at = l.head()
				case "claim":
					at, took = claim(&l, s.n)
				}
				if at != s.at || took != s.took {
					t.Fatalf("step %d, %s: slot %d, %d taken, want slot %d, %d taken", i, s.what, at, took, s.at, s.took)
				}
			}
		})
	}
}

// Claims that race with the end of their lease are either in it, and then known
// to who has ended it, or fail: each slot is claimed once, in order, and none
// while there is no lease.
func TestLeaseClaimsRaceWithItsEnd(t *testing.T) {
	for name, most := range map[string]int{"one": 1, "some": 3} {
		t.Run(name, func(t *testing.T) {
			const length = 50
			var l lease
			var claimed atomic.Int64 // by the receiver, as it knows
			var stop atomic.Bool
			done := make(chan struct{})
			go func() {
				defer close(done)
				for next := 0; !stop.Load(); {
					at, n := claim(&l, most)
					if n > 0 && at != next {
						t.Errorf("slot %d is claimed after slot %d", at, next-1)
						return
					}
					if n == 0 {
						runtime.Gosched()
					}
					next += n
					claimed.Store(int64(next))
				}
			}()
			ends, before := 0, 0
			for end := time.Now().Add(200 * time.Millisecond); ends%64 > 0 || time.Now().Before(end) && !t.Failed(); ends++ {
				at := l.limit(0)
				if at < before || at > before+length {
					t.Errorf("the lease went from slot %d to %d, and ended at %d", before, before+length, at)
				}
				if at == before {
					runtime.Gosched()
				}
				known := int(claimed.Load())
				again := l.limit(at + length)
				if known > at || again != at {
					t.Errorf("the lease ended at slot %d, but %d are claimed, and then it ended at %d", at, known, again)
				}
				before = at
				for wait := ends % 64; wait > 0; wait-- {
					claimed.Load()
				}
			}
			stop.Store(true)
			<-done
			t.Logf("%d claims, %d ends", before, ends)
		})
	}
}
