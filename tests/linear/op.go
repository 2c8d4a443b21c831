package linear

import (
	"fmt"
	"strings"

	"tinyactor/internal/mailbox"
)

// msg is a message. Each is sent once in a history.
type msg uint8

// ticketed marks the messages that have a ticket, which is the message again.
const ticketed msg = 1 << 7

func (m msg) ticket() any {
	if m&ticketed == 0 {
		return nil
	}
	return m
}

func (m msg) String() string {
	if m&ticketed == 0 {
		return fmt.Sprint(int(m))
	}
	return fmt.Sprintf("%d+ticket", int(m&^ticketed))
}

// set is a set of messages.
type set uint64

func (m msg) set() set { return 1 << (m &^ ticketed) }

// Kind is what an operation does.
type Kind uint8

// The kinds have the names of the calls.
const (
	none Kind = iota
	Put
	Offer
	Force
	OfferAll
	Push
	Recv
	TryRecv
	RecvBatch
	Take
	Len
	Closed
	Tickets
	Close
	Halt
	HaltSome
	HaltOne
	Abort
	Join
	Leave
	End // what every receiver is told next, and what is left in the queue
	kinds
)

var kindNames = [kinds]string{"", "Put", "Offer", "Force", "OfferAll", "Push", "Recv", "TryRecv", "RecvBatch",
	"Take", "Len", "Closed", "Tickets", "Close", "Halt", "HaltSome", "HaltOne", "Abort", "Join", "Leave", "End"}

func (k Kind) String() string { return kindNames[k] }

func (k Kind) sends() bool    { return Put <= k && k <= Push }
func (k Kind) receives() bool { return Recv <= k && k <= RecvBatch }
func (k Kind) waits() bool    { return k == Push || k == Recv || k == RecvBatch }

var statusNames = [...]string{mailbox.OK: "OK", mailbox.Empty: "Empty", mailbox.Full: "Full", mailbox.Closed: "Closed",
	mailbox.Halted: "Halted", mailbox.Aborted: "Aborted", mailbox.Canceled: "Canceled"}

// Op is an operation and its answer.
type Op struct {
	Kind   Kind
	Client int
	Seq    int // which of its client's it is
	Part   int // which part of a call that did several, from 1; 0: the only one
	Seat   int // of the receiver that it is about
	N      int // how many HaltSome is to halt
	Cancel bool

	Msg    msg // sent or received
	Status mailbox.Status
	Count  int   // the number that was the answer
	Yes    bool  // the answer was true
	All    []msg // the messages in the answer
	Wrong  bool  // the tickets in the answer did not belong to the messages
	Told   []Op  // of End

	// later are the messages that left the queue surely after the one that this
	// operation sent. See order.
	later set

	// behind says that while this operation found no room, another client's Push was
	// under way. Room is kept for those that wait, and the moment in which a receiver
	// has made some and lets them in can be seen.
	behind bool

	Call, Return int64
}

// more says that this is a part of a call, and not the first.
func (op *Op) more() bool { return op.Part > 1 }

func (op *Op) String() string {
	var b strings.Builder
	b.WriteString(op.Kind.String())
	if op.Part > 0 {
		fmt.Fprintf(&b, "[%d]", op.Part)
	}
	switch {
	case op.Kind.sends():
		fmt.Fprintf(&b, "(%v) = %s", op.Msg, statusNames[op.Status])
	case op.Kind.receives() && op.Status == mailbox.OK:
		fmt.Fprintf(&b, "() = %v", op.Msg)
	case op.Kind.receives():
		fmt.Fprintf(&b, "() = %s", statusNames[op.Status])
	case op.Kind == Take && op.Yes:
		fmt.Fprintf(&b, "() = %v", op.Msg)
	case op.Kind == Take:
		b.WriteString("() = nothing")
	case op.Kind == Len:
		fmt.Fprintf(&b, "() = %d", op.Count)
	case op.Kind == HaltSome:
		fmt.Fprintf(&b, "(%d) = %d", op.N, op.Count)
	case op.Kind == Tickets:
		fmt.Fprintf(&b, "() = %v", op.All)
	case op.Kind == HaltOne:
		fmt.Fprintf(&b, "(client %d)", op.Seat)
	case op.Kind == End:
		for i := range op.Told {
			fmt.Fprintf(&b, ": client %d %v", op.Told[i].Seat, &op.Told[i])
		}
		fmt.Fprintf(&b, ": left %v", op.All)
	case op.Kind == Close, op.Kind == Halt, op.Kind == Closed:
		fmt.Fprintf(&b, "() = %v", op.Yes)
	default:
		b.WriteString("()")
	}
	if op.Cancel {
		b.WriteString(" cancellable")
	}
	if op.Wrong {
		b.WriteString(" with wrong tickets")
	}
	return b.String()
}
