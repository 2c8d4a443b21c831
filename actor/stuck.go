package actor

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"tinyactor/internal/sched"
)

// teardown is one abort, of an actor and all that is attached below it: the
// processes that have to end because of it, and the timer that asks whether
// they did.
type teardown struct {
	procs []*process // their bodies or hand-backs had not ended

	// Processes that were halted, have not come near their inbox since, and so
	// could not know it: where they were before the abort, and which of them
	// are part of it.
	stacks map[*process]string
	deaf   []*process

	mu    sched.Mutex
	left  int // how many of procs still have not
	timer *sched.Timer
}

// abort tears the actor and everything attached below it down. It reports
// whether it was the first to do so before the actor had ended.
func (c *core) abort() bool {
	t := new(teardown)
	if deaf := c.below(nil, func(p *process) bool { return p.deaf() }); len(deaf) > 0 {
		t.stacks = findStacks(deaf)
	}
	first := t.mark(c)
	t.run()
	return first
}

// deaf reports whether p was halted while its body runs, and has not come near
// its inbox since. core.mu is held.
func (p *process) deaf() bool {
	if p.stage != running {
		return false
	}
	_, deaf := p.seat.halted()
	return deaf
}

// mark aborts the processes of c and of all that is attached below it.
func (t *teardown) mark(c *core) bool {
	c.mu.Lock()
	if c.endless() {
		kids := t.markHeld(c, -1)
		c.mu.Unlock()
		t.markAll(kids)
		return len(kids) > 0
	}
	if c.finished || !c.aborted.IsZero() {
		c.mu.Unlock()
		return false
	}
	c.aborted = sched.Now()
	var kids []*core
	var deaf []*process
	for _, p := range c.procs {
		t.addLocked(p)
		kids = append(kids, p.childrenLocked()...)
		if p.deaf() {
			deaf = append(deaf, p)
		}
	}
	// Whoever is woken by the abort, or comes to its inbox, finds its context ended.
	c.queue.MarkAborted()
	for _, p := range c.procs {
		if p.stage < waiting {
			p.endContext(ErrAborted)
		}
	}
	c.queue.Abort()
	c.note(EventAborted, -1, nil)
	for _, p := range deaf {
		c.tell(Event{Kind: EventIgnoredHalt, Process: p.index, Stack: t.stacks[p]})
	}
	c.mu.Unlock()
	t.deaf = append(t.deaf, deaf...)
	t.markAll(kids)
	return true
}

// markAll marks actors and what is below them.
func (t *teardown) markAll(cores []*core) {
	for _, c := range cores {
		t.mark(c)
	}
}

// addLocked makes p part of the teardown. p.core.mu is held.
func (t *teardown) addLocked(p *process) {
	if p.stage >= waiting || p.down != nil || p.core.supervisor {
		return
	}
	p.torn = p.stage == running
	p.down = t
	t.procs = append(t.procs, p)
	t.mu.Lock()
	t.left++
	t.mu.Unlock()
}

// passed is called when one of the processes has ended its hand-back.
func (t *teardown) passed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.left--; t.left == 0 && t.timer != nil {
		t.timer.Stop()
	}
}

// run starts to wait for the end of the processes.
func (t *teardown) run() {
	t.mu.Lock()
	if t.left > 0 {
		t.timer = sched.AfterFunc(StuckAfter, func() { declareStuck(t.procs) })
	}
	t.mu.Unlock()
	for _, p := range t.deaf {
		if p.core.bulletin.logs(EventIgnoredHalt) {
			continue
		}
		at, _ := p.seat.halted()
		p.core.log(slog.LevelWarn, "actor aborted: it was halted and did not touch its inbox since; Ready or Halting belong in its select, its context does not end at a halt",
			"process", p.index, "halted", sched.Since(at).Round(time.Millisecond), "stack", t.stacks[p])
	}
}

// below appends the processes of c and of all that is attached below it for
// which want is true. want is called with their core.mu held.
func (c *core) below(procs []*process, want func(*process) bool) []*process {
	c.mu.Lock()
	var kids []*core
	for _, p := range c.procs {
		if want(p) {
			procs = append(procs, p)
		}
		kids = append(kids, p.childrenLocked()...)
	}
	c.mu.Unlock()
	for _, kid := range kids {
		procs = kid.below(procs, want)
	}
	return procs
}

// unfinished returns the processes in and below c whose body or hand-back has
// not ended.
func (c *core) unfinished() []*process {
	return c.below(nil, func(p *process) bool { return p.stage < waiting })
}

