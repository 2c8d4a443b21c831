package actor

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"time"

	"tinyactor/internal/inspect"
	"tinyactor/internal/sched"
)

// sight is what observers see that look into the actor: package observer does.
// The actor keeps it, they have a weak pointer.
type sight struct {
	inspect.Actor
	core       *core
	born       time.Time
	spawned    int // processes there have been; guarded by core.mu
	looks      []inspect.Watcher
	period     time.Duration      // between two timed messages of a process, at least; 0: none is timed
	supervisor sched.Pointer[any] // the *supervisor.Supervisor that the actor is

	// The message that is timed on its way through the queue.
	probes sched.Uint32 // counts beginnings and ends of probes: odd while there is one
	mu     sched.Mutex  // guards the queue's probe
}

// show lets observers look into the actor. mu is held or c is not shared yet.
func (c *core) show(messageType string, looks []inspect.Watcher, samples int) {
	s := &sight{core: c, looks: looks, born: sched.Now()}
	if samples > 0 {
		s.period = max(1, time.Second/time.Duration(samples))
	}
	s.Actor = inspect.Actor{Source: s, ID: uint64(c.id), Name: c.name, Message: messageType}
	c.sight.Store(s)
	for _, w := range looks {
		w.Born(&s.Actor)
	}
}

// sender is who waits in a Send with that context, if somebody looks: a
// *process, nil for a goroutine that belongs to none.
func (c *core) sender(ctx context.Context) any {
	s := c.sight.Load()
	if s == nil {
		return nil
	}
	s.tellWait()
	p := processOf(ctx)
	if p == nil {
		p = handlerOf(ctx)
	}
	return p
}

// awaited notes that an asker falls asleep.
func (c *core) awaited(s *slot) {
	if sight := c.sight.Load(); sight != nil {
		s.since.Store(sight.now())
		sight.tellWait()
	}
}

func (s *sight) tellWait() {
	for _, w := range s.looks {
		w.Waits()
	}
}

// now is the time as a number that is not 0, and that no step of the clock changes.
func (s *sight) now() int64 { return int64(sched.Since(s.born)) + 1 }

// at is the time of such a number, the zero time if it is 0.
func (s *sight) at(now int64) time.Time {
	if now == 0 {
		return time.Time{}
	}
	return s.born.Add(time.Duration(now - 1))
}

// Read returns what the actor shows at this moment.
func (s *sight) Read() inspect.Reading {
	c := s.core
	s.probes.Add(2) // has processes that have become slow time their next message
	r := inspect.Reading{Path: c.path(), Parent: uint64(c.parentID()), Supervised: c.held != nil, Capacity: c.queue.capacityText()}
	if up := s.supervisor.Load(); up != nil {
		r.Supervisor = *up
	}
	c.mu.Lock()
	r.Ended = c.finished // then the counts that follow are final
	c.mu.Unlock()
	q := c.queue.Stats()
	r.Received, r.Undelivered, r.Length, r.High = q.Received, q.Handed, q.Length, q.High
	r.Idle, r.Closed, r.Halted = q.Idle, q.Closed, q.Halted
	r.Limit, r.Start = q.Limit, q.Start

	c.mu.Lock()
	defer c.mu.Unlock()
	r.Processes, r.Spawned, r.Pool = c.live, s.spawned, c.live > 1 || c.next > 1
	r.Aborted = !c.aborted.IsZero()
	for _, p := range c.procs {
		if p.stuck {
			r.Stuck++
			if p.stage == running {
				r.Processes-- // it lives, and will not come back
			}
		}
		if t := p.gauge.handSince(); !t.IsZero() && (r.HandSince.IsZero() || t.Before(r.HandSince)) {
			r.HandSince = t
		}
		if p.life != nil {
			r.Aborted = r.Aborted || !p.life.aborted.IsZero() && p.stage < waiting
			if !r.Halted && p.stage == running {
				at, _ := p.seat.halted()
				r.Halted = !at.IsZero()
			}
		}
	}
	r.Idle = min(r.Idle, r.Processes)
	return r
}

