package mailbox_test

import (
	"slices"
	"time"

	"tinyactor/internal/mailbox"
)

// fuzzOps are the operations of a sequence. Each does one thing to the queue,
// waits until everything has settled, and does the same to the model.
var fuzzOps = []func(m *queueModel, arg int){
	0: func(m *queueModel, _ int) { m.push() },
	1: func(m *queueModel, _ int) { m.offer() },
	2: func(m *queueModel, _ int) { m.force() },
	3: func(m *queueModel, arg int) { m.recv(arg, 1, -1) },
	4: func(m *queueModel, arg int) { m.tryRecv(arg) },
	5: func(m *queueModel, arg int) {
		m.recv(arg>>2, 2+arg%3, time.Duration(arg%5)*time.Millisecond+time.Millisecond/2)
	},
	6:  func(m *queueModel, _ int) { m.closeOp() },
	7:  func(m *queueModel, _ int) { m.halt() },
	8:  func(m *queueModel, arg int) { m.haltSome(arg % 4) },
	9:  func(m *queueModel, _ int) { m.abort() },
	10: func(m *queueModel, arg int) { m.cancelSend(arg) },
	11: func(m *queueModel, arg int) { m.cancelRecv(arg) },
	12: func(m *queueModel, _ int) { m.takeOp() },
	13: func(m *queueModel, arg int) { m.pass(time.Duration(1+arg%4) * time.Millisecond) },
	14: func(m *queueModel, _ int) { m.join() },
	15: func(m *queueModel, arg int) { m.leave(arg) },
	16: func(m *queueModel, arg int) { m.recv(arg>>2, 1+arg%4, 0) },
	17: func(m *queueModel, arg int) { m.offerAll(1 + arg%7) },
	18: func(m *queueModel, _ int) { m.probeOp() },
}

// fuzzDice says how often each comes: the rare ones end the queue.
var fuzzDice = func() (dice []int) {
	for op := range fuzzOps {
		often := 5
		switch op {
		case 6, 7, 9:
			often = 1
		case 2, 8, 12, 14, 15:
			often = 3
		case 0, 3:
			often = 20
		}
		for range often {
			dice = append(dice, op)
		}
	}
	return dice
}()

func (m *queueModel) newSend() *queueSend {
	s := &queueSend{id: len(m.sends)}
	m.sends = append(m.sends, s)
	return s
}

func (m *queueModel) push() {
	if m.delayed != nil {
		return // with two of them it would be open who is first
	}
	s := m.newSend()
	s.begun = time.Now()
	m.note("Push %d", s.id)
	if s.id%2 == 0 {
		s.cancel = make(chan struct{}) // the others cannot be cancelled
	}
	go func() {
		status := m.q.PushFrom(s.cancel, s.id, ticketOf(s.id), s)
		m.mu.Lock()
		defer m.mu.Unlock()
		s.status, s.done = status, true
	}()
	m.settle(0)
	switch {
	case m.closed:
		m.sendEnds(s, mailbox.Closed)
	case m.full():
		m.waiting = append(m.waiting, s)
	case m.crowded():
		m.delayed = s
		s.due = time.Now().Add(min(mailbox.MaxDelay, time.Duration(len(m.queue)-m.p.Start+1)*m.p.Base))
	default:
		m.accept(s.id)
		m.sendEnds(s, mailbox.OK)
	}
}

func (m *queueModel) offer() {
	s := m.newSend()
	m.note("Offer %d", s.id)
	s.status, s.done = m.q.Offer(s.id, ticketOf(s.id)), true
	m.settle(0)
	m.offered(s, m.crowded())
}

// force makes a message without a ticket: its number must have none.
func (m *queueModel) force() {
	if ticketOf(len(m.sends)) != nil {
		m.newSend().done = true
		m.sends[len(m.sends)-1].over = true
	}
	s := m.newSend()
	m.note("Force %d", s.id)
	s.status, s.done = m.q.Force(s.id), true
	m.settle(0)
	m.offered(s, m.full())
}

func (m *queueModel) offered(s *queueSend, full bool) {
	switch {
	case m.closed:
		m.sendEnds(s, mailbox.Closed)
	case full:
		m.sendEnds(s, mailbox.Full)
	default:
		m.accept(s.id)
		m.sendEnds(s, mailbox.OK)
	}
}

