package mailbox_test

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/internal/mailbox"
)

// FuzzQueue runs sequences of operations on one queue against a plain model.
// The first byte chooses the policy, each further pair of bytes is an operation
// and its argument; the operations are in fuzzOps.
func FuzzQueue(f *testing.F) {
	for _, ops := range []string{
		"\x01" + "\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x03\x00\x06\x00",
		"\x01" + "\x00\x00\x00\x00\x00\x00\x0a\x00\x03\x00\x03\x00\x0c\x00",
		"\x02" + "\x03\x00\x03\x01\x08\x01\x00\x00\x00\x00\x07\x00\x03\x00\x03\x01",
		"\x00" + "\x05\x05\x00\x00\x00\x00\x09\x00\x0c\x00\x0c\x00\x0c\x00",
		"\x02" + "\x03\x00\x0e\x00\x0f\x01\x00\x00\x0e\x00\x03\x01\x06\x00",
		"\x03" + "\x00\x00\x00\x00\x00\x00\x0d\x02\x03\x00\x03\x00\x06\x00",
	} {
		f.Add([]byte(ops))
	}
	f.Fuzz(func(t *testing.T, ops []byte) { queueSequence(t, ops[:min(len(ops), 200)]) })
}

// TestRandomSequences does the same for some thousand random seeds.
func TestRandomSequences(t *testing.T) {
	t.Parallel()
	for seed := range 2000 {
		rnd := rand.New(rand.NewPCG(uint64(seed), 2))
		ops := make([]byte, 1+2*(5+rnd.IntN(30)))
		for i := range ops {
			ops[i] = byte(rnd.Uint32())
		}
		if queueSequence(t, ops); t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func queueSequence(t *testing.T, ops []byte) {
	complete := false
	defer func() {
		if !complete || t.Failed() { // also a panic, a deadlock for one
			t.Logf("sequence %s", hex.EncodeToString(ops))
		}
	}()
	synctest.Test(t, func(t *testing.T) {
		if len(ops) == 0 {
			return
		}
		m := newQueueModel(t, ops[0])
		for i := 1; i+1 < len(ops) && !t.Failed(); i += 2 {
			m.steps++
			n := int(ops[i])
			if n >= len(fuzzOps) {
				n = fuzzDice[n%len(fuzzDice)]
			}
			fuzzOps[n](m, int(ops[i+1]))
			m.check()
		}
		m.finish()
	})
	complete = true
}

var fuzzPolicies = []mailbox.Policy{{}, {Limit: 2}, {Limit: 3}, {Start: 2, Base: time.Millisecond, Factor: 1},
	{Limit: 7}, {Start: 6, Base: time.Millisecond, Factor: 1}, // a receiver takes messages ahead
}

// queueModel is a queue and what it should be: a slice and flags. Where it is
// open which receiver gets a message, the model looks at which one did.
type queueModel struct {
	t     *testing.T
	mu    sync.Mutex // held by the sequence but in settle; by others while they write for it
	log   []string
	steps int
	q     mailbox.Queue[int]
	p     mailbox.Policy

	closed, halted, aborted bool
	queue, accepted, taken  []int
	entered                 []time.Time // when those that were accepted were
	handed                  uint64      // by Take
	longest                 int
	probed                  int // how many had been accepted when the last Probe came, or -1
	sends                   []*queueSend
	waiting                 []*queueSend
	delayed                 *queueSend
	recvs                   []*queueRecv
}

// queueSend is a Push. Every third message has its number as ticket.
type queueSend struct {
	id     int
	cancel chan struct{}
	done   bool
	status mailbox.Status
	over   bool
	due    time.Time
	begun  time.Time
}

// queueRecv is a receiver with its goroutine.
type queueRecv struct {
	index int
	r     mailbox.Receiver[int]
	do    chan func()

	done   bool // of its goroutine, as the next three
	got    []int
	status mailbox.Status
	held   []mailbox.Held

	cancel                      chan struct{}
	left, halted, told, waiting bool

	max      int
	wait     time.Duration
	gathered []int
	due      time.Time
}

func newQueueModel(t *testing.T, policy byte) *queueModel {
	m := &queueModel{t: t, p: fuzzPolicies[int(policy)%len(fuzzPolicies)], probed: -1}
	m.mu.Lock()
	m.q.Init(m.p)
	m.note("%+v", m.p)
	m.join()
	if policy%2 == 0 {
		m.join()
	}
	return m
}

// enters notes an accepted message.
func (m *queueModel) enters(id int) {
	m.accepted = append(m.accepted, id)
	m.entered = append(m.entered, time.Now())
}

func (m *queueModel) settle(d time.Duration) {
	m.mu.Unlock()
	time.Sleep(d)
	synctest.Wait()
	m.mu.Lock()
}

func (m *queueModel) note(format string, args ...any) {
	m.log = append(m.log, fmt.Sprintf(format, args...))
}

func (m *queueModel) fail(format string, args ...any) {
	m.t.Helper()
	if m.t.Failed() {
		return
	}
	for _, l := range m.log {
		m.t.Log(l)
	}
	m.t.Errorf(format, args...)
}

func ticketOf(id int) any {
	if id%3 == 0 {
		return id
	}
	return nil
}

func (m *queueModel) full() bool { return m.p.Limit > 0 && len(m.queue) >= m.p.Limit }

func (m *queueModel) crowded() bool {
	return m.full() || m.p.Start > 0 && len(m.queue) >= m.p.Start
}

func (m *queueModel) waiters() (rs []*queueRecv) {
	for _, r := range m.recvs {
		if r.waiting {
			rs = append(rs, r)
		}
	}
	return rs
}

// pick chooses a receiver that is there and does not wait.
func (m *queueModel) pick(arg int) *queueRecv {
	var idle []*queueRecv
	for _, r := range m.recvs {
		if !r.left && !r.waiting {
			idle = append(idle, r)
		}
	}
	if len(idle) == 0 {
		return nil
	}
	return idle[arg%len(idle)]
}

func (m *queueModel) accept(id int) {
	m.enters(id)
	rs := m.waiters()
	if len(rs) == 0 {
		m.queue = append(m.queue, id)
		return
	}
	if r := rs[0]; r.wait > 0 { // alone
		r.gathered = append(r.gathered, id)
		if len(r.gathered) == 1 {
			r.due = time.Now().Add(r.wait)
		}
		if len(r.gathered) == r.max {
			m.received(r, r.gathered)
		}
		return
	}
	for _, r := range rs {
		if r.done && r.status == mailbox.OK && slices.Equal(r.got, []int{id}) {
			m.received(r, r.got)
			return
		}
	}
	m.fail("message %d went to nobody although %d receivers wait", id, len(rs))
}

// take is the oldest message out and waiting senders in.
func (m *queueModel) take() int {
	id := m.queue[0]
	m.queue = m.queue[1:]
	for len(m.waiting) > 0 && !m.full() {
		s := m.waiting[0]
		m.waiting = m.waiting[1:]
		m.queue = append(m.queue, s.id)
		m.enters(s.id)
		m.sendEnds(s, mailbox.OK)
	}
	return id
}

func (m *queueModel) undelay(received bool) {
	if s := m.delayed; s != nil && (received && len(m.queue) <= m.p.Start || !time.Now().Before(s.due)) {
		m.delayed = nil
		m.accept(s.id)
		m.sendEnds(s, mailbox.OK)
	}
}

func (m *queueModel) sendEnds(s *queueSend, want mailbox.Status) {
	s.over = true
	if !s.done || s.status != want {
		m.fail("send %d: status %d (returned: %v), want %d", s.id, s.status, s.done, want)
	}
}

func (m *queueModel) received(r *queueRecv, ids []int) {
	if !r.done || r.status != mailbox.OK || !slices.Equal(r.got, ids) {
		m.fail("receiver %d: %v, status %d (returned: %v), want %v", r.index, r.got, r.status, r.done, ids)
	}
	var held []mailbox.Held
	for i, id := range ids {
		if t := ticketOf(id); t != nil {
			held = append(held, mailbox.Held{At: i, Ticket: t})
		}
	}
	if !slices.Equal(r.held, held) {
		m.fail("receiver %d: tickets %v, want %v", r.index, r.held, held)
	}
	m.taken = append(m.taken, ids...)
	r.waiting, r.gathered = false, nil
}

func (m *queueModel) refused(r *queueRecv, want mailbox.Status) {
	if !r.done || r.status != want {
		m.fail("receiver %d: status %d (returned: %v), want %d", r.index, r.status, r.done, want)
	}
	r.waiting = false
	r.told = r.told || want == mailbox.Halted
}

// stopsWaiting is the end of a wait: what was gathered comes first.
func (m *queueModel) stopsWaiting(r *queueRecv, why mailbox.Status) {
	if len(r.gathered) > 0 {
		m.received(r, r.gathered)
		return
	}
	m.refused(r, why)
}

func (m *queueModel) close() {
	if m.closed {
		return
	}
	m.closed = true
	for _, s := range m.waiting {
		m.sendEnds(s, mailbox.Closed)
	}
	if m.delayed != nil {
		m.sendEnds(m.delayed, mailbox.Closed)
	}
	m.waiting, m.delayed = nil, nil
}

func (m *queueModel) check() {
	if n := m.q.Len(); n != len(m.queue) {
		m.fail("Len is %d, want %d: %v", n, len(m.queue), m.queue)
	}
	if c := m.q.Closed(); c != m.closed {
		m.fail("Closed is %v, want %v", c, m.closed)
	}
	if m.steps%4 == 0 { // not each time, for it takes back what a receiver has taken ahead
		var tickets []any
		for _, id := range m.queue {
			if t := ticketOf(id); t != nil {
				tickets = append(tickets, t)
			}
		}
		if got := m.q.Tickets(); !slices.Equal(got, tickets) {
			m.fail("tickets %v, want %v", got, tickets)
		}
	}
	m.checkStats()
	for _, s := range m.sends {
		if s.done != s.over {
			m.fail("send %d has ended: %v, want %v", s.id, s.done, s.over)
		}
	}
	for _, r := range m.recvs {
		if r.waiting && r.done {
			m.fail("receiver %d does not wait any more: %v, status %d", r.index, r.got, r.status)
		}
	}
}

// checkStats checks what the queue tells whoever only looks.
func (m *queueModel) checkStats() {
	s := m.q.Stats()
	if s.Length != len(m.queue) || s.Handed != m.handed || s.Received != uint64(len(m.accepted)-len(m.queue))-m.handed {
		m.fail("stats %+v, want %d of %d waiting and %d handed", s, len(m.queue), len(m.accepted), m.handed)
	}
	if m.longest = max(m.longest, len(m.queue)); s.High < m.longest || s.High > len(m.accepted) {
		m.fail("the longest was %d, want at least %d of %d", s.High, m.longest, len(m.accepted))
	}
	if idle := len(m.waiters()); s.Idle != idle || s.Closed != m.closed || s.Halted != m.halted {
		m.fail("stats %+v, want %d idle, closed %v, halted %v", s, idle, m.closed, m.halted)
	}
	var want []mailbox.Waiter
	for _, w := range m.waiting {
		want = append(want, mailbox.Waiter{From: w, Since: w.begun})
	}
	if m.delayed != nil {
		want = append(want, mailbox.Waiter{From: m.delayed, Since: m.delayed.begun})
	}
	if got := m.q.Waiting(); !slices.Equal(got, want) {
		m.fail("waiting %v, want %v", got, want)
	}
	if m.probed < 0 {
		return
	}
	at, left := m.q.Reached()
	switch gone := len(m.accepted) - len(m.queue); {
	case left != max(0, m.probed+1-gone):
		m.fail("the probe after %d messages, of which %d are gone, has %d before it", m.probed, gone, left)
	case left == 0 && !at.Equal(m.entered[m.probed]):
		m.fail("message %d entered at %v, not %v", m.probed, m.entered[m.probed], at)
	}
}

// finish takes what is left and counts.
func (m *queueModel) finish() {
	if !m.t.Failed() {
		m.closeOp()
		m.check()
		for len(m.queue) > 0 && !m.t.Failed() {
			m.takeOp()
			m.check()
		}
		slices.Sort(m.taken)
		slices.Sort(m.accepted)
		if !m.t.Failed() && !slices.Equal(m.taken, m.accepted) {
			m.fail("accepted %v, taken %v", m.accepted, m.taken)
		}
	}
	m.q.Abort()
	for _, s := range m.sends {
		if s.cancel != nil {
			close(s.cancel)
		}
	}
	for _, r := range m.recvs {
		close(r.do)
	}
	m.mu.Unlock()
}
