package supervisor

import (
	"slices"
	"time"
)

// This file is the part of rules.go from "When a process ends by itself" to
// "Restarting a group", and stuck processes.

// exited: a process is not live any more. silent: it is stuck.
func (m *ref) exited(c *refChild, k int, exit exitKind, err error, silent bool) {
	n := &c.numbers[k]
	f := refFailure{number: k, err: err, wasUp: n.is == refUp, upFor: m.now - n.upAt}
	told, swap := n.told, n.swap
	n.is, n.told, n.swap = refEmpty, refNobody, false
	m.cancel(timerStart, c.id, k)
	m.cancel(timerAbort, c.id, k)
	says := func(n noteKind) {
		if !silent {
			m.note(n, c, k, action{exit: exit, err: err})
		}
	}
	switch {
	case c.phase == refStopping, c.phase == refClosing:
		says(noteStopped)
		m.hasStopped(c)
	case c.doomed:
		m.mark(covDoomedExit)
		if told != refNobody {
			says(noteStopped)
		} else {
			says(noteEnded)
		}
		if c.phase == refBeginning && !c.has(refStarting) {
			m.mark(covDoomedStarting)
			c.phase = refRunning
			if c.live() > 0 {
				m.complete(c)
			}
		}
	case told == refReplace:
		says(noteStopped)
		n.swap = swap
		m.startAlone(c, k)
		m.replaced(c)
	case told == refTimeout:
		says(noteStopped)
		f.err = ErrStartTimeout
		m.aloneFailed(c, f, swap)
	case c.phase == refBeginning:
		m.exitedStarting(c, k, exit, err, f, silent)
	case !f.wasUp && exit == exitIgnored:
		m.mark(covAloneIgnored)
		m.note(noteIgnored, c, k, action{})
		if c.empty() {
			m.over(c, false)
		}
		m.replaced(c)
	case !f.wasUp:
		if err == nil {
			f.err = ErrNotStarted
		}
		m.aloneFailed(c, f, swap)
	default:
		m.byItself(c, exit, f, says)
	}
}

// byItself: a process that was up has ended, and nobody told it to.
func (m *ref) byItself(c *refChild, exit exitKind, f refFailure, says func(noteKind)) {
	if !c.wouldRestart(exit) {
		m.mark(covEnded + coverPoint(c.restart))
		if exit == exitIgnored {
			m.note(noteIgnored, c, f.number, action{})
		} else {
			says(noteEnded)
		}
		if c.empty() {
			m.over(c, exit != exitIgnored)
		}
		return
	}
	if !m.counts() {
		m.mark(covLimit)
		m.giveUp(reasonLimit, c.id, f.err)
		return
	}
	delay := m.restarting(c, exit, f)
	switch {
	case !m.alone(c):
		m.group(c, delay, false)
	case delay == 0:
		m.startAlone(c, f.number)
	default:
		m.delayed(c, f.number, delay)
	}
}

// restarting says that a number is restarted and returns the delay.
func (m *ref) restarting(c *refChild, exit exitKind, f refFailure) time.Duration {
	c.restarts++
	delay := m.failed(c, f)
	m.note(noteRestarting, c, f.number, action{attempt: c.numbers[f.number].failures, after: delay, exit: exit, err: f.err})
	return delay
}

// over: all numbers of the child are empty.
func (m *ref) over(c *refChild, trigger bool) {
	m.downOrClosed(c) // (15)
	if !trigger || !c.significant {
		return
	}
	if !m.told {
		m.put, m.putID = !m.is(faultPutOff), c.id
		return
	}
	if m.triggers() {
		m.giveUp(reasonAuto, c.id, nil)
	}
}

// triggers says whether the end of a significant child ends the supervisor (37,
// 38).
func (m *ref) triggers() bool {
	if m.cfg.auto == AnySignificant || m.is(faultSignificant) {
		m.mark(covAny)
		return true
	}
	for _, c := range m.children {
		if c.significant && c.phase != refDown && c.phase != refClosing {
			m.mark(covNotAll)
			return false
		}
	}
	m.mark(covAll)
	return true
}

// startAlone starts one number, or lets it wait for its stuck process.
func (m *ref) startAlone(c *refChild, k int) {
	n := &c.numbers[k]
	if n.stuck > 0 && c.onStuck != StuckReplace {
		m.mark(covGated)
		n.is = refGated
		return
	}
	m.startProcess(c, k)
	if n.is == refUp {
		m.aloneUp(c, k)
	} else if c.awaitFor > 0 {
		m.arm(timerStart, c.id, k, c.awaitFor)
	}
}

// aloneUp: a process that was started alone is up.
func (m *ref) aloneUp(c *refChild, k int) {
	n := &c.numbers[k]
	if n.swap {
		m.mark(covReplaced)
		n.swap = false
		m.note(noteReplaced, c, k, action{})
		m.replaced(c)
		return
	}
	m.mark(covRestarted)
	m.note(noteRestarted, c, k, action{attempt: n.failures})
}

