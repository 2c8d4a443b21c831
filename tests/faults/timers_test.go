package faults_test

import (
	"fmt"
	"slices"
	"time"

	"tinyactor/actor"
)

// timer is a SendAfter, a SendEvery or a Watch.
type timer struct {
	letter  *letter
	from    time.Time
	after   time.Duration
	watched *target // of a Watch
	stop    func() bool

	// Guarded by world.mu.
	stopped   time.Time // when stop was called for the first time
	prevented bool      // it said that it prevented a send
	exit      error     // what a Watch was told
}

// arm notes a timer. make starts it, outside of the lock.
func (w *world) arm(x *target, tm *timer, what string, d deed, make func(m msg) func() bool) {
	l, m := w.write(&sender{who: what}, x, d) // its own goroutine sends
	w.mu.Lock()
	l.timed, l.period = true, what == "SendEvery"
	tm.letter, tm.from = l, time.Now()
	w.mu.Unlock()
	stop := make(m)
	w.mu.Lock()
	defer w.mu.Unlock()
	tm.stop = stop
	w.timers = append(w.timers, tm)
}

func (w *world) sendAfter(x *target, d time.Duration, do deed) {
	w.arm(x, &timer{after: d}, "SendAfter", do, func(m msg) func() bool { return x.addr.SendAfter(d, m) })
}

func (w *world) sendEvery(x *target, d time.Duration) {
	w.arm(x, &timer{after: d}, "SendEvery", deed{}, func(m msg) func() bool { return x.addr.SendEvery(d, m) })
}

func (w *world) watch(x, of *target) {
	tm := &timer{watched: of}
	w.arm(x, tm, "Watch", deed{}, func(m msg) func() bool {
		return x.addr.Watch(of.addr, func(exit error) msg {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.happen("watched end")
			tm.exit = exit
			return m
		})
	})
}

// stopTimer stops one of the timers, or stops it again.
func (w *world) stopTimer(n int) {
	w.mu.Lock()
	if len(w.timers) == 0 {
		w.mu.Unlock()
		return
	}
	tm := w.timers[n%len(w.timers)]
	if tm.stopped.IsZero() {
		tm.stopped = time.Now()
	}
	w.mu.Unlock()
	prevented := tm.stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	if prevented {
		w.happen("timer stopped in time")
		if tm.prevented && !tm.letter.period {
			w.wrong("%s said twice that it prevented the same send", tm.letter.from.who)
		}
		tm.prevented = true
	}
}

// stopTicks stops what would else tick until the end.
func (w *world) stopTicks() {
	w.mu.Lock()
	timers := slices.Clone(w.timers) // a process may still start others
	w.mu.Unlock()
	for i, tm := range timers {
		if tm.letter.period && tm.after < 100*ms {
			w.stopTimer(i)
		}
	}
}

// timersKept checks that timers have sent what they should have.
func (w *world) timersKept() {
	w.mu.Lock()
	defer w.mu.Unlock()
	ends := w.ends()
	for _, tm := range w.timers {
		l := tm.letter
		seen := l.received + l.handedBack
		who := fmt.Sprintf("letter %d of a %s to %s", l.id, l.from.who, l.to.name)
		closed := ends[l.to.addr.ID()].closed
		if closed.IsZero() { // a worker that was never part of a tree
			continue
		}
		due := tm.from.Add(tm.after)
		if tm.watched != nil {
			if due = ends[tm.watched.addr.ID()].ended; due.IsZero() {
				continue
			} else if due.Before(tm.from) {
				due = tm.from // it had ended before
			}
		}
		if tm.prevented && seen > 0 && !l.period {
			w.wrong("%s came though it was stopped in time", who)
		}
		until := closed
		if !tm.stopped.IsZero() && tm.stopped.Before(until) {
			until = tm.stopped
		}
		free := capacities[l.to.plan.capacity] == actor.Unbounded() // so no Send waits
		if !l.period {
			if free && due.Before(until) && seen == 0 {
				w.wrong("%s was due at %v and did not come until %v", who, due.Sub(w.began), until.Sub(w.began))
			}
			continue
		}
		span := until.Sub(tm.from)
		most := max(0, int(span/tm.after)) // none if it was closed before
		least := max(0, int((span-1)/tm.after))
		if seen > most || free && seen < least {
			w.wrong("%s came %d times, and should have come %d to %d times in %v", who, seen, least, most, span)
		}
	}
}
