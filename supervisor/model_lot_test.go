package supervisor

import (
	"errors"
	"slices"
	"time"
)

// This file draws trees and what happens to them.

// modelErrs are what bodies end with; the first are of nested supervisors, by
// reason.
var modelErrs = []error{
	nil, errors.New("aborted"), errors.New("start failed"), errors.New("limit"), errors.New("auto"), errors.New("stuck"),
	errors.New("crash 1"), errors.New("crash 2"), errors.New("crash 3"),
}

var modelNames = []string{"a", "b", "c", "d", "e"}

const ms = time.Millisecond

// draw draws one of them.
func draw[T any](w *stage, of ...T) T { return of[w.rng.IntN(len(of))] }

// percent is true so often.
func (w *stage) percent(n int) bool { return w.rng.IntN(100) < n }

func (w *stage) newNode() *simNode {
	if w.used == len(w.nodes) {
		w.nodes = append(w.nodes, new(simNode))
	}
	n := w.nodes[w.used]
	w.used++
	*n = simNode{kids: n.kids[:0]}
	return n
}

// drawSupervisor draws a supervisor with children, of which some are
// supervisors, so deep.
func (w *stage) drawSupervisor(n *simNode, deep int) {
	n.cfg = config{
		strategy: Strategy(w.rng.IntN(3)),
		auto:     AutoShutdown(max(0, w.rng.IntN(5)-2)),
		limit:    Limit{Restarts: draw(w, 0, 1, 2, 3, 5, 20, 20, 20), Period: draw(w, 40*ms, 100*ms, time.Second)},
		root:     deep == 2 && w.percent(50),
	}
	if w.percent(20) {
		n.cfg.dynamic, n.cfg.max = true, draw(w, 0, 2, 3)
		n.cfg.strategy, n.cfg.auto = OneForOne, Never
		return
	}
	for i := range draw(w, 0, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4) {
		kid := w.newNode()
		w.drawPlan(kid, &n.cfg, modelNames[i], deep)
		n.kids = append(n.kids, kid)
	}
}

// drawPlan draws a child of a supervisor.
func (w *stage) drawPlan(n *simNode, cfg *config, name string, deep int) {
	p := &n.p
	*p = plan{
		name:      name,
		restart:   Restart(w.rng.IntN(3)),
		processes: draw(w, 1, 1, 1, 1, 2, 2, 3),
		drain:     w.percent(25),
		onStuck:   StuckPolicy(w.rng.IntN(3)),
	}
	p.abortAfter = draw(w, -1, 0, 10*ms, 10*ms, 50*ms)
	if w.percent(45) {
		p.await, p.awaitFor = true, 20*ms
	}
	if w.percent(50) {
		p.backoff = Backoff{
			Min: draw(w, 0, 5*ms, 20*ms), Max: 40 * ms,
			Jitter: draw(w, -1.0, 0.5, 1), ResetAfter: draw(w, 10*ms, 30*ms),
		}
	}
	p.significant = cfg.auto != Never && p.restart != Permanent && w.percent(70)
	if w.percent(15) { // a supervisor
		p.supervisor, p.processes, p.drain, p.onStuck = true, 1, false, StuckEscalate
		p.await, p.awaitFor = true, 0
		if n.real = deep > 0 && w.percent(50); n.real {
			w.drawSupervisor(n, deep-1)
		}
	}
	p.backoff = p.backoff.orDefault()
}

// move draws what happens next in a supervisor.
func (w *stage) move(s *sup) move {
	mv := move{sup: s.key, e: event{at: w.now + w.wait(s), lot: w.rng.Float64()}}
	e := &mv.e
	if !s.begun {
		e.kind = evStart
		return mv
	}
	at := w.rng.IntN(1000)
	if s.ref.ending {
		at = w.rng.IntN(850) // fewer requests
	}
	switch {
	case at < 700:
		w.drawProcess(s, &mv)
	case at < 780:
		w.drawTimer(s, &mv)
	case at < 810:
		w.drawReleased(s, &mv)
	case at < 815:
		e.kind = draw(w, evStop, evAbort)
		e.terminal = w.percent(40)
	case at < 840:
		w.drawOld(s, &mv)
	default:
		w.drawRequest(s, e)
	}
	return mv
}

// wait draws how much later that is, with a liking for moments at which
// something ends that has ends.
func (w *stage) wait(s *sup) time.Duration {
	if !w.percent(50) {
		return 0
	}
	at := time.Duration(-1)
	switch w.rng.IntN(4) {
	case 0:
		if n := len(s.ref.stamps); n > 0 {
			at = s.ref.stamps[w.rng.IntN(n)] + s.node.cfg.limit.Period
		}
	case 1:
		if n := len(s.ref.children); n > 0 {
			c := s.ref.children[w.rng.IntN(n)]
			at = c.numbers[w.rng.IntN(len(c.numbers))].upAt + c.backoff.ResetAfter
		}
	default:
		return time.Duration(w.rng.IntN(10)) * ms
	}
	return max(0, at+time.Duration(w.rng.IntN(3)-1)-w.now)
}

