package supervisor

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"tinyactor/actor"
	"tinyactor/internal/hold"
)

// shell runs one incarnation of a supervisor: it brings what happens to the
// machine, one event at a time, and does what that says. It is the body of the
// supervisor's process, and nothing in it waits but its one select.
type shell struct {
	sup  *Supervisor
	path string // names from the root on, separated by slashes
	up   chan struct{}

	// Of the process's goroutine alone.
	process hold.Process
	ctx     context.Context //nolint:containedctx // of the process that the shell is
	epoch   time.Time
	closed  func() bool // the supervisor will not be started again
	clock   *time.Timer
	timers  timers
	taken   []event // see take
	late    map[int]lateAnswer
	blamed  string // the child because of which the supervisor ends by itself
	end     error  // why it has ended

	queue mailbag

	// The machine is changed by the process's goroutine under state, so readers
	// never wait for more than one step.
	state sync.RWMutex
	m     *machine
	cells map[int]*cell
	story story
}

// mailbag is what has happened and was not dealt with yet. Whoever fills it
// never waits, and may hold any lock but this and those of the shell.
type mailbag struct {
	mu    sync.Mutex
	full  [][]event     // batches
	last  []event       // the batch that is being filled
	spare []event       // an empty one
	wake  chan struct{} // capacity 1
	over  bool          // nobody takes requests any more

	calls    map[int]*call
	requests int // number of the last one
	children int // id of the last one
}

// batch is how many events are taken at a time.
const batch = 64

// newShell makes the shell of a supervisor that is to start.
func newShell(s *Supervisor) *shell {
	sh := &shell{
		sup:   s,
		path:  s.name,
		up:    make(chan struct{}),
		epoch: time.Now(),
		cells: make(map[int]*cell, len(s.kids)),
	}
	if s.cell != nil {
		if above, _ := s.cell.place(); above != nil && above.path != "" {
			sh.path = above.path + "/" + s.name
		}
	}
	sh.queue.wake = make(chan struct{}, 1)
	sh.queue.calls = make(map[int]*call)
	var seeds []seed
	for _, kid := range s.kids {
		c := kid.open()
		if c.channel().Closed() {
			continue // a temporary child, or one that was removed
		}
		id := len(seeds) + 1
		sh.cells[id] = c
		seeds = append(seeds, seed{spec: kid, stuck: c.enter(sh, id)})
	}
	sh.queue.children = len(seeds)
	if before := s.current.Load(); before != nil {
		sh.story.inherit(before, sh)
	}
	sh.m = newMachine(s.cfg, seeds)
	return sh
}

// run is the life of the process.
func (s *shell) run(ctx context.Context, in *actor.Inbox[actor.None]) error {
	s.ctx = ctx
	s.process, _ = ctx.Value(hold.ProcessKey{}).(hold.Process)
	s.process.Describe(s.sup)
	s.closed = in.Address().Closed
	s.clock = time.NewTimer(time.Hour)
	s.clock.Stop()
	defer s.clock.Stop()
	defer s.leave()

	halting, ready, done := in.Halting(), in.Ready(), ctx.Done()
	s.asked(halting, done)
	s.step(event{kind: evStart})
	for !s.m.finished {
		if events := s.take(); len(events) > 0 {
			// An abort ends the children too: it comes before the ends that it has
			// caused, so that none of them is followed by a restart.
			select {
			case <-done:
				done = nil
				s.step(event{kind: evAbort, terminal: s.closed()})
			default:
			}
			for _, e := range events {
				s.step(e)
			}
			continue
		}
		select {
		case <-s.queue.wake:
		case <-s.clock.C:
			s.ringOut()
		case <-halting:
			halting = nil
			in.Ready() // it has noticed
			s.asked(nil, done)
		case _, open := <-ready:
			if !open {
				ready = nil
				s.asked(nil, done)
			}
		case <-done:
			done = nil
			s.step(event{kind: evAbort, terminal: s.closed()})
		}
	}
	if s.m.terminal {
		s.process.Final()
	}
	return s.end
}

// asked steps an order to stop, if there is one.
func (s *shell) asked(halting, done <-chan struct{}) {
	closed := s.closed()
	select {
	case <-done:
		s.step(event{kind: evAbort, terminal: closed})
		return
	default:
	}
	told := halting == nil || closed
	select {
	case <-halting:
		told = true
	default:
	}
	if told {
		s.step(event{kind: evStop, terminal: closed})
	}
}

// step lets the machine deal with an event and does what it says.
func (s *shell) step(e event) {
	e.at, e.lot = time.Since(s.epoch), rand.Float64()
	var added *cell
	if e.kind == evAdd {
		added = e.spec.open()
	}
	s.state.Lock()
	acts := s.m.step(e)
	refused := added != nil && s.m.byID[e.child] == nil
	if added != nil && !refused {
		s.cells[e.child] = added
	}
	s.write(e, acts)
	s.state.Unlock()
	if refused {
		added.disclaim()
	}
	for i := range acts {
		s.do(&acts[i])
	}
}

