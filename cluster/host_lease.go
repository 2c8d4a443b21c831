package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"tinyactor/actor"
)

// acquire gets the lease of a partition for which messages have come, and
// lets these in. They go back if another node has it that takes messages, and
// wait if that has gone.
func (h *host[M]) acquire(p *part[M]) {
	begun := time.Now()
	for {
		free := h.node.leases.freed(h.item(p))
		got, err := h.lease(p)
		if h.arrive(p, got, err, begun) {
			return
		}
		again := time.NewTimer(h.node.cfg.Beat / 2)
		select {
		case <-free:
		case <-again.C:
		case <-h.exposure.ctx.Done():
		}
		again.Stop()
	}
}

// lease acquires the lease of a partition.
func (h *host[M]) lease(p *part[M]) (lease, error) {
	ctx, cancel := context.WithTimeout(h.exposure.ctx, h.node.cfg.Lease)
	defer cancel()
	s, err := h.node.session(ctx)
	if err != nil {
		return lease{}, err
	}
	fence, err := s.acquire(ctx, h.item(p))
	if err != nil {
		return lease{}, err
	}
	h.attend(s)
	return lease{s, fence}, nil
}

// arrive does what the outcome of an acquisition asks for, and returns false if
// that is to try again.
func (h *host[M]) arrive(p *part[M], got lease, err error, begun time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		if err = got.session.lost(); err != nil { // lost may have looked already
			got.session.drop(h.item(p))
		}
	}
	if err == nil {
		p.lease = got
		if h.drained {
			h.dismiss(p)
			return true
		}
		p.turnTo(here)
		line := p.line
		p.line = nil
		for _, a := range line {
			if !a.gone {
				h.enqueue(h.cell(p, a.in.key), a)
			}
		}
		return true
	}
	p.line = slices.DeleteFunc(p.line, func(a *arrival[M]) bool { return a.gone })
	held, isHeld := errors.AsType[*heldError](err)
	switch {
	case isHeld && slices.Contains(h.others(), held.node):
		for _, a := range p.line {
			h.settle(a, h.away(p, a, held.node))
		}
	case h.drained || h.exposure.ctx.Err() != nil:
		h.refuse(p, p.line)
	case len(p.line) == 0:
	case !isHeld && time.Since(begun) > h.node.cfg.Lease: // nothing can be said to whom it may be the same
		err = fmt.Errorf("cluster: %q: node %s cannot hold keys: %w", h.name, h.node.id, err)
		for _, a := range p.line {
			h.settle(a, err)
		}
	default:
		for _, a := range p.line {
			if a.in.try {
				h.settle(a, fmt.Errorf("cluster: %q: key %q is about to move: %w", h.name, a.in.key, actor.ErrFull))
			}
		}
		return false
	}
	p.line = nil
	p.turnTo(away)
	return true
}

// attend has somebody wait for the end of a session under which there are partitions.
func (h *host[M]) attend(s *session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.attended == s {
		return
	}
	h.attended = s
	h.node.leases.start(func() {
		select {
		case <-s.done():
			h.lost(s)
		case <-h.exposure.ctx.Done():
		}
	})
}

// lost aborts what runs under a session that is over.
func (h *host[M]) lost(s *session) {
	h.mu.Lock()
	var all []cell[M]
	for i := range h.parts {
		p := &h.parts[i]
		if p.state != here && p.state != leaving || p.lease.session != s {
			continue
		}
		for _, c := range p.cells {
			if c.child != nil {
				all = append(all, cell[M]{child: c.child, lose: c.lose})
			}
		}
		h.empty(p)
		p.turnTo(away)
		h.outlive(p, s)
	}
	h.mu.Unlock()
	for _, c := range all {
		c.lose() // first, so that the context's cause is this
		c.child.Abort()
	}
}

// empty refuses what waits for the actors of a partition, and gives these nothing more.
// mu is held.
func (h *host[M]) empty(p *part[M]) {
	for _, c := range p.cells {
		c.closing = c.child != nil
		h.refuse(p, c.line)
		if c.child != nil {
			c.timer.Reset(time.Millisecond)
		}
	}
}

// outlive lets go of the lease of a partition when the actors it has now have
// ended: then others need not wait until it has expired. mu is held.
func (h *host[M]) outlive(p *part[M], s *session) {
	runs := make(map[*cell[M]]uint64)
	for _, c := range p.cells {
		runs[c] = c.run
	}
	item := h.item(p)
	h.node.leases.start(func() {
		again := time.NewTicker(time.Millisecond)
		defer again.Stop()
		for {
			h.mu.Lock()
			maps.DeleteFunc(runs, func(c *cell[M], run uint64) bool {
				return c.run != run || c.child == nil && !c.starting
			})
			h.mu.Unlock()
			if len(runs) == 0 {
				s.drop(item)
				return
			}
			select {
			case <-again.C:
			case <-h.exposure.ctx.Done():
				return
			}
		}
	})
}

