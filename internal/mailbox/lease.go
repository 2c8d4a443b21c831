package mailbox

import "tinyactor/internal/sched"

// lease says how many messages of its chunk a receiver may take without the
// lock: those from slot head to slot limit. The receiver claims them by adding
// to head. Everything else happens under the lock; whoever wants the receiver to
// come there ends the lease, and then the receiver can claim no more, while what
// it has claimed so far is known exactly.
//
// A claim that meets the end of the lease leaves head above limit; it has failed
// then, and head counts as limit.
type lease struct{ word sched.Uint64 } // limit in the upper half, head in the lower

// unpack returns the two halves, head not above limit.
func unpack(w uint64) (head, limit uint32) {
	limit = uint32(w >> 32)
	return min(uint32(w), limit), limit
}

// one takes one message, and returns its slot. Only the receiver may call it.
func (l *lease) one() (at int, ok bool) {
	if w := l.word.Load(); uint32(w) >= uint32(w>>32) {
		return 0, false
	}
	w := l.word.Add(1)
	return int(uint32(w) - 1), uint32(w) <= uint32(w>>32)
}

// some takes up to n messages, and returns the first one's slot. Only the
// receiver may call it.
func (l *lease) some(n int) (at, taken int) {
	for {
		w := l.word.Load()
		head, limit := unpack(w)
		if n = min(n, int(limit-head)); n == 0 {
			return 0, 0
		}
		if l.word.CompareAndSwap(w, w+uint64(n)) {
			return int(head), n
		}
	}
}

// set begins a lease. The lock is held, and the receiver claims nothing meanwhile.
func (l *lease) set(head, limit int) { l.word.Store(uint64(limit)<<32 | uint64(head)) }

// limit lets the lease end before the given slot, or at once if that is claimed.
// It returns the first slot that is not claimed. The lock is held.
func (l *lease) limit(slot int) int {
	for {
		w := l.word.Load()
		head, _ := unpack(w)
		limit := max(head, uint32(max(slot, 0)))
		if l.word.CompareAndSwap(w, uint64(limit)<<32|uint64(head)) {
			return int(head)
		}
	}
}

// head returns the first slot that is not claimed.
func (l *lease) head() int {
	head, _ := unpack(l.word.Load())
	return int(head)
}
