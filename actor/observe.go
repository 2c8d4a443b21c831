package actor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tinyactor/internal/inspect"
	"tinyactor/internal/sched"
)

// Observer is told what happens to actors: see [WithObserver].
//
// What the library would log by itself, to slog.Default, an observer may log
// instead. One that has a method Logs(EventKind) bool is asked by WithObserver,
// once for each kind; a method LogsPanics() bool stands for that of panics.
type Observer interface {
	// Observe gets the events of one actor one at a time and in their order;
	// those of different actors may come at the same time. It runs on a
	// goroutine of its own: a slow observer gets its events later and stops no
	// actor, and a panic in it is dropped.
	Observe(Event)
}

// EventKind says what happened.
type EventKind string

// The events. They are about life and death; nothing is told per message.
const (
	EventSpawned     EventKind = "spawned"      // a process was made
	EventClosed      EventKind = "closed"       // the actor takes no more messages, without being halted or aborted
	EventHalted      EventKind = "halted"       // all processes are asked to stop, or Count of them
	EventAborted     EventKind = "aborted"      // the actor is torn down
	EventIgnoredHalt EventKind = "ignored halt" // an aborted process had not touched its inbox since it was halted; Stack says where it waited
	EventPanicked    EventKind = "panicked"     // a body or Undelivered panicked: Err, Stack
	EventUndelivered EventKind = "undelivered"  // Count messages of type Type were received by nobody
	EventExited      EventKind = "exited"       // a process ended, with Err
	EventStuck       EventKind = "stuck"        // a process has not ended after an abort: Err, Stack
	EventReleased    EventKind = "released"     // a stuck process has ended after all, with Err
	EventEnded       EventKind = "ended"        // the last process has ended: Done is closed; Err joins theirs
)

// What supervisors tell about their children, beside what the children tell
// themselves. ID and Name are the child's, Supervisor says whose child it is.
const (
	EventStarted       EventKind = "started"        // the child is up, all its processes are
	EventStartFailed   EventKind = "start failed"   // the child, or one process of it, did not come up, because of Err
	EventIgnored       EventKind = "ignored"        // a process ended at once because there is nothing to run
	EventRestarting    EventKind = "restarting"     // a process ended with Err and is started again after After, for the Attempt-th time in a row
	EventRestarted     EventKind = "restarted"      // it is up again
	EventReplaced      EventKind = "replaced"       // a process is up that runs another body
	EventLimitExceeded EventKind = "limit exceeded" // the supervisor ends, because the child failed once too often: Err
	EventEscalated     EventKind = "escalated"      // the supervisor ends because of the child for another reason: Err
	EventFailed        EventKind = "failed"         // a process ended with Err, not in order, and is not started again
)

// Event is something that happened to an actor. Fields may be added.
type Event struct {
	Kind    EventKind
	Time    time.Time
	ID      ID
	Name    string
	Path    string // names from the root on, separated by slashes; #ID for an actor without one
	Parent  ID     // the actor that owns this one, or 0
	Process int    // index of the process, or -1 if it is about the actor
	Err     error
	Stack   string
	Count   int
	Type    string
	Dropped bool // of undelivered: there is no Undelivered, which would have got them

	Supervised bool          // a supervisor keeps the actor, and tells of the ends of its processes
	Supervisor string        // names of the supervisors above the child, from the root on, separated by slashes
	Attempt    int           // of a restart: how many in a row, from 1
	After      time.Duration // how long the restart waits
}

// WithObserver returns a context below which o is told of every actor: of those
// spawned with it, and of all their descendants. Observers that the context
// already has stay. It costs nothing per message. It panics if o is nil.
func WithObserver(ctx context.Context, o Observer) context.Context {
	if o == nil {
		panic("actor: WithObserver: o is nil")
	}
	w := watcher{Observer: o}
	if l, ok := o.(interface{ LogsPanics() bool }); ok && l.LogsPanics() {
		w.logged = append(w.logged, EventPanicked)
	}
	if l, ok := o.(interface{ Logs(EventKind) bool }); ok {
		for _, k := range loggedKinds {
			if l.Logs(k) {
				w.logged = append(w.logged, k)
			}
		}
	}
	if l, ok := o.(inspect.Watcher); ok {
		w.looks, w.samples = l, l.Samples()
	}
	return context.WithValue(ctx, observersKey{}, append(slices.Clip(observersOf(ctx)), w))
}

