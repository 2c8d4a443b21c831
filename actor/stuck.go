package actor

import (
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"time"
)

// dumpLimit is how much of a goroutine dump is looked at.
const dumpLimit = 16 << 20

// teardown is one abort, of an actor and all that is attached below it: the
// processes that have to end because of it, and the timer that asks whether
// they did.
type teardown struct {
	procs []*process // their bodies or hand-backs had not ended

	mu    sync.Mutex
	left  int // how many of procs still have not
	timer *time.Timer
}

// abort tears the actor and everything attached below it down. It reports
// whether it was the first to do so before the actor had ended.
func (c *core) abort() bool {
	t := new(teardown)
	first := t.mark(c)
	t.run()
	return first
}

// mark makes the mailboxes of c and of all below it abort their processes.
// Contexts still live: run ends them.
func (t *teardown) mark(c *core) bool {
	c.mu.Lock()
	if c.finished || !c.aborted.IsZero() {
		c.mu.Unlock()
		return false
	}
	c.aborted = time.Now()
	if c.closed.IsZero() {
		c.closed = c.aborted
	}
	var kids []*core
	for _, p := range c.procs {
		t.addLocked(p)
		kids = append(kids, p.childrenLocked()...)
	}
	c.queue.Abort()
	c.tell(Event{Kind: EventAborted, Process: -1})
	c.mu.Unlock()
	for _, kid := range kids {
		t.mark(kid)
	}
	return true
}

// addLocked makes p part of the teardown. p.core.mu is held.
func (t *teardown) addLocked(p *process) {
	if p.stage >= waiting {
		return
	}
	p.torn = p.stage == running
	p.deaf = p.torn && p.seat.deaf()
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

// run ends the contexts of the processes and starts to wait for their end.
func (t *teardown) run() {
	if len(t.procs) == 0 {
		return
	}
	t.reportDeaf()
	for _, p := range t.procs {
		p.endContext(ErrAborted)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.left > 0 {
		t.timer = time.AfterFunc(StuckAfter, func() { declareStuck(t.procs) })
	}
}

// reportDeaf reports the processes that were halted, have not come near their
// inbox since, and so could not know it. It comes before their contexts end,
// while they still are where they waited.
func (t *teardown) reportDeaf() {
	var deaf []*process
	for _, p := range t.procs {
		if p.deaf {
			deaf = append(deaf, p)
		}
	}
	if len(deaf) == 0 {
		return
	}
	stacks := findStacks(deaf)
	for i, p := range deaf {
		c := p.core
		c.mu.Lock()
		since := time.Since(c.halted).Round(time.Millisecond)
		c.mu.Unlock()
		c.tell(Event{Kind: EventIgnoredHalt, Process: p.index, Stack: stacks[i]})
		c.log(slog.LevelWarn, "actor aborted: it was halted and did not touch its inbox since; Ready or Halting belong in its select, its context does not end at a halt",
			"process", p.index, "halted", since, "stack", stacks[i])
	}
}

// unfinished appends the processes of c and of all below it whose body or
// hand-back has not ended.
func (c *core) unfinished(procs []*process) []*process {
	c.mu.Lock()
	var kids []*core
	for _, p := range c.procs {
		if p.stage < waiting {
			procs = append(procs, p)
		}
		kids = append(kids, p.childrenLocked()...)
	}
	c.mu.Unlock()
	for _, kid := range kids {
		procs = kid.unfinished(procs)
	}
	return procs
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
		if p.stage < waiting && !p.claimed {
			p.claimed = true
			claimed = append(claimed, p)
		}
		c.mu.Unlock()
	}
	if len(claimed) == 0 {
		return
	}
	stacks := findStacks(claimed)
	for i, p := range claimed {
		c := p.core
		c.mu.Lock()
		if p.stage >= waiting { // it has ended while we looked
			c.mu.Unlock()
			continue
		}
		p.stuck, p.stack = true, stacks[i]
		c.tell(Event{Kind: EventStuck, Process: p.index, Err: p.stuckError(), Stack: p.stack})
		deserted := c.deserted()
		release := c.settle()
		err := p.stuckError()
		c.mu.Unlock()

		p.failAsks(err)
		if deserted {
			for _, t := range c.queue.Tickets() {
				t.(*slot).answer(&noReplyError{who: c.who(), why: "nobody can receive the message any more", cause: err})
			}
			go c.handBack(false)
		}
		if release {
			c.release()
		}
		c.log(slog.LevelWarn, "actor stuck: its body has not ended after an abort", "process", p.index, "stack", stacks[i])
	}
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
	var told []string
	for _, t := range []struct {
		what string
		when time.Time
	}{{"halted", c.halted}, {"closed", c.closed}, {"aborted", c.aborted}} {
		if !t.when.IsZero() {
			told = append(told, fmt.Sprintf("%s %v ago", t.what, time.Since(t.when).Round(time.Millisecond)))
		}
	}
	what := "its body has not ended"
	if p.stage == handing {
		what = "Config.Undelivered has not returned"
	}
	text := fmt.Sprintf("%s: process %d is stuck: %s: %s", c.who(), p.index, strings.Join(told, ", "), what)
	if p.stack != "" {
		text += "\n" + p.stack
	}
	return &stuckError{text}
}

// findStacks returns where each of the processes is, "" for one that a dump of
// at most dumpLimit bytes does not show. The program stands still meanwhile:
// some 15 ms for ten thousand goroutines.
func findStacks(procs []*process) []string {
	stacks := make([]string, len(procs))
	dump := make([]byte, 64<<10)
	for {
		n := runtime.Stack(dump, true)
		if n < len(dump) || len(dump) >= dumpLimit {
			dump = dump[:n]
			break
		}
		dump = make([]byte, min(4*len(dump), dumpLimit))
	}
	at := make(map[string]int, len(procs))
	for i, p := range procs {
		at[fmt.Sprintf("%p", p)] = i
	}
	const frame = ".runBody("
	for goroutine := range strings.SplitSeq(string(dump), "\n\n") {
		_, args, found := strings.Cut(goroutine, frame)
		if !found {
			continue
		}
		end := strings.IndexFunc(args, func(r rune) bool { return !strings.ContainsRune("0123456789abcdefx", r) })
		if i, mine := at[args[:max(0, end)]]; mine {
			stacks[i] = goroutine
		}
	}
	return stacks
}
