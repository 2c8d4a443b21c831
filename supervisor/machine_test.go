package supervisor

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"tinyactor/actor"
)

var (
	randomRuns = flag.Int("machine.runs", 0, "how many random schedules TestMachineAlwaysEnds tries (0: 3000, fewer with -short)")
	randomSeed = flag.Uint64("machine.seed", 0, "try only this schedule, and print it")
)

// world is what a machine is in, as far as a test needs it: processes that do
// as they were told, or not, timers, and people who ask for things.
type world struct {
	t     *testing.T
	rng   *rand.Rand
	m     *machine
	cfg   config
	specs map[int]Child
	lastN int // the highest id

	now     time.Duration
	procs   []*proc
	timers  map[timer]time.Duration
	closing map[int]bool
	stuck   []*proc
	asked   map[int]bool // answered
	ending  bool
	aborted bool
	counted []time.Duration // restarts

	finished bool
	log      []string
	broken   string
}

type proc struct {
	child, process, incarnation int
	waits                       bool // has not called Started
	told, aborted               bool
}

func TestMachineAlwaysEnds(t *testing.T) {
	runs := *randomRuns
	switch {
	case runs > 0:
	case testing.Short():
		runs = 500
	default:
		runs = 3000
	}
	if *randomSeed != 0 {
		w := newWorld(t, *randomSeed)
		w.live()
		for _, line := range w.log {
			t.Log(line)
		}
		if w.broken != "" {
			t.Error(w.broken)
		}
		return
	}
	for number := uint64(1); number <= uint64(runs); number++ {
		w := newWorld(t, number)
		if w.live(); w.broken != "" {
			t.Fatalf("%s\n%s, seed %d: -run TestMachineAlwaysEnds -machine.seed=%d shows all of it",
				w.log[len(w.log)-1], w.broken, number, number)
		}
	}
}

func newWorld(t *testing.T, number uint64) *world {
	rng := rand.New(rand.NewPCG(number, 1))
	w := &world{t: t, rng: rng, specs: map[int]Child{}, timers: map[timer]time.Duration{}, closing: map[int]bool{}, asked: map[int]bool{}}
	w.cfg = config{
		strategy: Strategy(rng.IntN(3)),
		limit:    Limit{Restarts: rng.IntN(8), Period: time.Duration(1+rng.IntN(3000)) * time.Millisecond},
		auto:     AutoShutdown(rng.IntN(3)),
		dynamic:  rng.IntN(4) == 0,
		root:     rng.IntN(2) == 0,
	}
	var seeds []seed
	if w.cfg.dynamic {
		w.cfg.auto, w.cfg.max, w.cfg.strategy = Never, rng.IntN(6), OneForOne
	} else {
		for range rng.IntN(7) {
			w.lastN++
			w.specs[w.lastN] = w.child(fmt.Sprint("c", w.lastN))
			seeds = append(seeds, seed{spec: w.specs[w.lastN]})
		}
	}
	w.m = newMachine(w.cfg, seeds)
	return w
}

// child makes a child with all sorts of settings.
func (w *world) child(name string) Child {
	r := w.rng
	if r.IntN(8) == 0 {
		return &Spec{Name: name, Restart: Restart(r.IntN(3)), AbortTimer: time.Duration(r.IntN(3)-1) * time.Second}
	}
	c := &Worker[int]{
		Name:       name,
		Restart:    Restart(r.IntN(3)),
		Drain:      r.IntN(4) == 0,
		AbortTimer: time.Duration(r.IntN(4)-1) * time.Second,
		OnStuck:    StuckPolicy(r.IntN(3)),
	}
	if r.IntN(4) == 0 {
		c.Processes = 1 + r.IntN(3)
	}
	if r.IntN(2) == 0 {
		c.AwaitStart = time.Duration(1+r.IntN(3)) * time.Second
	}
	if r.IntN(3) == 0 {
		c.Backoff = Backoff{Min: time.Duration(r.IntN(2)) * time.Second, Max: 3 * time.Second}
	}
	c.Significant = w.cfg.auto != Never && c.Restart != Permanent && r.IntN(2) == 0
	return c
}

// live lets things happen, and then stops the supervisor.
func (w *world) live() {
	w.step(event{kind: evStart})
	for i := 0; i < 60 && !w.finished && w.broken == ""; i++ {
		w.something()
	}
	end := event{kind: evStop, terminal: w.rng.IntN(2) == 0}
	if w.rng.IntN(4) == 0 {
		end.kind = evAbort
	}
	w.step(end)
	for i := 0; i < 2000 && !w.finished && w.broken == ""; i++ {
		switch {
		case w.rng.IntN(20) == 0:
			w.request()
		case !w.duty():
			w.fail("nothing is left to happen, and the supervisor has not ended")
		}
	}
	if !w.finished {
		w.fail("the supervisor does not end")
	}
	for r, answered := range w.asked {
		if !answered {
			w.fail(fmt.Sprintf("request %d is not answered", r))
		}
	}
	if len(w.procs) > 0 {
		w.fail("a process is left")
	}
}

