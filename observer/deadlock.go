package observer

import (
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"tinyactor/internal/inspect"
)

const (
	// ripe is how long somebody must have waited to be taken for blocked: nearly
	// all waits end sooner, and so do all for which backpressure is the reason.
	ripe = 250 * time.Millisecond

	// mostTries is how often a cycle is looked at that cannot be confirmed. Then
	// it is left alone until another wait of its processes begins.
	mostTries = 5

	// unseenTries is how often a cycle must have been seen as it is if a dump is
	// too short to show whether all of its processes are asleep.
	unseenTries = 2

	// The program stands still while processes are asked whether they are asleep,
	// some ms or, with very many goroutines, a quarter of a second. After that there
	// is a pause: so long, and so many times as long as that took.
	leastPause = 500 * time.Millisecond
	pauseTimes = 4

	// tellAgain is when a deadlock is logged once more that ended, because somebody
	// gave up waiting, and came again.
	tellAgain = time.Minute
)

// deadlockWatch is what the looks for deadlocks remember.
type deadlockWatch struct {
	known []cycle              // that were confirmed
	tries map[string]tries     // of cycles that could not be confirmed, by key
	dump  time.Time            // when it was last asked who is asleep
	pause time.Duration        // how long not again
	told  map[string]time.Time // when a deadlock was logged last, by the way through its actors
}

// tries counts how often it was asked whether the processes of a cycle are asleep.
type tries struct {
	all    int
	unseen int // the last ones, in which nothing said that they are not, but not all were seen
}

// deadlocks returns the deadlocks there are, and which of them are to be logged.
// looking is held.
//
// That a wait is in two readings, with the same beginning, says that it was there
// all the time between them. So what is blocked in both, was at one moment.
func (o *Observer) deadlocks(now time.Time, all sights) (known, news []cycle) {
	w := &o.watch
	g := blocked(edges(all, now), all.live)
	w.known = slices.DeleteFunc(w.known, func(c cycle) bool { return !g.hasAll(c) })

	candidates := g.cycles(w.known)
	tried := make(map[string]tries, len(candidates))
	for _, c := range candidates {
		tried[g.key(c)] = w.tries[g.key(c)]
	}
	w.tries = tried
	news = o.confirm(all, g, candidates)
	for _, c := range news {
		delete(w.tries, g.key(c))
	}
	w.known = append(w.known, news...)
	return slices.Clone(w.known), w.untold(now, news)
}

// untold returns those that were not logged a short while ago.
func (w *deadlockWatch) untold(now time.Time, news []cycle) []cycle {
	maps.DeleteFunc(w.told, func(_ string, at time.Time) bool {
		since := now.Sub(at)
		return since < 0 || since >= tellAgain // below 0 in another bubble
	})
	return slices.DeleteFunc(news, func(c cycle) bool {
		_, told := w.told[c.way()]
		if !told {
			if w.told == nil {
				w.told = make(map[string]time.Time)
			}
			w.told[c.way()] = now
		}
		return told
	})
}

// edges returns the waits of processes that have lasted for a while.
func edges(all sights, now time.Time) []edge {
	var found []edge
	young := make(map[node]bool)
	for i := range all {
		for _, w := range all[i].waits {
			if w.From == 0 || w.FromProcess < 0 {
				continue
			}
			e := edge{from: node{w.From, w.FromProcess}, to: all[i].id, whose: w.Process, ask: w.Ask, since: w.Since}
			if now.Sub(w.Since) < ripe {
				young[e.from] = true
			}
			found = append(found, e)
		}
	}
	return slices.DeleteFunc(found, func(e edge) bool { return young[e.from] })
}

// live is how many processes of an actor live.
func (all sights) live(id uint64) int {
	if x := all.of(id); x != nil {
		return x.reading.Processes
	}
	return 0
}

// hasAll reports whether each wait of a cycle is in the graph.
func (g graph) hasAll(c cycle) bool {
	return !slices.ContainsFunc(c, func(e edge) bool { return !g.has(e) })
}

// confirm returns those cycles whose processes are asleep themselves, not a
// goroutine that they have given their context to, and that a second reading
// shows too.
func (o *Observer) confirm(all sights, g graph, candidates []cycle) []cycle {
	asleep := o.asleep(all, g, slices.DeleteFunc(candidates, func(c cycle) bool { return o.watch.tries[g.key(c)].all >= mostTries }))
	if len(asleep) == 0 {
		return nil
	}
	var again sights
	for i := range all {
		if x := &all[i]; len(x.waits) > 0 {
			again = append(again, sight{living: x.living, reading: x.Read(), waits: x.Waits()})
		}
	}
	still := edges(again, time.Now())
	still = slices.DeleteFunc(still, func(e edge) bool { return !g.has(e) })
	g = blocked(still, again.live)
	return slices.DeleteFunc(asleep, func(c cycle) bool { return !g.hasAll(c) })
}

