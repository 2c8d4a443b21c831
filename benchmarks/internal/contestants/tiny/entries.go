package tiny

import (
	"context"

	"tinyactor/actor"
	"tinyactor/benchmarks/internal/contest"
)

// Entries are the ways to use the library that are measured.
var Entries = []contest.Entry{
	{Name: "tinyactor", New: use(actor.Unbounded(), false), Enters: contest.All},
	{Name: "tinyactor-default", New: use(actor.Capacity{}, false), Enters: contest.In("tell", "fan-in-2", "fan-in-8", "fan-in-64", "fan-in-1000", "soak")},
	{Name: "tinyactor-recv", New: use(actor.Unbounded(), true), Enters: contest.In("tell", "fan-in-8", "idle-100k", "idle-1m")},
}

// New makes actors under a context, with a capacity for what need not be bounded.
func New(ctx context.Context, c actor.Capacity) contest.Contestant { return &contestant{ctx, c, false} }

func use(c actor.Capacity, recv bool) func(context.Context) contest.Contestant {
	return func(ctx context.Context) contest.Contestant {
		return &contestant{ctx, c, recv}
	}
}
