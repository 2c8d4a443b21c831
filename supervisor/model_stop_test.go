package supervisor

import (
	"slices"

	"tinyactor/actor"
)

// This file is the rest of rules.go: stopping a child, requests, ending.

// becomes makes a child waiting or down.
func (m *ref) becomes(c *refChild, p refPhase) {
	c.phase = p
	m.loses(c)
}

func (m *ref) doom(c *refChild) {
	c.doomed = true
	c.failing = refFailure{}
	m.loses(c)
}

// loses is what happens to one that becomes doomed, waiting or down.
func (m *ref) loses(c *refChild) {
	m.timers = slices.DeleteFunc(m.timers, func(t refTimer) bool {
		return t.child == c.id && (t.purpose == timerRestart || t.purpose == timerStart)
	})
	for k := range c.numbers {
		if n := &c.numbers[k]; n.is == refDelayed || n.is == refGated {
			n.is, n.swap = refEmpty, false
		}
	}
	if c.replacing {
		m.mark(covReplaceDropped)
		c.replacing = false
		m.reply(c.replace, nil)
	}
}

// forGood reports whether a child that is stopped ends for good.
func (m *ref) forGood(c *refChild) bool {
	if m.ending {
		return m.terminal || m.cfg.dynamic || !c.static
	}
	return !m.kept(c)
}

// downOrClosed: a child has no process any more.
func (m *ref) downOrClosed(c *refChild) {
	if m.kept(c) {
		m.becomes(c, refDown)
		return
	}
	m.stop(c, true)
}

// stop stops a child, or closes it.
func (m *ref) stop(c *refChild, forGood bool) {
	live := c.live()
	m.loses(c)
	m.timers = slices.DeleteFunc(m.timers, func(t refTimer) bool {
		return t.child == c.id && t.purpose == timerAbort
	})
	for k := range c.numbers {
		c.numbers[k].told = refNobody
	}
	c.stuckErr = nil
	m.answerFrom(c)
	c.phase = refStopping
	if forGood {
		c.phase = refClosing
		m.act(action{kind: actClose, child: c.id})
	}
	switch {
	case m.aborting || c.abortAfter < 0:
		m.mark(covStopAbort)
		m.act(action{kind: actAbort, child: c.id, process: all})
		return
	case live == 0:
		m.mark(covCloseEmpty)
	case forGood && c.drain && !m.is(faultDrain):
		m.mark(covDrain)
	default:
		m.mark(covHalt)
		m.act(action{kind: actHalt, child: c.id, process: all})
	}
	if c.abortAfter > 0 {
		m.arm(timerAbort, c.id, all, c.abortAfter)
	}
}

// tell tells one process to stop.
func (m *ref) tell(c *refChild, k int, by refTold) {
	c.numbers[k].told = by
	if c.abortAfter < 0 {
		m.act(action{kind: actAbort, child: c.id, process: k})
		return
	}
	m.act(action{kind: actHalt, child: c.id, process: k})
	if c.abortAfter > 0 {
		m.arm(timerAbort, c.id, k, c.abortAfter)
	}
}

// hasStopped looks if a stopping child has.
func (m *ref) hasStopped(c *refChild) {
	if c.phase == refClosing || c.live() > 0 {
		return
	}
	m.cancel(timerAbort, c.id, all)
	if c.ordered {
		if c.doomed {
			m.mark(covOrderedDoomed)
		}
		c.ordered, c.doomed = false, false
	}
	switch {
	case c.doomed:
		c.phase = refRunning
	case c.failing.on:
		m.startFailed(c)
	default:
		m.downOrClosed(c)
		if c.phase == refDown {
			m.answerWaiters(c)
		}
	}
}

// closed deals with an evClosed.
func (m *ref) closed(id int) {
	c := m.find(id)
	if c == nil || c.phase != refClosing {
		m.mark(covOldClosed)
		return
	}
	m.cancel(timerAbort, c.id, all)
	m.note(noteRemoved, c, 0, action{})
	m.answerWaiters(c)
	m.children = slices.DeleteFunc(m.children, func(d *refChild) bool { return d == c })
	m.gone = append(m.gone, c)
}

// The end of the supervisor.

func (m *ref) giveUp(r reason, child int, err error) {
	m.mark(covReason + coverPoint(r))
	m.act(action{kind: actNote, note: noteEscalated, reason: r, child: child, err: err})
	m.end(r, child, err, false)
}

// end begins the end of the supervisor, or makes it terminal.
func (m *ref) end(r reason, child int, err error, terminal bool) {
	if m.ending {
		if terminal && !m.terminal {
			m.mark(covLateTerminal)
			m.terminal = true
			for _, c := range m.children {
				m.doom(c)
			}
		}
		return
	}
	m.ending, m.why, m.child, m.err = true, r, child, err
	m.terminal = m.cfg.root || terminal
	slices.SortFunc(m.requests, func(a, b refRequest) int { return a.number - b.number })
	for _, r := range m.requests {
		m.mark(covEndAnswers)
		m.act(action{kind: actReply, request: r.number, err: ErrShuttingDown})
	}
	m.requests = m.requests[:0]
	if t := m.runs(timerGroup); t != nil {
		m.cancel(timerGroup, t.child, all)
	}
	m.due, m.put = refDue{}, false
	for _, c := range m.children {
		if c.phase == refWaiting {
			m.becomes(c, refDown)
		}
		c.ordered, c.waiters, c.by, c.request = false, nil, 0, 0
		m.doom(c)
	}
}

