package supervisor

import (
	"slices"
	"time"
)

// keptActions is how many actions a machine keeps room for between steps.
const keptActions = 1024

// machine is all that one supervisor knows and decides, and nothing else: see
// vocabulary.go for how it is spoken to and rules.go for what it does. Whoever
// calls step performs the actions; so the rules can be tried without a
// goroutine, a clock or luck.
//
// An event costs the same whatever the number of children, but for those that
// are about many of them: a group restart and an end.
type machine struct {
	cfg config
	now time.Duration // of the event under way
	lot float64

	acts []action // of the step under way

	byID        map[int]*child
	byName      map[string]*child // unless dynamic
	first, last *child            // the list
	figures     Counts

	restarts window
	seq      uint64 // of the latest timer

	begun    bool
	started  bool // actStarted is out
	newcomer int  // children that are new
	putOff   *child

	// The sequence. No doomed child is after doomedFrom, no waiting one before
	// waitingFrom.
	doomed      int
	doomedFrom  *child
	waitingFrom *child
	current     *child // started by the sequence and not done with that
	group       timer  // runs if seq is not 0
	groupDue    bool
	groupDelay  time.Duration
	groupUntil  time.Duration // no earlier: when a delay ends that was overtaken
	groupChild  int

	ending   bool
	terminal bool
	aborting bool
	finished bool
	why      action // actFinish

	pending map[int]*child // requests not answered: the child that each was made from, or nil
	ghosts  map[int][]int  // of removed children: stuck processes of each number
}

// phase is what a child is up to.
type phase uint8

const (
	down phase = iota
	waiting
	starting
	running
	stopping
	closing
)

// child is what the machine knows of one.
type child struct {
	id int
	plan
	prev, next *child
	static     bool

	phase  phase
	new    bool
	doomed bool
	let    bool // doomed, but told to stop by a request: it will not be started again

	numbers  []number
	single   [1]number // is numbers of most children
	live     int
	arising  int // processes that are starting
	pend     int // numbers that are delayed or gated
	wasUp    bool
	restarts int // that were counted for it

	timer timer // timerStart or timerAbort of the whole child; runs if seq is not 0

	failing error // it is stopping because its start failed with this
	failed  int   // the number that made it fail

	request  int   // to start it
	add      bool  // by evAdd
	waiters  []int // requests that wait until it has stopped
	stuckErr error // of the first evStuck since it was told to stop
	replace  int   // request
	swaps    int   // numbers that a Replace still has to deal with
	calls    []int // requests that were made from it and are not answered
}

// number is one of a child's processes, through all incarnations.
type number struct {
	state       state
	incarnation int
	stuck       int
	failures    int
	wasUp       bool // the latest process was up
	upSince     time.Duration
	told        told  // why it was told to stop alone
	swap        bool  // a Replace has to deal with it
	anew        bool  // the latest process was started by a Replace
	timer       timer // runs if seq is not 0
}

// state is what is in a number.
type state uint8

const (
	empty state = iota
	delayed
	gated
	arising // starting, in rules.go
	up
)

// told is why a process was told to stop alone.
type told uint8

const (
	untold   told = iota
	tooLate       // it has not called Started in time
	replaced      // by a process with another behaviour
)

// newMachine returns the machine of a supervisor with the children that it has
// from the beginning, whose ids are 1, 2, 3 and so on.
func newMachine(cfg config, seeds []seed) *machine {
	m := &machine{
		cfg:     cfg,
		byID:    make(map[int]*child, len(seeds)),
		pending: make(map[int]*child),
		ghosts:  make(map[int][]int),
	}
	if !cfg.dynamic {
		m.byName = make(map[string]*child, len(seeds))
	}
	for i, s := range seeds {
		c := m.insert(i+1, s.spec.plan())
		c.static, c.new = true, true
		m.newcomer++
		for k, n := range s.stuck {
			c.numbers[k].stuck = n
			m.figures.Stuck += n
		}
	}
	return m
}

// step takes an event and returns what has to be done, in that order. The
// slice is valid until the next step.
func (m *machine) step(e event) []action {
	clear(m.acts)
	m.acts = m.acts[:0]
	if cap(m.acts) > keptActions {
		m.acts = nil
	}
	m.now, m.lot = e.at, e.lot
	switch e.kind {
	case evStart:
		m.start()
	case evUp, evExit, evStuck:
		if c, n := m.process(e); n != nil {
			m.happened(c, n, e)
		}
	case evReleased:
		m.unstick(e.child, e.process)
	case evClosed:
		if c := m.byID[e.child]; c != nil && c.phase == closing {
			m.remove(c)
		}
	case evTimer:
		m.ranOut(e.timer)
	case evAdd, evTerminate, evRestart, evRemove, evReplace:
		m.asked(e)
	case evStop:
		m.end(reasonStopped, 0, nil, e.terminal)
	case evAbort:
		m.abort(e.terminal)
	}
	m.settle()
	return m.acts
}