// dismiss lets the actors of a partition finish, then releases its lease. mu is held.
func (h *host[M]) dismiss(p *part[M]) {
	p.turnTo(leaving)
	h.refuse(p, p.line)
	p.line = nil
	for _, c := range p.cells {
		h.refuse(p, c.line)
	}
	term := p.term
	h.node.leases.start(func() { h.leave(p, term) })
}

// leave closes the actors of a partition that have answered what they were asked,
// until there are none, then releases the lease.
func (h *host[M]) leave(p *part[M], term uint64) {
	pause := time.Millisecond
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-h.exposure.ctx.Done():
			return
		}
		left, ok := h.dismissed(p, term)
		if !ok {
			return
		}
		if left == 0 {
			h.release(p, term)
			return
		}
		pause = min(2*pause, 20*time.Millisecond)
		timer.Reset(pause)
	}
}

// dismissed closes the actors that may be closed, and returns how many are left.
// It returns false if that is not its task any more.
func (h *host[M]) dismissed(p *part[M], term uint64) (left int, ok bool) {
	h.mu.Lock()
	if p.term != term {
		h.mu.Unlock()
		return 0, false
	}
	var shut []*actor.Child[M, actor.None]
	for _, c := range p.cells {
		if c.child == nil {
			left++ // it is being started
			continue
		}
		select {
		case <-c.child.Done():
			h.buried(c)
			continue
		default:
		}
		left++
		if c.asks == 0 && !c.pumping && !c.closing {
			c.closing = true
			shut = append(shut, c.child)
		}
	}
	h.mu.Unlock()
	for _, c := range shut {
		c.Close()
	}
	return left, true
}

// release gives the lease of a partition without actors back, and waits for that.
func (h *host[M]) release(p *part[M], term uint64) {
	h.mu.Lock()
	got, changed := p.lease, p.term != term
	h.mu.Unlock()
	if changed {
		return
	}
	<-got.session.release(h.item(p), got.fence)
	h.mu.Lock()
	defer h.mu.Unlock()
	if p.term == term {
		p.turnTo(away)
	}
}

// look notes what the actors are done with, and releases partitions that are idle
// and would be another node's.
func (h *host[M]) look(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.advance()
	if h.drained {
		return
	}
	var nodes []string
	for i := range h.parts {
		p := &h.parts[i]
		if p.state != here || len(p.cells) > 0 || now.Sub(p.since) < h.node.cfg.Lost {
			continue
		}
		if nodes == nil {
			nodes = append(h.others(), h.node.id)
		}
		if preferred(h.name, p.number, nodes) != h.node.id {
			h.dismiss(p)
		}
	}
}

// advance brings the done of the inlets up to date. mu is held.
func (h *host[M]) advance() {
	e := h.exposure
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range e.inlets {
		l.low = l.processed
		for n := range l.parked {
			l.low = min(l.low, n-1)
		}
	}
	for c := range h.marked {
		h.progress(c, c.sight())
		for l, marks := range c.marks {
			l.low = min(l.low, marks[0].n-1)
		}
	}
	for _, l := range e.inlets {
		l.done = max(l.done, l.low)
		l.dones = slices.DeleteFunc(l.dones, func(n uint64) bool { return n <= l.done })
	}
}

// busy reports whether a partition is still to be handed over.
func (h *host[M]) busy() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.parts {
		if h.drained && h.parts[i].state != away {
			return true
		}
	}
	return false
}

// stop is the tenant's: see Node.Drain and Node.Close.
func (h *host[M]) stop(ctx context.Context, drain bool) {
	h.mu.Lock()
	h.drained = true
	var halt []*actor.Child[M, actor.None]
	for i := range h.parts {
		p := &h.parts[i]
		if p.state == here {
			h.dismiss(p)
		}
		for _, c := range p.cells {
			if c.child != nil && !drain {
				c.closing = true
				halt = append(halt, c.child)
			}
		}
	}
	h.mu.Unlock()
	var all sync.WaitGroup
	for _, c := range halt {
		all.Go(func() { c.Stop(ctx) }) //nolint:errcheck // who is stuck stays the holder
	}
	all.Wait()
	patience := time.NewTimer(h.node.cfg.Lost)
	defer patience.Stop()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for h.busy() {
		select {
		case <-again.C:
		case <-ctx.Done():
			return
		case <-patience.C:
			if !drain { // somebody is stuck, or starts for ever
				return
			}
		}
	}
	h.node.leases.exit(h.tenant)
}

// end is called when the exposure has ended: it sends back what waits.
func (h *host[M]) end() {
	h.mu.Lock()
	h.over = true
	for i := range h.parts {
		p := &h.parts[i]
		h.refuse(p, p.line)
		p.line = nil
		for _, c := range p.cells {
			h.refuse(p, c.line)
		}
	}
	h.mu.Unlock()
	h.sending.Wait()
}
