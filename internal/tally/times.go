package tally

import (
	"time"

	"tinyactor/observer"
)

// Times is a distribution of durations. The first group is of all actors and
// only grows; the second is the highest that an actor that lives has.
type Times struct {
	Count   uint64
	Sum     time.Duration
	Octaves observer.Octaves

	P50, P95, P99, Max time.Duration
}

func (t *Times) add(l *observer.Latency) {
	t.Count += l.Count
	t.Sum += l.Sum
	for i, n := range l.Octaves {
		t.Octaves[i] += n
	}
}

// atMost has the quantiles not be below those of one more actor. Those of all
// actors together are not known, but they are not above the highest of one.
func (t *Times) atMost(l *observer.Latency) {
	t.P50 = max(t.P50, l.P50)
	t.P95 = max(t.P95, l.P95)
	t.P99 = max(t.P99, l.P99)
	t.Max = max(t.Max, l.Max)
}

// notBelow has no octave, and not the sum, be lower than in an earlier look: each
// is a counter by itself to who reads it. The count is that of the octaves.
func (t *Times) notBelow(before *Times) {
	t.Sum = max(t.Sum, before.Sum)
	for i, n := range before.Octaves {
		if missing := n - min(n, t.Octaves[i]); missing > 0 {
			t.Octaves[i] += missing
			t.Count += missing
		}
	}
}