// process returns the process that an event is about, if it is live.
func (m *machine) process(e event) (*child, *number) {
	c := m.byID[e.child]
	if c == nil || e.process < 0 || e.process >= len(c.numbers) {
		return nil, nil
	}
	n := &c.numbers[e.process]
	if n.incarnation != e.incarnation || n.state < arising {
		return nil, nil
	}
	return c, n
}

// happened deals with what a live process did.
func (m *machine) happened(c *child, n *number, e event) {
	switch e.kind {
	case evUp:
		m.isUp(c, n, e.process)
	case evExit:
		m.exited(c, n, e.process, e.exit, e.err)
	default:
		m.stuck(c, n, e.process, e.err)
	}
}

// do adds an action. For the end of many children there are many.
func (m *machine) do(a action) {
	if n := len(m.acts); n == cap(m.acts) {
		m.acts = slices.Grow(m.acts, max(n, 8))
	}
	m.acts = append(m.acts, a)
}

// note adds a note about a child and a process of it, or all, and returns it.
func (m *machine) note(k noteKind, c *child, process int) *action {
	m.do(action{kind: actNote, note: k, child: c.id, process: process})
	return &m.acts[len(m.acts)-1]
}

// arm starts a timer.
func (m *machine) arm(t *timer, purpose timerPurpose, child, process int, after time.Duration) {
	m.stopTimer(t)
	m.seq++
	*t = timer{purpose, child, process, m.seq}
	m.do(action{kind: actArm, timer: *t, after: after})
}

// stopTimer cancels a timer if it runs.
func (m *machine) stopTimer(t *timer) {
	if t.seq != 0 {
		m.do(action{kind: actCancel, timer: *t})
		*t = timer{}
	}
}

// ranOut deals with a timer.
func (m *machine) ranOut(t timer) {
	if t.seq == 0 {
		return
	}
	if t == m.group {
		m.group = timer{}
		return // settle goes on
	}
	c := m.byID[t.child]
	if c == nil {
		return
	}
	if t == c.timer {
		c.timer = timer{}
		if t.purpose == timerAbort {
			m.do(action{kind: actAbort, child: c.id, process: all})
			return
		}
		i := slices.IndexFunc(c.numbers, func(n number) bool { return n.state == arising })
		m.fail(c, i, ErrStartTimeout)
		return
	}
	if t.process < 0 || t.process >= len(c.numbers) || t != c.numbers[t.process].timer {
		return
	}
	n := &c.numbers[t.process]
	n.timer = timer{}
	switch t.purpose {
	case timerRestart:
		m.bringUp(c, n, t.process)
	case timerStart:
		m.tell(c, n, t.process, tooLate)
	default: // timerAbort
		m.do(action{kind: actAbort, child: c.id, process: t.process, incarnation: n.incarnation})
	}
}

// alone reports whether a process of the child is restarted without siblings.
func (m *machine) alone(c *child) bool {
	return m.cfg.strategy == OneForOne || m.cfg.dynamic || len(c.numbers) > 1
}

// kept reports whether a child that has ended stays in the list.
func (m *machine) kept(c *child) bool { return c.restart != Temporary && !m.cfg.dynamic }

// forGood reports whether a child that is stopped now ends for good.
func (m *machine) forGood(c *child) bool {
	if m.ending {
		return m.terminal || m.cfg.dynamic || !c.static
	}
	return !m.kept(c)
}

// notNew makes a child one that the supervisor's start does not wait for.
func (m *machine) notNew(c *child) {
	if c.new {
		c.new = false
		m.newcomer--
	}
}

// blocked reports whether nothing may be started in a number.
func (c *child) blocked(n *number) bool { return n.stuck > 0 && c.onStuck != StuckReplace }

// anyBlocked reports whether the child must not be started as a whole.
func (c *child) anyBlocked() bool {
	return slices.ContainsFunc(c.numbers, func(n number) bool { return c.blocked(&n) })
}

// wouldRestart reports whether a process that ended so by itself is started again.
func (c *child) wouldRestart(k exitKind) bool {
	return k != exitIgnored && (c.restart == Permanent || c.restart == Transient && k.abnormal())
}

// vacant reports whether all numbers of the child are empty.
func (c *child) vacant() bool { return c.live == 0 && c.pend == 0 }
