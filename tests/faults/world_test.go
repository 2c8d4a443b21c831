package faults_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// world is one run of a program.
type world struct {
	program program
	began   time.Time
	owner   context.Context // of all actors that are not attached to another
	disown  context.CancelFunc
	release chan struct{}   // ends the bodies that nothing else does
	forever context.Context // of calls without a deadline; cancelled only at the very end
	giveUp  context.CancelFunc

	mu       sync.Mutex
	targets  []*target
	letters  []*letter
	events   []actor.Event
	open     map[*call]bool // calls that have not come back
	counts   map[string]int
	faults   []string // what was wrong
	calm     bool     // nothing is spawned any more
	stopping bool     // the tree is being stopped, and nothing else was under way
	tree     *tree
	timers   []*timer
	procs    []*process
}

// target is an actor that messages are sent to.
type target struct {
	w      *world
	name   string
	plan   manner
	addr   *actor.Address[msg]
	pool   *actor.Pool[msg, int]  // its owner; nil: it is a worker
	child  *actor.Child[msg, int] // the same, of an actor that began with one process
	worker bool
	sup    *supervisor.Worker[msg]
	crash  bool // OnCrash panics
	node   *node
	parent *process // whose context it was spawned with

	// Guarded by world.mu.
	last      map[*sender]int // of each, what was received last
	refused   bool            // somebody was told that it takes no more
	detached  bool            // at some time
	grown     bool            // a process was added
	spare     bool            // it was never part of a tree
	deserted  bool            // nothing but stuck processes is left
	back      int             // how many messages were handed back
	hookPanic int             // how often Undelivered or OnCrash panicked
	begun     int             // processes so far
	starts    []start
	alive     int // processes whose body has not ended
	toHalt    int // how many processes HaltSome was to halt
	halted    int // how many were while it was open
}

// process is one run of a body.
type process struct {
	sender
	of    *target
	index int
	last  map[*sender]int

	// Guarded by world.mu.
	hand   []int // letters
	hanged bool  // it waits for world.release
	up     bool  // it has called Started, or need not
	over   bool
	overAt time.Time
	end    ending
	err    error
}

// ending is how a body has ended.
type ending int

const (
	unwound ending = iota // by an abort: no line of the body says so
	returned
	inPanic
	inGoexit
)

func (e ending) String() string { return named(e, "unwound", "returned", "panic", "Goexit") }

// call is a call of the library under way.
type call struct {
	what string
	to   *target // nil: it is a call of a supervisor
	from time.Time
}

func (c *call) String() string {
	if c.to == nil {
		return c.what
	}
	return c.what + " of " + c.to.name
}

func newWorld(p program) *world {
	w := &world{
		program: p, began: time.Now(), release: make(chan struct{}),
		open: make(map[*call]bool), counts: make(map[string]int),
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.owner, w.disown = actor.WithObserver(ctx, w), cancel
	w.forever, w.giveUp = context.WithCancel(context.Background())
	return w
}

// Observe keeps the events for the checks at the end.
func (w *world) Observe(e actor.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

// LogsPanics keeps panics, of which there are many, out of the log.
func (*world) LogsPanics() bool { return true }

// wrong notes that something is not as it must be. mu is held.
func (w *world) wrong(format string, args ...any) {
	if len(w.faults) < 20 {
		w.faults = append(w.faults, fmt.Sprintf("%v: ", time.Since(w.began))+fmt.Sprintf(format, args...))
	}
}

func (w *world) wrongly(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong(format, args...)
}

// happen counts. mu is held.
func (w *world) happen(what string) { w.counts[what]++ }

func (w *world) happened(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.happen(what)
}

// within makes a call that must come back within a time; 0: in the end.
func (w *world) within(bound time.Duration, what string, to *target, f func()) {
	c := &call{what, to, time.Now()}
	w.mu.Lock()
	w.open[c] = true
	w.mu.Unlock()
	f()
	took := time.Since(c.from)
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.open, c)
	if bound > 0 && took > bound {
		w.wrong("%v took %v, and may take %v", c, took, bound)
	}
}

// errFault is what bodies that fail return.
var errFault = errors.New("fault")

// errKind is what an error of the library says.
type errKind int

const (
	noError errKind = iota
	closedError
	fullError
	contextError
	noReplyError
	faultError
	otherError
)

func (w *world) kindOf(err error) errKind {
	switch {
	case err == nil:
		return noError
	case errors.Is(err, actor.ErrNoReply): // which carries its cause
		return noReplyError
	case errors.Is(err, actor.ErrClosed):
		return closedError
	case errors.Is(err, actor.ErrFull):
		return fullError
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.Is(err, actor.ErrAborted):
		return contextError
	case errors.Is(err, errFault):
		return faultError
	}
	return otherError
}

// settled reports whether an actor is to hand on no more messages. mu is held.
func (x *target) settled() bool {
	if x.deserted {
		return true
	}
	select {
	case <-x.addr.Done():
		return true
	default:
		return false
	}
}

// target returns one of the actors; the first ones are those that the program
// begins with.
func (w *world) target(n int) *target {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.targets[n%len(w.targets)]
}

// owned returns one of the actors that are no workers.
func (w *world) owned(n int) *target {
	w.mu.Lock()
	defer w.mu.Unlock()
	var owned []*target
	for _, x := range w.targets {
		if !x.worker {
			owned = append(owned, x)
		}
	}
	return owned[n%len(owned)]
}

// join makes an actor one that messages can be sent to.
func (w *world) join(x *target) {
	w.mu.Lock()
	defer w.mu.Unlock()
	x.last = make(map[*sender]int)
	w.targets = append(w.targets, x)
}

// spawn makes an actor, owned by a context, which is perhaps that of a process.
func (w *world) spawn(owner context.Context, parent *process, name string, plan actorPlan) {
	x := &target{w: w, name: name, plan: plan.manner, parent: parent, detached: plan.detached}
	x.last = make(map[*sender]int)
	cfg := actor.Config{
		Name: name, Capacity: capacities[plan.capacity], AbortTimer: plan.timer, Detached: plan.detached, Drain: plan.drain,
		Undelivered: func(m any) { x.undelivered(m.(msg)) },
	}
	ready := make(chan struct{}) // a body must not run before its target is complete
	body := func(ctx context.Context, in *actor.Inbox[msg]) (int, error) {
		<-ready
		return in.Index(), x.run(ctx, in)
	}
	if plan.procs == 1 {
		x.child, x.addr = actor.SpawnValue(owner, cfg, body)
		x.pool = x.child.Pool()
	} else {
		x.pool, x.addr = actor.SpawnPool(owner, cfg, plan.procs, body)
	}
	w.join(x)
	close(ready)
}

// undelivered is the actor's Undelivered.
func (x *target) undelivered(m msg) {
	w := x.w
	w.handBack(x, m)
	switch x.plan.hook {
	case hookPanics:
		w.mu.Lock()
		x.hookPanic++
		w.happen("Undelivered panics")
		w.mu.Unlock()
		panic("undelivered")
	case hookAnswers:
		m.Answer(m.id, nil)
	case hookHangs:
		w.happened("Undelivered hangs")
		<-w.release
	default:
	}
}

// onCrash is the worker's OnCrash.
func (x *target) onCrash(m msg, _ error) {
	w := x.w
	w.crash(x, m)
	if x.crash {
		w.mu.Lock()
		x.hookPanic++
		w.happen("OnCrash panics")
		w.mu.Unlock()
		panic("on crash")
	}
}
