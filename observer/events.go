package observer

import (
	"strings"
	"time"

	"tinyactor/actor"
)

// How much of a text is kept.
const (
	longestReason = 4 << 10
	longestStack  = 16 << 10
)

// observe takes note of an event. Nothing of it is kept but text: an error may
// refer to whatever the program has.
func (o *Observer) observe(e actor.Event) {
	id := uint64(e.ID)
	if e.Kind == actor.EventEnded {
		defer o.bury(id) // whatever the user's functions do
	}
	reason, value := o.reason(e.Err)
	event := Event{
		Time:    e.Time,
		Kind:    string(e.Kind),
		ID:      id,
		Path:    o.path(e.Path, nil, id, e.Name),
		Process: e.Process,
		Reason:  reason,
		Stack:   o.redact.text(TextStack, shorten(e.Stack, longestStack)),
		Count:   e.Count,
		Attempt: e.Attempt,
		Delay:   e.After,
	}
	if e.Type != "" {
		event.Type = o.redact.text(TextType, e.Type)
	}

	o.keep(e, event, value)
	if e.Kind == actor.EventPanicked || e.Kind == actor.EventStuck {
		o.flight.save()
	}
	if e.Kind == actor.EventExited || e.Kind == actor.EventStuck {
		if o.alarm.any.Load() { // those who are left may wait for each other now
			(*sink)(o).Waits()
		}
	}
}

// keep adds an event to what is known.
func (o *Observer) keep(e actor.Event, event Event, value string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ring.add(event)
	switch e.Kind {
	case actor.EventPanicked:
		o.panics++
	case actor.EventRestarting:
		o.restarts++
	default:
	}
	if a := o.entries[event.ID]; a != nil {
		a.note(e, event, value)
	}
}

// note is what an event says of its actor. Observer.mu is held.
func (a *entry) note(e actor.Event, event Event, value string) {
	switch e.Kind {
	case actor.EventExited:
		a.exit = &Exit{Time: e.Time, Process: e.Process, Reason: event.Reason}
	case actor.EventPanicked:
		a.panics++
		a.panicked = &Panic{Time: e.Time, Process: e.Process, Value: value, Stack: event.Stack}
	case actor.EventRestarting:
		a.restarts.add(e.Time, e.Process, e.Time.Add(e.After))
	case actor.EventStarted, actor.EventRestarted, actor.EventReplaced, // it is up
		actor.EventIgnored, actor.EventStartFailed, actor.EventLimitExceeded, actor.EventEscalated: // it will not be, unless another restart follows
		a.restarts.over(e.Process)
	default:
	}
}

// shorten cuts a text that is too long.
func shorten(text string, longest int) string {
	if len(text) <= longest {
		return text
	}
	return strings.ToValidUTF8(text[:longest], "") + "…"
}

// ring keeps the last events.
type ring struct {
	limit  int
	events []Event // once it is full, the oldest is at next
	next   int
	seq    uint64
}

func (r *ring) add(e Event) {
	r.seq++
	e.Seq = r.seq
	if len(r.events) < r.limit {
		r.events = append(r.events, e)
		return
	}
	r.events[r.next] = e
	r.next = (r.next + 1) % r.limit
}

// after returns the events that follow number seq, as far as they are kept, the
// oldest first.
func (r *ring) after(seq uint64) []Event {
	n := len(r.events)
	if seq >= r.seq {
		return []Event{}
	}
	n = int(min(uint64(n), r.seq-seq))
	after := make([]Event, 0, n)
	for i := len(r.events) - n; i < len(r.events); i++ {
		after = append(after, r.events[(r.next+i)%len(r.events)])
	}
	return after
}

// after returns the events that follow number seq, as far as they are kept, the
// oldest first.
func (o *Observer) after(seq uint64) []Event {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ring.after(seq)
}

// inOrder brings events into the order in which they happened: what a supervisor
// tells of its child comes on another way than what the child does. Only neighbours
// change places, whatever the clock does.
func inOrder(events []Event) []Event {
	overtaken := func(before, e Event) bool {
		d := before.Time.Sub(e.Time)
		return d > 0 && d < time.Second
	}
	for i := range events {
		for ; i > 0 && overtaken(events[i-1], events[i]); i-- {
			events[i-1], events[i] = events[i], events[i-1]
		}
	}
	return events
}

// mostTimes is how many restarts of one actor are remembered with their time.
const mostTimes = 1000

// restartLog is what is known of the restarts of one worker.
type restartLog struct {
	total   int
	times   []time.Time       // the latest
	pending map[int]time.Time // when the next comes, by process; -1: of all
}

func (l *restartLog) add(now time.Time, process int, until time.Time) {
	l.total++
	if len(l.times) == mostTimes {
		l.times = append(l.times[:0], l.times[mostTimes/2:]...)
	}
	l.times = append(l.times, now)
	if l.pending == nil {
		l.pending = make(map[int]time.Time)
	}
	l.pending[process] = until
}

// over notes that a process is up again, or will not be; or that of the actor as
// a whole.
func (l *restartLog) over(process int) {
	if process < 0 {
		l.pending = nil
		return
	}
	delete(l.pending, process)
}

// within counts the restarts from now - period on.
func (l *restartLog) within(period time.Duration, now time.Time) int {
	n := 0
	for i := len(l.times) - 1; i >= 0 && now.Sub(l.times[i]) <= period; i-- {
		n++
	}
	return n
}

// until is when the first restart comes that is awaited, or nil.
func (l *restartLog) until() *time.Time {
	var first *time.Time
	for _, t := range l.pending {
		if first == nil || t.Before(*first) {
			first = &t
		}
	}
	return first
}
