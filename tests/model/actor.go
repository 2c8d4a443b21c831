package model

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tinyactor/actor"
	"tinyactor/internal/hold"
	"tinyactor/internal/sched"
	"tinyactor/internal/sched/explore"
)

// actorWorld is an actor and those who use it.
type actorWorld struct {
	ledger
	owner  context.Context //nolint:containedctx // what the operations run under
	cancel context.CancelCauseFunc
	pool   *actor.Pool[letter, actor.None] // nil if the actor is held
	held   *holder
	addr   *actor.Address[letter]
	owned  bool // owner owns the actor
	used   bool // somebody else has got addr

	procs   []*proc
	scripts []script // what each process does, in order of starting
	begun   bool
	over    bool

	closes  bool  // something that closes the actor has begun
	halted  bool  // Halt has returned
	aborts  bool  // Abort has begun
	spawned int   // processes that were started
	left    order // what is handed back
	waits   map[string]func() bool
}

// script is what a process does when the scenario begins; last makes the body
// return with err at once.
type script struct {
	name string
	do   func(ctx context.Context, p *proc) (last bool, err error)
}

// proc is one process in the world.
type proc struct {
	w     *actorWorld
	name  string
	in    *actor.Inbox[letter]
	done  <-chan struct{} // of its context
	order order
	halts int
	busy  bool // in an operation of its inbox
	batch bool // that may have messages in hand
}

// letter is a message to an actor, and where its answer goes if it has one.
type letter struct {
	msg
	reply actor.Reply[msg]
}

// actorState is an actor in which a scenario begins.
type actorState struct {
	name     string
	capacity actor.Capacity
	queued   int
}

var (
	actorEmpty  = actorState{name: "empty", capacity: actor.Unbounded()}
	actorQueued = actorState{name: "one queued", capacity: actor.Unbounded(), queued: 1}
	actorSix    = actorState{name: "six queued", capacity: actor.Unbounded(), queued: 6}
	actorFull   = actorState{name: "full", capacity: actor.Bounded(1), queued: 1}
	actorStates = []actorState{actorEmpty, actorQueued, actorSix, actorFull}
)

// actorOp is one operation on an actor: of a process, or of others.
type actorOp struct {
	name   string
	script func(ctx context.Context, p *proc) (last bool, err error)
	do     func(w *actorWorld, id int)
	cancel bool // with a context that somebody ends meanwhile
	held   bool // on an actor whose channel somebody else holds
	full   bool // on an actor without room
	owned  bool // on an actor with an owner
	ends   bool // it may wait for the actor's end
}

// body is what every process runs.
func (w *actorWorld) body(ctx context.Context, in *actor.Inbox[letter]) (actor.None, error) {
	p := &proc{w: w, in: in, order: order{}, done: ctx.Done()}
	s := script{name: "server", do: serve}
	if n := len(w.procs); n < len(w.scripts) {
		s = w.scripts[n]
	}
	p.name = fmt.Sprintf("%s in process %d", s.name, len(w.procs))
	w.procs = append(w.procs, p)
	w.waits[p.name] = p.mayWait
	w.r.Rename(p.name)
	w.r.Step("wait for the beginning", gate(func() bool { return w.begun || isClosed(p.done) }))
	if last, err := s.do(ctx, p); last {
		return actor.None{}, err
	}
	w.r.Step("wait for the end", gate(func() bool { return w.over || isClosed(p.done) }))
	for {
		if err := p.recv(ctx); err != nil && !errors.Is(err, actor.ErrHalted) {
			return actor.None{}, nil
		}
	}
}

// gate is a condition of the world.
type gate func() bool

func (g gate) Open() bool { return g() }

func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

// mayWait reports whether the process has a reason to sleep in its inbox.
func (p *proc) mayWait() bool {
	if !p.busy {
		return true // it waits for the scenario
	}
	return p.w.addr.Len() == 0 && !p.w.addr.Closed() && (p.halts > 0 || !isClosed(p.in.Halting())) && (!p.w.aborts || p.w.pool == nil)
}

// received checks what a receive said.
func (p *proc) received(err error, haltedBefore bool, letters ...letter) {
	if len(letters) > 0 && haltedBefore && p.halts == 0 {
		p.w.r.Failf("%s has received a message and was not told that it was halted before", p.name)
	}
	for _, m := range letters {
		p.order.see(p.w.r, m.msg)
		p.w.got(m.msg, p.name)
		m.reply.Answer(m.msg, nil)
	}
	switch {
	case errors.Is(err, actor.ErrHalted):
		if p.halts++; p.halts > 1 {
			p.w.r.Failf("%s was told twice that it is halted", p.name)
		}
	case errors.Is(err, actor.ErrClosed):
		if p.halts == 0 && (haltedBefore || !p.w.closes) {
			p.w.r.Failf("%s was told of the close before the halt", p.name)
		}
	}
}

