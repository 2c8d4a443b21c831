package channels

import (
	"context"

	"tinyactor/benchmarks/internal/contest"
)

// Entries are the baselines.
var Entries = []contest.Entry{
	{Name: "chan-raw", New: newRaw(contest.Slots), Enters: but(map[string]string{
		"ask-timeout-1": noTimeout, "ask-timeout-64": noTimeout, "idle-1m": tooLarge,
	})},
	{Name: "chan-select", New: newSelecting(contest.Slots), Enters: but(map[string]string{"idle-1m": tooLarge})},
	{Name: "chan-raw-16", New: newRaw(16), Enters: contest.In(small...)},
	{Name: "chan-select-16", New: newSelecting(16), Enters: contest.In(small...)},
	{Name: "mutex+cond", New: newLocked, Enters: contest.But(nil)},
}

const (
	noTimeout = "a plain channel operation has no timeout"
	tooLarge  = "a million channels with 1024 slots take more than 8 GB"
)

// small are the workloads in which 16 slots are enough. In many-to-many, a ring
// of full channels could come to a halt.
var small = []string{
	"tell", "fan-in-2", "fan-in-8", "fan-in-64", "fan-in-1000", "ping-pong", "ring", "pool-4",
	"ask-1", "ask-64", "spawn", "idle-100k", "idle-1m",
}

// but enters all workloads except those that a reason is given for.
func but(reasons map[string]string) func(*contest.Workload) (bool, string) {
	return func(w *contest.Workload) (bool, string) {
		reason, out := reasons[w.Name]
		return !out, reason
	}
}

func newLocked(context.Context) contest.Contestant { return locked{} }

func newRaw(slots int) func(context.Context) contest.Contestant {
	return func(context.Context) contest.Contestant { return raw{slots} }
}

func newSelecting(slots int) func(context.Context) contest.Contestant {
	return func(ctx context.Context) contest.Contestant { return selecting{ctx, slots} }
}

// question carries a channel with room for its answer.
type question struct {
	contest.Msg
	answer chan int64
}

// wait waits for the answer, or for the end of ctx.
func (q question) wait(ctx context.Context) (int64, error) {
	select {
	case a := <-q.answer:
		return a, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
