// Package tiny is tinyactor as a contestant.
package tiny

import (
	"context"

	"tinyactor/actor"
	"tinyactor/benchmarks/internal/contest"
)

// contestant is an actor of the library, with a capacity for what need not be
// bounded.
type contestant struct {
	ctx      context.Context //nolint:containedctx // it is the senders' context and the owner, for a whole run
	capacity actor.Capacity
	recv     bool // receive with Recv, not with Messages
}

type mailbox struct {
	ctx  context.Context //nolint:containedctx // that of the contestant
	addr *actor.Address[contest.Msg]
	stop func()
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
	m := mailbox{c.ctx, addr, func() {
		_, err := child.Drain(c.ctx)
		must(err)
	}}
	if o.Batch {
		return batchMailbox{m}
	}
	return m
}

func (c *contestant) pool(o contest.Options, receivers []*contest.Receiver) contest.Mailbox {
	pool, addr := actor.SpawnPool(c.ctx, c.config(o), len(receivers), actor.NoValue(
		func(ctx context.Context, in *actor.Inbox[contest.Msg]) error {
			return messages(receivers[in.Index()])(ctx, in)
		}))
	return mailbox{c.ctx, addr, func() {
		_, err := pool.Drain(c.ctx)
		must(err)
	}}
}

type body = func(ctx context.Context, in *actor.Inbox[contest.Msg]) error

func messages(r *contest.Receiver) body {
	return func(ctx context.Context, in *actor.Inbox[contest.Msg]) error {
		for m := range in.Messages(ctx) {
			r.Take(m)
		}
		return in.Err()
	}
}

func recvs(r *contest.Receiver) body {
	return func(ctx context.Context, in *actor.Inbox[contest.Msg]) error {
		for {
			m, err := in.Recv(ctx)
			if err != nil {
				return err
			}
			r.Take(m)
		}
	}
}

func batches(r *contest.Receiver) body {
	return func(ctx context.Context, in *actor.Inbox[contest.Msg]) error {
		batch := make([]contest.Msg, contest.Batch)
		for {
			n, err := in.RecvBatch(ctx, batch, 0)
			if err != nil {
				return err
			}
			for _, m := range batch[:n] {
				r.Take(m)
			}
		}
	}
}

func (m mailbox) Send(msg contest.Msg) { must(m.addr.Send(m.ctx, msg)) }

func (m mailbox) Feed(msg contest.Msg, n int) {
	for range n {
		must(m.addr.Send(m.ctx, msg))
		msg.V++
	}
}

func (m mailbox) Stop() { m.stop() }

// batchMailbox sends many messages at once.
type batchMailbox struct{ mailbox }

func (m batchMailbox) Feed(msg contest.Msg, n int) {
	batch := make([]contest.Msg, contest.Batch)
	for n > 0 {
		batch = batch[:min(n, contest.Batch)]
		for i := range batch {
			batch[i] = msg
			msg.V++
		}
		sent, err := m.addr.SendAll(m.ctx, batch)
		must(err)
		n -= sent
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
