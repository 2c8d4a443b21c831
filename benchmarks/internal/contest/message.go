package contest

import "fmt"

// A Msg is what is sent in all workloads. Its number says who sent it, and
// which of the sender's messages it is.
type Msg struct{ V int64 }

const (
	seqBits = 40
	seqMask = 1<<seqBits - 1
)

// message is the seq-th message of a sender, beginning with 0.
func message(sender int, seq int64) Msg { return Msg{int64(sender)<<seqBits | seq} }

func (m Msg) sender() int { return int(m.V >> seqBits) }
func (m Msg) seq() int64  { return m.V & seqMask }

func (m Msg) String() string { return fmt.Sprintf("message %d of sender %d", m.seq(), m.sender()) }

// A Receiver is what one process of an actor does with its messages. Only that
// process uses it until the actor has stopped.
type Receiver struct {
	next   []int64 // by sender, the message that must come next; nil if
	handle func(Msg)
	wrong  error // the first message that should not have come
	_      [64]byte
}

// handler returns a receiver that calls f for each message.
func handler(f func(Msg)) *Receiver { return &Receiver{handle: f} }

// tally returns a receiver that checks that each sender's messages come
// completely, once, and in order.
func tally(senders int) *Receiver {
	r := &Receiver{next: make([]int64, senders)}
	for s := range r.next {
		r.next[s] = message(s, 0).V
	}
	return r
}

// Take is called for each message.
func (r *Receiver) Take(m Msg) {
	if s := uint64(m.V) >> seqBits; s < uint64(len(r.next)) && r.next[s] == m.V {
		r.next[s]++
	} else {
		r.other(m)
	}
}

// other takes what is not the next message of a tally.
func (r *Receiver) other(m Msg) {
	switch s := m.sender(); {
	case r.handle != nil:
		r.handle(m)
	case r.wrong != nil:
	case s < 0 || s >= len(r.next):
		r.wrong = fmt.Errorf("%v, of %d senders", m, len(r.next))
	default:
		r.wrong = fmt.Errorf("%v instead of %v", m, Msg{r.next[s]})
	}
}

// check reports what is wrong with what a tally has received, when all senders
// have sent sent messages.
func (r *Receiver) check(sent func(sender int) int64) error {
	if r.wrong != nil {
		return r.wrong
	}
	for s, next := range r.next {
		if n := (Msg{next}).seq(); n != sent(s) {
			return fmt.Errorf("%d messages of sender %d instead of %d", n, s, sent(s))
		}
	}
	return nil
}

// A share is what one of several receivers of a mailbox has got. It cannot
// know which messages the others take, but that a sender's messages come in
// order; the sums of all shares tell whether a message is missing or came twice.
type share struct {
	last  []int64 // by sender, the number that came last
	wrong error
	sums
	_ [64]byte
}

// sums are equal for equal sets of messages, and with three of them hardly ever
// for others.
type sums struct{ count, total, squares uint64 }

func newShare(senders int) *share {
	s := &share{last: make([]int64, senders)}
	for i := range s.last {
		s.last[i] = -1
	}
	return s
}

func (s *sums) add(m Msg) {
	v := uint64(m.V)
	s.count++
	s.total += v
	s.squares += v * v
}

func (s *share) take(m Msg) {
	if from := m.sender(); m.seq() > s.last[from] {
		s.last[from] = m.seq()
	} else if s.wrong == nil {
		s.wrong = fmt.Errorf("%v after number %d", m, s.last[from])
	}
	s.add(m)
}

// checkShares reports what is wrong with what several receivers have got of
// senders that have sent n messages each.
func checkShares(shares []*share, senders, n int) error {
	var got, want sums
	for _, s := range shares {
		if s.wrong != nil {
			return s.wrong
		}
		got.count += s.count
		got.total += s.total
		got.squares += s.squares
	}
	for sender := range senders {
		for seq := range n {
			want.add(message(sender, int64(seq)))
		}
	}
	if got != want {
		return fmt.Errorf("received %+v instead of %+v", got, want)
	}
	return nil
}
