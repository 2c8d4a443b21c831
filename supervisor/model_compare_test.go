package supervisor

import (
	"fmt"
	"slices"
	"strings"
)

// ordered reports whether the place of an action among others of such kinds
// means something. actAdopt is one of them, for the sake of actStart.
func (k actionKind) ordered() bool {
	return k <= actClose || k == actAdopt
}

// noteFields is what counts in each note, as in vocabulary.go: p, process;
// t, attempt; f, after; x, exit; e, err; r, reason.
var noteFields = [len(noteNames)]string{
	noteStarted:     "",
	noteStartFailed: "pe",
	noteIgnored:     "p",
	noteRestarting:  "ptfxe",
	noteRestarted:   "pt",
	noteReplaced:    "p",
	noteEnded:       "pxe",
	noteStopped:     "pxe",
	noteStuck:       "pe",
	noteReleased:    "p",
	noteRemoved:     "",
	noteEscalated:   "re",
}

// sameAction reports whether two actions are, but for fields that do not count.
func sameAction(a, b *action) bool {
	if a.kind != b.kind || a.child != b.child && a.kind != actStarted && a.kind != actReply {
		return false
	}
	switch a.kind {
	case actStart:
		return a.process == b.process && a.incarnation == b.incarnation
	case actHalt, actAbort:
		return a.process == b.process
	case actAdopt:
		return a.request == b.request
	case actReply:
		return a.request == b.request && a.err == b.err
	case actFinish:
		return a.reason == b.reason && a.err == b.err
	case actNote:
		if a.note != b.note {
			return false
		}
		for _, f := range []byte(noteFields[a.note]) {
			if f == 'p' && a.process != b.process || f == 't' && a.attempt != b.attempt ||
				f == 'f' && a.after != b.after || f == 'x' && a.exit != b.exit ||
				f == 'e' && a.err != b.err || f == 'r' && a.reason != b.reason {
				return false
			}
		}
	}
	return true
}

// compare compares what the machine wants with what the ref wants.
func (w *stage) compare(s *sup, e *event, got, want []action) {
	if last := 0; e.kind == evStop || e.kind == evAbort {
		for i := range got {
			if got[i].kind == actReply && got[i].request < last {
				w.fail(s, "requests are not answered in the order of their numbers:\n%s", wordsOf(got))
				return
			} else if got[i].kind == actReply {
				last = got[i].request
			}
		}
	}
	next := 0 // in want, of those that are ordered
	var used uint64
	others := 0
	for i := range got {
		a := &got[i]
		switch {
		case a.kind == actArm || a.kind == actCancel:
		case a.kind.ordered():
			for next < len(want) && !want[next].kind.ordered() {
				next++
			}
			if next == len(want) || !sameAction(a, &want[next]) {
				w.differ(s, got, want)
				return
			}
			next++
		default:
			j := 0
			for j < len(want) && (want[j].kind.ordered() || used&(1<<j) != 0 || !sameAction(a, &want[j])) {
				j++
			}
			if j == len(want) || j > 63 {
				w.differ(s, got, want)
				return
			}
			used |= 1 << j
			others++
		}
	}
	for ; next < len(want); next++ {
		if want[next].kind.ordered() {
			w.differ(s, got, want)
			return
		}
	}
	for i := range want {
		if !want[i].kind.ordered() {
			others--
		}
	}
	if others != 0 {
		w.differ(s, got, want)
	}
}

func (w *stage) differ(s *sup, got, want []action) {
	w.fail(s, "the machine returns\n%s  and the model\n%s", wordsOf(got), wordsOf(want))
}

// compareState compares what can be seen of the children, and the timers.
func (w *stage) compareState(s *sup) {
	if w.wrong != "" {
		return
	}
	c, counts := s.m.first, Counts{}
	for _, d := range s.ref.children {
		want := d.info()
		w.cov.states[want.State]++
		counts.Specs++
		counts.Stuck += want.Stuck
		if want.Processes > 0 {
			counts.Active++
		}
		if want.Supervisor {
			counts.Supervisors++
		} else {
			counts.Workers++
		}
		if c == nil || c.id != d.id {
			w.fail(s, "Children: the machine has not child %d here", d.id)
			return
		}
		if got := s.m.info(c); got != want {
			w.fail(s, "child %d is %+v, and in the model %+v", c.id, got, want)
			return
		}
		c = c.next
	}
	if c != nil {
		w.fail(s, "Children: the machine has child %d besides", c.id)
		return
	}
	for _, d := range s.ref.gone {
		for k := range d.numbers {
			counts.Stuck += d.numbers[k].stuck
		}
	}
	if got := s.m.counts(); got != counts {
		w.fail(s, "Count is %+v, and in the model %+v", got, counts)
	}
	wrong := len(s.timers) != len(s.ref.timers)
	for _, t := range s.timers {
		wrong = wrong || !slices.Contains(s.ref.timers, refTimer{t.purpose, t.child, t.process, t.deadline})
	}
	if wrong {
		w.fail(s, "timers run\n  %v, and in the model\n  %v", s.timers, s.ref.timers)
	}
}

// check looks if the machine finds children by name and by id, and knows of
// removed ones what it must, and no more.
func (w *stage) check(s *sup) {
	ghosts := 0
	for _, c := range s.ref.gone {
		if slices.ContainsFunc(c.numbers, func(n refNumber) bool { return n.stuck > 0 }) {
			ghosts++
		}
	}
	if len(s.m.ghosts) != ghosts {
		w.fail(s, "the machine remembers %d removed children, and %d have stuck processes", len(s.m.ghosts), ghosts)
		return
	}
	if len(s.m.byID) != len(s.ref.children) || !s.node.cfg.dynamic && len(s.m.byName) != len(s.ref.children) {
		w.fail(s, "the machine knows more or fewer children by name or id than it has")
		return
	}
	for c := s.m.first; c != nil; c = c.next {
		if s.m.byID[c.id] != c || !s.node.cfg.dynamic && s.m.byName[c.name] != c {
			w.fail(s, "the machine does not find child %d", c.id)
			return
		}
	}
}

