package mailbox

import "tinyactor/internal/sched"

// wakeup is a list of waiters that were taken out of their lines under the lock
// and get their token after it. Nobody else knows them meanwhile: each waits for
// its token, whatever else ends its wait.
type wakeup[M any] struct {
	senders, lastSender *place[*sender[M]]
	receivers           *place[*Receiver[M]]
}

// sender adds a sender whose wait has ended with s, and that stands in no line.
func (w *wakeup[M]) sender(p *place[*sender[M]], s Status) {
	p.of.status = s
	if w.senders == nil {
		w.senders = p
	} else {
		w.lastSender.next = p
	}
	w.lastSender = p
}

// line adds all senders of a line.
func (w *wakeup[M]) line(l *line[*sender[M]], s Status) {
	for one, ok := l.take(); ok; one, ok = l.take() {
		w.sender(&one.place, s)
	}
}

// receiver adds a receiver that must look again, and that stands in no line.
func (w *wakeup[M]) receiver(p *place[*Receiver[M]]) {
	p.next = w.receivers
	w.receivers = p
}

// all gives everybody a token. The lock is not held.
func (w *wakeup[M]) all() {
	for p := w.senders; p != nil; {
		next := p.next
		p.next = nil
		sched.Send(p.of.wake, struct{}{})
		p = next
	}
	for p := w.receivers; p != nil; {
		next := p.next
		p.next = nil
		sched.Send(p.of.wake, look)
		p = next
	}
}
