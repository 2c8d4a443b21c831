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
	next := make([]int64, soakSenders)
	var count int64
	var wrong error
	done := make(chan struct{}, soakParts)
	box := r.Spawn(Options{}, handler(func(m Msg) {
		if s := m.sender(); m.seq() != next[s] && wrong == nil {
			wrong = fmt.Errorf("%v instead of number %d", m, next[s])
		}
		next[m.sender()]++
		if count++; count%(each*soakSenders) == 0 {
			done <- struct{}{}
		}
	}))
	var used []int64
	r.Start()
	for part := range int64(soakParts) {
		var wg sync.WaitGroup
		for s := range soakSenders {
			wg.Go(func() { box.Feed(message(s, part*each), int(each)) })
		}
		wg.Wait()
		if err := r.wait(done); err != nil {
			return err
		}
		used = append(used, live())
	}
	r.End()
	r.perOp("")
	r.report("/growth", "B", float64(slices.Max(used)-used[0]))
	box.Stop()
	if want := each * soakSenders * soakParts; wrong == nil && count != want {
		return fmt.Errorf("%d messages instead of %d", count, want)
	}
	return wrong
}
