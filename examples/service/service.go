package main

import (
	"context"
	"errors"
	"fmt"

	"tinyactor/actor"
)

// settings are what the flags say.
type settings struct {
	workers  int   // how many count
	queue    int   // how many pieces may be accepted and not yet counted
	maxBytes int64 // the size of a text
}

func (s settings) validate() error {
	switch {
	case s.workers < 1:
		return fmt.Errorf("-workers is %d and must be at least 1", s.workers)
	case s.queue < 1:
		return fmt.Errorf("-queue is %d and must be at least 1", s.queue)
	case s.maxBytes < 1:
		return fmt.Errorf("-max-bytes is %d and must be at least 1", s.maxBytes)
	}
	return nil
}

// pieceBytes is the size of a piece: small enough that a text of some size
// keeps all workers busy, large enough that counting it costs more than
// handing it over.
const pieceBytes = 4 << 10

// A service is the actors behind the HTTP server.
type service struct {
	settings
	workers *actor.Pool[piece, actor.None]
	store   *actor.Child[request, books]
	address *actor.Address[request] // of the store
}

// newService starts the actors, whose workers count with count. They live
// until finish; if owner ends before, they are halted in no particular order.
func newService(owner context.Context, set settings, count func(string) map[string]int) *service {
	s := &service{settings: set}
	var pieces *actor.Address[piece]
	s.workers, pieces = startWorkers(owner, set.workers, set.queue, count)
	s.store, s.address = startStore(owner, pieces, set.queue)
	return s
}

// split cuts a text into pieces. A large text is cut into larger pieces, so
// that it takes no more than a quarter of the queue and need not wait until
// the queue is empty.
func (s *service) split(text string) []string {
	return split(text, pieceBytes, max(1, s.queue/4))
}

// finish ends the actors in the order in which work flows: the store admits no
// more, the workers count what is queued, the store takes their last counts.
// When ctx ends, the workers are aborted and what is queued is handed back. It
// returns an error if an actor failed or the account does not add up.
func (s *service) finish(ctx context.Context) (books, error) {
	_, refused := actor.Ask(ctx, s.address, stopAdmitting{}.to)
	exits, drained := s.workers.Drain(ctx)
	errs := []error{refused, drained}
	for _, exit := range exits {
		errs = append(errs, exit.Err)
	}
	left, err := s.store.Drain(context.WithoutCancel(ctx))
	errs = append(errs, err)
	if left.account.open() != 0 {
		errs = append(errs, fmt.Errorf("the account does not add up: %v", left.account))
	}
	return left, errors.Join(errs...)
}
