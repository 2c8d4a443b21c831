package linear

import (
	"math"
	"math/rand/v2"
	"time"

	"tinyactor/internal/mailbox"
)

// A history has at least and at most so many operations.
const (
	leastOps = 12
	mostOps  = 24
)

// plan is what the clients of a history do.
type plan struct {
	policy  mailbox.Policy
	start   state // the seats that are there from the start, and what is in the queue
	clients [][]step
	watch   seats // receivers that have a Ready channel

	// The last client looks after the others: it never waits, and at the end does
	// one operation that ends all waits. It gives the others so many turns before.
	end      Kind
	patience int
}

// step is one call, or none.
type step struct {
	kind   Kind
	yields int   // how often to let others run before
	inside int   // and how often when the call is stamped, see Perturbed
	msgs   []msg // to send
	n      int   // how many to receive or to halt
	seat   int
	wait   time.Duration // of a batch
	done   chan struct{} // ends the wait
	cancel chan struct{} // to close: this step is nothing but that
}

// dice chooses kinds, each as often as it says.
type dice []struct {
	kind  Kind
	often int
}

func (d dice) roll(rnd *rand.Rand) Kind {
	sum := 0
	for _, side := range d {
		sum += side.often
	}
	n := rnd.IntN(sum)
	for _, side := range d {
		if n -= side.often; n < 0 {
			return side.kind
		}
	}
	panic("unreachable")
}

// Of a history that ends with an abort, a receiver has only the first four and
// the keeper the first six: while an abort gives messages back, nobody can say how
// many are there.
var (
	senderDice   = dice{{Push, 8}, {Put, 5}, {Offer, 3}, {Force, 2}, {OfferAll, 2}}
	receiverDice = dice{{Recv, 10}, {TryRecv, 6}, {RecvBatch, 4}, {Put, 3}, {Len, 1}}
	keeperDice   = dice{{Put, 6}, {Offer, 4}, {Force, 3}, {OfferAll, 3}, {HaltSome, 4}, {HaltOne, 2},
		{Len, 5}, {Take, 3}, {Tickets, 2}, {Closed, 1}, {Close, 1}, {Halt, 1}}
)

var policies = []mailbox.Policy{{}, {Limit: 1}, {}, {Limit: 2}, {}, {Limit: 3}, {Limit: 7}, {Start: 3, Base: 1, Factor: 1}}

// planner makes a plan.
type planner struct {
	*plan
	rnd       *rand.Rand
	receivers int
	ticket    uint32 // one message in so many has a ticket; 0: none
	sent      int
	slack     int // how many more operations batches may count for
}

// newPlan returns the plan that the two numbers stand for.
func newPlan(seed, number uint64) *plan {
	p := planner{plan: new(plan), rnd: rand.New(rand.NewPCG(seed, number))}
	clients := []int{2, 3, 3, 3, 4, 4, 4, 5, 5, 5}[p.rnd.IntN(10)]
	p.receivers = 1 + p.rnd.IntN(clients-1)
	p.clients = make([][]step, clients)
	p.policy = policies[p.rnd.IntN(len(policies))]
	p.start.limit, p.start.start = uint8(p.policy.Limit), uint8(p.policy.Start)
	if p.chance(3) {
		p.ticket = 2 + p.rnd.Uint32N(2)
	}
	p.end = []Kind{Close, Halt, Halt}[p.rnd.IntN(3)]
	if p.receivers == 1 && p.policy == (mailbox.Policy{}) && p.chance(4) {
		p.end = Abort
	}
	p.patience = math.MaxInt
	if p.end == Abort || p.chance(4) { // what matters comes after the abort
		p.patience = p.rnd.IntN(20)
	}
	p.fill()
	p.seat()
	calls := leastOps + p.rnd.IntN(mostOps-leastOps-1)
	p.slack = mostOps - calls - 1     // somebody may leave
	for range calls - 2 - p.count() { // the end and the look at what is left count too
		c := p.rnd.IntN(clients)
		p.add(c, p.step(p.dice(c).roll(p.rnd)))
	}
	if i := p.rnd.IntN(8); i < p.receivers {
		p.add(i, step{kind: Leave, seat: i})
	}
	p.cancels()
	return p.plan
}

