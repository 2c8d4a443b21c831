package observer

import (
	"cmp"
	"math"
	"runtime"
	"runtime/metrics"
	"slices"
	"sort"
	"time"

	"tinyactor/internal/inspect"
	"tinyactor/supervisor"
)

// sight is one actor as one look found it.
type sight struct {
	living
	reading inspect.Reading
	counts  counts         // as they were after that reading
	waits   []inspect.Wait // for this one
}

// sights are all actors as one look found them, in the order of their ids.
type sights []sight

// of returns the one of an id, or nil.
func (all sights) of(id uint64) *sight {
	i := sort.Search(len(all), func(i int) bool { return all[i].id >= id })
	if i == len(all) || all[i].id != id {
		return nil
	}
	return &all[i]
}

func (all sights) sort() {
	slices.SortFunc(all, func(a, b sight) int { return cmp.Compare(a.id, b.id) })
}

// Snapshot returns what there is at this moment, of each actor at a moment of
// its own. It waits for no actor. It takes some microseconds per actor.
func (o *Observer) Snapshot() Snapshot {
	now, all, deadlocks, news := o.look()
	o.report(all, news)
	s := Snapshot{
		Schema:    Schema,
		Time:      now,
		Program:   o.program,
		Actors:    make([]Actor, len(all)),
		Deadlocks: make([]Deadlock, len(deadlocks)),
		Actions:   o.opts.Actions,
	}
	for i, c := range deadlocks {
		s.Deadlocks[i] = o.describe(all, c)
	}
	s.Waits, s.Totals.Waiting = o.waits(all)
	doing := activities(all)
	for i := range all {
		o.show(&s.Actors[i], now, all, &all[i], doing)
		s.Totals.add(&s.Actors[i])
	}
	s.Program.Procs = runtime.GOMAXPROCS(0)
	s.Program.Goroutines = runtime.NumGoroutine()
	s.Program.Heap = heap()

	o.mu.Lock()
	defer o.mu.Unlock()
	s.Totals.Accepted, s.Totals.Received, s.Totals.Undelivered = o.total.accepted, o.total.received, o.total.undelivered
	s.Totals.Rate = o.rate.read(now, o.total)
	s.Totals.Restarts, s.Totals.Panics = o.restarts, o.panics
	s.Events = inOrder(o.ring.after(0))
	return s
}

// look reads all actors, and returns them with the deadlocks there are and those
// that are new. It makes no text: Options.Redact is the user's function, and is
// called with no lock held.
func (o *Observer) look() (now time.Time, all sights, deadlocks, news []cycle) {
	o.looking.Lock()
	defer o.looking.Unlock()
	now = time.Now()
	all = o.read()
	deadlocks, news = o.deadlocks(now, all)
	return now, all, deadlocks, news
}

// read reads all actors.
func (o *Observer) read() sights {
	alive := o.living()
	slices.SortFunc(alive, func(a, b living) int { return cmp.Compare(a.id, b.id) })
	all := make(sights, 0, len(alive))
	for _, l := range alive {
		r := l.Read()
		o.mu.Lock()
		o.account(l.entry, r)
		now := l.counts
		o.mu.Unlock()
		if !r.Ended {
			all = append(all, sight{living: l, reading: r, counts: now, waits: l.Waits()})
		}
	}
	return all
}

// show fills in what is to be seen of an actor. Its numbers are those of this look,
// whatever looks at the same time have counted since: they add up.
func (o *Observer) show(a *Actor, now time.Time, all sights, x *sight, doing map[uint64]activity) {
	r, length := &x.reading, x.counts.length()
	busy := r.Processes - r.Idle
	var sup, above *supervision
	if sup = supervisionOf(r); r.Supervised {
		if up := all.of(r.Parent); up != nil {
			above = supervisionOf(&up.reading)
		}
	}
	*a = Actor{
		ID:          x.id,
		Name:        o.redact.text(TextName, x.Name),
		Path:        o.path(r.Path, all, x.id, x.Name),
		Parent:      r.Parent,
		Kind:        kindOf(r, sup),
		Message:     o.redact.text(TextType, x.Message),
		Since:       x.since,
		Processes:   Processes{Total: r.Processes, Busy: max(busy, min(doing[x.id].processes, r.Processes)), Stuck: r.Stuck},
		Accepted:    x.counts.accepted,
		Received:    x.counts.received,
		Undelivered: x.counts.undelivered,
		Queue:       Queue{Length: length, High: max(r.High, length), Limit: r.Limit, Capacity: r.Capacity},
		InQueue:     latency(&x.Queued),
		Handling:    latency(&x.Handled),
		Waiting:     o.waiting(all, x.waits),
	}
	if sup != nil {
		a.Strategy = sup.strategy
	}
	if above != nil {
		a.Restarts.Limit, a.Restarts.Period = above.limit.Restarts, above.limit.Period
	}

	o.mu.Lock()
	e := x.entry
	a.Rate = e.rate.read(now, x.counts)
	a.Exit, a.Panic, a.Panics = e.exit, e.panicked, e.panics
	a.Restarts.Total = e.restarts.total
	a.Restarts.Window = e.restarts.within(a.Restarts.Period, now)
	a.Restarts.Until = e.restarts.until()
	still := e.still.look(now, busy > 0, r.Received)
	if busy > 0 { // else what was received last is done, however it was received
		a.HandSince = earlier(r.HandSince, still)
	}
	o.mu.Unlock()

	a.State = stateOf(r, doing[x.id].state)
	if a.State == StateStopped {
		restarting, known := above.restarting(x.Name)
		switch {
		case restarting, !known && a.Restarts.Until != nil:
			a.State = StateRestarting
		default: // somebody may have stopped it meanwhile, of which no event tells
			a.Restarts.Until = nil
		}
	}
}

