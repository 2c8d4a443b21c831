package tiny

import (
	"context"

	"tinyactor/actor"
	"tinyactor/benchmarks/internal/contest"
)

type question struct {
	actor.Reply[int64]
	contest.Msg
}

type server struct {
	ctx   context.Context //nolint:containedctx // that of the contestant
	child *actor.Child[question, actor.None]
	addr  *actor.Address[question]
}

func (c *contestant) Serve(r *contest.Receiver) contest.Server {
	child, addr := actor.Spawn(c.ctx, c.config(contest.Options{}),
		func(ctx context.Context, in *actor.Inbox[question]) error {
			for q := range in.Messages(ctx) {
				r.Take(q.Msg)
				q.Answer(contest.Answer(q.Msg), nil)
			}
			return in.Err()
		})
	return server{c.ctx, child, addr}
}

func (s server) Ask(ctx context.Context, m contest.Msg) (int64, error) {
	return actor.Ask(ctx, s.addr, func(r actor.Reply[int64]) question { return question{r, m} })
}

func (s server) Stop() {
	_, err := s.child.Stop(s.ctx)
	must(err)
}
