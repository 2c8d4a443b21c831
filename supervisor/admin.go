package supervisor

import (
	"slices"

	"tinyactor/actor"
)

// asked deals with a request.
func (m *machine) asked(e event) {
	from := m.byID[e.from]
	switch {
	case m.ending, e.from != 0 && (from == nil || from.phase == stopping || from.phase == closing):
		m.do(action{kind: actReply, request: e.request, err: ErrShuttingDown})
		return
	}
	m.pending[e.request] = from
	if from != nil {
		from.calls = append(from.calls, e.request)
	}
	if e.kind == evAdd {
		m.add(e)
		return
	}
	c := m.byID[e.child]
	if e.child == 0 {
		c = m.byName[e.name]
	}
	switch {
	case c == nil:
		m.reply(e.request, ErrNotFound)
	case e.kind == evTerminate:
		m.terminate(c, e.request)
	case e.kind == evRestart:
		m.restart(c, e.request)
	case e.kind == evRemove:
		m.forget(c, e.request)
	default:
		m.replace(c, e.request)
	}
}

// reply answers a request, if that was not done before.
func (m *machine) reply(request int, err error) {
	from, open := m.pending[request]
	if !open {
		return
	}
	delete(m.pending, request)
	if from != nil {
		i := slices.Index(from.calls, request)
		from.calls = slices.Delete(from.calls, i, i+1)
	}
	m.do(action{kind: actReply, request: request, err: err})
}

// add is evAdd.
func (m *machine) add(e event) {
	p := e.spec.plan()
	if c := m.byName[p.name]; c != nil {
		err := ErrAlreadyPresent
		if c.phase == starting || c.phase == running && c.live > 0 {
			err = ErrAlreadyStarted
		}
		m.reply(e.request, err)
		return
	}
	if m.cfg.max > 0 && m.figures.Specs >= m.cfg.max {
		m.reply(e.request, ErrMaxChildren)
		return
	}
	c := m.insert(e.child, p)
	c.add = true
	m.launchBy(c, e.request)
}

// launchBy starts a child as a whole because of a request.
func (m *machine) launchBy(c *child, request int) {
	c.request = request
	if m.cfg.dynamic || m.cfg.strategy == OneForOne && m.started {
		m.launch(c)
		return
	}
	m.wait(c)
}

// terminate is evTerminate.
func (m *machine) terminate(c *child, request int) {
	for i := range c.numbers {
		c.numbers[i].failures = 0
	}
	m.reply(c.request, ErrNotStarted)
	c.request = 0
	m.notNew(c)
	if m.current == c {
		m.current = nil
	}
	if c.phase == waiting || c.phase == running && c.live == 0 {
		m.undoom(c)
	}
	c.let = c.doomed
	switch {
	case c.phase == down:
		m.reply(request, nil)
	case c.phase == closing:
		c.waiters = append(c.waiters, request)
	case c.phase == stopping:
		c.failing = nil
		c.waiters = append(c.waiters, request)
	case c.live > 0:
		c.waiters = append(c.waiters, request)
		m.halt(c, !m.kept(c))
	default: // resting
		c.waiters = append(c.waiters, request)
		c.stuckErr = nil
		if m.rest(c); c.phase == down {
			m.stopped(c)
		}
	}
}

// restart is evRestart.
func (m *machine) restart(c *child, request int) {
	switch {
	case c.phase != down:
		m.reply(request, c.notDown())
	case c.anyBlocked():
		m.reply(request, actor.ErrStuck)
	default:
		c.add = false
		m.launchBy(c, request)
	}
}

// forget is evRemove.
func (m *machine) forget(c *child, request int) {
	if c.phase != down {
		m.reply(request, c.notDown())
		return
	}
	c.waiters = append(c.waiters, request)
	m.halt(c, true)
}

// notDown says why a request is refused that needs a child without a process.
func (c *child) notDown() error {
	if c.phase == waiting || c.phase == running && c.live == 0 {
		return ErrRestarting
	}
	return ErrRunning
}

// replace is evReplace.
func (m *machine) replace(c *child, request int) {
	switch {
	case c.phase == closing:
		m.reply(request, ErrShuttingDown)
		return
	case c.arising > 0 || c.replace != 0 || c.swaps > 0:
		m.reply(request, ErrRestarting)
		return
	}
	m.do(action{kind: actAdopt, child: c.id, request: request})
	if c.live == 0 || c.phase == stopping || c.doomed {
		m.reply(request, nil)
		return
	}
	c.replace = request
	m.hangUp(c)
	for i := range c.numbers {
		if n := &c.numbers[i]; n.state == up {
			n.swap = true
			c.swaps++
			m.tell(c, n, i, replaced)
		}
	}
}

// swapped notes that a Replace has no more to do with a number.
func (m *machine) swapped(c *child, n *number) {
	if !n.swap {
		return
	}
	n.swap = false
	if c.swaps--; c.swaps == 0 {
		m.reply(c.replace, nil)
		c.replace = 0
	}
}
