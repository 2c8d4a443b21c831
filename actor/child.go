package actor

import (
	"context"
	"runtime"
	"time"
)

// Child owns an actor of one process, whose exit value is an E. It is safe for
// concurrent use. It keeps the actor reachable; letting it go stops nothing.
type Child[M, E any] struct {
	_    noCopy
	addr *Address[M]
}

func (c *Child[M, E]) actor() *core {
	if c == nil {
		return nobody
	}
	return c.addr.actor()
}

// ID returns the actor's number, which no other actor of the program has.
func (c *Child[M, E]) ID() ID { return c.actor().id }

// Name returns Config.Name.
func (c *Child[M, E]) Name() string { return c.actor().name }

// String names the actor, for logs.
func (c *Child[M, E]) String() string { return c.actor().who() }

// Address returns the actor's address.
func (c *Child[M, E]) Address() *Address[M] { return c.addr }

// Pool returns the same actor as a pool, to spawn further processes.
func (c *Child[M, E]) Pool() *Pool[M, E] { return &Pool[M, E]{addr: c.addr} }

// Wait waits until the actor has ended, which is when Done is closed, and
// returns what its body returned, or as error a *PanicError, ErrAborted or
// ErrGoexit. Any number of callers get the same answer. If ctx ends first, the
// error wraps ctx's. An actor that has become a pool has several exits: this is
// the one of the process with index 0.
func (c *Child[M, E]) Wait(ctx context.Context) (E, error) {
	defer runtime.KeepAlive(c)
	if err := c.actor().wait(ctx); err != nil {
		var none E
		return none, err
	}
	return c.exit()
}

// exit returns the exit of process 0 if it has ended.
func (c *Child[M, E]) exit() (value E, err error) {
	if c.actor() == nobody {
		return value, nobody.failed("wait", ErrClosed)
	}
	e, _ := c.actor().first()
	value, _ = e.value.(E)
	return value, e.err
}

// Stop halts the actor and waits until it has ended. When ctx ends, it aborts
// the actor and everything below and waits for at most StuckAfter more. With a
// ctx that can never end, or with that of the process that is to end, the abort
// timer takes its place. It returns what Wait does; if a process of the actor or below it is stuck, the error is or contains
// ErrStuck and says where it hangs.
func (c *Child[M, E]) Stop(ctx context.Context) (E, error) { return c.stop(ctx, false) }

// Drain is Stop with Close instead of Halt: queued messages are worked off
// first. With a ctx that can never end it waits as long as that takes.
func (c *Child[M, E]) Drain(ctx context.Context) (E, error) { return c.stop(ctx, true) }

func (c *Child[M, E]) stop(ctx context.Context, drain bool) (value E, err error) {
	defer runtime.KeepAlive(c)
	stuck := c.actor().stop(ctx, drain)
	value, err = c.exit()
	return value, join(err, stuck)
}

// Halt closes the actor and asks its process to stop: its next receive returns
// ErrHalted. It does not wait, and the process's context stays alive.
func (c *Child[M, E]) Halt() {
	c.actor().halt()
	runtime.KeepAlive(c)
}

// Close refuses further messages and reports whether it was the call that did
// so. It does not wait. The process goes on with what is queued.
func (c *Child[M, E]) Close() bool {
	first := c.actor().close()
	runtime.KeepAlive(c)
	return first
}

// Abort tears the actor and everything attached below it down: it is closed,
// the contexts end with cause ErrAborted, and each process unwinds at its next
// inbox operation, or at once if it waits in one. It does not wait, and reports
// whether it was the first abort of an actor that had not ended. Wherever
// possible, use Stop.
func (c *Child[M, E]) Abort() bool {
	first := c.actor().abort()
	runtime.KeepAlive(c)
	return first
}

// Drop does to an attached actor what its owner's end does: it is halted (or
// closed, with Config.Drain), and aborted when its abort timer runs out. It does
// not wait. On a detached actor it does nothing.
func (c *Child[M, E]) Drop() {
	c.actor().ownerEnded()
	runtime.KeepAlive(c)
}

// Attach makes the owner given to Spawn own the actor again, with a new abort
// timer, which has the range of Config.AbortTimer. If the owner has ended, the
// actor is stopped.
func (c *Child[M, E]) Attach(timer time.Duration) {
	c.actor().attach(timer)
	runtime.KeepAlive(c)
}

// Detach makes the actor outlive its owner. An abort timer that runs is stopped;
// a halt stays.
func (c *Child[M, E]) Detach() {
	c.actor().detach()
	runtime.KeepAlive(c)
}

// Done returns a channel that is closed when the actor has ended.
func (c *Child[M, E]) Done() <-chan struct{} {
	d := c.actor().doneChan()
	runtime.KeepAlive(c)
	return d
}

// Len returns how many messages wait in the inbox at this moment.
func (c *Child[M, E]) Len() int {
	n := c.actor().length()
	runtime.KeepAlive(c)
	return n
}

// Processes returns how many processes live at this moment.
func (c *Child[M, E]) Processes() int {
	n := c.actor().processes()
	runtime.KeepAlive(c)
	return n
}
