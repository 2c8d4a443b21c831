package channels

import (
	"context"
	"sync"

	"tinyactor/benchmarks/internal/contest"
)

// selecting is a channel whose senders and receivers also end when their
// context does. Each goroutine has a context of its own, as requests and
// services have.
type selecting struct {
	ctx   context.Context //nolint:containedctx // all contexts of a run are below it
	slots int
}

type selectBox struct {
	ctx context.Context //nolint:containedctx // that of goroutines that are not the box's
	c   chan contest.Msg
	wg  sync.WaitGroup
}

func (c selecting) Spawn(_ contest.Options, receivers ...*contest.Receiver) contest.Mailbox {
	b := &selectBox{ctx: c.ctx, c: make(chan contest.Msg, c.slots)}
	b.wg.Add(len(receivers))
	for _, r := range receivers {
		go b.run(r)
	}
	return b
}

func (b *selectBox) run(r *contest.Receiver) {
	defer b.wg.Done()
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	for {
		select {
		case m, ok := <-b.c:
			if !ok {
				return
			}
			r.Take(m)
		case <-ctx.Done():
			return
		}
	}
}

func (b *selectBox) Send(m contest.Msg) { b.send(b.ctx, m) }

func (b *selectBox) send(ctx context.Context, m contest.Msg) {
	select {
	case b.c <- m:
	case <-ctx.Done():
		panic(ctx.Err())
	}
}

func (b *selectBox) Feed(m contest.Msg, n int) {
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	for ; n > 0; n-- {
		b.send(ctx, m)
		m.V++
	}
}

func (b *selectBox) Stop() { close(b.c); b.wg.Wait() }