func (m *queueModel) offerAll(k int) {
	if len(m.waiters()) > 0 {
		return // it would be open what a batch gets
	}
	var ids []int
	var all []*queueSend
	for len(ids) < k {
		s := m.newSend()
		s.done, s.over = true, true
		if ticketOf(s.id) == nil {
			ids, all = append(ids, s.id), append(all, s)
		}
	}
	m.note("OfferAll %v", ids)
	n, status := m.q.OfferAll(ids)
	m.settle(0)
	want, in := mailbox.OK, 0
	for _, s := range all {
		switch {
		case m.closed:
			want = mailbox.Closed
		case m.crowded():
			want = mailbox.Full
		default:
			m.accept(s.id)
			in++
		}
	}
	if n != in || status != want {
		m.fail("OfferAll: %d, status %d, want %d, %d", n, status, in, want)
	}
}

// receive has a receiver's goroutine call f.
func (m *queueModel) receive(r *queueRecv, f func() ([]int, mailbox.Status)) {
	r.done, r.cancel = false, nil
	if r.index%2 == 0 {
		r.cancel = make(chan struct{}) // the others cannot be cancelled
	}
	r.do <- func() {
		got, status := f()
		m.mu.Lock()
		defer m.mu.Unlock()
		r.got, r.status, r.done = got, status, true
		r.held = slices.Clone(r.r.Held())
	}
	m.settle(0)
}

func (m *queueModel) recv(arg, max int, wait time.Duration) {
	r := m.pick(arg)
	if r == nil || wait > 0 && m.seats() > 1 || len(m.waiters()) > 0 && m.waiters()[0].wait > 0 {
		return // what a batch has gathered can be seen only if it is alone
	}
	m.note("receiver %d: max %d wait %v", r.index, max, wait)
	m.receive(r, func() ([]int, mailbox.Status) {
		if wait < 0 {
			id, s := r.r.Recv(r.cancel)
			return []int{id}, s
		}
		dst := make([]int, max)
		n, s := r.r.RecvBatch(r.cancel, dst, wait)
		return dst[:n], s
	})
	r.max, r.wait = max, wait
	if m.told(r) {
		return
	}
	if len(m.queue) == 0 {
		if m.closed {
			m.refused(r, mailbox.Closed)
		} else {
			r.waiting = true
		}
		return
	}
	// Room that a batch makes may be filled before it has ended.
	least, most := min(max, len(m.queue)), min(max, len(m.queue)+len(m.waiting))
	n := len(r.got)
	if wait > 0 {
		n = most
		if n < max && !m.closed {
			r.due, r.waiting = time.Now().Add(wait), true
		}
	}
	if n < least || n > most {
		m.fail("receiver %d: %d messages, want %d to %d", r.index, n, least, most)
		return
	}
	var ids []int
	for range n {
		ids = append(ids, m.take())
	}
	if r.waiting {
		r.gathered = ids
	} else {
		m.received(r, ids)
	}
	m.undelay(true)
}

func (m *queueModel) tryRecv(arg int) {
	r := m.pick(arg)
	if r == nil {
		return
	}
	m.note("receiver %d: TryRecv", r.index)
	m.receive(r, func() ([]int, mailbox.Status) {
		id, s := r.r.TryRecv()
		return []int{id}, s
	})
	r.wait = 0
	switch {
	case m.told(r):
	case len(m.queue) > 0:
		m.received(r, []int{m.take()})
		m.undelay(true)
	case m.closed:
		m.refused(r, mailbox.Closed)
	default:
		m.refused(r, mailbox.Empty)
	}
}

// told is what a receive says before it looks at the queue.
func (m *queueModel) told(r *queueRecv) bool {
	switch {
	case m.aborted:
		m.refused(r, mailbox.Aborted)
	case r.halted && !r.told:
		m.refused(r, mailbox.Halted)
	default:
		return false
	}
	return true
}

func (m *queueModel) closeOp() {
	m.note("Close")
	first := m.q.Close()
	m.settle(0)
	if first == m.closed {
		m.fail("Close: %v", first)
	}
	m.close()
	for _, r := range m.waiters() {
		m.stopsWaiting(r, mailbox.Closed)
	}
}

func (m *queueModel) halt() {
	m.note("Halt")
	first := m.q.Halt()
	m.settle(0)
	if first == m.halted {
		m.fail("Halt: %v", first)
	}
	m.halted = true
	m.close()
	for _, r := range m.recvs {
		r.halted = true
		switch {
		case r.waiting && r.told:
			m.stopsWaiting(r, mailbox.Closed)
		case r.waiting:
			m.stopsWaiting(r, mailbox.Halted)
		}
	}
}

