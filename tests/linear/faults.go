package linear

import (
	"sync"
	"time"

	"tinyactor/internal/mailbox"
	"tinyactor/internal/sched"
)

// Faults are wrong mailboxes: the checker is evidence only because it finds them.
var Faults = []*Fault{
	{"halt in two steps", func(s *subject) { s.queue = &twoSteps{&s.box} }},
	{"last in, first out", plantStack},
	{"one message more than the limit", func(s *subject) {
		if p := s.box.Policy(); p.Limit > 0 {
			p.Limit++
			s.box.Init(p)
		}
	}},
	{"closed while messages are left", plantSeats(func(s *subject, r seat) seat { return &hasty{r, s} })},
	{"halted twice", plantSeats(func(_ *subject, r seat) seat { return &deaf{seat: r} })},
	{"a cancelled message enters", func(s *subject) { s.queue = &stubborn{&s.box} }},
	{"a message received by two", plantSeats(func(s *subject, r seat) seat { return &copier{r, s} })},
	{"a sender that nobody wakes", func(s *subject) {
		s.queue = &sleeper{Queue: &s.box, closed: make(chan struct{})}
		s.asleep = 20 * time.Millisecond // this one does sleep
	}},
}

// plantSeats puts something between each receiver and its client.
func plantSeats(f func(*subject, seat) seat) func(*subject) {
	return func(s *subject) {
		for i, r := range s.seats {
			s.seats[i] = f(s, r)
		}
	}
}

// twoSteps closes and halts one after the other, as the first tiny-actor did.
type twoSteps struct{ *mailbox.Queue[msg] }

func (q *twoSteps) Halt() bool {
	q.Close()
	sched.Yield()
	return q.Queue.Halt()
}

// stack gives the newest message to whom the mailbox gives the oldest.
type stack struct {
	*mailbox.Queue[msg]
	mu  sync.Mutex
	all []msg
}

func plantStack(s *subject) {
	q := &stack{Queue: &s.box}
	s.queue = q
	plantSeats(func(_ *subject, r seat) seat { return &stackSeat{seat: r, q: q} })(s)
}

func (q *stack) push(s mailbox.Status, ms ...msg) mailbox.Status {
	q.mu.Lock()
	defer q.mu.Unlock()
	if s == mailbox.OK {
		q.all = append(q.all, ms...)
	}
	return s
}

// pop returns the newest message, for one that was received.
func (q *stack) pop() msg {
	for {
		q.mu.Lock()
		if n := len(q.all); n > 0 {
			m := q.all[n-1]
			q.all = q.all[:n-1]
			q.mu.Unlock()
			return m
		}
		q.mu.Unlock()
		sched.Yield() // its sender is about to push it
	}
}

func (q *stack) Put(m msg) mailbox.Status          { return q.push(q.Queue.Put(m), m) }
func (q *stack) Force(m msg) mailbox.Status        { return q.push(q.Queue.Force(m), m) }
func (q *stack) Offer(m msg, _ any) mailbox.Status { return q.push(q.Queue.Offer(m, nil), m) }

func (q *stack) Push(done <-chan struct{}, m msg, _ any) mailbox.Status {
	return q.push(q.Queue.Push(done, m, nil), m)
}

func (q *stack) OfferAll(ms []msg) (int, mailbox.Status) {
	n, s := q.Queue.OfferAll(ms)
	q.push(mailbox.OK, ms[:n]...)
	return n, s
}

func (q *stack) Take() (msg, any, bool) {
	_, _, ok := q.Queue.Take()
	if !ok {
		return 0, nil, false
	}
	m := q.pop()
	return m, m.ticket(), true
}

func (q *stack) Tickets() (all []any) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range q.all {
		if t := m.ticket(); t != nil {
			all = append(all, t)
		}
	}
	return all
}

type stackSeat struct {
	seat
	q    *stack
	held []mailbox.Held
}

func (r *stackSeat) Recv(done <-chan struct{}) (msg, mailbox.Status) {
	_, s := r.seat.Recv(done)
	return r.received(s)
}

func (r *stackSeat) TryRecv() (msg, mailbox.Status) {
	_, s := r.seat.TryRecv()
	return r.received(s)
}

func (r *stackSeat) RecvBatch(done <-chan struct{}, dst []msg, _ time.Duration) (int, mailbox.Status) {
	m, s := r.Recv(done)
	if s != mailbox.OK {
		return 0, s
	}
	dst[0] = m
	return 1, s
}

func (r *stackSeat) received(s mailbox.Status) (m msg, _ mailbox.Status) {
	r.held = nil
	if s != mailbox.OK {
		return 0, s
	}
	m = r.q.pop()
	if t := m.ticket(); t != nil {
		r.held = []mailbox.Held{{Ticket: t}}
	}
	return m, s
}

func (r *stackSeat) Held() []mailbox.Held { return r.held }

// hasty hears of the close before it has received what is left.
type hasty struct {
	seat
	s *subject
}

func (r *hasty) TryRecv() (msg, mailbox.Status) {
	if r.s.box.Closed() {
		return 0, mailbox.Closed
	}
	return r.seat.TryRecv()
}

// deaf must be told twice that it is halted.
type deaf struct {
	seat
	told, twice bool
}

func (r *deaf) TryRecv() (msg, mailbox.Status) {
	if r.told && !r.twice {
		r.twice = true
		return 0, mailbox.Halted
	}
	m, s := r.seat.TryRecv()
	r.told = r.told || s == mailbox.Halted
	return m, s
}

// stubborn sends a message though the wait for its room was cancelled.
type stubborn struct{ *mailbox.Queue[msg] }

func (q *stubborn) Push(done <-chan struct{}, m msg, ticket any) mailbox.Status {
	s := q.Queue.Push(done, m, ticket)
	if s == mailbox.Canceled {
		q.Queue.Push(nil, m, ticket)
	}
	return s
}

// copier receives a message and leaves it there.
type copier struct {
	seat
	s *subject
}

func (r *copier) TryRecv() (msg, mailbox.Status) {
	m, s := r.seat.TryRecv()
	if s == mailbox.OK && m == 1 {
		r.s.box.Force(m)
	}
	return m, s
}

// sleeper lets a sender that finds no room wait for the close.
type sleeper struct {
	*mailbox.Queue[msg]
	once   sync.Once
	closed chan struct{}
}

func (q *sleeper) Push(done <-chan struct{}, m msg, ticket any) mailbox.Status {
	if q.Policy().Limit == 0 {
		return q.Queue.Push(done, m, ticket)
	}
	s := q.Offer(m, ticket)
	if s != mailbox.Full {
		return s
	}
	<-q.closed
	return mailbox.Closed
}

func (q *sleeper) Close() bool {
	defer q.once.Do(func() { close(q.closed) })
	return q.Queue.Close()
}

func (q *sleeper) Halt() bool {
	defer q.once.Do(func() { close(q.closed) })
	return q.Queue.Halt()
}