// Waits returns who sleeps in a Send to the actor, or in an Ask of it.
func (s *sight) Waits() []inspect.Wait {
	c := s.core
	var waits []inspect.Wait
	for _, w := range c.queue.Waiting() {
		from, _ := w.From.(*process)
		waits = append(waits, waitOf(from, inspect.Wait{Process: -1, Since: w.Since}))
	}
	waits = s.appendAsks(waits, -1, slots(c.queue.Asks()))
	c.mu.Lock()
	procs := slices.Clone(c.procs)
	c.mu.Unlock()
	for _, p := range procs {
		p.mu.Lock()
		asks := slices.Clone(p.asks)
		p.mu.Unlock()
		waits = s.appendAsks(waits, p.index, asks)
	}
	return waits
}

func slots(tickets []any) []*slot {
	all := make([]*slot, len(tickets))
	for i, t := range tickets {
		all[i] = t.(*slot)
	}
	return all
}

// appendAsks adds the askers of those asks that are open and asleep.
func (s *sight) appendAsks(waits []inspect.Wait, process int, asks []*slot) []inspect.Wait {
	for _, ask := range asks {
		if since := ask.since.Load(); since != 0 && ask.open() {
			from := ask.asker
			if from == nil {
				from = handlerOf(ask.ctx)
			}
			waits = append(waits, waitOf(from, inspect.Wait{Process: process, Ask: true, Since: s.at(since)}))
		}
	}
	return waits
}

// handlerKey is the key of the ask that a Reply's context belongs to.
type handlerKey struct{}

// handlerOf returns the process that has received the ask whose Reply ctx is of,
// or nil: it calls with that context while it handles the message, though not as
// itself. No lock is held.
func handlerOf(ctx context.Context) (found *process) {
	defer func() { _ = recover() }() // the context may be of a user's type
	ask, ok := ctx.Value(handlerKey{}).(*slot)
	if !ok {
		return nil
	}
	c := ask.to.Load()
	if c == nil {
		return nil
	}
	c.mu.Lock()
	procs := slices.Clone(c.procs)
	c.mu.Unlock()
	for _, p := range procs {
		p.mu.Lock()
		has := slices.Contains(p.asks, ask)
		p.mu.Unlock()
		if has {
			return p
		}
	}
	return nil
}

// waitOf adds who waits, nil if that is a goroutine of no process. A process whose
// body has ended counts as none of its actor's. No lock is held.
func waitOf(from *process, w inspect.Wait) inspect.Wait {
	w.FromProcess = -1
	if from == nil {
		return w
	}
	w.From, w.FromName = uint64(from.core.id), from.core.name
	from.core.mu.Lock()
	defer from.core.mu.Unlock()
	if from.stage == running {
		w.FromProcess = from.index
	}
	return w
}

// Stacks returns where the processes are.
func (s *sight) Stacks() map[int]string {
	s.core.mu.Lock()
	procs := slices.Clone(s.core.procs)
	s.core.mu.Unlock()
	at := make(map[int]string, len(procs))
	for p, stack := range findStacks(procs) {
		at[p.index] = stack
	}
	return at
}

// sleepFrames are what a goroutine dump shows of one that sleeps in a Send or an Ask.
var sleepFrames = [...]string{
	reflect.TypeFor[process]().PkgPath() + ".(*slot).await(",
	reflect.TypeFor[process]().PkgPath() + ".(*Address[...]).insist(",
}

// Parked says whether processes themselves sleep in a Send or an Ask, and not
// another goroutine that uses their context.
func (s *sight) Parked(all []inspect.Sleeper) []inspect.Parking {
	procs := make([]*process, len(all))
	for i, w := range all {
		if x, ok := w.Actor.Source.(*sight); ok {
			procs[i] = x.process(w.Process)
		}
	}
	stacks := findStacks(slices.DeleteFunc(slices.Clone(procs), func(p *process) bool { return p == nil }))
	found := make([]inspect.Parking, len(all))
	for i, p := range procs {
		switch stack, ok := stacks[p]; {
		case !ok:
		case slices.ContainsFunc(sleepFrames[:], func(f string) bool { return strings.Contains(stack, f) }):
			found[i] = inspect.Asleep
		default:
			found[i] = inspect.Awake
		}
	}
	return found
}

