// Package hold is the border between packages actor and supervisor: a channel
// that somebody else holds.
//
// Spawn, given a [Context] with a [Hold] as owner, makes an actor's channel and
// starts nothing. The holder then starts processes on it, as often as it likes,
// and closes it in the end: the exit of the last process is not the end of the
// actor, [Channel.Close] is. Messages sent meanwhile wait in the channel.
package hold

import (
	"context"
	"time"
)

// Context is what is given to Spawn as owner. With a nil Hold, Spawn does what
// it always does, under the context inside, but takes the actor for a
// supervisor, as Hold.Supervisor does. Nothing below inherits any of this.
type Context struct {
	context.Context //nolint:containedctx // it is one, of a type that Spawn recognises
	Hold            *Hold
}

// Hold is one held channel, as the holder sets it and Spawn completes it.
type Hold struct {
	Owner Owner // is told what happens

	// OnCrash, if not nil, gets each message that a process had in hand when it
	// ended with an error. It runs on that process's goroutine, before Exited.
	OnCrash func(msg any, cause error)

	Fresh bool // each process hands back what it finds queued before its body begins

	// Supervisor: the processes are supervisors. They are never stuck
	// themselves, because they end when all below them has ended or is stuck.
	// Close runs the body once more if no process lives.
	Supervisor bool

	Channel Channel // set by Spawn
}

// Channel is a held channel. No method waits.
type Channel interface {
	// Start starts a process with an index, which no process but stuck ones may
	// have. owner is the context of the holder's process: the new one becomes
	// its child. The incarnation is for the holder alone; it is not 0.
	Start(owner context.Context, index, incarnation int)
	// Halt asks the process of an index to stop, or all if that is negative.
	// Those that are started later are not asked.
	Halt(index int)
	// Abort tears down the process of an index, or all if that is negative, and
	// then, once the channel is closed, also what hands back leftovers.
	Abort(index int)
	// Close closes the channel for good. When the last process has ended,
	// leftovers are handed back and the actor ends; if none lives, one is
	// started for that, as a child of the holder's process that owner is of.
	// Further calls do nothing.
	Close(owner context.Context)
	// Closed reports whether Close was called.
	Closed() bool
}

// Owner is told of a held channel. Its methods are called in the order of what
// happens, under locks of package actor: they take note and return. Processes
// that Close started are reported with incarnation 0.
type Owner interface {
	Started(index, incarnation int) // it has called Process.Started, for the first time
	// Exited: the process has ended with err, and what it has spawned too.
	// started says whether it had called Process.Started.
	Exited(index, incarnation int, err error, started bool)
	Stuck(index, incarnation int, err error, stack string) // aborted, it does not end
	Released(index, incarnation int)                       // stuck, it has ended after all
	// Closed: after Close, the last process has ended, or only stuck ones are
	// left. Whoever sees Done closed finds that this was called.
	Closed()
}

// Process is a process, for package supervisor: a context's value under
// ProcessKey.
type Process interface {
	Started() // it is up
	// Final: it is a supervisor's and ends, and has closed all below it for good.
	// If it has not, and its channel is closed before it has ended, the body is
	// run once more.
	Final()
	Tell(Note) // tells the process's observers something about an actor
	// Describe says which *supervisor.Supervisor the process is of, for observers.
	Describe(supervisor any)
	// Up returns the process that owns this one's actor, or nil, and the hold of
	// this one's channel, or nil.
	Up() (owner Process, held *Hold)
}

// ProcessKey is the key of the Process that a context belongs to.
type ProcessKey struct{}

// Note is an event of a supervisor: see actor.Event.
type Note struct {
	Kind       string
	ID         uint64
	Name       string
	Supervisor string
	Process    int
	Attempt    int
	After      time.Duration
	Err        error
}