func (m *ref) delayed(c *refChild, k int, delay time.Duration) {
	m.mark(covDelayed)
	c.numbers[k].is = refDelayed
	m.arm(timerRestart, c.id, k, delay)
}

// aloneFailed: the start of one number has failed.
func (m *ref) aloneFailed(c *refChild, f refFailure, swap bool) {
	m.note(noteStartFailed, c, f.number, action{err: f.err})
	if swap {
		m.mark(covReplaceFailed)
		m.reply(c.replace, f.err)
	}
	switch {
	case c.restart == Temporary:
		m.mark(covTemporaryFailed)
		if c.empty() {
			m.over(c, true)
		}
	case !m.counts():
		m.mark(covLimit)
		m.giveUp(reasonLimit, c.id, f.err)
	default:
		m.mark(covAloneFailed)
		delay := m.restarting(c, exitFailed, f)
		if m.alone(c) {
			m.delayed(c, f.number, delay)
		} else {
			m.group(c, delay, true)
		}
	}
	m.replaced(c)
}

// group begins a group restart for a child that failed.
func (m *ref) group(failed *refChild, delay time.Duration, start bool) {
	m.becomes(failed, refWaiting)
	in := m.cfg.strategy == OneForAll
	for _, c := range m.children {
		switch {
		case c == failed:
			in = true
		case !in:
		case c.doomed, c.phase == refWaiting, c.phase == refClosing, c.phase == refStopping && !c.failing.on:
			m.mark(covGroupStays)
		case c.phase == refDown && c.blocked() >= 0 && !m.is(faultBlocked):
			m.mark(covGroupBlocked)
		case c.live() > 0, c.restart == Temporary, c.phase == refStopping:
			if c.phase == refStopping {
				m.mark(covGroupFailing)
			}
			m.doom(c)
		default:
			m.mark(covGroupRest)
			m.becomes(c, refWaiting)
		}
	}
	m.mark(covGroup + coverPoint(m.cfg.strategy))
	ran := m.runs(timerGroup)
	if ran == nil && !m.due.on && delay == 0 && !start {
		return
	}
	if m.due.on {
		m.mark(covGroupDue)
		delay = max(delay, m.due.after)
	}
	due := refDue{on: true, child: failed.id, after: delay, until: m.due.until}
	if ran != nil {
		m.mark(covGroupRan)
		due.until = max(due.until, ran.deadline)
		m.cancel(timerGroup, ran.child, all)
	}
	m.due = due
}

// stuck deals with an evStuck.
func (m *ref) stuck(c *refChild, k int, err error) {
	n := &c.numbers[k]
	m.note(noteStuck, c, k, action{err: err})
	if (c.phase == refStopping || c.phase == refClosing) && c.stuckErr == nil {
		c.stuckErr = err
	}
	decides, counts := m.replaceable(c, k)
	n.stuck++
	if decides && !m.ending {
		m.mark(covStuck + coverPoint(c.onStuck))
		switch {
		case c.onStuck == StuckEscalate:
			m.giveUp(reasonStuck, c.id, err)
		case c.onStuck == StuckReplace && counts && !m.is(faultStuckCount):
			if !m.counts() {
				m.mark(covStuckLimit)
				m.giveUp(reasonLimit, c.id, err)
			}
		}
	} else {
		m.mark(covStuckIdle)
	}
	m.exited(c, k, exitFailed, err, true)
}

// replaceable says whether something is to be started in the place of a
// process, and whether that counts by itself.
func (m *ref) replaceable(c *refChild, k int) (decides, counts bool) {
	n := &c.numbers[k]
	again := c.by == 0 && !c.fresh // a whole start that fails counts
	switch {
	case c.doomed:
		yes := c.phase != refClosing && m.kept(c) && !c.ordered
		return yes, yes
	case c.phase == refStopping:
		return c.failing.on && again, false
	case c.phase == refClosing:
		return false, false
	case n.told == refReplace:
		return true, true
	case n.told == refTimeout:
		return c.restart != Temporary, false
	case c.phase == refBeginning:
		return (n.is == refStarting || c.wouldRestart(exitFailed)) && again, false
	}
	return c.wouldRestart(exitFailed), false
}

// released deals with an evReleased, also of a child that is no more.
func (m *ref) released(e event) {
	for _, c := range slices.Concat(m.children, m.gone) {
		if c.id != e.child || c.numbers[e.process].stuck == 0 {
			continue
		}
		n := &c.numbers[e.process]
		n.stuck--
		m.note(noteReleased, c, e.process, action{})
		if n.is == refGated && n.stuck == 0 {
			m.mark(covGateOpens)
			m.startAlone(c, e.process)
		}
		return
	}
	m.mark(covReleasedNothing)
}
