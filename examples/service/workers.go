package main

import (
	"context"
	"errors"
	"log/slog"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// A piece is a part of a text that one worker counts.
type piece struct {
	pieceID
	body string
}

// workers are a pool of processes that share one inbox of pieces. As many as may
// ever be needed are there; the foreman says how many are on duty.
type workers struct {
	count   func(string) map[string]int
	tell    func(request) // the store
	roster  *roster
	crashes crashes
	child   *supervisor.Worker[piece]
	foreman *supervisor.Worker[actor.None]
}

// newWorkers makes the workers, with room for set.queue pieces, and their
// foreman. Every piece that the inbox accepts is told to the store exactly once:
// as counted by a worker, as crashed if its worker panicked or was aborted, or
// as returned if none got it.
//
// A worker that crashes is started again alone. When the workers are stopped,
// each finishes the piece in its hand; the others stay in the inbox until the
// workers are back, or are handed back if they do not come back.
func newWorkers(set settings, count func(string) map[string]int, tell func(request)) *workers {
	w := &workers{count: count, tell: tell, roster: newRoster(set.workersMin, set.workersMax), crashes: make(crashes)}
	w.child = &supervisor.Worker[piece]{
		Name:        "workers",
		Run:         w.work,
		Processes:   set.workersMax,
		Capacity:    actor.Bounded(set.queue),
		OnCrash:     w.crashedOn,
		Undelivered: func(p piece) { tell(returned{p.pieceID}) },
	}
	f := foreman{w}
	w.foreman = &supervisor.Worker[actor.None]{Name: "foreman", Run: f.oversee}
	return w
}

// work is the body of a worker: it counts while it is on duty.
func (w *workers) work(ctx context.Context, in *actor.Inbox[piece]) error {
	for {
		duty, changed := w.roster.report(ctx, in.Index())
		if duty == nil {
			select {
			case <-changed:
				continue
			case <-in.Halting():
				return nil
			}
		}
		if err := w.serve(duty, in); !errors.Is(err, context.Canceled) {
			return err
		}
		// Its duty is over, and nothing waits.
	}
}

// serve counts pieces until the duty is over and nothing waits, or the worker is
// stopped.
func (w *workers) serve(duty context.Context, in *actor.Inbox[piece]) error {
	w.roster.working.Add(1)
	defer w.roster.working.Add(-1)
	return in.Serve(duty, func(_ context.Context, p piece) error {
		counts := w.count(p.body)
		w.crashes.obey(p.String())
		w.tell(counted{p.pieceID, counts})
		return nil
	})
}

// crashedOn reports the piece that a worker had in hand when it crashed.
func (w *workers) crashedOn(p piece, cause error) {
	w.tell(crashed{p.pieceID})
	if o, is := byOrder(cause); is {
		o.told <- p.pieceID
		return
	}
	slog.Error("a worker crashed", "piece", p.String())
}
