package tiny

import (
	"context"
	"log/slog"
	"time"

	"tinyactor/actor"
	"tinyactor/benchmarks/internal/contest"
	"tinyactor/supervisor"
)

// often is a limit that nobody reaches.
var often = supervisor.Limit{Restarts: 1 << 60, Period: time.Nanosecond}

// dynamic is a supervisor whose children are made while it runs.
type dynamic struct {
	*contestant
	root *supervisor.Supervisor
	*supervisor.Dynamic[*contest.Receiver, contest.Msg]
}

func (c *contestant) Supervise() contest.Supervisor {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // where the panics are logged
	d := &supervisor.Dynamic[*contest.Receiver, contest.Msg]{
		Name:  "children",
		Limit: often,
		Template: func(r *contest.Receiver) *supervisor.Worker[contest.Msg] {
			return &supervisor.Worker[contest.Msg]{Run: messages(r), Capacity: c.capacity}
		},
	}
	root, err := supervisor.Start(c.ctx, &supervisor.Spec{
		Name: "root", Children: []supervisor.Child{d},
	})
	must(err)
	return dynamic{c, root, d}
}

func (d dynamic) Add(r *contest.Receiver) contest.Child {
	w, err := d.Dynamic.Add(d.ctx, r)
	must(err)
	return child{d.ctx, w.Address()}
}

func (d dynamic) Stop() {
	_, err := d.root.Stop(d.ctx)
	must(err)
}

type child struct {
	ctx  context.Context //nolint:containedctx // that of the contestant
	addr *actor.Address[contest.Msg]
}

func (c child) Send(m contest.Msg) { must(c.addr.Send(c.ctx, m)) }