// do does one action.
func (s *shell) do(a *action) {
	switch a.kind {
	case actStart:
		s.cells[a.child].channel().Start(s.ctx, a.process, a.incarnation)
	case actHalt:
		s.cells[a.child].channel().Halt(a.process)
	case actAbort:
		s.cells[a.child].channel().Abort(a.process)
	case actClose:
		s.cells[a.child].channel().Close(s.ctx)
	case actArm:
		s.arm(a.timer, a.after)
	case actCancel:
		s.timers.cancel(a.timer)
	case actAdopt:
		if c := s.call(a.request, false); c != nil {
			c.adopt()
		}
	case actReply:
		s.answer(a.request, a.err)
	case actNote:
		s.tell(a)
		if a.note == noteRemoved {
			s.answerLate(a.child)
		}
	case actStarted:
		close(s.up)
		s.process.Started()
	case actFinish:
		s.finish(a)
	}
}

// arm starts a timer.
func (s *shell) arm(t timer, after time.Duration) {
	if after <= 0 {
		s.post(&event{kind: evTimer, timer: t})
		return
	}
	if s.timers.add(t, time.Now().Add(after)) {
		s.wind()
	}
}

// wind sets the clock to the next timer.
func (s *shell) wind() {
	if at, ok := s.timers.next(); ok {
		s.clock.Reset(time.Until(at))
	}
}

// ringOut steps the timers that have run out.
func (s *shell) ringOut() {
	now := time.Now()
	for t, ok := s.timers.due(now); ok; t, ok = s.timers.due(now) {
		s.step(event{kind: evTimer, timer: t})
	}
	s.wind()
}

// post notes an event. It does not wait. The event is copied: it is large, and
// the stacks of those who post are small.
func (s *shell) post(e *event) {
	q := &s.queue
	q.mu.Lock()
	over := q.over
	if !over {
		q.put(e)
	}
	q.mu.Unlock()
	if over && e.kind == evReleased { // all that still counts
		s.state.Lock()
		s.m.step(*e)
		s.state.Unlock()
	}
}

// put appends an event. mu is held.
func (q *mailbag) put(e *event) {
	if len(q.last) == cap(q.last) {
		if len(q.last) > 0 {
			q.full = append(q.full, q.last)
		}
		q.last, q.spare = q.spare, nil
		if q.last == nil {
			q.last = make([]event, 0, batch)
		}
	}
	q.last = append(q.last, *e)
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take returns the events that have waited longest, at most a batch. They are
// valid until the next call.
func (s *shell) take() []event {
	clear(s.taken)
	q := &s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if s.taken != nil && q.spare == nil {
		q.spare = s.taken[:0]
	}
	if len(q.full) > 0 {
		s.taken = q.full[0]
		q.full[0] = nil
		q.full = q.full[1:]
	} else {
		s.taken, q.last = q.last, q.spare
		q.spare = nil
	}
	return s.taken
}

// leave is the end of the shell: whoever still calls is told so.
func (s *shell) leave() {
	q := &s.queue
	q.mu.Lock()
	q.over = true
	calls := q.calls
	q.calls = nil
	q.mu.Unlock()
	for child := range s.late {
		s.answerLate(child)
	}
	for _, c := range calls {
		c.reply <- ErrShuttingDown
	}
	for events := s.take(); len(events) > 0; events = s.take() {
		for _, e := range events {
			if e.kind == evReleased {
				s.step(e)
			}
		}
	}
}

// sub returns the supervisor that is the child of that name, or nil.
func (s *shell) sub(name string) *Supervisor {
	s.state.RLock()
	defer s.state.RUnlock()
	if c := s.m.byName[name]; c != nil {
		return s.cells[c.id].sup
	}
	return nil
}

// finish notes why the supervisor has ended.
func (s *shell) finish(a *action) {
	why := a.reason
	if why == reasonStopped && s.ctx.Err() != nil { // it was stopped, but that took too long
		why = reasonAborted
	}
	if why != reasonStopped {
		s.end = &endError{id: s.sup.ID(), name: s.sup.name, reason: why, child: s.blamed, err: a.err}
	}
	s.state.Lock()
	defer s.state.Unlock()
	s.story.self.Err = s.end
	s.story.self.Took = time.Since(s.story.since)
	switch why {
	case reasonStopped:
		s.story.self.Ending = InOrder
	case reasonAborted:
		s.story.self.Ending = Aborted
	default:
		s.story.self.Ending = Failed
	}
}

// failed says what a call of the supervisor was about.
func (s *shell) failed(op, child string, err error) error {
	if child != "" {
		op += fmt.Sprintf(" child %q", child)
	}
	return fmt.Errorf("supervisor %q: %s: %w", s.sup.name, op, err)
}
