package mailbox

import (
	"slices"
	"time"

	"tinyactor/internal/sched"
)

// detachAbove is how many messages must wait for a receiver to take a chunk
// ahead. Fewer are not worth it: an actor with little to do needs one chunk.
const detachAbove = 4

// token is what wakes a waiting receiver.
type token bool

const (
	look  token = false // something has changed: look again
	given token = true  // a message was put into the receiver's hand
)

// What a receiver must not overlook, though it may not have the lock.
const (
	flagHalted uint32 = 1 << iota
	flagAborted
	flagLeft
)

// Held is the ticket of one received message: an opaque value that its sender
// put beside it.
type Held struct {
	At     int // index of the message in what was received
	Ticket any
}

// Receiver is one process's place at a queue. All methods but those of the
// queue itself are for one goroutine. On a Receiver that joined no queue they
// answer Closed.
type Receiver[M any] struct {
	q        *Queue[M]
	lease    lease        // over chunk
	wake     chan token   // capacity 1; holds a token only between its giver and its reader
	held     []Held       // tickets of what the last receive returned
	flags    sched.Uint32 // change under the lock
	patience patience
	chunk    *chunk[M] // taken ahead, if the queue's holder is this receiver
	ticket   any       // of hand
	hand     M         // whoever has ended this receiver's wait may write here before it gives the token

	place    place[*Receiver[M]] // in q.idle
	halted   bool                // asked to stop
	told     bool                // and has been told so
	left     bool
	deaf     bool                // halted and not come near the queue since
	busy     bool                // of one with a Ready channel: it has received something and has not come back
	seat     place[*Receiver[M]] // in q.seats
	haltedAt time.Time
	ready    chan struct{} // see Ready
	halting  chan struct{} // see Halting
	stopped  bool          // the Halting channel is closed, or will be when it is made
	timer    *sched.Timer  // of RecvBatch
}

// Recv waits for one message: OK, Halted, Closed, Aborted or Canceled. A nil
// done never ends the wait.
//
// What an actor costs is decided by what a process that waits has on its stack,
// and what a message touches on its way to it. So this has a small frame, and
// leaves to others what is rare.
func (r *Receiver[M]) Recv(done <-chan struct{}) (m M, s Status) {
	if at, ok := r.lease.one(); ok {
		c := r.chunk
		if c.tickets != nil || len(r.held) > 0 {
			return r.takeTicketed(at), OK
		}
		var zero M
		m, c.slots[at] = c.slots[at], zero
		return m, OK
	}
	if r.q == nil {
		return m, Closed
	}
	r.forget()
	for {
		var e ending
		if done == nil && r.await() {
			e = woken(sched.Recv(r.wake))
		} else if m, s, e = r.receive(done); e == over {
			return m, s
		}
		switch {
		case e == wokenLook:
		case r.flags.Load() == 0 && r.ticket == nil:
			var zero M
			m, r.hand = r.hand, zero
			return m, OK
		default:
			if m, ok := r.accept(0); ok {
				return m, OK
			}
		}
	}
}

// takeTicketed takes the message in a slot of the chunk, and its ticket.
func (r *Receiver[M]) takeTicketed(at int) M {
	r.forget()
	m, ticket := r.chunk.take(at)
	r.hold(0, ticket)
	return m
}

// receive does Recv under the lock: it is over, or a wait has ended otherwise.
func (r *Receiver[M]) receive(done <-chan struct{}) (m M, s Status, e ending) {
	q := r.q
	w := q.mu.take()
	if q.n > 0 && r.isPlain() {
		if c := q.first; c.tickets == nil && !c.lent && (c.tail-c.head > 1 || c.next == nil) {
			return r.takeFirst(c), OK, over
		}
	}
	q.taken(w)
	m, ticket, s := r.poll()
	if s == Empty && r.yield() {
		m, ticket, s = r.poll()
	}
	if s != Empty {
		r.finish(s == OK)
		r.hold(0, ticket)
		return m, s, over
	}
	if e, _ = r.wait(done, nil); e == canceled {
		return m, Canceled, over
	}
	return m, s, e
}

