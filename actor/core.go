package actor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tinyactor/internal/mailbox"
	"tinyactor/internal/sched"
)

// ID identifies an actor within the program. IDs increase in the order of
// spawning; none is used twice. 0 is no actor.
type ID uint64

var lastID sched.Uint64

// queue is what the lifecycle needs of an actor's mailbox and address, whatever
// the message type. Its methods do not block and run no user code.
type queue interface {
	Close() bool
	Halt() bool
	HaltSome(n int) int
	MarkAborted()
	Abort()
	Len() int
	Closed() bool
	Policy() mailbox.Policy
	Tickets() []any
	takeAny() (msg, ticket any, ok bool)
	Stats() mailbox.Stats
	Waiting() []mailbox.Waiter
	Asks() []any
	Probe()
	Reached() (entered time.Time, left int)
	capacityText() string
	messageType() string
	hasAddress() bool
}

// core is the life of one actor: who lives in it, who owns it, what it was
// told, how it ended. It does not depend on the message type.
//
// Every transition happens under mu. A goroutine that holds the mu of an actor
// may take that of the actor's parent, never that of a child; the mailbox has
// its own lock, innermost. Nothing waits and no user code runs under any of them.
type core struct {
	id          ID
	name        string
	queue       queue
	undelivered func(any)
	drain       bool
	bubbled     bool                   // made in a synctest bubble: see reach.go
	ownerEnds   bool                   // owner's end must be watched
	supervisor  bool                   // its processes wait for what is below them, whatever they are told
	owner       context.Context        // whose values the processes' contexts carry
	parent      sched.Pointer[process] // the process that owner belongs to; changes only in a held actor
	held        *holder                // nil: the actor ends with its last process
	labels      context.Context        // with the pprof labels of its goroutines, or nil
	bulletin    *bulletin              // nil: nobody observes
	sight       sched.Pointer[sight]   // nil: nobody looks in; once set, it stays
	askLuck     askLuck
	logHangs    sched.Bool // the log handler did not return in time

	mu        sched.Mutex
	live      int        // processes whose body has not ended
	next      int        // index of the next process
	procs     []*process // those that have not exited
	firstProc [1]*process
	exits     []exit    // in order of ending
	closed    time.Time // by Close or Drain; a halt and an abort close too
	aborted   time.Time
	finished  bool       // the last process has exited
	released  bool       // nobody waits for it: finished, or only stuck processes are left
	handing   bool       // somebody hands back leftovers
	handAsk   *slot      // of the message that is being handed back
	desertion error      // why nobody can receive any more, though not finished
	err       error      // all exits' errors, once finished
	stuckDown []*process // stuck processes of actors below, as they were released

	attached   bool
	abortAfter time.Duration
	unwatch    func() bool // ends the watch over owner
	abortTimer *sched.Timer
	linked     bool // in parent.children
	late       bool // adopted when the parent was stuck
	prev, kin  *core

	beacon *beacon            // of the cleanups of its addresses
	hooks  map[*hook]struct{} // what to do at the end

	done   chan struct{} // made on demand, closed when finished
	gone   chan struct{} // made on demand, closed when released
	handed chan struct{} // made on demand, closed when handing ends
	news   chan struct{} // made on demand, closed at the next exit
}

// exit is how one process ended.
type exit struct {
	index int
	value any
	err   error
}

// hook is a function to call once when an actor has ended.
type hook struct{ f func() }

// closedChan is what stands for channels that were closed before anybody asked.
var closedChan = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// nobody is the actor behind the zero Address, Child and Pool: it has ended.
var nobody = &core{finished: true, released: true}

// who names the actor in errors and logs.
func (c *core) who() string {
	switch {
	case c == nobody:
		return "actor: zero value"
	case c.name == "":
		return fmt.Sprintf("actor #%d", c.id)
	}
	return fmt.Sprintf("actor %q (#%d)", c.name, c.id)
}

// failed wraps the reason why an operation on the actor failed.
func (c *core) failed(op string, cause error) error {
	return &opError{who: c.who(), op: op, cause: cause}
}

// doneChan returns the channel that is closed when the actor has ended.
func (c *core) doneChan() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lazy(&c.done, c.finished)
}

// goneChan returns the channel that is closed when nobody waits for the actor any more.
func (c *core) goneChan() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lazy(&c.gone, c.released)
}

// lazy returns the channel in ch, made now if nobody asked before. mu is held.
func (c *core) lazy(ch *chan struct{}, over bool) chan struct{} {
	if over {
		return closedChan
	}
	if *ch == nil {
		*ch = make(chan struct{})
	}
	return *ch
}