// call runs an operation of the inbox, which may not return.
func (p *proc) call(f func() ([]letter, error)) error {
	halted := p.w.halted
	p.busy = true
	defer func() { p.busy = false }() // it may end the process
	ms, err := f()
	p.received(err, halted, ms...)
	return err
}

func (p *proc) recv(ctx context.Context) error {
	return p.call(func() ([]letter, error) {
		m, err := p.in.Recv(ctx)
		if err != nil {
			return nil, err
		}
		return []letter{m}, nil
	})
}

func (p *proc) try() error {
	return p.call(func() ([]letter, error) {
		m, err := p.in.TryRecv()
		if err != nil {
			return nil, err
		}
		return []letter{m}, nil
	})
}

// serve receives until there is nothing more to come.
func serve(ctx context.Context, p *proc) (bool, error) {
	for {
		if err := p.recv(ctx); err != nil && !errors.Is(err, actor.ErrHalted) {
			return true, nil
		}
	}
}

// actorOps are the operations on an actor.
var actorOps = []actorOp{
	{name: "send", do: func(w *actorWorld, id int) { w.send(context.Background(), id) }},
	{name: "send two", do: func(w *actorWorld, id int) {
		w.send(context.Background(), id)
		w.send(context.Background(), id)
	}},
	{name: "ask", do: func(w *actorWorld, id int) { w.ask(id) }},
	{name: "recv", script: func(ctx context.Context, p *proc) (bool, error) { return false, p.recv(ctx) }},
	{name: "recv two", script: func(ctx context.Context, p *proc) (bool, error) {
		if err := p.recv(ctx); err != nil {
			return false, nil
		}
		return false, p.recv(ctx)
	}},
	{name: "recv with ctx", cancel: true, script: func(_ context.Context, p *proc) (bool, error) { return false, p.recv(p.w.owner) }},
	{name: "try", script: func(_ context.Context, p *proc) (bool, error) { return false, p.try() }},
	{name: "ready", script: func(_ context.Context, p *proc) (bool, error) {
		for errors.Is(p.try(), actor.ErrEmpty) {
			p.busy = true
			sched.Select(p.in.Ready(), p.done, nil)
			p.busy = false
		}
		return false, nil
	}},
	{name: "batch", script: func(ctx context.Context, p *proc) (bool, error) {
		return false, p.call(func() ([]letter, error) {
			p.batch = true
			defer func() { p.batch = false }()
			var dst [2]letter
			n, err := p.in.RecvBatch(ctx, dst[:], time.Second)
			return dst[:n], err
		})
	}},
	{name: "close", do: func(w *actorWorld, _ int) {
		w.closes = true
		if w.pool == nil {
			w.held.post(func() { w.held.channel().Close(w.held.ctx) })
			return
		}
		w.pool.Close()
	}},
	{name: "halt", do: func(w *actorWorld, _ int) { w.addr.Halt(); w.halted = w.pool != nil }},
	{name: "halt some", do: func(w *actorWorld, id int) {
		if w.pool == nil {
			w.held.post(func() { w.held.channel().Halt(0) })
			return
		}
		w.pool.HaltSome(1)
	}},
	{name: "abort", do: func(w *actorWorld, _ int) {
		w.closes, w.aborts = true, true
		if w.pool == nil {
			w.held.post(func() { w.held.channel().Abort(-1) })
			return
		}
		w.pool.Abort()
	}},
	{name: "last exit", script: func(context.Context, *proc) (bool, error) { return true, nil }},
	{name: "spawn into the pool", do: func(w *actorWorld, id int) {
		if w.pool == nil {
			w.held.post(func() {
				if !w.held.channel().Closed() {
					w.held.start(id+6, 1) // a number that nobody has
				}
			})
			return
		}
		switch err := w.pool.Spawn(w.body); {
		case err == nil:
			w.spawned++
		case !errors.Is(err, actor.ErrClosed):
			w.r.Failf("Spawn: %v", err)
		}
	}},
	{name: "restart", held: true, script: func(context.Context, *proc) (bool, error) { return true, errCrash }},
	{name: "wait for room", full: true, do: func(w *actorWorld, id int) { w.send(context.Background(), id) }},
	{name: "wait", ends: true, do: func(w *actorWorld, _ int) {
		err := w.addr.Wait(context.Background())
		if !isClosed(w.addr.Done()) || w.addr.Processes() > 0 {
			w.r.Failf("Wait says %v, and it has not ended", err)
		}
	}},
	{name: "stop", ends: true, do: func(w *actorWorld, _ int) {
		w.closes = true
		if w.pool == nil {
			w.held.post(func() { w.held.channel().Close(w.held.ctx) })
			return
		}
		exits, err := w.pool.Stop(context.Background())
		if err != nil && !errors.Is(err, actor.ErrAborted) {
			w.r.Failf("Stop: %v", err)
		}
		if len(exits) != w.spawned {
			w.r.Failf("Stop: %d exits of %d processes", len(exits), w.spawned)
		}
	}},
	{name: "owner ends", owned: true, do: func(w *actorWorld, _ int) {
		w.closes = true
		sched.Cancel(w.cancel, nil)
	}},
	{name: "address collected", do: func(w *actorWorld, _ int) {
		w.closes = true
		w.r.Collect(w.addr, func() bool { return !w.used })
	}},
}