// dice returns what a client does, and how often.
func (p *planner) dice(client int) dice {
	switch keeper := client == len(p.clients)-1; {
	case keeper && p.end == Abort:
		return keeperDice[:6]
	case keeper:
		return keeperDice
	case client >= p.receivers:
		return senderDice
	case p.end == Abort:
		return receiverDice[:4]
	default:
		return receiverDice
	}
}

// chance is true once in n times.
func (p *planner) chance(n int) bool { return p.rnd.IntN(n) == 0 }

// count returns how many calls are planned.
func (p *planner) count() (n int) {
	for _, steps := range p.clients {
		n += len(steps)
	}
	return n
}

// fill puts messages into the queue before the start, mostly so many that one
// receiver alone takes some ahead.
func (p *planner) fill() {
	n := p.rnd.IntN(9)
	if p.chance(2) {
		n = 0
	}
	if p.policy.Limit > 0 {
		n = min(n, p.policy.Limit)
	}
	for range n {
		p.start.queue[p.start.n] = p.message(false)
		p.start.n++
	}
}

// seat says who has joined before the start.
func (p *planner) seat() {
	p.start.marked = 1
	for i := range p.receivers {
		if i > 0 && p.chance(5) {
			p.add(i, step{kind: Join, seat: i})
		} else {
			p.start.joined |= 1 << i
		}
		if p.chance(8) {
			p.watch |= 1 << i
		}
	}
}

func (p *planner) message(ticket bool) msg {
	p.sent++
	m := msg(p.sent)
	if ticket && p.ticket > 0 && p.rnd.Uint32N(p.ticket) == 0 {
		m |= ticketed
	}
	return m
}

func (p *planner) add(client int, s step) {
	s.yields = max(0, p.rnd.IntN(6)-3)
	if !perturbed {
		s.inside = max(0, p.rnd.IntN(3)-1)
	}
	p.clients[client] = append(p.clients[client], s)
}

// step plans a call.
func (p *planner) step(kind Kind) step {
	s := step{kind: kind}
	switch kind {
	case OfferAll:
		for range p.several() {
			s.msgs = append(s.msgs, p.message(false))
		}
	case Put, Offer, Force, Push:
		s.msgs = []msg{p.message(kind == Offer || kind == Push)}
	case RecvBatch:
		s.n = p.several()
		if p.chance(40) {
			s.wait = time.Microsecond
		}
	case HaltSome:
		s.n = 1 + p.rnd.IntN(2)
	case HaltOne:
		if s.seat = p.rnd.IntN(p.receivers); p.start.joined>>s.seat&1 == 0 {
			s.seat = 0 // the other may not be there yet
		}
	default:
	}
	if kind.waits() && p.chance(3) {
		s.done = make(chan struct{})
	}
	return s
}

// several returns how many messages a call is to move: each counts as an operation.
func (p *planner) several() int {
	n := 1 + min(p.rnd.IntN(6), p.slack)
	p.slack -= n - 1
	return n
}

// cancels has somebody end most of the waits that can be ended.
func (p *planner) cancels() {
	for c, steps := range p.clients {
		for _, s := range steps {
			if s.done == nil || p.chance(4) {
				continue
			}
			by := p.rnd.IntN(len(p.clients))
			if by == c {
				continue
			}
			at := p.rnd.IntN(len(p.clients[by]) + 1)
			all := append([]step{}, p.clients[by][:at]...)
			all = append(all, step{cancel: s.done, yields: p.rnd.IntN(4)})
			p.clients[by] = append(all, p.clients[by][at:]...)
		}
	}
}
