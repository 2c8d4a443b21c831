// Package remote is package cluster as a contestant, and NATS's client alone,
// between two servers of one NATS cluster. All of it runs in one process, so that
// the CPU time and the memory are those of both ends and of the servers.
package remote

import (
	"context"

	"tinyactor/benchmarks/internal/contest"
)

// Entries are the ways from one node to another that are measured. Those called
// async send without waiting, as far as the others wait.
var Entries = []contest.Entry{
	{Name: "cluster", New: newNodes(false), Enters: contest.Remote},
	{Name: "cluster-async", New: newNodes(true), Enters: contest.In("remote-tell", "remote-tell-64", "durable", "durable-64")},
	{Name: "nats", New: newRaw(false, ""), Enters: contest.Remote},
	{Name: "nats-async", New: newRaw(true, ""), Enters: contest.In("durable", "durable-64")},
	{Name: "nats-ids", New: newRaw(false, ids), Enters: contest.In("durable", "durable-64")},
	{Name: "nats-ids-async", New: newRaw(true, ids), Enters: contest.In("durable", "durable-64")},
}

// ids is as long as what the IDs of package cluster begin with.
const ids = "r-0123456789abcdef01-"

// word is what is sent: some 70 bytes of JSON.
type word struct {
	N    int64
	Word string
	From string
}

func newWord(m contest.Msg) word { return word{m.V, "benchmark", "a benchmark's text"} }

func (w word) msg() contest.Msg { return contest.Msg{V: w.N} }

// last follows the last message: once it has come, so have all before it.
var last = contest.Msg{V: -1}

func newRaw(async bool, ids string) func(context.Context) contest.Contestant {
	return func(ctx context.Context) contest.Contestant {
		return &raw{servers: startServers(), ctx: ctx, async: async, ids: ids}
	}
}

func newNodes(async bool) func(context.Context) contest.Contestant {
	return func(ctx context.Context) contest.Contestant {
		s := startServers()
		return &nodes{
			servers: s, ctx: ctx, async: async,
			here: join(ctx, s.out, "here"), there: join(ctx, s.in, "there"),
		}
	}
}
