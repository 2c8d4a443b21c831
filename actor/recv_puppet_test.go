package actor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// rxPuppet is a process that does what a test in a bubble says, so that the
// test reads as one sequence of steps.
type rxPuppet struct {
	steps chan func(context.Context, *actor.Inbox[int])
	ended bool // steps is closed
}

func (p *rxPuppet) body(ctx context.Context, in *actor.Inbox[int]) (actor.None, error) {
	for step := range p.steps {
		step(ctx, in)
	}
	return actor.None{}, nil
}

// rxStep is something to do with an inbox, and what came of it in a few words.
type rxStep func(context.Context, *actor.Inbox[int]) string

// rxOutcome is what came of a step: "waits" until there is more to say, and
// "unwinds" if the process ended in it.
type rxOutcome struct{ said atomic.Pointer[string] }

func (o *rxOutcome) text() string { return *o.said.Load() }

// does has the process do one step, and returns when the step is over or waits.
func (p *rxPuppet) does(step rxStep) *rxOutcome {
	o := p.starts(step)
	synctest.Wait()
	return o
}

// starts is does that does not wait for anything.
func (p *rxPuppet) starts(step rxStep) *rxOutcome {
	text, o := "waits", new(rxOutcome)
	o.said.Store(&text)
	p.steps <- func(ctx context.Context, in *actor.Inbox[int]) {
		text := "unwinds"
		defer o.said.Store(&text)
		text = step(ctx, in)
	}
	return o
}

// quit ends the process's body.
func (p *rxPuppet) quit() {
	p.lastStep()
	synctest.Wait()
}

// lastStep is quit that does not wait for anything.
func (p *rxPuppet) lastStep() {
	if !p.ended {
		p.ended = true
		close(p.steps)
	}
}

func newRxPuppet(t *testing.T) *rxPuppet {
	p := &rxPuppet{steps: make(chan func(context.Context, *actor.Inbox[int]))}
	t.Cleanup(p.quit)
	return p
}

// rxPool spawns an actor of n puppets, in a bubble. What they leave when the
// test ends goes nowhere, unless cfg says where.
func rxPool(t *testing.T, cfg actor.Config, n int) (*actor.Pool[int, actor.None], *actor.Address[int], []*rxPuppet) {
	t.Helper()
	if cfg.Undelivered == nil {
		cfg.Undelivered = func(any) {}
	}
	var pool *actor.Pool[int, actor.None]
	t.Cleanup(func() { // after the puppets' own, so that only those that wait are torn down
		pool.Abort()
		<-pool.Done()
	})
	puppets := make([]*rxPuppet, n)
	for i := range puppets {
		puppets[i] = newRxPuppet(t)
	}
	pool, addr := actor.SpawnPool(context.Background(), cfg, n, func(ctx context.Context, in *actor.Inbox[int]) (actor.None, error) {
		return puppets[in.Index()].body(ctx, in)
	})
	return pool, addr, puppets
}

// rxJoin adds one more puppet to a pool.
func rxJoin(t *testing.T, pool *actor.Pool[int, actor.None]) *rxPuppet {
	t.Helper()
	p := newRxPuppet(t)
	if err := pool.Spawn(p.body); err != nil {
		t.Fatal(err)
	}
	return p
}

// rxSay puts what a receive returned into a few words.
func rxSay(what any, err error) string {
	switch {
	case err == nil:
		return fmt.Sprint(what)
	case err == actor.ErrHalted:
		return "halted"
	case err == actor.ErrClosed:
		return "closed"
	case err == actor.ErrEmpty:
		return "empty"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "too late"
	}
	return err.Error()
}

// Ways to receive.
func rxRecv(ctx context.Context, in *actor.Inbox[int]) string { return rxSay(in.Recv(ctx)) }

func rxTryRecv(_ context.Context, in *actor.Inbox[int]) string { return rxSay(in.TryRecv()) }

// rxWith does a step with another context than the process's.
func rxWith(ctx context.Context, step rxStep) rxStep {
	return func(_ context.Context, in *actor.Inbox[int]) string { return step(ctx, in) }
}

// rxBatch receives up to n messages.
func rxBatch(n int, wait time.Duration) rxStep {
	return func(ctx context.Context, in *actor.Inbox[int]) string {
		dst := make([]int, n)
		n, err := in.RecvBatch(ctx, dst, wait)
		return rxSay(dst[:n], err)
	}
}

// rxOne receives one message as a batch.
func rxOne(ctx context.Context, in *actor.Inbox[int]) string {
	return strings.Trim(rxBatch(1, time.Hour)(ctx, in), "[]")
}

// rxStepOfMessages is one step of a Messages loop.
func rxStepOfMessages(ctx context.Context, in *actor.Inbox[int]) string {
	for m := range in.Messages(ctx) {
		return fmt.Sprint(m)
	}
	return rxSay(nil, in.Err())
}

// rxSelect waits for Ready and takes what is there.
func rxSelect(ctx context.Context, in *actor.Inbox[int]) string {
	for ready := in.Ready(); ; {
		<-ready
		if text := rxTryRecv(ctx, in); text != "empty" {
			return text
		}
	}
}

// rxWay is a way to receive one message.
type rxWay struct {
	name string
	recv rxStep
}

// rxWays are all ways to wait for one message.
var rxWays = []rxWay{
	{"Recv", rxRecv},
	{"RecvBatch", rxOne},
	{"Messages", rxStepOfMessages},
	{"Ready", rxSelect},
}

// rxWant checks the outcome of a step.
func rxWant(t *testing.T, what string, got *rxOutcome, want string) {
	t.Helper()
	synctest.Wait()
	if text := got.text(); text != want {
		t.Errorf("%s: %s, want %s", what, text, want)
	}
}

// rxSend sends messages that must be accepted at once.
func rxSend(t *testing.T, addr *actor.Address[int], msgs ...int) {
	t.Helper()
	for _, m := range msgs {
		if err := addr.SendNow(m); err != nil {
			t.Fatalf("SendNow(%d): %v", m, err)
		}
	}
}