// isPlain reports whether a message can be taken the shortest way: one at a time,
// and nobody waits for its room. The lock is held.
func (r *Receiver[M]) isPlain() bool {
	q := r.q
	return q.holder == nil && (q.n <= detachAbove || q.seats.first != q.seats.last) &&
		q.senders.first == nil && q.delayed.first == nil && r.flags.Load() == 0 && r.ready == nil
}

// takeFirst takes the oldest message out of the first chunk, which holds another
// one or is the last. It lets go of the lock: others wait for it.
func (r *Receiver[M]) takeFirst(c *chunk[M]) (m M) {
	var zero M
	m, c.slots[c.head] = c.slots[c.head], zero
	c.head++
	r.q.out++
	if r.q.n--; r.q.n > 0 {
		r.q.mu.state.Store(free)
		return m
	}
	c.head, c.tail = 0, 0
	r.q.unlock()
	return m
}

// await begins to wait if nothing is going on at the queue, as the lock's state
// tells. Until then it lets other goroutines run, if that has been helping.
func (r *Receiver[M]) await() bool {
	state := &r.q.mu.state
	if r.wake == nil || state.Load() != calm || r.flags.Load()&flagLeft != 0 {
		return false
	}
	if r.patience.try() {
		for range yields {
			sched.Yield()
			if state.Load() != calm {
				r.patience.learn(true)
				return false
			}
		}
		r.patience.learn(false)
	}
	return state.CompareAndSwap(calm, awaited) // step 2: fails if anybody has had the lock since
}

// TryRecv is Recv that answers Empty instead of waiting.
func (r *Receiver[M]) TryRecv() (m M, s Status) {
	if r.q == nil {
		return m, Closed
	}
	r.forget()
	if at, ok := r.lease.one(); ok {
		m, ticket := r.chunk.take(at)
		r.hold(0, ticket)
		return m, OK
	}
	r.q.lock()
	m, ticket, s := r.poll()
	r.finish(s == OK)
	r.hold(0, ticket)
	return m, s
}

// RecvBatch waits for one message as Recv does, then until dst is full, or d
// has passed, or close, halt or done. It returns n > 0 only with OK. An abort
// gives back what was gathered.
func (r *Receiver[M]) RecvBatch(done <-chan struct{}, dst []M, d time.Duration) (n int, s Status) {
	if r.q == nil {
		return 0, Closed
	}
	r.forget()
	if at, k := r.lease.some(len(dst)); k > 0 {
		r.copy(dst, 0, at, k)
		if n = k; n == len(dst) {
			return n, OK
		}
	}
	return r.gather(done, dst, n, d)
}

// gather does the rest of RecvBatch, with n messages in dst.
func (r *Receiver[M]) gather(done <-chan struct{}, dst []M, n int, d time.Duration) (int, Status) {
	var timeout <-chan time.Time // runs from the first message on
	late := d <= 0               // it has run out
	r.q.lock()
	for {
		var s Status
		if n, s = r.fill(dst, n); s != Empty || n > 0 && late {
			if s == Aborted {
				r.q.unlock()
				r.giveBack(dst[:n]) // before the room of what it gives back is others'
				return 0, Aborted
			}
			r.finish(n > 0)
			switch {
			case n > 0:
				return n, OK
			}
			return 0, s
		}
		if n > 0 && !r.q.delayed.empty() {
			r.letIn()
			continue
		}
		if n > 0 && timeout == nil {
			timeout = r.after(d)
			defer r.timer.Stop()
		}
		e, tick := r.wait(done, timeout)
		late = late || tick
		if e == canceled {
			if n > 0 {
				return n, OK
			}
			return 0, Canceled
		}
		if e == wokenGiven {
			if m, ok := r.accept(n); ok {
				dst[n] = m
				n++
			}
		}
		r.q.lock()
	}
}

// fill puts messages into dst[n:] and returns the new n and why it ended: OK if
// dst is full or there is a halt to tell of next. The lock is held.
func (r *Receiver[M]) fill(dst []M, n int) (int, Status) {
	q := r.q
	for n < len(dst) {
		if q.asks && len(r.held) == cap(r.held) {
			q.unlock()
			r.held = slices.Grow(r.held, 64)
			q.lock()
		}
		if n > 0 && r.halted && !r.told && !r.isAborted() {
			return n, OK // the next call tells
		}
		m, ticket, s := r.poll()
		switch {
		case s == OK:
			dst[n] = m
			r.hold(n, ticket)
			n++
			n += r.fillAhead(dst, n)
		case s == Empty && !q.senders.empty():
			r.letIn()
		default:
			return n, s
		}
	}
	return n, OK
}

