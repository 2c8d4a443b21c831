package faults_test

import (
	"time"

	"tinyactor/actor"
)

// msg is what all actors receive.
type msg struct {
	actor.Reply[int]
	id   int // of its letter
	deed deed
}

// with makes the question that an Ask sends.
func (m msg) with(r actor.Reply[int]) msg {
	m.Reply = r
	return m
}

// letter is what is known of one message.
type letter struct {
	id      int
	to      *target
	from    *sender
	outcome outcome
	timed   bool // a timer sends it
	period  bool // and perhaps several times
	begun   bool // after somebody knew that the actor takes no more

	received   int
	by         *process // the last one that did
	handedBack int
	backAt     time.Time
	crashed    int // given to OnCrash
	mustCrash  int // in hand when a process failed
}

// outcome is what the call that sent a letter said of it.
type outcome int

const (
	underWay outcome = iota
	accepted
	refused
	unknown // accepted or not: the sender has gone
)

func (o outcome) String() string { return named(o, "under way", "accepted", "refused", "unknown") }

// sender is one goroutine that sends: what it sends to one actor keeps its
// order.
type sender struct {
	who   string
	alone *target // the actor that it is a process of
}

// write makes the next letter.
func (w *world) write(from *sender, to *target, d deed) (*letter, msg) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := &letter{id: len(w.letters), from: from, to: to, begun: to.refused}
	w.letters = append(w.letters, l)
	return l, msg{id: l.id, deed: d}
}

// sent notes what a send has said.
func (w *world) sent(l *letter, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch kind := w.kindOf(err); kind {
	case noError:
		l.outcome = accepted
	case closedError:
		l.outcome, l.to.refused = refused, true
		w.happen("refused because closed")
	case fullError, contextError:
		l.outcome = refused
		if kind == contextError {
			w.happen("ctx ended a wait for room")
		}
	default:
		w.wrong("letter %d from %s to %s: Send says %v", l.id, l.from.who, l.to.name, err)
	}
	w.late(l)
}

// asked notes what an Ask has said.
func (w *world) asked(l *letter, value int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch w.kindOf(err) {
	case noError:
		l.outcome = accepted
		w.happen("answered")
		if value != l.id {
			w.wrong("letter %d from %s to %s: the answer is that to %d", l.id, l.from.who, l.to.name, value)
		}
	case faultError: // given to Answer, or what ended Serve
		l.outcome = accepted
	case noReplyError:
		l.outcome = accepted
		w.happen("no reply")
		if l.from.alone == l.to {
			l.outcome = unknown // it asked itself, and perhaps nothing was sent
		}
	case closedError:
		l.outcome, l.to.refused = refused, true
		w.happen("refused because closed")
	case fullError:
		l.outcome = refused
	case contextError:
		l.outcome = unknown
		w.happen("ctx ended an Ask")
		now := time.Now()
		if p := l.by; p != nil && p.over && p.overAt.Before(now) {
			w.wrong("letter %d from %s: the Ask waited %v after %s, which had received it, ended", l.id, l.from.who, now.Sub(p.overAt), p.who)
		}
		if l.handedBack > 0 && l.backAt.Before(now) && l.to.plan.hook != hookHangs {
			w.wrong("letter %d from %s: the Ask waited %v after the message was handed back", l.id, l.from.who, now.Sub(l.backAt))
		}
	default:
		w.wrong("letter %d from %s to %s: Ask says %v", l.id, l.from.who, l.to.name, err)
	}
	w.late(l)
}

// late checks that nobody accepts a message after somebody was told that no
// more are. mu is held.
func (w *world) late(l *letter) {
	if l.begun && l.outcome == accepted {
		w.wrong("letter %d from %s was accepted by %s, which had refused one before", l.id, l.from.who, l.to.name)
	}
}

// took notes that a process has received a message.
func (w *world) took(p *process, m msg) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.letters[m.id]
	l.received++
	l.by = p
	p.hand = append(p.hand, m.id)
	w.inOrder(p, l)
}

// inOrder checks that the messages of one sender come in the order in which it
// sent them. In a pool each process sees them so, unless messages were given
// back to it: an aborted process of a worker gives back, and a batch does.
func (w *world) inOrder(p *process, l *letter) {
	x := p.of
	last := p.last
	switch {
	case l.period:
		return
	case x.plan.procs == 1 && !x.grown:
		last = x.last
	case x.child != nil || x.grown || x.plan.loop == byBatch || x.worker:
		return
	}
	if before, ok := last[l.from]; ok && before >= l.id {
		w.wrong("%s received letter %d of %s after letter %d", p.who, l.id, l.from.who, before)
	}
	last[l.from] = l.id
}

// handBack is what every Undelivered does first.
func (w *world) handBack(x *target, m msg) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.happen("handed back")
	l := w.letters[m.id]
	l.handedBack++
	l.backAt = time.Now()
	x.back++
	if l.to != x {
		w.wrong("letter %d to %s was handed back by %s", l.id, l.to.name, x.name)
	}
	if x.plan.procs > 1 || x.grown || l.period {
		return
	}
	if before, ok := x.last[l.from]; ok && before >= l.id {
		w.wrong("%s handed back letter %d of %s after letter %d", x.name, l.id, l.from.who, before)
	}
	x.last[l.from] = l.id
}

// crash is what every OnCrash does first.
func (w *world) crash(x *target, m msg) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.happen("crashed in hand")
	w.letters[m.id].crashed++
}

// conserved checks of every message that it is accounted for, once. Of an actor
// that goes on, or whose Undelivered hangs, it checks nothing.
func (w *world) conserved(when string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	queued := make(map[*target]int)
	for _, l := range w.letters {
		seen := l.received + l.handedBack
		x := l.to
		switch {
		case !x.settled():
			if l.outcome == accepted && seen == 0 {
				queued[x]++
			}
			continue
		case l.outcome == underWay && !l.timed:
			w.wrong("%s: letter %d from %s to %s is under way", when, l.id, l.from.who, x.name)
		case l.outcome == accepted && seen == 0:
			w.wrong("%s: letter %d from %s to %s was accepted and is lost", when, l.id, l.from.who, x.name)
		case l.outcome == refused && seen > 0:
			w.wrong("%s: letter %d from %s to %s was refused and came", when, l.id, l.from.who, x.name)
		}
		if seen > 1 && !l.period {
			w.wrong("%s: letter %d from %s to %s was received %d times and handed back %d times",
				when, l.id, l.from.who, x.name, l.received, l.handedBack)
		}
		if x.worker && l.crashed != l.mustCrash {
			w.wrong("%s: letter %d to %s was given to OnCrash %d times, and it crashed in hand %d times",
				when, l.id, x.name, l.crashed, l.mustCrash)
		}
	}
	for x, n := range queued {
		if got := x.addr.Len(); x.spare && got < n {
			w.wrong("%s: %s has %d messages, and at least %d were accepted", when, x.name, got, n)
		}
	}
}
