package model

import (
	"fmt"
	"strings"
	"time"

	"tinyactor/internal/mailbox"
	"tinyactor/internal/sched"
	"tinyactor/internal/sched/explore"
)

// queueWorld is a mailbox and those who use it.
type queueWorld struct {
	ledger
	q      mailbox.Queue[msg]
	seats  []*seat
	halted bool  // Halt has been called
	closed bool  // something that closes has been called
	abort  bool  // Abort has been called
	gone   bool  // and has returned
	left   order // what is handed back
	loose  bool  // a receiver among others is aborted: what it gives back may be overtaken (law S2)
	waits  map[string]func() bool
}

// seat is a receiver in the world.
type seat struct {
	w       *queueWorld
	name    string
	r       mailbox.Receiver[msg]
	order   order
	halts   int
	aborted bool // it must expect that
	left    bool
}

// join adds a receiver.
func (w *queueWorld) join(name string) *seat {
	s := &seat{w: w, name: name, order: order{}}
	w.q.Join(&s.r)
	w.seats = append(w.seats, s)
	return s
}

// take notes messages that the seat has received.
func (s *seat) take(ms ...msg) {
	for _, m := range ms {
		if !s.w.loose {
			s.order.see(s.w.r, m)
		}
		s.w.got(m, s.name)
	}
}

// moment is what had been done to the mailbox before a receive.
type moment struct{ halted, gone bool }

func (w *queueWorld) now() moment { return moment{w.halted, w.gone} }

// answer checks what a receive said.
func (s *seat) answer(st mailbox.Status, before moment) {
	switch st { //nolint:exhaustive // the others say nothing about ends
	case mailbox.OK:
		if before.gone || before.halted && s.halts == 0 {
			s.w.r.Failf("%s has received a message and was not told what had happened before: %+v", s.name, before)
		}
	case mailbox.Halted:
		if s.halts++; s.halts > 1 {
			s.w.r.Failf("%s was told twice that it is halted", s.name)
		}
	case mailbox.Closed:
		if s.halts == 0 && (before.halted || !s.w.closed) {
			s.w.r.Failf("%s was told of the close before the halt", s.name)
		}
	case mailbox.Aborted:
		if !s.aborted {
			s.w.r.Failf("%s was told of an abort that nobody asked for", s.name)
		}
	}
}

// waiting registers when a receiver of this seat may sleep for ever: while there
// is nothing to look at.
func (s *seat) waiting() {
	s.w.waits[s.name] = func() bool {
		at, _ := s.r.Halted()
		return s.w.q.Len() == 0 && !s.w.q.Closed() && (at.IsZero() || s.halts > 0) && !s.aborted
	}
}

// queueOp is one operation on a mailbox.
type queueOp struct {
	name   string
	do     func(w *queueWorld, id int) []explore.Op
	seated bool // its receiver is there when the scenario begins
}

func one(name string, f func()) []explore.Op { return []explore.Op{{Name: name, Do: f}} }

// sending returns an operation that sends with f.
func sending(name string, f func(w *queueWorld, m msg, done chan struct{}) mailbox.Status) queueOp {
	return queueOp{name: name, do: func(w *queueWorld, id int) []explore.Op {
		name := fmt.Sprintf("%s %d", name, id)
		w.waits[name] = func() bool {
			p, n := w.q.Policy(), w.q.Len()
			return !w.q.Closed() && (p.Limit > 0 && n >= p.Limit || p.Start > 0 && n >= p.Start)
		}
		done := make(chan struct{})
		ops := one(name, func() {
			m := w.next(id)
			if f(w, m, done) == mailbox.OK {
				w.accept(m)
			}
		})
		if strings.Contains(name, "ctx") {
			ops = append(ops, explore.Op{Name: "cancel " + name, Do: func() {
				w.r.Step("end the context", nil)
				close(done)
			}})
		}
		return ops
	}}
}

// receiving returns an operation of a receiver of its own.
func receiving(name string, f func(s *seat, done chan struct{})) queueOp {
	return queueOp{name: name, seated: true, do: func(w *queueWorld, id int) []explore.Op {
		s := w.join(fmt.Sprintf("%s %d", name, id))
		s.waiting()
		done := make(chan struct{})
		ops := one(s.name, func() { f(s, done) })
		if strings.Contains(name, "ctx") {
			ops = append(ops, explore.Op{Name: "cancel " + s.name, Do: func() {
				w.r.Step("end the context", nil)
				close(done)
			}})
		}
		return ops
	}}
}

