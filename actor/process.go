package actor

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"time"

	"tinyactor/internal/mailbox"
	"tinyactor/internal/sched"
)

// process is one goroutine of an actor. Its inbox holds it.
type process struct {
	core  *core
	index int
	seat  seat
	body  func() (any, error)
	life  *life  // of a held actor's process
	gauge *gauge // if somebody looks

	// Of the process's goroutine alone.
	returned  bool // the body has returned
	unwinding bool // an inbox operation of an aborted process ends the body
	unwound   bool // and nothing else did
	last      bool // no other body of the actor runs
	value     any
	err       error

	// Guarded by core.mu. Only the process's own goroutine changes stage.
	stage     stage
	torn      bool // aborted before the body ended
	claimed   bool // somebody is about to declare it stuck
	stuck     bool
	stack     string // where it hung when it was declared stuck
	down      *teardown
	children  *core // attached, linked by kin
	early     int   // how many of them came before it was stuck
	childless chan struct{}

	over sched.Bool // it has exited; for those who may not take core.mu

	mu        sched.Mutex // guards what follows
	asks      []*slot     // received and perhaps unanswered
	pruneAsks int         // when there are so many, answered ones are dropped
	asksOver  bool        // they can be answered no more
	asksCause error       // because of this; does not change once asksOver
	ctx       context.Context
	cancel    context.CancelCauseFunc
	ctxEnded  bool
	ctxCause  error
}

// seat is a process's receiver in the mailbox, whatever the message type.
type seat interface {
	join()
	leave()
	halt()
	markAborted()
	abort()
	halted() (at time.Time, deaf bool)
	nextInHand() (msg any, ok bool)
	watch(*sight)
}

// stage is how far a process has come.
type stage uint8

const (
	running stage = iota
	handing       // the body has ended; the last process hands back leftovers
	waiting       // for attached children
	exited
)

// main is the process's goroutine.
func (p *process) main() {
	defer p.end() // deferred, because the body may end with Goexit
	runBody(p)
}

// runBody runs the body and records how it ended. A goroutine dump shows its
// argument: that is how a stuck process is found (see findStacks), so it must
// neither be inlined nor lose p.
//
//go:noinline
func runBody(p *process) {
	defer p.record()
	if labels := p.core.labels; labels != nil {
		pprof.SetGoroutineLabels(labels)
	}
	p.value, p.err = p.body()
	p.returned = true
	runtime.KeepAlive(p)
}

// label gives the actor's goroutines its name in profiles. A goroutine inherits
// labels, so one without a name whose parent has one must lose that.
func (c *core) label() {
	switch {
	case c.name != "":
		c.labels = pprof.WithLabels(c.owner, pprof.Labels("actor", c.name))
	case c.parent.Load() != nil && c.parent.Load().core.labels != nil:
		c.labels = pprof.WithLabels(c.owner, pprof.Labels())
	}
}

// record is deferred around the body: the only place that recovers from what a
// body does, and tells a Goexit from a return.
func (p *process) record() {
	if p.returned {
		// What an inbox says is a normal end. Errors of sends wrap these.
		if p.err == ErrHalted || p.err == ErrClosed {
			p.err = nil
		}
		return
	}
	value := sched.Recovered(recover())
	switch {
	case value != nil:
		e := &PanicError{Value: value, Stack: panicStack()}
		p.err = p.core.failed("", e)
		p.core.recordPanic(p.index, p.err, e)
	case p.unwinding:
		p.err = p.core.failed("", ErrAborted)
		p.unwound = true
	default:
		p.err = p.core.failed("", ErrGoexit)
	}
}

// panicStack is debug.Stack with room for what a panic in a body usually is, which
// is more than debug.Stack begins with: it would walk the stack three times.
func panicStack() []byte {
	buf := make([]byte, 4<<10)
	for {
		if n := runtime.Stack(buf, false); n < len(buf) {
			return slices.Clone(buf[:n])
		}
		buf = make([]byte, 2*len(buf))
	}
}

// recordPanic tells the observers of a panic, and logs it unless one of them does.
func (c *core) recordPanic(index int, err error, e *PanicError) {
	c.tell(Event{Kind: EventPanicked, Process: index, Err: err, Stack: string(e.Stack)})
	if c.bulletin.logs(EventPanicked) {
		return
	}
	c.awaitLog(c.log(slog.LevelError, "actor panicked", "process", index, "panic", fmt.Sprint(e.Value), "stack", string(e.Stack)))
}