// info is what can be seen of a child.
func (c *refChild) info() Info {
	i := Info{
		Name: c.name, Supervisor: c.supervisor, State: Stopped, Restart: c.restart,
		Processes: c.live(), Restarts: c.restarts,
	}
	for k := range c.numbers {
		i.Stuck += c.numbers[k].stuck
	}
	switch {
	case c.phase == refStopping, c.phase == refClosing:
		i.State = Stopping
	case c.resting():
		i.State = Restarting
	case c.phase == refBeginning, c.phase == refRunning && !c.has(refUp):
		i.State = Starting
	case c.phase == refRunning:
		i.State = Running
	}
	return i
}

// In words.

func wordsOf(actions []action) string {
	var b strings.Builder
	for i := range actions {
		fmt.Fprintf(&b, "    %s\n", sayAction(&actions[i]))
	}
	return b.String()
}

func nameAll(process int) string {
	if process == all {
		return "all"
	}
	return fmt.Sprint(process)
}

func sayAction(a *action) string {
	of := fmt.Sprintf("%s child %d process %s", actionNames[a.kind], a.child, nameAll(a.process))
	switch a.kind {
	case actStart:
		return fmt.Sprintf("%s incarnation %d", of, a.incarnation)
	case actHalt, actAbort:
		return of
	case actArm:
		return fmt.Sprintf("actArm %s after %v", sayTimer(a.timer), a.after)
	case actCancel:
		return "actCancel " + sayTimer(a.timer)
	case actAdopt, actReply:
		return fmt.Sprintf("%s request %d child %d err %v", actionNames[a.kind], a.request, a.child, a.err)
	case actNote:
		return fmt.Sprintf("%s child %d process %s attempt %d after %v %s %s err %v", noteNames[a.note],
			a.child, nameAll(a.process), a.attempt, a.after, exitNames[a.exit], reasonNames[a.reason], a.err)
	case actFinish:
		return fmt.Sprintf("actFinish %s child %d err %v", reasonNames[a.reason], a.child, a.err)
	}
	return of
}

func sayTimer(t timer) string {
	return fmt.Sprintf("%s child %d process %s seq %d", purposeNames[t.purpose], t.child, nameAll(t.process), t.seq)
}

func (t ticking) String() string { return fmt.Sprintf("%s at %v", sayTimer(t.timer), t.deadline) }

func (t refTimer) String() string {
	return fmt.Sprintf("%s at %v", sayTimer(timer{t.purpose, t.child, t.process, 0}), t.deadline)
}

func sayEvent(e *event) string {
	at := func(format string, args ...any) string {
		return fmt.Sprintf("%10v %s ", e.at, eventNames[e.kind]) + fmt.Sprintf(format, args...)
	}
	request := func() string {
		s := at("request %d", e.request)
		if e.from != 0 {
			s += fmt.Sprintf(" from child %d", e.from)
		}
		return s
	}
	switch e.kind {
	case evStart:
		return at("")
	case evUp, evStuck:
		return at("child %d process %d incarnation %d", e.child, e.process, e.incarnation)
	case evExit:
		return at("child %d process %d incarnation %d %s err %v, lot %.3f", e.child, e.process, e.incarnation, exitNames[e.exit], e.err, e.lot)
	case evReleased, evClosed:
		return at("child %d process %d", e.child, e.process)
	case evTimer:
		return at("%s, lot %.3f", sayTimer(e.timer), e.lot)
	case evAdd:
		return request() + fmt.Sprintf(" child %d: %v", e.child, e.spec)
	case evTerminate, evRestart, evRemove, evReplace:
		return request() + fmt.Sprintf(" child %d name %q", e.child, e.name)
	}
	return at("terminal %t", e.terminal)
}

// String says what a child is.
func (n *simNode) String() string {
	p := n.p
	b := p.backoff
	s := fmt.Sprintf("%q %v", p.name, p.restart)
	add := func(when bool, format string, args ...any) {
		if when {
			s += ", " + fmt.Sprintf(format, args...)
		}
	}
	add(p.supervisor, "supervisor")
	add(p.significant, "significant")
	add(p.processes > 1, "%d processes", p.processes)
	add(true, "abortAfter %v", p.abortAfter)
	add(p.drain, "drain")
	add(p.await, "await for %v", p.awaitFor)
	add(b.Max > 0, "backoff min %v max %v jitter %v reset %v", b.Min, b.Max, b.Jitter, b.ResetAfter)
	add(true, "stuck: %v", p.onStuck)
	return s
}

// describe says what a supervisor is.
func (n *simNode) describe(indent string) string {
	c := n.cfg
	var b strings.Builder
	fmt.Fprintf(&b, "%s%v, at most %d in %v, auto %v, root %t", indent, c.strategy, c.limit.Restarts, c.limit.Period, c.auto, c.root)
	if c.dynamic {
		fmt.Fprintf(&b, ", dynamic, max %d", c.max)
	}
	b.WriteByte('\n')
	for i, k := range n.kids {
		fmt.Fprintf(&b, "%s  child %d: %v\n", indent, i+1, k)
		if k.real {
			b.WriteString(k.describe(indent + "      "))
		}
	}
	return b.String()
}
