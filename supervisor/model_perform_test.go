package supervisor

import "slices"

// perform does what the machine says.
func (w *stage) perform(s *sup, a *action) {
	w.cov.actions[a.kind]++
	switch a.kind {
	case actStart:
		if s.live(a.child, a.process) != nil || slices.Contains(s.shut, a.child) {
			w.fail(s, "a process is started beside a live one, or in a closed child")
		}
		p := simProc{child: a.child, number: a.process, incarnation: a.incarnation}
		if n := s.nodeOf(a.child); n.real {
			w.cov.supervisors++
			var stuck [][]int
			for _, l := range s.left {
				if l.child == a.child {
					stuck = l.stuck
				}
			}
			p.sup = w.newSup((s.key*64+uint64(a.child))*64+uint64(a.incarnation), n, s, a.child, stuck)
		}
		s.procs = append(s.procs, p)
	case actHalt, actAbort:
		for i := range s.procs {
			if p := &s.procs[i]; p.child == a.child && (a.process == all || p.number == a.process) && !p.stuck {
				p.told = true
				p.aborted = p.aborted || a.kind == actAbort
			}
		}
	case actClose:
		s.shut = append(s.shut, a.child)
	case actArm:
		s.cancel(a.timer)
		s.timers = append(s.timers, ticking{a.timer, w.now + a.after})
	case actCancel:
		i := slices.IndexFunc(s.timers, func(t ticking) bool { return t.timer == a.timer })
		if i < 0 {
			w.fail(s, "actCancel of a timer that does not run: %s", sayTimer(a.timer))
			return
		}
		s.cancel(a.timer)
	case actReply:
		i := slices.IndexFunc(s.open, func(r asked) bool { return r.number == a.request })
		if i < 0 {
			w.fail(s, "request %d is answered twice", a.request)
			return
		}
		w.cov.answered(s.open[i].kind, a.err)
		s.open = slices.Delete(s.open, i, i+1)
	case actNote:
		w.cov.notes[a.note]++
	case actStarted:
		s.up = true
	case actFinish:
		w.cov.finishes[a.reason]++
		s.over, s.ended = true, *a
		if len(s.open) > 0 || len(s.shut) > 0 || s.anyLive() || len(s.timers) > 0 {
			w.fail(s, "actFinish though requests, children, processes or timers remain")
		}
	}
}

func (s *sup) anyLive() bool {
	return slices.ContainsFunc(s.procs, func(p simProc) bool { return !p.stuck })
}

// nodeOf returns what a child was made of.
func (s *sup) nodeOf(child int) *simNode {
	for _, c := range s.ref.children {
		if c.id == child {
			return c.spec.(*simNode)
		}
	}
	return nil
}

// newSup makes a supervisor of a node.
func (w *stage) newSup(key uint64, n *simNode, mother *sup, child int, stuck [][]int) *sup {
	var s *sup
	if i := len(w.spare) - 1; i >= 0 {
		s = w.spare[i]
		w.spare = w.spare[:i]
	} else {
		s = &sup{ref: &ref{}}
	}
	*s = sup{
		key: key, mother: mother, child: child, node: n, lastID: len(n.kids), ref: s.ref,
		procs: s.procs[:0], timers: s.timers[:0], stale: s.stale[:0], shut: s.shut[:0], left: s.left[:0], open: s.open[:0], seeds: s.seeds[:0],
	}
	for i, kid := range n.kids {
		at := seed{spec: kid}
		if stuck != nil && stuck[i] != nil {
			at.stuck = stuck[i]
			for k, many := range stuck[i] {
				for range many {
					s.procs = append(s.procs, simProc{child: i + 1, number: k, stuck: true})
				}
			}
		}
		s.seeds = append(s.seeds, at)
	}
	s.m = newMachine(n.cfg, s.seeds)
	s.ref.reset(n.cfg, s.seeds)
	s.ref.cov, s.ref.fault = w.cov, w.fault
	w.sups = append(w.sups, s)
	return s
}

// leave notes what the end of a nested supervisor leaves behind.
func (w *stage) leave(s *sup, p *simProc) {
	nested := p.sup
	stuck := make([][]int, len(nested.node.kids))
	for _, q := range nested.procs {
		if q.child <= len(stuck) {
			if stuck[q.child-1] == nil {
				stuck[q.child-1] = make([]int, nested.node.kids[q.child-1].p.processes)
			}
			stuck[q.child-1][q.number]++
		}
	}
	s.left = append(slices.DeleteFunc(s.left, func(l left) bool { return l.child == p.child }), left{p.child, stuck})
	w.sups = slices.DeleteFunc(w.sups, func(u *sup) bool { return u == nested })
	w.spare = append(w.spare, nested)
}
