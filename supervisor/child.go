package supervisor

import (
	"fmt"
	"math"
	"time"
)

// Child is what a supervisor supervises: a *[Worker], a *[Spec], which is a
// supervisor itself, or a *[Dynamic]. No other type implements it.
//
// A child is for one place in one tree: it must not be changed, copied or used
// again once the tree was started.
type Child interface {
	plan() plan     // what the machine of its supervisor needs
	missing() bool  // it is a nil pointer
	check(*checker) // says what is wrong with it
	cellOf() *cell  // what remains of it between its processes
	open() *cell    // the same, with its channel, which is made at the first call
}

// Restart says when a child is started again after it has ended by itself.
type Restart uint8

// The kinds of children.
const (
	// Permanent children are started again whenever they end.
	Permanent Restart = iota
	// Transient children are started again if they fail: by an error, a panic
	// or runtime.Goexit. One that ended in good order stays in the list and
	// can be restarted by hand.
	Transient
	// Temporary children are never started again: they are removed from the
	// list when they end.
	Temporary
)

// String returns the constant's name in lower case.
func (r Restart) String() string { return nameOf(r, "permanent", "transient", "temporary") }

// Strategy says what else is restarted with a child that is started again.
type Strategy uint8

// The strategies. The processes of a child that has several are restarted
// alone with each of them.
const (
	// OneForOne restarts only the child that has ended.
	OneForOne Strategy = iota
	// OneForAll stops all other children in reverse order and then starts all
	// of them in order.
	OneForAll
	// RestForOne stops those after it in reverse order and then starts it and
	// those in order.
	RestForOne
)

// String returns the constant's name as OTP writes it.
func (s Strategy) String() string { return nameOf(s, "one_for_one", "one_for_all", "rest_for_one") }

// AutoShutdown says whether a supervisor ends when significant children have
// ended by themselves: transient ones in good order, temporary ones in any way.
type AutoShutdown uint8

// When a supervisor ends by itself.
const (
	// Never: there may be no significant children.
	Never AutoShutdown = iota
	// AnySignificant: as soon as one of them has ended.
	AnySignificant
	// AllSignificant: when the last of them has ended.
	AllSignificant
)

// String returns the constant's name as OTP writes it.
func (a AutoShutdown) String() string {
	return nameOf(a, "never", "any_significant", "all_significant")
}

// StuckPolicy says what happens when a process must be started in the place of
// one that was aborted and has not ended (see [tinyactor/actor.ErrStuck]).
// Where nothing is to be started in its place, as in a Stop, a stuck process is
// reported and nobody waits for it any longer.
type StuckPolicy uint8

// What happens.
const (
	// StuckEscalate ends the supervisor with an error, as a crash would: two
	// copies of the child might share memory.
	StuckEscalate StuckPolicy = iota
	// StuckReplace starts the new process beside the stuck one, which can
	// receive and answer no more, and counts a restart for it. It is for
	// children that share nothing.
	StuckReplace
	// StuckWait starts nothing until the stuck process has ended after all.
	StuckWait
)

// String returns the constant's name in lower case, without "stuck".
func (p StuckPolicy) String() string { return nameOf(p, "escalate", "replace", "wait") }

// nameOf returns the name of a constant, or its number if it has none.
func nameOf[T ~uint8](v T, names ...string) string {
	if int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprintf("unknown(%d)", uint8(v))
}

// Limit is how many restarts a supervisor makes before it gives up and leaves
// the matter to its own supervisor. A restart counts once, however many
// siblings are restarted with it, and so does each failed attempt. If more than
// Restarts were counted within Period, ends included, the supervisor stops all
// its children and ends.
//
// Before the root of a tree gives up, as many restarts as the product of the
// limits on the path may happen.
type Limit struct {
	Restarts int           // 0 means 3; -1: none, the first failure is one too many
	Period   time.Duration // 0 means 5 seconds
}

// The defaults of Limit.
const (
	defaultRestarts = 3
	defaultPeriod   = 5 * time.Second
)

// orDefault replaces the fields that are zero.
func (l Limit) orDefault() Limit {
	switch l.Restarts {
	case 0:
		l.Restarts = defaultRestarts
	case -1:
		l.Restarts = 0
	}
	if l.Period == 0 {
		l.Period = defaultPeriod
	}
	return l
}

// Backoff is how long a child waits before it is started again. The zero value
// starts it at once, as OTP does.
//
// The first restart waits for Min. If the child fails again, the next ones wait
// longer and longer, until it has run for ResetAfter without failing. The k-th
// in a row, from the second on, waits for a time between Min and
//
//	min(Max, max(Min, 10ms) * Factor^(k-1))
//
// Each wait counts as a restart when it begins: a Limit whose Period is short
// compared with the delays never trips.
type Backoff struct {
	Min time.Duration // of the first restart; 0: at once
	// Max bounds all delays. 0 means 30 seconds, or Min if that is longer; if
	// Min is 0 too, there are no delays.
	Max    time.Duration
	Factor float64 // at least 1; 0 means 2
	// Jitter is how much of a delay is drawn by lot, so that many children that
	// failed together do not come back together: a delay d becomes one between
	// d*(1-Jitter) and d, but not less than Min. At most 1; 0 means 1;
	// negative: nothing.
	Jitter     float64
	ResetAfter time.Duration // 0 means Max, but at least 5 seconds
}

// backoffStep is what delays grow from if Min is shorter.
const backoffStep = 10 * time.Millisecond

// defaultMax is Backoff.Max if only Min was set.
const defaultMax = 30 * time.Second

// orDefault replaces the fields that are zero. A Max that is zero afterwards
// means that there are no delays.
func (b Backoff) orDefault() Backoff {
	if b.Max == 0 && b.Min > 0 {
		b.Max = max(b.Min, defaultMax)
	}
	if b.Factor == 0 {
		b.Factor = 2
	}
	switch {
	case b.Jitter == 0:
		b.Jitter = 1
	case b.Jitter < 0:
		b.Jitter = 0
	}
	if b.ResetAfter == 0 {
		b.ResetAfter = max(b.Max, defaultPeriod)
	}
	return b
}

// delay is how long the k-th restart in a row waits, k from 1, with a lot from
// [0, 1). b has its defaults.
func (b Backoff) delay(k int, lot float64) time.Duration {
	switch {
	case b.Max == 0:
		return 0
	case k <= 1:
		return b.Min
	}
	d := float64(max(b.Min, backoffStep)) * math.Pow(b.Factor, float64(k-1))
	d = min(d, float64(b.Max))
	low := max(d*(1-b.Jitter), float64(b.Min))
	return time.Duration(low + lot*(d-low))
}
