package linear

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"

	"tinyactor/internal/mailbox"
)

const (
	mostClients  = 5
	mostSeats    = mostClients - 1 // the last client only looks after the others
	mostMessages = 40              // in a history
)

// seats is a set of receivers.
type seats uint8

const allSeats seats = 1<<mostSeats - 1

// state is a sequential queue between two operations.
type state struct {
	limit, start uint8 // of the policy

	queue [mostMessages]msg // the oldest first
	n     uint8

	closed, halted              bool
	joined, left, told, aborted seats

	// HaltSome does not say whom it halts. Bit s is set if the receivers that
	// were halted may be just those of the set s.
	marked uint16

	steps [mostClients]uint8 // how many operations of each client are done
}

// withSeat has bit s set for each set s that has the seat in it.
var withSeat = func() (w [mostSeats]uint16) {
	for i := range w {
		for s := range seats(1 << mostSeats) {
			if s>>i&1 != 0 {
				w[i] |= 1 << s
			}
		}
	}
	return w
}()

// model returns the sequential model of a queue that begins in state s.
func (s *state) model() porcupine.Model {
	return porcupine.Model{
		Init:  func() any { return s },
		Step:  func(s, op, _ any) (bool, any) { return s.(*state).next(op.(*Op)) },
		Equal: func(a, b any) bool { return *a.(*state) == *b.(*state) },

		DescribeOperation: func(op, _ any) string { return op.(*Op).String() },
		DescribeState:     func(s any) string { return s.(*state).String() },
	}
}

// next returns the state after op, if op could have given its answer in s.
func (s *state) next(op *Op) (bool, any) {
	if int(s.steps[op.Client]) != op.Seq {
		return false, nil // the parts of one call keep their order
	}
	after := *s
	if !after.step(op) {
		return false, nil
	}
	after.steps[op.Client]++
	kept := after // only what is kept is allocated
	return true, &kept
}

// step does op, and reports whether it could have given its answer.
func (s *state) step(op *Op) bool {
	me := seats(1) << op.Seat
	switch op.Kind {
	case Put, Offer, Force, OfferAll, Push:
		return s.send(op)
	case Recv, TryRecv, RecvBatch:
		return s.receive(op)
	case Take:
		if !op.Yes {
			return s.n == 0
		}
		return !op.Wrong && s.pop(op.Msg)
	case Len:
		return op.Count == int(s.n)
	case Closed:
		return op.Yes == s.closed
	case Tickets:
		return slices.Equal(op.All, s.tickets())
	case Close:
		first := !s.closed
		s.closed = true
		return op.Yes == first
	case Halt:
		first := !s.halted
		s.closed, s.halted = true, true
		s.marked = 1 << allSeats // also those that join later
		return op.Yes == first
	case HaltSome:
		return s.haltSome(op.N, op.Count)
	case HaltOne:
		s.marked = s.marked&withSeat[op.Seat] | s.marked&^withSeat[op.Seat]<<me
	case Abort:
		s.closed, s.aborted = true, allSeats&^s.left
	case Join:
		s.joined |= me
	case Leave:
		s.left |= me
	case End:
		for i := range op.Told {
			if !s.step(&op.Told[i]) {
				return false
			}
		}
		return slices.Equal(op.All, s.queue[:s.n])
	default:
		return false
	}
	return true
}

func (s *state) send(op *Op) bool {
	full := s.limit > 0 && s.n >= s.limit
	crowded := full || s.start > 0 && s.n >= s.start
	waits := op.Kind == Push
	switch op.Status {
	case mailbox.OK:
		if s.closed || full || crowded && op.Kind != Force && !waits {
			return false
		}
		for _, m := range s.queue[:s.n] {
			if op.later&m.set() != 0 {
				return false // first in, first out will not come true
			}
		}
		s.queue[s.n] = op.Msg
		s.n++
		return true
	case mailbox.Full:
		return !s.closed && !waits && (full || crowded && op.Kind != Force || op.behind)
	case mailbox.Canceled:
		return waits && op.Cancel && (full || op.behind) && !s.closed
	default:
		return op.Status == mailbox.Closed && s.closed
	}
}

// receive answers in the order of law R1. A halt is told once, and before
// anything else that comes after it.
func (s *state) receive(op *Op) bool {
	me := seats(1) << op.Seat
	switch {
	case s.joined&me == 0 || op.Wrong:
		return false
	case s.aborted&me != 0:
		return op.Status == mailbox.Aborted
	case s.left&me != 0:
		return op.Status == mailbox.Closed
	case op.Status == mailbox.Halted:
		if s.told&me != 0 {
			return false
		}
		s.told |= me
		s.marked &= withSeat[op.Seat]
		return s.marked != 0
	case s.told&me == 0:
		if s.marked &^= withSeat[op.Seat]; s.marked == 0 {
			return false
		}
	}
	switch op.Status {
	case mailbox.OK:
		return s.pop(op.Msg)
	case mailbox.Closed:
		return s.n == 0 && s.closed
	case mailbox.Empty:
		return s.n == 0 && !s.closed && op.Kind == TryRecv
	case mailbox.Canceled:
		return s.n == 0 && !s.closed && op.Cancel
	default:
		return false
	}
}

func (s *state) pop(m msg) bool {
	if s.n == 0 || s.queue[0] != m {
		return false
	}
	copy(s.queue[:], s.queue[1:s.n])
	s.n--
	s.queue[s.n] = 0 // equal states are equal
	return true
}

// haltSome halts count of the receivers that are there and were not halted: all
// of them, or n. Whom, only they will tell.
func (s *state) haltSome(n, count int) bool {
	live, after := s.joined&^s.left, uint16(0)
	for set := range seats(1 << mostSeats) {
		free := live &^ set
		if s.marked>>set&1 == 0 || count != min(n, bits.OnesCount8(uint8(free))) {
			continue
		}
		for some := free; ; some = (some - 1) & free {
			if bits.OnesCount8(uint8(some)) == count {
				after |= 1 << (set | some)
			}
			if some == 0 {
				break
			}
		}
	}
	s.marked = after
	return after != 0
}

func (s *state) tickets() (all []msg) {
	for _, m := range s.queue[:s.n] {
		if m.ticket() != nil {
			all = append(all, m)
		}
	}
	return all
}

func (s *state) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v", s.queue[:s.n])
	if s.limit > 0 {
		fmt.Fprintf(&b, " of %d", s.limit)
	}
	switch {
	case s.aborted != 0:
		b.WriteString(" aborted")
	case s.halted:
		b.WriteString(" halted")
	case s.closed:
		b.WriteString(" closed")
	}
	for i := range mostSeats {
		me := seats(1) << i
		switch {
		case s.joined&me == 0 || s.left&me != 0:
		case s.told&me != 0:
			fmt.Fprintf(&b, ", client %d told", i)
		case s.marked&^withSeat[i] == 0:
			fmt.Fprintf(&b, ", client %d to be told", i)
		case s.marked&withSeat[i] != 0:
			fmt.Fprintf(&b, ", client %d perhaps to be told", i)
		}
	}
	return b.String()
}
