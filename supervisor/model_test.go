package supervisor

import (
	"slices"
	"time"
)

// A ref is a naive machine: it decides as rules.go says, rule by rule, with
// nothing but slices that are searched from one end to the other, and shares
// nothing with the machine but the vocabulary and what belongs to the specs. It
// was written from rules.go without a look at the machine. TestModel compares
// the two.
//
// Timers are the one thing that it does not say in actions: timers has those
// that run.
type ref struct {
	cfg      config
	children []*refChild // in the order of their ids
	gone     []*refChild // removed, but a process of them may be stuck
	timers   []refTimer
	stamps   []time.Duration // of what was counted
	requests []refRequest    // not answered

	begun    bool // evStart has come
	told     bool // actStarted was returned
	ending   bool
	terminal bool
	aborting bool // evAbort has come
	ended    bool // actFinish was returned

	why   reason // the first
	child int    // of why
	err   error  // of why
	due   refDue
	put   bool // the last trigger was put off until after actStarted
	putID int

	now   time.Duration
	lot   float64
	out   []action
	cov   *coverage
	fault refFault // planted
}

// refState is what is in a number of a child.
type refState uint8

const (
	refEmpty refState = iota
	refDelayed
	refGated
	refStarting
	refUp
)

// refTold says who has told a process to stop alone.
type refTold uint8

const (
	refNobody refTold = iota
	refTimeout
	refReplace
)

type refNumber struct {
	is          refState
	incarnation int
	told        refTold
	upAt        time.Duration
	stuck       int
	failures    int
	// swap: a Replace is in progress here: the old process is told to stop, or
	// the number is gated, or its new process is starting.
	swap bool
}

func (n *refNumber) live() bool { return n.is == refStarting || n.is == refUp }

// refPhase is what a child is in.
type refPhase uint8

const (
	refDown refPhase = iota
	refWaiting
	refBeginning // "starting" in rules.go
	refRunning
	refStopping
	refClosing
)

type refChild struct {
	id   int
	spec Child
	plan
	phase    refPhase
	doomed   bool
	static   bool
	fresh    bool // "new" in rules.go
	numbers  []refNumber
	restarts int

	by        eventKind // evAdd or evRestart: it is started by that request; else 0
	request   int       // the request
	bySeq     bool      // the sequence has started it
	wasUp     bool      // one of the processes of this start was up
	failing   refFailure
	replacing bool // a Replace is in progress
	replace   int  // its request

	// ordered: a request told it to stop, so it is down when it has.
	ordered  bool
	waiters  []int // requests to be answered when it has stopped
	stuckErr error // of the first evStuck since it was told to stop
}

// refFailure is why a whole start fails.
type refFailure struct {
	on     bool
	err    error
	number int  // that made it fail
	wasUp  bool // it was up,
	upFor  time.Duration
}

type refTimer struct {
	purpose  timerPurpose
	child    int
	process  int
	deadline time.Duration
}

type refRequest struct{ number, from int }

// refDue is a timerGroup that is to be armed when no child is doomed any more.
type refDue struct {
	on    bool
	child int
	after time.Duration
	until time.Duration // what is left of one that ran counts too
}

// reset makes it new. What it was made of is used again.
func (m *ref) reset(cfg config, seeds []seed) {
	*m = ref{
		cfg: cfg, children: m.children[:0], gone: m.gone[:0], timers: m.timers[:0],
		stamps: m.stamps[:0], requests: m.requests[:0], out: m.out[:0],
	}
	for i, s := range seeds {
		c := m.add(i+1, s.spec)
		c.static, c.fresh = true, true
		for k, n := range s.stuck {
			c.numbers[k].stuck = n
		}
	}
}

// add puts a child behind the others.
func (m *ref) add(id int, spec Child) *refChild {
	p := spec.plan()
	c := &refChild{id: id, spec: spec, plan: p, numbers: make([]refNumber, p.processes)}
	m.children = append(m.children, c)
	return c
}

// step is what machine.step does, but the timers.
func (m *ref) step(e event) []action {
	m.out = m.out[:0]
	m.now, m.lot = e.at, e.lot
	switch e.kind {
	case evAdd, evTerminate, evRestart, evRemove, evReplace:
		m.ask(e)
	case evReleased:
		m.released(e)
	default:
		if m.ended {
			m.mark(covAfterEnd)
			return m.out
		}
		m.happened(e)
	}
	m.sequence()
	m.begin()
	return m.out
}

// happened deals with what is no request.
func (m *ref) happened(e event) {
	switch e.kind {
	case evStart:
		m.begun = true
		for _, c := range m.children {
			c.phase = refWaiting
		}
	case evUp, evExit, evStuck:
		c := m.find(e.child)
		if c == nil || !c.numbers[e.process].live() || c.numbers[e.process].incarnation != e.incarnation {
			m.mark(covOld)
			return
		}
		switch e.kind {
		case evUp:
			m.up(c, e.process)
		case evExit:
			m.exited(c, e.process, e.exit, e.err, false)
		default:
			m.stuck(c, e.process, e.err)
		}
	case evClosed:
		m.closed(e.child)
	case evTimer:
		m.ranOut(e.timer)
	case evStop:
		m.end(reasonStopped, 0, nil, e.terminal)
	case evAbort:
		m.end(reasonAborted, 0, nil, e.terminal)
		m.abort()
	}
}

