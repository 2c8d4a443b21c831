package channels

import (
	"context"
	"sync"

	"tinyactor/benchmarks/internal/contest"
)

// selecting is a channel whose senders and receivers also end when their
// context does. Each receiver has one of its own, as actors have; 120 that wait
// for the same context get in each other's way.
type selecting struct {
	ctx context.Context //nolint:containedctx // that of the whole run, and of the senders
	c   chan contest.Msg
	wg  sync.WaitGroup
}

func spawnSelecting(ctx context.Context, slots int, receivers []*contest.Receiver) contest.Mailbox {
	b := &selecting{ctx: ctx, c: make(chan contest.Msg, slots)}
	for _, r := range receivers {
		b.wg.Go(func() { b.run(r) })
	}
	return b
}

func (b *selecting) run(r *contest.Receiver) {
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

func (b *selecting) Send(m contest.Msg) {
	select {
	case b.c <- m:
	case <-b.ctx.Done():
		panic(b.ctx.Err())
	}
}

func (b *selecting) Feed(m contest.Msg, n int) {
	for i := range int64(n) {
		b.Send(contest.Msg{V: m.V + i})
	}
}

func (b *selecting) Stop() { close(b.c); b.wg.Wait() }