// address returns an address, as whoever owns the actor gets it.
func (w *actorWorld) address() *actor.Address[letter] {
	if w.pool == nil {
		return w.addr
	}
	a := w.pool.Address()
	w.used = w.used || a == w.addr
	return a
}

func (w *actorWorld) send(ctx context.Context, id int) {
	m := w.next(id)
	err := w.address().Send(ctx, letter{msg: m})
	switch {
	case err == nil:
		w.accept(m)
	case !errors.Is(err, actor.ErrClosed) && ctx.Err() == nil:
		w.r.Failf("Send: %v", err)
	}
}

// ask asks, and fails if there is no answer though the message was received.
func (w *actorWorld) ask(id int) {
	m := w.next(id)
	answer, err := actor.Ask(context.Background(), w.address(), func(r actor.Reply[msg]) letter { return letter{m, r} })
	switch {
	case err == nil && answer != m:
		w.r.Failf("%v was answered with %v", m, answer)
	case err == nil, errors.Is(err, actor.ErrNoReply):
		w.accept(m)
	case !errors.Is(err, actor.ErrClosed):
		w.r.Failf("Ask: %v", err)
	}
}

// actorProgram is a scenario of some operations on an actor.
func actorProgram(state actorState, ops ...actorOp) explore.Program {
	names := make([]string, len(ops))
	held, owned := false, false
	for i, op := range ops {
		names[i] = op.name
		held, owned = held || op.held, owned || op.owned
		if op.full {
			state = actorFull
		}
	}
	return explore.Program{
		Name: "actor, " + state.name + ": " + strings.Join(names, " | "),
		Do: func(r *explore.Run) {
			w := &actorWorld{ledger: newLedger(r), left: order{}, waits: map[string]func() bool{}}
			w.owner, w.cancel = context.WithCancelCause(context.Background())
			w.owned = owned
			w.run(state, held, ops)
		},
	}
}

func (w *actorWorld) run(state actorState, held bool, ops []actorOp) {
	var all []explore.Op
	cancels := false
	for i, op := range ops {
		cancels = cancels || op.cancel
		if op.script != nil {
			w.scripts = append(w.scripts, script{op.name, op.script})
			continue
		}
		name := fmt.Sprintf("%s %d", op.name, i+1)
		w.waits[name] = func() bool {
			if op.name == "ask" && w.addr.Len() > 0 && w.addr.Processes() > 0 {
				return true // nobody has received the message, and somebody still may
			}
			if op.name == "ask" && slices.ContainsFunc(w.procs, func(p *proc) bool { return p.batch }) {
				return true // it is in a batch that goes on until the clock ends it
			}
			if op.ends {
				return !isClosed(w.addr.Done())
			}
			return w.addr.Capacity() == actor.Bounded(1) && w.addr.Len() > 0 && !w.addr.Closed()
		}
		all = append(all, explore.Op{Name: name, Do: func() { op.do(w, i+1) }})
	}
	if cancels {
		all = append(all, explore.Op{Name: "cancel", Do: func() { sched.Cancel(w.cancel, nil) }})
	}
	cfg := actor.Config{Capacity: state.capacity, Detached: true, Undelivered: func(m any) {
		w.left.see(w.r, m.(letter).msg)
		w.got(m.(letter).msg, "nobody")
	}}
	n := max(1, len(w.scripts))
	w.spawned = n
	if held {
		w.hold(cfg, n)
	} else {
		owner := context.Background()
		if w.owned {
			owner, cfg.Detached = w.owner, false
		}
		w.pool, w.addr = actor.SpawnPool(owner, cfg, n, w.body)
	}
	for range state.queued {
		m := w.next(0)
		if w.addr.TrySend(letter{msg: m}) == nil {
			w.accept(m)
		}
	}
	w.r.Settle()
	w.begun = true
	w.r.Together(w.judge, all...)
	w.finish()
}