func (w *world) fail(what string) {
	if w.broken == "" {
		w.broken = what
	}
}

// something is an event of any kind that is possible.
func (w *world) something() {
	r := w.rng
	switch k := r.IntN(10); {
	case k < 2:
		w.request()
	case k < 3 && len(w.stuck) > 0:
		w.release()
	case k < 7 && len(w.procs) > 0:
		w.process(w.procs[r.IntN(len(w.procs))])
	default:
		w.duty()
	}
}

// duty is something that happens by itself sooner or later, if there is anything.
func (w *world) duty() bool {
	r := w.rng
	for c := range w.closing {
		if !slices.ContainsFunc(w.procs, func(p *proc) bool { return p.child == c }) {
			delete(w.closing, c)
			w.step(event{kind: evClosed, child: c})
			return true
		}
	}
	var due []*proc
	for _, p := range w.procs {
		if p.aborted || p.waits || p.told && r.IntN(2) == 0 {
			due = append(due, p)
		}
	}
	switch {
	case len(due) > 0 && (len(w.timers) == 0 || r.IntN(2) == 0):
		w.process(due[r.IntN(len(due))])
	case len(w.timers) > 0:
		w.ring()
	case len(due) > 0:
		w.process(due[0])
	case slices.ContainsFunc(w.procs, func(p *proc) bool { return p.told }): // by and by
		w.process(w.procs[slices.IndexFunc(w.procs, func(p *proc) bool { return p.told })])
	case len(w.stuck) > 0:
		w.release()
	default:
		w.idle()
		return false
	}
	return true
}

// ring lets the timer run out that is the next.
func (w *world) ring() {
	var next timer
	first := true
	for t, at := range w.timers {
		if first || at < w.timers[next] || at == w.timers[next] && t.seq < next.seq {
			next, first = t, false
		}
	}
	w.now = max(w.now, w.timers[next])
	delete(w.timers, next)
	w.step(event{kind: evTimer, timer: next})
}

// process lets a process do something.
func (w *world) process(p *proc) {
	r := w.rng
	e := event{child: p.child, process: p.process, incarnation: p.incarnation}
	switch {
	case p.waits && !p.told && r.IntN(2) == 0:
		p.waits = false
		e.kind = evUp
		w.step(e)
		return
	case p.aborted && r.IntN(3) == 0:
		e.kind, e.err = evStuck, actor.ErrStuck
		w.stuck = append(w.stuck, p)
	default:
		e.kind = evExit
		switch r.IntN(5) {
		case 0, 1:
			e.exit = exitNormal
		case 2, 3:
			e.exit, e.err = exitFailed, errCrash
		default:
			if p.waits {
				e.exit, e.err = exitIgnored, ErrIgnore
			}
		}
	}
	w.procs = slices.DeleteFunc(w.procs, func(q *proc) bool { return q == p })
	w.step(e)
}

func (w *world) release() {
	i := w.rng.IntN(len(w.stuck))
	p := w.stuck[i]
	w.stuck = slices.Delete(w.stuck, i, i+1)
	w.step(event{kind: evReleased, child: p.child, process: p.process})
}

// request lets somebody ask for something.
func (w *world) request() {
	r := w.rng
	e := event{kind: evAdd + eventKind(r.IntN(5)), request: len(w.asked) + 1}
	if r.IntN(3) == 0 {
		e.from = 1 + r.IntN(w.lastN+1)
		if w.specs[e.from] == nil {
			e.from = 0
		}
	}
	w.asked[e.request] = false
	switch e.kind {
	case evAdd:
		w.lastN++
		e.child = w.lastN
		e.spec = w.child(fmt.Sprint("c", 1+r.IntN(w.lastN)))
		w.specs[e.child] = e.spec
	default:
		e.child = 1 + r.IntN(w.lastN+1)
	}
	w.step(e)
}

// step steps and does what the machine says.
func (w *world) step(e event) {
	w.now += time.Duration(w.rng.IntN(200)) * time.Millisecond
	w.ending = w.ending || e.kind == evStop || e.kind == evAbort
	w.aborted = w.aborted || e.kind == evAbort
	e.at, e.lot = w.now, w.rng.Float64()
	w.log = append(w.log, fmt.Sprintf("%v", e))
	for _, a := range w.m.step(e) {
		w.log = append(w.log, fmt.Sprintf("    %v", a))
		w.perform(a)
	}
	w.check()
}

func (w *world) perform(a action) {
	if w.finished && a.kind != actReply && a.note != noteReleased {
		w.fail("something after the end")
	}
	switch a.kind {
	case actStart:
		w.start(a)
	case actHalt, actAbort:
		w.inOrder(a)
		w.tell(a)
	case actClose:
		w.inOrder(a)
		if w.closing[a.child] {
			w.fail("closed twice")
		}
		w.closing[a.child] = true
	case actArm:
		w.timers[a.timer] = w.now + a.after
	case actCancel:
		if _, ok := w.timers[a.timer]; !ok {
			w.fail("a timer is cancelled that does not run")
		}
		delete(w.timers, a.timer)
	case actReply:
		if answered, ok := w.asked[a.request]; !ok || answered {
			w.fail("a request is answered twice, or nobody's")
		}
		w.asked[a.request] = true
	case actNote:
		w.ending = w.ending || a.note == noteEscalated
		if a.note == noteRestarting {
			w.counts()
		}
	case actFinish:
		w.finished = true
	}
}

