package mailbox

import (
	"math"
	"reflect"

	"tinyactor/internal/sched"
)

// Queue is a first-in, first-out queue of messages between any number of
// senders and the receivers that joined it. It must not be copied; Init comes
// before any other call.
type Queue[M any] struct {
	mu                      lock
	closed, halted, aborted bool
	asks                    bool // a message had a ticket: new chunks have places for tickets

	// A send that finds n below quota has nothing to look at but the last chunk:
	// the queue is open and not crowded, and nobody waits or watches for a message.
	n      int                // messages in the chunks, without what holder has taken ahead
	quota  int                // see measure
	last   *chunk[M]          // where messages enter; if nil, quota is 0
	seats  line[*Receiver[M]] // who joined and has not left, in the order of joining
	holder *Receiver[M]       // who has taken a chunk ahead: only one that is alone
	// What is above is all that most sends and receives touch: one cache line.

	idle     line[*Receiver[M]] // receivers that wait for a message
	first    *chunk[M]
	spare    *chunk[M] // empty chunks for reuse, linked by next
	spares   int
	policy   Policy
	bound    int              // the least of the policy's marks: above, a send looks closer
	signals  int              // how many of them have a Ready channel
	senders  line[*sender[M]] // senders that wait for room
	delayed  line[*sender[M]] // senders that backpressure holds up
	records  line[*sender[M]] // of senders that wait no more, for reuse
	kept     int              // how many records
	patience patience         // of senders that find no room

	out    uint64 // messages that receivers have got, with those that holder has taken ahead
	handed uint64 // messages that Take has removed
	high   int    // the greatest length that was noticed
	probe  *probe // nil: nobody has asked for one
}

// Init sets the policy of a queue that nobody uses yet.
func (q *Queue[M]) Init(p Policy) {
	q.policy, q.bound = p, math.MaxInt
	if p.Limit > 0 {
		q.bound = p.Limit
	}
	if p.Start > 0 {
		q.bound = min(q.bound, p.Start)
	}
}

// Policy returns what Init was given.
func (q *Queue[M]) Policy() Policy { return q.policy }

// Put puts a message in if that needs no wait, no delay and no yield: OK, Full or
// Closed.
func (q *Queue[M]) Put(m M) Status {
	w := q.mu.state.Swap(held)
	if w == held {
		w = q.mu.contend()
	}
	if w == awaited { // step 3: choose it
		r := q.seats.first.of
		q.out++
		q.mu.state.Store(calm)
		r.give(m, nil)
		return OK
	}
	if q.n < q.quota {
		if c := q.last; c.tail < len(c.slots) {
			c.slots[c.tail] = m
			c.tail++
			q.n++
			q.mu.state.Store(free)
			return OK
		}
	}
	return q.enter(m, nil, false)
}

// Offer is Put for a message that may have a ticket.
func (q *Queue[M]) Offer(m M, ticket any) Status {
	w := q.mu.take()
	if w == awaited {
		r := q.seats.first.of
		q.out++
		q.mu.state.Store(calm)
		r.give(m, ticket)
		return OK
	}
	return q.enter(m, ticket, false)
}

// Force puts a message in whatever the backpressure: OK, Full (only if the
// queue is bounded) or Closed.
func (q *Queue[M]) Force(m M) Status {
	q.lock()
	return q.enter(m, nil, true)
}

// OfferAll puts a prefix of ms in, as far as that needs no wait, and returns
// its length. The status says why it ended: OK (all are in), Full or Closed.
func (q *Queue[M]) OfferAll(ms []M) (n int, s Status) {
	for n < len(ms) {
		q.lock()
		if k := min(len(ms)-n, q.quota-q.n, q.last.room(false)); k > 0 {
			c := q.last
			copy(c.slots[c.tail:], ms[n:n+k])
			c.tail += k
			q.n += k
			n += k
			q.unlock()
			continue
		}
		if s := q.enter(ms[n], nil, false); s != OK {
			return n, s
		}
		n++
	}
	return n, OK
}

