package inspect

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

// exact is what a Summary approximates.
func exact(sorted []time.Duration, percent int) time.Duration {
	return sorted[(len(sorted)*percent+99)/100-1]
}

// near reports whether an approximation is within 3 percent, and a nanosecond for
// what cannot be divided.
func near(got, want time.Duration) bool {
	return math.Abs(float64(got-want)) <= 0.03*float64(want)
}

// Whatever is counted, the quantiles are within 3 percent of what was.
func TestHistogramIsNear(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	shapes := map[string]func() time.Duration{
		"of all sizes": func() time.Duration { return time.Duration(math.Exp(random.Float64() * math.Log(math.MaxInt64))) },
		"even":         func() time.Duration { return time.Duration(random.Int64N(int64(time.Second))) },
		"small":        func() time.Duration { return time.Duration(random.IntN(200)) },
		"like handling": func() time.Duration {
			return time.Duration(float64(20*time.Microsecond) * math.Exp(2*random.NormFloat64()))
		},
		"two humps": func() time.Duration {
			if random.IntN(20) == 0 {
				return time.Second + time.Duration(random.Int64N(1000))
			}
			return time.Duration(random.IntN(5000))
		},
	}
	for name, draw := range shapes {
		t.Run(name, func(t *testing.T) {
			for range 200 {
				var h Histogram
				all := make([]time.Duration, 1+random.IntN(1000))
				var sum time.Duration
				for i := range all {
					all[i] = draw()
					sum += all[i]
					h.Add(all[i])
				}
				slices.Sort(all)
				s := h.Summary()
				if s.Count != uint64(len(all)) || s.Sum != sum || s.Max != all[len(all)-1] {
					t.Fatalf("got %+v of %d with sum %d and maximum %d", s, len(all), sum, all[len(all)-1])
				}
				for _, q := range []struct {
					percent int
					got     time.Duration
				}{{50, s.P50}, {95, s.P95}, {99, s.P99}} {
					if want := exact(all, q.percent); !near(q.got, want) {
						t.Fatalf("of %d durations, p%d is %d, want %d", len(all), q.percent, q.got, want)
					}
				}
				var coarse Octaves
				for _, d := range all {
					i := 0
					for i < len(coarse)-1 && d >= 1024<<i {
						i++
					}
					coarse[i]++
				}
				if s.Octaves != coarse {
					t.Fatalf("octaves are %v, want %v", s.Octaves, coarse)
				}
			}
		})
	}
}

// Each duration stands in a bucket whose middle is near it, and what is longer
// never stands in one before.
func TestHistogramBuckets(t *testing.T) {
	last := -1
	check := func(d time.Duration) {
		octave, at := bucket(d)
		if octave < 0 || octave >= len(Histogram{}.octaves) || at < 0 || at >= perOctave {
			t.Fatalf("%d is in bucket %d of octave %d", d, at, octave)
		}
		if m := middle(octave, at); !near(m, d) {
			t.Fatalf("%d counts as %d", d, m)
		}
		if i := octave*perOctave + at; i < last {
			t.Fatalf("%d is in a bucket before that of a shorter one", d)
		} else {
			last = i
		}
	}
	for d := range time.Duration(1 << 14) {
		check(d)
	}
	for bits := 14; bits < 63; bits++ {
		for _, by := range []time.Duration{-1, 0, 1, 1 << (bits - 1)} {
			check(1<<bits + by)
		}
	}
	check(math.MaxInt64)
}

func TestHistogramEdges(t *testing.T) {
	var h Histogram
	if got := h.Summary(); got != (Summary{}) {
		t.Errorf("the empty one says %+v", got)
	}
	h.Add(-time.Second) // of a clock that went back
	if got, want := h.Summary(), (Summary{Count: 1, Octaves: Octaves{1}}); got != want {
		t.Errorf("a negative one counts as %+v, want %+v", got, want)
	}
	for range 99 {
		h.Add(time.Minute)
	}
	// The middle of a bucket may be beyond everything in it.
	if got := h.Summary(); got.P99 > got.Max || got.P50 > got.Max || got.Max != time.Minute {
		t.Errorf("a quantile is above the maximum: %+v", got)
	}
}

// A bucket is never full: a pool of hundred processes fills one in five days.
func TestHistogramCountsOn(t *testing.T) {
	var h Histogram
	h.Add(time.Millisecond)
	octave, at := bucket(time.Millisecond)
	h.octaves[octave][at] = math.MaxUint32 - 1
	h.count = math.MaxUint32 - 1
	for n := h.count + 1; n < math.MaxUint32+3; n++ {
		h.Add(time.Millisecond)
		s := h.Summary()
		var coarse uint64
		for _, n := range s.Octaves {
			coarse += n
		}
		if s.Count != n || coarse != n || !near(s.P50, time.Millisecond) || !near(s.P99, time.Millisecond) {
			t.Errorf("of %d there are %d, %d of them in octaves, p50 is %v, p99 %v", n, s.Count, coarse, s.P50, s.P99)
		}
	}
}

func TestHistogramIsSafeForConcurrentUse(t *testing.T) {
	var h Histogram
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for j := range 1000 {
				h.Add(time.Duration(i * j * 1000))
				if j%100 == 0 {
					h.Summary()
				}
			}
		})
	}
	all.Wait()
	if got := h.Summary().Count; got != 4000 {
		t.Errorf("counted %d, want 4000", got)
	}
}

func BenchmarkHistogramAdd(b *testing.B) {
	var h Histogram
	for i := range b.N {
		h.Add(time.Duration(i))
	}
}

func BenchmarkHistogramSummary(b *testing.B) {
	var h Histogram
	for d := time.Microsecond; d < time.Second; d += d / 7 {
		h.Add(d)
	}
	for b.Loop() {
		h.Summary()
	}
}
