package explore

import (
	"fmt"
	"iter"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// Gate says whether an operation can be done without waiting.
type Gate interface{ Open() bool }

// Goexit is what a thread panics with to end early: coroutines pass a real
// Goexit on to who runs them.
var Goexit any = new(struct{ _ byte })

// mostSteps is how many steps a schedule may have before it counts as endless.
const mostSteps = 20000

// Run is one schedule on its way.
type Run struct {
	search    strategy
	bound     int  // preemptions that are left; below zero: any number
	preempted int  // so far
	early     bool // alarms may go off at any time, not only when nobody can go on
	traced    bool
	steps     int
	version   uint64 // counts changes, for those who yield

	threads   []*thread
	current   *thread
	next      *thread // who runs when current has paused
	enabled   []*thread
	exploring bool // orders matter; else the first that can goes on

	clock   time.Duration
	alarms  []*Alarm
	watches []*watch
	objects map[any]*Object
	failure string
	trace   []string
	pool    *pool
}

// thread is one thread of a program.
type thread struct {
	id    int
	name  string
	co    *coroutine
	gate  Gate   // nil: it can go on
	spins bool   // it waits until something has changed, or nobody else can go on
	seen  uint64 // version when it began to
	what  string // it is about to do
	over  bool
	rank  int // of the random search
}

// active is the run under way: there is one at a time, and of its threads one
// runs at a time.
var active *Run

// Current returns the run that the caller is part of, nil if there is none.
func Current() *Run { return active }

// coroutine runs one thread after the other.
type coroutine struct {
	next  func() (struct{}, bool)
	yield func(struct{}) bool
	job   func()
}

// pool keeps coroutines for the next threads.
type pool struct{ idle []*coroutine }

func (p *pool) get() *coroutine {
	if n := len(p.idle); n > 0 {
		co := p.idle[n-1]
		p.idle = p.idle[:n-1]
		return co
	}
	co := new(coroutine)
	co.next, _ = iter.Pull(func(yield func(struct{}) bool) {
		co.yield = yield
		for {
			co.job()
			co.job = nil
			if !yield(struct{}{}) {
				return
			}
		}
	})
	return co
}

// do runs the program to its end, or to its first failure.
func (r *Run) do(program func(*Run)) {
	active = r
	defer func() { active = nil }()
	r.Go("main", func() { program(r) })
	for t := r.pick(nil); t != nil && r.failure == ""; {
		r.current = t
		t.co.next()
		if !t.over {
			t = r.next
			continue
		}
		r.pool.idle = append(r.pool.idle, t.co)
		t = r.pick(nil)
	}
}

// Thread is a thread of the program.
type Thread struct{ t *thread }

// Over reports whether the thread has ended.
func (t Thread) Over() bool { return t.t.over }

// Name returns the thread's name.
func (t Thread) Name() string { return t.t.name }

// Go starts a thread. It takes part from the next step on.
func (r *Run) Go(name string, f func()) Thread {
	t := &thread{id: len(r.threads), name: name, what: "start"}
	if name == "" {
		t.name = fmt.Sprintf("thread %d", t.id)
		if r.current != nil {
			t.name = fmt.Sprintf("%s of %s", t.name, r.current.name)
		}
	}
	t.co = r.pool.get()
	t.co.job = func() { r.body(t, f) }
	r.threads = append(r.threads, t)
	r.search.born(t)
	r.version++
	return Thread{t}
}

func (r *Run) body(t *thread, f func()) {
	defer func() {
		if v := recover(); v != nil && v != Goexit {
			r.Fail(fmt.Sprintf("%s panics: %v\n%s", t.name, v, debug.Stack()))
		}
		t.over = true
		r.version++
	}()
	r.note(t, "")
	f()
}

// Fail ends the exploration with this schedule.
func (r *Run) Fail(why string) {
	if r.failure == "" {
		r.failure = why
	}
}

// Failf is Fail with a format. It does not return.
func (r *Run) Failf(format string, args ...any) {
	r.Fail(fmt.Sprintf(format, args...))
	r.stop()
}

// stop leaves the thread where it is, for ever.
func (r *Run) stop() {
	for {
		r.current.co.yield(struct{}{})
	}
}

// Step is called before an operation that others can notice: what it is, and, if
// it may have to wait, what must be open.
func (r *Run) Step(what string, g Gate) {
	t := r.current
	t.what, t.gate = what, g
	r.pause(t)
	t.gate = nil
	r.note(t, what)
}

// Choose returns one of 0 to n-1, each of them in some schedule.
func (r *Run) Choose(n int) int {
	if n == 1 || !r.exploring {
		return 0
	}
	return r.search.choose(nil, n)
}

// Spin lets others go on until something has changed, or nobody else can.
func (r *Run) Spin() {
	t := r.current
	t.what, t.spins, t.seen = "spin", true, r.version
	r.pause(t)
	t.spins = false
	r.note(t, "spins")
}

// Changed says that an operation has changed something.
func (r *Run) Changed() { r.version++ }

// pause lets the search decide who goes on, until it is t.
func (r *Run) pause(t *thread) {
	if r.failure != "" {
		r.stop()
	}
	next := r.pick(t)
	if next == t {
		return
	}
	r.next = next // nil ends the run
	t.co.yield(struct{}{})
	if r.failure != "" {
		r.stop()
	}
}

// pick chooses the next thread. t is at a step, or nil if there is none that
// could just go on.
func (r *Run) pick(t *thread) *thread {
	if r.steps++; r.steps > mostSteps {
		r.Fail(fmt.Sprintf("no end after %d steps", mostSteps))
		return nil
	}
	for {
		r.look()
		able, must := r.able(t)
		n := len(able)
		if n == 0 {
			if next := r.resting(calm); next != nil {
				return next
			}
			if r.ring() {
				continue
			}
			return r.settled()
		}
		if !r.exploring {
			return able[0]
		}
		k := n
		if r.early && len(r.alarms) > 0 {
			k++
		}
		if k == 1 || must && r.bound == 0 {
			return able[0]
		}
		chosen := r.search.choose(able[:n], k)
		if must && chosen > 0 {
			r.preempted++
			r.bound-- // below zero it stays there
		}
		if chosen < n {
			return able[chosen]
		}
		r.ring()
	}
}

// able lists who can go on: the current thread first, if it is one of them.
// must says that another one would preempt it.
func (r *Run) able(t *thread) (able []*thread, must bool) {
	r.enabled = r.enabled[:0]
	on := t != nil && !t.spins && t.can()
	if on {
		r.enabled = append(r.enabled, t)
	}
	for _, o := range r.threads {
		if !o.over && (o != t || !on) && (!o.spins || o.seen != r.version) && o.can() {
			r.enabled = append(r.enabled, o)
		}
	}
	if len(r.enabled) == 0 { // then nothing will change, and who spins learns that
		for _, o := range r.threads {
			if !o.over && o.spins {
				r.enabled = append(r.enabled, o)
			}
		}
	}
	return r.enabled, on
}

func (t *thread) can() bool { return t.gate == nil || t.gate.Open() }

// settled is called when nobody can go on. It returns a thread that waits for
// that; else this is the end, or a deadlock.
func (r *Run) settled() *thread {
	if t := r.resting(still); t != nil {
		return t
	}
	var waiting []string
	for _, t := range r.threads {
		if !t.over {
			waiting = append(waiting, fmt.Sprintf("%s waits to %s", t.name, t.what))
		}
	}
	if len(waiting) > 0 {
		r.Fail("deadlock: " + strings.Join(waiting, "; "))
	}
	return nil
}

// rest is the gate of a thread that waits until nobody else can go on.
type rest int

const (
	calm  rest = iota // now
	still             // and not later either
)

func (rest) Open() bool { return false }

// resting returns a thread that waits at the gate.
func (r *Run) resting(g rest) *thread {
	for _, t := range r.threads {
		if t.gate == g && !t.over {
			return t
		}
	}
	return nil
}

// Op is one of the things that are to happen at once.
type Op struct {
	Name string
	Do   func()
}

// Together explores every order in which the operations can happen, together
// with whatever threads run already. Whenever nobody can go on, judge is called
// with those operations that have not ended, and only then time passes: a sleeper
// that nobody has woken is seen before its own timer wakes it. Together returns
// when there is nothing left to pass time for. Outside of it threads take turns
// in one fixed order.
func (r *Run) Together(judge func(waiting []Thread), ops ...Op) {
	threads := make([]Thread, len(ops))
	for i, op := range ops {
		threads[i] = r.Go(op.Name, op.Do)
	}
	for {
		r.exploring = true
		r.Step("wait until nobody can go on", calm)
		r.exploring = false
		var waiting []Thread
		for _, t := range threads {
			if !t.Over() {
				waiting = append(waiting, t)
			}
		}
		judge(waiting)
		if !r.ring() {
			return
		}
	}
}

// Settle lets all threads run until nobody can go on any more, also not after
// some time.
func (r *Run) Settle() { r.Step("wait until nobody can go on any more", still) }

// Rename gives the calling thread another name.
func (r *Run) Rename(name string) { r.current.name = name }

// note writes a step into the trace, if there is one: who, where, what.
func (r *Run) note(t *thread, what string) {
	if !r.traced {
		return
	}
	if what == "" {
		r.trace = append(r.trace, t.name+": starts")
		return
	}
	r.trace = append(r.trace, fmt.Sprintf("%s: %-18s %s", t.name, what, where()))
}

// where names the line of the program that takes the step.
func where() string {
	var pcs [24]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		f, more := frames.Next()
		if !strings.Contains(f.Function, "internal/sched") || !more {
			name := f.Function[strings.LastIndexByte(f.Function, '/')+1:]
			return fmt.Sprintf("%s  %s:%d", name, f.File[strings.LastIndexByte(f.File, '/')+1:], f.Line)
		}
	}
}
