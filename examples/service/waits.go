package main

import "tinyactor/actor"

// A wait is somebody who waits until a post is counted or has failed. It begins
// when the post is admitted and ends with forget, whenever await comes: so
// whoever asked a store that has crashed since asks again.
type wait struct {
	asker actor.Reply[receipt] // of the latest await, if one came before the post was over
	done  bool
	got   receipt
	err   error
}

// over says what became of the post. Nobody may wait for it: then w is nil.
func (w *wait) over(got receipt, err error) {
	if w == nil {
		return
	}
	w.done, w.got, w.err = true, got, err
	w.asker.Answer(got, err)
}

// await asks what became of the post with a ticket, and is answered when that is
// known.
type await struct {
	actor.Reply[receipt]
	ticket uint64
}

func (m await) to(r actor.Reply[receipt]) request { m.Reply = r; return m }

func (m await) apply(s *store) {
	switch w := s.waits[m.ticket]; {
	case w == nil:
		m.Answer(receipt{}, errUnknown)
	case w.done:
		m.Answer(w.got, w.err)
	default:
		w.asker = m.Reply
	}
}

// forget says that nobody waits any more for the post with a ticket, if it was
// admitted.
type forget struct{ ticket uint64 }

func (m forget) apply(s *store) { delete(s.waits, m.ticket) }
