package faults_test

import (
	"fmt"
	"strings"
	"time"

	"pgregory.net/rapid"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// program is what one run does. It holds nothing but plain values.
type program struct {
	actors  []actorPlan // spawned at the start
	spare   []actorPlan // what a client or a body may spawn later
	tree    *specPlan   // nil: none
	clients [][]step
}

// manner is how the processes of an actor behave.
type manner struct {
	loop     loop
	stop     stopping
	idle     time.Duration // how long a receive waits; 0: for ever
	hook     hook          // what Undelivered does
	capacity int           // index of capacities
	timer    time.Duration
	drain    bool
	procs    int // 1: an actor of one process
}

// actorPlan is an actor without a supervisor.
type actorPlan struct {
	manner
	detached bool
}

// specPlan is a supervisor.
type specPlan struct {
	name     string
	strategy supervisor.Strategy
	restart  supervisor.Restart
	limit    supervisor.Limit
	auto     supervisor.AutoShutdown
	timer    time.Duration
	backoff  supervisor.Backoff
	children []childPlan
}

// childPlan is one of the three.
type childPlan struct {
	worker  *workerPlan
	spec    *specPlan
	dynamic *dynamicPlan
}

// workerPlan is a worker.
type workerPlan struct {
	manner
	name        string
	restart     supervisor.Restart
	significant bool
	await       time.Duration
	backoff     supervisor.Backoff
	fresh       bool
	onStuck     supervisor.StuckPolicy
	starts      []start // of the first processes; those that follow come up
	crashHook   bool    // OnCrash panics
}

// dynamicPlan is a supervisor of workers of one kind.
type dynamicPlan struct {
	name     string
	restart  supervisor.Restart
	limit    supervisor.Limit
	most     int
	template workerPlan
}

// step is one thing that a client does.
type step struct {
	pause  time.Duration // before it
	op     int           // index of ops
	on     int           // which actor or supervisor
	arg    int
	deed   deed          // of the message, if it sends one
	wait   time.Duration // until its context ends; 0: never, and the client does not wait for it
	cancel bool          // the context is cancelled, and has no deadline
}

// deed is what the receiver of a message does.
type deed struct {
	verb verb
	arg  int
}

// named makes constants readable.
func named[T ~int](n T, names ...string) string { return names[n] }

// loop is how a body receives.
type loop int

const (
	byRecv loop = iota
	byMessages
	byServe
	byReady
	byBatch
	byPoll
	loops
)

func (l loop) String() string {
	return named(l, "Recv", "Messages", "Serve", "Ready", "RecvBatch", "TryRecv")
}

// stopping is what a body does when it is told to stop.
type stopping int

const (
	stopsAtOnce stopping = iota
	stopsSlowly
	stopsWithError
	stopsAfterRest // it works off the queue first
	stopsInPanic
	stopsAtAbort // it ignores the halt
	stopsNever   // and the abort
	stopsAsking  // it calls its supervisor
	stoppings
)

func (s stopping) String() string {
	return named(s, "stops at once", "stops slowly", "stops with an error", "stops after the rest",
		"crashes while stopping", "ignores halt", "ignores abort", "calls while stopping")
}

// hook is what Undelivered does, beside noting the message.
type hook int

const (
	hookPlain hook = iota
	hookPanics
	hookAnswers
	hookHangs
	hooks
)

func (h hook) String() string { return named(h, "plain", "panics", "answers", "hangs") }

// start is how a process of a worker comes up.
type start int

const (
	startsUp start = iota
	startFails
	startHangs
	startIgnored
	startPanics
	starts
)

func (s start) String() string {
	return named(s, "up", "start error", "hang at start", "ignore", "panic at start")
}

// verb is what a message asks for.
type verb int

const (
	rest verb = iota
	work
	answer
	forward
	askOn
	keepReply // and never answer it
	answerError
	spawnChild
	callSupervisor
	watchOther
	closeSelf
	haltSelf
	fail
	panics
	goexits
	returns
	hangsToHalt  // until its Halting
	hangsToAbort // it ignores a halt
	hangs        // it ignores everything
	verbs
)

func (v verb) String() string {
	return named(v, "nothing", "work", "answer", "forward", "ask on", "keep the reply", "answer an error", "spawn", "call the supervisor",
		"watch", "close", "halt itself", "error", "panic", "Goexit", "normal exit", "hang until halt", "hang until abort", "hang for ever")
}

func (d deed) String() string { return fmt.Sprintf("%v(%d)", d.verb, d.arg) }

// capacities are what inboxes can be.
var capacities = []actor.Capacity{
	actor.Unbounded(), actor.Bounded(1), actor.Bounded(3), {}, actor.Backpressure(2, time.Millisecond, 1), actor.Backpressure(1, time.Millisecond, 2),
}

// bounds are the limits of capacities; 0: none.
var bounds = []int{0, 1, 3, 0, 0, 0}

const ms = time.Millisecond

// draw draws parts of a program. Small numbers are the plain things, so a
// failing program shrinks towards them.
type draw struct{ t *rapid.T }

// upTo draws from [0, n).
func (d draw) upTo(n int) int {
	if n < 2 {
		return 0
	}
	return int(lots.Draw(d.t, "") % uint64(n))
}

// lots is wide, because rapid prefers the small numbers of whatever range.
var lots = rapid.Uint64Max(1 << 62)

// once in n it is true.
func (d draw) once(n int) bool { return d.upTo(n) == n-1 }

func pick[T any](d draw, of ...T) T { return of[d.upTo(len(of))] }

// programs generates programs.
var programs = rapid.Custom(func(t *rapid.T) program {
	d := draw{t}
	var p program
	p.actors = someActors.Draw(t, "")
	p.spare = someActors.Draw(t, "")
	if !d.once(3) {
		names := 0
		p.tree = d.spec(&names, 0)
	}
	p.clients = someClients.Draw(t, "")
	return p
})

// Lists are drawn as rapid's slices, from which it knows how to leave out.
var (
	someActors  = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) actorPlan { return draw{t}.actor() }), 1, 3)
	someClients = rapid.SliceOfN(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step { return draw{t}.step() }), 1, 16), 1, 3)
)

