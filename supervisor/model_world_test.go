package supervisor

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// A stage is what stands around the machines of a tree: it does what they say
// and tells them what may happen then, by lot. It has a machine and a ref for
// each supervisor.
type stage struct {
	pcg      rand.PCG
	rng      *rand.Rand
	now      time.Duration
	sups     []*sup // that run, or have ended and whose own supervisor has not been told
	requests int
	drain    bool // it is stopped in the end, and must end
	cut      bool // it is not, though
	calm     int  // how often a process comes up, in percent
	fault    refFault
	cov      *coverage
	spare    []*sup
	nodes    []*simNode
	used     int    // of nodes
	wrong    string // what was found
	told     *sup   // where
	moves    []move
	keep     bool                 // moves are kept
	say      func(string, ...any) // tells what happens, if not nil
}

// A simNode is a child, perhaps a supervisor.
type simNode struct {
	Child // nil: nothing but the plan is looked at
	p     plan
	cfg   config     // of a supervisor that is not only a stub,
	kids  []*simNode // and these are its children
	real  bool
}

func (n *simNode) plan() plan { return n.p }

// A sup is one supervisor while it runs.
type sup struct {
	key    uint64 // the same in every run of a schedule
	mother *sup   // its supervisor
	child  int    // what it is there
	node   *simNode
	m      *machine
	ref    *ref

	procs  []simProc
	timers []ticking
	stale  []timer // that were cancelled, replaced or have run out
	shut   []int   // children after actClose and before evClosed
	left   []left
	open   []asked
	lastID int
	begun  bool
	up     bool
	ended  action // actFinish
	over   bool

	seeds []seed
}

// A simProc is a process that runs.
type simProc struct {
	child, number, incarnation int

	up, told, aborted, stuck bool

	sup *sup // it is this supervisor
}

type ticking struct {
	timer
	deadline time.Duration
}

type asked struct {
	number int
	kind   eventKind
}

// left is what an ended supervisor has left behind in a child: stuck processes
// of its children.
type left struct {
	child int
	stuck [][]int
}

// A move is an event for a supervisor, so that it means the same in a
// schedule that lacks some of the moves before it.
type move struct {
	sup   uint64
	e     event
	stale bool // an evTimer is not the one that runs
}

func (w *stage) fail(s *sup, format string, args ...any) {
	if w.wrong == "" {
		w.wrong, w.told = fmt.Sprintf(format, args...), s
	}
}

func (w *stage) find(key uint64) *sup {
	for _, s := range w.sups {
		if s.key == key {
			return s
		}
	}
	return nil
}

// proc returns the process that an event is about, if it runs and is not stuck.
func (s *sup) proc(e *event) *simProc {
	for i := range s.procs {
		if p := &s.procs[i]; p.child == e.child && p.number == e.process && p.incarnation == e.incarnation && !p.stuck {
			return p
		}
	}
	return nil
}

// live returns the process of a child's number that runs and is not stuck, or
// of any number if that is all.
func (s *sup) live(child, number int) *simProc {
	for i := range s.procs {
		if p := &s.procs[i]; p.child == child && (p.number == number || number == all) && !p.stuck {
			return p
		}
	}
	return nil
}

// legal reports whether a move may come, and fills in what is not up to lot.
func (w *stage) legal(s *sup, mv *move) bool {
	e := &mv.e
	if s.begun == (e.kind == evStart) {
		return false
	}
	switch e.kind {
	case evUp:
		p := s.proc(e)
		return p == nil || p.sup == nil || p.sup.up
	case evExit:
		p := s.proc(e)
		switch {
		case p == nil:
		case p.sup != nil:
			f := p.sup.ended
			e.exit, e.err = f.reason.kind(), modelErrs[f.reason]
			return p.sup.over
		case e.exit == exitIgnored:
			return !p.up
		}
	case evStuck:
		p := s.proc(e)
		return p == nil || p.sup == nil
	case evClosed:
		return !slices.Contains(s.shut, e.child) || s.live(e.child, all) == nil
	case evTimer:
		if mv.stale {
			i := slices.IndexFunc(s.stale, func(t timer) bool { return sameTimer(t, e.timer) })
			if i >= 0 {
				e.timer.seq = s.stale[i].seq
			}
			return i >= 0
		}
		i := slices.IndexFunc(s.timers, func(t ticking) bool { return sameTimer(t.timer, e.timer) })
		if i < 0 || s.timers[i].deadline > e.at {
			return false
		}
		e.timer.seq = s.timers[i].seq
	case evAdd:
		return e.child > s.lastID
	case evStop, evAbort:
		if s.mother == nil {
			return true
		}
		p := s.mother.procOf(s)
		e.terminal = slices.Contains(s.mother.shut, s.child)
		return p != nil && p.told && (e.kind == evStop || p.aborted)
	}
	return true
}

// procOf returns the process that a supervisor is.
func (s *sup) procOf(nested *sup) *simProc {
	for i := range s.procs {
		if s.procs[i].sup == nested {
			return &s.procs[i]
		}
	}
	return nil
}

// sameTimer reports whether they are one timer but for the seq.
func sameTimer(t, u timer) bool {
	return t.purpose == u.purpose && t.child == u.child && t.process == u.process
}

// make makes a move, if it is legal.
func (w *stage) make(mv move) {
	s := w.find(mv.sup)
	if s == nil || !w.legal(s, &mv) {
		return
	}
	if w.keep {
		w.moves = append(w.moves, mv)
	}
	w.cov.events[mv.e.kind]++
	w.cov.steps++
	w.now = mv.e.at
	w.before(s, &mv)
	got := s.m.step(mv.e)
	if mv.stale {
		mv.e.timer.seq = 0
	}
	want := s.ref.step(mv.e)
	if w.say != nil {
		w.tell(s, &mv.e, got)
	}
	w.compare(s, &mv.e, got, want)
	for i := range got {
		if w.wrong == "" {
			w.perform(s, &got[i])
		}
	}
	w.compareState(s)
	if w.wrong == "" {
		w.check(s)
	}
}

// before notes what has happened.
func (w *stage) before(s *sup, mv *move) {
	e := &mv.e
	switch e.kind {
	case evStart:
		s.begun = true
	case evUp:
		if p := s.proc(e); p != nil {
			p.up = true
		}
	case evExit:
		if p := s.proc(e); p != nil {
			if p.sup != nil {
				w.leave(s, p)
			}
			gone := *p
			s.procs = slices.DeleteFunc(s.procs, func(q simProc) bool { return q == gone })
		}
	case evStuck:
		if p := s.proc(e); p != nil {
			p.stuck = true
		}
	case evReleased:
		i := slices.IndexFunc(s.procs, func(p simProc) bool { return p.child == e.child && p.number == e.process && p.stuck })
		if i >= 0 {
			s.procs = slices.Delete(s.procs, i, i+1)
		}
	case evClosed:
		s.shut = slices.DeleteFunc(s.shut, func(id int) bool { return id == e.child })
	case evTimer:
		w.cov.fired[e.timer.purpose]++
		if !mv.stale {
			s.cancel(e.timer)
		}
	case evAdd:
		s.lastID = e.child
	}
	if evAdd <= e.kind && e.kind <= evReplace {
		s.open = append(s.open, asked{e.request, e.kind})
	}
}

// cancel forgets a timer that runs.
func (s *sup) cancel(t timer) {
	s.timers = slices.DeleteFunc(s.timers, func(u ticking) bool {
		if sameTimer(u.timer, t) {
			s.stale = append(s.stale, u.timer)
			return true
		}
		return false
	})
}
