package tiny

import (
	"context"

	"tinyactor/actor"
	"tinyactor/benchmarks/internal/contest"
)

// Entries are the ways to use the library that are measured.
var Entries = []contest.Entry{
	{Name: "tinyactor", New: use(actor.Unbounded(), false), Enters: always},
	{Name: "tinyactor-default", New: use(actor.Capacity{}, false), Enters: contest.Everything},
}

func use(c actor.Capacity, recv bool) func(context.Context) contest.Contestant {
	return func(ctx context.Context) contest.Contestant {
		return &contestant{ctx, c, recv}
	}
}

func always(*contest.Workload) (bool, string) { return true, "" }
