package supervisor

import (
	"errors"
	"slices"
	"sync"

	"tinyactor/actor"
	"tinyactor/internal/hold"
)

// cell is what remains of a child while its supervisor comes and goes: its
// channel, the processes of it that are stuck, and who is told of it now.
type cell struct {
	hold hold.Hold
	ref  actor.Ref   // keeps the address, and so the channel, in use
	sup  *Supervisor // of a *Spec or *Dynamic

	mu    sync.Mutex
	used  bool // it is in a tree
	shell *shell
	id    int   // in the shell
	stuck []int // processes of each number that are stuck
	hung  *hung // the latest of them
}

// hung is how a process is stuck.
type hung struct {
	err   error
	stack string
}

// channel returns the channel, which there is once open was called.
func (c *cell) channel() hold.Channel { return c.hold.Channel }

// claim takes the child for a place in a tree and reports whether it was free.
func (c *cell) claim() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.used {
		return false
	}
	c.used = true
	return true
}

// disclaim takes that back.
func (c *cell) disclaim() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.used, c.shell = false, nil
}

// enter makes a shell the one that is told of the child from now on, and
// returns how many stuck processes each number has left.
func (c *cell) enter(s *shell, id int) []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shell, c.id = s, id
	return slices.Clone(c.stuck)
}

// stuckNow returns how the latest process is stuck, if any is.
func (c *cell) stuckNow() *hung {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.stuck {
		if n > 0 {
			return c.hung
		}
	}
	return nil
}

// place returns the shell that is told of the child and its id there.
func (c *cell) place() (*shell, int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shell, c.id
}

// post brings an event to the shell, and counts stuck processes. Calls come one
// after the other.
func (c *cell) post(e *event, stuck int) {
	c.mu.Lock()
	if stuck != 0 {
		for len(c.stuck) <= e.process {
			c.stuck = append(c.stuck, 0)
		}
		c.stuck[e.process] += stuck
	}
	s := c.shell
	e.child = c.id
	c.mu.Unlock()
	if s != nil {
		s.post(e)
	}
}

// What follows is hold.Owner. An incarnation of 0 is of a process that only
// hands back leftovers: the machine does not know it.

func (c *cell) Started(index, incarnation int) {
	c.post(&event{kind: evUp, process: index, incarnation: incarnation}, 0)
}

func (c *cell) Exited(index, incarnation int, err error, started bool) {
	c.post(&event{kind: evExit, process: index, incarnation: incarnation, exit: c.exitOf(err, started), err: err}, 0)
}

func (c *cell) Stuck(index, incarnation int, err error, stack string) {
	change := 1
	if incarnation == 0 {
		change = 0
	}
	c.mu.Lock()
	c.hung = &hung{err, stack}
	c.mu.Unlock()
	c.post(&event{kind: evStuck, process: index, incarnation: incarnation, err: err, stack: stack}, change)
}

func (c *cell) Released(index, incarnation int) {
	if incarnation != 0 {
		c.post(&event{kind: evReleased, process: index}, -1)
	}
}

func (c *cell) Closed() { c.post(&event{kind: evClosed}, 0) }

// exitOf says what kind of exit a process of the child had.
func (c *cell) exitOf(err error, started bool) exitKind {
	if err != nil && c.sup != nil {
		if end, ok := errors.AsType[*endError](err); ok {
			return end.reason.kind()
		}
	}
	return kindOf(err, started)
}
