package soak

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// msg is the message of all actors here. One that asks is answered with its id.
type msg struct {
	actor.Reply[id]
	id    id
	timed bool // who asks waits for a while only, so the answer may stay out
}

// errCrash is what bodies fail with.
var errCrash = errors.New("crashed on purpose")

// one reports true once in n times.
func one(n int) bool { return rand.IntN(n) == 0 }

// serve is the body of all supervised workers: each process receives in one of
// the ways there are.
func (s *soak) serve(ctx context.Context, in *actor.Inbox[msg]) error {
	if one(300) && s.loaded.Load() {
		s.count(failedStart)
		return errCrash
	}
	supervisor.Started(ctx)
	way := []func(context.Context, *actor.Inbox[msg]) error{
		func(ctx context.Context, in *actor.Inbox[msg]) error { return in.Serve(ctx, s.handle) },
		s.rangeOver, s.batches, s.selecting, s.impatient,
	}[rand.IntN(5)]
	if err := way(ctx, in); err != actor.ErrHalted {
		return err
	}
	for range rand.IntN(3) { // who was halted may receive what is there
		m, err := in.TryRecv()
		if err != nil {
			break
		}
		if err := s.handle(ctx, m); err != nil && err != actor.ErrHalted {
			return err
		}
	}
	return nil
}

func (s *soak) rangeOver(ctx context.Context, in *actor.Inbox[msg]) error {
	for m := range in.Messages(ctx) {
		if err := s.handle(ctx, m); err != nil {
			return err
		}
	}
	return in.Err()
}

func (s *soak) batches(ctx context.Context, in *actor.Inbox[msg]) error {
	dst := make([]msg, 1+rand.IntN(16))
	wait := time.Duration(rand.IntN(2)) * time.Millisecond
	for {
		n, err := in.RecvBatch(ctx, dst, wait)
		if err != nil {
			return err
		}
		if err := s.crash(ctx); err != nil { // with all of them in hand
			return err
		}
		for _, m := range dst[:n] {
			s.done(m)
		}
	}
}

func (s *soak) selecting(ctx context.Context, in *actor.Inbox[msg]) error {
	ready := in.Ready()
	for {
		select {
		case <-ready:
		case <-in.Halting():
		case <-ctx.Done():
		}
		m, err := in.TryRecv()
		switch err {
		case nil:
		case actor.ErrEmpty:
			continue
		default:
			return err
		}
		if err := s.handle(ctx, m); err != nil {
			return err
		}
	}
}

// impatient gives up a receive that takes too long, and begins anew. While there
// is no load it has patience.
func (s *soak) impatient(ctx context.Context, in *actor.Inbox[msg]) error {
	for {
		patience := time.Millisecond
		if !s.loaded.Load() {
			patience = time.Hour
		}
		brief, cancel := context.WithTimeout(ctx, patience)
		m, err := in.Recv(brief)
		cancel()
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			s.count(receiveEnded)
			continue
		case err != nil:
			return err
		}
		if err := s.handle(ctx, m); err != nil {
			return err
		}
	}
}

// handle is what a supervised process does with a message. A message in hand at
// a crash goes to OnCrash, so its fate is noted here only when nothing can
// happen to it any more.
func (s *soak) handle(ctx context.Context, m msg) error {
	if s.loaded.Load() && one(16) {
		s.passOn(ctx)
	}
	if err := s.crash(ctx); err != nil {
		return err
	}
	s.done(m)
	if s.loaded.Load() && one(20_000) {
		s.count(ended)
		return actor.ErrHalted // ends the body in good order
	}
	return nil
}

// crash fails now and then, in one of the ways there are. Sometimes it only
// takes long, until somebody loses patience.
func (s *soak) crash(ctx context.Context) error {
	if !s.loaded.Load() {
		return nil
	}
	switch rand.IntN(25_000) {
	case 0, 1:
		s.count(panicked)
		panic(errCrash)
	case 2, 3:
		s.count(goexited)
		runtime.Goexit()
	case 4, 5:
		s.count(failed)
		return errCrash
	case 6:
		s.count(lingered)
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// done answers a message and notes that it was received.
func (s *soak) done(m msg) {
	if !m.timed || !one(50) {
		m.Answer(m.id, nil)
	}
	s.ledger.settle(m.id, received)
}

// passOn sends a message to another actor, or asks it.
func (s *soak) passOn(ctx context.Context) {
	to := s.someone()
	if one(16) {
		brief, cancel := context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		s.ask(brief, counted{s, to}, true)
		return
	}
	if m, ok := s.ledger.issue(); ok && to.TrySend(msg{id: m}) == nil {
		s.ledger.accept(m)
		s.count(passedOn)
	}
}

// undelivered is what all actors have for leftovers.
func (s *soak) undelivered(m msg) { s.ledger.settle(m.id, handedBack) }

// onCrash is what supervised ones have for what was in hand.
func (s *soak) onCrash(m msg, _ error) { s.ledger.settle(m.id, crashed) }
