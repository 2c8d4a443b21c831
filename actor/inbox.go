package actor

import (
	"context"
	"iter"
	"time"

	"tinyactor/internal/mailbox"
)

// endsBeforePanic is how many receives after ErrClosed a body may make.
const endsBeforePanic = 1000

// Inbox is where a process takes its actor's messages from. It belongs to the
// goroutine that its body runs on, and to no other.
//
// A receive answers, in this order: it does not return if the actor was
// aborted (the goroutine unwinds by [runtime.Goexit]: deferred calls run,
// nothing after does); ErrHalted, once, if the process was halted; the oldest
// message; ErrClosed if the actor is closed. Otherwise it waits. The messages of
// one receive are in the process's hand until its next one.
type Inbox[M any] struct {
	_       noCopy
	process process
	seat    mailbox.Receiver[M]
	ch      *channel[M]
	address *Address[M] // once the process has asked for it
	ends    int         // receives that returned ErrClosed
	err     error       // why Messages or Serve ended
	aside   *aside[M]   // what receives do beside, if somebody wants it
}

// context returns the process's context.
func (in *Inbox[M]) context() context.Context { return (*processContext)(&in.process) }

func (in *Inbox[M]) join()                             { in.ch.Join(&in.seat) }
func (in *Inbox[M]) leave()                            { in.ch.Leave(&in.seat) }
func (in *Inbox[M]) halt()                             { in.seat.Halt() }
func (in *Inbox[M]) markAborted()                      { in.seat.MarkAborted() }
func (in *Inbox[M]) abort()                            { in.seat.Abort() }
func (in *Inbox[M]) halted() (at time.Time, deaf bool) { return in.seat.Halted() }

// Recv waits for a message. The error is ErrHalted, ErrClosed, or ctx's if it
// ends the wait; then nothing was taken. Receiving with the process's own
// context is the cheapest. A message that is there is returned even if ctx has
// ended.
func (in *Inbox[M]) Recv(ctx context.Context) (M, error) {
	if in.aside != nil {
		return in.recvAside(ctx)
	}
	m, s := in.seat.Recv(in.until(ctx))
	if s != mailbox.OK {
		return m, in.fail(s, ctx)
	}
	if held := in.seat.Held(); len(held) > 0 {
		in.process.keepAsks(held)
	}
	return m, nil
}

// TryRecv is Recv that does not wait: ErrEmpty if there is nothing to receive.
func (in *Inbox[M]) TryRecv() (M, error) {
	if in.aside != nil {
		return in.tryRecvAside()
	}
	m, s := in.seat.TryRecv()
	if s != mailbox.OK {
		return m, in.fail(s, nil)
	}
	if held := in.seat.Held(); len(held) > 0 {
		in.process.keepAsks(held)
	}
	return m, nil
}

// RecvBatch waits for one message as Recv does, then until dst is full, wait has
// passed since, or the actor is halted or closed or ctx ends. It returns how
// many messages it put into dst; with n > 0 the error is nil, and the next call
// tells what there is to tell. All n messages are in the process's hand. wait
// may be 0: then it takes what is there. It panics if dst is empty.
func (in *Inbox[M]) RecvBatch(ctx context.Context, dst []M, wait time.Duration) (n int, err error) {
	if len(dst) == 0 {
		panic("actor: RecvBatch: dst is empty")
	}
	if in.aside != nil {
		return in.recvBatchAside(ctx, dst, wait)
	}
	n, s := in.seat.RecvBatch(in.until(ctx), dst, wait)
	if s != mailbox.OK {
		return 0, in.fail(s, ctx)
	}
	if held := in.seat.Held(); len(held) > 0 {
		in.process.keepAsks(held)
	}
	return n, nil
}

// Messages returns the messages as Recv does, to range over. The loop ends when
// the process is halted (the queue is left), when the actor is closed and empty,
// or when ctx ends a wait; Err says which.
func (in *Inbox[M]) Messages(ctx context.Context) iter.Seq[M] {
	return func(yield func(M) bool) {
		in.err = nil
		if in.aside != nil {
			in.messagesAside(ctx, yield)
			return
		}
		done := in.until(ctx)
		for {
			m, s := in.seat.Recv(done)
			if s != mailbox.OK {
				in.err = in.fail(s, ctx)
				return
			}
			if held := in.seat.Held(); len(held) > 0 {
				in.process.keepAsks(held)
			}
			if !yield(m) {
				return
			}
		}
	}
}