// enter gives a message to the receiver that has waited longest, or stores it:
// OK, Full or Closed. force overrules backpressure. The lock is held at call,
// not at return.
func (q *Queue[M]) enter(m M, ticket any, force bool) Status {
	var fresh *chunk[M]
	for {
		if q.idle.first != nil && q.senders.first == nil {
			r, _ := q.idle.take() // step 3: the queue is open and empty
			q.out++
			q.probe.enters()
			q.unlock()
			r.give(m, ticket)
			return OK
		}
		s := OK
		switch {
		case q.closed:
			s = Closed
		case q.full(), !force && q.crowded():
			s = Full
		}
		if s != OK {
			q.unlock()
			return s
		}
		if q.space(ticket != nil, &fresh) {
			q.store(m, ticket)
			q.measure()
			q.unlock()
			return OK
		}
		fresh = q.allocate()
	}
}

// store appends a message and signals those who watch for one. There is space.
// The lock is held, as in all functions below that do not say otherwise.
func (q *Queue[M]) store(m M, ticket any) {
	q.last.put(m, ticket)
	q.n++
	q.high = max(q.high, q.length())
	q.probe.enters()
	q.signal()
}

// space sees to it that the last chunk has a free slot, if it can without
// allocating: *fresh, if not nil, is a new chunk that it may use.
func (q *Queue[M]) space(ticket bool, fresh **chunk[M]) bool {
	q.asks = q.asks || ticket
	if q.last.room(ticket) > 0 {
		return true
	}
	c := *fresh
	*fresh = nil
	if c == nil || q.asks && c.tickets == nil {
		c = q.unspare(q.nextSize())
	}
	if c == nil {
		return false
	}
	if q.n == 0 { // an empty chunk that has no places for tickets, or none
		q.first = c
	} else {
		q.last.next = c
	}
	q.last = c
	return true
}

// nextSize returns the slots of the chunk that is to follow the last one.
func (q *Queue[M]) nextSize() int {
	n := 0
	if q.last != nil {
		n = len(q.last.slots)
	}
	return size(n, q.slotBytes())
}

// slotBytes returns what a slot takes, with the place for a ticket.
func (q *Queue[M]) slotBytes() int {
	n := int(reflect.TypeFor[M]().Size())
	if q.asks {
		n += 16
	}
	return n
}

// allocate makes a chunk. It lets go of the lock for that, so the caller must
// look again at everything.
func (q *Queue[M]) allocate() *chunk[M] {
	n, tickets := q.nextSize(), q.asks
	q.unlock()
	c := newChunk[M](n, tickets)
	q.lock()
	return c
}

// unspare returns a spare chunk of at least n slots, if there is one. It forgets
// those that are of no use any more.
func (q *Queue[M]) unspare(n int) *chunk[M] {
	for q.spare != nil {
		c := q.spare
		q.spare, c.next = c.next, nil
		q.spares--
		if len(c.slots) >= n && (c.tickets != nil || !q.asks) {
			return c
		}
	}
	return nil
}

// recycle keeps an empty chunk for reuse, if it may be used and few are kept.
func (q *Queue[M]) recycle(c *chunk[M]) {
	if c.lent || q.spares >= keptChunks && (q.spares+3)*len(c.slots)*q.slotBytes() > idleBytes {
		return
	}
	c.head, c.tail, c.next = 0, 0, q.spare
	q.spare = c
	q.spares++
}

// pop removes the oldest message from the chunks; there must be one.
func (q *Queue[M]) pop() (M, any) {
	c := q.first
	m, ticket := c.take(c.head)
	c.head++
	q.n--
	q.out++
	switch {
	case !c.empty():
	case c.next != nil:
		q.first = c.next
		c.next = nil
		q.recycle(c)
	case c.lent:
		q.first, q.last, q.quota = nil, nil, 0
	default:
		c.head, c.tail = 0, 0
	}
	return m, ticket
}

