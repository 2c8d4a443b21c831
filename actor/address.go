package actor

import (
	"context"
	"runtime"

	"tinyactor/internal/mailbox"
)

// Sender is where messages can be sent to. *Address is one, and so is what Map
// makes; others may implement it. A Sender passes ctx on with the one message
// that it sends for msg, and with no other, so that an Ask through it ends when
// the one that it reaches ends.
type Sender[M any] interface {
	// Send waits until the message is accepted. An error means that it was not.
	Send(ctx context.Context, msg M) error
	// TrySend does not wait: ErrFull where Send would.
	TrySend(msg M) error
}

// Ref is an actor without its message type: an *Address, a *Child or a *Pool.
type Ref interface {
	ID() ID                // unique in the program
	Name() string          // Config.Name
	Halt()                 // asks all its processes to stop; does not wait
	Done() <-chan struct{} // closed when the last process has ended
	Len() int              // messages waiting in the inbox
	actor() *core
}

// noCopy makes go vet report copies of what contains it.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// Address is where an actor's messages are sent to. It is safe for concurrent
// use. Two addresses that are in use at the same time are of the same actor if
// and only if they are the same pointer. The zero Address is of an actor that
// has ended.
//
// When the last *Address, *Child and *Pool of an actor has become unreachable,
// and its process has not asked for its own address, the actor is closed after
// the next garbage collection: nobody could send to it any more. An address in
// a pending timer, in a Watch, Map or Ask, or in a queued message counts.
type Address[M any] struct {
	_  noCopy
	ch *channel[M]
	_  [56]byte // objects of 64 bytes keep AddCleanup cheap: 2 µs more in a dense span of small ones
}

// An address is a Sender and a Ref. Saying so here has the compiler make these
// methods for one message type in this package, and only then does it inline the
// calls of other packages in them for the types of users too: a Send costs a
// quarter less.
var (
	_ Sender[None] = (*Address[None])(nil)
	_ Ref          = (*Address[None])(nil)
	_ seat         = (*Inbox[None])(nil)
)

// channel is the one allocation behind an actor: its life and its mailbox.
type channel[M any] struct {
	mailbox.Queue[M]
	core
	reach[M]
}

func (a *Address[M]) actor() *core {
	if a == nil || a.ch == nil {
		return nobody
	}
	return &a.ch.core
}

// ID returns the actor's number, which no other actor of the program has.
func (a *Address[M]) ID() ID { return a.actor().id }

// Name returns Config.Name.
func (a *Address[M]) Name() string { return a.actor().name }

// String names the actor, for logs.
func (a *Address[M]) String() string { return a.actor().who() }

// Send puts msg into the inbox and returns nil once it is accepted: then it is
// received by exactly one process or handed to Config.Undelivered. It waits
// while a bounded inbox is full, behind the senders that came before, and is
// delayed by backpressure (see [Capacity]).
//
// The error is ErrClosed if the actor takes no more messages, ErrFull if the
// inbox is full and ctx is that of one of the actor's own processes, or ctx's
// error if it ends the wait; msg is then not in the inbox. A Send that need not
// wait does not look at ctx. It allocates nothing unless it fails or has to wait.
func (a *Address[M]) Send(ctx context.Context, msg M) error {
	var err error
	if a == nil || a.ch == nil || foreignAsks.Load() != 0 {
		err = a.sendFor(ctx, msg)
	} else if s := a.ch.Put(msg); s != mailbox.OK {
		err = a.insist(ctx, msg, nil, s)
	}
	runtime.KeepAlive(a)
	return err
}

// sendFor is Send that looks for the ask that msg belongs to.
func (a *Address[M]) sendFor(ctx context.Context, msg M) error {
	s, _ := ctx.Value(slotKey{}).(*slot)
	return a.send(ctx, msg, s)
}

// send is Send with the ask that msg belongs to, or nil.
func (a *Address[M]) send(ctx context.Context, msg M, s *slot) error {
	c := a.actor()
	if c == nobody {
		return c.failed("send", ErrClosed)
	}
	if s != nil {
		return a.sendAsk(ctx, msg, s)
	}
	return a.push(ctx, msg, nil)
}

// sendAsk sends a message and the ask that it belongs to. A process that has no
// other in its actor does not ask itself.
func (a *Address[M]) sendAsk(ctx context.Context, msg M, s *slot) error {
	c := a.actor()
	s.to.Store(c)
	p := processOf(ctx)
	s.asker = p
	if p == nil || p.core != c {
		return a.push(ctx, msg, s)
	}
	if c.processes() == 1 {
		return c.asksItself() // and whoever leaves it alone fails the ask: see failSelfAsks
	}
	err := a.push(ctx, msg, s)
	if err == nil && c.processes() == 1 {
		s.answer(c.asksItself())
	}
	return err
}