// loggedKinds are the events that the library logs by itself.
var loggedKinds = []EventKind{EventPanicked, EventUndelivered, EventIgnoredHalt, EventStuck, EventReleased}

// watcher is an observer, and what it said to WithObserver.
type watcher struct {
	Observer
	logged  []EventKind     // what it logs itself
	looks   inspect.Watcher // nil: it does not look into actors
	samples int             // how much it wants timed
}

func observersOf(ctx context.Context) []watcher {
	ws, _ := ctx.Value(observersKey{}).([]watcher)
	return ws
}

// bulletin brings one actor's events to its observers, in order. It has a
// goroutine only while there are events to bring.
type bulletin struct {
	core      *core // so that it is there while its events are brought
	observers []watcher

	mu     sched.Mutex
	events []Event
	busy   bool // a goroutine is at it

	event Event     // what that goroutine brings
	rest  []watcher // to whom it still has to
}

func newBulletin(observers []watcher) *bulletin {
	if len(observers) == 0 {
		return nil
	}
	return &bulletin{observers: observers}
}

// logs reports whether one of the observers logs events of that kind.
func (b *bulletin) logs(kind EventKind) bool {
	return b != nil && slices.ContainsFunc(b.observers, func(w watcher) bool { return slices.Contains(w.logged, kind) })
}

// observe sets who hears of the actor, and who looks into it. mu is held or c is
// not shared yet.
func (c *core) observe(messageType func() string, observers []watcher) {
	c.bulletin = newBulletin(observers)
	if c.bulletin != nil {
		c.bulletin.core = c
	}
	var looks []inspect.Watcher
	samples := 0
	for _, w := range observers {
		if w.looks != nil {
			looks = append(looks, w.looks)
			samples = max(samples, w.samples)
		}
	}
	if looks != nil {
		c.show(messageType(), looks, samples)
	}
}

// path returns the names from the root on.
func (c *core) path() string {
	parts := []string{pathName(c.name, c.id)}
	for p := c.parent.Load(); p != nil; p = p.core.parent.Load() {
		parts = append(parts, pathName(p.core.name, p.core.id))
	}
	slices.Reverse(parts)
	return strings.Join(parts, "/")
}

// pathName is what a path calls an actor.
func pathName(name string, id ID) string {
	if name == "" {
		return fmt.Sprint("#", uint64(id))
	}
	return name
}

// observers returns whom the actor's descendants inherit.
func (c *core) observers() []watcher {
	if c.bulletin == nil {
		return nil
	}
	return c.bulletin.observers
}

// note is tell for what most events say.
func (c *core) note(kind EventKind, process int, err error) {
	if c.bulletin != nil {
		c.noteFor(kind, process, err)
	}
}

// noteFor keeps an event, which is large, off the stacks of actors that nobody
// observes.
//
//go:noinline
func (c *core) noteFor(kind EventKind, process int, err error) {
	c.tell(Event{Kind: kind, Process: process, Err: err})
}

// tell notes an event for the observers. It does not wait for them, so it may
// be called under any lock, and is, so that the events are in order.
func (c *core) tell(e Event) {
	b := c.bulletin
	if b == nil {
		return
	}
	e.Time = sched.Now()
	if e.ID == 0 {
		e.ID, e.Name, e.Path, e.Parent, e.Supervised = c.id, c.name, c.path(), c.parentID(), c.held != nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, e)
	if !b.busy {
		b.busy = true
		sched.Go(b.bring)
	}
}

// bring brings what is noted until nothing is left.
func (b *bulletin) bring() {
	complete := false
	defer func() {
		if !complete {
			sched.Go(b.bring) // an observer has called Goexit: the rest follows
		}
	}()
	for {
		for len(b.rest) > 0 {
			o := b.rest[0]
			b.rest = b.rest[1:]
			bringTo(o, b.event)
		}
		b.mu.Lock()
		if len(b.events) == 0 {
			b.busy, b.events, b.event, complete = false, nil, Event{}, true
			b.mu.Unlock()
			return
		}
		b.event, b.events, b.rest = b.events[0], b.events[1:], b.observers
		b.mu.Unlock()
	}
}

// bringTo brings one event to one observer, whose panic is dropped.
func bringTo(o Observer, e Event) {
	defer func() { _ = recover() }()
	o.Observe(e)
}
