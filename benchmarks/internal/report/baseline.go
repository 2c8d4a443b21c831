package report

import "fmt"

// On a quiet machine with two cores, a ping-pong over channels takes seven
// times as long as a message through one: a ping-pong wakes two goroutines, and
// a stream wakes hardly any. If that is not so, then either the machine is busy
// or the baselines do not do what they should, and no ratio to them says
// anything. Other machines have other factors, and thus the range is wide.
const (
	leastPingPong = 3
	mostPingPong  = 14
)

// CheckBaseline reports whether the baselines can be trusted, as far as they
// were measured.
func (r *Results) CheckBaseline() error {
	tell, pingPong := r.Cell("tell", "chan-raw"), r.Cell("ping-pong", "chan-raw")
	if tell == nil || pingPong == nil {
		return nil
	}
	if f := pingPong.Value.Median / tell.Value.Median; f < leastPingPong || f > mostPingPong {
		return fmt.Errorf("the baseline is not to be trusted: a ping-pong of chan-raw takes %.1f times as long as its tell, and not %d to %d times",
			f, leastPingPong, mostPingPong)
	}
	return nil
}
