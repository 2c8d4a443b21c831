// Package phony is github.com/Arceliar/phony as a contestant: actors are values
// whose methods are sent to them as closures.
package phony

import (
	"context"

	"github.com/Arceliar/phony"

	"tinyactor/benchmarks/internal/contest"
)

// Entries are the ways to use the library that are measured.
var Entries = []contest.Entry{{
	Name: "phony",
	New:  func(context.Context) contest.Contestant { return contestant{} },
	Enters: contest.But(map[string]string{
		"tell-bounded": noBound, "fan-in-2-bounded": noBound, "fan-in-8-bounded": noBound,
		"fan-in-64-bounded": noBound, "fan-in-1000-bounded": noBound,
		"pool-4": "an inbox has one worker",
	}),
}}

const noBound = "an inbox has no bound"

type contestant struct{}

// box is an actor: its receiver is only used by what it is sent.
type box struct {
	phony.Inbox
	receiver *contest.Receiver
}

func (contestant) Spawn(_ contest.Options, receivers ...*contest.Receiver) contest.Mailbox {
	return &box{receiver: receivers[0]}
}

func (b *box) Send(m contest.Msg) { b.Act(nil, func() { b.receiver.Take(m) }) }

func (b *box) Feed(m contest.Msg, n int) {
	for i := range int64(n) {
		b.Act(nil, func() { b.receiver.Take(contest.Msg{V: m.V + i}) })
	}
}

// Stop waits until the actor has worked off its inbox: it has no end, and no
// goroutine while there is nothing to do.
func (b *box) Stop() { phony.Block(b, func() {}) }

type server struct{ *box }

func (contestant) Serve(r *contest.Receiver) contest.Server { return server{&box{receiver: r}} }

// Ask is phony.Block with a context.
func (s server) Ask(ctx context.Context, m contest.Msg) (int64, error) {
	answer := make(chan int64, 1)
	s.Act(nil, func() {
		s.receiver.Take(m)
		answer <- contest.Answer(m)
	})
	select {
	case a := <-answer:
		return a, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
