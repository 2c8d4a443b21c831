package supervisor

import "time"

// exited deals with a process that has ended.
func (m *machine) exited(c *child, n *number, i int, k exitKind, err error) {
	s, told := n.state, n.told
	m.vacate(c, n)
	say := func(kind noteKind) {
		a := m.note(kind, c, i)
		a.exit, a.err = k, err
	}
	switch {
	case c.phase == stopping || c.phase == closing || told != untold:
		say(noteStopped)
	case c.doomed:
		say(noteEnded)
	case s == arising && k == exitIgnored, s == up && !c.wouldRestart(k):
		if k == exitIgnored {
			m.note(noteIgnored, c, i)
		} else {
			say(noteEnded)
		}
	}
	m.gone(c, n, i, s, told, k, err)
}

// gone goes on after a process has left its number empty: s is what was in it.
func (m *machine) gone(c *child, n *number, i int, s state, t told, k exitKind, err error) {
	switch {
	case c.phase == closing:
	case c.phase == stopping:
		if c.live == 0 {
			m.hasStopped(c)
		}
	case c.doomed:
		if c.phase == starting {
			m.completeDoomed(c)
		}
	case c.phase == starting:
		m.goneStarting(c, i, s, k, err)
	case t == replaced:
		m.bringUp(c, n, i)
	case t == tooLate:
		m.restartFailed(c, n, i, ErrStartTimeout)
	case s == arising && k != exitIgnored:
		if err == nil {
			err = ErrNotStarted
		}
		m.restartFailed(c, n, i, err)
	case s == up && c.wouldRestart(k):
		if delay, ok := m.count(c, i, k, err); ok {
			m.again(c, n, i, delay, false)
		}
	default:
		m.swapped(c, n)
		if c.vacant() {
			m.over(c, s == up && k != exitIgnored)
		}
	}
}

// goneStarting goes on after a process of a child that is being started.
func (m *machine) goneStarting(c *child, i int, s state, k exitKind, err error) {
	switch {
	case s == arising && k != exitIgnored && err == nil:
		m.fail(c, i, ErrNotStarted)
	case s == arising && k != exitIgnored:
		m.fail(c, i, err)
	case s == up && c.wouldRestart(k):
		if err == nil {
			err = ErrNotStarted
		}
		m.fail(c, i, err)
	default:
		m.complete(c, k == exitIgnored)
	}
}

// completeDoomed is complete for a child that was doomed meanwhile.
func (m *machine) completeDoomed(c *child) {
	if c.arising > 0 {
		return
	}
	if c.live > 0 {
		m.complete(c, false)
		return
	}
	c.phase = running // until its turn comes
}

// restartFailed deals with a process that was started alone and did not come up.
func (m *machine) restartFailed(c *child, n *number, i int, err error) {
	m.note(noteStartFailed, c, i).err = err
	if n.swap {
		m.reply(c.replace, err)
		c.replace = 0
		m.swapped(c, n)
	}
	if c.restart == Temporary { // only a Replace starts one anew
		if c.vacant() {
			m.over(c, true)
		}
		return
	}
	if delay, ok := m.count(c, i, exitFailed, err); ok {
		m.again(c, n, i, delay, true)
	}
}

// again restarts a process alone, or a group for its child.
func (m *machine) again(c *child, n *number, i int, delay time.Duration, posted bool) {
	if m.alone(c) {
		m.revive(c, n, i, delay, posted)
		return
	}
	m.regroup(c, delay, posted)
}

// count counts a restart of number i of a child: it says how long to wait, or
// that the supervisor gave up.
func (m *machine) count(c *child, i int, k exitKind, err error) (delay time.Duration, ok bool) {
	if !m.restarts.add(m.now, m.cfg.limit) {
		m.giveUp(reasonLimit, c, err)
		return 0, false
	}
	n := &c.numbers[i]
	if n.wasUp && m.now-n.upSince >= c.backoff.ResetAfter {
		n.failures = 0
	}
	n.wasUp = false
	n.failures++
	c.restarts++
	delay = c.backoff.delay(n.failures, m.lot)
	a := m.note(noteRestarting, c, i)
	a.attempt, a.after, a.exit, a.err = n.failures, delay, k, err
	return delay, true
}

// over deals with a child whose last process has ended by itself and is not
// started again.
func (m *machine) over(c *child, trigger bool) {
	m.rest(c)
	if trigger && c.significant {
		m.trigger(c)
	}
}

// trigger ends the supervisor if it ends with this significant child.
func (m *machine) trigger(c *child) {
	switch {
	case m.ending || m.cfg.auto == Never:
		return
	case !m.started:
		m.putOff = c
		return
	case m.cfg.auto == AllSignificant:
		for x := m.first; x != nil; x = x.next {
			if x.significant && x.phase != down && x.phase != closing {
				return
			}
		}
	}
	m.giveUp(reasonAuto, c, nil)
}

// stuck deals with a process that does not end though it was aborted.
func (m *machine) stuck(c *child, n *number, i int, err error) {
	inPlace := m.inPlace(c, n)
	counts := c.doomed || n.told == replaced
	s, told := n.state, n.told
	m.vacate(c, n)
	n.stuck++
	m.figures.Stuck++
	if c.stuckErr == nil {
		c.stuckErr = err
	}
	m.note(noteStuck, c, i).err = err
	if inPlace {
		switch {
		case c.onStuck == StuckEscalate:
			m.giveUp(reasonStuck, c, err)
		case c.onStuck == StuckReplace && counts && !m.restarts.add(m.now, m.cfg.limit):
			m.giveUp(reasonLimit, c, err)
		}
	}
	m.gone(c, n, i, s, told, exitFailed, err)
}

// inPlace reports whether something is to be started in the place of a process
// that is stuck.
func (m *machine) inPlace(c *child, n *number) bool {
	regular := c.request == 0 && !c.new // a start that fails is repeated
	switch {
	case m.ending || c.phase == closing:
		return false
	case c.doomed:
		return m.kept(c) && !c.let
	case n.told == replaced:
		return true
	case c.phase == stopping:
		return c.failing != nil && regular
	case n.state == up:
		return c.wouldRestart(exitFailed) && (c.phase == running || regular)
	default:
		return c.phase == running && c.restart != Temporary || c.phase == starting && regular
	}
}

// unstick deals with a stuck process that has ended after all.
func (m *machine) unstick(id, i int) {
	c := m.byID[id]
	if c == nil {
		m.exorcise(id, i)
		return
	}
	if i < 0 || i >= len(c.numbers) || c.numbers[i].stuck == 0 {
		return
	}
	n := &c.numbers[i]
	n.stuck--
	m.figures.Stuck--
	m.note(noteReleased, c, i)
	if n.state == gated {
		m.bringUp(c, n, i)
	}
}

// exorcise is unstick for a child that was removed.
func (m *machine) exorcise(id, i int) {
	ghosts := m.ghosts[id]
	if i < 0 || i >= len(ghosts) || ghosts[i] == 0 {
		return
	}
	ghosts[i]--
	m.figures.Stuck--
	m.do(action{kind: actNote, note: noteReleased, child: id, process: i})
	for _, k := range ghosts {
		if k > 0 {
			return
		}
	}
	delete(m.ghosts, id)
}