// letIn lets in, in the middle of a batch, who waits for what it has made
// possible. The lock is held at call and return, and free meanwhile.
func (r *Receiver[M]) letIn() {
	wake := r.q.admit(true)
	r.q.unlock()
	wake.all()
	r.q.lock()
}

// fillAhead puts messages that were taken ahead into dst[n:], and returns how many.
func (r *Receiver[M]) fillAhead(dst []M, n int) int {
	if r.q.holder != r {
		return 0
	}
	at := r.lease.head()
	k := min(len(dst)-n, r.chunk.tail-at)
	if r.chunk.tickets != nil {
		k = min(k, cap(r.held)-len(r.held))
	}
	r.copy(dst, n, at, k)
	r.lease.set(at+k, at+k)
	return k
}

// copy moves k messages of the chunk, from slot at on, to dst[n:].
func (r *Receiver[M]) copy(dst []M, n, at, k int) {
	slots := r.chunk.slots[at : at+k]
	copy(dst[n:], slots)
	clear(slots)
	if r.chunk.tickets == nil {
		return
	}
	for i, t := range r.chunk.tickets[at : at+k] {
		r.hold(n+i, t)
	}
	clear(r.chunk.tickets[at : at+k])
}

// poll takes one message or says why not, in the order in which a receiver must
// learn things. Empty means wait. The lock is held.
func (r *Receiver[M]) poll() (m M, ticket any, s Status) {
	r.deaf = false
	switch {
	case r.isAborted():
		return m, nil, Aborted
	case r.left:
		return m, nil, Closed
	case r.halted && !r.told:
		r.told = true
		return m, nil, Halted
	}
	if m, ticket, ok := r.next(); ok {
		r.busy = true
		return m, ticket, OK
	}
	r.busy = false
	if r.q.closed {
		return m, nil, Closed
	}
	return m, nil, Empty
}

// next takes the oldest message, and a chunk ahead if that is worth it and no
// other receiver could want it. The lock is held.
func (r *Receiver[M]) next() (m M, ticket any, ok bool) {
	q := r.q
	if q.holder == r {
		c, at := r.chunk, r.lease.head()
		if at < c.tail {
			r.lease.set(at+1, at+1)
			m, ticket = c.take(at)
			return m, ticket, true
		}
		q.holder = nil
		q.recycle(c)
	}
	r.chunk = nil
	switch {
	case q.n == 0:
		return m, nil, false
	case q.n > detachAbove && r.ready == nil && q.seats.first == q.seats.last:
		c := q.detach()
		at := c.head
		q.holder, r.chunk = r, c
		r.lease.set(at+1, at+1)
		q.measure()
		m, ticket = c.take(at)
	default:
		m, ticket = q.pop()
	}
	return m, ticket, true
}

// finish is the end of a receive under the lock: who waits for what it has made
// possible is woken, and the receiver may go on without the lock, unless there
// is something that it must do under it. It lets go of the lock.
func (r *Receiver[M]) finish(taken bool) {
	q := r.q
	wake := q.admit(taken)
	q.lend()
	r.rearm()
	q.unlock()
	wake.all()
}

// lend gives the holder as long a lease as nobody else needs it to come under the
// lock: not beyond a halt, a sender that waits for room, or the mark at which
// delays end.
func (q *Queue[M]) lend() {
	r := q.holder
	if r == nil {
		return
	}
	limit := r.chunk.tail
	switch {
	case r.isAborted(), r.halted && !r.told, !q.senders.empty():
		limit = 0
	case !q.delayed.empty():
		limit = min(limit, q.n+limit-q.policy.Start-1)
	}
	r.lease.limit(limit)
}

// yield lets other goroutines run in the hope that one of them sends, if that
// has been helping, and reports whether something has come. The lock is held at
// call and return.
func (r *Receiver[M]) yield() bool {
	if !r.patience.try() {
		return false
	}
	q := r.q
	for range yields {
		q.unlock()
		sched.Yield()
		q.lock()
		if q.n > 0 || q.closed || r.halted && !r.told || r.isAborted() {
			r.patience.learn(true)
			return true
		}
	}
	r.patience.learn(false)
	return false
}