func (m *queueModel) haltSome(n int) {
	m.note("HaltSome(%d)", n)
	k := m.q.HaltSome(n)
	m.settle(0)
	unmarked, waiting, marked, woken := 0, 0, 0, 0
	for _, r := range m.recvs {
		if r.left || r.halted {
			continue
		}
		unmarked++
		if r.waiting {
			waiting++
		}
		if m.aborted {
			r.halted = unmarked <= n // nobody will ever be told
			continue
		}
		select {
		case <-r.r.Halting():
			r.halted = true
			marked++
			if r.waiting {
				woken++
				m.stopsWaiting(r, mailbox.Halted)
			}
		default:
		}
	}
	if want := min(n, unmarked); k != want || !m.aborted && (marked != want || woken != min(n, waiting)) {
		m.fail("HaltSome(%d) of %d, %d of them waiting: %d, marked %d, %d of them waiting", n, unmarked, waiting, k, marked, woken)
	}
}

func (m *queueModel) abort() {
	m.note("Abort")
	m.q.Abort()
	m.settle(0)
	if m.aborted {
		return
	}
	m.aborted = true
	m.close()
	for _, r := range m.waiters() {
		m.queue = append(r.gathered, m.queue...)
		r.gathered = nil
		m.refused(r, mailbox.Aborted)
	}
}

func (m *queueModel) cancelSend(arg int) {
	var open []*queueSend
	for _, s := range m.sends {
		if !s.over && s.cancel != nil {
			open = append(open, s)
		}
	}
	if len(open) == 0 {
		return
	}
	s := open[arg%len(open)]
	m.note("cancel send %d", s.id)
	close(s.cancel)
	s.cancel = nil
	m.settle(0)
	m.sendEnds(s, mailbox.Canceled)
	m.waiting = slices.DeleteFunc(m.waiting, func(w *queueSend) bool { return w == s })
	if m.delayed == s {
		m.delayed = nil
	}
}

func (m *queueModel) cancelRecv(arg int) {
	rs := slices.DeleteFunc(m.waiters(), func(r *queueRecv) bool { return r.cancel == nil })
	if len(rs) == 0 {
		return
	}
	r := rs[arg%len(rs)]
	m.note("receiver %d: cancel", r.index)
	close(r.cancel)
	m.settle(0)
	m.stopsWaiting(r, mailbox.Canceled)
}

func (m *queueModel) takeOp() {
	m.note("Take")
	id, ticket, ok := m.q.Take()
	m.settle(0)
	if ok != (len(m.queue) > 0) {
		m.fail("Take: %v of %v", ok, m.queue)
		return
	}
	if !ok {
		return
	}
	if want := m.take(); id != want || ticket != ticketOf(want) {
		m.fail("Take: %d with ticket %v, want %d", id, ticket, want)
	}
	m.taken = append(m.taken, id)
	m.handed++
	m.undelay(true)
}

func (m *queueModel) probeOp() {
	m.note("Probe")
	m.q.Probe()
	m.probed = len(m.accepted)
}

// pass lets time go by, from one event to the next.
func (m *queueModel) pass(d time.Duration) {
	m.note("%v pass", d)
	for end := time.Now().Add(d); time.Now().Before(end) && !m.t.Failed(); {
		next := end
		if m.delayed != nil && m.delayed.due.Before(next) {
			next = m.delayed.due
		}
		for _, r := range m.waiters() {
			if len(r.gathered) > 0 && r.due.Before(next) {
				next = r.due
			}
		}
		m.settle(time.Until(next))
		m.undelay(false)
		for _, r := range m.waiters() {
			if len(r.gathered) > 0 && !time.Now().Before(r.due) {
				m.received(r, r.gathered)
			}
		}
	}
}

// seats is how many receivers are there.
func (m *queueModel) seats() (n int) {
	for _, r := range m.recvs {
		if !r.left {
			n++
		}
	}
	return n
}

func (m *queueModel) join() {
	if rs := m.waiters(); len(m.recvs) > 8 || len(rs) > 0 && rs[0].wait > 0 {
		return
	}
	r := &queueRecv{index: len(m.recvs), do: make(chan func()), halted: m.halted}
	m.note("receiver %d: Join", r.index)
	m.recvs = append(m.recvs, r)
	m.q.Join(&r.r)
	go func() {
		for f := range r.do {
			f()
		}
	}()
	m.settle(0)
}

func (m *queueModel) leave(arg int) {
	r := m.pick(arg)
	if r == nil {
		return
	}
	m.note("receiver %d: Leave", r.index)
	m.q.Leave(&r.r)
	r.left = true
	m.settle(0)
}
