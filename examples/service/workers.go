package main

import (
	"context"

	"tinyactor/actor"
)

// A piece is a part of a text that one worker counts. It carries the address
// of the store that waits for it, so that the pool needs to know nobody.
type piece struct {
	text  string // the text's name
	post  int    // the number of the post that it came with
	body  string
	store *actor.Address[request]
}

// startWorkers starts a pool of n workers that share one inbox with room for
// queue pieces. Every piece that the inbox accepts is told to the piece's
// store exactly once: as counted by a worker, or as returned if none got it.
//
// What the workers tell goes out by SendNow, which does not wait: the store
// admits no more pieces than it has room for results, and a result must not
// be lost because the worker's ctx has ended by an abort.
func startWorkers(owner context.Context, n, queue int, count func(string) map[string]int) (*actor.Pool[piece, actor.None], *actor.Address[piece]) {
	cfg := actor.Config{
		Name:     "workers",
		Capacity: actor.Bounded(queue),
		Undelivered: func(msg any) {
			p := msg.(piece)
			// The store outlives the pool; if it has failed nevertheless, the
			// service ends with the store's error.
			_ = p.store.SendNow(returned{text: p.text, post: p.post})
		},
	}
	return actor.SpawnPool(owner, cfg, n, actor.NoValue(func(ctx context.Context, in *actor.Inbox[piece]) error {
		return in.Serve(ctx, func(_ context.Context, p piece) error {
			return p.store.SendNow(counted{text: p.text, post: p.post, counts: count(p.body)})
		})
	}))
}