// acting returns an operation of somebody else.
func acting(name string, f func(w *queueWorld)) queueOp {
	return queueOp{name: name, do: func(w *queueWorld, id int) []explore.Op {
		return one(fmt.Sprintf("%s %d", name, id), func() { f(w) })
	}}
}

func (s *seat) recv(done chan struct{}) mailbox.Status {
	before := s.w.now()
	m, st := s.r.Recv(done)
	if st == mailbox.OK {
		s.take(m)
	}
	s.answer(st, before)
	return st
}

func (s *seat) try() mailbox.Status {
	before := s.w.now()
	m, st := s.r.TryRecv()
	if st == mailbox.OK {
		s.take(m)
	}
	s.answer(st, before)
	return st
}

func (s *seat) batch(most int) {
	before := s.w.now()
	dst := make([]msg, most)
	n, st := s.r.RecvBatch(nil, dst, time.Second)
	s.take(dst[:n]...)
	s.answer(st, before)
}

func (w *queueWorld) push(m msg, done chan struct{}) mailbox.Status {
	if s := w.q.Put(m); s != mailbox.Full {
		return s
	}
	return w.q.Push(done, m, nil)
}

// queueOps are the operations on a mailbox.
var queueOps = []queueOp{
	sending("send", func(w *queueWorld, m msg, _ chan struct{}) mailbox.Status { return w.push(m, nil) }),
	sending("send with ctx", func(w *queueWorld, m msg, done chan struct{}) mailbox.Status { return w.push(m, done) }),
	sending("send two", func(w *queueWorld, m msg, _ chan struct{}) mailbox.Status {
		s := w.push(m, nil)
		if s == mailbox.OK {
			w.accept(m)
		}
		if m = w.next(m.from); w.push(m, nil) == mailbox.OK {
			w.accept(m)
		}
		return s
	}),
	sending("force", func(w *queueWorld, m msg, _ chan struct{}) mailbox.Status { return w.q.Force(m) }),
	receiving("recv", func(s *seat, _ chan struct{}) { s.recv(nil) }),
	receiving("recv two", func(s *seat, _ chan struct{}) {
		if s.recv(nil) == mailbox.OK {
			s.recv(nil)
		}
	}),
	receiving("recv with ctx", func(s *seat, done chan struct{}) { s.recv(done) }),
	receiving("try", func(s *seat, _ chan struct{}) { s.try() }),
	receiving("batch", func(s *seat, _ chan struct{}) { s.batch(2) }),
	receiving("ready", func(s *seat, _ chan struct{}) {
		for s.try() == mailbox.Empty {
			sched.Recv(s.r.Ready())
		}
	}),
	acting("close", func(w *queueWorld) { w.closed = true; w.q.Close() }),
	acting("halt", func(w *queueWorld) { w.q.Halt(); w.halted = true }),
	acting("halt some", func(w *queueWorld) { w.q.HaltSome(1) }),
	acting("abort", func(w *queueWorld) {
		for _, s := range w.seats {
			s.aborted = true
		}
		w.closed, w.abort = true, true
		w.q.MarkAborted()
		w.q.Abort()
		w.gone = true
	}),
	acting("halt one", func(w *queueWorld) {
		if len(w.seats) > 0 && !w.seats[0].left {
			w.seats[0].r.Halt()
		}
	}),
	{name: "abort one", do: func(w *queueWorld, id int) []explore.Op {
		w.loose = true
		return one(fmt.Sprintf("abort one %d", id), func() {
			if len(w.seats) > 0 && !w.seats[0].left {
				w.seats[0].aborted = true
				w.seats[0].r.MarkAborted()
				w.seats[0].r.Abort()
			}
		})
	}},
	receiving("leave", func(s *seat, _ chan struct{}) {
		s.left = true
		s.w.q.Leave(&s.r)
	}),
	{name: "join", do: func(w *queueWorld, id int) []explore.Op {
		return one(fmt.Sprintf("join %d", id), func() {
			s := w.join(fmt.Sprintf("join %d", id))
			s.aborted = w.abort
			s.waiting()
			s.recv(nil)
		})
	}},
	acting("take", func(w *queueWorld) {
		if m, _, ok := w.q.Take(); ok {
			w.got(m, "nobody")
		}
	}),
	acting("tickets", func(w *queueWorld) { w.q.Tickets() }),
	acting("length", func(w *queueWorld) {
		w.bound()
	}),
}