// Err returns why the last Messages loop or Serve ended: ErrHalted, ErrClosed,
// ctx's error, or what a handler returned. It is nil after a break, and before
// the first loop.
func (in *Inbox[M]) Err() error { return in.err }

// Serve calls handle for each message until the process is halted (the queue is
// left) or the actor is closed and empty, and then returns nil. If ctx ends a
// wait, it returns ctx's error. If handle returns ErrHalted, Serve returns nil;
// if it returns another error, Serve returns that, and so does every Ask whose
// message is in hand and unanswered: as it is, so an error that matches ErrClosed
// tells the asker that it may ask again. handle gets ctx. It panics if handle is nil.
func (in *Inbox[M]) Serve(ctx context.Context, handle func(context.Context, M) error) error {
	if handle == nil {
		panic("actor: Serve: handle is nil")
	}
	in.err = nil
	if in.process.life != nil {
		in.process.Started()
	}
	for {
		m, err := in.Recv(ctx)
		if err != nil {
			in.err = err
			if err == ErrHalted || err == ErrClosed {
				return nil
			}
			return err
		}
		if err := handle(ctx, m); err != nil {
			in.err = err
			if err == ErrHalted {
				return nil
			}
			in.process.answerNewest(len(in.seat.Held()), err)
			return err
		}
	}
}

// Ready returns a channel for select: a token in it says that a receive would
// probably not wait. It is the same channel at every call and may be kept
// outside the loop. Each operation of the inbox that leaves something to
// receive puts a token in, so TryRecv or Recv after a token is enough; who takes
// a token and does not receive calls Ready again. Tokens may be stale: use
// TryRecv, and go on at ErrEmpty. It also gets a token at a halt and an abort,
// and is closed when the actor is closed.
func (in *Inbox[M]) Ready() <-chan struct{} {
	in.process.gauge.handled()
	return in.seat.Ready()
}

// Halting returns a channel, the same at every call, that is closed when the
// process is halted or aborted. It takes nothing away from a receive, which
// still returns ErrHalted.
func (in *Inbox[M]) Halting() <-chan struct{} { return in.seat.Halting() }

// Address returns the actor's address. A process that has asked for it keeps it:
// its actor is not closed because nobody else can reach it.
func (in *Inbox[M]) Address() *Address[M] {
	if in.address == nil && in.ch != nil {
		in.address = in.ch.addr()
	}
	return in.address
}

// Index returns the process's number within its actor, from 0 in the order of
// spawning.
func (in *Inbox[M]) Index() int { return in.process.index }

// Len returns how many messages wait in the inbox at this moment, without those
// in hand.
func (in *Inbox[M]) Len() int {
	if in.ch == nil {
		return 0
	}
	return in.ch.core.length()
}

// Close refuses further messages. What is queued can still be received. It does
// nothing to a supervised actor, which only its supervisor closes: its body
// returns when it wants to end.
func (in *Inbox[M]) Close() {
	if in.ch != nil {
		in.ch.core.close()
	}
}

// until returns what ends a wait with ctx. The process's own context ends only
// when its actor is aborted, and that ends every wait by itself.
func (in *Inbox[M]) until(ctx context.Context) <-chan struct{} {
	if c, ok := ctx.(*processContext); ok && c == (*processContext)(&in.process) {
		return nil
	}
	return ctx.Done()
}

// fail turns a status into an error, or does not return.
func (in *Inbox[M]) fail(s mailbox.Status, ctx context.Context) error {
	switch s {
	case mailbox.Aborted:
		in.process.unwind()
	case mailbox.Halted:
		return ErrHalted
	case mailbox.Empty:
		return ErrEmpty
	case mailbox.Canceled:
		return in.process.core.failed("receive", ctx.Err())
	}
	in.ends++
	if in.ends > endsBeforePanic {
		panic("actor: the body went on receiving after ErrClosed: it must return")
	}
	return ErrClosed
}
