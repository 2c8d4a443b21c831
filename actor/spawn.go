package actor

import (
	"context"
	"fmt"

	"tinyactor/internal/hold"
	"tinyactor/internal/sched"
)

// mostProcesses is how many processes a pool may begin with. More are a mistake,
// which would end in a program without memory.
const mostProcesses = 1_000_000

// None is the value of processes that have none.
type None = struct{}

// Spawn starts an actor of one process that runs body on a goroutine of its own.
// A Halt does not cancel the body's context: halted, its next receive returns
// ErrHalted, and it can finish its work with a living context. That ends with
// cause ErrAborted when the actor is aborted, otherwise when the body has ended.
//
// owner owns the actor: when it ends, the actor is stopped (see [Config] for
// how). With the context of a process as owner, the actor becomes a child of
// that process, which does not end before its children have. The body's context
// carries owner's values. If owner has ended, the body runs, stopped from the
// start.
//
// What body returns is what Wait returns; ErrHalted and ErrClosed, as an inbox
// gives them, count as nil. A panic in body becomes a *PanicError, is logged,
// and ends nothing but the actor. Fatal errors of the runtime, such as a
// concurrent map write, and panics on goroutines that body starts by itself
// cannot be caught: they end the program.
//
// Spawn never fails. It panics if owner or body is nil.
func Spawn[M any](owner context.Context, cfg Config,
	body func(ctx context.Context, in *Inbox[M]) error) (*Child[M, None], *Address[M]) {
	if body == nil {
		panic("actor: Spawn: body is nil")
	}
	a := spawn("Spawn", owner, cfg, 1, func(in *Inbox[M]) func() (any, error) {
		return func() (any, error) { return nil, body(in.context(), in) }
	})
	return &Child[M, None]{addr: a}, a
}

// SpawnValue is Spawn for a body that also returns a value.
func SpawnValue[M, E any](owner context.Context, cfg Config,
	body func(ctx context.Context, in *Inbox[M]) (E, error)) (*Child[M, E], *Address[M]) {
	a := spawn("SpawnValue", owner, cfg, 1, bind("SpawnValue", body))
	return &Child[M, E]{addr: a}, a
}

// SpawnPool starts an actor of n processes that run body and share one inbox:
// each message is received by one of them. All are live before the first body
// runs. Each process is a goroutine. It panics if n is not from 1 to a million.
func SpawnPool[M, E any](owner context.Context, cfg Config, n int,
	body func(ctx context.Context, in *Inbox[M]) (E, error)) (*Pool[M, E], *Address[M]) {
	if n < 1 || n > mostProcesses {
		panic(fmt.Sprintf("actor: SpawnPool: n is %d, must be from 1 to %d", n, mostProcesses))
	}
	a := spawn("SpawnPool", owner, cfg, n, bind("SpawnPool", body))
	return &Pool[M, E]{addr: a}, a
}

// NoValue makes a body without a value one for SpawnValue, SpawnPool and
// Pool.Spawn.
func NoValue[M any](body func(context.Context, *Inbox[M]) error) func(context.Context, *Inbox[M]) (None, error) {
	if body == nil {
		panic("actor: NoValue: body is nil")
	}
	return func(ctx context.Context, in *Inbox[M]) (None, error) { return None{}, body(ctx, in) }
}

// bind returns how a process of an actor runs body.
func bind[M, E any](fn string, body func(context.Context, *Inbox[M]) (E, error)) func(*Inbox[M]) func() (any, error) {
	if body == nil {
		panic("actor: " + fn + ": body is nil")
	}
	return func(in *Inbox[M]) func() (any, error) {
		return func() (any, error) { return body(in.context(), in) }
	}
}

// spawn makes an actor of n processes. body returns what a process runs.
func spawn[M any](fn string, owner context.Context, cfg Config, n int, body func(*Inbox[M]) func() (any, error)) *Address[M] {
	if owner == nil {
		panic("actor: " + fn + ": owner is nil")
	}
	ch := new(channel[M])
	capacity := cfg.Capacity.orDefault()
	ch.capacity = capacity.kind
	ch.Init(capacity.policy)
	c := &ch.core
	c.id, c.name = ID(lastID.Add(1)), cfg.Name
	c.queue, c.undelivered, c.drain = ch, cfg.Undelivered, cfg.Drain
	c.bubbled = inBubble()
	if h, ok := owner.(*hold.Context); ok {
		if h.Hold != nil {
			return ch.keep(h.Hold, body)
		}
		owner, c.supervisor = h.Context, true
	}
	c.own(owner)
	c.label()
	watchers := observersOf(owner)
	c.mu.Lock() // from its birth on, observers look at it
	c.observe(ch.messageType, watchers)
	c.setAbortTimer(cfg.AbortTimer)

	c.procs = c.firstProc[:0]
	for range n {
		c.enrol(newProcess(ch, body))
	}
	var one [1]*process
	procs := append(one[:0], c.procs...) // those that are live may end at once
	c.mu.Unlock()
	defer func() { // even if the owner's context is of a user's type and panics
		for _, p := range procs {
			sched.Go(p.main)
		}
	}()
	a := ch.addr()
	if !cfg.Detached {
		c.attach(cfg.AbortTimer)
	}
	return a
}

// newProcess makes a process of the actor that is not enrolled yet.
func newProcess[M any](ch *channel[M], body func(*Inbox[M]) func() (any, error)) *process {
	in := &Inbox[M]{ch: ch}
	p := &in.process
	p.seat = in
	p.body = body(in)
	return p
}