// begin says that the supervisor is up, at the end of the first step after
// which no child is new, and deals with the trigger that was put off until then.
func (m *ref) begin() {
	if !m.begun || m.told || m.ending || slices.ContainsFunc(m.children, func(c *refChild) bool { return c.fresh }) {
		return
	}
	m.told = true
	m.act(action{kind: actStarted})
	if m.put {
		m.mark(covTriggerPut)
		if m.triggers() {
			m.giveUp(reasonAuto, m.putID, nil)
			m.sequence()
		}
	}
}

// What follows are words of rules.go.

func (m *ref) act(a action) { m.out = append(m.out, a) }

func (m *ref) note(n noteKind, c *refChild, process int, a action) {
	a.kind, a.note, a.child, a.process = actNote, n, c.id, process
	m.act(a)
}

func (m *ref) find(id int) *refChild {
	for _, c := range m.children {
		if c.id == id {
			return c
		}
	}
	return nil
}

// live is how many processes of it are.
func (c *refChild) live() int {
	live := 0
	for i := range c.numbers {
		if c.numbers[i].live() {
			live++
		}
	}
	return live
}

// has reports whether one of its numbers is in a state.
func (c *refChild) has(is refState) bool {
	return slices.ContainsFunc(c.numbers, func(n refNumber) bool { return n.is == is })
}

func (c *refChild) empty() bool {
	return !slices.ContainsFunc(c.numbers, func(n refNumber) bool { return n.is != refEmpty })
}

// blocked returns the first number that is, or -1.
func (c *refChild) blocked() int {
	return slices.IndexFunc(c.numbers, func(n refNumber) bool { return n.stuck > 0 && c.onStuck != StuckReplace })
}

func (c *refChild) resting() bool {
	return c.phase == refWaiting || c.phase == refRunning && c.live() == 0
}

func (m *ref) alone(c *refChild) bool {
	return m.cfg.strategy == OneForOne || m.cfg.dynamic || len(c.numbers) > 1
}

func (m *ref) kept(c *refChild) bool { return c.restart != Temporary && !m.cfg.dynamic }

// wouldRestart is rule 13.
func (c *refChild) wouldRestart(k exitKind) bool {
	switch {
	case k == exitIgnored:
		return false
	case c.restart == Permanent:
		return true
	case c.restart == Transient:
		return k == exitFailed
	}
	return false
}

// The timers.

func (m *ref) arm(p timerPurpose, child, process int, after time.Duration) {
	m.cancel(p, child, process)
	m.timers = append(m.timers, refTimer{p, child, process, m.now + after})
}

func (m *ref) cancel(p timerPurpose, child, process int) {
	m.timers = slices.DeleteFunc(m.timers, func(t refTimer) bool {
		return t.purpose == p && t.child == child && t.process == process
	})
}

// runs returns the timer of a purpose that runs, or nil.
func (m *ref) runs(p timerPurpose) *refTimer {
	for i := range m.timers {
		if m.timers[i].purpose == p {
			return &m.timers[i]
		}
	}
	return nil
}

// ranOut deals with a timer. Its seq is 0 if it is not the one that runs.
func (m *ref) ranOut(t timer) {
	if t.seq == 0 {
		m.mark(covOldTimer)
		return
	}
	m.cancel(t.purpose, t.child, t.process)
	c := m.find(t.child)
	switch t.purpose {
	case timerGroup:
	case timerRestart:
		m.startAlone(c, t.process)
	case timerAbort:
		m.mark(covAbortTimer)
		m.act(action{kind: actAbort, child: c.id, process: t.process})
	case timerStart:
		if t.process != all {
			m.mark(covAloneTimeout)
			m.tell(c, t.process, refTimeout)
			return
		}
		m.mark(covStartTimeout)
		first := slices.IndexFunc(c.numbers, func(n refNumber) bool { return n.is == refStarting })
		m.failStart(c, refFailure{err: ErrStartTimeout, number: first})
	}
}

// A refFault is a fault that is planted in the ref.
type refFault uint8

const (
	faultNone refFault = iota
	faultWindow
	faultReset
	faultStuckCount
	faultBlocked
	faultDrain
	faultFrom
	faultSignificant
	faultOrder
	faultPutOff
	refFaults
)

var refFaultNames = [refFaults]string{
	faultWindow:      "what was counted just within the period is forgotten",
	faultReset:       "failures are never forgotten",
	faultStuckCount:  "one that replaces a stuck process does not count",
	faultBlocked:     "a child that is down and blocked is started with a group",
	faultDrain:       "what drains is halted",
	faultFrom:        "requests from a child that stops are not answered",
	faultSignificant: "a significant child that is not the last ends the supervisor",
	faultOrder:       "doomed children are stopped from the first",
	faultPutOff:      "a trigger before actStarted is forgotten",
}

func (m *ref) is(f refFault) bool { return m.fault == f }
