// Package suture is github.com/thejerf/suture as a contestant. It supervises
// goroutines and has no messages, so these have a channel, and only starting,
// stopping and being there is compared.
package suture

import (
	"context"
	"math"

	"github.com/thejerf/suture/v4"

	"tinyactor/benchmarks/internal/contest"
)

// Entries are the ways to use the library that are measured.
var Entries = []contest.Entry{{
	Name: "suture",
	New: func(ctx context.Context) contest.Contestant {
		s := suture.NewSimple("bench")
		s.ServeBackground(ctx)
		return contestant{ctx, s}
	},
	Enters: contest.In("spawn", "restart", "children", "idle-100k", "idle-1m"), // it has no messages
}}

type contestant struct {
	ctx        context.Context //nolint:containedctx // that of the whole run
	supervisor *suture.Supervisor
}

type service struct {
	c        chan contest.Msg
	receiver *contest.Receiver
	ended    chan struct{}
}

func (c contestant) Spawn(_ contest.Options, receivers ...*contest.Receiver) contest.Mailbox {
	s := &service{make(chan contest.Msg, 16), receivers[0], make(chan struct{})}
	c.supervisor.Add(s)
	return s
}

func (contestant) Serve(*contest.Receiver) contest.Server { panic("it has no messages") }

// Serve is what the supervisor runs.
func (s *service) Serve(ctx context.Context) error {
	for {
		select {
		case m, ok := <-s.c:
			if !ok {
				close(s.ended)
				return suture.ErrDoNotRestart
			}
			s.receiver.Take(m)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *service) Send(m contest.Msg) { s.c <- m }

func (s *service) Feed(m contest.Msg, n int) {
	for i := range int64(n) {
		s.c <- contest.Msg{V: m.V + i}
	}
}

// Stop lets the service end by itself when it has taken all messages.
func (s *service) Stop() { close(s.c); <-s.ended }

// supervisor is one of a workload's own, which says nothing of its children's
// failures, and does not pause because of them.
type supervisor struct {
	*suture.Supervisor
	stop  context.CancelFunc
	ended <-chan error
}

func (c contestant) Supervise() contest.Supervisor {
	s := suture.New("bench", suture.Spec{EventHook: func(suture.Event) {}, FailureThreshold: math.MaxFloat64})
	ctx, stop := context.WithCancel(c.ctx)
	return supervisor{s, stop, s.ServeBackground(ctx)}
}

func (s supervisor) Add(r *contest.Receiver) contest.Child {
	child := &service{make(chan contest.Msg, 16), r, make(chan struct{})}
	s.Supervisor.Add(child)
	return child
}

func (s supervisor) Stop() {
	s.stop()
	<-s.ended //nolint:errcheck // it says that it was stopped
}
