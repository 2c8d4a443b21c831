package supervisor

import (
	"errors"
	"slices"
	"time"

	"tinyactor/actor"
	"tinyactor/internal/hold"
)

// story is what a shell writes down of its end, for the report.
type story struct {
	since time.Time // when the end began
	self  Report
	told  []*telling // children, in the order in which they were told to stop
	of    map[int]*telling

	ghosts []*cell // children that were removed before the end and had stuck processes then

	// Of the incarnation before, if this one only closes what that has stopped: one
	// end, of which there is one report.
	before map[*cell]*telling
}

// telling is the report about one child.
type telling struct {
	Report
	cell    *cell
	since   time.Time
	listed  bool
	aborted bool
}

// write notes what an event and the actions that follow say about the end.
// state is held.
func (s *shell) write(e event, acts []action) {
	if e.kind == evStuck {
		if t := s.story.find(s, e.child); t != nil && t.Stack == "" {
			t.worsen(Stuck, e.err)
			t.Stack = e.stack
		}
	}
	for i := range acts {
		a := &acts[i]
		switch {
		case a.kind == actNote && a.note == noteEscalated:
			s.blamed = s.cells[a.child].ref.Name()
		case !s.m.ending:
		case a.kind == actClose, a.process == all && (a.kind == actHalt || a.kind == actAbort):
			t := s.story.find(s, a.child)
			s.story.list(t)
			t.aborted = t.aborted || a.kind == actAbort
		case a.kind == actNote:
			s.story.note(s, a)
		}
		if a.kind == actNote && a.note == noteRemoved {
			s.story.removed(s.cells[a.child], s.m.ending)
			if end := s.m.putOff; end == nil || end.id != a.child {
				delete(s.cells, a.child) // nothing follows that is about it
			}
		}
	}
	if s.m.ending && s.story.since.IsZero() {
		s.story.since = time.Now()
	}
}

// removed notes that a child is in the list no more.
func (y *story) removed(c *cell, ending bool) {
	if ending { // then it is reported
		return
	}
	if left := c.leftBehind(nil); len(left) > 0 {
		y.ghosts = slices.DeleteFunc(y.ghosts, func(c *cell) bool { return c.stuckNow() == nil })
		y.ghosts = append(y.ghosts, left...)
	}
}

// inherit takes over what the incarnation before has left behind: stuck processes
// of children that are there no more.
func (y *story) inherit(before, now *shell) {
	before.state.RLock()
	defer before.state.RUnlock()
	for _, c := range before.story.ghosts {
		y.ghosts = c.leftBehind(y.ghosts)
	}
	for _, t := range before.story.told {
		if s, _ := t.cell.place(); s != now {
			y.ghosts = t.cell.leftBehind(y.ghosts)
		}
	}
}

// goOn takes over what the incarnation before has told of its end.
func (y *story) goOn(before *shell) {
	before.state.RLock()
	defer before.state.RUnlock()
	y.before = make(map[*cell]*telling, len(before.story.told))
	for _, t := range before.story.told {
		y.before[t.cell] = t
	}
}

// leftBehind appends the children with stuck processes in and below c, which has
// stopped.
func (c *cell) leftBehind(left []*cell) []*cell {
	if c.stuckNow() != nil {
		return append(left, c)
	}
	if c.sup == nil {
		return left
	}
	s := c.sup.current.Load()
	if s == nil {
		return left
	}
	s.state.RLock()
	defer s.state.RUnlock()
	for _, t := range s.story.told {
		left = t.cell.leftBehind(left)
	}
	for _, g := range s.story.ghosts {
		left = g.leftBehind(left)
	}
	return left
}

// find returns what there is about a child, from the beginning of the end on.
func (y *story) find(s *shell, id int) *telling {
	t := y.of[id]
	if t == nil && s.m.ending && s.cells[id] != nil {
		c := s.cells[id]
		t = &telling{Report: Report{Name: c.ref.Name(), Ending: NotRunning}, cell: c}
		if was := y.before[c]; was != nil {
			t.Report, t.aborted = was.Report, was.aborted
		}
		if y.of == nil {
			y.of = make(map[int]*telling, s.m.figures.Specs)
		}
		y.of[id] = t
		if h := c.stuckNow(); h != nil { // since before the end
			t.worsen(Stuck, h.err)
			t.Stack = h.stack
		}
	}
	return t
}