// detach removes the oldest chunk; there must be a message.
func (q *Queue[M]) detach() *chunk[M] {
	c := q.first
	q.first = c.next
	if q.first == nil {
		q.last = q.unspare(0)
		q.first = q.last
	}
	c.next = nil
	q.high = max(q.high, q.n)
	q.n -= c.tail - c.head
	q.out += uint64(c.tail - c.head)
	return c
}

// putFront makes the messages of a chunk the oldest again.
func (q *Queue[M]) putFront(c *chunk[M]) {
	if q.n == 0 && q.last != nil { // an empty chunk stands there for the next messages
		q.first, q.last = nil, nil
	}
	q.asks = q.asks || c.tickets != nil
	c.next = q.first
	q.first = c
	if q.last == nil {
		q.last = c
	}
	q.n += c.tail - c.head
	q.out -= uint64(c.tail - c.head) // they were somebody's
}

// takeBack takes from the holder what it has taken ahead and not received, so
// that others can receive it.
func (q *Queue[M]) takeBack() {
	r := q.holder
	if r == nil {
		return
	}
	q.holder = nil
	c := r.chunk
	c.head = r.lease.limit(0)
	c.lent = true
	if !c.empty() {
		q.putFront(c)
	}
	q.measure()
}

// ahead returns how many messages the holder has taken ahead and not received.
func (q *Queue[M]) ahead() int {
	if q.holder == nil {
		return 0
	}
	return q.holder.chunk.tail - q.holder.lease.head()
}

// length returns how many messages are in the queue.
func (q *Queue[M]) length() int { return q.n + q.ahead() }

// full reports whether a bounded queue has no room. There is none for others
// while senders wait for it.
func (q *Queue[M]) full() bool {
	return q.policy.Limit > 0 && (!q.senders.empty() || q.length() >= q.policy.Limit)
}

// crowded reports whether a sender would have to wait, be delayed or yield.
func (q *Queue[M]) crowded() bool {
	return q.full() || q.policy.Start > 0 && q.length() >= q.policy.Start
}

// measure sets the quota. What the holder receives without the lock only makes
// more room than that.
func (q *Queue[M]) measure() {
	if q.last == nil || q.closed || q.signals > 0 || !q.idle.empty() || !q.senders.empty() || q.probe.pending() {
		q.quota = 0
	} else {
		q.quota = q.bound - q.ahead()
	}
}

// share gives messages to the receivers that wait, as far as there are any of both.
func (q *Queue[M]) share() {
	for q.n > 0 {
		r, ok := q.idle.take()
		if !ok {
			return
		}
		r.give(q.pop())
	}
}

// signal tells the receivers that have a Ready channel that there is something to receive.
func (q *Queue[M]) signal() {
	if q.signals == 0 {
		return
	}
	for p := q.seats.first; p != nil; p = p.next {
		p.of.signal()
	}
}

// Close refuses all further messages and reports whether it was the call that
// did so. Receivers can go on taking what is there.
func (q *Queue[M]) Close() bool {
	q.lock()
	if q.closed {
		q.unlock()
		return false
	}
	wake := q.close()
	q.unlock()
	wake.all()
	return true
}

// close closes the queue and returns who must be woken without the lock.
func (q *Queue[M]) close() (w wakeup[M]) {
	if q.closed {
		return w
	}
	q.closed = true
	w.line(&q.senders, Closed)
	w.line(&q.delayed, Closed)
	for r, ok := q.idle.take(); ok; r, ok = q.idle.take() {
		w.receiver(&r.place)
	}
	for p := q.seats.first; p != nil; p = p.next {
		if p.of.ready != nil {
			close(p.of.ready)
		}
	}
	q.measure()
	return w
}

// Halt closes the queue and asks every receiver, also those that join later, to
// stop, in one step. It reports whether it was the first to do so.
func (q *Queue[M]) Halt() bool {
	q.lock()
	if q.halted {
		q.unlock()
		return false
	}
	q.halted = true
	for p := q.seats.first; p != nil; p = p.next {
		p.of.halt(p.of.place.in)
	}
	wake := q.close() // a receiver waits only while the queue is open, so this wakes them all
	q.unlock()
	wake.all()
	return true
}

