// Package tally sums what an observer shows of actors by label, for the modules
// that export it. Its counts never go down, though actors end.
package tally

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"tinyactor/observer"
)

// DefaultLabels is how many labels there are at most, if nothing is said.
const DefaultLabels = 200

// Other is the label of actors for whose own there is no room.
const Other = "other"

// Unnamed is the label of actors without a name; in a path #17 stands for one.
const Unnamed = "#*"

// Source is an *observer.Observer.
type Source interface {
	Snapshot() observer.Snapshot
	Ended(func(observer.Actor)) (stop func())
}

// Tally sums a source's actors by label.
type Tally struct {
	source Source
	name   func(observer.Actor) string
	limit  int
	stop   func()

	mu      sync.Mutex
	taken   map[string]bool   // the labels there are, but for Other
	labels  map[uint64]string // of actors that live; an actor keeps its label
	ended   map[string]*Sum   // what those that have ended had
	reading map[*reading]bool // the Reads that are under way
	before  map[string]*Sum   // what the last Read returned
}

// reading is a Read that is under way.
type reading struct {
	gone  map[uint64]bool // the actors that have ended since it began
	alone bool            // no other was under way in that time
}

// New returns a tally of the actors that live, and of those that end from now
// on. If label is nil, it is the masked name. If limit is 0, it is DefaultLabels.
func New(source Source, label func(observer.Actor) string, limit int) *Tally {
	if label == nil {
		label = func(a observer.Actor) string { return Mask(a.Name) }
	}
	if limit <= 0 {
		limit = DefaultLabels
	}
	t := &Tally{
		source:  source,
		name:    label,
		limit:   limit,
		taken:   make(map[string]bool),
		labels:  make(map[uint64]string),
		ended:   make(map[string]*Sum),
		reading: make(map[*reading]bool),
	}
	t.stop = source.Ended(t.end)
	return t
}

// Stop has the source tell no more. What ends later is missing in what Read returns.
func (t *Tally) Stop() { t.stop() }

// Read looks at the actors and returns the sums in the order of their labels.
func (t *Tally) Read() Report {
	now := t.begin()
	defer t.finish(now)
	s := t.source.Snapshot()
	names := t.unnamed(s.Actors)

	t.mu.Lock()
	defer t.mu.Unlock()
	sums := make(map[string]*Sum)
	for label, ended := range t.ended {
		sum := *ended
		sums[label] = &sum
	}
	for i := range s.Actors {
		a := &s.Actors[i]
		if now.gone[a.ID] {
			continue // it is among those that have ended
		}
		label, known := t.labels[a.ID]
		if !known {
			label = t.take(names[i])
			t.labels[a.ID] = label
		}
		at(sums, label).addLiving(a, s.Time)
	}
	if now.alone { // another may have seen actors that this one has not
		t.forget(s.Actors)
	}
	for label, before := range t.before {
		at(sums, label).notBelow(before)
	}
	t.before = sums
	r := Report{Deadlocks: len(s.Deadlocks), Sums: make([]Sum, 0, len(sums))}
	for _, sum := range sums {
		r.Sums = append(r.Sums, *sum)
	}
	slices.SortFunc(r.Sums, func(a, b Sum) int { return strings.Compare(a.Label, b.Label) })
	return r
}

// forget forgets the labels of actors that are collected without having ended: of
// workers that were never started. The lock is held.
func (t *Tally) forget(living []observer.Actor) {
	if len(t.labels) < 2*len(living)+DefaultLabels {
		return
	}
	labels := make(map[uint64]string, len(living))
	for i := range living {
		if label, known := t.labels[living[i].ID]; known {
			labels[living[i].ID] = label
		}
	}
	t.labels = labels
}

// begin begins a Read. Several may be under way, because each calls the user's
// function, which may take long.
func (t *Tally) begin() *reading {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := &reading{gone: make(map[uint64]bool), alone: len(t.reading) == 0}
	for other := range t.reading {
		other.alone = false
	}
	t.reading[now] = true
	return now
}

func (t *Tally) finish(now *reading) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.reading, now)
}

