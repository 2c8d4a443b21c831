package mailbox

import "time"

// Receiver is one process's place at a queue. All methods but those of the
// queue itself are for one goroutine. On a Receiver that joined no queue they
// answer Closed.
type Receiver[M any] struct {
	q     *Queue[M]
	place place[*Receiver[M]] // in q.idle
	wake  chan struct{}       // capacity 1; holds a token only between wake and its reader

	halted, told bool // asked to stop; has been told so
	aborted      bool
	left         bool
	haltedAt     time.Time
	deaf         bool // halted and not come near the queue since

	given  bool // a message was put here while the receiver waited
	msg    M
	ticket any

	ready         chan struct{} // see Ready
	halting       chan struct{} // see Halting
	haltingClosed bool
	timer         *time.Timer // of RecvBatch

	held []Held // tickets of what the last receive returned
}

// Recv waits for one message: OK, Halted, Closed, Aborted or Canceled. A nil
// done never ends the wait.
func (r *Receiver[M]) Recv(done <-chan struct{}) (m M, s Status) {
	q := r.q
	if q == nil {
		return m, Closed
	}
	q.mu.Lock()
	r.begin()
	for {
		if m, s = r.poll(0); s != Empty {
			break
		}
		if woken, _ := r.wait(done, nil); !woken {
			s = Canceled
			break
		}
		if r.given && !r.aborted {
			m, s = r.accept(0), OK
			break
		}
	}
	r.end()
	q.mu.Unlock()
	return m, s
}

// TryRecv is Recv that answers Empty instead of waiting.
func (r *Receiver[M]) TryRecv() (m M, s Status) {
	q := r.q
	if q == nil {
		return m, Closed
	}
	q.mu.Lock()
	r.begin()
	m, s = r.poll(0)
	r.end()
	q.mu.Unlock()
	return m, s
}

// RecvBatch waits for one message as Recv does, then until dst is full, or d
// has passed, or close, halt or done. It returns n > 0 only with OK. An abort
// gives back what was gathered.
func (r *Receiver[M]) RecvBatch(done <-chan struct{}, dst []M, d time.Duration) (n int, s Status) {
	q := r.q
	if q == nil {
		return 0, Closed
	}
	q.mu.Lock()
	r.begin()
	n, s = r.gather(done, dst, d)
	r.end()
	q.mu.Unlock()
	return n, s
}

// gather does RecvBatch with the lock held at call and return.
func (r *Receiver[M]) gather(done <-chan struct{}, dst []M, d time.Duration) (n int, s Status) {
	var timeout <-chan time.Time // runs from the first message on
	late := d <= 0               // it has run out
	for {
		for s = OK; s == OK && n < len(dst); {
			if n > 0 && r.halted && !r.told && !r.aborted {
				return n, OK // the next call tells
			}
			if dst[n], s = r.poll(n); s == OK {
				n++
			}
		}
		switch {
		case s == Aborted:
			r.giveBack(dst[:n])
			return 0, Aborted
		case n > 0 && (s != Empty || late):
			return n, OK
		case s != Empty:
			return 0, s
		}
		if n > 0 && timeout == nil {
			timeout = r.after(d)
			defer r.timer.Stop()
		}
		woken, tick := r.wait(done, timeout)
		if !woken {
			if n > 0 {
				return n, OK
			}
			return 0, Canceled
		}
		late = late || tick
		if r.given && !r.aborted {
			dst[n] = r.accept(n)
			n++
		}
	}
}

// begin and end are around every receive.
func (r *Receiver[M]) begin() {
	r.deaf = false
	clear(r.held)
	r.held = r.held[:0]
}

func (r *Receiver[M]) end() {
	r.deaf = false
	r.q.trim()
	r.rearm()
}

// poll takes one message, the at-th of this receive, or says why not, in the
// order in which a receiver must learn things. Empty means wait.
func (r *Receiver[M]) poll(at int) (m M, s Status) {
	q := r.q
	switch {
	case r.aborted:
		r.undoGiven()
		return m, Aborted
	case r.left:
		return m, Closed
	case r.halted && !r.told:
		r.told = true
		return m, Halted
	case q.items.n > 0:
		m, ticket := q.take()
		r.hold(at, ticket)
		return m, OK
	case q.closed:
		return m, Closed
	default:
		q.trim()
		return m, Empty
	}
}

