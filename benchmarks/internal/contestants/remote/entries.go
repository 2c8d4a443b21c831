// Package remote is package cluster as a contestant, and NATS's client alone,
// between two servers of one NATS cluster. All of it runs in one process, so that
// the CPU time and the memory are those of both ends and of the servers.
package remote

import (
	"context"

	"tinyactor/actor"
	"tinyactor/benchmarks/internal/contest"
	"tinyactor/cluster"
)

// Entries are the ways from one node to another that are measured.
var Entries = []contest.Entry{
	{Name: "cluster", New: newNodes(confirmed), Enters: contest.Remote},
	{Name: "cluster-async", New: newNodes(async), Enters: contest.In("remote-tell", "remote-tell-64")},
	{Name: "nats", New: newRaw, Enters: contest.Remote},
}

func confirmed(r *cluster.Remote[word]) actor.Sender[word] { return r }

func async(r *cluster.Remote[word]) actor.Sender[word] { return r.Async() }

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

func newRaw(context.Context) contest.Contestant { return &raw{servers: startServers()} }

func newNodes(how func(*cluster.Remote[word]) actor.Sender[word]) func(context.Context) contest.Contestant {
	return func(ctx context.Context) contest.Contestant {
		s := startServers()
		return &nodes{
			servers: s, ctx: ctx, how: how,
			here: join(ctx, s.out, "here"), there: join(ctx, s.in, "there"),
		}
	}
}
