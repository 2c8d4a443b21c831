// Package protoactor is github.com/asynkron/protoactor-go as a contestant, with
// the mailbox that its documentation calls the fastest, which is the default.
package protoactor

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/router"

	"tinyactor/benchmarks/internal/contest"
)

// Entries are the ways to use the library that are measured.
var Entries = []contest.Entry{{
	Name:   "protoactor-go",
	New:    func(context.Context) contest.Contestant { return contestant{newSystem()} },
	Enters: contest.But(map[string]string{"ask-1": noContext, "ask-64": noContext}),
}}

const noContext = "a question has a time limit, not a context"

func newSystem() *actor.ActorSystem {
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError}))
	}))
}

type contestant struct{ system *actor.ActorSystem }

type mailbox struct {
	system *actor.ActorSystem
	pid    *actor.PID
}

func (c contestant) Spawn(o contest.Options, receivers ...*contest.Receiver) contest.Mailbox {
	if len(receivers) > 1 {
		return c.pool(receivers)
	}
	props := actor.PropsFromFunc(take(receivers[0]))
	if o.Bounded {
		props.Configure(actor.WithMailbox(actor.Bounded(contest.Slots)))
	}
	return &mailbox{c.system, c.system.Root.Spawn(props)}
}

func take(r *contest.Receiver) actor.ReceiveFunc {
	return func(ctx actor.Context) {
		if m, ok := ctx.Message().(contest.Msg); ok {
			r.Take(m)
		}
	}
}

func (m *mailbox) Send(msg contest.Msg) { m.system.Root.Send(m.pid, msg) }

func (m *mailbox) Feed(msg contest.Msg, n int) {
	for i := range int64(n) {
		m.system.Root.Send(m.pid, contest.Msg{V: msg.V + i})
	}
}

func (m *mailbox) Stop() { must(m.system.Root.PoisonFuture(m.pid).Wait()) }

// pool is a router, which is what the library has for a pool: each routee has a
// mailbox of its own, and messages go to them in turn.
type pool struct {
	mailbox
	ended *sync.WaitGroup
}

func (c contestant) pool(receivers []*contest.Receiver) contest.Mailbox {
	var ended sync.WaitGroup
	ended.Add(len(receivers))
	var next atomic.Int64
	props := router.NewRoundRobinPool(len(receivers), actor.WithProducer(func() actor.Actor {
		receive := take(receivers[next.Add(1)-1])
		return actor.ReceiveFunc(func(ctx actor.Context) {
			receive(ctx)
			if _, ok := ctx.Message().(*actor.Stopped); ok {
				ended.Done()
			}
		})
	}))
	return &pool{mailbox{c.system, c.system.Root.Spawn(props)}, &ended}
}

func (p *pool) Stop() {
	p.system.Root.Send(p.pid, &router.BroadcastMessage{Message: &actor.PoisonPill{}})
	p.ended.Wait()
	p.mailbox.Stop()
}

type server struct{ mailbox }

func (c contestant) Serve(r *contest.Receiver) contest.Server {
	return &server{mailbox{c.system, c.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if m, ok := ctx.Message().(contest.Msg); ok {
			r.Take(m)
			ctx.Respond(contest.Answer(m))
		}
	}))}}
}

func (s *server) Ask(context.Context, contest.Msg) (int64, error) {
	panic(noContext)
}

func (s *server) AskWithin(d time.Duration, m contest.Msg) (int64, error) {
	a, err := s.system.Root.RequestFuture(s.pid, m, d).Result()
	if err != nil {
		return 0, err
	}
	return a.(int64), nil
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
