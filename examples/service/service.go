package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// pieceBytes is the size of a piece: small enough that a text of some size
// keeps all workers busy, large enough that counting it costs more than
// handing it over.
const pieceBytes = 4 << 10

// treeName is what the supervisor is called.
const treeName = "service"

// A service is the tree of actors behind the HTTP server.
type service struct {
	settings
	store    *store
	workers  *workers
	task     *task
	tree     *supervisor.Supervisor
	watch    *quiet
	tickets  atomic.Uint64 // of the posts that are waited for
	underWay atomic.Int64  // HTTP requests that are being answered
}

// newService starts the tree, whose workers count with count. It lives until
// finish, or until a child of it fails too often; if owner ends before, it is
// stopped.
//
// Each child needs those before it: when one is started again, so are those
// after it. Their inboxes stay, so that what one has sent to another waits there
// until that is back.
func newService(owner context.Context, set settings, count func(string) map[string]int) (*service, error) {
	s := &service{settings: set, watch: &quiet{supervisor.LogObserver(slog.Default()), make(chan struct{})}}
	s.store = newStore(set.queue)
	s.workers = newWorkers(set, count, s.store.tell)
	s.store.workers = s.workers.child.Address()
	s.task = newTask(set, s.store.address)
	var err error
	s.tree, err = supervisor.Start(actor.WithObserver(owner, s.watch), &supervisor.Spec{
		Name:     treeName,
		Strategy: supervisor.RestForOne,
		Limit:    supervisor.Limit{Restarts: cmp.Or(set.restarts, -1), Period: set.restartsWithin},
		Children: []supervisor.Child{s.store.child, s.workers.child, s.workers.foreman, s.task.child},
	})
	s.task.tree = s.tree
	return s, err
}

// split cuts a text into pieces. A large text is cut into larger pieces, so
// that it takes no more than a quarter of the queue and need not wait until
// the queue is empty.
func (s *service) split(text string) []string {
	return split(text, pieceBytes, max(1, s.queue/4))
}

// finish ends the tree when all work is done: the store admits no more, and all
// that it has admitted has come back. Then it writes the last snapshot and
// returns the books. When ctx ends, what is not done is aborted, and what is
// queued is handed back. If the tree has ended by itself, finish finds out what
// became of the pieces. It returns an error if a child failed too often, is stuck
// or was aborted, or if the account does not add up. A crash that was mended is
// no error here: it is on the account.
func (s *service) finish(ctx context.Context) (books, error) {
	// If one of them gets no answer, ctx or the tree has ended: Stop says it.
	_, _ = askAgain(ctx, s.store.address, stopAdmitting{}.to)
	_, _ = askAgain(ctx, s.store.address, allBack{}.to)
	report, ended := s.tree.Stop(ctx)
	select {
	case <-s.tree.Done():
		<-s.watch.ended // what the tree has to say is in the log
	default: // somebody is stuck
	}

	for _, child := range report.Children {
		if child.Name == s.store.child.Name && child.Ending == supervisor.Stuck {
			return books{}, ended // the store still has the books
		}
	}
	left := s.store.books()
	var errs []error
	if n := left.account.open(); n != 0 {
		errs = append(errs, fmt.Errorf("the account does not add up: pieces that have not come back: %d", n))
	}
	if err := writeSnapshot(s.snapshot, s.task.info().Format, left.total); err != nil {
		errs = append(errs, fmt.Errorf("the last %w: %w", errNotWritten, err))
	}
	return left, errors.Join(append(errs, ended)...)
}

// askAgain asks an actor for something that it may keep for a while before it
// answers: if it crashes meanwhile, it is asked again. It ends because the actor
// does if it crashes too often.
func askAgain[M, R any](ctx context.Context, to *actor.Address[M], msg func(actor.Reply[R]) M) (R, error) {
	for {
		value, err := actor.Ask[M](ctx, to, msg)
		if !errors.Is(err, actor.ErrNoReply) {
			return value, err
		}
	}
}