func (w *world) start(a action) {
	for _, p := range w.procs {
		if p.child == a.child && p.process == a.process {
			w.fail("a process is started beside one that lives")
		}
	}
	if w.ending || w.closing[a.child] {
		w.fail("a process is started that must not be")
	}
	p := w.specs[a.child].plan()
	for _, q := range w.stuck {
		if q.child == a.child && q.process == a.process && p.onStuck != StuckReplace {
			w.fail("a process is started beside one that is stuck")
		}
	}
	w.procs = append(w.procs, &proc{child: a.child, process: a.process, incarnation: a.incarnation, waits: p.await})
}

func (w *world) tell(a action) {
	some := false
	for _, p := range w.procs {
		if p.child == a.child && (a.process == all || a.process == p.process && a.incarnation == p.incarnation) {
			some = true
			p.told = true
			p.aborted = p.aborted || a.kind == actAbort
		}
	}
	if !some && !(w.closing[a.child] && a.kind == actAbort) {
		w.fail("nobody is told to stop")
	}
}

// inOrder checks that an ending supervisor stops a child only when those after
// it are gone (rule 41).
func (w *world) inOrder(a action) {
	if !w.ending || w.aborted || w.cfg.dynamic || a.kind == actAbort {
		return
	}
	for _, p := range w.procs {
		if p.child > a.child {
			w.fail(fmt.Sprintf("child %d is stopped before child %d is gone", a.child, p.child))
		}
	}
	for c := range w.closing {
		if c > a.child {
			w.fail(fmt.Sprintf("child %d is stopped before child %d is closed", a.child, c))
		}
	}
}

// counts checks that there are not too many restarts (rule 25).
func (w *world) counts() {
	w.counted = append(w.counted, w.now)
	n := 0
	for _, at := range w.counted {
		if at >= w.now-w.cfg.limit.Period {
			n++
		}
	}
	if n > w.cfg.limit.Restarts {
		w.fail(fmt.Sprintf("%d restarts within the period", n))
	}
}

// check compares what the machine keeps with what follows from the rest.
func (w *world) check() {
	m := w.m
	var figures Counts
	doomed, newcomers, procs := 0, 0, 0
	var before *child
	for c := m.first; c != nil; before, c = c, c.next {
		live, pend, waits := 0, 0, 0
		for i := range c.numbers {
			switch n := &c.numbers[i]; n.state {
			case arising:
				waits++
				live++
			case up:
				live++
			case delayed, gated:
				pend++
			}
			figures.Stuck += c.numbers[i].stuck
		}
		if live != c.live || pend != c.pend || waits != c.arising || c.prev != before || m.byID[c.id] != c {
			w.fail(fmt.Sprintf("child %d is not what it says", c.id))
		}
		if c.doomed {
			doomed++
		}
		if c.new {
			newcomers++
		}
		procs += live
		figures.Specs++
		if c.supervisor {
			figures.Supervisors++
		} else {
			figures.Workers++
		}
		if live > 0 {
			figures.Active++
		}
		w.checkPhase(c)
	}
	for _, ghosts := range m.ghosts {
		for _, k := range ghosts {
			figures.Stuck += k
		}
	}
	if figures != m.figures || doomed != m.doomed || newcomers != m.newcomer || len(m.byID) != figures.Specs || m.last != before {
		w.fail(fmt.Sprintf("figures %+v, want %+v; doomed %d, want %d; new %d, want %d", m.figures, figures, m.doomed, doomed, m.newcomer, newcomers))
	}
	if procs != len(w.procs) {
		w.fail(fmt.Sprintf("%d processes live, want %d", procs, len(w.procs)))
	}
}

func (w *world) checkPhase(c *child) {
	bad := false
	switch c.phase {
	case down, waiting:
		bad = c.live+c.pend > 0
	case starting:
		bad = c.arising == 0 && !c.doomed || c.pend > 0
	case running:
		bad = c.vacant() && !c.doomed
	case stopping:
		bad = c.live == 0 || c.pend > 0
	case closing:
		bad = !w.closing[c.id] || c.pend > 0
	}
	if bad {
		w.fail(fmt.Sprintf("child %d is in phase %d: %+v", c.id, c.phase, *c))
	}
}

// idle: with nothing left to happen, nobody waits for anything.
func (w *world) idle() {
	for c := w.m.first; c != nil; c = c.next {
		if c.phase == waiting || c.phase == closing || c.doomed {
			w.fail(fmt.Sprintf("child %d waits for nothing, in phase %d", c.id, c.phase))
		}
	}
}
