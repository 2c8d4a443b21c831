package supervisor

import (
	"slices"
	"time"

	"tinyactor/actor"
)

// This file is the part of rules.go from "Starting a child as a whole" to "The
// sequence".

func (m *ref) startProcess(c *refChild, k int) {
	n := &c.numbers[k]
	n.incarnation++
	n.told = refNobody
	m.act(action{kind: actStart, child: c.id, process: k, incarnation: n.incarnation})
	n.is = refStarting
	if !c.await {
		n.is, n.upAt = refUp, m.now
	}
}

// startWhole starts all its numbers.
func (m *ref) startWhole(c *refChild, bySeq bool) {
	c.bySeq, c.wasUp, c.failing = bySeq, false, refFailure{}
	for k := range c.numbers {
		m.startProcess(c, k)
	}
	if c.await {
		c.phase = refBeginning
		if c.awaitFor > 0 {
			m.arm(timerStart, c.id, all, c.awaitFor)
		}
		return
	}
	c.wasUp = true
	m.complete(c)
}

// complete ends a start when none of its processes is starting any more.
func (m *ref) complete(c *refChild) {
	if c.has(refStarting) {
		return
	}
	m.cancel(timerStart, c.id, all)
	c.fresh = false
	request, answer := c.request, error(nil)
	c.by, c.request = 0, 0
	switch {
	case !c.empty():
		m.mark(covComplete)
		c.phase = refRunning
		m.note(noteStarted, c, 0, action{})
	case c.wasUp:
		m.mark(covCompleteOver)
		c.phase = refRunning
		m.note(noteStarted, c, 0, action{})
		m.over(c, false) // the last exit was an exitIgnored: no trigger
	default:
		m.mark(covIgnored)
		answer = ErrIgnore // (8)
		m.downOrClosed(c)
	}
	m.reply(request, answer)
}

// up deals with an evUp.
func (m *ref) up(c *refChild, k int) {
	n := &c.numbers[k]
	if n.told != refNobody || c.phase == refStopping || c.phase == refClosing {
		m.mark(covUpTold)
		return
	}
	if n.is == refUp {
		return
	}
	if c.doomed {
		m.mark(covUpDoomed)
	}
	n.is, n.upAt = refUp, m.now
	if c.phase == refBeginning {
		c.wasUp = true
		m.complete(c)
		return
	}
	m.cancel(timerStart, c.id, k)
	m.aloneUp(c, k)
}

// exitedStarting: a process of a child that is starting has ended.
func (m *ref) exitedStarting(c *refChild, k int, exit exitKind, err error, f refFailure, silent bool) {
	switch {
	case !f.wasUp && exit == exitIgnored:
		m.note(noteIgnored, c, k, action{})
		m.complete(c)
	case !f.wasUp || c.wouldRestart(exit):
		m.mark(covStartExit)
		f.err = err
		if err == nil {
			f.err = ErrNotStarted
		}
		if f.wasUp {
			m.mark(covStartUpExit)
		}
		m.failStart(c, f)
	default:
		m.mark(covStartUpEnded)
		if !silent {
			m.note(noteEnded, c, k, action{exit: exit, err: err})
		}
	}
}

// failStart makes the start of a child fail: it is stopped first (12).
func (m *ref) failStart(c *refChild, f refFailure) {
	f.on = true
	c.failing = f
	if c.live() > 0 {
		m.mark(covRollback)
		m.stop(c, false)
		return
	}
	m.startFailed(c)
}

// startFailed: no process is live, so the start has failed.
func (m *ref) startFailed(c *refChild) {
	f := c.failing
	c.failing = refFailure{}
	m.note(noteStartFailed, c, all, action{err: f.err})
	switch by, request := c.by, c.request; {
	case by != 0:
		c.by, c.request = 0, 0
		if by == evAdd {
			m.mark(covAddFailed)
			m.stop(c, true)
		} else {
			m.mark(covRestartFailed)
			m.becomes(c, refDown)
		}
		m.reply(request, f.err)
	case c.fresh:
		m.mark(covRollbackAll) // (9)
		m.becomes(c, refDown)
		m.giveUp(reasonStartFailed, c.id, f.err)
	default:
		m.mark(covRestartStartFailed)
		m.becomes(c, refDown)
		if !m.counts() {
			m.giveUp(reasonLimit, c.id, f.err)
			return
		}
		m.group(c, m.restarting(c, exitFailed, f), true)
	}
}