// log writes to the default logger, on a goroutine of its own: a handler that
// panics, hangs or calls Goexit stops no actor. The channel is closed when it
// has returned.
func (c *core) log(level slog.Level, msg string, args ...any) (logged <-chan struct{}) {
	done := make(chan struct{})
	sched.Go(func() {
		defer close(done)
		defer func() {
			if v := recover(); v != nil {
				fmt.Fprintf(os.Stderr, "%s: the log handler panicked (%v) on: %s %v\n", c.who(), v, msg, args)
			}
		}()
		slog.Default().Log(context.Background(), level, msg, append([]any{"actor", c.name, "id", uint64(c.id)}, args...)...)
	})
	return done
}

// awaitLog waits until a log record is written, so that it is there when others
// learn of what it says; but not for a handler that hangs, and not twice.
func (c *core) awaitLog(logged <-chan struct{}) {
	if c.logHangs.Load() {
		return
	}
	t := sched.NewTimer(StuckAfter / 2)
	defer t.Stop()
	if _, which := sched.Select(logged, nil, t.C); which == sched.Tick {
		c.logHangs.Store(true)
	}
}

// end is what happens when a body and its deferred calls have ended, in this
// order: the process is no longer live; what it can answer no more is failed;
// the last one hands back what nobody received; its context ends; what it owns
// is stopped and gone; the exit is known to those who wait for it.
func (p *process) end() {
	defer func() {
		// A hook or a log handler has called Goexit, which nothing can stop.
		// The rest of the way is gone on another goroutine.
		if p.stage != exited {
			sched.Go(p.end)
		}
	}()
	if p.stage == running {
		p.gauge.handled()
		p.body = nil // what it knows need not live as long as who knows its context
		p.leave()
	}
	p.failAsks(p.err)
	if p.stage == handing {
		if p.life != nil && p.err != nil {
			runCrash(p)
		}
		if p.last {
			runHandBack(p)
		}
		p.passOn()
	}
	p.endContext(nil)
	p.stopChildren()
	p.exit()
}

// leave makes the process one that no longer lives.
func (p *process) leave() {
	c := p.core
	c.mu.Lock()
	defer c.mu.Unlock()
	p.seat.leave()
	c.live--
	p.stage = handing
	switch c.live {
	case 0:
		if c.endless() {
			break
		}
		if p.leavesOpen() {
			c.begin(c.held.last())
			break
		}
		p.last = true
		c.closeLocked()
	case 1:
		c.failSelfAsks()
	}
	if p.torn && p.err != nil && !p.unwound {
		p.err = join(p.err, c.failed("", ErrAborted))
	}
}

// failSelfAsks fails the questions in the inbox that the only process left has
// asked: it would wait for itself. mu is held.
func (c *core) failSelfAsks() {
	for _, t := range c.queue.Tickets() {
		if s := t.(*slot); s.asker != nil && s.asker.core == c && s.asker.stage == running {
			s.answer(c.asksItself())
		}
	}
}

func (c *core) asksItself() error {
	return &noReplyError{who: c.who(), why: "it asks itself and has no other process"}
}

// runHandBack is where a process hangs whose Undelivered does: see runBody.
//
//go:noinline
func runHandBack(p *process) {
	p.core.handBack()
	runtime.KeepAlive(p)
}

// passOn is the end of what a process does to messages. If only stuck ones are
// left to receive more, nobody will.
func (p *process) passOn() {
	c := p.core
	c.mu.Lock()
	p.stage = waiting
	if p.down != nil {
		p.down.passed()
		p.down = nil
	}
	deserted := c.live > 0 && !c.endless() && c.deserted()
	c.mu.Unlock()
	if deserted {
		c.desert(c.stuckError())
	}
}

// exit makes the exit known. core.mu is held at call, not at return.
func (p *process) exit() {
	c := p.core
	p.stage = exited
	p.over.Store(true)
	if p.life != nil {
		p.exitHeld()
		return
	}
	c.exits = append(c.exits, exit{p.index, p.value, p.err})
	if i := slices.Index(c.procs, p); i >= 0 {
		c.procs = slices.Delete(c.procs, i, i+1)
	}
	c.note(EventExited, p.index, p.err)
	if p.stuck {
		p.tellReleased()
	}
	fire(&c.news)
	c.depart()
}

// depart is what the exit of a process means for its actor. mu is held at call,
// not at return.
func (c *core) depart() {
	if len(c.procs) > 0 {
		release := c.settle()
		c.mu.Unlock()
		if release {
			c.release()
		}
		return
	}
	hooks, unwatch := c.finish()
	c.mu.Unlock()
	c.release()
	if hooks != nil {
		runHooks(hooks)
	}
	if unwatch != nil {
		c.endWatch(unwatch)
	}
}

// tellReleased tells of the late end of a stuck process.
//
//go:noinline
func (p *process) tellReleased() {
	p.core.note(EventReleased, p.index, p.err)
	if p.core.bulletin.logs(EventReleased) {
		return
	}
	p.core.log(slog.LevelWarn, "actor no longer stuck: its process has ended after all", "process", p.index)
}

