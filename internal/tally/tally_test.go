package tally_test

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/internal/tally"
	"tinyactor/observer"
)

// source is an observer whose actors the test makes up.
type source struct {
	mu     sync.Mutex
	actors map[uint64]observer.Actor
	told   func(observer.Actor)
	during func() // called while a snapshot is taken, after it has looked at the actors
}

func newSource(actors ...observer.Actor) *source {
	s := &source{actors: make(map[uint64]observer.Actor)}
	s.set(actors...)
	return s
}

func (s *source) set(actors ...observer.Actor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range actors {
		s.actors[a.ID] = a
	}
}

func (s *source) Ended(f func(observer.Actor)) (stop func()) {
	s.told = f
	return func() { s.told = func(observer.Actor) {} }
}

// end has an actor end with the state that it then has.
func (s *source) end(a observer.Actor) {
	s.mu.Lock()
	delete(s.actors, a.ID)
	s.mu.Unlock()
	s.told(a)
}

func (s *source) Snapshot() observer.Snapshot {
	s.mu.Lock()
	snap := observer.Snapshot{Time: time.Unix(1000, 0)}
	for _, id := range slices.Sorted(maps.Keys(s.actors)) {
		snap.Actors = append(snap.Actors, s.actors[id])
	}
	s.mu.Unlock()
	if s.during != nil {
		s.during()
	}
	return snap
}

// named returns an actor that has received so many messages.
func named(id uint64, name string, received uint64) observer.Actor {
	l := observer.Latency{Count: received, Sum: time.Duration(received) * time.Millisecond, Max: time.Second}
	l.Octaves[10] = received
	return observer.Actor{
		ID: id, Name: name,
		Accepted: received + 3, Received: received, Undelivered: 1,
		Queue:     observer.Queue{Length: 2, High: int(received), Limit: 16},
		Processes: observer.Processes{Total: 3, Busy: 1, Stuck: 1},
		Restarts:  observer.Restarts{Total: 2},
		InQueue:   l, Handling: l,
	}
}

// received returns what each label has received.
func received(t *tally.Tally) map[string]uint64 {
	m := make(map[string]uint64)
	for _, s := range t.Read().Sums {
		m[s.Label] = s.Received
	}
	return m
}

func check(t *testing.T, got, want map[string]uint64) {
	t.Helper()
	if !maps.Equal(got, want) {
		t.Errorf("received %v, want %v", got, want)
	}
}

func TestSums(t *testing.T) {
	hand := time.Unix(990, 0)
	busy := named(2, "worker-2", 20)
	busy.HandSince, busy.Waiting = &hand, &observer.Waiting{Count: 4}
	unbounded := named(3, "cache", 5)
	unbounded.Queue.Limit, unbounded.Panics = 0, 7
	tl := tally.New(newSource(named(1, "worker-1", 10), busy, unbounded), nil, 0)

	sums := tl.Read().Sums
	if len(sums) != 2 {
		t.Fatalf("%d labels, want 2: %+v", len(sums), sums)
	}
	cache, workers := sums[0], sums[1]
	if cache.Label != "cache" || cache.Bounded || cache.Panics != 7 {
		t.Errorf("the cache is %+v", cache)
	}
	want := tally.Sum{
		Label:    "worker-*",
		Accepted: 36, Received: 30, Undelivered: 2, Restarts: 4,
		Actors: 2, Idle: 4, Busy: 2, Stuck: 2,
		Length: 4, High: 20, Limit: 32, Bounded: true,
		Waiting: 4, InHand: 10 * time.Second,
	}
	want.Handling = tally.Times{Count: 30, Sum: 30 * time.Millisecond, Max: time.Second}
	want.Handling.Octaves[10] = 30
	want.InQueue = want.Handling
	if workers != want {
		t.Errorf("the workers are\n%+v, want\n%+v", workers, want)
	}
}

// Where one queue is not bounded, there is no capacity.
func TestBounded(t *testing.T) {
	free := named(2, "b", 1)
	free.Queue.Limit = 0
	for _, label := range []func(observer.Actor) string{
		func(a observer.Actor) string { return "all" },
		func(a observer.Actor) string { return fmt.Sprint(a.Queue.Limit) },
	} {
		for _, s := range tally.New(newSource(named(1, "a", 1), free, named(3, "c", 1)), label, 0).Read().Sums {
			if s.Bounded != (s.Label == "16") || s.Bounded && s.Limit != 32 {
				t.Errorf("%s is %+v", s.Label, s)
			}
		}
	}
}

func TestWhatHasEndedStaysCounted(t *testing.T) {
	s := newSource(named(1, "worker-1", 10), named(2, "worker-2", 20))
	tl := tally.New(s, nil, 0)
	check(t, received(tl), map[string]uint64{"worker-*": 30})

	s.end(named(1, "worker-1", 15))
	s.end(named(3, "worker-3", 7)) // has lived between two looks
	s.end(named(4, "request-4", 1))
	sums := tl.Read().Sums
	if len(sums) != 2 || sums[0].Label != "request-*" || sums[0].Received != 1 || sums[0].Actors != 0 || sums[0].Length != 0 {
		t.Errorf("there are %+v", sums)
	}
	if n := tl.Known(); n != 1 {
		t.Errorf("%d actors are known, want the one that lives", n)
	}
	if w := sums[1]; w.Received != 42 || w.Handling.Count != 42 || w.Handling.Octaves[10] != 42 || w.Actors != 1 || w.Length != 2 {
		t.Errorf("the workers are %+v", w)
	}
}

