package soak

import (
	"fmt"
	"strings"
	"sync/atomic"

	"tinyactor/actor"
)

// An op is something that is done in a run, or happens in it.
type op int

// What is counted. All of it happens in a run that is long enough.
const (
	sentAll op = iota
	sendEnded
	passedOn
	answered
	unanswered
	askEnded
	sendAfter
	sendEvery
	watched
	receiveEnded

	panicked
	goexited
	failed
	failedStart
	lingered
	ended
	stuck

	haltedSome // from here to ownerEnded: how pools are ended
	halted
	closed
	aborted
	dropped
	stopped
	drained
	ownerEnded
	poolSpawned
	nested
	forgotten

	terminated
	restartedByHand
	added
	replaced
	dynamic
	treeStarted
	treeStopped

	ops int = iota
)

var names = [ops]string{
	"SendAll", "Send that its ctx ended", "messages between actors", "Ask answered", "Ask failed by a crash", "Ask that its ctx ended",
	"SendAfter", "SendEvery", "Watch", "Recv that its ctx ended",
	"panics", "Goexits", "errors", "failed starts", "processes that linger", "ends in order", "stuck processes",
	"HaltSome", "Halt", "Close", "Abort", "Drop", "Stop", "Drain", "end of the owner", "Pool.Spawn", "children of a process", "forgotten actors",
	"Terminate", "Restart", "Add", "Replace", "Dynamic.Add", "trees", "trees stopped",
}

// counts is how often each happened.
type counts [ops]atomic.Int64

// String lists them, some to a line.
func (c *counts) String() string {
	var b strings.Builder
	for i, name := range names {
		switch {
		case i == 0:
		case i%6 == 0:
			b.WriteString("\n  ")
		default:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s %d", name, c[i].Load())
	}
	return b.String()
}

// missing names what has never happened.
func (c *counts) missing() []string {
	var none []string
	for i, name := range names {
		if c[i].Load() == 0 {
			none = append(none, name)
		}
	}
	return none
}

// restarts counts what supervisors tell.
type restarts struct {
	processes, replaced, limits, spawned atomic.Int64
}

// LogsPanics says that there is no need to log the panics of a soak.
func (*restarts) LogsPanics() bool { return true }

// Observe counts an event.
func (r *restarts) Observe(e actor.Event) {
	switch e.Kind {
	case actor.EventRestarting:
		r.processes.Add(1)
	case actor.EventReplaced:
		r.replaced.Add(1)
	case actor.EventLimitExceeded:
		r.limits.Add(1)
	case actor.EventSpawned:
		r.spawned.Add(1)
	default:
	}
}
