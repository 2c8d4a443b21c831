package mailbox

import (
	"math"
	"time"
)

// MaxDelay is the longest that backpressure holds up one message.
const MaxDelay = 10 * time.Millisecond

// yieldBelow is the delay under which a timer costs more than it delays: such a
// sender lets other goroutines run instead.
const yieldBelow = 50 * time.Microsecond

// Policy says how many messages a queue takes, and how it slows its senders
// down. The zero value neither bounds nor slows.
type Policy struct {
	Limit  int           // at most so many messages; 0: no bound
	Start  int           // so many messages slow a sender down; 0: never
	Base   time.Duration // the delay at Start messages
	Factor float64       // 1: the delay grows by Base a message; above: it is multiplied by Factor
}

// delay returns how long a message has to wait before it enters a queue of n
// messages: 0 below Start, at most MaxDelay.
func (p Policy) delay(n int) time.Duration {
	if p.Start == 0 || n < p.Start {
		return 0
	}
	over := float64(n - p.Start)
	var d float64
	if p.Factor == 1 {
		d = float64(p.Base) * (over + 1)
	} else {
		d = float64(p.Base) * math.Pow(p.Factor, over)
	}
	// Infinity and (from 0*Inf) NaN fail this comparison and are capped.
	if d < float64(MaxDelay) {
		return time.Duration(d)
	}
	if p.Base == 0 {
		return 0
	}
	return MaxDelay
}