func (d draw) manner() manner {
	m := manner{procs: 1, capacity: d.upTo(len(capacities)), drain: d.once(4)}
	if d.once(2) {
		m.loop = loop(d.upTo(int(loops)))
	}
	if d.once(2) {
		m.stop = stopping(d.upTo(int(stoppings)))
	}
	if d.once(3) {
		m.hook = hook(d.upTo(int(hooks)))
	}
	if d.once(3) {
		m.idle = pick(d, ms, 5*ms)
	}
	if d.once(3) {
		m.procs = 2 + d.upTo(2)
	}
	m.timer = pick(d, 0, 5*ms, 50*ms, -1)
	return m
}

func (d draw) actor() actorPlan { return actorPlan{manner: d.manner(), detached: d.once(4)} }

func (d draw) limit() supervisor.Limit {
	return supervisor.Limit{Restarts: pick(d, 2, 20, 4, -1, 1), Period: pick(d, 100*ms, time.Second, 10*ms)}
}

func (d draw) backoff() supervisor.Backoff {
	if !d.once(3) {
		return supervisor.Backoff{}
	}
	return supervisor.Backoff{Min: ms, Max: 20 * ms, Jitter: pick(d, -1.0, 0.5)}
}

func (d draw) name(names *int, kind string) string {
	*names++
	return fmt.Sprint(kind, *names)
}

func (d draw) spec(names *int, depth int) *specPlan {
	s := &specPlan{name: d.name(names, "s"), limit: d.limit(), backoff: d.backoff()}
	s.strategy = pick(d, supervisor.OneForOne, supervisor.OneForAll, supervisor.RestForOne)
	s.restart = pick(d, supervisor.Permanent, supervisor.Transient, supervisor.Temporary)
	if d.once(5) {
		s.auto = pick(d, supervisor.AnySignificant, supervisor.AllSignificant)
	}
	if depth > 0 && d.once(4) {
		s.timer = pick(d, 20*ms, -1)
	}
	for range 1 + d.upTo(3) {
		switch {
		case depth < 2 && d.once(5):
			s.children = append(s.children, childPlan{spec: d.spec(names, depth+1)})
		case d.once(6):
			s.children = append(s.children, childPlan{dynamic: &dynamicPlan{
				name: d.name(names, "d"), restart: pick(d, supervisor.Permanent, supervisor.Transient, supervisor.Temporary),
				limit: d.limit(), most: pick(d, 0, 2), template: d.worker("", false),
			}})
		default:
			s.children = append(s.children, childPlan{worker: d.worker2(names, s.auto != supervisor.Never)})
		}
	}
	return s
}

