package faults_test

import (
	"errors"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// seat is a process number of an actor.
type seat struct {
	id    actor.ID
	index int
}

// end is when an actor closed, and when it ended.
type end struct{ closed, ended time.Time }

// ends returns the ends of all actors. mu is held.
func (w *world) ends() map[actor.ID]end {
	workers := make(map[actor.ID]bool)
	for _, x := range w.targets {
		workers[x.addr.ID()] = x.worker
	}
	ends := make(map[actor.ID]end)
	for _, e := range w.events {
		at := ends[e.ID]
		switch e.Kind {
		case actor.EventEnded:
			at.ended = e.Time
		case actor.EventHalted, actor.EventAborted:
			if workers[e.ID] || e.Count > 0 { // that closes nothing
				continue
			}
		case actor.EventClosed:
		default:
			continue
		}
		if at.closed.IsZero() {
			at.closed = e.Time
		}
		ends[e.ID] = at
	}
	return ends
}

// exitsOnce checks that each process has exited once, that each actor has ended
// once and after its processes, and that nothing but what is stuck was told to
// be stuck.
func (w *world) exitsOnce() {
	w.mu.Lock()
	defer w.mu.Unlock()
	lives := make(map[seat]int) // how many processes of a seat live
	stuck := make(map[seat]int) // how many of them are stuck
	panics := make(map[actor.ID]int)
	hooks := make(map[actor.ID]int)
	back := make(map[actor.ID]int)
	ended := make(map[actor.ID]bool)
	names := make(map[actor.ID]string)
	for _, e := range w.events {
		at := seat{e.ID, e.Process}
		names[e.ID] = e.Name
		if ended[e.ID] && (e.Kind == actor.EventSpawned || e.Kind == actor.EventExited || e.Kind == actor.EventEnded) {
			w.wrong("%s told of %q after its end", e.Name, e.Kind)
		}
		switch e.Kind {
		case actor.EventSpawned:
			lives[at]++
		case actor.EventExited:
			if lives[at]--; lives[at] < 0 {
				w.wrong("process %d of %s has exited twice", e.Process, e.Name)
			}
		case actor.EventStuck:
			stuck[at]++
			w.happen("stuck")
		case actor.EventReleased:
			if stuck[at]--; stuck[at] < 0 {
				w.wrong("process %d of %s was released and was not stuck", e.Process, e.Name)
			}
		case actor.EventPanicked:
			if e.Process >= 0 {
				panics[e.ID]++
			} else {
				hooks[e.ID]++
			}
		case actor.EventUndelivered:
			back[e.ID] += e.Count
		case actor.EventEnded:
			ended[e.ID] = true
		case actor.EventStartFailed, actor.EventIgnored, actor.EventRestarted, actor.EventReplaced,
			actor.EventEscalated, actor.EventIgnoredHalt:
			w.happen("event: " + string(e.Kind))
		default:
		}
	}
	for at, n := range lives {
		if n != 0 {
			w.wrong("process %d of %s has not exited", at.index, names[at.id])
		}
	}
	for at, n := range stuck {
		if n != 0 {
			w.wrong("process %d of %s is still stuck", at.index, names[at.id])
		}
	}
	for id := range names {
		if !ended[id] {
			w.wrong("%s has not ended", names[id])
		}
	}
	for _, x := range w.targets {
		id, n := x.addr.ID(), 0
		for _, p := range w.procs {
			if p.of == x && p.end == inPanic {
				n++
			}
		}
		if panics[id] != n || hooks[id] != x.hookPanic {
			w.wrong("%s told of %d panics of bodies and %d of hooks, and there were %d and %d", x.name, panics[id], hooks[id], n, x.hookPanic)
		}
		if back[id] != x.back {
			w.wrong("%s told of %d undelivered messages, and there were %d", x.name, back[id], x.back)
		}
	}
}

// exitsTrue checks that how each process of an actor is reported to have ended
// is how it has.
func (w *world) exitsTrue(x *target, exits []actor.Exit[int]) {
	w.mu.Lock()
	defer w.mu.Unlock()
	of := make(map[int]*process)
	for _, p := range w.procs {
		if p.of == x {
			of[p.index] = p
		}
	}
	seen := make(map[int]bool)
	for _, e := range exits {
		p := of[e.Index]
		switch {
		case p == nil:
			w.wrong("%s says how process %d ended, which never ran", x.name, e.Index)
			continue
		case seen[e.Index]:
			w.wrong("%s says twice how process %d ended", x.name, e.Index)
		case !p.endedWith(e.Err):
			w.wrong("%s ended with %v (%v), and its exit is %v", p.who, p.end, p.err, e.Err)
		case p.end == returned && e.Err == nil && e.Value != e.Index:
			w.wrong("%s returned %d, and its exit says %d", p.who, p.index, e.Value)
		}
		seen[e.Index] = true
	}
	if len(seen) != len(of) {
		w.wrong("%s had %d processes, and %d exits", x.name, len(of), len(seen))
	}
}

// endedWith reports whether err says how the process ended.
func (p *process) endedWith(err error) bool {
	pe, panicked := errors.AsType[*actor.PanicError](err)
	switch p.end {
	case inPanic:
		return panicked && pe.Value == p.who
	case inGoexit:
		return errors.Is(err, actor.ErrGoexit) && !panicked
	case unwound:
		return errors.Is(err, actor.ErrAborted) && !panicked && !errors.Is(err, actor.ErrGoexit)
	}
	if p.err == nil || p.err == actor.ErrHalted || p.err == actor.ErrClosed {
		return err == nil
	}
	return errors.Is(err, p.err)
}

// childrenStopped checks that what a process has spawned is told to stop at once
// when its body has ended, unless that was detached.
func (w *world) childrenStopped() {
	w.mu.Lock()
	defer w.mu.Unlock()
	ends := w.ends()
	for _, x := range w.targets {
		if p := x.parent; p != nil && !x.detached && p.of.plan.hook != hookHangs {
			w.happen("child of a process")
			if told := ends[x.addr.ID()].closed; told.After(p.overAt) {
				w.wrong("%s ended at %v, and %s, its child, was told to stop at %v", p.who, p.overAt.Sub(w.began), x.name, told.Sub(w.began))
			}
		}
	}
}

// restartsLimited checks that no supervisor made more restarts than its limit
// allows, nor gave up before that.
func (w *world) restartsLimited() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.tree == nil {
		return
	}
	limits := make(map[string]supervisor.Limit)
	for _, n := range w.tree.node.all(nil) {
		if n.worker == nil {
			limits[n.name] = n.limit
		}
	}
	names := make(map[actor.ID]string)
	restarts := make(map[actor.ID][]time.Time) // of the supervisor's incarnation
	stuck := false
	for _, e := range w.events {
		switch e.Kind {
		case actor.EventSpawned:
			names[e.ID] = e.Name
			if _, ok := limits[e.Name]; ok {
				restarts[e.ID] = nil
			}
		case actor.EventStuck:
			stuck = true // a stuck process that is replaced counts and is no restart
		case actor.EventRestarting, actor.EventLimitExceeded:
			l, ok := limits[names[e.Parent]]
			if !ok {
				w.wrong("%s is restarted by %d, which is no supervisor", e.Name, e.Parent)
				continue
			}
			most := max(l.Restarts, 0)
			n := 1
			for _, at := range restarts[e.Parent] {
				if e.Time.Sub(at) <= l.Period {
					n++
				}
			}
			restarts[e.Parent] = append(restarts[e.Parent], e.Time)
			w.happen("event: " + string(e.Kind))
			if e.Kind == actor.EventRestarting && n > most {
				w.wrong("%s made %d restarts within %v, and its limit is %d", names[e.Parent], n, l.Period, most)
			} else if e.Kind == actor.EventLimitExceeded && n <= most && !stuck {
				w.wrong("%s gave up at restart %d within %v, and its limit is %d", names[e.Parent], n, l.Period, most)
			}
		default:
		}
	}
}