// The ways in which a wait ends.
type ending uint8

const (
	wokenLook  ending = iota // look again
	wokenGiven               // there is a message in the hand
	canceled                 // done or timeout, whatever came first
	over                     // there was no need to wait
)

// wait sleeps until somebody wakes this receiver or done or timeout ends the
// wait. Both may come together: late says that the one tick of timeout has been
// taken. The lock is held at call, not at return. The queue is empty, and nothing
// has been able to change that since poll said so.
func (r *Receiver[M]) wait(done <-chan struct{}, timeout <-chan time.Time) (e ending, late bool) {
	q := r.q
	if r.wake == nil {
		q.unlock()
		r.wake = make(chan token, 1)
		return wokenLook, false
	}
	q.idle.join(&r.place) // step 1: nothing has changed since poll
	q.quota = 0           // the next send must look
	q.unlock()
	if done == nil && timeout == nil {
		return woken(sched.Recv(r.wake)), false
	}
	t, which := sched.Select(r.wake, done, timeout)
	if which == sched.First {
		return woken(t), false
	}
	late = which == sched.Tick
	q.lock()
	stays := r.place.in
	if stays {
		q.idle.leave(&r.place)
	}
	aborted := r.isAborted()
	q.unlock()
	switch {
	case !stays: // step 5: somebody chose this receiver first: what it decided stands
		return woken(sched.Recv(r.wake)), late
	case aborted: // which ends contexts first, but comes first
		return wokenLook, late
	}
	return canceled, late
}

func woken(t token) ending {
	if t == given {
		return wokenGiven
	}
	return wokenLook
}

// give wakes a receiver with a message. Only who has taken it out of q.idle may
// call it, without the lock.
func (r *Receiver[M]) give(m M, ticket any) {
	r.hand = m
	if ticket != nil {
		r.ticket = ticket
	}
	sched.Send(r.wake, given) // step 4: has room, only who chose the receiver comes here
}

// accept takes the message out of the hand, the at-th of this receive. If the
// receiver was aborted, it gives it back.
func (r *Receiver[M]) accept(at int) (m M, ok bool) {
	var zero M
	m, ticket := r.hand, r.ticket
	r.hand, r.ticket = zero, nil
	if f := r.flags.Load(); f != 0 {
		if f&flagAborted != 0 {
			r.returnOne(m, ticket)
			return zero, false
		}
		r.q.lock()
		r.deaf = false // it was halted in this receive
		r.q.unlock()
	}
	r.hold(at, ticket)
	return m, true
}

// returnOne makes a message that was in the hand the oldest again.
func (r *Receiver[M]) returnOne(m M, ticket any) {
	var tickets []any
	if ticket != nil {
		tickets = []any{ticket}
	}
	r.putFront(chunkOf([]M{m}, tickets))
}

// giveBack makes gathered messages the oldest again, in their order.
func (r *Receiver[M]) giveBack(ms []M) {
	if len(ms) == 0 {
		return
	}
	var tickets []any
	if len(r.held) > 0 {
		tickets = make([]any, len(ms))
		for _, h := range r.held {
			tickets[h.At] = h.Ticket
		}
	}
	c := chunkOf(slices.Clone(ms), tickets)
	clear(ms)
	r.forget()
	r.putFront(c)
}

// putFront puts a chunk before what this receiver has taken ahead and before
// everything else.
func (r *Receiver[M]) putFront(c *chunk[M]) {
	q := r.q
	q.lock()
	defer q.unlock()
	q.takeBack()
	q.putFront(c)
	q.share()
	q.signal()
}

// hold keeps the ticket of the at-th message of this receive.
func (r *Receiver[M]) hold(at int, ticket any) {
	if ticket != nil {
		r.held = append(r.held, Held{at, ticket})
	}
}

// forget lets go of the tickets of the last receive.
func (r *Receiver[M]) forget() {
	if len(r.held) > 0 {
		clear(r.held)
		r.held = r.held[:0]
	}
}

// Held returns the tickets of the messages that the last receive returned. The
// slice is valid until the next receive.
func (r *Receiver[M]) Held() []Held { return r.held }

