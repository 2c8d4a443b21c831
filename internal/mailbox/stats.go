package mailbox

import (
	"time"

	"tinyactor/internal/sched"
)

// mostCounted is how many receivers or senders are looked at, one by one, for
// somebody who only wants to know: everybody else stays away meanwhile.
const mostCounted = 4096

// Stats are a queue's figures at one moment. What was accepted is the sum of
// Received, Handed and Length.
type Stats struct {
	Received uint64 // by receivers, without what they gave back
	Handed   uint64 // removed by Take
	Length   int
	High     int // the greatest length that was noticed: up to one chunk below the greatest there was
	// Idle counts the receivers that wait for a message, or watch Ready: those
	// that have received nothing since they last asked for Ready or got Empty.
	Idle   int
	Limit  int // of the policy
	Start  int // of the policy
	Closed bool
	Halted bool
}

// Stats returns the figures. Of very many receivers it counts the idle ones
// among the first.
func (q *Queue[M]) Stats() Stats {
	q.lock()
	defer q.unlock()
	ahead := q.ahead() // once: its holder may go on receiving, without the lock
	n := q.n + ahead
	q.high = max(q.high, n)
	s := Stats{
		Received: q.out - uint64(ahead),
		Handed:   q.handed,
		Length:   n,
		High:     q.high,
		Limit:    q.policy.Limit,
		Start:    q.policy.Start,
		Closed:   q.closed,
		Halted:   q.halted,
	}
	seen := 0
	for p := q.seats.first; p != nil && seen < mostCounted; p = p.next {
		if p.of.place.in || p.of.ready != nil && !p.of.busy && n == 0 {
			s.Idle++
		}
		seen++
	}
	return s
}

// Waiter is a sender that waits for room, or that backpressure holds up.
type Waiter struct {
	From  any // as given to PushFrom
	Since time.Time
}

// Waiting returns the senders that wait and have told who they are, those for
// room first, in order; of very many, the first.
func (q *Queue[M]) Waiting() []Waiter {
	var all []Waiter
	for {
		q.lock()
		n := 0
		for _, l := range [...]*line[*sender[M]]{&q.senders, &q.delayed} {
			for p := l.first; p != nil && n < mostCounted; p = p.next {
				n++
			}
		}
		if n <= cap(all) {
			break
		}
		q.unlock()
		all = make([]Waiter, 0, n+8) // not under the lock
	}
	defer q.unlock()
	for _, l := range [...]*line[*sender[M]]{&q.senders, &q.delayed} {
		for p := l.first; p != nil && len(all) < cap(all); p = p.next {
			if p.of.from != nil {
				all = append(all, Waiter{p.of.from, p.of.since})
			}
		}
	}
	return all
}

// Asks returns the tickets of the messages in the queue; of very many, those of
// the oldest. What a receiver has taken ahead comes back for that.
func (q *Queue[M]) Asks() []any { return q.tickets(mostCounted) }

// probe notes when one message enters the queue, so that somebody learns how
// long it is in there. Until that message comes, no send goes the short way.
type probe struct {
	set    bool // the next message that enters is the one
	target uint64
	at     time.Time // when it entered
}

// pending reports whether the next message that enters is to be noted.
func (p *probe) pending() bool { return p != nil && p.set }

// enters notes that a message enters the queue, or is given to a receiver. The
// lock is held.
func (p *probe) enters() {
	if p.pending() {
		p.set, p.at = false, sched.Now()
	}
}

// gone returns how many messages have been in the queue and are not any more.
// The lock is held.
func (q *Queue[M]) gone() uint64 { return q.out - uint64(q.ahead()) + q.handed }

// Probe has the next message timed. How far that is, Reached tells. A probe
// before that is forgotten.
func (q *Queue[M]) Probe() {
	p := new(probe) // not under the lock
	q.lock()
	defer q.unlock()
	p.set, p.target = true, q.out+q.handed+uint64(q.n)+1 // what is taken ahead is in out
	q.probe = p
	q.measure()
}

// Reached returns, once the message that Probe meant has been received, when it
// entered the queue; until then, how many messages must be received before that
// can be, by all receivers together. Probe has been called.
func (q *Queue[M]) Reached() (at time.Time, left int) {
	q.lock()
	defer q.unlock()
	if n := q.gone(); n < q.probe.target {
		return time.Time{}, int(q.probe.target - n)
	}
	return q.probe.at, 0
}