// process returns the process of an index, the newest if an older one is stuck, or nil.
func (s *sight) process(index int) *process {
	s.core.mu.Lock()
	defer s.core.mu.Unlock()
	for _, p := range slices.Backward(s.core.procs) {
		if p.index == index {
			return p
		}
	}
	return nil
}

// Halt asks the actor to stop, as its owner would.
func (s *sight) Halt() { s.core.halt() }

// Abort tears the actor down.
func (s *sight) Abort() bool { return s.core.abort() }

// gauge times messages of one process: some of them, evenly spread, so that most
// cost no more than a count. It adapts to how fast the process is, so that a slow
// one has each message timed. Its methods but handSince are for the process's
// goroutine; those of a nil gauge do nothing.
type gauge struct {
	sight *sight
	calls *sched.Uint32 // sight.probes
	heard uint32        // its value at the last look

	n    int // receives until it has to look
	span int // what n was set to
	left int // receives until a message is timed, at the last look
	skip int // receives until the probe has to be looked at, at the last look
	seen int // receives since the last beginning, at the last look

	timing bool // the message in hand is timed
	last   time.Time
	since  sched.Int64 // when the message in hand was received, if it is timed; else 0
}

// never is a number of receives that no process makes between two looks.
const never = 1 << 20

func newGauge(s *sight) *gauge {
	return &gauge{sight: s, calls: &s.probes, left: 1, skip: never, n: 1, span: 1}
}

// handled ends the handling of what is in hand.
func (g *gauge) handled() {
	if g != nil && g.timing {
		g.end()
	}
}

//go:noinline
func (g *gauge) end() {
	g.timing = false
	g.sight.Handled.Add(sched.Since(g.last))
	g.since.Store(0)
}

// took is called after a receive that returned n messages.
func (g *gauge) took(n int) {
	if g != nil {
		g.n += 1 - n
		g.tookOne()
	}
}

// tookOne is took(1) of a gauge that is not nil, short enough to be inlined.
func (g *gauge) tookOne() {
	if g.n--; g.n <= 0 || g.calls.Load() != g.heard {
		g.look()
	}
}

// look does what is due.
//
//go:noinline
func (g *gauge) look() {
	calls := g.calls.Load() // before the rest: who begins a probe meanwhile calls again
	called := calls != g.heard
	g.heard = calls
	passed := g.span - g.n
	g.left -= passed
	g.skip -= passed
	g.seen += passed
	if called || g.skip <= 0 {
		g.skip = g.sight.reached()
	}
	if called || g.left <= 0 {
		g.begin()
	}
	g.span = min(g.left, g.skip)
	g.n = g.span
}

// begin times the message in hand, and the next one that enters the queue, if
// the last time is a period ago. If it is not, that comes later than expected:
// when as many again have been received.
func (g *gauge) begin() {
	now, period := sched.Now(), g.sight.period
	elapsed := now.Sub(g.last)
	if elapsed < period {
		if g.left <= 0 {
			g.left = max(1, g.seen)
		}
		return
	}
	g.left = max(1, int(min(float64(g.seen)*float64(period)/float64(elapsed), never)))
	g.last, g.seen = now, 0
	g.timing = true
	g.since.Store(g.sight.now())
	if g.sight.probe() {
		g.skip = 1
	}
}

// handSince is when the message in hand was received, if it is timed.
func (g *gauge) handSince() time.Time {
	if g == nil {
		return time.Time{}
	}
	return g.sight.at(g.since.Load())
}

// probe begins to time a message on its way through the queue, if none is.
func (s *sight) probe() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.probes.Load()%2 == 1 {
		return false
	}
	s.core.queue.Probe()
	s.probes.Add(1)
	return true
}

// reached ends the probe if its message has been received. It returns how many
// messages a process can receive before it need ask again: half of what is left,
// shared among all, so that whoever receives that message finds out at once.
func (s *sight) reached() (skip int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.probes.Load()%2 == 0 {
		return never
	}
	entered, left := s.core.queue.Reached()
	if left > 0 {
		s.core.mu.Lock()
		live := s.core.live
		s.core.mu.Unlock()
		return max(1, left/2/max(1, live))
	}
	s.Queued.Add(sched.Since(entered))
	s.probes.Add(1)
	return never
}
