package actor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"sync"
	"sync/atomic"

	"tinyactor/internal/mailbox"
)

// process is one goroutine of an actor. Its inbox holds it.
type process struct {
	core  *core
	index int
	seat  seat
	body  func() (any, error)

	// Of the process's goroutine alone.
	returned  bool // the body has returned
	unwinding bool // an inbox operation of an aborted process ends the body
	last      bool // no other body of the actor runs
	inHand    int  // how many of asks are from the latest receive
	value     any
	err       error

	// Guarded by core.mu. Only the process's own goroutine changes stage.
	stage     stage
	torn      bool // aborted before the body ended
	deaf      bool // and it had not come near its inbox since it was halted
	claimed   bool // somebody is about to declare it stuck
	stuck     bool
	stack     string // where it hung when it was declared stuck
	down      *teardown
	children  *core // attached, linked by kin
	childless chan struct{}

	over atomic.Bool // it has exited; for those who may not take core.mu

	mu       sync.Mutex // guards what follows
	asks     []*slot    // received and perhaps unanswered
	askEnd   error      // set when asks can be answered no more
	ctx      context.Context
	cancel   context.CancelCauseFunc
	ctxEnded bool
	ctxCause error
}

// seat is a process's receiver in the mailbox, whatever the message type.
type seat interface {
	join()
	leave()
	deaf() bool
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
	p.label()
	p.value, p.err = p.body()
	p.returned = true
	runtime.KeepAlive(p)
}

