package supervisor

import "time"

// settle does what can be done after an event: the turns of those that have to
// stop and of those that wait for their start, and the end.
func (m *machine) settle() {
	for !m.finished && (m.advance() || m.arrive()) {
	}
}

// arrive says once that the supervisor is up, and reports whether it ends for
// what was put off until then.
func (m *machine) arrive() bool {
	if !m.begun || m.started || m.ending || m.newcomer > 0 {
		return false
	}
	m.started = true
	m.do(action{kind: actStarted})
	if c := m.putOff; c != nil {
		m.putOff = nil
		m.trigger(c)
	}
	return m.ending
}

// advance reports whether it may have made something else possible.
func (m *machine) advance() bool {
	if m.doomed > 0 && !m.turn() {
		return false
	}
	if m.ending {
		if !m.cfg.dynamic || m.first == nil {
			m.finished = true
			m.do(m.why)
		}
		return false
	}
	if !m.begun {
		return false
	}
	if m.groupDue {
		m.groupDue = false
		after := max(m.groupDelay, m.groupUntil-m.now)
		m.groupUntil = m.now + after
		m.arm(&m.group, timerGroup, m.groupChild, all, after)
	}
	for m.group.seq == 0 && m.current == nil {
		c := m.firstWaiting()
		if c == nil || !m.begin(c) {
			break
		}
		if m.ending || m.doomed > 0 || m.groupDue {
			return true
		}
	}
	return false
}

// turn stops doomed children, the last first, and reports whether none is left.
func (m *machine) turn() bool {
	for m.doomed > 0 {
		for !m.doomedFrom.doomed {
			m.doomedFrom = m.doomedFrom.prev
		}
		c := m.doomedFrom
		switch {
		case c.phase == stopping || c.phase == closing:
			return false
		case c.live > 0 || m.forGood(c):
			m.halt(c, m.forGood(c))
			return false
		}
		m.undoom(c)
		if m.ending {
			c.phase = down
		} else {
			m.wait(c)
		}
	}
	return true
}

// doom makes a child one that has to stop when it is its turn.
func (m *machine) doom(c *child) {
	if c.doomed {
		return
	}
	c.doomed = true
	m.doomed++
	if m.doomedFrom == nil || c.id > m.doomedFrom.id {
		m.doomedFrom = c
	}
	c.failing = nil
	if m.current == c {
		m.current = nil
	}
	m.clear(c)
}

// undoom takes that back.
func (m *machine) undoom(c *child) {
	if c.doomed {
		c.doomed, c.let = false, false
		m.doomed--
	}
}

// clear empties the numbers of a child in which nothing lives, and ends what was
// going on in it.
func (m *machine) clear(c *child) {
	if c.timer.purpose != timerAbort {
		m.stopTimer(&c.timer)
	}
	for i := range c.numbers {
		n := &c.numbers[i]
		n.swap = false
		switch {
		case n.state == delayed || n.state == gated:
			m.vacate(c, n)
		case n.timer.purpose != timerAbort:
			m.stopTimer(&n.timer)
		}
	}
	c.swaps = 0
	m.reply(c.replace, nil)
	c.replace = 0
}

// regroup begins a group restart for a child that failed. posted: the delay is
// waited for even if it is 0.
func (m *machine) regroup(c *child, delay time.Duration, posted bool) {
	ran := m.group.seq != 0
	m.stopTimer(&m.group)
	if m.groupDue {
		delay = max(delay, m.groupDelay) // nobody comes back early because a sibling has failed
	}
	m.groupDue = m.groupDue || ran || posted || delay > 0
	m.groupDelay, m.groupChild = delay, c.id
	m.wait(c)
	x := c.next
	if m.cfg.strategy == OneForAll {
		x = m.first
	}
	for ; x != nil; x = x.next {
		switch {
		case x == c, x.doomed, x.phase == waiting, x.phase == closing:
		case x.phase == stopping && x.failing == nil:
		case x.phase == down && x.anyBlocked():
		case x.live > 0 || x.restart == Temporary || x.phase == stopping:
			m.doom(x)
		default:
			m.wait(x)
		}
	}
}