// after starts the receiver's timer.
func (r *Receiver[M]) after(d time.Duration) <-chan time.Time {
	if r.timer == nil {
		r.timer = sched.NewTimer(d)
	} else {
		r.timer.Reset(d)
	}
	return r.timer.C
}

// Ready returns a channel that has a token when a receive would not wait. It is
// the same channel every time; a token may be stale. The channel is closed
// together with the queue. Ready may be called by one goroutine only.
func (r *Receiver[M]) Ready() <-chan struct{} {
	q := r.q
	if q == nil {
		return closedChan
	}
	var made chan struct{}
	if r.ready == nil {
		made = make(chan struct{}, 1)
	}
	q.lock()
	if made != nil {
		r.ready = made
		if q.closed {
			close(made)
		}
		if !r.left {
			q.signals++
		}
		q.takeBack() // who watches takes nothing ahead: its signals tell what is there
		q.measure()
	}
	r.deaf, r.busy = false, false
	r.rearm()
	q.unlock()
	return r.ready
}

// Halting returns a channel that is closed once the receiver is halted or aborted.
func (r *Receiver[M]) Halting() <-chan struct{} {
	q := r.q
	if q == nil {
		return closedChan
	}
	var made chan struct{}
	if r.halting == nil {
		made = make(chan struct{})
	}
	q.lock()
	if made != nil {
		r.halting = made
		if r.stopped {
			close(made)
		}
	}
	r.deaf = false
	q.unlock()
	return r.halting
}

// closedChan is for receivers without a queue.
var closedChan = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// rearm puts a token into the Ready channel if there is something to receive.
// The lock is held, as in all functions below that do not say otherwise.
func (r *Receiver[M]) rearm() {
	if r.ready != nil && (r.q.n > 0 || r.halted && !r.told || r.isAborted()) {
		r.signal()
	}
}

// signal puts a token into the Ready channel, if it is open and has none.
func (r *Receiver[M]) signal() {
	if r.ready == nil || r.q.closed {
		return
	}
	select {
	case r.ready <- struct{}{}:
	default:
	}
}

// halt marks the receiver; waking it is the caller's.
func (r *Receiver[M]) halt(waits bool) {
	if r.halted {
		return
	}
	r.halted, r.haltedAt = true, sched.Now()
	r.flags.Or(flagHalted)
	r.lease.limit(0)
	r.deaf = !waits
	r.closeHalting()
	r.signal()
}

// abort marks the receiver; waking it is the caller's.
func (r *Receiver[M]) abort() {
	r.flags.Or(flagAborted)
	r.lease.limit(0)
}

func (r *Receiver[M]) isAborted() bool { return r.flags.Load()&flagAborted != 0 }

// Halt asks this receiver alone to stop. The queue stays open. The lock is not
// held.
func (r *Receiver[M]) Halt() {
	q := r.q
	q.lock()
	defer q.unlock()
	r.halt(r.place.in)
	r.wakeUp()
}

// MarkAborted makes this receiver alone answer Aborted from now on. It does not
// wake it: Abort follows. The lock is not held.
func (r *Receiver[M]) MarkAborted() {
	r.q.lock()
	defer r.q.unlock()
	r.abort()
}

// Abort makes this receiver alone answer Aborted from now on, and wakes it. What
// it has taken ahead goes back. The queue stays open. The lock is not held.
func (r *Receiver[M]) Abort() {
	q := r.q
	q.lock()
	defer q.unlock()
	r.abort()
	r.closeHalting()
	r.signal()
	r.wakeUp()
	q.takeBack() // who takes ahead is alone, so nobody waits for it
}

// wakeUp ends the wait of the receiver, if it waits.
func (r *Receiver[M]) wakeUp() {
	if r.place.in {
		r.q.idle.leave(&r.place)
		sched.Send(r.wake, look)
	}
}

// closeHalting closes the Halting channel, at once or when somebody asks for it.
func (r *Receiver[M]) closeHalting() {
	if !r.stopped {
		r.stopped = true
		if r.halting != nil {
			close(r.halting)
		}
	}
}

// Halted returns when the receiver was halted, the zero time if it was not, and
// whether it has not come near the queue since. The lock is not held.
func (r *Receiver[M]) Halted() (at time.Time, deaf bool) {
	r.q.lock()
	defer r.q.unlock()
	return r.haltedAt, r.deaf
}