// label gives the goroutine the actor's name in profiles.
func (p *process) label() {
	c := p.core
	switch {
	case c.name != "":
		pprof.SetGoroutineLabels(pprof.WithLabels(c.owner, pprof.Labels("actor", c.name)))
	case c.parent != nil && c.parent.core.name != "":
		// Goroutines inherit labels: this one is not the parent.
		pprof.SetGoroutineLabels(c.owner)
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
	value := recover()
	switch {
	case value != nil:
		e := &PanicError{Value: value, Stack: debug.Stack()}
		p.err = p.core.failed("", e)
		p.core.recordPanic(p.index, p.err, e)
	case p.unwinding:
		p.err = p.core.failed("", ErrAborted)
	default:
		p.err = p.core.failed("", ErrGoexit)
	}
}

// recordPanic tells the observers of a panic, and logs it unless one of them does.
func (c *core) recordPanic(index int, err error, e *PanicError) {
	c.tell(Event{Kind: EventPanicked, Process: index, Err: err, Stack: string(e.Stack)})
	if c.bulletin != nil && c.bulletin.logsPanics {
		return
	}
	c.log(slog.LevelError, "actor panicked", "process", index, "panic", fmt.Sprint(e.Value), "stack", string(e.Stack))
}

// log writes to the default logger. A handler that panics ends nothing.
func (c *core) log(level slog.Level, msg string, args ...any) {
	defer func() {
		if v := recover(); v != nil {
			fmt.Fprintf(os.Stderr, "%s: the log handler panicked (%v) on: %s %v\n", c.who(), v, msg, args)
		}
	}()
	slog.Default().Log(context.Background(), level, msg, append([]any{"actor", c.name, "id", uint64(c.id)}, args...)...)
}

// end is what happens when a body and its deferred calls have ended, in this
// order: the process is no longer live; what it can answer no more is failed;
// its context ends; the last one hands back what nobody received; what it owns
// is stopped and gone; the exit is known to those who wait for it.
func (p *process) end() {
	defer func() {
		// A hook or a log handler has called Goexit, which nothing can stop.
		// The rest of the way is gone on another goroutine.
		if p.stage != exited {
			go p.end()
		}
	}()
	if p.stage == running {
		p.leave()
	}
	p.failAsks(p.err)
	p.endContext(nil)
	if p.stage == handing {
		if p.last {
			p.core.handBack(true)
		}
		p.advance(waiting)
	}
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
	if c.live == 0 {
		p.last = true
		c.closeLocked()
	}
	if p.torn && p.err != nil && !errors.Is(p.err, ErrAborted) {
		p.err = join(p.err, c.failed("", ErrAborted))
	}
	p.stage = handing
}

// advance moves on to a later stage.
func (p *process) advance(s stage) {
	p.core.mu.Lock()
	defer p.core.mu.Unlock()
	p.stage = s
	if p.down != nil {
		p.down.passed()
	}
}

// exit makes the exit known. core.mu is held at call, not at return.
func (p *process) exit() {
	c := p.core
	p.stage = exited
	p.over.Store(true)
	c.exits = append(c.exits, exit{p.index, p.value, p.err})
	if i := slices.Index(c.procs, p); i >= 0 {
		c.procs = slices.Delete(c.procs, i, i+1)
	}
	c.tell(Event{Kind: EventExited, Process: p.index, Err: p.err})
	if p.stuck {
		c.tell(Event{Kind: EventReleased, Process: p.index, Err: p.err})
	}
	fire(&c.news)
	var hooks map[*hook]struct{}
	var unwatch func() bool
	release := false
	if len(c.procs) == 0 {
		hooks, unwatch = c.finish()
		release = true
	} else {
		release = c.settle()
	}
	c.mu.Unlock()
	if unwatch != nil {
		unwatch()
	}
	if release {
		c.release()
	}
	for h := range hooks {
		h.f()
	}
}

// handBack gives every message that is left to Undelivered, one at a time. If
// somebody else is at it, it waits for that one's end, or does nothing if wait
// is false.
func (c *core) handBack(wait bool) {
	c.mu.Lock()
	for c.handing {
		if !wait {
			c.mu.Unlock()
			return
		}
		handed := c.lazy(&c.handed, false)
		c.mu.Unlock()
		<-handed
		c.mu.Lock()
	}
	c.handing = true
	c.mu.Unlock()

	n, complete := 0, false
	defer func() {
		c.mu.Lock()
		c.handing = false
		fire(&c.handed)
		if n > 0 {
			c.tell(Event{Kind: EventUndelivered, Process: -1, Count: n, Type: c.queue.messageType()})
		}
		c.mu.Unlock()
		if !complete && !wait {
			go c.handBack(false) // Undelivered has called Goexit; a process goes on by itself
		}
	}()
	for {
		msg, ticket, ok := c.queue.takeAny()
		if !ok {
			break
		}
		n++
		c.handOver(msg, ticket)
	}
	if n > 0 && c.undelivered == nil {
		c.log(slog.LevelWarn, "actor ended with undelivered messages", "count", n, "type", c.queue.messageType())
	}
	complete = true
}

// handOver gives one message to Undelivered; its asker, if it has one that
// still waits after that, learns that nobody received it.
func (c *core) handOver(msg, ticket any) {
	if s, ok := ticket.(*slot); ok {
		defer s.answer(&noReplyError{who: c.who(), why: "the actor ended before anybody received the message"})
	}
	if c.undelivered != nil {
		defer c.recordRecovered("Undelivered")
		c.undelivered(msg)
	}
}

// recordRecovered is deferred around a user's function that belongs to no
// process: a panic in it is recorded and ends nothing.
func (c *core) recordRecovered(where string) {
	if v := recover(); v != nil {
		e := &PanicError{Value: v, Stack: debug.Stack()}
		c.recordPanic(-1, c.failed(where, e), e)
	}
}

// keepAsks keeps the asks of what was just received, until they are answered or
// the process ends.
func (p *process) keepAsks(held []mailbox.Held) {
	p.inHand = len(held)
	if len(held) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.asks)+len(held) > cap(p.asks) {
		p.asks = slices.DeleteFunc(p.asks, func(s *slot) bool { return !s.open() })
	}
	for _, h := range held {
		s := h.Ticket.(*slot)
		if p.askEnd != nil {
			s.answer(p.askEnd)
		} else {
			p.asks = append(p.asks, s)
		}
	}
}

// answerInHand answers the asks of the latest receive with an error.
func (p *process) answerInHand(err error) {
	p.mu.Lock()
	hand := slices.Clone(p.asks[max(0, len(p.asks)-p.inHand):])
	p.mu.Unlock()
	for _, s := range hand {
		s.answer(err)
	}
}

// failAsks ends all asks that the process has received, and those it still receives.
func (p *process) failAsks(cause error) {
	p.mu.Lock()
	if p.askEnd == nil {
		p.askEnd = &noReplyError{who: p.core.who(), why: "the process that received the message ended", cause: cause}
	}
	end, asks := p.askEnd, p.asks
	p.asks = nil
	p.mu.Unlock()
	for _, s := range asks {
		s.answer(end)
	}
}

// unwind ends the body of an aborted process from within an inbox operation.
func (p *process) unwind() {
	p.unwinding = true
	runtime.Goexit()
}