// judge checks that those who sleep have a reason to.
func (w *actorWorld) judge(waiting []explore.Thread) {
	names := make([]string, 0, len(waiting)+len(w.procs))
	for _, t := range waiting {
		names = append(names, t.Name())
	}
	for _, p := range w.procs {
		names = append(names, p.name)
	}
	for _, name := range names {
		if may := w.waits[name]; may == nil || !may() {
			w.r.Failf("%s sleeps though there is something to do: %d messages, closed %v", name, w.addr.Len(), w.addr.Closed())
		}
	}
}

// finish ends the actor and settles the accounts.
func (w *actorWorld) finish() {
	w.closes, w.over = true, true
	w.r.Changed()
	if w.pool == nil {
		w.held.end()
	} else {
		w.pool.Halt()
		w.halted = true
		exits, err := w.pool.Wait(context.Background())
		if err != nil && !errors.Is(err, actor.ErrAborted) {
			w.r.Failf("Wait: %v", err)
		}
		seen := map[int]bool{}
		for _, e := range exits {
			if seen[e.Index] {
				w.r.Failf("the exit of process %d was reported twice", e.Index)
			}
			seen[e.Index] = true
		}
		if len(exits) != w.spawned {
			w.r.Failf("%d exits of %d processes", len(exits), w.spawned)
		}
	}
	w.r.Settle()
	if w.addr.Len() != 0 || w.addr.Processes() != 0 {
		w.r.Failf("%d messages and %d processes at the end", w.addr.Len(), w.addr.Processes())
	}
	w.balance()
}

// holder is the owner of a held actor: it starts a process again when it has
// crashed, and does what it is told, one thing after the other.
type holder struct {
	w      *actorWorld
	hold   hold.Hold
	ctx    context.Context //nolint:containedctx // of its process, once that runs
	child  *actor.Child[actor.None, actor.None]
	todo   []func()
	lives  map[life]int // how often the exit of each process that was started has been told
	closed int          // how often the end was told
}

// life is one process of a held actor.
type life struct{ index, incarnation int }

var errCrash = errors.New("crash")

func (h *holder) Started(int, int)  {}
func (h *holder) Released(int, int) {}

func (h *holder) Closed() {
	if h.closed++; h.closed > 1 {
		h.w.r.Fail("the end was told twice")
	}
	h.w.r.Changed()
}

func (h *holder) Stuck(index, _ int, err error, _ string) {
	h.w.r.Fail(fmt.Sprintf("process %d is stuck: %v", index, err))
}

func (h *holder) Exited(index, incarnation int, err error, _ bool) {
	l := life{index, incarnation}
	if n, started := h.lives[l]; incarnation > 0 && (!started || n > 0) {
		h.w.r.Fail(fmt.Sprintf("the exit of process %+v was told, started %t, %d times before", l, started, n))
	}
	h.lives[l]++
	if incarnation > 0 && errors.Is(err, errCrash) {
		h.post(func() {
			if !h.channel().Closed() {
				h.start(index, incarnation+1)
			}
		})
	}
}

func (h *holder) channel() hold.Channel { return h.hold.Channel }

func (h *holder) start(index, incarnation int) {
	h.lives[life{index, incarnation}] = 0
	h.channel().Start(h.ctx, index, incarnation)
}

// post has the holder do something.
func (h *holder) post(f func()) {
	h.todo = append(h.todo, f)
	h.w.r.Changed()
}

// hold makes the actor one whose channel a holder holds.
func (w *actorWorld) hold(cfg actor.Config, n int) {
	h := &holder{w: w, lives: map[life]int{}}
	h.hold.Owner = h
	w.held = h
	_, w.addr = actor.Spawn(&hold.Context{Context: context.Background(), Hold: &h.hold}, cfg,
		func(ctx context.Context, in *actor.Inbox[letter]) error {
			_, err := w.body(ctx, in)
			return err
		})
	h.child, _ = actor.Spawn(context.Background(), actor.Config{}, func(ctx context.Context, _ *actor.Inbox[actor.None]) error {
		w.r.Rename("holder")
		h.ctx = ctx
		for i := range n {
			h.start(i, 1)
		}
		for h.closed == 0 {
			w.r.Step("wait for something to do", gate(func() bool { return len(h.todo) > 0 || h.closed > 0 }))
			for len(h.todo) > 0 {
				f := h.todo[0]
				h.todo = h.todo[1:]
				f()
			}
		}
		return nil
	})
}

// end closes the channel and waits for the holder.
func (h *holder) end() {
	h.post(func() { h.channel().Close(h.ctx) })
	if _, err := h.child.Wait(context.Background()); err != nil {
		h.w.r.Failf("the holder: %v", err)
	}
	h.w.r.Settle()
	for l, n := range h.lives {
		if n != 1 {
			h.w.r.Failf("the exit of process %+v was told %d times", l, n)
		}
	}
}
