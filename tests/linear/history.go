package linear

import (
	"sync/atomic"

	"github.com/anishathalye/porcupine"

	"tinyactor/internal/mailbox"
	"tinyactor/internal/sched"
)

// history is one run of a plan.
type history struct {
	*plan
	number uint64
	at     *subject

	clock    atomic.Int64  // stamps calls and returns
	arrived  atomic.Int32  // clients at the start
	begun    chan struct{} // closed when all are
	finished atomic.Int32
	waits    [mostClients]atomic.Uint32 // the Kind of the call that each is in, if that may wait
	sleeper  string                     // who slept for nothing
	stuck    *atomic.Bool               // somebody did, in this history or in one beside it
	logs     [mostClients][]Op
}

func newHistory(cfg Config, number uint64, stuck *atomic.Bool) *history {
	p := newPlan(cfg.Seed, number)
	h := &history{plan: p, number: number, at: newSubject(p, cfg.Fault), begun: make(chan struct{}), stuck: stuck}
	for i, steps := range p.clients {
		h.logs[i] = make([]Op, 0, len(steps)+2)
	}
	return h
}

// client does what one client does.
func (h *history) client(c int) {
	if h.watch>>c&1 != 0 && h.start.joined>>c&1 != 0 {
		h.at.receivers[c].Ready()
	}
	h.begin()
	for i := range h.clients[c] {
		s := &h.clients[c][i]
		for range s.yields {
			sched.Yield()
		}
		if s.cancel != nil {
			close(s.cancel)
			continue
		}
		h.call(c, s)
	}
	if c == len(h.clients)-1 {
		if h.settle() {
			h.sleeper = h.asleep()
		}
		h.call(c, &step{kind: h.end})
	}
	h.finished.Add(1)
}

// begin lets all clients begin together. Those that wait keep their processors,
// but not for long: there may be more of them than the machine has.
func (h *history) begin() {
	all := int32(len(h.clients))
	if h.arrived.Add(1) == all {
		close(h.begun)
		return
	}
	for range 100 {
		if h.arrived.Load() == all {
			return
		}
		sched.Yield()
	}
	<-h.begun
}

// settle lets the others go on until none of them seems able to, and reports
// whether it had the patience.
func (h *history) settle() bool {
	const quiet = 32 // turns in which nobody has done anything
	last, idle := int64(0), 0
	for turn := 0; turn < h.patience; turn++ {
		if idle == quiet || int(h.finished.Load()) == len(h.clients)-1 {
			return true
		}
		sched.Yield()
		if now := h.clock.Load(); now != last {
			last, idle = now, 0
		} else {
			idle++
		}
	}
	return false
}

// call does a step and notes it.
func (h *history) call(c int, s *step) {
	q, r := h.at.queue, h.at.seats[min(c, mostSeats-1)]
	op := Op{Kind: s.kind, Client: c, Seat: c, N: s.n, Cancel: s.done != nil}
	if len(s.msgs) > 0 {
		op.Msg = s.msgs[0]
	}
	var dst []msg
	if s.kind == RecvBatch {
		dst = make([]msg, s.n)
	}
	n := 0
	if s.kind.waits() {
		h.waits[c].Store(uint32(s.kind))
	}
	op.Call = h.clock.Add(1)
	for range s.inside {
		sched.Yield()
	}
	switch s.kind {
	case Put:
		op.Status = q.Put(op.Msg)
	case Offer:
		op.Status = q.Offer(op.Msg, op.Msg.ticket())
	case Force:
		op.Status = q.Force(op.Msg)
	case OfferAll:
		n, op.Status = q.OfferAll(s.msgs)
	case Push:
		op.Status = q.Push(s.done, op.Msg, op.Msg.ticket())
	case Recv:
		op.Msg, op.Status = r.Recv(s.done)
	case TryRecv:
		op.Msg, op.Status = r.TryRecv()
	case RecvBatch:
		n, op.Status = r.RecvBatch(s.done, dst, s.wait)
	case Take:
		var ticket any
		op.Msg, ticket, op.Yes = q.Take()
		op.Wrong = ticket != op.Msg.ticket()
	case Len:
		op.Count = q.Len()
	case Closed:
		op.Yes = q.Closed()
	case Tickets:
		op.All = messages(q.Tickets())
	case Close:
		op.Yes = q.Close()
	case Halt:
		op.Yes = q.Halt()
	case HaltSome:
		op.Count = q.HaltSome(s.n)
	case HaltOne:
		op.Seat = s.seat
		h.at.seats[s.seat].Halt()
	case Abort:
		q.Abort()
	case Join:
		q.Join(&h.at.receivers[c])
	case Leave:
		q.Leave(&h.at.receivers[c])
	default:
		panic("no client does this: " + s.kind.String())
	}
	op.Return = h.clock.Add(1)
	h.waits[c].Store(0)
	switch s.kind {
	case OfferAll:
		h.parts(op, s.msgs[:n], s.msgs[n:])
	case RecvBatch:
		op.Wrong = !held(r, dst[:n])
		h.parts(op, dst[:n], nil)
	case Recv, TryRecv:
		op.Wrong = op.Status == mailbox.OK && !held(r, []msg{op.Msg})
		h.note(op)
	default:
		h.note(op)
	}
}

