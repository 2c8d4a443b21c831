package channels

import (
	"context"

	"tinyactor/benchmarks/internal/contest"
)

// Entries are the baselines.
var Entries = []contest.Entry{
	{Name: "chan-raw", New: newRaw(contest.Slots), Enters: always},
	{Name: "chan-raw-16", New: newRaw(16), Enters: always},
	{Name: "chan-select", New: newSelecting(contest.Slots), Enters: always},
	{Name: "chan-select-16", New: newSelecting(16), Enters: always},
}

func newRaw(slots int) func(context.Context) contest.Contestant {
	return func(context.Context) contest.Contestant { return raw{slots} }
}

func newSelecting(slots int) func(context.Context) contest.Contestant {
	return func(ctx context.Context) contest.Contestant { return selecting{ctx, slots} }
}

func always(*contest.Workload) (bool, string) { return true, "" }

// question carries a channel with room for its answer.
type question struct {
	contest.Msg
	answer chan int64
}
