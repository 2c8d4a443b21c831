package supervisor

import "time"

// Dynamic is a supervisor whose children are made from one template while it
// runs; OTP's simple_one_for_one. It starts with none. Each child is restarted
// alone; one that is not restarted is removed. They are stopped all at once.
// When the Dynamic itself is restarted, its children are not.
//
// Name and Template are required. A Dynamic is a literal, for one place in one
// tree, and must not be changed or copied once that was started.
type Dynamic[A, M any] struct {
	_ noCopy

	// Name is unique in the supervisor above, and what logs, errors, profiles
	// and observers call this one.
	Name string

	// Template makes a new Worker of an argument. It is called once for each
	// child, on the goroutine that adds it. The worker needs no name, and
	// cannot be significant.
	Template func(arg A) *Worker[M]

	Limit Limit // how many restarts, of all children together, it makes before it gives up
	Max   int   // how many children it may have at a time; 0: any number

	// What follows is about the supervisor as a child of another one.

	Restart     Restart       // Permanent is the default
	Significant bool          // see AutoShutdown
	AbortTimer  time.Duration // as in Spec
	Backoff     Backoff       // how long it waits for a restart

	life supervisorLife
}

// plan is what the machine of the supervisor above needs.
func (d *Dynamic[A, M]) plan() plan {
	return supervisorPlan(d.Name, d.Restart, d.Significant, d.AbortTimer, d.Backoff)
}