// An actor that ends while one looks is counted once, whether the snapshot has
// it or not, and whether it had a label or not.
func TestEndWhileOneLooks(t *testing.T) {
	s := newSource(named(1, "worker-1", 10), named(2, "new", 20))
	tl := tally.New(s, nil, 0)
	s.during = func() {
		s.during = nil
		s.end(named(1, "worker-1", 11))
		s.end(named(2, "new", 21))
		s.end(named(3, "short", 1))
	}
	want := map[string]uint64{"worker-*": 11, "new": 21, "short": 1}
	check(t, received(tl), want)
	check(t, received(tl), want)
}

// Between being no longer among the living and being told as ended, an actor is
// nowhere; the sums stay what they were.
func TestNothingGoesDown(t *testing.T) {
	s := newSource(named(1, "worker-1", 10), named(2, "worker-2", 20), named(3, "alone", 1))
	tl := tally.New(s, nil, 0)
	before := tl.Read().Sums[1]
	delete(s.actors, 1)
	delete(s.actors, 3)
	for range 2 {
		sums := tl.Read().Sums
		if alone := sums[0]; alone.Label != "alone" || alone.Actors != 0 || alone.Received != 1 {
			t.Errorf("what is gone is %+v", alone)
		}
		now := sums[1]
		if now.Actors != 1 {
			t.Errorf("%d actors, want 1", now.Actors)
		}
		now.Actors, now.Idle, now.Busy, now.Stuck, now.Length, now.Limit = before.Actors, before.Idle, before.Busy, before.Stuck, before.Length, before.Limit
		if now != before {
			t.Errorf("the sum is\n%+v, was\n%+v", now, before)
		}
	}
	s.end(named(1, "worker-1", 11))
	s.end(named(3, "alone", 2))
	check(t, received(tl), map[string]uint64{"worker-*": 31, "alone": 2})
}

// Each octave, and the sum, is a counter by itself to who reads it: that the others
// of a label have done more meanwhile does not stand in for an actor that is nowhere.
func TestNoOctaveGoesDown(t *testing.T) {
	timed := func(id uint64, octave int, n uint64) observer.Actor {
		l := observer.Latency{Count: n, Sum: time.Duration(n) * time.Microsecond << octave}
		l.Octaves[octave] = n
		return observer.Actor{ID: id, Name: "worker", InQueue: l, Handling: l}
	}
	check := func(times tally.Times, slow, fast uint64, sum time.Duration) {
		t.Helper()
		if times.Octaves[12] != slow || times.Octaves[5] != fast || times.Count != slow+fast || times.Sum != sum {
			t.Errorf("%d slow and %d fast of %d in %v, want %d and %d in %v",
				times.Octaves[12], times.Octaves[5], times.Count, times.Sum, slow, fast, sum)
		}
	}
	s := newSource(timed(1, 12, 10), timed(2, 5, 10))
	tl := tally.New(s, nil, 0)
	both := timed(1, 12, 10).Handling.Sum + timed(2, 5, 10).Handling.Sum
	check(tl.Read().Sums[0].Handling, 10, 10, both)
	delete(s.actors, 1)
	s.set(timed(2, 5, 25))
	for range 2 {
		sum := tl.Read().Sums[0]
		check(sum.Handling, 10, 25, both)
		check(sum.InQueue, 10, 25, both)
	}
	s.end(timed(1, 12, 11))
	check(tl.Read().Sums[0].Handling, 11, 25, timed(1, 12, 11).Handling.Sum+timed(2, 5, 25).Handling.Sum)
}

func TestLabelsAreLimited(t *testing.T) {
	s := newSource()
	for id := range uint64(10) {
		s.set(named(10-id, fmt.Sprintf("%c", 'a'+9-id), 1))
	}
	tl := tally.New(s, nil, 3)
	want := map[string]uint64{"a": 1, "b": 1, "c": 1, "other": 7}
	check(t, received(tl), want)

	// Who has a place keeps it, and nobody else gets it.
	s.end(named(1, "a", 1))
	s.set(named(11, "k", 5))
	s.end(named(12, "l", 5))
	s.set(named(13, "a", 5))
	want["other"], want["a"] = 17, 6
	check(t, received(tl), want)

	// That an actor is called other takes no place from those that have one.
	tl = tally.New(newSource(named(1, "other", 1), named(2, "a", 1)), nil, 1)
	check(t, received(tl), map[string]uint64{"other": 1, "a": 1})
}

