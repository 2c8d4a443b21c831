package supervisor

import (
	"context"
	"time"

	"tinyactor/actor"
)

// Worker is a child that runs a function of yours. It owns an inbox that
// outlives its processes: what is sent while it is down waits there, in order.
//
// Name and Run are required (in a [Dynamic] only Run is); the zero value of the
// others is right for most. A Worker is a literal, for one place in one tree,
// and must not be changed or copied once that was started.
type Worker[M any] struct {
	_ noCopy

	// Name is unique in the supervisor, and what logs, errors, profiles and
	// observers call the child.
	Name string

	// Run is the body. It is called afresh whenever the child is started, so
	// state belongs inside it.
	Run func(ctx context.Context, in *actor.Inbox[M]) error

	// Processes is how many processes run the body on the one inbox, at most a
	// million; 0 means 1. If there are more, each of them is restarted alone,
	// whatever the supervisor's strategy, and the child has ended when all of them
	// have.
	Processes int

	Restart Restart // when it is started again; Permanent is the default

	// Significant children can end their supervisor: see [AutoShutdown]. A
	// permanent one cannot be significant.
	Significant bool

	Capacity actor.Capacity // as in actor.Config

	// AbortTimer is how long the child may take to stop once it was told,
	// before it is aborted. 0 means actor.DefaultAbortTimer; negative: it is
	// aborted at once, without being told before.
	AbortTimer time.Duration

	// Drain makes the child finish what is queued before it stops for good: it
	// is closed instead of halted. Where it is stopped in order to be started
	// again it is halted all the same, because the queue stays.
	Drain bool

	// AwaitStart, if positive, makes its supervisor wait until the body has
	// called Started, in each of its processes, before the next child is
	// started. A body that ends before or takes longer has failed to start.
	AwaitStart time.Duration

	Backoff Backoff // how long it waits for a restart

	// Fresh makes each process begin with an empty inbox, as in OTP: what was
	// queued goes to Undelivered. It is for one process.
	Fresh bool

	// OnCrash gets each message that a process had in hand when it failed or
	// was aborted, with the reason. It runs on that process's goroutine, before
	// the restart.
	OnCrash func(msg M, cause error)

	// Undelivered gets every message that was accepted and that no process
	// received, when the child has ended for good.
	Undelivered func(msg M)

	// OnStuck says what happens if a process does not end though it was
	// aborted, and another one is to take its place.
	OnStuck StuckPolicy

	life workerLife[M]
}

// noCopy makes go vet report copies of what contains it.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// plan is what the machine needs of a child, with all defaults in place.
func (w *Worker[M]) plan() plan {
	p := plan{
		name:        w.Name,
		restart:     w.Restart,
		significant: w.Significant,
		processes:   max(w.Processes, 1),
		abortAfter:  w.AbortTimer,
		drain:       w.Drain,
		await:       w.AwaitStart > 0,
		awaitFor:    w.AwaitStart,
		backoff:     w.Backoff.orDefault(),
		onStuck:     w.OnStuck,
	}
	if p.abortAfter == 0 {
		p.abortAfter = actor.DefaultAbortTimer
	}
	return p
}
