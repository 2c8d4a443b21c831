package model

import (
	"fmt"

	"tinyactor/internal/sched/explore"
)

// msg is a message: the seq-th of a sender.
type msg struct{ from, seq int }

func (m msg) String() string { return fmt.Sprintf("%d.%d", m.from, m.seq) }

// ledger keeps the books of one run: what was accepted, and where it went.
type ledger struct {
	r        *explore.Run
	sent     map[int]int // messages that each sender made
	accepted map[msg]bool
	where    map[msg]string // who has received it, or that it was handed back
}

func newLedger(r *explore.Run) ledger {
	return ledger{r: r, sent: map[int]int{}, accepted: map[msg]bool{}, where: map[msg]string{}}
}

// next makes the sender's next message.
func (l *ledger) next(from int) msg {
	l.sent[from]++
	return msg{from, l.sent[from]}
}

// accept notes that a send has said yes.
func (l *ledger) accept(m msg) { l.accepted[m] = true }

// got notes where a message went.
func (l *ledger) got(m msg, who string) {
	if before, twice := l.where[m]; twice {
		l.r.Failf("message %v went to %s after it went to %s", m, who, before)
	}
	l.where[m] = who
}

// balance checks that what was accepted, and nothing else, has gone somewhere.
func (l *ledger) balance() {
	for m := range l.accepted {
		if l.where[m] == "" {
			l.r.Failf("message %v was accepted and is lost", m)
		}
	}
	for m, who := range l.where {
		if !l.accepted[m] {
			l.r.Failf("message %v was refused and went to %s", m, who)
		}
	}
}

// order is what one receiver has seen of each sender.
type order map[int]int

// see notes a message, and fails if a later one of its sender came before.
func (o order) see(r *explore.Run, m msg) {
	if o[m.from] >= m.seq {
		r.Failf("message %v came after number %d of the same sender", m, o[m.from])
	}
	o[m.from] = m.seq
}
