package mailbox

import (
	"reflect"
	"runtime"
	"slices"
	"sync"
	"time"
)

// keptSenders is how many records of waiting senders a queue keeps for reuse, if
// their messages are small.
const keptSenders = 16

// Queue is a first-in, first-out queue of messages between any number of
// senders and the receivers that joined it. It must not be copied; Init comes
// before any other call.
type Queue[M any] struct {
	mu     sync.Mutex
	policy Policy

	closed, halted, aborted bool

	items   ring[M]
	first   uint64 // number of the oldest message; the next one gets first+items.n
	tickets tickets

	idle    line[*Receiver[M]] // receivers that wait for a message
	senders line[*sender[M]]   // senders that wait for room
	delayed line[*sender[M]]   // senders that backpressure holds up
	spare   []*sender[M]

	seats   []*Receiver[M] // who joined and has not left, in the order of joining
	signals int            // how many of them have a Ready channel
}

// sender is a send that waits.
type sender[M any] struct {
	place  place[*sender[M]]
	wake   chan struct{} // capacity 1; holds a token only between wake and its reader
	msg    M
	ticket any
	status Status // how the wait ended
}

// Init sets the policy of a queue that nobody uses yet.
func (q *Queue[M]) Init(p Policy) { q.policy = p }

// Policy returns what Init was given.
func (q *Queue[M]) Policy() Policy { return q.policy }

// Offer puts a message in if that needs no wait, no delay and no yield:
// OK, Full or Closed.
func (q *Queue[M]) Offer(m M, ticket any) Status {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return Closed
	}
	if q.crowded() {
		return Full
	}
	q.accept(m, ticket)
	return OK
}

// OfferAll puts a prefix of ms in, as far as that needs no wait, and returns
// its length. The status says why it ended: OK (all are in), Full or Closed.
func (q *Queue[M]) OfferAll(ms []M) (int, Status) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, m := range ms {
		if q.closed {
			return i, Closed
		}
		if q.crowded() {
			return i, Full
		}
		q.accept(m, nil)
	}
	return len(ms), OK
}

// Force puts a message in whatever the backpressure: OK, Full (only if the
// queue is bounded) or Closed.
func (q *Queue[M]) Force(m M) Status {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return Closed
	}
	if q.full() {
		return Full
	}
	q.accept(m, nil)
	return OK
}

// Push puts a message in, waiting for room and for as long as backpressure
// asks: OK, Closed or Canceled. Only on OK is the message in the queue. A nil
// done never ends the wait.
func (q *Queue[M]) Push(done <-chan struct{}, m M, ticket any) Status {
	q.mu.Lock()
	switch {
	case q.closed:
		q.mu.Unlock()
		return Closed
	case q.full():
		return q.waitForRoom(done, m, ticket)
	}
	d, slow := q.policy.delay(q.items.n), q.crowded()
	switch {
	case !slow:
	case d < yieldBelow:
		q.mu.Unlock()
		runtime.Gosched()
		q.mu.Lock()
	default:
		if !q.waitDelay(done, d) {
			q.mu.Unlock()
			return Canceled
		}
	}
	defer q.mu.Unlock()
	if q.closed {
		return Closed
	}
	q.accept(m, ticket)
	return OK
}

// waitForRoom is called with the lock held and returns without it.
func (q *Queue[M]) waitForRoom(done <-chan struct{}, m M, ticket any) Status {
	s := q.newSender()
	s.msg, s.ticket, s.status = m, ticket, Canceled
	q.senders.join(&s.place)
	q.mu.Unlock()
	if done == nil {
		<-s.wake
	} else {
		select {
		case <-s.wake:
		case <-done:
			q.mu.Lock()
			if s.place.in {
				q.senders.leave(&s.place)
				q.putSender(s)
				q.mu.Unlock()
				return Canceled
			}
			q.mu.Unlock()
			<-s.wake // somebody chose this sender first: what it decided stands
		}
	}
	q.mu.Lock()
	status := s.status
	q.putSender(s)
	q.mu.Unlock()
	return status
}

// waitDelay holds a sender up for d, or until the queue is back at its mark or
// closed. It reports false if done ended it. The lock is held at call and return.
func (q *Queue[M]) waitDelay(done <-chan struct{}, d time.Duration) bool {
	s := q.newSender()
	s.status = OK
	q.delayed.join(&s.place)
	q.mu.Unlock()
	t := time.NewTimer(d)
	canceled := false
	select {
	case <-s.wake:
	case <-t.C:
	case <-done:
		canceled = true
	}
	t.Stop()
	q.mu.Lock()
	if s.place.in {
		q.delayed.leave(&s.place)
	} else {
		select { // the token may have come after the timer or done
		case <-s.wake:
		default:
		}
	}
	q.putSender(s)
	return !canceled
}

// full reports whether a bounded queue has no room.
func (q *Queue[M]) full() bool { return q.policy.Limit > 0 && q.items.n >= q.policy.Limit }

// crowded reports whether a sender would have to wait, be delayed or yield.
func (q *Queue[M]) crowded() bool {
	return q.full() || q.policy.Start > 0 && q.items.n >= q.policy.Start
}

// accept gives the message to the receiver that has waited longest, or stores
// it. There is room. The lock is held, as in all functions below.
func (q *Queue[M]) accept(m M, ticket any) {
	if r, ok := q.idle.take(); ok {
		r.given, r.msg, r.ticket = true, m, ticket
		r.wake <- struct{}{}
		return
	}
	q.store(m, ticket)
}

// store appends a message and signals those who watch for one.
func (q *Queue[M]) store(m M, ticket any) {
	q.tickets.add(q.first+uint64(q.items.n), ticket)
	q.items.push(m)
	q.signal()
}

