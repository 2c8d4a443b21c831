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

// notBelow has the counts be those of an earlier look, if they are lower.
func (t *Times) notBelow(before *Times) {
	if t.Count < before.Count {
		t.Count, t.Sum, t.Octaves = before.Count, before.Sum, before.Octaves
	}
}