// drawProcess draws what a process does, or what comes when there is none.
func (w *stage) drawProcess(s *sup, mv *move) {
	e := &mv.e
	if len(s.shut) > 0 && w.percent(50) || !s.anyLive() {
		if len(s.shut) > 0 {
			e.kind, e.child = evClosed, draw(w, s.shut...)
			return
		}
		if len(s.timers) > 0 && w.percent(70) {
			w.drawTimer(s, mv)
			return
		}
		w.drawRequest(s, e)
		return
	}
	p := w.drawProc(s, func(p *simProc) bool { return !p.stuck })
	if w.percent(40) {
		if told := w.drawProc(s, func(p *simProc) bool { return p.told && !p.stuck }); told != nil {
			p = told
		}
	}
	e.child, e.process, e.incarnation = p.child, p.number, p.incarnation
	await := s.awaits(p.child)
	switch {
	case p.sup != nil && p.sup.over:
		e.kind = evExit
	case p.sup != nil && p.sup.up && !p.up:
		e.kind = evUp
	case p.sup != nil:
		*mv = w.move(p.sup)
		if p.told && w.percent(60) && mv.e.kind != evStart {
			mv.e = event{kind: evStop, at: mv.e.at, lot: mv.e.lot}
			if p.aborted && w.percent(50) {
				mv.e.kind = evAbort
			}
		}
	case p.aborted && w.percent(25), w.percent(3):
		e.kind, e.err = evStuck, draw(w, modelErrs[6:]...)
	case !p.up && await && !p.told && w.percent(w.calm), w.percent(5):
		e.kind = evUp
	case p.up && !p.told && w.percent(w.calm-50), !await && !p.told && w.percent(w.calm-50):
		w.drawRequest(s, e)
	default:
		e.kind = evExit
		e.exit = draw(w, exitNormal, exitShutdown, exitFailed, exitFailed, exitFailed)
		if !p.up && w.percent(20) {
			e.exit = exitIgnored
		}
		if e.exit != exitNormal {
			e.err = draw(w, modelErrs[6:]...)
		}
	}
}

// drawProc draws a process that is so, or returns nil.
func (w *stage) drawProc(s *sup, so func(*simProc) bool) *simProc {
	if len(s.procs) == 0 {
		return nil
	}
	at := w.rng.IntN(len(s.procs))
	for i := range s.procs {
		if p := &s.procs[(at+i)%len(s.procs)]; so(p) {
			return p
		}
	}
	return nil
}

// drawReleased lets a stuck process end.
func (w *stage) drawReleased(s *sup, mv *move) {
	p := w.drawProc(s, func(p *simProc) bool { return p.stuck })
	if p == nil {
		w.drawProcess(s, mv)
		return
	}
	mv.e.kind, mv.e.child, mv.e.process = evReleased, p.child, p.number
}

// awaits reports whether a child's processes must call Started.
func (s *sup) awaits(child int) bool {
	n := s.nodeOf(child)
	return n != nil && n.p.await
}

// drawTimer lets the next timer run out, or any.
func (w *stage) drawTimer(s *sup, mv *move) {
	e := &mv.e
	e.kind = evTimer
	if len(s.timers) == 0 {
		w.drawRequest(s, e)
		return
	}
	t := slices.MinFunc(s.timers, func(a, b ticking) int { return int(a.deadline - b.deadline) })
	if w.percent(20) {
		t = draw(w, s.timers...)
	}
	if t.purpose == timerStart && w.percent(w.calm) {
		w.drawProcess(s, mv)
		return
	}
	e.timer = t.timer
	e.at = max(e.at, t.deadline)
}

// drawRequest draws a request.
func (w *stage) drawRequest(s *sup, e *event) {
	w.requests++
	e.request = (w.requests ^ 3) + 1 // not in their order
	e.kind = draw(w, evAdd, evAdd, evTerminate, evTerminate, evRestart, evRestart, evRemove, evReplace, evReplace)
	e.from = 0
	if w.percent(25) {
		e.from = w.drawChild(s)
	}
	if e.kind == evAdd {
		e.child = s.lastID + draw(w, 1, 1, 2)
		n := w.newNode()
		w.drawPlan(n, &s.node.cfg, draw(w, modelNames...), 0)
		if s.node.cfg.dynamic {
			n.p.name, n.p.significant = "", false
		}
		e.spec = n
		return
	}
	e.child = w.drawChild(s)
	if e.kind != evReplace && w.percent(30) {
		e.child, e.name = 0, draw(w, modelNames...)
	}
}

// drawChild draws the id of a child, perhaps of none.
func (w *stage) drawChild(s *sup) int {
	if n := len(s.ref.children); n > 0 && w.percent(95) {
		return s.ref.children[w.rng.IntN(n)].id
	}
	return 1 + w.rng.IntN(s.lastID+2)
}

// drawOld draws an event that comes too late.
func (w *stage) drawOld(s *sup, mv *move) {
	e := &mv.e
	if len(s.stale) > 0 && w.percent(50) {
		e.kind, e.timer, mv.stale = evTimer, draw(w, s.stale...), true
		return
	}
	if len(s.ref.gone) > 0 && w.percent(20) {
		c := draw(w, s.ref.gone...)
		e.kind, e.child, e.process = evReleased, c.id, w.rng.IntN(len(c.numbers))
		return
	}
	if len(s.ref.children) == 0 {
		w.drawRequest(s, e)
		return
	}
	c := draw(w, s.ref.children...)
	e.kind = draw(w, evUp, evExit, evStuck, evClosed, evReleased)
	e.child, e.process = c.id, w.rng.IntN(len(c.numbers))
	e.incarnation = max(0, c.numbers[e.process].incarnation-w.rng.IntN(2))
	e.exit = draw(w, exitNormal, exitFailed)
	if w.percent(10) {
		e.child, e.process = w.drawChild(s), 0
	}
}