// list puts a child on the list of those that were told to stop.
func (y *story) list(t *telling) {
	if !t.listed {
		t.listed, t.since = true, time.Now()
		y.told = append(y.told, t)
	}
}

// note writes down how a child ended.
func (y *story) note(s *shell, a *action) {
	switch a.note {
	case noteStopped, noteEnded, noteRemoved:
	default:
		return
	}
	t := y.find(s, a.child)
	if t == nil {
		return
	}
	if t.listed {
		t.Took = time.Since(t.since)
	}
	switch {
	case a.note == noteRemoved:
		y.list(t) // perhaps it was told before the end began
	case a.note == noteEnded: // before it was told
		if a.exit.abnormal() {
			t.Err = a.err
		}
	case t.aborted || errors.Is(a.err, actor.ErrAborted):
		t.worsen(Aborted, a.err)
	case a.exit.abnormal():
		t.worsen(Failed, a.err)
	default:
		t.worsen(InOrder, nil)
	}
}

// badness orders the endings.
var badness = map[Ending]int{NotRunning: 0, InOrder: 1, Failed: 2, Aborted: 3, Stuck: 4}

// worsen notes how one process of the child has stopped: the worst counts.
func (t *telling) worsen(e Ending, err error) {
	if badness[e] > badness[t.Ending] {
		t.Ending = e
	}
	switch {
	case err == nil:
	case t.Err == nil:
		t.Err = err
	default:
		t.Err = errors.Join(t.Err, err)
	}
}

// report returns what is known of how the supervisor has stopped.
func (s *shell) report() Report {
	s.state.RLock()
	defer s.state.RUnlock()
	r := s.story.self
	r.Name = s.sup.name
	r.Children = make([]Report, 0, len(s.story.told))
	for _, t := range s.story.told {
		child := t.Report
		if t.cell.sup != nil {
			if below := t.cell.sup.current.Load(); below != nil {
				child.Children = below.report().Children
			}
		}
		r.Children = append(r.Children, child)
	}
	for _, c := range s.story.ghosts {
		if h := c.stuckNow(); h != nil {
			r.Children = append(r.Children, Report{Name: c.ref.Name(), Ending: Stuck, Err: h.err, Stack: h.stack})
		}
	}
	return r
}

// tell brings a note to the observers.
func (s *shell) tell(a *action) {
	c := s.cells[a.child]
	kind, ok := eventKinds[a.note]
	if !ok || c == nil || kind == actor.EventFailed && !a.exit.abnormal() {
		return
	}
	n := hold.Note{
		Kind: string(kind), ID: uint64(c.ref.ID()), Name: c.ref.Name(), Supervisor: s.path,
		Process: a.process, Attempt: a.attempt, After: a.after, Err: a.err,
	}
	if a.note == noteEscalated {
		if a.reason == reasonLimit {
			n.Kind = string(actor.EventLimitExceeded)
		}
		n.Err = &endError{id: s.sup.ID(), name: s.sup.name, reason: a.reason, child: s.blamed, err: a.err}
	}
	s.process.Tell(n)
}

// eventKinds are the notes that observers get from the supervisor. Of the others
// they hear from the child itself: it has exited, is stuck, was released, has ended.
var eventKinds = map[noteKind]actor.EventKind{
	noteStarted:     actor.EventStarted,
	noteStartFailed: actor.EventStartFailed,
	noteIgnored:     actor.EventIgnored,
	noteRestarting:  actor.EventRestarting,
	noteRestarted:   actor.EventRestarted,
	noteReplaced:    actor.EventReplaced,
	noteEscalated:   actor.EventEscalated,
	noteEnded:       actor.EventFailed, // if it did not end in order
	noteStopped:     actor.EventFailed,
}