// fire closes a lazy channel.
func fire(ch *chan struct{}) {
	if *ch != nil {
		close(*ch)
		*ch = nil
	}
}

// length is how many messages are in the inbox.
func (c *core) length() int {
	if c.queue == nil {
		return 0
	}
	return c.queue.Len()
}

// isClosed reports whether the actor takes no more messages.
func (c *core) isClosed() bool { return c.queue == nil || c.queue.Closed() }

// processes is how many processes live.
func (c *core) processes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.live
}

// setAbortTimer sets the time from halt to abort, which also bounds a Stop that
// has no other bound.
func (c *core) setAbortTimer(d time.Duration) {
	if d == 0 {
		d = DefaultAbortTimer
	}
	c.abortAfter = d
}

// close refuses further messages and reports whether it was the call that did so.
func (c *core) close() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held == nil && c.closeLocked()
}

func (c *core) closeLocked() bool {
	if c.finished || !c.queue.Close() {
		return false
	}
	c.closed = sched.Now()
	c.note(EventClosed, -1, nil)
	return true
}

// halt closes the channel and halts every process, in one step of the mailbox.
func (c *core) halt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held != nil {
		c.haltHeld(-1)
		return
	}
	if c.finished || !c.queue.Halt() {
		return
	}
	c.note(EventHalted, -1, nil)
}

