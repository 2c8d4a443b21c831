package soak

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"tinyactor/actor"
)

// A queue that is longer than this gets nothing more: some have no bound.
const longest = 10_000

// counted is a Sender that keeps the account of what it sends.
type counted struct {
	s  *soak
	to *actor.Address[msg]
}

func (c counted) Send(ctx context.Context, m msg) error {
	return c.s.sent(m.id, c.to.Send(ctx, m))
}

func (c counted) TrySend(m msg) error { return c.s.sent(m.id, c.to.TrySend(m)) }

// sent notes a message as accepted if its send returned nil.
func (s *soak) sent(m id, err error) error {
	if err == nil {
		s.ledger.accept(m)
	}
	return err
}

// send puts messages into the tree in all ways there are.
func (s *soak) send(ctx context.Context) {
	for ctx.Err() == nil {
		to := s.someone()
		if to.Len() > longest {
			continue
		}
		m, ok := s.ledger.issue()
		if !ok {
			return
		}
		switch lot := rand.IntN(100); {
		case lot < 50:
			_ = s.sent(m, to.TrySend(msg{id: m}))
		case lot < 60:
			_ = s.sent(m, to.SendNow(msg{id: m}))
		case lot < 65:
			s.count(sentAll)
			s.sendAll(ctx, to, m)
		case lot < 68:
			brief, cancel := context.WithTimeout(ctx, time.Duration(rand.IntN(1000))*time.Microsecond)
			if err := s.sent(m, to.Send(brief, msg{id: m})); errors.Is(err, context.DeadlineExceeded) {
				s.count(sendEnded)
			}
			cancel()
		default:
			_ = s.sent(m, to.Send(ctx, msg{id: m}))
		}
	}
}

// sendAll sends several messages, the first of which is m.
func (s *soak) sendAll(ctx context.Context, to *actor.Address[msg], m id) {
	msgs := []msg{{id: m}}
	for range rand.IntN(40) {
		if m, ok := s.ledger.issue(); ok {
			msgs = append(msgs, msg{id: m})
		}
	}
	n, _ := to.SendAll(ctx, msgs)
	for _, m := range msgs[:n] {
		s.ledger.accept(m.id)
	}
}

// askAll asks actors of the tree: with patience, without, and through a Map.
func (s *soak) askAll(ctx context.Context) {
	for ctx.Err() == nil && !s.ledger.full() {
		to := s.someone()
		switch rand.IntN(3) {
		case 0:
			brief, cancel := context.WithTimeout(ctx, time.Duration(rand.IntN(2000))*time.Microsecond)
			s.ask(brief, counted{s, to}, true)
			cancel()
		case 1: // it always ends
			s.ask(context.Background(), to, false)
		case 2:
			s.ask(context.Background(), actor.Map(to, func(m msg) msg { return m }), false)
		}
	}
}

// ask asks. Whether the message was accepted is in what comes back, but for asks
// that are timed: their Sender has to be one that keeps the account.
func (s *soak) ask(ctx context.Context, to actor.Sender[msg], timed bool) {
	m, ok := s.ledger.issue()
	if !ok {
		return
	}
	got, err := actor.Ask(ctx, to, func(r actor.Reply[id]) msg { return msg{Reply: r, id: m, timed: timed} })
	switch {
	case err == nil && got != m:
		s.fail("message %x got the answer of %x", uint64(m), uint64(got))
	case err == nil:
		s.count(answered)
	case errors.Is(err, actor.ErrNoReply), errors.Is(err, errCrash): // Serve answers with that
		s.count(unanswered)
	case errors.Is(err, context.DeadlineExceeded), timed && ctx.Err() != nil:
		s.count(askEnded)
	case !errors.Is(err, actor.ErrClosed) && !errors.Is(err, actor.ErrFull):
		s.fail("an Ask ended with: %v", err)
	}
	if !timed && !errors.Is(err, actor.ErrClosed) {
		s.ledger.accept(m)
	}
}

// later is a message that a timer or a watch sends.
type later struct {
	to   *actor.Address[msg]
	id   func() id // 0: there was none
	stop func() bool
}

// over stops it and notes whether the message was accepted: it was prevented, or
// refused by an actor that is closed, or it was.
func (s *soak) over(l later) {
	prevented := l.stop()
	m := l.id()
	if prevented || m == 0 {
		return
	}
	if l.to.Closed() {
		<-l.to.Done()
		if !s.ledger.hasFate(m) {
			return
		}
	}
	s.ledger.accept(m)
}

// time sends messages later, and again and again.
func (s *soak) time(ctx context.Context) {
	const most = 50
	var waiting []later
	defer func() {
		for _, l := range waiting {
			s.over(l)
		}
	}()
	pace := time.NewTicker(100 * time.Microsecond)
	defer pace.Stop()
	for ctx.Err() == nil {
		<-pace.C
		if len(waiting) == most {
			i := rand.IntN(most)
			s.over(waiting[i])
			waiting[i] = waiting[most-1]
			waiting = waiting[:most-1]
		}
		to, d := s.someone(), time.Duration(rand.IntN(10_000))*time.Microsecond
		if one(4) {
			s.count(sendEvery)
			waiting = append(waiting, later{to, func() id { return 0 }, to.SendEvery(d+time.Microsecond, msg{})})
			continue
		}
		m, ok := s.ledger.issue()
		if !ok {
			return
		}
		s.count(sendAfter)
		waiting = append(waiting, later{to, func() id { return m }, to.SendAfter(d, msg{id: m})})
	}
}

// watch has actors of the tree watch one that ends soon.
func (s *soak) watch(ctx context.Context) {
	for ctx.Err() == nil && !s.ledger.full() {
		child, _ := actor.Spawn(ctx, actor.Config{Name: "watched"}, func(ctx context.Context, in *actor.Inbox[msg]) error {
			_, err := in.Recv(ctx)
			return err
		})
		var watches []later
		for range 3 {
			var made atomic.Uint64
			to := s.someone()
			stop := to.Watch(child, func(error) msg {
				m, ok := s.ledger.issue()
				if !ok {
					panic("soak: no more ids") // is recorded, and nothing is sent
				}
				made.Store(uint64(m))
				return msg{id: m}
			})
			watches = append(watches, later{to, func() id { return id(made.Load()) }, stop})
		}
		if one(2) {
			child.Abort()
		} else {
			child.Halt()
		}
		<-child.Done()
		if one(2) {
			s.pause(ctx, time.Millisecond)
		}
		for _, w := range watches {
			s.over(w)
		}
		s.count(watched)
	}
}

// pause waits, or until ctx ends.
func (s *soak) pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
