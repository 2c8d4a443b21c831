package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"tinyactor/actor"
)

// pieceBytes is the size of a piece: small enough that a text of some size
// keeps all workers busy, large enough that counting it costs more than
// handing it over.
const pieceBytes = 4 << 10

// lastTime is how long the store waits for what comes back after an abort, and
// how long it may take to end then.
const lastTime = time.Second

// A service is the actors behind the HTTP server.
type service struct {
	settings
	workers  *workers
	store    *actor.Child[request, books]
	address  *actor.Address[request] // of the store
	tasks    *actor.Child[command, actor.None]
	commands *actor.Address[command] // to the tasks
	underWay atomic.Int64            // HTTP requests that are being answered
}

// newService starts the actors, whose workers count with count. They live
// until finish; if owner ends before, they are halted in no particular order.
func newService(owner context.Context, set settings, count func(string) map[string]int) *service {
	owner = actor.WithObserver(owner, panics{})
	s := &service{settings: set}
	s.workers = startWorkers(owner, set, count)
	s.store, s.address = startStore(owner, s.workers.pieces, set.queue)
	s.tasks, s.commands = startTasks(owner, set, s.address)
	return s
}

// split cuts a text into pieces. A large text is cut into larger pieces, so
// that it takes no more than a quarter of the queue and need not wait until
// the queue is empty.
func (s *service) split(text string) []string {
	return split(text, pieceBytes, max(1, s.queue/4))
}

// finish ends the actors in the order in which work flows: the store admits no
// more, the workers count what is queued, the last snapshot is written, and the
// store gives its books. When ctx ends, what is not done is aborted, and what is
// queued is handed back. It returns an error if an actor failed, is stuck or was
// aborted, or if the account does not add up. A worker's panic is no error
// here: it is on the account.
func (s *service) finish(ctx context.Context) (books, error) {
	_, refused := actor.Ask(ctx, s.address, stopAdmitting{}.to)
	_, drained := s.workers.pool.Drain(ctx)
	_, dismissed := s.workers.foreman.Drain(ctx)
	_, saved := s.tasks.Drain(ctx)

	// Also after an abort the store takes what comes back, because the account is
	// about that. Only the piece of a worker that is stuck does not: the account
	// will not add up then, and says so.
	living := context.WithoutCancel(ctx)
	last, cancel := context.WithTimeout(living, lastTime)
	defer cancel()
	_, _ = actor.Ask(last, s.address, allBack{}.to)
	last, cancel = context.WithTimeout(living, lastTime)
	defer cancel()
	left, closed := s.store.Drain(last)

	errs := append([]error{refused}, withoutPanics(drained)...)
	errs = append(errs, dismissed, saved, closed)
	if n := left.account.open(); n != 0 {
		errs = append(errs, fmt.Errorf("the account does not add up: pieces that have not come back: %d", n))
	}
	return left, errors.Join(errs...)
}

// withoutPanics takes the errors of a pool apart, and leaves out those of
// processes that have panicked and those that say what another one says.
func withoutPanics(err error) (errs []error) {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range several.Unwrap() {
			errs = append(errs, withoutPanics(err)...)
		}
	} else if panicked := (*actor.PanicError)(nil); err != nil && !errors.As(err, &panicked) {
		errs = append(errs, err)
	}
	seen := make(map[string]bool)
	return slices.DeleteFunc(errs, func(err error) bool {
		text := err.Error()
		defer func() { seen[text] = true }()
		return seen[text]
	})
}
