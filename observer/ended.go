package observer

import (
	"slices"
	"time"
)

// Ended calls f with the last state of each watched actor that ends from now on,
// until stop is called: once, when nothing is added to its counts any more. A
// snapshot begun after that does not show the actor. So whoever sums up what
// groups of actors do loses nothing between two snapshots. f is called by several
// goroutines at the same time and must return soon. Ended panics if it is nil.
func (o *Observer) Ended(f func(Actor)) (stop func()) {
	if f == nil {
		panic("observer: Ended: f is nil")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = append(slices.Clip(o.ended), &f)
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.ended = slices.DeleteFunc(slices.Clone(o.ended), func(g *func(Actor)) bool { return g == &f })
	}
}

// bury removes the entry of an actor that has ended, when it was counted what it
// did since it was last looked at.
func (o *Observer) bury(id uint64) {
	e, a := o.lookup(id)
	if e == nil {
		return
	}
	var last sight
	if a != nil {
		last = sight{living: living{e, a}, reading: a.Read()}
		last.reading.Ended = true
	}
	o.mu.Lock()
	if a != nil {
		o.account(e, last.reading)
		last.counts = e.counts
	}
	delete(o.entries, id)
	fs := o.ended
	o.mu.Unlock()
	if a == nil || len(fs) == 0 {
		return
	}
	all := sights{last}
	if up, parent := o.lookup(last.reading.Parent); parent != nil {
		all = append(all, sight{living: living{up, parent}, reading: parent.Read()})
		all.sort()
	}
	var shown Actor
	o.show(&shown, time.Now(), all, &last, nil)
	for _, f := range fs {
		func() {
			defer func() { _ = recover() }() // the others are to hear of it
			(*f)(shown)
		}()
	}
}
