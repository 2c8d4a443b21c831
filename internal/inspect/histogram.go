package inspect

import (
	"math/bits"
	"sync"
	"time"
)

// The buckets of a Histogram: each power of two of nanoseconds is divided into
// so many of equal width. The middle of one is off by at most half of its width,
// which is 1/32 of its lower end: 1.6 percent.
const (
	octaveBits = 5
	perOctave  = 1 << octaveBits
)

// Histogram counts durations in buckets whose width grows with the duration, as
// in Gil Tene's HdrHistogram. Octaves that nothing fell into take no memory. The
// zero Histogram is empty. It is safe for concurrent use.
type Histogram struct {
	mu      sync.Mutex
	octaves [64 - octaveBits]*[perOctave]uint32
	full    map[[2]int]uint64 // how often a bucket began again at 0; a busy pool fills one in days
	count   uint64
	sum     time.Duration
	max     time.Duration
}

// Summary is what a Histogram says. The quantiles are within 1.6 percent of a
// duration that was counted; Max and Sum are exact.
type Summary struct {
	Count              uint64
	Sum                time.Duration
	P50, P95, P99, Max time.Duration
	Octaves            Octaves
}

// Octaves counts durations by powers of two: the first those below 1024
// nanoseconds, each next one those below twice as much, and the last the rest,
// from some 17 seconds on. Those of several histograms add up.
type Octaves [26]uint64

// firstOctave is the last octave of a Histogram that is in the first of Octaves.
const firstOctave = 10 - octaveBits

// Add counts a duration; a negative one counts as 0.
func (h *Histogram) Add(d time.Duration) {
	d = max(d, 0)
	octave, at := bucket(d)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.octaves[octave] == nil {
		h.octaves[octave] = new([perOctave]uint32)
	}
	if h.octaves[octave][at]++; h.octaves[octave][at] == 0 {
		if h.full == nil {
			h.full = make(map[[2]int]uint64)
		}
		h.full[[2]int{octave, at}]++
	}
	h.count++
	h.sum += d
	h.max = max(h.max, d)
}

// bucket returns where a duration is counted. The first octave has a bucket for
// each nanosecond below perOctave; of each later one, the first bit is left out.
func bucket(d time.Duration) (octave, at int) {
	n := uint64(d)
	octave = max(0, bits.Len64(n)-octaveBits)
	if octave == 0 {
		return 0, int(n)
	}
	return octave, int(n>>(octave-1)) - perOctave
}

// middle is what stands for the durations of a bucket.
func middle(octave, at int) time.Duration {
	if octave == 0 {
		return time.Duration(at)
	}
	width := uint64(1) << (octave - 1)
	return time.Duration(uint64(perOctave+at)*width + width/2)
}

// Summary returns the quantiles of everything counted so far.
func (h *Histogram) Summary() Summary {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := Summary{Count: h.count, Sum: h.sum, Max: h.max}
	if h.count == 0 {
		return s
	}
	wanted := []struct {
		rank uint64
		at   *time.Duration
	}{{rank(h.count, 50), &s.P50}, {rank(h.count, 95), &s.P95}, {rank(h.count, 99), &s.P99}}
	var seen uint64
	for octave, counts := range h.octaves {
		if counts == nil {
			continue
		}
		coarse := &s.Octaves[min(max(octave-firstOctave, 0), len(s.Octaves)-1)]
		for at, low := range counts {
			n := h.full[[2]int{octave, at}]<<32 + uint64(low)
			seen += n
			*coarse += n
			for len(wanted) > 0 && n > 0 && seen >= wanted[0].rank {
				*wanted[0].at = min(middle(octave, at), h.max)
				wanted = wanted[1:]
			}
		}
	}
	return s
}

// rank is which of n durations, from 1, is the one that so many percent do not exceed.
func rank(n uint64, percent uint64) uint64 { return (n*percent + 99) / 100 }
