package mailbox

import (
	"reflect"
	"time"

	"tinyactor/internal/sched"
)

// keptSenders is how many records of waiting senders a queue keeps for reuse, if
// their messages are small.
const keptSenders = 16

// yieldsForRoom is how often a sender that finds no room lets other goroutines
// run before it takes its place in the line: a receiver that is at work has
// mostly made room by then, and nobody needs to be woken.
const yieldsForRoom = 3

// sender is the record of a send that waits.
type sender[M any] struct {
	place  place[*sender[M]]
	wake   chan struct{} // capacity 1; holds a token only between wakeup.all and its reader
	msg    M
	ticket any
	status Status // how the wait ended
	from   any    // see PushFrom
	since  time.Time
}

// Push puts a message in, waiting for room and for as long as backpressure
// asks: OK, Closed or Canceled. Only on OK is the message in the queue. A nil
// done never ends the wait.
func (q *Queue[M]) Push(done <-chan struct{}, m M, ticket any) Status {
	return q.PushFrom(done, m, ticket, nil)
}

// PushFrom is Push for a sender that Waiting names, unless from is nil.
func (q *Queue[M]) PushFrom(done <-chan struct{}, m M, ticket, from any) Status {
	q.lock()
	if q.policy.Limit > 0 {
		q.yieldForRoom()
	}
	for ; ; q.lock() {
		if s, over := q.slowly(done, m, ticket, from); over {
			return s
		}
	}
}

// yieldForRoom lets other goroutines run while the queue is full, if that has
// been helping. Where many senders compete it does not. The lock is held at call
// and return.
func (q *Queue[M]) yieldForRoom() {
	if !q.full() || !q.senders.empty() || !q.patience.try() {
		return
	}
	for range yieldsForRoom {
		q.unlock()
		sched.Yield()
		q.lock()
		if q.closed || !q.full() {
			q.patience.learn(true)
			return
		}
	}
	q.patience.learn(false)
}

// slowly is Push for a message that finds the queue crowded: it waits for room or
// is delayed. over is false if it must begin again. The lock is held at call, not
// at return.
func (q *Queue[M]) slowly(done <-chan struct{}, m M, ticket, from any) (s Status, over bool) {
	switch {
	case q.closed:
		q.unlock()
		return Closed, true
	case q.full():
		if w := q.record(from); w != nil {
			return q.waitForRoom(w, done, m, ticket), true
		}
		return OK, false
	case q.crowded():
		if d := q.policy.delay(q.length()); d < yieldBelow {
			q.unlock()
			sched.Yield()
		} else if w := q.record(from); w == nil {
			return OK, false
		} else if !q.waitDelay(w, done, d) {
			return Canceled, true
		}
		q.lock()
	}
	s = q.enter(m, ticket, true)
	return s, s != Full
}

// waitForRoom takes its place behind the other senders and sleeps until it gets
// room. The lock is held at call, not at return.
func (q *Queue[M]) waitForRoom(s *sender[M], done <-chan struct{}, m M, ticket any) Status {
	s.msg, s.ticket = m, ticket
	q.senders.join(&s.place)
	q.quota = 0
	q.lend()               // from now on, the holder makes room under the lock
	wake := q.admit(false) // what it made since the look at the queue is this one's, if it is its turn
	q.unlock()
	wake.all()
	if done == nil {
		sched.Recv(s.wake)
	} else if _, which := sched.Select(s.wake, done, nil); which == sched.Done {
		q.lock()
		if s.place.in {
			q.senders.leave(&s.place)
			q.measure()
			q.discard(s)
			return Canceled
		}
		q.unlock()
		sched.Recv(s.wake) // somebody chose this sender first: what it decided stands
	}
	status := s.status
	q.lock()
	q.discard(s)
	return status
}

// waitDelay holds a sender up for d, or until the queue is back at its mark or
// closed. It reports false if done ended it. The lock is held at call, not at
// return.
func (q *Queue[M]) waitDelay(s *sender[M], done <-chan struct{}, d time.Duration) bool {
	q.delayed.join(&s.place)
	q.lend() // the holder must notice when the queue is back at its mark
	var wake wakeup[M]
	if q.length() < q.policy.Start { // it is, since the look at the queue
		wake.line(&q.delayed, OK)
	}
	q.unlock()
	wake.all()
	t := sched.NewTimer(d)
	_, which := sched.Select(s.wake, done, t.C)
	t.Stop()
	q.lock()
	if s.place.in {
		q.delayed.leave(&s.place)
	} else if which != sched.First {
		q.unlock()
		sched.Recv(s.wake) // somebody chose this sender at that moment
		q.lock()
	}
	q.discard(s)
	return which != sched.Done
}

// admit lets senders in that wait for room, as far as there is some, and ends
// delays if a message was taken and the queue is back at its mark. It may let go
// of the lock and take it again. The caller gives the result its tokens when it
// has let go of the lock.
func (q *Queue[M]) admit(taken bool) (w wakeup[M]) {
	if q.senders.empty() && q.delayed.empty() {
		return w
	}
	var fresh *chunk[M]
	for !q.senders.empty() && q.length() < q.policy.Limit {
		s := q.senders.first.of
		if !q.space(s.ticket != nil, &fresh) {
			fresh = q.allocate()
			continue
		}
		q.senders.leave(&s.place)
		q.store(s.msg, s.ticket)
		w.sender(&s.place, OK)
	}
	if taken && q.length() <= q.policy.Start {
		w.line(&q.delayed, OK)
	}
	q.share() // somebody may have begun to wait while the lock was free
	q.measure()
	return w
}

// record returns a record for a sender that has to wait. If there is none, it
// lets go of the lock, makes one for the next call, and returns nil.
func (q *Queue[M]) record(from any) *sender[M] {
	s, ok := q.records.take()
	if ok {
		q.kept--
		if from != nil {
			s.from, s.since = from, sched.Now()
		}
		return s
	}
	q.unlock()
	s = &sender[M]{wake: make(chan struct{}, 1)}
	s.place.of = s
	q.lock()
	q.discard(s)
	return nil
}

// keep keeps a record for the next sender that waits, without its message. The
// lock is held.
func (q *Queue[M]) keep(s *sender[M]) {
	var zero M
	s.msg, s.ticket, s.from = zero, nil, nil
	if q.kept == 0 || q.kept < keptSenders && uintptr(q.kept)*reflect.TypeFor[M]().Size() < idleBytes {
		q.records.join(&s.place)
		q.kept++
	}
}

// discard keeps a record and lets go of the lock.
func (q *Queue[M]) discard(s *sender[M]) {
	q.keep(s)
	q.unlock()
}