// wait sleeps until somebody wakes this receiver (woken: look again) or done or
// timeout ends the wait. Both may come together: late says that the one tick of
// timeout has been taken. The lock is held at call and return. The queue is
// empty, and nothing has been able to change that since poll said so.
func (r *Receiver[M]) wait(done <-chan struct{}, timeout <-chan time.Time) (woken, late bool) {
	q := r.q
	if r.wake == nil {
		r.wake = make(chan struct{}, 1)
	}
	q.idle.join(&r.place)
	q.mu.Unlock()
	if done == nil && timeout == nil {
		<-r.wake
		q.mu.Lock()
		return true, false
	}
	select {
	case <-r.wake:
		q.mu.Lock()
		return true, false
	case <-done:
	case <-timeout:
		late = true
	}
	q.mu.Lock()
	if r.place.in {
		q.idle.leave(&r.place)
		return r.aborted, late // an abort ends contexts first, and comes first
	}
	<-r.wake // somebody chose this receiver first, and put the token there under the lock
	return true, late
}

// accept takes the message that was put here while the receiver waited.
func (r *Receiver[M]) accept(at int) M {
	m, ticket := r.clearGiven()
	r.hold(at, ticket)
	return m
}

func (r *Receiver[M]) clearGiven() (M, any) {
	var zero M
	m, ticket := r.msg, r.ticket
	r.given, r.msg, r.ticket = false, zero, nil
	return m, ticket
}

// undoGiven gives back a message that the receiver has not seen.
func (r *Receiver[M]) undoGiven() {
	if r.given {
		r.q.putBack(r.clearGiven())
	}
}

// giveBack makes gathered messages the oldest again, in their order.
func (r *Receiver[M]) giveBack(ms []M) {
	var zero M
	for i := len(ms) - 1; i >= 0; i-- {
		var ticket any
		if k := len(r.held) - 1; k >= 0 && r.held[k].At == i {
			ticket = r.held[k].Ticket
			r.held[k] = Held{}
			r.held = r.held[:k]
		}
		r.q.putBack(ms[i], ticket)
		ms[i] = zero
	}
}

// hold keeps the ticket of the at-th message of this receive.
func (r *Receiver[M]) hold(at int, ticket any) {
	if ticket != nil {
		r.held = append(r.held, Held{at, ticket})
	}
}

// Held returns the tickets of the messages that the last receive returned. The
// slice is valid until the next receive.
func (r *Receiver[M]) Held() []Held { return r.held }

// after starts the receiver's timer.
func (r *Receiver[M]) after(d time.Duration) <-chan time.Time {
	if r.timer == nil {
		r.timer = time.NewTimer(d)
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
	q.mu.Lock()
	defer q.mu.Unlock()
	if r.ready == nil {
		r.ready = make(chan struct{}, 1)
		if q.closed {
			close(r.ready)
		}
		if !r.left {
			q.signals++
		}
	}
	r.end()
	return r.ready
}

// Halting returns a channel that is closed once the receiver is halted or aborted.
func (r *Receiver[M]) Halting() <-chan struct{} {
	q := r.q
	if q == nil {
		return closedChan
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if r.halting == nil {
		r.halting = make(chan struct{})
		if r.halted || r.aborted && q.closed {
			r.closeHalting()
		}
	}
	r.deaf = false
	return r.halting
}

// closedChan is for receivers without a queue.
var closedChan = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// rearm puts a token into the Ready channel if there is something to receive.
func (r *Receiver[M]) rearm() {
	if r.ready != nil && (r.q.items.n > 0 || r.halted && !r.told) {
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
	r.halted, r.haltedAt = true, time.Now()
	r.deaf = !waits && !r.given // who has been given a message is still in its receive
	r.closeHalting()
	r.signal()
}

// closeHalting closes the Halting channel, if somebody asked for it and it is open.
func (r *Receiver[M]) closeHalting() {
	if r.halting != nil && !r.haltingClosed {
		r.haltingClosed = true
		close(r.halting)
	}
}

// leave ends what another goroutine than the process's may still do here.
func (r *Receiver[M]) leave() {
	if r.place.in {
		r.q.idle.leave(&r.place)
		r.wake <- struct{}{}
	}
	r.undoGiven()
	r.held = nil
}

// Halted returns when the receiver was halted, the zero time if it was not, and
// whether it has not come near the queue since.
func (r *Receiver[M]) Halted() (at time.Time, deaf bool) {
	r.q.mu.Lock()
	defer r.q.mu.Unlock()
	return r.haltedAt, r.deaf
}
