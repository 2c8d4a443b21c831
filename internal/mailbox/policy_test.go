package mailbox

import (
	"math"
	"testing"
	"time"
)

// Case 18.
func TestS6DelayFormula(t *testing.T) {
	const ms = time.Millisecond
	linear := Policy{Start: 5, Base: ms, Factor: 1}
	double := Policy{Start: 5, Base: 100 * time.Microsecond, Factor: 2}
	half := Policy{Start: 5, Base: ms, Factor: 1.5}
	tests := []struct {
		name   string
		policy Policy
		n      int
		want   time.Duration
	}{
		{"no policy", Policy{}, 1 << 20, 0},
		{"bounded", Policy{Limit: 5}, 5, 0},
		{"linear below start", linear, 4, 0},
		{"linear at start", linear, 5, ms},
		{"linear 1 above", linear, 6, 2 * ms},
		{"linear 8 above", linear, 13, 9 * ms},
		{"linear at cap", linear, 14, 10 * ms},
		{"linear over cap", linear, 15, 10 * ms},
		{"linear from 1, empty", Policy{Start: 1, Base: ms, Factor: 1}, 0, 0},
		{"linear from 1", Policy{Start: 1, Base: ms, Factor: 1}, 1, ms},
		{"exponential below start", double, 4, 0},
		{"exponential at start", double, 5, 100 * time.Microsecond},
		{"exponential 1 above", double, 6, 200 * time.Microsecond},
		{"exponential 6 above", double, 11, 6400 * time.Microsecond},
		{"exponential over cap", double, 12, 10 * ms},
		{"factor 1.5 at start", half, 5, ms},
		{"factor 1.5 2 above", half, 7, 2250 * time.Microsecond},
		{"base above cap", Policy{Start: 1, Base: time.Hour, Factor: 1}, 1, 10 * ms},
		{"base 0, linear", Policy{Start: 1, Factor: 1}, 1000, 0},
		{"base 0, exponential", Policy{Start: 1, Factor: 2}, 1000, 0},
	}
	for _, tt := range tests {
		if got := tt.policy.delay(tt.n); got != tt.want {
			t.Errorf("%s: delay(%d) is %v, want %v", tt.name, tt.n, got, tt.want)
		}
	}
}

// Case 18: tiny-actor waits 1.7 hours at 105 messages; a plain conversion of the
// product to an integer gives anything, also less than zero.
func TestS6DelayNeitherOverflowsNorExceedsTheCap(t *testing.T) {
	bases := []time.Duration{0, 1, time.Microsecond, time.Hour, math.MaxInt64}
	factors := []float64{1, math.Nextafter(1, 2), 1.1, 2, 1e300, math.MaxFloat64}
	lens := []int{0, 1, 2, 100, 105, 1 << 20, math.MaxInt32 - 2, math.MaxInt - 1, math.MaxInt}
	for _, base := range bases {
		for _, factor := range factors {
			for _, start := range []int{1, 100, math.MaxInt} {
				p := Policy{Start: start, Base: base, Factor: factor}
				before := time.Duration(0)
				for _, n := range lens {
					d := p.delay(n)
					switch {
					case d < 0 || d > MaxDelay:
						t.Errorf("%+v: delay(%d) is %v", p, n, d)
					case d < before:
						t.Errorf("%+v: delay(%d) is %v, less than %v before", p, n, d, before)
					case n < start && d != 0:
						t.Errorf("%+v: delay(%d) is %v below start", p, n, d)
					case n == math.MaxInt && start == 1 && base >= time.Microsecond && factor >= 1.1 && d != MaxDelay:
						t.Errorf("%+v: delay(%d) is %v, want the cap", p, n, d)
					}
					before = d
				}
			}
		}
	}
}