// abort tears all children down.
func (m *ref) abort() {
	if m.aborting {
		m.mark(covAbortTwice)
		return
	}
	m.aborting = true
	for _, c := range slices.Backward(m.children) {
		switch {
		case m.forGood(c) && c.phase != refClosing:
			m.mark(covAbortForGood)
			m.stop(c, true)
		case c.phase == refBeginning || c.phase == refRunning && c.live() > 0:
			m.mark(covAbortLive)
			m.stop(c, false)
		case c.phase == refClosing || c.live() > 0:
			m.mark(covAbortAgain)
			m.cancel(timerAbort, c.id, all)
			m.act(action{kind: actAbort, child: c.id, process: all})
		}
	}
}

// Requests.

// reply answers a request, unless it was answered before.
func (m *ref) reply(request int, err error) {
	if i := slices.IndexFunc(m.requests, func(r refRequest) bool { return r.number == request }); i >= 0 {
		m.requests = slices.Delete(m.requests, i, i+1)
		m.act(action{kind: actReply, request: request, err: err})
	}
}

func (m *ref) answerWaiters(c *refChild) {
	for _, w := range c.waiters {
		m.reply(w, c.stuckErr)
	}
	c.waiters = nil
}

// answerFrom answers what was asked from a child (61).
func (m *ref) answerFrom(c *refChild) {
	for _, r := range slices.Clone(m.requests) {
		if r.from == c.id && !m.is(faultFrom) {
			m.mark(covFromStopped)
			m.reply(r.number, ErrShuttingDown)
		}
	}
}

// ask deals with a request.
func (m *ref) ask(e event) {
	m.requests = append(m.requests, refRequest{e.request, e.from})
	if m.ending {
		m.mark(covAskEnding)
		m.reply(e.request, ErrShuttingDown) // (62)
		return
	}
	if e.from != 0 {
		if f := m.find(e.from); f == nil || f.phase == refStopping || f.phase == refClosing {
			m.mark(covAskFromStopped)
			m.reply(e.request, ErrShuttingDown)
			return
		}
	}
	if e.kind == evAdd {
		m.addBy(e)
		return
	}
	c := m.find(e.child)
	if e.child == 0 {
		for _, d := range slices.Backward(m.children) {
			if d.name == e.name {
				c = d
			}
		}
	}
	switch {
	case c == nil:
		m.reply(e.request, ErrNotFound)
	case e.kind == evTerminate:
		m.terminate(c, e.request)
	case e.kind == evReplace:
		m.replace(c, e.request)
	case c.resting():
		m.reply(e.request, ErrRestarting)
	case c.phase != refDown:
		m.reply(e.request, ErrRunning)
	case e.kind == evRemove:
		c.waiters = append(c.waiters, e.request)
		m.stop(c, true)
	case c.blocked() >= 0:
		m.reply(e.request, actor.ErrStuck)
	default:
		m.startBy(c, e)
	}
}

// startBy starts a child by request, or lets it wait for its turn.
func (m *ref) startBy(c *refChild, e event) {
	c.by, c.request = e.kind, e.request
	if m.cfg.dynamic || m.cfg.strategy == OneForOne && m.told {
		m.startWhole(c, false)
		return
	}
	m.mark(covAskWaits)
	c.phase = refWaiting
}

func (m *ref) addBy(e event) {
	if !m.cfg.dynamic {
		name := e.spec.plan().name
		for _, c := range m.children {
			switch {
			case c.name != name:
			case c.phase == refBeginning, c.phase == refRunning && c.live() > 0:
				m.reply(e.request, ErrAlreadyStarted)
				return
			default:
				m.reply(e.request, ErrAlreadyPresent)
				return
			}
		}
	}
	if m.cfg.max > 0 && len(m.children) >= m.cfg.max {
		m.reply(e.request, ErrMaxChildren)
		return
	}
	m.startBy(m.add(e.child, e.spec), e)
}

func (m *ref) terminate(c *refChild, request int) {
	for k := range c.numbers {
		c.numbers[k].failures = 0
	}
	m.reply(c.request, ErrNotStarted)
	c.by, c.request, c.fresh = 0, 0, false
	if c.resting() {
		m.mark(covTerminateResting)
		c.doomed = false
		m.downOrClosed(c) // (32)
	} else if c.doomed {
		c.ordered = true
	}
	if c.phase == refDown {
		m.reply(request, nil) // (45)
		return
	}
	c.waiters = append(c.waiters, request)
	switch c.phase {
	case refStopping:
		if c.failing.on {
			m.mark(covTerminateFailing)
		}
		c.failing = refFailure{}
	case refBeginning, refRunning:
		c.ordered = true
		m.stop(c, !m.kept(c))
	}
}

func (m *ref) replace(c *refChild, request int) {
	switch {
	case c.phase == refClosing:
		m.reply(request, ErrShuttingDown)
		return
	case c.has(refStarting) || c.replacing:
		m.reply(request, ErrRestarting)
		return
	}
	m.act(action{kind: actAdopt, request: request, child: c.id})
	if c.live() == 0 || c.phase == refStopping || c.doomed {
		m.mark(covAdoptOnly)
		m.reply(request, nil)
		return
	}
	m.answerFrom(c)
	c.replacing, c.replace = true, request
	for k := range c.numbers {
		if c.numbers[k].is == refUp {
			c.numbers[k].swap = true
			m.tell(c, k, refReplace)
		}
	}
}

// replaced answers a Replace that is not in progress any more.
func (m *ref) replaced(c *refChild) {
	if c.replacing && !slices.ContainsFunc(c.numbers, func(n refNumber) bool { return n.swap }) {
		c.replacing = false
		m.reply(c.replace, nil)
	}
}