// HaltSome asks n receivers that have not been asked to stop, waiting ones
// first, and returns how many there were. The queue stays open.
func (q *Queue[M]) HaltSome(n int) int {
	q.lock()
	defer q.unlock()
	done := 0
	for p := q.idle.first; p != nil && done < n; {
		r, next := p.of, p.next
		if !r.halted { // who was halted before may wait again
			q.idle.leave(p)
			r.halt(true)
			sched.Send(r.wake, look)
			done++
		}
		p = next
	}
	for p := q.seats.first; p != nil && done < n; p = p.next {
		if !p.of.halted {
			p.of.halt(false)
			done++
		}
	}
	return done
}

// MarkAborted makes every receiver, also those that join later, answer Aborted
// from now on. It wakes nobody: Abort follows.
func (q *Queue[M]) MarkAborted() {
	q.lock()
	defer q.unlock()
	q.markAborted()
}

func (q *Queue[M]) markAborted() {
	q.aborted = true
	for p := q.seats.first; p != nil; p = p.next {
		p.of.abort()
	}
}

// Abort closes the queue, makes every receiver, also those that join later,
// answer Aborted from now on, and wakes them.
func (q *Queue[M]) Abort() {
	q.lock()
	q.markAborted()
	for p := q.seats.first; p != nil; p = p.next {
		p.of.closeHalting()
	}
	wake := q.close() // a receiver waits only while the queue is open, so this wakes them all
	q.unlock()
	wake.all()
}

// Join adds a receiver that nobody uses yet.
func (q *Queue[M]) Join(r *Receiver[M]) {
	q.lock()
	defer q.unlock()
	q.takeBack() // with two, nobody takes ahead
	r.q = q
	r.place.of, r.seat.of = r, r
	q.seats.join(&r.seat)
	if q.halted {
		r.halt(false)
	}
	if q.aborted {
		r.abort()
		if q.closed {
			r.closeHalting()
		}
	}
}

// Leave removes a receiver. Whatever it has taken ahead goes back.
func (q *Queue[M]) Leave(r *Receiver[M]) {
	q.lock()
	defer q.unlock()
	if r.left {
		return
	}
	r.left = true
	r.flags.Or(flagLeft)
	q.takeBack()
	r.forget()
	r.chunk = nil
	q.seats.leave(&r.seat)
	if r.ready != nil {
		q.signals--
	}
	r.wakeUp()
}

// Take removes the oldest message for somebody who is not a receiver.
func (q *Queue[M]) Take() (m M, ticket any, ok bool) {
	q.lock()
	q.takeBack()
	if ok = q.n > 0; ok {
		m, ticket = q.pop()
		q.out--
		q.handed++
	}
	wake := q.admit(ok)
	q.unlock()
	wake.all()
	return m, ticket, ok
}

// Tickets returns the tickets of the messages in the queue and leaves them there.
func (q *Queue[M]) Tickets() []any { return q.tickets(math.MaxInt) }

// tickets returns those of the oldest messages, not more than most.
func (q *Queue[M]) tickets(most int) []any {
	var all []any
	for {
		q.lock()
		n := min(q.length(), most)
		if !q.asks || n <= cap(all) {
			break
		}
		q.unlock()
		all = make([]any, 0, n) // not under the lock
	}
	defer q.unlock()
	q.takeBack()
	for c := q.first; c != nil; c = c.next {
		if c.tickets == nil {
			continue
		}
		for _, t := range c.tickets[c.head:c.tail] {
			if most--; most < 0 {
				return all
			}
			if t != nil {
				all = append(all, t)
			}
		}
	}
	return all
}

// Len returns how many messages are in the queue.
func (q *Queue[M]) Len() int {
	q.lock()
	defer q.unlock()
	return q.length()
}

// Closed reports whether the queue refuses messages.
func (q *Queue[M]) Closed() bool {
	q.lock()
	defer q.unlock()
	return q.closed
}