func (d draw) worker2(names *int, auto bool) *workerPlan {
	w := d.worker(d.name(names, "w"), auto)
	return &w
}

func (d draw) worker(name string, auto bool) workerPlan {
	w := workerPlan{manner: d.manner(), name: name, backoff: d.backoff(), crashHook: d.once(8)}
	w.restart = pick(d, supervisor.Permanent, supervisor.Transient, supervisor.Temporary)
	w.significant = auto && w.restart != supervisor.Permanent && d.once(2)
	w.onStuck = pick(d, supervisor.StuckEscalate, supervisor.StuckReplace, supervisor.StuckWait)
	if d.once(3) {
		w.await = 10 * ms
	}
	w.fresh = w.procs == 1 && d.once(6)
	if d.once(4) {
		w.starts = append(w.starts, startsUp) // else hardly a tree would start
		for range 1 + d.upTo(3) {
			w.starts = append(w.starts, start(d.upTo(int(starts))))
		}
	} else if d.once(12) {
		w.starts = []start{start(d.upTo(int(starts)))}
	}
	return w
}

func (d draw) deed() deed {
	v := verb(d.upTo(int(verbs)))
	if v > haltSelf && d.once(2) {
		v = pick(d, work, answer, rest)
	}
	return deed{verb: v, arg: d.upTo(12)}
}

func (d draw) step() step {
	s := step{pause: pick(d, 0, 0, ms, 4*ms, 30*ms), op: opDice[d.upTo(len(opDice))], on: d.upTo(12), arg: d.upTo(24), deed: d.deed()}
	s.wait = pick(d, 5*ms, ms, 40*ms, 0)
	s.cancel = d.once(3)
	return s
}

// GoString prints the program. This is how rapid shows what it has drawn.
func (p program) GoString() string {
	var b strings.Builder
	for i, a := range p.actors {
		fmt.Fprintf(&b, "\n  actor a%d: %v detached=%t", i, a.manner, a.detached)
	}
	for i, a := range p.spare {
		fmt.Fprintf(&b, "\n  spare %d: %v detached=%t", i, a.manner, a.detached)
	}
	if p.tree != nil {
		p.tree.print(&b, "\n  ")
	}
	for i, c := range p.clients {
		fmt.Fprintf(&b, "\n  client %d:", i)
		for _, s := range c {
			fmt.Fprintf(&b, "\n    %v", s)
		}
	}
	return b.String()
}

func (m manner) String() string {
	return fmt.Sprintf("%d processes by %v, %v, idle=%v Undelivered %v, %v AbortTimer=%v Drain=%t",
		m.procs, m.loop, m.stop, m.idle, m.hook, capacities[m.capacity], m.timer, m.drain)
}

func (w workerPlan) String() string {
	return fmt.Sprintf("worker %s: %v\n      %v significant=%t AwaitStart=%v Backoff=%v Fresh=%t OnStuck=%v starts=%v OnCrash panics=%t",
		w.name, w.manner, w.restart, w.significant, w.await, w.backoff, w.fresh, w.onStuck, w.starts, w.crashHook)
}

func (s *specPlan) print(b *strings.Builder, indent string) {
	fmt.Fprintf(b, "%ssupervisor %s: %v %v limit=%+v auto=%v AbortTimer=%v Backoff=%v",
		indent, s.name, s.strategy, s.restart, s.limit, s.auto, s.timer, s.backoff)
	indent += "  "
	for _, c := range s.children {
		switch {
		case c.worker != nil:
			fmt.Fprintf(b, "%s%v", indent, *c.worker)
		case c.spec != nil:
			c.spec.print(b, indent)
		case c.dynamic != nil:
			fmt.Fprintf(b, "%sdynamic %s: %v limit=%+v max=%d of %v", indent, c.dynamic.name, c.dynamic.restart,
				c.dynamic.limit, c.dynamic.most, c.dynamic.template)
		}
	}
}

func (s step) String() string {
	text := fmt.Sprintf("+%v %s on %d", s.pause, ops[s.op].name, s.on)
	switch {
	case s.wait == 0:
		text += ", without a deadline"
	case s.cancel:
		text += fmt.Sprintf(", cancelled after %v", s.wait)
	default:
		text += fmt.Sprintf(", within %v", s.wait)
	}
	return fmt.Sprintf("%s, %v, arg %d", text, s.deed, s.arg)
}
