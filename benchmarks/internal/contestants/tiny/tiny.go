// Package tiny is tinyactor as a contestant.
package tiny

import (
	"context"

	"tinyactor/actor"
	"tinyactor/benchmarks/internal/contest"
)

// contestant makes actors with a capacity for what need not be bounded.
type contestant struct {
	ctx      context.Context //nolint:containedctx // that of the whole run: the owner's and all senders'
	capacity actor.Capacity
	recv     bool // receive with Recv, not with Messages
}

// box is what a sender and an owner hold.
type box struct {
	*contestant
	addr  *actor.Address[contest.Msg]
	child *actor.Child[contest.Msg, actor.None]
}

func (c *contestant) config(o contest.Options) actor.Config {
	if o.Bounded {
		return actor.Config{Capacity: actor.Bounded(contest.Slots)}
	}
	return actor.Config{Capacity: c.capacity}
}

func (c *contestant) Spawn(o contest.Options, receivers ...*contest.Receiver) contest.Mailbox {
	if len(receivers) > 1 {
		return c.pool(o, receivers)
	}
	body := messages
	switch {
	case o.Batch:
		body = batches
	case c.recv:
		body = recvs
	}
	child, addr := actor.Spawn(c.ctx, c.config(o), body(receivers[0]))
	b := &box{c, addr, child}
	if o.Batch {
		return batchBox{b}
	}
	return b
}

func (b *box) Send(m contest.Msg) { must(b.addr.Send(b.ctx, m)) }

func (b *box) Feed(m contest.Msg, n int) {
	ctx, addr := b.ctx, b.addr
	for i := range int64(n) {
		must(addr.Send(ctx, contest.Msg{V: m.V + i}))
	}
}

func (b *box) Stop() {
	_, err := b.child.Drain(b.ctx)
	must(err)
}

// batchBox sends many messages at once.
type batchBox struct{ *box }

func (b batchBox) Feed(m contest.Msg, n int) {
	batch := make([]contest.Msg, contest.Batch)
	for n > 0 {
		batch = batch[:min(n, contest.Batch)]
		for i := range batch {
			batch[i] = contest.Msg{V: m.V + int64(i)}
		}
		sent, err := b.addr.SendAll(b.ctx, batch)
		must(err)
		m.V += int64(sent)
		n -= sent
	}
}

// poolBox is a box whose owner is a pool.
type poolBox struct {
	*box
	pool *actor.Pool[contest.Msg, actor.None]
}

func (c *contestant) pool(o contest.Options, receivers []*contest.Receiver) contest.Mailbox {
	pool, addr := actor.SpawnPool(c.ctx, c.config(o), len(receivers), actor.NoValue(
		func(ctx context.Context, in *actor.Inbox[contest.Msg]) error {
			return messages(receivers[in.Index()])(ctx, in)
		}))
	return poolBox{&box{c, addr, nil}, pool}
}

func (b poolBox) Stop() {
	_, err := b.pool.Drain(b.ctx)
	must(err)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
