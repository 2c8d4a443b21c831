package supervisor

import "time"

// State is what a child is doing.
type State uint8

// The states.
const (
	// Stopped: it has no process and none is to come, unless its supervisor
	// restarts it with others, or somebody does by hand.
	Stopped State = iota
	// Starting: it has processes that have not called Started yet.
	Starting
	// Running: it was started. Some processes of several may be restarting.
	Running
	// Restarting: it waits for its start or restart and has no process.
	Restarting
	// Stopping: it was told to stop, and has not yet.
	Stopping
)

// String returns the constant's name in lower case.
func (s State) String() string {
	return nameOf(s, "stopped", "starting", "running", "restarting", "stopping")
}

// Info is what a supervisor knows of a child at one moment. Fields may be added.
type Info struct {
	Name       string
	Supervisor bool // it is a *Spec or *Dynamic
	State      State
	Restart    Restart
	Processes  int // that live
	Stuck      int // that were aborted and have not ended; they count nowhere else
	Restarts   int // since its supervisor was started
}

// Counts are a supervisor's children at one moment, without those below them.
type Counts struct {
	Specs       int // all children
	Active      int // those that have a live process; not those that wait for a restart
	Supervisors int // all that are a *Spec or *Dynamic
	Workers     int // all others
	Stuck       int // processes that were aborted and have not ended, also of children that were removed
}

// Ending is how a child has stopped.
type Ending string

// The endings.
const (
	NotRunning Ending = "not running" // it had no process when its turn came
	InOrder    Ending = "in order"    // it did as it was told
	Failed     Ending = "failed"      // it ended with an error of its own
	Aborted    Ending = "aborted"     // it did not do as it was told in time, or was not told
	Stuck      Ending = "stuck"       // it did not end even then: a goroutine is left behind
)

// Report says how a supervisor has stopped, with everything below it. Fields may be
// added.
type Report struct {
	Name     string
	Ending   Ending
	Err      error         // what it ended with, if that was not in order
	Took     time.Duration // from the order to the end
	Stack    string        // where a stuck process hangs, if that was found
	Children []Report      // in the order in which they were told to stop
}

// stateOf says what a child is doing.
func stateOf(c *child) State {
	switch {
	case c.phase == stopping, c.phase == closing:
		return Stopping
	case c.phase == waiting, c.phase == running && c.live == 0:
		return Restarting
	case c.phase == starting, c.phase == running && c.arising == c.live: // or a restart alone
		return Starting
	case c.phase == running:
		return Running
	}
	return Stopped
}

// info returns what the machine knows of a child.
func (m *machine) info(c *child) Info {
	i := Info{
		Name:       c.name,
		Supervisor: c.supervisor,
		State:      stateOf(c),
		Restart:    c.restart,
		Processes:  c.live,
		Restarts:   c.restarts,
	}
	for k := range c.numbers {
		i.Stuck += c.numbers[k].stuck
	}
	return i
}

// counts returns the figures of all children.
func (m *machine) counts() Counts { return m.figures }
