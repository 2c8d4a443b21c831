package actor

import (
	"context"
	"slices"
	"time"

	"tinyactor/internal/hold"
	"tinyactor/internal/sched"
)

// This file is the actor whose channel somebody else holds: package supervisor
// does, for its children. Such an actor has processes one after the other, and
// between them none. It ends when its holder has closed it.

// holder is what a held actor has beside others.
type holder struct {
	*hold.Hold
	begun  bool            // it belongs to somebody: a process was started, or it was closed
	closed bool            // by the holder: the end of the last process is that of the actor
	told   bool            // the owner knows that it has ended, or that only stuck processes are left
	last   func() *process // makes one that only hands back leftovers
}

// life is what a process of a held actor has beside others. It is guarded by
// core.mu, but for incarnation, which does not change.
type life struct {
	incarnation int // the holder's number; 0: it only hands back leftovers
	started     bool
	final       bool // see Final
	crashing    bool // OnCrash runs
	aborted     time.Time
}

// heldChannel is a held channel, for its holder.
type heldChannel[M any] struct {
	ch   *channel[M]
	body func(*Inbox[M]) func() (any, error)
}

// keep makes the actor one that h holds, and starts nothing.
func (ch *channel[M]) keep(h *hold.Hold, body func(*Inbox[M]) func() (any, error)) *Address[M] {
	channel := &heldChannel[M]{ch, body}
	ch.held = &holder{Hold: h, last: func() *process { return channel.process(0, 0) }}
	ch.supervisor = h.Supervisor
	ch.setAbortTimer(0)
	ch.procs = ch.firstProc[:0]
	h.Channel = channel
	return ch.addr()
}

// endless reports whether the end of the last process is not that of the actor.
func (c *core) endless() bool { return c.held != nil && !c.held.closed }

// over tells the owner that nobody waits for the actor any more. core.mu is held.
func (h *holder) over() {
	if !h.told {
		h.told = true
		h.Owner.Closed()
	}
}

// Start starts a process: see [hold.Channel].
func (h *heldChannel[M]) Start(owner context.Context, index, incarnation int) {
	p := h.process(index, incarnation)
	c := &h.ch.core
	c.mu.Lock()
	if c.held.closed { // never: the holder does one after the other
		c.mu.Unlock()
		return
	}
	ended, aborted := c.beginHeld(owner)
	c.enrol(p)
	c.mu.Unlock()
	sched.Go(p.main)
	switch { // as Spawn under an owner that has ended
	case aborted:
		c.abortHeld(index)
	case ended:
		h.Halt(index)
	}
}

// process makes a process of the actor.
func (h *heldChannel[M]) process(index, incarnation int) *process {
	p := newProcess(h.ch, h.body)
	p.index, p.life = index, &life{incarnation: incarnation}
	if incarnation == 0 {
		if !h.ch.supervisor {
			p.body = func() (any, error) { return nil, nil }
		}
		return p
	}
	if h.ch.held.OnCrash != nil {
		p.seat.(*Inbox[M]).aside = &aside[M]{hand: new(hand[M])}
	}
	if h.ch.held.Fresh {
		body := p.body
		p.body = func() (any, error) {
			p.empty()
			return body()
		}
	}
	return p
}

// beginHeld makes the process that owner is of the actor's parent, and says
// whether that has ended or was aborted. mu is held.
func (c *core) beginHeld(owner context.Context) (ended, aborted bool) {
	if !c.held.begun {
		c.held.begun = true
		c.own(owner)
		c.label()
		c.observe(c.queue.messageType, observersOf(owner))
	}
	if !c.linked {
		c.parent.Store(processOf(owner))
		c.attached = true
		if c.abortTimer != nil { // of an earlier parent, which did not stop it itself
			c.abortTimer.Stop()
			c.abortTimer = nil
		}
	}
	if p := c.parent.Load(); p != nil {
		ended, aborted = p.adopt(c)
	}
	return ended, aborted
}

// Halt asks processes to stop: see [hold.Channel].
func (h *heldChannel[M]) Halt(index int) {
	c := &h.ch.core
	c.mu.Lock()
	defer c.mu.Unlock()
	c.haltHeld(index)
}

// haltHeld is Halt. mu is held.
func (c *core) haltHeld(index int) {
	any := false
	for _, p := range c.procs {
		if (index < 0 || p.index == index) && p.stage == running && !p.stuck {
			p.seat.halt()
			any = true
		}
	}
	if any {
		c.note(EventHalted, index, nil)
	}
}

// Abort tears processes down: see [hold.Channel].
func (h *heldChannel[M]) Abort(index int) {
	c := &h.ch.core
	if index < 0 {
		c.abort()
		return
	}
	c.abortHeld(index)
}

// abortHeld is abort for the process of an index.
func (c *core) abortHeld(index int) {
	t := new(teardown)
	deaf := c.below(nil, func(p *process) bool { return (p.core != c || p.index == index) && p.deaf() })
	if len(deaf) > 0 {
		t.stacks = findStacks(deaf)
	}
	c.mu.Lock()
	kids := t.markHeld(c, index)
	c.mu.Unlock()
	t.markAll(kids)
	t.run()
}

