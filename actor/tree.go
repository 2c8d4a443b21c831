package actor

import (
	"context"
	"math"
	"slices"
	"time"

	"tinyactor/internal/sched"
)

// own finds out who owns a new actor: the process that the context belongs to,
// the context itself, both, or nobody. A context that can never end owns nothing.
func (c *core) own(owner context.Context) {
	c.owner = owner
	if p, ok := owner.(*processContext); ok {
		c.parent.Store((*process)(p))
		return
	}
	if owner.Done() != nil {
		c.parent.Store(processOf(owner))
		c.ownerEnds = true
	}
}

// parentID is 0 if no actor owns this one.
func (c *core) parentID() ID {
	if p := c.parent.Load(); p != nil {
		return p.core.id
	}
	return 0
}

// attach ties the actor to its owner, with the given time from halt to abort.
// If the owner has ended, the actor is stopped when attach returns.
func (c *core) attach(timer time.Duration) {
	c.mu.Lock()
	c.setAbortTimer(timer)
	if c.released {
		c.mu.Unlock()
		return
	}
	if c.attached {
		overdue := c.abortTimer != nil && c.abortAfter < 0
		if c.abortTimer != nil && !overdue {
			c.abortTimer.Reset(c.abortAfter)
		}
		c.mu.Unlock()
		if overdue {
			c.abort()
		}
		return
	}
	c.attached = true
	var ended, aborted bool
	if p := c.parent.Load(); p != nil {
		ended, aborted = p.adopt(c)
	}
	c.mu.Unlock()
	if c.ownerEnds && !ended {
		if ended = sched.Err(c.owner) != nil; ended {
			aborted = aborted || c.ownerAborted()
		} else {
			c.watch(sched.AfterEnd(c.owner, c.ownerCtxEnded))
		}
	}
	switch {
	case aborted:
		c.abort()
	case ended:
		c.ownerEnded()
	}
}

// watch keeps the function that ends a watch over the owner, or calls it if the
// actor is not attached any more.
func (c *core) watch(stop func() bool) {
	c.mu.Lock()
	if c.attached && c.unwatch == nil && !c.finished {
		c.unwatch, stop = stop, nil
	}
	c.mu.Unlock()
	if stop != nil {
		stop()
	}
}

// detach makes the owner's end do nothing, and the owner not wait.
func (c *core) detach() {
	c.mu.Lock()
	unwatch := c.unwatch
	c.attached, c.unwatch = false, nil
	if c.abortTimer != nil {
		c.abortTimer.Stop()
		c.abortTimer = nil
	}
	up := c.unlink()
	c.mu.Unlock()
	if unwatch != nil {
		unwatch()
	}
	up.release()
}

// ownerAborted reports whether the owner's context has ended because a process
// was aborted. An error that only wraps ErrAborted is somebody's reason to stop.
func (c *core) ownerAborted() (aborted bool) {
	defer c.recordRecovered("owner's context") // which may be of a user's type
	return context.Cause(c.owner) == ErrAborted
}

// ownerCtxEnded is called when the owner's context ends.
func (c *core) ownerCtxEnded() {
	if !c.ownerAborted() {
		c.ownerEnded()
		return
	}
	c.abortAttached()
}

// abortAttached aborts the actor unless it was detached.
func (c *core) abortAttached() {
	c.mu.Lock()
	attached := c.attached
	c.mu.Unlock()
	if attached {
		c.abort()
	}
}

// ownerEnded stops an attached actor: halt or close now, abort when the abort
// timer runs out.
func (c *core) ownerEnded() {
	c.mu.Lock()
	if !c.attached || c.finished {
		c.mu.Unlock()
		return
	}
	d := c.abortAfter
	if d > 0 && d < math.MaxInt64 && c.abortTimer == nil {
		c.abortTimer = sched.AfterFunc(d, c.abortAttached)
	}
	c.mu.Unlock()
	switch {
	case d < 0:
		c.abort()
	case c.drain:
		c.close()
	default:
		c.halt()
	}
}

// adopt makes c a child of p until it is released or detached, and says whether
// p has ended or was aborted. A stuck process waits for its children should it
// ever end, but nobody else waits for those that it adopts now. c.mu is held.
func (p *process) adopt(c *core) (ended, aborted bool) {
	p.core.mu.Lock()
	defer p.core.mu.Unlock()
	if p.stage < exited && !c.linked {
		c.linked = true
		c.prev, c.kin = nil, p.children
		if c.kin != nil {
			c.kin.prev = c
		}
		p.children = c
		c.late = p.stuck
		if !c.late {
			p.early++
		}
	}
	if p.life != nil && !p.life.aborted.IsZero() {
		return p.stage > running, true
	}
	return p.stage > running, !p.core.aborted.IsZero()
}

// unlink takes c off its parent's list and returns the parent's actor if that
// was all somebody waited for: the caller must release it. c.mu is held.
func (c *core) unlink() (waiting *core) {
	if !c.linked || c.held != nil && !c.onlyStuck() { // a held actor may have got a process since
		return nil
	}
	p := c.parent.Load()
	up := p.core
	up.mu.Lock()
	defer up.mu.Unlock()
	c.linked = false
	if c.prev != nil {
		c.prev.kin = c.kin
	} else {
		p.children = c.kin
	}
	if c.kin != nil {
		c.kin.prev = c.prev
	}
	c.prev, c.kin = nil, nil
	if !c.late {
		p.early--
	}
	if c.released || c.held != nil { // else it was only detached
		stuck := c.stuckLocked() // a held actor may have told of some of them before
		up.stuckDown = slices.DeleteFunc(up.stuckDown, func(p *process) bool { return p.over.Load() || slices.Contains(stuck, p) })
		up.stuckDown = append(up.stuckDown, stuck...)
	}
	if p.children == nil {
		fire(&p.childless)
	}
	if up.settle() {
		return up
	}
	return nil
}

// stopChildren stops what p has spawned and is attached to it, and waits until
// all of it has ended or is declared stuck. It returns with p.core.mu held.
func (p *process) stopChildren() {
	c := p.core
	c.mu.Lock()
	kids := p.childrenLocked()
	aborted := !p.abortedAt().IsZero() // then the abort is on its way to them: they must not hear of a halt first
	c.mu.Unlock()
	for _, kid := range kids {
		if aborted {
			kid.abortAttached()
		} else {
			kid.ownerEnded()
		}
	}
	c.mu.Lock()
	for p.children != nil {
		childless := c.lazy(&p.childless, false)
		c.mu.Unlock()
		sched.Recv(childless)
		c.mu.Lock()
	}
}

// childrenLocked returns the attached children. p.core.mu is held.
func (p *process) childrenLocked() []*core {
	var kids []*core
	for kid := p.children; kid != nil; kid = kid.kin {
		kids = append(kids, kid)
	}
	return kids
}