// runHooks does what is to do at the end of an actor. Most have nothing, and so
// it has a frame of its own.
//
//go:noinline
func runHooks(hooks map[*hook]struct{}) {
	for h := range hooks {
		h.f()
	}
}

// endWatch ends the watch over the owner.
func (c *core) endWatch(unwatch func() bool) {
	defer c.recordRecovered("owner's context") // which may be of a user's type
	unwatch()
}

// handBack gives every message that is left to Undelivered, one at a time. If
// somebody else is at it, it waits for that one's end first.
func (c *core) handBack() {
	c.mu.Lock()
	for c.handing {
		handed := c.lazy(&c.handed, false)
		c.mu.Unlock()
		sched.Recv(handed)
		c.mu.Lock()
	}
	c.handing = true
	c.mu.Unlock()
	c.handAll(false)
}

// handAll does handBack for a caller that has set handing. resume makes it go on
// when Undelivered has called Goexit; a process does that by itself.
func (c *core) handAll(resume bool) {
	n, complete := 0, false
	defer func() {
		if n > 0 {
			c.tellUndelivered(n)
		}
		if resume && !complete {
			sched.Go(func() { c.handAll(true) })
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.handing = false
		fire(&c.handed)
	}()
	for {
		msg, ticket, ok := c.queue.takeAny()
		if !ok {
			break
		}
		n++
		c.handOver(msg, ticket)
	}
	if n > 0 && c.undelivered == nil && !c.bulletin.logs(EventUndelivered) {
		c.awaitLog(c.log(slog.LevelWarn, "actor ended with undelivered messages", "count", n, "type", c.queue.messageType()))
	}
	complete = true
}

//go:noinline
func (c *core) tellUndelivered(n int) {
	c.tell(Event{Kind: EventUndelivered, Process: -1, Count: n, Type: c.queue.messageType(), Dropped: c.undelivered == nil})
}

// handOver gives one message to Undelivered; its asker, if it has one that
// still waits after that, learns that nobody received it.
func (c *core) handOver(msg, ticket any) {
	if s, ok := ticket.(*slot); ok {
		c.setHandAsk(s)
		defer func() {
			c.setHandAsk(nil)
			s.answer(&noReplyError{who: c.who(), why: "the actor ended before anybody received the message"})
		}()
	}
	if c.undelivered != nil {
		defer c.recordRecovered("Undelivered")
		c.undelivered(msg)
	}
}

// setHandAsk notes the ask of the message that is being handed back.
func (c *core) setHandAsk(s *slot) {
	c.mu.Lock()
	c.handAsk = s
	why := c.desertion
	c.mu.Unlock()
	if s != nil && why != nil {
		s.answer(why)
	}
}

// recordRecovered is deferred around a user's function that belongs to no
// process: a panic in it is recorded and ends nothing.
func (c *core) recordRecovered(where string) {
	if v := sched.Recovered(recover()); v != nil {
		e := &PanicError{Value: v, Stack: panicStack()}
		c.recordPanic(-1, c.failed(where, e), e)
	}
}

// keepAsks keeps the asks of what was just received, until they are answered or
// the process ends.
func (p *process) keepAsks(held []mailbox.Held) {
	p.mu.Lock()
	if len(p.asks) >= p.pruneAsks {
		p.asks = slices.DeleteFunc(p.asks, func(s *slot) bool { return !s.open() })
		p.pruneAsks = max(16, 2*len(p.asks))
	}
	for _, h := range held {
		p.asks = append(p.asks, h.Ticket.(*slot))
	}
	var late []*slot
	if p.asksOver {
		late, p.asks = p.asks, nil
	}
	p.mu.Unlock()
	p.failLate(late)
}

// answerNewest answers the n asks that were kept last with an error.
func (p *process) answerNewest(n int, err error) {
	p.mu.Lock()
	newest := slices.Clone(p.asks[max(0, len(p.asks)-n):])
	p.mu.Unlock()
	for _, s := range newest {
		s.answer(err)
	}
}

// failAsks ends all asks that the process has received, and those it still receives.
func (p *process) failAsks(cause error) {
	p.mu.Lock()
	asks := p.asks
	p.asks = nil
	if !p.asksOver {
		p.asksOver, p.asksCause = true, cause
	}
	p.mu.Unlock()
	p.failLate(asks)
}

// failLate fails asks that the process can answer no more.
func (p *process) failLate(asks []*slot) {
	if len(asks) == 0 {
		return
	}
	end := &noReplyError{who: p.core.who(), why: "the process that received the message ended", cause: p.asksCause}
	for _, s := range asks {
		s.answer(end)
	}
}

// unwind ends the body of an aborted process from within an inbox operation.
func (p *process) unwind() {
	p.unwinding = true
	p.endContext(ErrAborted) // in case the abort has not come to that yet
	sched.Goexit()
}
