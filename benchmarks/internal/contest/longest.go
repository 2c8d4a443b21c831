package contest

import (
	"slices"
	"sync/atomic"
	"time"
)

// longest is a number of senders that send for a time without a pause. It
// measures the longest single Send of all, and how many messages the luckiest
// sender has sent for each one of the unluckiest.
func longest(senders int, o Options) func(r *Run) error {
	return func(r *Run) error {
		sink := tally(senders)
		box := r.Spawn(o, sink)
		sent := make([]int64, senders)
		waited := make([]time.Duration, senders)
		var over atomic.Bool
		time.AfterFunc(r.Time, func() { over.Store(true) })
		r.together(senders, func(i int) {
			m, at := message(i, 0), time.Now()
			for !over.Load() {
				box.Send(m)
				m.V++
				now := time.Now()
				waited[i] = max(waited[i], now.Sub(at))
				at = now
			}
			sent[i] = m.seq()
		}, box.Stop)
		r.N = 0
		for _, n := range sent {
			r.N += int(n)
		}
		r.report("", "ns", float64(slices.Max(waited)))
		r.report("/most-to-fewest", "×", float64(slices.Max(sent))/float64(max(1, slices.Min(sent))))
		r.perOp("/message")
		return sink.check(func(s int) int64 { return sent[s] })
	}
}
