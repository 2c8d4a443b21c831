package supervisor

import (
	"maps"
	"slices"
)

// halt tells a whole child to stop, or closes one that has no live process.
func (m *machine) halt(c *child, forGood bool) {
	m.clear(c)
	m.stopTimer(&c.timer)
	for i := range c.numbers {
		n := &c.numbers[i]
		m.stopTimer(&n.timer)
		n.told = untold
	}
	m.hangUp(c)
	if c.phase != stopping {
		c.stuckErr = nil
	}
	c.phase = stopping
	if forGood {
		c.phase = closing
		m.do(action{kind: actClose, child: c.id})
	}
	switch {
	case m.aborting || c.abortAfter < 0:
		m.do(action{kind: actAbort, child: c.id, process: all})
	case c.live > 0 && !(forGood && c.drain):
		m.do(action{kind: actHalt, child: c.id, process: all})
	}
	if c.abortAfter > 0 && !m.aborting {
		m.arm(&c.timer, timerAbort, c.id, all, c.abortAfter)
	}
}

// tell tells one process to stop.
func (m *machine) tell(c *child, n *number, i int, why told) {
	n.told = why
	a := action{kind: actHalt, child: c.id, process: i, incarnation: n.incarnation}
	if c.abortAfter < 0 {
		a.kind = actAbort
	}
	m.do(a)
	if c.abortAfter > 0 {
		m.arm(&n.timer, timerAbort, c.id, i, c.abortAfter)
	}
}

// hasStopped goes on when no process of a child that was told to stop is live.
func (m *machine) hasStopped(c *child) {
	m.stopTimer(&c.timer)
	switch {
	case c.doomed && !c.let:
		c.phase = running // until its turn comes
	case c.failing != nil:
		m.startFailed(c)
		return
	default:
		m.undoom(c)
		m.rest(c)
	}
	if c.phase != closing {
		m.stopped(c)
	}
}

// stopped answers those that wait until the child has stopped.
func (m *machine) stopped(c *child) {
	for _, r := range c.waiters {
		m.reply(r, c.stuckErr)
	}
	c.waiters = nil
}

// hangUp answers the calls of a child that is told to stop: it must not wait
// for its supervisor, which waits for it.
func (m *machine) hangUp(c *child) {
	for len(c.calls) > 0 {
		m.reply(c.calls[0], ErrShuttingDown)
	}
}

// giveUp ends the supervisor because of a child.
func (m *machine) giveUp(why reason, c *child, err error) {
	a := m.note(noteEscalated, c, all)
	a.reason, a.err = why, err
	m.end(why, c.id, err, false)
}

// end begins to end the supervisor.
func (m *machine) end(why reason, child int, err error, terminal bool) {
	if m.finished {
		return
	}
	if m.ending {
		if terminal && !m.terminal {
			m.terminal = true
			m.doomAll()
		}
		return
	}
	m.ending = true
	m.terminal = terminal || m.cfg.root
	m.why = action{kind: actFinish, reason: why, child: child, err: err}
	for _, r := range slices.Sorted(maps.Keys(m.pending)) {
		m.reply(r, ErrShuttingDown)
	}
	m.stopTimer(&m.group)
	m.groupDue, m.current = false, nil
	for c := m.first; c != nil; c = c.next {
		m.clear(c)
		c.failing, c.request, c.waiters, c.let = nil, 0, nil, false
		if c.phase == waiting {
			c.phase = down
		}
	}
	m.doomAll()
}

// doomAll makes all children of an ending supervisor stop.
func (m *machine) doomAll() {
	for c := m.last; c != nil; c = c.prev {
		switch {
		case !m.cfg.dynamic:
			m.doom(c)
		case !m.aborting && c.phase != stopping && c.phase != closing:
			m.halt(c, true)
		}
	}
}

// abort tears all children down at once.
func (m *machine) abort(terminal bool) {
	before := m.aborting
	m.aborting = true
	m.end(reasonAborted, 0, nil, terminal)
	if m.finished || before {
		return
	}
	for c := m.last; c != nil; c = c.prev {
		switch {
		case m.forGood(c) && c.phase != closing:
			m.halt(c, true)
		case c.phase == closing || c.live > 0:
			m.hangUp(c)
			m.stopTimer(&c.timer)
			for i := range c.numbers {
				m.stopTimer(&c.numbers[i].timer)
			}
			if c.phase != closing {
				c.phase = stopping
			}
			m.do(action{kind: actAbort, child: c.id, process: all})
		}
	}
}