// take removes the oldest message and lets in who waits for its room.
func (q *Queue[M]) take() (M, any) {
	m := q.items.pop()
	ticket := q.tickets.of(q.first)
	q.first++
	for !q.senders.empty() && !q.full() {
		s, _ := q.senders.take()
		q.store(s.msg, s.ticket)
		s.status = OK
		s.wake <- struct{}{}
	}
	if q.items.n <= q.policy.Start {
		q.release(&q.delayed, OK)
	}
	return m, ticket
}

// putBack makes a message that was taken the oldest again.
func (q *Queue[M]) putBack(m M, ticket any) {
	if !q.idle.empty() {
		q.accept(m, ticket)
		return
	}
	q.first--
	q.items.pushFront(m)
	if ticket != nil {
		q.tickets.pushFront(stub{q.first, ticket})
	}
	q.signal()
}

// trim gives back the memory that an idle queue may not keep.
func (q *Queue[M]) trim() {
	q.items.trim()
	q.tickets.trim()
}

// signal tells the receivers that have a Ready channel that there is something to receive.
func (q *Queue[M]) signal() {
	if q.signals == 0 {
		return
	}
	for _, r := range q.seats {
		r.signal()
	}
}

// release ends the wait of every sender in a line.
func (q *Queue[M]) release(l *line[*sender[M]], s Status) {
	for {
		w, ok := l.take()
		if !ok {
			return
		}
		w.status = s
		w.wake <- struct{}{}
	}
}

// Close refuses all further messages and reports whether it was the call that
// did so. Receivers can go on taking what is there.
func (q *Queue[M]) Close() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.close()
}

func (q *Queue[M]) close() bool {
	if q.closed {
		return false
	}
	q.closed = true
	q.release(&q.senders, Closed)
	q.release(&q.delayed, Closed)
	for _, r := range q.seats {
		if r.ready != nil {
			close(r.ready)
		}
	}
	for q.wakeIdle() {
	}
	return true
}

// wakeIdle makes the longest waiting receiver look again.
func (q *Queue[M]) wakeIdle() bool {
	r, ok := q.idle.take()
	if ok {
		r.wake <- struct{}{}
	}
	return ok
}

// Halt closes the queue and asks every receiver, also those that join later, to
// stop, in one step. It reports whether it was the first to do so.
func (q *Queue[M]) Halt() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.halted {
		return false
	}
	q.halted = true
	for _, r := range q.seats {
		r.halt(r.place.in)
	}
	q.close() // a receiver waits only while the queue is open, so this wakes them all
	return true
}

// HaltSome asks n receivers that have not been asked to stop, waiting ones
// first, and returns how many there were. The queue stays open.
func (q *Queue[M]) HaltSome(n int) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	done := 0
	for p := q.idle.first; p != nil && done < n; {
		r, next := p.of, p.next
		if !r.halted { // who was halted before may wait again
			q.idle.leave(p)
			r.halt(true)
			r.wake <- struct{}{}
			done++
		}
		p = next
	}
	for _, r := range q.seats {
		if done >= n {
			break
		}
		if !r.halted {
			r.halt(false)
			done++
		}
	}
	return done
}

// MarkAborted makes every receiver, also those that join later, answer Aborted
// from now on. It wakes nobody: Abort follows.
func (q *Queue[M]) MarkAborted() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.markAborted()
}

func (q *Queue[M]) markAborted() {
	q.aborted = true
	for _, r := range q.seats {
		r.aborted = true
	}
}

// Abort closes the queue, makes every receiver, also those that join later,
// answer Aborted from now on, and wakes them.
func (q *Queue[M]) Abort() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.markAborted()
	for _, r := range q.seats {
		r.closeHalting()
	}
	q.close() // a receiver waits only while the queue is open, so this wakes them all
}

// Join adds a receiver that nobody uses yet.
func (q *Queue[M]) Join(r *Receiver[M]) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r.q = q
	r.place.of = r
	q.seats = append(q.seats, r)
	if q.halted {
		r.halt(false)
	}
	r.aborted = q.aborted
}

// Leave removes a receiver. Whatever it was given and has not taken goes back.
func (q *Queue[M]) Leave(r *Receiver[M]) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r.left = true
	if i := slices.Index(q.seats, r); i >= 0 {
		q.seats = slices.Delete(q.seats, i, i+1)
	}
	if r.ready != nil {
		q.signals--
	}
	r.leave()
}

// Take removes the oldest message for somebody who is not a receiver.
func (q *Queue[M]) Take() (m M, ticket any, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.items.n == 0 {
		q.trim()
		return m, nil, false
	}
	m, ticket = q.take()
	return m, ticket, true
}

// Tickets returns the tickets of the messages in the queue and leaves them there.
func (q *Queue[M]) Tickets() []any {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.tickets.all()
}

// Len returns how many messages are in the queue.
func (q *Queue[M]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.items.n
}

// Closed reports whether the queue refuses messages.
func (q *Queue[M]) Closed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

// newSender returns a record whose wake channel is empty.
func (q *Queue[M]) newSender() *sender[M] {
	if n := len(q.spare); n > 0 {
		s := q.spare[n-1]
		q.spare = q.spare[:n-1]
		return s
	}
	s := &sender[M]{wake: make(chan struct{}, 1)}
	s.place.of = s
	return s
}

// putSender keeps a record for the next sender that waits, without its message.
func (q *Queue[M]) putSender(s *sender[M]) {
	var zero M
	s.msg, s.ticket = zero, nil
	if n := len(q.spare); n == 0 || n < keptSenders && uintptr(n)*reflect.TypeFor[M]().Size() < idleBytes {
		q.spare = append(q.spare, s)
	}
}
