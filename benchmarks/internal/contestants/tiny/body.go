package tiny

import (
	"context"

	"tinyactor/actor"
	"tinyactor/benchmarks/internal/contest"
)

type body = func(ctx context.Context, in *actor.Inbox[contest.Msg]) error

// messages is the body that most programs have.
func messages(r *contest.Receiver) body {
	return func(ctx context.Context, in *actor.Inbox[contest.Msg]) error {
		for m := range in.Messages(ctx) {
			r.Take(m)
		}
		return in.Err()
	}
}

// recvs receives with Recv.
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

// batches receives many messages at once.
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
