package actor

import (
	"context"
	"iter"
	"runtime"
	"time"
)

// Pool owns an actor of several processes that share one inbox. It is safe for
// concurrent use. It keeps the actor reachable; letting it go stops nothing. It
// keeps how each process ended, a panic's stack included, as long as it lives.
type Pool[M, E any] struct {
	_    noCopy
	addr *Address[M]
}

// Exit is how one process of an actor ended.
type Exit[E any] struct {
	Index int   // the process's number, from 0 in the order of spawning
	Value E     // what its body returned
	Err   error // what its body returned, or a *PanicError, ErrAborted or ErrGoexit
}

func (p *Pool[M, E]) actor() *core {
	if p == nil {
		return nobody
	}
	return p.addr.actor()
}

// ID returns the actor's number, which no other actor of the program has.
func (p *Pool[M, E]) ID() ID { return p.actor().id }

// Name returns Config.Name.
func (p *Pool[M, E]) Name() string { return p.actor().name }

// String names the actor, for logs.
func (p *Pool[M, E]) String() string { return p.actor().who() }

// Address returns the actor's address.
func (p *Pool[M, E]) Address() *Address[M] { return p.addr }

// Spawn adds a process. If the last body has returned, or a process is stuck, it
// is ErrClosed, and body does not run. A process that joins an actor after a halt or an abort is halted
// or aborted from the start. Spawn panics if body is nil.
func (p *Pool[M, E]) Spawn(body func(ctx context.Context, in *Inbox[M]) (E, error)) error {
	defer runtime.KeepAlive(p)
	if body == nil {
		panic("actor: Pool.Spawn: body is nil")
	}
	c := p.actor()
	if c == nobody {
		return c.failed("spawn", ErrClosed)
	}
	return c.add(newProcess(p.addr.ch, bind("Pool.Spawn", body)))
}

// HaltSome asks n of the live processes that were not asked before to stop,
// waiting ones first. If there are fewer, it asks those. The actor stays open.
// It panics if n is negative.
func (p *Pool[M, E]) HaltSome(n int) {
	p.actor().haltSome(n)
	runtime.KeepAlive(p)
}

// Wait waits until the actor has ended, which is when Done is closed, and
// returns how each process ended, in that order, and their errors joined. If ctx
// ends first, there are no exits and the error wraps ctx's.
func (p *Pool[M, E]) Wait(ctx context.Context) ([]Exit[E], error) {
	defer runtime.KeepAlive(p)
	if err := p.actor().wait(ctx); err != nil {
		return nil, err
	}
	return p.exits()
}

func (p *Pool[M, E]) exits() ([]Exit[E], error) {
	all, err := p.actor().ended()
	exits := make([]Exit[E], len(all))
	for i, e := range all {
		exits[i] = exitOf[E](e)
	}
	return exits, err
}

func exitOf[E any](e exit) Exit[E] {
	value, _ := e.value.(E)
	return Exit[E]{Index: e.index, Value: value, Err: e.err}
}

// Exits returns how each process ended, from the first one on and in order of
// ending, waiting for those to come. The loop ends when the actor has ended or
// ctx ends.
func (p *Pool[M, E]) Exits(ctx context.Context) iter.Seq[Exit[E]] {
	return func(yield func(Exit[E]) bool) {
		defer runtime.KeepAlive(p)
		for i := 0; ; i++ {
			e, ok := p.actor().nextExit(ctx, i)
			if !ok || !yield(exitOf[E](e)) {
				return
			}
		}
	}
}

// Stop halts all processes and waits until the actor has ended. When ctx ends,
// it aborts the actor and everything below and waits for at most StuckAfter
// more. With a ctx that can never end, the abort timer takes its place. It
// returns what Wait does; if a process of the actor or below it is stuck, the
// error is or contains ErrStuck and says where it hangs, and the exits are those
// so far.
func (p *Pool[M, E]) Stop(ctx context.Context) ([]Exit[E], error) { return p.stop(ctx, false) }

// Drain is Stop with Close instead of Halt: queued messages are worked off
// first. With a ctx that can never end it waits as long as that takes.
func (p *Pool[M, E]) Drain(ctx context.Context) ([]Exit[E], error) { return p.stop(ctx, true) }

func (p *Pool[M, E]) stop(ctx context.Context, drain bool) ([]Exit[E], error) {
	defer runtime.KeepAlive(p)
	stuck := p.actor().stop(ctx, drain)
	exits, err := p.exits()
	return exits, join(err, stuck)
}

// Halt closes the actor and asks all its processes, also later ones, to stop:
// their next receive returns ErrHalted. It does not wait, and their contexts
// stay alive.
func (p *Pool[M, E]) Halt() {
	p.actor().halt()
	runtime.KeepAlive(p)
}

// Close refuses further messages and reports whether it was the call that did
// so. It does not wait. The processes go on with what is queued.
func (p *Pool[M, E]) Close() bool {
	first := p.actor().close()
	runtime.KeepAlive(p)
	return first
}

// Abort tears all processes and everything attached below them down, as
// [Child.Abort] does.
func (p *Pool[M, E]) Abort() bool {
	first := p.actor().abort()
	runtime.KeepAlive(p)
	return first
}

// Drop does to an attached actor what its owner's end does. See [Child.Drop].
func (p *Pool[M, E]) Drop() {
	p.actor().ownerEnded()
	runtime.KeepAlive(p)
}

// Attach makes the owner given to SpawnPool own the actor again. See [Child.Attach].
func (p *Pool[M, E]) Attach(timer time.Duration) {
	p.actor().attach(timer)
	runtime.KeepAlive(p)
}

// Detach makes the actor outlive its owner. See [Child.Detach].
func (p *Pool[M, E]) Detach() {
	p.actor().detach()
	runtime.KeepAlive(p)
}

// Done returns a channel that is closed when the last process has ended.
func (p *Pool[M, E]) Done() <-chan struct{} {
	d := p.actor().doneChan()
	runtime.KeepAlive(p)
	return d
}

// Len returns how many messages wait in the inbox at this moment.
func (p *Pool[M, E]) Len() int {
	n := p.actor().length()
	runtime.KeepAlive(p)
	return n
}

// Processes returns how many processes live at this moment.
func (p *Pool[M, E]) Processes() int {
	n := p.actor().processes()
	runtime.KeepAlive(p)
	return n
}