// unnamed returns what the actors without a label want to be called, by index.
func (t *Tally) unnamed(actors []observer.Actor) map[int]string {
	names := make(map[int]string)
	t.mu.Lock()
	for i := range actors {
		if _, known := t.labels[actors[i].ID]; !known {
			names[i] = ""
		}
	}
	t.mu.Unlock()
	for i := range names {
		names[i] = t.wanted(&actors[i])
	}
	return names
}

// wanted returns what an actor wants to be called: Other, if the user's function
// panics. No lock may be held.
func (t *Tally) wanted(a *observer.Actor) (name string) {
	defer func() {
		if recover() != nil {
			name = Other
		}
	}()
	return cmp.Or(strings.ToValidUTF8(t.name(*a), "\uFFFD"), Unnamed)
}

// take returns the label for a name: the name, as long as there is room. The lock is held.
func (t *Tally) take(name string) string {
	if t.taken[name] {
		return name
	}
	if name == Other || len(t.taken) >= t.limit {
		return Other
	}
	t.taken[name] = true
	return name
}

// end adds an actor that has ended to what stays.
func (t *Tally) end(a observer.Actor) {
	label := t.labelOf(&a)
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.labels, a.ID)
	for r := range t.reading {
		r.gone[a.ID] = true
	}
	at(t.ended, label).addCounts(&a)
}

// labelOf returns the label of an actor.
func (t *Tally) labelOf(a *observer.Actor) string {
	t.mu.Lock()
	label, known := t.labels[a.ID]
	t.mu.Unlock()
	if known {
		return label
	}
	name := t.wanted(a)
	t.mu.Lock()
	defer t.mu.Unlock()
	if label, known = t.labels[a.ID]; known { // since then
		return label
	}
	return t.take(name)
}

func at(sums map[string]*Sum, label string) *Sum {
	sum := sums[label]
	if sum == nil {
		sum = &Sum{Label: label, Bounded: true}
		sums[label] = sum
	}
	return sum
}

// Report is all that is exported.
type Report struct {
	Sums      []Sum
	Deadlocks int
}

// Sum is what the actors of one label have together. The first group counts
// those that have ended too; the second is about those that live.
type Sum struct {
	Label string

	Accepted, Received, Undelivered uint64
	Restarts, Panics                uint64
	InQueue, Handling               Times

	Actors            int
	Idle, Busy, Stuck int // processes; each is in one of these
	Length            int
	High              int // the highest of one
	Limit             int
	Bounded           bool // all of them are; then Limit means something
	Waiting           int
	InHand            time.Duration // the longest that a message has been
}

// addCounts adds what stays when an actor ends.
func (s *Sum) addCounts(a *observer.Actor) {
	s.Accepted += a.Accepted
	s.Received += a.Received
	s.Undelivered += a.Undelivered
	s.Restarts += uint64(a.Restarts.Total)
	s.Panics += uint64(a.Panics)
	s.InQueue.add(&a.InQueue)
	s.Handling.add(&a.Handling)
}

// notBelow has no count be lower than in an earlier look. It would be for a
// moment if an actor that ends were no longer among those that live, and not yet
// among the others; a reader would take it for the start of a new program.
func (s *Sum) notBelow(before *Sum) {
	s.Accepted = max(s.Accepted, before.Accepted)
	s.Received = max(s.Received, before.Received)
	s.Undelivered = max(s.Undelivered, before.Undelivered)
	s.Restarts = max(s.Restarts, before.Restarts)
	s.Panics = max(s.Panics, before.Panics)
	s.InQueue.notBelow(&before.InQueue)
	s.Handling.notBelow(&before.Handling)
}

func (s *Sum) addLiving(a *observer.Actor, now time.Time) {
	s.addCounts(a)
	s.InQueue.atMost(&a.InQueue)
	s.Handling.atMost(&a.Handling)
	s.Actors++
	s.Idle += max(0, a.Processes.Total-a.Processes.Busy)
	s.Busy += a.Processes.Busy
	s.Stuck += a.Processes.Stuck
	s.Length += a.Queue.Length
	s.High = max(s.High, a.Queue.High)
	s.Limit += a.Queue.Limit
	s.Bounded = s.Bounded && a.Queue.Limit > 0
	if a.Waiting != nil {
		s.Waiting += a.Waiting.Count
	}
	if a.HandSince != nil {
		s.InHand = max(s.InHand, now.Sub(*a.HandSince))
	}
}