// haltSome halts n live processes that have not been told to stop.
func (c *core) haltSome(n int) {
	if n < 0 {
		panic(fmt.Sprintf("actor: HaltSome: n is %d, must not be negative", n))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.finished {
		return
	}
	if k := c.queue.HaltSome(n); k > 0 {
		c.tell(Event{Kind: EventHalted, Process: -1, Count: k})
	}
}

// enrol makes p a live process of c. mu is held or c is not shared yet.
func (c *core) enrol(p *process) {
	p.core = c
	if p.life == nil {
		p.index = c.next
		c.next++
	}
	c.live++
	c.procs = append(c.procs, p)
	p.seat.join()
	if s := c.sight.Load(); s != nil {
		p.seat.watch(s)
		s.spawned++
	}
	c.note(EventSpawned, p.index, nil)
}

// add starts a further process, unless the last body has returned or nobody
// waits for the actor any more because it is stuck.
func (c *core) add(p *process) error {
	c.mu.Lock()
	if c.live == 0 || c.anyStuck() {
		c.mu.Unlock()
		return c.failed("spawn", ErrClosed)
	}
	c.enrol(p)
	late := new(teardown)
	if !c.aborted.IsZero() {
		late.addLocked(p)
		p.endContext(ErrAborted)
	}
	c.mu.Unlock()
	late.run()
	sched.Go(p.main)
	return nil
}

// wait waits for the actor's end.
func (c *core) wait(ctx context.Context) error {
	done := c.doneChan()
	if sched.Ended(done) {
		return nil
	}
	if _, which := sched.Select(done, ctx.Done(), nil); which == sched.First || sched.Ended(done) {
		return nil // a result that is there wins
	}
	return c.failed("wait", ctx.Err())
}

// stop halts (or closes) the actor and waits until it has ended. When ctx ends
// it aborts everything below and waits for at most StuckAfter more (and a tenth
// of that for an Undelivered that does not return). Its error
// names who is stuck; how the actor ended is in exits.
func (c *core) stop(ctx context.Context, drain bool) error {
	if drain {
		c.close()
	} else {
		c.halt()
	}
	defer c.awaitHandBack()
	gone := c.goneChan()
	if sched.Ended(gone) {
		return c.stuckError()
	}
	end := ctx.Done()
	own, ok := ctx.(*processContext)
	selfish := ok && c.isAbove((*process)(own)) // then it cannot end before this does
	var bound <-chan time.Time
	if end == nil && !drain || selfish {
		c.mu.Lock()
		d := c.abortAfter
		c.mu.Unlock()
		t := sched.NewTimer(d)
		defer t.Stop()
		bound = t.C
	}
	if _, which := sched.Select(gone, end, bound); which == sched.First {
		return c.stuckError()
	}
	c.abort()
	t := sched.NewTimer(StuckAfter)
	defer t.Stop()
	for {
		if _, which := sched.Select(gone, nil, t.C); which == sched.First {
			return c.stuckError()
		}
		// Now everything below has ended or is declared stuck, so gone comes,
		// unless a process was spawned this very moment.
		declareStuck(c.unfinished())
		t.Reset(StuckAfter)
	}
}

// awaitHandBack waits until what was behind stuck processes in and below c has
// been handed back, so that whoever stops an actor finds it there; but not for
// an Undelivered that hangs.
func (c *core) awaitHandBack() {
	c.mu.Lock()
	stuck := c.stuckLocked()
	c.mu.Unlock()
	if len(stuck) == 0 {
		return
	}
	t := sched.NewTimer(StuckAfter / 10)
	defer t.Stop()
	for _, p := range stuck {
		p.core.mu.Lock()
		over := !p.core.handing || p.stage == handing // then it is Undelivered that is stuck
		handed := p.core.lazy(&p.core.handed, over)
		p.core.mu.Unlock()
		if _, which := sched.Select(handed, nil, t.C); which == sched.Tick {
			return
		}
	}
}

// isAbove reports whether p is a process of c or of an actor below it.
func (c *core) isAbove(p *process) bool {
	for ; p != nil; p = p.core.parent.Load() {
		if p.core == c {
			return true
		}
	}
	return false
}

// settle releases the actor if only stuck processes are left, with nothing
// unreported below them. mu is held. The caller calls release after it has let
// go of mu if settle says true.
func (c *core) settle() bool {
	switch {
	case c.released || !c.onlyStuck():
		return false
	case c.endless():
		return c.linked
	}
	c.released = true
	if c.held != nil {
		c.held.over()
	}
	fire(&c.gone)
	return true
}

// onlyStuck reports whether nothing is left but stuck processes, with nothing
// unreported below them. mu is held.
func (c *core) onlyStuck() bool {
	for _, p := range c.procs {
		if !p.stuck || p.early > 0 {
			return false
		}
	}
	return true
}

// release tells the actor's parent, and the parent's parent if that was all it
// waited for, that nobody waits for this actor any more.
func (c *core) release() {
	for c != nil {
		c.mu.Lock()
		up := c.unlink()
		c.mu.Unlock()
		c = up
	}
}

// finish is the end of the actor. mu is held; the caller calls release and then
// runs the hooks.
func (c *core) finish() (hooks map[*hook]struct{}, unwatch func() bool) {
	c.finished, c.released = true, true
	if len(c.exits) == 1 {
		c.err = c.exits[0].err
	} else {
		c.err = joinExits(c.exits)
	}
	if c.abortTimer != nil {
		c.abortTimer.Stop()
	}
	hooks, unwatch = c.hooks, c.unwatch
	c.hooks, c.unwatch, c.undelivered = nil, nil, nil
	if c.beacon != nil {
		c.beacon.core.Store(nil)
		c.beacon = nil
	}
	c.note(EventEnded, -1, c.err)
	if c.held != nil {
		c.held.over()
	}
	fire(&c.done)
	fire(&c.gone)
	return hooks, unwatch
}

//go:noinline
func joinExits(exits []exit) error {
	errs := make([]error, len(exits))
	for i, e := range exits {
		errs[i] = e.err
	}
	return join(errs...)
}

// join is errors.Join that leaves a single error as it is.
func join(errs ...error) error {
	n := 0
	var one error
	for _, err := range errs {
		if err != nil {
			one = err
			n++
		}
	}
	if n < 2 {
		return one
	}
	return errors.Join(errs...)
}

// first returns the exit of the process with index 0, which is in exits when
// the actor has ended.
func (c *core) first() (exit, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.exits {
		if e.index == 0 {
			return e, true
		}
	}
	return exit{}, false
}

// ended returns all exits so far and, once the actor has ended, their errors.
func (c *core) ended() ([]exit, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clip(c.exits), c.err
}

// nextExit returns the i-th exit, waiting for it; false if there is none to
// come or ctx ends first.
func (c *core) nextExit(ctx context.Context, i int) (exit, bool) {
	for over := false; ; {
		c.mu.Lock()
		if i < len(c.exits) {
			e := c.exits[i]
			c.mu.Unlock()
			return e, true
		}
		if c.finished || over {
			c.mu.Unlock()
			return exit{}, false
		}
		news := c.lazy(&c.news, false)
		c.mu.Unlock()
		_, which := sched.Select(news, ctx.Done(), nil)
		over = which == sched.Done // but an exit that is there wins
	}
}

// atEnd has f called once when the actor has ended, at once if it has. The
// result forgets f and reports whether that was in time.
func (c *core) atEnd(f func()) (forget func() bool) {
	c.mu.Lock()
	if c.finished {
		c.mu.Unlock()
		f()
		return func() bool { return false }
	}
	h := &hook{f}
	if c.hooks == nil {
		c.hooks = make(map[*hook]struct{})
	}
	c.hooks[h] = struct{}{}
	c.mu.Unlock()
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, in := c.hooks[h]
		delete(c.hooks, h)
		return in
	}
}