// push puts a message into the inbox, waiting as Send does.
func (a *Address[M]) push(ctx context.Context, msg M, ticket any) error {
	if s := a.ch.Offer(msg, ticket); s != mailbox.OK {
		return a.insist(ctx, msg, ticket, s)
	}
	return nil
}

// insist is what a send does whose message was not taken at once. Its name in a
// goroutine dump says what the goroutine does.
//
//go:noinline
func (a *Address[M]) insist(ctx context.Context, msg M, ticket any, s mailbox.Status) error {
	c, q := &a.ch.core, &a.ch.Queue
	if s == mailbox.Closed {
		return c.failed("send", ErrClosed)
	}
	if q.Policy().Limit > 0 {
		if p := processOf(ctx); p != nil && p.core == c {
			return c.failed("send to itself", ErrFull)
		}
	}
	switch q.PushFrom(ctx.Done(), msg, ticket, c.sender(ctx)) {
	case mailbox.OK:
		return nil
	case mailbox.Closed:
		return c.failed("send", ErrClosed)
	default:
		return c.failed("send", ctx.Err())
	}
}

// TrySend is Send that never waits: ErrFull if a bounded inbox is full, or if
// backpressure would delay the message. A handler may use it on its own actor.
func (a *Address[M]) TrySend(msg M) error {
	c := a.actor()
	if c == nobody {
		return c.failed("send", ErrClosed)
	}
	s := a.ch.Put(msg)
	runtime.KeepAlive(a)
	return c.refusal(s)
}

// SendNow is TrySend that ignores backpressure: ErrFull only if a bounded inbox
// is full.
func (a *Address[M]) SendNow(msg M) error {
	c := a.actor()
	if c == nobody {
		return c.failed("send", ErrClosed)
	}
	s := a.ch.Force(msg)
	runtime.KeepAlive(a)
	return c.refusal(s)
}

// refusal is the error of a send that did not wait.
func (c *core) refusal(s mailbox.Status) error {
	switch s {
	case mailbox.Closed:
		return c.failed("send", ErrClosed)
	case mailbox.Full:
		return c.failed("send", ErrFull)
	}
	return nil
}

// SendAll sends msgs in order, as Send does, taking as many at once as there is
// room for. It returns how many were accepted, which are the first n; n is less
// than len(msgs) only together with an error, one of Send's.
func (a *Address[M]) SendAll(ctx context.Context, msgs []M) (n int, err error) {
	defer runtime.KeepAlive(a)
	c := a.actor()
	if c == nobody {
		return 0, c.failed("send", ErrClosed)
	}
	for n < len(msgs) {
		// Not more at once than holds up the others a little.
		k, s := a.ch.OfferAll(msgs[n:min(n+256, len(msgs))])
		n += k
		switch s {
		case mailbox.OK:
			continue
		case mailbox.Closed:
			return n, c.failed("send", ErrClosed)
		}
		if err := a.send(ctx, msgs[n], nil); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// Halt closes the actor and asks all its processes, also later ones, to stop:
// their next receive returns ErrHalted. It does not wait, and their contexts
// stay alive. A supervised actor is not closed, and later processes are not
// asked: its supervisor decides whether there will be any.
func (a *Address[M]) Halt() {
	a.actor().halt()
	runtime.KeepAlive(a)
}

// Done returns a channel that is closed when the last process has ended and
// every accepted message was received or handed to Config.Undelivered.
func (a *Address[M]) Done() <-chan struct{} {
	d := a.actor().doneChan()
	runtime.KeepAlive(a)
	return d
}

// Wait waits until Done is closed and returns how the actor ended: the error of
// its process, or all errors joined if it had several. If ctx ends first, the
// error wraps ctx's.
func (a *Address[M]) Wait(ctx context.Context) error {
	c := a.actor()
	err := c.wait(ctx)
	if err == nil {
		_, err = c.ended()
	}
	runtime.KeepAlive(a)
	return err
}

// Len returns how many messages wait in the inbox at this moment.
func (a *Address[M]) Len() int {
	n := a.actor().length()
	runtime.KeepAlive(a)
	return n
}

// Capacity returns what the actor was spawned with; DefaultCapacity's value if
// that was nothing.
func (a *Address[M]) Capacity() Capacity {
	if a.actor() == nobody {
		return Capacity{}
	}
	return Capacity{a.ch.capacity, a.ch.Policy()}
}

// Processes returns how many processes live at this moment.
func (a *Address[M]) Processes() int {
	n := a.actor().processes()
	runtime.KeepAlive(a)
	return n
}

// Closed reports whether the actor takes no more messages.
func (a *Address[M]) Closed() bool {
	closed := a.actor().isClosed()
	runtime.KeepAlive(a)
	return closed
}

// takeAny takes the oldest message out for Undelivered.
func (ch *channel[M]) takeAny() (msg, ticket any, ok bool) {
	m, ticket, ok := ch.Take()
	if ok && ch.undelivered != nil {
		msg = m
	}
	return msg, ticket, ok
}
