package main

import (
	"context"
	"log/slog"

	"tinyactor/actor"
)

// A piece is a part of a text that one worker counts. It carries the address
// of the store that waits for it, so that the pool needs to know nobody.
type piece struct {
	pieceID
	body  string
	store *actor.Address[request]
}

// workers are a pool that shares one inbox of pieces, and the foreman who says
// how many there are.
type workers struct {
	count   func(string) map[string]int
	pool    *actor.Pool[piece, actor.None]
	pieces  *actor.Address[piece]
	foreman *actor.Child[order, actor.None]
	orders  *actor.Address[order] // to the foreman

	// crashes are orders to panic. There is no buffer: an order is taken by a
	// worker that has a piece in hand, or by nobody.
	crashes chan chan<- pieceID
}

// startWorkers starts as few workers as the settings allow, in front of an inbox
// with room for set.queue pieces, and their foreman. Every piece that the inbox
// accepts is told to the piece's store exactly once: as counted by a worker, as
// crashed if its worker panicked, or as returned if none got it.
//
// What the workers tell goes out by SendNow, which does not wait: the store
// admits no more pieces than it has room for results, and a result must not
// be lost because the worker's ctx has ended by an abort.
func startWorkers(owner context.Context, set settings, count func(string) map[string]int) *workers {
	w := &workers{count: count, crashes: make(chan chan<- pieceID)}
	cfg := actor.Config{
		Name:     "workers",
		Capacity: actor.Bounded(set.queue),
		Undelivered: func(msg any) {
			p := msg.(piece)
			// The store outlives the pool; if it has failed nevertheless, the
			// service ends with the store's error.
			_ = p.store.SendNow(returned{p.pieceID})
		},
	}
	w.pool, w.pieces = actor.SpawnPool(owner, cfg, set.workersMin, actor.NoValue(w.work))
	// The workers see the foreman: they use him with a piece in hand only, and
	// nobody has sent one yet.
	w.foreman, w.orders = startForeman(owner, w.pool, w.hire, set.workersMin, set.workersMax)
	return w
}

// hire adds a worker.
func (w *workers) hire() error { return w.pool.Spawn(actor.NoValue(w.work)) }

// work is the body of a worker.
func (w *workers) work(ctx context.Context, in *actor.Inbox[piece]) error {
	var inHand job
	// Runs without a recover, so that the panic stays the process's exit.
	defer func() { inHand.crashed(ctx, w, in.Halting()) }()
	return in.Serve(ctx, func(_ context.Context, p piece) error {
		inHand = job{piece: p, held: true}
		counts := w.count(p.body)
		select {
		case inHand.told = <-w.crashes:
			panic(ordered{p.pieceID})
		default:
		}
		err := p.store.SendNow(counted{p.pieceID, counts})
		inHand = job{}
		return err
	})
}

// A job is what a worker has in hand.
type job struct {
	piece piece
	held  bool
	told  chan<- pieceID // who has ordered the worker to crash on it
}

// crashed is called at a worker's end. If the worker has something in hand it
// has panicked: the piece is reported, and the worker is replaced now, while it
// still lives, because a pool whose last worker has gone is closed for good.
func (j *job) crashed(ctx context.Context, w *workers, halting <-chan struct{}) {
	if !j.held {
		return
	}
	id := j.piece.pieceID
	if err := j.piece.store.SendNow(crashed{id}); err != nil {
		slog.Error("nobody is left to take the report of a crash", "piece", id.String(), "error", err)
	}
	if j.told == nil {
		slog.Error("a worker crashed", "piece", id.String())
	}
	// Without a foreman the service is being torn down, and needs no workers.
	_, _ = actor.Ask(ctx, w.orders, replace{halting: halting}.to)
	if j.told != nil {
		j.told <- id
	}
}

// ordered is the value of a panic that somebody asked for.
type ordered struct{ pieceID }

func (o ordered) String() string { return "ordered to crash on " + o.pieceID.String() }

// crash makes a worker that has a piece in hand panic, and returns that piece
// when it was reported and the worker was replaced. It waits for a piece until
// ctx ends.
func (w *workers) crash(ctx context.Context) (pieceID, error) {
	told := make(chan pieceID, 1) // the worker does not wait for whom it tells
	select {
	case w.crashes <- told:
		return <-told, nil
	case <-ctx.Done():
		return pieceID{}, ctx.Err()
	}
}
