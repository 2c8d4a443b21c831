package supervisor

import (
	"time"

	"tinyactor/actor"
)

// start begins to start the children that there are.
func (m *machine) start() {
	if m.begun || m.ending {
		return
	}
	m.begun = true
	for c := m.first; c != nil; c = c.next {
		m.wait(c)
	}
}

// wait makes a child wait for its turn.
func (m *machine) wait(c *child) {
	m.clear(c)
	c.phase = waiting
	if m.waitingFrom == nil || c.id < m.waitingFrom.id {
		m.waitingFrom = c
	}
}

// firstWaiting returns the first child that waits for its turn, or nil.
func (m *machine) firstWaiting() *child {
	for m.waitingFrom != nil && m.waitingFrom.phase != waiting {
		m.waitingFrom = m.waitingFrom.next
	}
	return m.waitingFrom
}

// launch starts a child as a whole. No number of it is blocked.
func (m *machine) launch(c *child) {
	c.phase, c.wasUp = starting, false
	for i := range c.numbers {
		m.spawn(c, &c.numbers[i], i)
	}
	switch {
	case !c.await:
		m.complete(c, false)
	case c.awaitFor > 0:
		m.arm(&c.timer, timerStart, c.id, all, c.awaitFor)
	}
}

// spawn starts a process.
func (m *machine) spawn(c *child, n *number, i int) {
	n.incarnation++
	n.told, n.wasUp, n.anew = untold, false, n.swap
	m.occupy(c, n, arising)
	m.do(action{kind: actStart, child: c.id, process: i, incarnation: n.incarnation})
	if !c.await {
		m.rise(c, n)
	}
}

// rise makes a process one that is up.
func (m *machine) rise(c *child, n *number) {
	m.occupy(c, n, up)
	n.wasUp, n.upSince, c.wasUp = true, m.now, true
}

// occupy changes what is in a number.
func (m *machine) occupy(c *child, n *number, s state) {
	before := c.live
	m.tally(c, n.state, -1)
	n.state = s
	m.tally(c, s, 1)
	switch {
	case before == 0 && c.live > 0:
		m.figures.Active++
	case before > 0 && c.live == 0:
		m.figures.Active--
	}
}

// tally counts what is in a number.
func (m *machine) tally(c *child, s state, by int) {
	switch s {
	case arising:
		c.arising += by
		c.live += by
	case up:
		c.live += by
	case delayed, gated:
		c.pend += by
	case empty:
	}
}

// vacate empties a number.
func (m *machine) vacate(c *child, n *number) {
	m.stopTimer(&n.timer)
	m.occupy(c, n, empty)
	n.told = untold
}

// isUp deals with a process that has called Started.
func (m *machine) isUp(c *child, n *number, i int) {
	if n.state != arising || n.told != untold || c.phase != starting && c.phase != running {
		return
	}
	m.stopTimer(&n.timer)
	m.rise(c, n)
	if c.phase == starting {
		m.complete(c, false)
		return
	}
	m.isBack(c, n, i)
}

// isBack is told of a process that was started alone and is up.
func (m *machine) isBack(c *child, n *number, i int) {
	if n.anew {
		m.note(noteReplaced, c, i)
		m.swapped(c, n)
		return
	}
	m.note(noteRestarted, c, i).attempt = n.failures
}

// complete looks whether the start of a whole child is. ignored says that the
// last process that ended in it returned ErrIgnore.
func (m *machine) complete(c *child, ignored bool) {
	if c.arising > 0 {
		return
	}
	m.stopTimer(&c.timer)
	if m.current == c {
		m.current = nil
	}
	m.notNew(c)
	request := c.request
	c.request = 0
	if c.live == 0 && !c.wasUp {
		m.reply(request, ErrIgnore)
		m.rest(c)
		return
	}
	c.phase = running
	m.note(noteStarted, c, all)
	m.reply(request, nil)
	if c.vacant() && !c.doomed {
		m.over(c, !ignored)
	}
}

// rest makes a child without processes one that is down, or closes it.
func (m *machine) rest(c *child) {
	m.clear(c)
	if c.phase = down; !m.kept(c) {
		m.halt(c, true)
	}
}

// fail makes the start of a whole child fail because of one of its numbers.
func (m *machine) fail(c *child, i int, err error) {
	c.failing, c.failed = err, i
	if n := &c.numbers[i]; m.now-n.upSince < c.backoff.ResetAfter {
		n.wasUp = false // for too short a time, however long the others take to stop
	}
	if c.live == 0 {
		m.startFailed(c)
		return
	}
	m.halt(c, false)
}

// startFailed is the end of a start that failed. No process is live.
func (m *machine) startFailed(c *child) {
	err, i := c.failing, c.failed
	c.failing = nil
	m.clear(c)
	m.stopTimer(&c.timer)
	c.phase = down // until it is decided what follows
	m.note(noteStartFailed, c, all).err = err
	if m.current == c {
		m.current = nil
	}
	switch {
	case c.request != 0:
		request, add := c.request, c.add
		c.request = 0
		m.reply(request, err)
		if add || !m.kept(c) {
			m.halt(c, true)
		}
	case c.new:
		m.giveUp(reasonStartFailed, c, err)
	default:
		if delay, ok := m.count(c, i, exitFailed, err); ok {
			m.regroup(c, delay, true)
		}
	}
}

// revive restarts a process alone, after it ended by itself (at once, if there
// is no delay) or its start failed.
func (m *machine) revive(c *child, n *number, i int, delay time.Duration, posted bool) {
	if delay == 0 && !posted {
		m.bringUp(c, n, i)
		return
	}
	m.occupy(c, n, delayed)
	m.arm(&n.timer, timerRestart, c.id, i, delay)
}

// bringUp starts a process alone, as soon as its number is not blocked.
func (m *machine) bringUp(c *child, n *number, i int) {
	if c.blocked(n) {
		m.occupy(c, n, gated)
		return
	}
	m.spawn(c, n, i)
	switch {
	case !c.await:
		m.isBack(c, n, i)
	case c.awaitFor > 0:
		m.arm(&n.timer, timerStart, c.id, i, c.awaitFor)
	}
}

// begin starts a waiting child whose turn it is, and reports whether the
// sequence may go on at once.
func (m *machine) begin(c *child) bool {
	if c.anyBlocked() {
		if c.onStuck == StuckWait {
			return false
		}
		c.failing, c.failed = actor.ErrStuck, 0
		m.startFailed(c)
		return true
	}
	m.current = c
	m.launch(c)
	return m.current == nil
}
