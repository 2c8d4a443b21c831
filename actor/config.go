package actor

import (
	"fmt"
	"math"
	"time"

	"tinyactor/internal/mailbox"
)

const (
	// DefaultAbortTimer is how long an actor may take to stop when its owner
	// has ended, before it is aborted.
	DefaultAbortTimer = 5 * time.Second

	// StuckAfter is how long an aborted process may take to end before it is
	// declared stuck.
	StuckAfter = time.Second
)

// Config says how an actor is made. The zero value is right for most.
type Config struct {
	// Name is what logs, errors, profiles (as the pprof label "actor") and
	// observers call the actor. It need not be unique.
	Name string

	// Capacity is how many messages may wait in the inbox, and what happens to
	// senders when many do. The zero value means DefaultCapacity.
	Capacity Capacity

	// AbortTimer is how long the actor may take to stop once its owner has
	// ended, before it is aborted. 0 means DefaultAbortTimer; negative, to
	// abort at once, without a halt before.
	AbortTimer time.Duration

	// Detached makes the actor outlive its owner: the owner's end does nothing.
	Detached bool

	// Drain makes the owner's end close the actor instead of halting it, so
	// that queued work is finished first.
	Drain bool

	// Undelivered gets every message that was accepted and that no process
	// received: one at a time, in order, when the last process has ended, on
	// its goroutine (or, behind a stuck process, on another). A panic in it is
	// recorded and the next message follows. If nil, the number of such
	// messages is logged.
	Undelivered func(msg any)
}

// Capacity says how many messages may wait in an inbox. Two capacities made in
// the same way are equal. The zero value stands for DefaultCapacity.
type Capacity struct {
	kind   capacityKind
	policy mailbox.Policy
}

type capacityKind uint8

const (
	capacityDefault capacityKind = iota
	capacityBounded
	capacityUnbounded
	capacityBackpressure
)

// Bounded makes an inbox for at most n messages: Send waits for room. The
// memory is taken as messages come, not in advance. n must be at least 1.
func Bounded(n int) Capacity {
	if n < 1 {
		panic(fmt.Sprintf("actor: Bounded: n is %d, must be at least 1", n))
	}
	return Capacity{capacityBounded, mailbox.Policy{Limit: n}}
}

// Unbounded makes an inbox that takes every message at once. Nothing holds up
// senders that are faster than the actor: memory is the only bound.
func Unbounded() Capacity { return Capacity{kind: capacityUnbounded} }

// Backpressure makes an unbounded inbox that slows its senders down. Once start
// messages wait, each message is delayed before it enters: for factor 1 by base
// for each message from the start-th on, above 1 by base*factor^(waiting-start),
// and never by more than 10 ms. Delays under 50 µs only let other goroutines
// run. A delay ends at the latest when the queue is back at start.
//
// start must be at least 1, base must not be negative, factor must be at least
// 1 and finite.
func Backpressure(start int, base time.Duration, factor float64) Capacity {
	switch {
	case start < 1:
		panic(fmt.Sprintf("actor: Backpressure: start is %d, must be at least 1", start))
	case base < 0:
		panic(fmt.Sprintf("actor: Backpressure: base is %v, must not be negative", base))
	case !(factor >= 1) || math.IsInf(factor, 1):
		panic(fmt.Sprintf("actor: Backpressure: factor is %v, must be at least 1 and finite", factor))
	}
	return Capacity{capacityBackpressure, mailbox.Policy{Start: start, Base: base, Factor: factor}}
}

// builtinCapacity lets four thousand messages wait before anybody is slowed
// down. From there each further message adds 2 µs of delay to the next, so that
// a burst of 25 more only yields to the actor, and 5,000 more are needed for
// the full 10 ms: a sender to an actor that takes nothing any more is then down
// to 100 messages per second.
//
// Measured with 1, 8 and 64 senders that do nothing else: marks of 1024, 4096
// and 16384 and bases of 0.5, 2 and 10 µs cost the same per message within the
// noise, and this one keeps the queue below 4,300. Without any backpressure the
// same senders made it millions long.
var builtinCapacity = Backpressure(4096, 2*time.Microsecond, 1)

// DefaultCapacity is what the zero Capacity stands for when an actor is spawned:
// backpressure, so that no sender waits for ever and no queue grows without
// anybody noticing. A program may set it before it spawns its first actor; set
// to the zero Capacity it means what it was at the start.
var DefaultCapacity = builtinCapacity

// String returns the capacity as the call that makes it.
func (c Capacity) String() string {
	switch c.kind {
	case capacityBounded:
		return fmt.Sprintf("Bounded(%d)", c.policy.Limit)
	case capacityUnbounded:
		return "Unbounded()"
	case capacityBackpressure:
		return fmt.Sprintf("Backpressure(%d, %v, %v)", c.policy.Start, c.policy.Base, c.policy.Factor)
	default:
		return "DefaultCapacity"
	}
}

// orDefault replaces the zero value.
func (c Capacity) orDefault() Capacity {
	if c.kind != capacityDefault {
		return c
	}
	if DefaultCapacity.kind != capacityDefault {
		return DefaultCapacity
	}
	return builtinCapacity
}