// startBlocked: it is the turn of a child of which a number is blocked. It
// reports whether the sequence goes on.
func (m *ref) startBlocked(c *refChild) bool {
	if c.onStuck == StuckWait {
		m.mark(covSeqWaits)
		return false
	}
	m.mark(covSeqStuck)
	c.failing = refFailure{on: true, err: actor.ErrStuck, number: c.blocked()}
	m.startFailed(c)
	return true
}

// sequence is what happens after each event.
func (m *ref) sequence() {
	switch {
	case m.ended || !m.begun:
	case m.cfg.dynamic:
		m.sequenceDynamic()
	default:
		for m.turn() {
		}
	}
}

// turn does one thing of the sequence and reports whether there may be more.
func (m *ref) turn() bool {
	for i := range m.children {
		c := m.children[len(m.children)-1-i]
		if m.is(faultOrder) {
			c = m.children[i]
		}
		if !c.doomed {
			continue
		}
		switch {
		case c.phase == refStopping, c.phase == refClosing:
			return false
		case c.live() > 0:
			m.stop(c, m.forGood(c))
			return false
		case m.forGood(c):
			m.stop(c, true)
			return false
		}
		c.doomed = false
		if m.ending {
			m.becomes(c, refDown)
		} else {
			m.becomes(c, refWaiting)
		}
		return true
	}
	if m.ending {
		m.finish()
		return false
	}
	if m.due.on {
		m.mark(covGroupTimer)
		m.arm(timerGroup, m.due.child, all, max(m.due.after, m.due.until-m.now))
		m.due = refDue{}
	}
	if m.runs(timerGroup) != nil {
		return false
	}
	for _, c := range m.children {
		if c.bySeq && (c.phase == refBeginning || c.phase == refStopping && c.failing.on) {
			return false
		}
	}
	for _, c := range m.children {
		if c.phase != refWaiting {
			continue
		}
		if c.blocked() >= 0 {
			return m.startBlocked(c)
		}
		m.startWhole(c, true)
		return true
	}
	return false
}

// sequenceDynamic: in an ending dynamic supervisor it is every child's turn at
// once (41).
func (m *ref) sequenceDynamic() {
	if !m.ending {
		return
	}
	for _, c := range slices.Backward(m.children) {
		if c.phase != refStopping && c.phase != refClosing {
			m.mark(covDynamicStop)
			m.stop(c, true)
		}
	}
	if len(m.children) == 0 {
		m.finish()
	}
}

func (m *ref) finish() {
	m.ended = true
	m.act(action{kind: actFinish, reason: m.why, child: m.child, err: m.err})
}

// failed adds a failure to a number and returns its delay.
func (m *ref) failed(c *refChild, f refFailure) time.Duration {
	n := &c.numbers[f.number]
	if f.wasUp && f.upFor >= c.backoff.ResetAfter && !m.is(faultReset) {
		m.mark(covReset)
		n.failures = 0
	}
	n.failures++
	return c.backoff.delay(n.failures, m.lot)
}

// counts counts a restart, and reports false if it is one too many (25).
func (m *ref) counts() bool {
	from := m.now - m.cfg.limit.Period
	if m.is(faultWindow) {
		from++
	}
	m.stamps = slices.DeleteFunc(m.stamps, func(t time.Duration) bool { return t < from })
	if len(m.stamps) > 0 && m.stamps[0] == from {
		m.mark(covWindowEdge)
	}
	m.stamps = append(m.stamps, m.now)
	return len(m.stamps) <= m.cfg.limit.Restarts
}
