// Package channels has what one would write without a library: goroutines with
// a channel, or with a slice under a lock.
package channels

import (
	"context"

	"tinyactor/benchmarks/internal/contest"
)

// Entries are the baselines.
var Entries = []contest.Entry{
	{Name: "chan-raw", New: withSlots(contest.Slots, spawnRaw, serveRaw), Enters: but(map[string]string{
		"ask-timeout-1": noTimeout, "ask-timeout-64": noTimeout,
		"spawn": tooLarge, "idle-100k": tooLarge, "idle-1m": tooLarge,
	})},
	{Name: "chan-select", New: withSlots(contest.Slots, spawnSelecting, serveSelecting), Enters: but(map[string]string{
		"spawn": tooLarge, "idle-100k": tooLarge, "idle-1m": tooLarge,
	})},
	{Name: "chan-raw-16", New: withSlots(16, spawnRaw, serveRaw), Enters: contest.In(small...)},
	{Name: "chan-select-16", New: withSlots(16, spawnSelecting, serveSelecting), Enters: contest.In(small...)},
	{Name: "mutex+cond", New: newLocked, Enters: contest.But(nil)},
}

const (
	noTimeout = "a plain channel operation has no timeout"
	tooLarge  = "the memory for 1024 slots would be all that is measured"
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
		return !out && !w.Supervised && !w.Remote, reason
	}
}

type (
	spawner func(ctx context.Context, slots int, receivers []*contest.Receiver) contest.Mailbox
	servant func(ctx context.Context, slots int, r *contest.Receiver) contest.Server
)

// channel is a contestant whose mailboxes are channels.
type channel struct {
	ctx   context.Context //nolint:containedctx // that of the whole run
	slots int
	spawn spawner
	serve servant
}

func withSlots(slots int, spawn spawner, serve servant) func(context.Context) contest.Contestant {
	return func(ctx context.Context) contest.Contestant { return channel{ctx, slots, spawn, serve} }
}

func (c channel) Spawn(_ contest.Options, receivers ...*contest.Receiver) contest.Mailbox {
	return c.spawn(c.ctx, c.slots, receivers)
}

func (c channel) Serve(r *contest.Receiver) contest.Server { return c.serve(c.ctx, c.slots, r) }

// question carries a channel with room for its answer.
type question struct {
	contest.Msg
	answer chan int64
}

func (q question) serve(r *contest.Receiver) {
	r.Take(q.Msg)
	q.answer <- contest.Answer(q.Msg)
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
