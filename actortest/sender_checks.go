package actortest

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"tinyactor/actor"
)

var senderChecks = []struct {
	name  string
	check func(*senderCheck)
}{
	{"order", (*senderCheck).order},
	{"full", (*senderCheck).full},
	{"backpressure", (*senderCheck).backpressure},
	{"closed", (*senderCheck).closed},
	{"closed while Send waits", (*senderCheck).closedWaiting},
	{"ended while others send", (*senderCheck).ended},
	{"Ask answered", (*senderCheck).askAnswered},
	{"Ask and ctx", (*senderCheck).askCanceled},
	{"Ask and the process ends", (*senderCheck).askProcessEnds},
	{"Ask and the actor ends", (*senderCheck).askActorEnds},
	{"Ask and the actor is closed", (*senderCheck).askClosed},
}

// shortly is how long the context of a call lives that has to wait for longer.
const shortly = 10 * time.Millisecond

func (s *senderCheck) order() {
	s.spawn(actor.Bounded(8), nil)
	s.open()
	s.several(4, 100, nil, func(m Message) error {
		return s.account(m, func() error {
			if m.N%3 == 0 {
				if err := s.sender.TrySend(m); !errors.Is(err, actor.ErrFull) {
					return err
				}
			}
			return s.sender.Send(s.ctx, m)
		})
	})
}

func (s *senderCheck) full() {
	s.spawn(actor.Bounded(4), nil)
	for n := range 4 {
		s.expect(nil, "TrySend to an inbox that has room", s.trySend(n))
	}
	s.expect(actor.ErrFull, "TrySend to a full inbox", s.trySend(4))
	ctx, cancel := context.WithTimeout(s.ctx, shortly)
	defer cancel()
	s.expect(context.DeadlineExceeded, "Send to a full inbox whose context ends", s.send(ctx, 5))
	what := "Send to a full inbox that gets room"
	end := s.begin(what, s.send(s.ctx, 6))
	s.settle()
	s.open()
	s.expectEnd(nil, what, end)
}

func (s *senderCheck) backpressure() {
	s.spawn(actor.Backpressure(2, time.Millisecond, 1), nil)
	for n := range 2 {
		s.expect(nil, "TrySend before there is backpressure", s.trySend(n))
	}
	s.expect(actor.ErrFull, "TrySend under backpressure", s.trySend(2))
	s.expect(nil, "Send under backpressure", s.send(s.ctx, 3))
}

func (s *senderCheck) closed() {
	s.spawn(actor.Bounded(4), nil)
	s.expect(nil, "Send to an open actor", s.send(s.ctx, 0))
	s.expect(nil, "TrySend to an open actor", s.trySend(1))
	s.child.Close()
	s.expect(actor.ErrClosed, "Send to a closed actor", s.send(s.ctx, 2))
	s.expect(actor.ErrClosed, "TrySend to a closed actor", s.trySend(3))
}

func (s *senderCheck) closedWaiting() {
	s.spawn(actor.Bounded(1), nil)
	s.expect(nil, "Send to an inbox that has room", s.send(s.ctx, 0))
	what := "Send to a full inbox of an actor that closes"
	end := s.begin(what, s.send(s.ctx, 1))
	s.settle()
	s.child.Close()
	s.expectEnd(actor.ErrClosed, what, end)
}

// ended has an actor end under the hands of its senders, some of which give up.
func (s *senderCheck) ended() {
	left := 50
	s.spawn(actor.Bounded(16), func(Message) error {
		if left--; left == 0 {
			return actor.ErrHalted // ends the process; the queue is left
		}
		return nil
	})
	s.open()
	s.several(4, 500, actor.ErrClosed, func(m Message) error {
		var retry error
		err := s.account(m, func() error {
			switch m.N % 5 {
			case 0:
				retry = actor.ErrFull
				return s.sender.TrySend(m)
			case 1:
				retry = context.DeadlineExceeded
				ctx, cancel := context.WithTimeout(s.ctx, time.Microsecond)
				defer cancel()
				return s.sender.Send(ctx, m)
			default:
				return s.sender.Send(s.ctx, m)
			}
		})
		if retry != nil && errors.Is(err, retry) {
			return nil
		}
		return err
	})
}

func (s *senderCheck) askAnswered() {
	const refusal = "no such number"
	s.spawn(actor.Bounded(4), func(m Message) error {
		if m.N == 1 {
			m.Answer(0, errors.New(refusal))
		} else {
			m.Answer(42, nil)
		}
		return nil
	})
	s.open()
	var value atomic.Int64
	s.expect(nil, "Ask", s.ask(0, &value))
	if v := value.Load(); v != 42 {
		s.problem("Ask returns %d, want 42, as it was answered", v)
	}
	end := s.begin("Ask", s.ask(1, nil))
	if err := end(); err == nil || !strings.Contains(err.Error(), refusal) {
		s.problem("Ask returns %v, want the error of the answer, %q", quote(err), refusal)
	}
}

func (s *senderCheck) askCanceled() {
	s.spawn(actor.Bounded(4), nil)
	s.open()
	s.expect(context.DeadlineExceeded, "Ask without an answer whose context ends", func() error {
		ctx, cancel := context.WithTimeout(s.ctx, shortly)
		defer cancel()
		return s.askWith(ctx, 0, nil)
	})
}

func (s *senderCheck) askProcessEnds() {
	s.spawn(actor.Bounded(4), func(Message) error { return actor.ErrHalted })
	s.open()
	s.expect(actor.ErrNoReply, "Ask of a process that ends without an answer", s.ask(0, nil))
}

func (s *senderCheck) askActorEnds() {
	s.spawn(actor.Bounded(4), nil)
	what := "Ask of an actor that ends before it receives the question"
	end := s.begin(what, s.ask(0, nil))
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	over := time.After(patience / 2)
	for waiting := true; waiting && s.child.Len() == 0; {
		select {
		case <-poll.C: // nothing tells of a message that has come to an inbox
		case <-over:
			waiting = false
		}
	}
	s.child.Halt()
	s.expectEnd(actor.ErrNoReply, what, end)
}

func (s *senderCheck) askClosed() {
	s.spawn(actor.Bounded(4), nil)
	s.child.Close()
	s.expect(actor.ErrClosed, "Ask of a closed actor", s.ask(0, nil))
}