// markHeld aborts the process of an index, or all if that is negative, and leaves
// the channel and later processes alone. It returns the actors below them. c.mu is
// held.
func (t *teardown) markHeld(c *core, index int) (kids []*core) {
	for _, p := range c.procs {
		if index >= 0 && p.index != index || p.stuck || !p.life.aborted.IsZero() {
			continue
		}
		p.life.aborted = sched.Now()
		deaf := p.deaf()
		t.addLocked(p)
		kids = append(kids, p.childrenLocked()...)
		p.seat.markAborted()
		if p.stage < waiting {
			p.endContext(ErrAborted)
		}
		p.seat.abort()
		c.note(EventAborted, p.index, nil)
		if deaf {
			t.deaf = append(t.deaf, p)
			c.tell(Event{Kind: EventIgnoredHalt, Process: p.index, Stack: t.stacks[p]})
		}
	}
	return kids
}

// abortedAt is when the process was aborted, alone or with its actor. core.mu is
// held.
func (p *process) abortedAt() time.Time {
	if p.life != nil && !p.life.aborted.IsZero() {
		return p.life.aborted
	}
	return p.core.aborted
}

// Close closes the channel for good: see [hold.Channel].
func (h *heldChannel[M]) Close(owner context.Context) {
	c := &h.ch.core
	c.mu.Lock()
	if c.held.closed {
		c.mu.Unlock()
		return
	}
	ended, aborted := c.beginHeld(owner)
	c.held.closed = true
	c.closeLocked()
	var last *process
	if !slices.ContainsFunc(c.procs, func(p *process) bool { return p.stage == running && !p.stuck }) {
		last = c.held.last()
		c.enrol(last)
	}
	c.mu.Unlock()
	if last != nil {
		sched.Go(last.main)
	}
	switch {
	case aborted:
		c.abort()
	case ended && last != nil:
		h.Halt(-1)
	}
}

// Closed reports whether the holder has closed the channel.
func (h *heldChannel[M]) Closed() bool {
	h.ch.mu.Lock()
	defer h.ch.mu.Unlock()
	return h.ch.held.closed
}

// exitHeld makes the exit of a process of a held actor known: of each index the
// last one counts. core.mu is held at call, not at return.
func (p *process) exitHeld() {
	c, l := p.core, p.life
	if l.incarnation != 0 {
		e := exit{p.index, p.value, p.err}
		if i := slices.IndexFunc(c.exits, func(e exit) bool { return e.index == p.index }); i >= 0 {
			c.exits[i] = e
		} else {
			c.exits = append(c.exits, e)
		}
	}
	if i := slices.Index(c.procs, p); i >= 0 {
		c.procs = slices.Delete(c.procs, i, i+1)
	}
	c.note(EventExited, p.index, p.err)
	// Before the owner knows: its own end must not wait for this actor.
	up := c.rest()
	if p.stuck {
		p.tellReleased()
		c.held.Owner.Released(p.index, l.incarnation)
	} else {
		c.held.Owner.Exited(p.index, l.incarnation, p.err, l.started)
	}
	if !c.endless() {
		c.depart()
		return
	}
	c.mu.Unlock()
	up.release()
}

// rest takes a held actor off its parent's list when it has no process but stuck
// ones and is to go on later. The caller must release what it returns. mu is held.
func (c *core) rest() (waiting *core) {
	if !c.endless() || !c.onlyStuck() {
		return nil
	}
	return c.unlink()
}

// tellStuck tells the owner that the process is stuck. The caller must release
// what it returns. core.mu is held.
func (p *process) tellStuck(err error) (waiting *core) {
	up := p.core.rest()
	p.core.held.Owner.Stuck(p.index, p.life.incarnation, err, p.stack)
	return up
}

// Started says that the process is up, for package supervisor.
func (p *process) Started() {
	if p.life == nil {
		return
	}
	c := p.core
	c.mu.Lock()
	defer c.mu.Unlock()
	if !p.life.started && p.stage == running && !p.stuck {
		p.life.started = true
		c.held.Owner.Started(p.index, p.life.incarnation)
	}
}

// Final says that a supervisor's process has closed all below it for good, for
// package supervisor.
func (p *process) Final() {
	if p.life == nil {
		return
	}
	p.core.mu.Lock()
	defer p.core.mu.Unlock()
	p.life.final = true
}

// leavesOpen reports whether p was a supervisor's process, and ended without
// having heard that its channel is closed: what is below it is still open.
func (p *process) leavesOpen() bool {
	return p.core.supervisor && p.life != nil && p.life.incarnation != 0 && !p.life.final
}

// begin starts the process that hands back leftovers. core.mu is held.
func (c *core) begin(last *process) {
	c.enrol(last)
	if !c.aborted.IsZero() {
		last.endContext(ErrAborted)
	}
	sched.Go(last.main)
}

// Tell brings an event of a supervisor to the observers.
func (p *process) Tell(n hold.Note) {
	if p.core.bulletin == nil {
		return
	}
	p.core.tell(Event{
		Kind: EventKind(n.Kind), ID: ID(n.ID), Name: n.Name, Parent: p.core.id, Supervisor: n.Supervisor,
		Path: p.core.path() + "/" + pathName(n.Name, ID(n.ID)), Process: n.Process, Supervised: true, Attempt: n.Attempt, After: n.After, Err: n.Err,
	})
}

// Describe says what the process is the body of.
func (p *process) Describe(supervisor any) {
	if s := p.core.sight.Load(); s != nil {
		s.supervisor.Store(&supervisor)
	}
}

// Up returns the process that owns this one's actor, and its hold.
func (p *process) Up() (owner hold.Process, held *hold.Hold) {
	if p.core.held != nil {
		held = p.core.held.Hold
	}
	if up := p.core.parent.Load(); up != nil {
		return up, held
	}
	return nil, held
}
