package supervisor

import "time"

// Spec is a supervisor: at the root of a tree, or as a child of another.
//
// As a child it needs a Name; the zero value of the other fields is right for
// most. Its children are started in order, each when the one before it is up,
// and stopped in the opposite order. A Spec is a literal, for one place in one
// tree, and must not be changed or copied once that was started.
type Spec struct {
	_ noCopy

	// Name is what logs, errors, profiles and observers call the supervisor. In
	// another supervisor it is unique.
	Name string

	Strategy Strategy // OneForOne is the default
	Limit    Limit    // how many restarts it makes before it gives up

	AutoShutdown AutoShutdown // Never is the default
	Children     []Child

	// What follows is about the supervisor as a child of another one.

	Restart     Restart // Permanent is the default
	Significant bool    // see AutoShutdown

	// AbortTimer is how long the supervisor may take to stop once it was told,
	// before it and all below is aborted. 0 means that it may take as long as
	// its children do, which is nearly always right; negative: it is aborted at
	// once.
	AbortTimer time.Duration

	Backoff Backoff // how long it waits for a restart

	life supervisorLife
}

// plan is what the machine of the supervisor above needs.
func (s *Spec) plan() plan {
	return supervisorPlan(s.Name, s.Restart, s.Significant, s.AbortTimer, s.Backoff)
}

// supervisorPlan is the plan of a child that is a supervisor: it is up when its
// children are, however long that takes.
func supervisorPlan(name string, r Restart, significant bool, abort time.Duration, b Backoff) plan {
	return plan{
		name:        name,
		supervisor:  true,
		restart:     r,
		significant: significant,
		processes:   1,
		abortAfter:  abort,
		await:       true,
		backoff:     b.orDefault(),
	}
}
