package cluster

import (
	"errors"
	"slices"
	"time"
)

// Answers are not acknowledged: nearly all of them arrive, and a word more for
// each would cost as much as the ask. Instead the sender inquires, once in a Beat,
// after those asks that have waited for one, and the receiver says which of them
// are not under way: their answers were lost.

// maxInquiry is after how many asks a frame inquires. Which of more is left to chance.
const maxInquiry = 1024

var errAnswerLost = errors.New("the answer was lost on its way")

// inquire asks the receiver of a link after asks that were accepted before the
// last time. route.mu is held.
func (l *link) inquire(now time.Time) {
	n := l.route.node
	if now.Sub(l.inquired) < n.cfg.Beat {
		return
	}
	l.inquired = now
	var late []uint64
	for k := range l.asks {
		if k <= l.overdue && l.waiting[k] == nil && len(late) < maxInquiry {
			late = append(late, k)
		}
	}
	l.overdue = l.acked
	if len(late) > 0 {
		n.publish(n.subj.control(l.peer), inquiry(kindInquiry, l.id, late))
	}
}

func inquiry(k kind, link uint64, asks []uint64) []byte {
	return appendUints(appendLink(head(k), link), asks)
}

// inquired says which asks are not under way. An answer leaves before its ask is
// taken for over, so that it comes before this, if it comes.
func (n *Node) inquired(from string, r *reader) {
	id := r.link()
	asks := r.uints()
	if l := n.inlet(id, from); l != nil { // else nothing is left of any
		l.exposure.mu.Lock()
		asks = slices.DeleteFunc(asks, func(k uint64) bool {
			return k > l.processed || l.asks[k] != nil || l.parked[k] != nil
		})
		l.exposure.mu.Unlock()
	}
	if len(asks) > 0 && !r.bad {
		n.publish(n.subj.control(from), inquiry(kindNone, id, asks))
	}
}

// none ends asks whose answers were lost.
func (r *route) none(l *link, rd *reader) {
	asks := rd.uints()
	r.mu.Lock()
	defer r.unlock()
	for _, k := range asks {
		if j := l.asks[k]; j != nil && k <= l.acked && l.waiting[k] == nil {
			r.lost(j, errAnswerLost)
		}
	}
	r.finish(l)
}