// kindOf says what an actor is.
func kindOf(r *inspect.Reading, sup *supervision) Kind {
	switch {
	case sup != nil && sup.dynamic:
		return KindDynamic
	case sup != nil:
		return KindSupervisor
	case r.Supervised:
		return KindWorker
	case r.Pool:
		return KindPool
	}
	return KindActor
}

// stateOf says what an actor is doing. waiting is what its processes do as far as
// they sleep in a Send or an Ask, or "".
func stateOf(r *inspect.Reading, waiting State) State {
	switch {
	case r.Ended:
		return StateEnded
	case r.Stuck > 0:
		return StateStuck
	case r.Supervised && r.Processes == 0:
		return StateStopped
	case r.Aborted:
		return StateAborting
	case r.Halted:
		return StateHalted
	case r.Closed:
		return StateClosed
	case waiting != "":
		return waiting
	case r.Processes > r.Idle:
		return StateBusy
	}
	return StateIdle
}

// activity is what the processes of an actor do that sleep in a Send or an Ask.
type activity struct {
	state     State
	processes int // how many do; also those that watch Ready and so count as idle
}

// activities returns which actors sleep in a Send or an Ask themselves.
func activities(all sights) map[uint64]activity {
	doing := make(map[uint64]activity)
	seen := make(map[node]bool)
	for i := range all {
		for _, w := range all[i].waits {
			d := doing[w.From]
			switch {
			case w.Ask:
				d.state = StateAnswer
			case d.state == "":
				d.state = StateRoom
			}
			if who := (node{w.From, w.FromProcess}); !seen[who] {
				seen[who] = true
				d.processes++
			}
			doing[w.From] = d
		}
	}
	return doing
}

// supervision is what is shown of a supervisor.
type supervision struct {
	*supervisor.Supervisor
	strategy string
	limit    supervisor.Limit
	dynamic  bool
}

// supervisionOf returns that of an actor that is a supervisor, or nil.
func supervisionOf(r *inspect.Reading) *supervision {
	s, ok := r.Supervisor.(*supervisor.Supervisor)
	if !ok {
		return nil
	}
	return &supervision{Supervisor: s, strategy: s.Strategy().String(), limit: s.Limit(), dynamic: s.Dynamic()}
}

// restarting reports whether a child without a process is to get one, if the
// supervisor knows the child by its name. It may have to wait for others of its
// group, of which no event tells.
func (s *supervision) restarting(child string) (yes, known bool) {
	if s == nil || child == "" {
		return false, false
	}
	info, known := s.Which(child)
	return info.State == supervisor.Restarting || info.State == supervisor.Starting, known
}

// latency is what a histogram says.
func latency(h *inspect.Histogram) Latency {
	s := h.Summary()
	return Latency{Count: s.Count, Sum: s.Sum, P50: s.P50, P95: s.P95, P99: s.P99, Max: s.Max, Octaves: Octaves(s.Octaves)}
}

// earlier returns the first of two moments of which each may be missing.
func earlier(a time.Time, b *time.Time) *time.Time {
	if a.IsZero() || b != nil && b.Before(a) {
		return b
	}
	return &a
}

// add adds what is summed over the actors that live.
func (t *Totals) add(a *Actor) {
	t.Actors++
	t.Processes += a.Processes.Total
	t.Busy += a.Processes.Busy
	t.Stuck += a.Processes.Stuck
	t.Length += a.Queue.Length
}

// mostNamed is how many of those who wait for an actor are named with it.
const mostNamed = 8

// outside names a goroutine of no actor.
const outside = "outside"

// waiting sums up who waits for an actor.
func (o *Observer) waiting(all sights, waits []inspect.Wait) *Waiting {
	if len(waits) == 0 {
		return nil
	}
	slices.SortStableFunc(waits, func(a, b inspect.Wait) int { return a.Since.Compare(b.Since) })
	w := &Waiting{Count: len(waits), Since: waits[0].Since}
	for _, x := range waits[:min(len(waits), mostNamed)] {
		w.From = append(w.From, o.nameOf(all, x))
	}
	return w
}

// nameOf names who waits.
func (o *Observer) nameOf(all sights, w inspect.Wait) string {
	switch x := all.of(w.From); {
	case w.From == 0:
		return outside
	case x != nil:
		return o.path(x.reading.Path, all, x.id, x.Name)
	case w.FromName != "":
		return o.redact.text(TextName, w.FromName)
	}
	return idText(w.From)
}

// mostWaits is how many who wait are listed.
const mostWaits = 1000

// waits returns the longest waits for actors, and how many there are.
func (o *Observer) waits(all sights) (list []Wait, n int) {
	list = []Wait{}
	for i := range all {
		for _, w := range all[i].waits {
			kind := "room"
			if w.Ask {
				kind = "answer"
			}
			list = append(list, Wait{From: w.From, Process: w.FromProcess, To: all[i].id, For: kind, Since: w.Since})
		}
	}
	slices.SortStableFunc(list, func(a, b Wait) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	n = len(list)
	return list[:min(n, mostWaits)], n
}

// heap returns how many bytes objects take.
func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return min(sample[0].Value.Uint64(), math.MaxInt64)
}
