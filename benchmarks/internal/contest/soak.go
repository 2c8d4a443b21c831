package contest

import (
	"fmt"
	"slices"
	"sync"
)

const (
	soakSenders = 8
	soakParts   = 10
)

// soak sends very many messages and looks, each time that a part of them has
// been received and nothing waits, at how much memory is still in use.
func soak(r *Run) error {
	each := int64(r.N / soakSenders / soakParts) // of a sender in a part
	sink := tally(soakSenders)
	received := int64(0)
	part := make(chan struct{}, soakParts)
	box := r.Spawn(Options{}, handler(func(m Msg) {
		sink.Take(m)
		if received++; received%(each*soakSenders) == 0 {
			part <- struct{}{}
		}
	}))
	var used []int64
	r.Start()
	for i := range int64(soakParts) {
		var wg sync.WaitGroup
		for s := range soakSenders {
			wg.Go(func() { box.Feed(message(s, i*each), int(each)) })
		}
		wg.Wait()
		if err := r.wait(part); err != nil {
			return err
		}
		used = append(used, live())
	}
	r.End()
	r.perOp("")
	r.report("/growth", "B", float64(slices.Max(used)-used[0]))
	box.Stop()
	if want := each * soakSenders * soakParts; received != want {
		return fmt.Errorf("%d messages instead of %d", received, want)
	}
	return sink.check(func(int) int64 { return each * soakParts })
}
