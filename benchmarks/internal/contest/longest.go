package contest

import (
	"slices"
	"sync/atomic"
	"time"
)

// longest is a number of senders that send without a pause, and measures the
// longest single Send of all. First each has so many messages to send: there a
// Send is long because of the mailbox. Then all send until time is over: there
// the scheduler takes turns with them as well, which may happen within a Send,
// and that shows how many messages the luckiest sender has sent for each one
// of the unluckiest.
func longest(senders int, o Options) func(r *Run) error {
	return func(r *Run) error {
		each := int64(r.N / senders)
		wait, _, err := longestSend(r, senders, o, func(sent int64) bool { return sent < each })
		if err != nil {
			return err
		}
		r.report("", "ms", milliseconds(wait))
		r.perOp("/message")

		var over atomic.Bool
		time.AfterFunc(r.Time, func() { over.Store(true) })
		wait, sent, err := longestSend(r, senders, o, func(int64) bool { return !over.Load() })
		if err != nil {
			return err
		}
		r.report("/endless", "ms", milliseconds(wait))
		r.report("/most-to-fewest", "×", float64(slices.Max(sent))/float64(max(1, slices.Min(sent))))
		return nil
	}
}

// longestSend sends as long as more says, which is told how many messages a
// sender has sent. It returns the longest Send, and how many each has sent.
func longestSend(r *Run, senders int, o Options, more func(sent int64) bool) (time.Duration, []int64, error) {
	sink := tally(senders)
	box := r.Spawn(o, sink)
	sent := make([]int64, senders)
	longest := make([]time.Duration, senders)
	r.together(senders, func(i int) {
		m, at, most := message(i, 0), time.Now(), time.Duration(0)
		for more(m.seq()) {
			box.Send(m)
			m.V++
			now := time.Now()
			most = max(most, now.Sub(at))
			at = now
		}
		sent[i], longest[i] = m.seq(), most
	}, box.Stop)
	return slices.Max(longest), sent, sink.check(func(s int) int64 { return sent[s] })
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