// asleep returns those cycles whose processes are asleep, as far as that can be
// seen. One look at the goroutines is for all of them.
func (o *Observer) asleep(all sights, g graph, cycles []cycle) []cycle {
	w := &o.watch
	start := time.Now()
	if since := start.Sub(w.dump); len(cycles) == 0 || since >= 0 && since < w.pause { // below 0 in another bubble
		return nil
	}
	var who []inspect.Sleeper // somebody waits for each of them, so each is there
	for _, c := range cycles {
		for _, e := range c {
			who = append(who, inspect.Sleeper{Actor: all.of(e.from.actor).Actor, Process: e.from.process})
		}
	}
	parking := who[0].Actor.Parked(who)
	w.dump = time.Now()
	w.pause = max(leastPause, pauseTimes*w.dump.Sub(start))

	return slices.DeleteFunc(cycles, func(c cycle) bool {
		of := parking[:len(c)]
		parking = parking[len(c):]
		t := w.tries[g.key(c)]
		t.all++
		switch {
		case slices.Contains(of, inspect.Awake):
			t.unseen = 0
		case slices.Contains(of, inspect.Unseen):
			t.unseen++
		default:
			t.unseen = unseenTries
		}
		w.tries[g.key(c)] = t
		return t.unseen < unseenTries
	})
}

// describe says what a deadlock is.
func (o *Observer) describe(all sights, c cycle) Deadlock {
	d := Deadlock{Since: c[0].since}
	parts := make([]string, len(c))
	names := o.namesIn(all, c)
	for i, e := range c {
		what := " waits for room in "
		if e.ask {
			what = " waits for an answer of "
		}
		parts[i] = names[i] + what + names[(i+1)%len(c)]
		d.Actors = append(d.Actors, e.from.actor)
		if e.since.After(d.Since) {
			d.Since = e.since // the last wait closed the cycle
		}
	}
	d.Text = strings.Join(parts, ", ")
	return d
}

// namesIn returns how the actors of a cycle are called.
func (o *Observer) namesIn(all sights, c cycle) []string {
	names := make([]string, len(c))
	for i, e := range c {
		names[i] = o.nameOf(all, inspect.Wait{From: e.from.actor})
	}
	return names
}

// report logs deadlocks that are new.
func (o *Observer) report(all sights, news []cycle) {
	for _, c := range news {
		func() {
			defer func() { _ = recover() }()
			d := o.describe(all, c)
			o.logger().Warn("deadlock: actors wait for each other", "text", d.Text, "actors", o.namesIn(all, c), "ids", d.Actors, "since", d.Since)
		}()
	}
}

// alarm has somebody look who waits for whom. It has a timer only while there is
// a reason to look.
type alarm struct {
	state atomic.Int32
	at    atomic.Int64 // when it was set last, in nanoseconds
	any   atomic.Bool  // somebody waited at the last look
}

// The states of an alarm.
const (
	quiet  int32 = iota
	set          // a look is to come
	called       // and somebody began to wait since
)

// alarmAfter is when a look comes: as soon as a wait that begins now is ripe.
const alarmAfter = ripe + 50*time.Millisecond

// lostAfter is when a look that did not come will not. The timers of a synctest
// bubble go with it, and its time is another than outside.
const lostAfter = 10 * alarmAfter

// Waits sees to it that somebody looks who waits for whom. It is called before a
// wait is to be seen, and so a look follows each call, not too soon after it.
func (s *sink) Waits() {
	a := &s.alarm
	look := func() { time.AfterFunc(alarmAfter, (*Observer)(s).check) }
	now := time.Now().UnixNano()
	for {
		switch state, at := a.state.Load(), a.at.Load(); {
		case state == quiet:
			a.at.Store(now) // first, so that nobody takes it for lost when it is set
			if a.state.CompareAndSwap(quiet, set) {
				look()
				return
			}
		case max(now-at, at-now) > int64(lostAfter):
			if a.at.CompareAndSwap(at, now) {
				look()
				return
			}
		case state == called, a.state.CompareAndSwap(set, called):
			return
		}
	}
}

// check looks who waits for whom. It comes back as long as a wait is not ripe, or
// a cycle not confirmed. All other waits can be part of a new cycle only together
// with a wait that begins later, or because a process ends: both call it.
func (o *Observer) check() {
	again := o.alarm.state.Swap(quiet) == called
	all, news, unsure := o.lookAtWaits()
	if again || unsure {
		(*sink)(o).Waits()
	}
	o.report(all, news)
}

// lookAtWaits returns those for whom somebody waits, which deadlocks are new, and
// whether there may be others that only another look can tell.
func (o *Observer) lookAtWaits() (all sights, news []cycle, unsure bool) {
	o.looking.Lock()
	defer o.looking.Unlock()
	now := time.Now()
	for _, l := range o.living() {
		if waits := l.Waits(); len(waits) > 0 {
			all = append(all, sight{living: l, reading: l.Read(), waits: waits})
			unsure = unsure || slices.ContainsFunc(waits, func(w inspect.Wait) bool { return now.Sub(w.Since) < ripe })
		}
	}
	all.sort()
	o.alarm.any.Store(len(all) > 0)
	_, news = o.deadlocks(now, all)
	for _, t := range o.watch.tries {
		unsure = unsure || t.all < mostTries
	}
	return all, news, unsure
}