// declareStuck declares those of procs stuck whose body or hand-back has not
// ended. Nobody waits for them from here on; what they cannot do any more is
// done for them: their asks are failed, and if an actor has only stuck
// processes left, what is in its inbox is handed back.
func declareStuck(procs []*process) {
	var claimed []*process
	for _, p := range procs {
		c := p.core
		c.mu.Lock()
		if p.stage < waiting && !p.claimed && !c.supervisor {
			p.claimed = true
			claimed = append(claimed, p)
		}
		c.mu.Unlock()
	}
	if len(claimed) == 0 {
		return
	}
	stacks := findStacks(claimed)
	for _, p := range claimed {
		c := p.core
		c.mu.Lock()
		if p.stage >= waiting { // it has ended while we looked
			c.mu.Unlock()
			continue
		}
		p.stuck, p.stack = true, stacks[p]
		c.tell(Event{Kind: EventStuck, Process: p.index, Err: p.stuckError(), Stack: p.stack})
		deserted := !c.endless() && c.deserted()
		err := p.stuckError()
		var up *core
		if p.life != nil {
			up = p.tellStuck(err)
		}
		release := c.settle()
		c.mu.Unlock()

		p.failAsks(err)
		if deserted {
			c.desert(err)
		}
		up.release()
		if release {
			c.release()
		}
		if c.bulletin.logs(EventStuck) {
			continue
		}
		c.log(slog.LevelWarn, "actor stuck: its body has not ended after an abort", "process", p.index, "stack", stacks[p])
	}
}

// desert hands back what is in the inbox of an actor in which nobody can receive
// any more, after it has failed all asks there: Undelivered may hang as well.
func (c *core) desert(cause error) {
	why := &noReplyError{who: c.who(), why: "nobody can receive the message any more", cause: cause}
	c.mu.Lock()
	c.desertion = why
	ask := c.handAsk
	begin := !c.handing
	c.handing = true
	c.mu.Unlock()
	if ask != nil {
		ask.answer(why)
	}
	for _, t := range c.queue.Tickets() {
		t.(*slot).answer(why)
	}
	if begin {
		sched.Go(func() { c.handAll(true) })
	}
}

// anyStuck reports whether one of the processes is stuck. mu is held.
func (c *core) anyStuck() bool {
	return slices.ContainsFunc(c.procs, func(p *process) bool { return p.stuck })
}

// deserted reports whether nobody but stuck processes is left who could
// receive or hand back. mu is held.
func (c *core) deserted() bool {
	for _, p := range c.procs {
		if p.stage < waiting && !p.stuck {
			return false
		}
	}
	return true
}

// stuckLocked returns the stuck processes in and below c. mu is held.
func (c *core) stuckLocked() []*process {
	var stuck []*process
	for _, p := range c.procs {
		if p.stuck {
			stuck = append(stuck, p)
		}
	}
	for _, p := range c.stuckDown {
		if !p.over.Load() {
			stuck = append(stuck, p)
		}
	}
	return stuck
}

// stuckError is nil, or names all stuck processes in and below c.
func (c *core) stuckError() error {
	c.mu.Lock()
	stuck := c.stuckLocked()
	c.mu.Unlock()
	var errs []error
	for _, p := range stuck {
		p.core.mu.Lock()
		errs = append(errs, p.stuckError())
		p.core.mu.Unlock()
	}
	return join(errs...)
}

// stuckError says what a stuck process was told and where it hangs. p.core.mu is held.
func (p *process) stuckError() error {
	c := p.core
	halted, _ := p.seat.halted()
	var told []string
	for _, t := range []struct {
		what string
		when time.Time
	}{{"halted", halted}, {"closed", c.closed}, {"aborted", p.abortedAt()}} {
		if !t.when.IsZero() {
			told = append(told, t.what+" "+ago(t.when))
		}
	}
	what := "its body has not ended"
	switch {
	case p.life != nil && p.life.crashing:
		what = "OnCrash has not returned"
	case p.stage == handing:
		what = "Config.Undelivered has not returned"
	}
	text := fmt.Sprintf("%s: process %d is stuck: %s: %s", c.who(), p.index, strings.Join(told, ", "), what)
	if p.stack != "" {
		text += "\n" + p.stack
	}
	return &stuckError{text}
}

// ago is how long a moment lies back, for people.
func ago(t time.Time) string { return sched.Since(t).Round(time.Millisecond).String() + " ago" }