// What a label function says of an actor later does not move its counts.
func TestAnActorKeepsItsLabel(t *testing.T) {
	s := newSource(named(1, "a", 1))
	tl := tally.New(s, func(a observer.Actor) string { return fmt.Sprint(a.Received) }, 0)
	check(t, received(tl), map[string]uint64{"1": 1})
	s.set(named(1, "a", 2))
	check(t, received(tl), map[string]uint64{"1": 2})
	s.end(named(1, "a", 3))
	check(t, received(tl), map[string]uint64{"1": 3})
}

// A label function that panics, while one looks or when an actor ends, costs its
// actor the label and nothing else.
func TestPanickingLabel(t *testing.T) {
	s := newSource(named(1, "a", 1), named(2, "bad", 2))
	tl := tally.New(s, func(a observer.Actor) string {
		if a.Name == "bad" {
			panic("told to")
		}
		return a.Name
	}, 0)
	check(t, received(tl), map[string]uint64{"a": 1, "other": 2})
	s.end(named(2, "bad", 3))
	s.end(named(3, "bad", 4)) // has lived between two looks
	check(t, received(tl), map[string]uint64{"a": 1, "other": 7})
}

// A label function that takes long stops nobody else: it is called under no lock.
func TestSlowLabel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(named(1, "a", 1), named(2, "slow", 2))
		begun, answer := false, make(chan struct{})
		tl := tally.New(s, func(a observer.Actor) string {
			if a.Name == "slow" && !begun {
				begun = true
				<-answer
			}
			return a.Name
		}, 0)
		var slow map[string]uint64
		go func() { slow = received(tl) }()
		synctest.Wait()
		s.end(named(1, "a", 5))
		s.end(named(2, "slow", 6))
		s.set(named(3, "b", 7))
		want := map[string]uint64{"a": 5, "slow": 6, "b": 7}
		check(t, received(tl), want)
		close(answer)
		synctest.Wait()
		check(t, slow, want) // what it has seen itself has ended since; the other has seen the rest
		check(t, received(tl), want)
	})
}

func TestLabelsAreValid(t *testing.T) {
	tl := tally.New(newSource(named(1, "", 1), named(2, "b\xffd", 2)), nil, 0)
	check(t, received(tl), map[string]uint64{"#*": 1, "b\uFFFDd": 2})
}

func TestStop(t *testing.T) {
	s := newSource()
	tl := tally.New(s, nil, 0)
	tl.Stop()
	s.end(named(1, "a", 1))
	check(t, received(tl), map[string]uint64{})
}

// An actor that vanishes without an end, as a worker that was never started does,
// is not kept in mind for ever.
func TestVanishedActorsAreForgotten(t *testing.T) {
	asked := 0
	s := newSource(named(1, "stays", 1))
	tl := tally.New(s, func(a observer.Actor) string { asked++; return "a" }, 0)
	for round := range uint64(10) {
		for i := range uint64(tally.DefaultLabels) {
			s.set(named(2+round*1000+i, "vanishes", 0))
		}
		tl.Read()
		maps.DeleteFunc(s.actors, func(id uint64, _ observer.Actor) bool { return id > 1 })
		tl.Read()
	}
	if want := 1 + 10*tally.DefaultLabels; asked != want {
		t.Errorf("asked for a label %d times, want %d", asked, want)
	}
	if n := tl.Known(); n > 1+2*tally.DefaultLabels {
		t.Errorf("%d actors are known", n)
	}
}

// A look does not forget the labels of actors that another one has seen meanwhile.
func TestActorsThatAnotherHasSeenAreNotForgotten(t *testing.T) {
	s := newSource()
	asked := 0
	tl := tally.New(s, func(a observer.Actor) string { asked++; return a.Name }, 0)
	s.during = func() {
		s.during = nil
		for id := range uint64(2 * tally.DefaultLabels) {
			s.set(named(id+1, "a", 1))
		}
		tl.Read()
	}
	tl.Read()
	tl.Read()
	if want := 2 * tally.DefaultLabels; asked != want || tl.Known() != want {
		t.Errorf("asked for a label %d times, %d actors are known, want %d", asked, tl.Known(), want)
	}
}

// Looks, ends and births at the same time: no count is lost, none is counted twice.
func TestConcurrent(t *testing.T) {
	s := newSource()
	tl := tally.New(s, func(a observer.Actor) string { return a.Name[:1] }, 0)
	const spawners, each = 4, 500
	var wg, looking sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		looking.Go(func() {
			var before uint64
			for {
				var now uint64
				for _, n := range received(tl) {
					now += n
				}
				if now < before || now > spawners*each {
					t.Errorf("%d after %d", now, before)
				}
				before = now
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for i := range uint64(spawners) {
		wg.Go(func() {
			for j := range uint64(each) {
				id := i*each + j + 1
				name := fmt.Sprintf("%c", 'a'+id%7)
				s.set(named(id, name, 0))
				s.set(named(id, name, 1))
				s.end(named(id, name, 1))
			}
		})
	}
	wg.Wait()
	close(stop)
	looking.Wait()
	var total uint64
	for _, n := range received(tl) {
		total += n
	}
	if total != spawners*each {
		t.Errorf("%d in the end, want %d", total, spawners*each)
	}
}