// holding returns an operation of the receiver that has taken messages ahead. No
// other one may be there when it begins: with two, nobody takes ahead.
func holding(name string, f func(holder *seat)) queueOp {
	return queueOp{name: name, do: func(w *queueWorld, _ int) []explore.Op {
		holder := w.seats[0]
		holder.waiting()
		return one(holder.name, func() { f(holder) })
	}}
}

var holderOps = []queueOp{
	holding("recv of who took ahead", func(holder *seat) {
		if holder.recv(nil) == mailbox.OK {
			holder.recv(nil)
		}
	}),
	holding("try of who took ahead", func(holder *seat) { holder.try() }),
	holding("batch of who took ahead", func(holder *seat) { holder.batch(8) }),
	holding("leave of who took ahead", func(holder *seat) {
		holder.left = true
		holder.w.q.Leave(&holder.r)
	}),
}

// queueState is a mailbox in which a scenario begins.
type queueState struct {
	name   string
	policy mailbox.Policy
	queued int
	holder bool // a receiver has taken messages ahead
	asked  bool // and a further one is a question
}

var queueStates = []queueState{
	{name: "empty"},
	{name: "one queued", queued: 1},
	{name: "crowded", policy: mailbox.Policy{Start: 1, Base: time.Millisecond, Factor: 1}, queued: 1},
	{name: "full", policy: mailbox.Policy{Limit: 1}, queued: 1},
	{name: "taken ahead", queued: 6, holder: true},
	{name: "taken ahead and asked", queued: 6, holder: true, asked: true},
}

// queueProgram is a scenario of some operations on a mailbox.
func queueProgram(state queueState, ops ...queueOp) explore.Program {
	names := make([]string, len(ops))
	for i, op := range ops {
		names[i] = op.name
	}
	return explore.Program{
		Name: "mailbox, " + state.name + ": " + strings.Join(names, " | "),
		Do: func(r *explore.Run) {
			w := &queueWorld{ledger: newLedger(r), left: order{}, waits: map[string]func() bool{}}
			w.q.Init(state.policy)
			for range state.queued {
				m := w.next(0)
				w.q.Force(m)
				w.accept(m)
			}
			if state.holder {
				w.join("holder").try()
			}
			if state.asked {
				m := w.next(0)
				w.q.Offer(m, w)
				w.accept(m)
			}
			var all []explore.Op
			for i, op := range ops {
				all = append(all, op.do(w, i+1)...)
			}
			r.Together(w.judge, all...)
			w.finish()
		},
	}
}

// bound checks that there is no more in the mailbox than may be.
func (w *queueWorld) bound() {
	most := 12
	if w.q.Policy().Limit > 0 {
		most = w.q.Policy().Limit
	}
	if n := w.q.Len(); n < 0 || n > most && !w.abort { // what an abort gives back may be more
		w.r.Failf("Len is %d", n)
	}
}

// judge checks that those who sleep have a reason to.
func (w *queueWorld) judge(waiting []explore.Thread) {
	w.bound()
	for _, t := range waiting {
		if may := w.waits[t.Name()]; may == nil || !may() {
			w.r.Failf("%s sleeps though there is something to do: %d messages, closed %v, halted %v",
				t.Name(), w.q.Len(), w.q.Closed(), w.halted)
		}
	}
}

// finish halts everybody and settles the accounts.
func (w *queueWorld) finish() {
	w.q.Halt()
	w.halted = true
	w.r.Settle()
	for _, s := range w.seats {
		if s.left {
			continue
		}
		for st := s.try(); st == mailbox.OK || st == mailbox.Halted; st = s.try() {
		}
		if s.halts != 1 && !s.aborted {
			w.r.Failf("%s was halted and never told", s.name)
		}
		w.q.Leave(&s.r)
	}
	for m, _, ok := w.q.Take(); ok; m, _, ok = w.q.Take() {
		if !w.loose {
			w.left.see(w.r, m)
		}
		w.got(m, "nobody")
	}
	if w.q.Len() != 0 {
		w.r.Failf("Len is %d at the end", w.q.Len())
	}
	w.balance()
}