func (h *history) note(op Op) {
	log := &h.logs[op.Client]
	op.Seq = len(*log)
	*log = append(*log, op)
}

// parts notes a call that moved the messages done, and would not move the rest.
func (h *history) parts(op Op, done, rest []msg) {
	answer := op.Status
	for _, m := range done {
		op.Part++
		op.Msg, op.Status = m, mailbox.OK
		h.note(op)
	}
	if answer == mailbox.OK {
		return
	}
	op.Part++
	op.Status = answer
	if len(rest) > 0 {
		op.Msg = rest[0]
	}
	h.note(op)
}

// held reports whether the receiver holds the tickets of ms, which it has just received.
func held(r seat, ms []msg) bool {
	tickets := r.Held()
	for i, m := range ms {
		if m.ticket() == nil {
			continue
		}
		if len(tickets) == 0 || tickets[0] != (mailbox.Held{At: i, Ticket: m.ticket()}) {
			return false
		}
		tickets = tickets[1:]
	}
	return len(tickets) == 0
}

func messages(tickets []any) (ms []msg) {
	for _, t := range tickets {
		ms = append(ms, t.(msg))
	}
	return ms
}

// close looks, when the clients have ended, at what every receiver is told next
// and at what is left.
func (h *history) close() {
	end := Op{Kind: End, Client: len(h.clients) - 1, Call: h.clock.Add(1)}
	for i := range h.clients[:len(h.clients)-1] {
		if !h.joined(i) {
			continue
		}
		op := Op{Kind: TryRecv, Seat: i}
		op.Msg, op.Status = h.at.seats[i].TryRecv()
		op.Wrong = op.Status == mailbox.OK && !held(h.at.seats[i], []msg{op.Msg})
		end.Told = append(end.Told, op)
	}
	for m, _, ok := h.at.queue.Take(); ok; m, _, ok = h.at.queue.Take() {
		end.All = append(end.All, m)
	}
	end.Return = h.clock.Add(1)
	h.note(end)
}

// joined reports whether client i is a receiver: those that join late do it first.
func (h *history) joined(i int) bool {
	return h.start.joined>>i&1 != 0 || len(h.logs[i]) > 0 && h.logs[i][0].Kind == Join
}

// operations returns what happened, for porcupine.
func (h *history) operations() (all []porcupine.Operation) {
	for c := range h.clients {
		for i := range h.logs[c] {
			op := &h.logs[c][i]
			all = append(all, porcupine.Operation{ClientId: c, Input: op, Call: op.Call, Return: op.Return})
		}
	}
	return all
}

// overlap returns the most calls that were open at one time.
func (h *history) overlap() (most int) {
	change := make([]int8, h.clock.Load()+1)
	for c := range h.clients {
		for i := range h.logs[c] {
			if op := &h.logs[c][i]; !op.more() {
				change[op.Call]++
				change[op.Return]--
			}
		}
	}
	open := 0
	for _, by := range change {
		open += int(by)
		most = max(most, open)
	}
	return most
}
