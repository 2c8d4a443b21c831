package actor

import (
	"context"
	"runtime"
	"time"

	"tinyactor/internal/hold"
	"tinyactor/internal/inspect"
	"tinyactor/internal/sched"
)

// foreignAsks counts the asks under way through senders that are not of this
// package: only while there are any does Send look for one in its context.
var foreignAsks sched.Int64

// What has happened to an ask.
const (
	slotClaimed  uint32 = 1 << iota // somebody has won the right to answer or fail it
	slotAnswered                    // and has done so
	slotAwaited                     // the asker sleeps until it gets a token
	slotLeft                        // the asker has gone
)

// slot is one ask: where its answer goes. It travels beside the message, not in
// it, so that the asker hears of the end of whoever has the message, however
// the message is written.
type slot struct {
	ctx   context.Context // the asker's
	state sched.Uint32
	// foreign: it went through a Sender that is not of this package
	foreign bool
	done    chan struct{}       // of an asker that sleeps, capacity 1: gets a token with the answer
	to      sched.Pointer[core] // who was sent the message
	err     error               // the answer's error, or why there is none

	asker *process    // whose context the ask was made with, or nil
	since sched.Int64 // when the asker fell asleep, if somebody looks at the actor that was asked: see sight
}

// call is a slot and the value of the answer.
type call[R any] struct {
	slot
	value R
}

// Reply is where the answer to an Ask goes. It is a value to put, best to embed,
// in the message that asks. The zero Reply answers nobody. It may be kept and
// answered later, by any goroutine, as long as the process that received the
// message lives.
type Reply[R any] struct{ call *call[R] }

// Answer gives the asker a value and an error; if the error is not nil, Ask
// returns it as it is. It does not wait, and reports whether the asker gets the
// answer: false if it was answered before, has gone, or was told that there will
// be none.
func (r Reply[R]) Answer(value R, err error) bool {
	if r.call == nil || !r.call.claim() {
		return false
	}
	r.call.value, r.call.err = value, err
	r.call.publish()
	return true
}

// Context returns a context with the asker's values, deadline and cancellation,
// for the calls that the handler makes to answer. It is not the asker: a Send,
// Ask or Spawn with it is not taken for one of the asking process, nor for one
// of the handling process. The zero Reply has context.Background.
func (r Reply[R]) Context() context.Context {
	if r.call == nil {
		return context.Background()
	}
	return (*replyContext)(&r.call.slot)
}

// replyContext is the asker's context without its identity.
type replyContext slot

func (c *replyContext) Deadline() (time.Time, bool) { return c.ctx.Deadline() }
func (c *replyContext) Done() <-chan struct{}       { return c.ctx.Done() }
func (c *replyContext) Err() error                  { return c.ctx.Err() }

func (c *replyContext) Value(key any) any {
	switch key.(type) {
	case processKey, slotKey, hold.ProcessKey:
		return nil
	case inspect.AskKey:
		return context.Context(c)
	case handlerKey:
		return (*slot)(c)
	}
	return c.ctx.Value(key)
}

func (c *replyContext) String() string { return "actor.Reply.Context" }

// claim wins the right to answer.
func (s *slot) claim() bool { return s.end(slotClaimed) }

// end sets how an open ask ends, and reports false if it has ended before.
func (s *slot) end(how uint32) bool {
	for {
		w := s.state.Load()
		if w&(slotClaimed|slotLeft) != 0 {
			return false
		}
		if s.state.CompareAndSwap(w, w|how) {
			return true
		}
	}
}

// publish hands the answer over. The caller has claimed the ask and written it.
func (s *slot) publish() {
	if s.state.Or(slotAnswered)&slotAwaited != 0 {
		sched.Send(s.done, struct{}{})
	}
}

// answered reports whether the answer is there.
func (s *slot) answered() bool { return s.state.Load()&slotAnswered != 0 }

// open reports whether the asker still waits, and nobody has claimed it.
func (s *slot) open() bool { return s.state.Load()&(slotClaimed|slotLeft) == 0 }

// answer gives the asker an error, with the zero value: one of the handler's, or
// why there will be no answer.
func (s *slot) answer(err error) {
	if s.claim() {
		s.err = err
		s.publish()
	}
}

// asker is a Sender of this package: it brings the slot along with the message.
type asker[M any] interface {
	ask(ctx context.Context, msg M, s *slot) error
}

// Ask sends the message that msg makes around a Reply, and waits for the answer.
//
// It always ends, unless ctx never does and neither the answer nor the end of
// the process comes. It returns the answer, with the error given to Answer as
// it is; or an error of Send (with ErrClosed the message was not accepted, and
// it is safe to ask again); or ErrNoReply with its cause when the process that
// received the message has ended, or the actor has and none did: then the
// effect is unknown; or, wrapped, ctx's error. A process of an actor that has
// no other, asking its own actor, gets ErrNoReply at once and nothing is sent:
// the ctx given tells who asks.
//
// This holds for an Address, for what Map makes of one, and for every Sender
// that passes ctx on. It costs one allocation, two if the asker has to sleep, and
// whatever msg does. It panics if to or msg is nil.
func Ask[M, R any](ctx context.Context, to Sender[M], msg func(Reply[R]) M) (R, error) {
	switch {
	case to == nil:
		panic("actor: Ask: to is nil")
	case msg == nil:
		panic("actor: Ask: msg is nil")
	}
	var zero R
	c := new(call[R])
	c.ctx = ctx
	defer c.leave(to)
	if err := send(ctx, to, msg(Reply[R]{c}), &c.slot); err != nil {
		return zero, err
	}
	if !c.comesSoon() && !c.await() {
		return zero, c.failed(ctx.Err())
	}
	value := c.value
	c.value = zero // whoever keeps the Reply does not keep the answer
	return value, c.err
}

// The yields of an asker before it sleeps, and how many asks of an actor that
// answers slowly go without.
const (
	askYields   = 2
	mostAskLuck = 4
	askPause    = 64
)

// askLuck is what the askers of one actor have learnt: above zero, yielding has
// helped lately; below, so many asks do not try. It is a hint, and updates may be lost.
type askLuck struct{ n sched.Int32 }

// comesSoon lets other goroutines run before the asker sleeps, and reports
// whether the answer has come meanwhile. Sleeping and being
// woken cost more where an actor answers quickly; where it does not, askers soon
// give it up and seldom try again.
func (s *slot) comesSoon() bool {
	to := s.to.Load()
	if to == nil {
		return s.answered()
	}
	luck := to.askLuck.n.Load()
	if luck < 0 {
		to.askLuck.n.Store(luck + 1)
		return s.answered()
	}
	for range askYields {
		sched.Yield()
		if s.answered() {
			if luck < mostAskLuck {
				to.askLuck.n.Store(luck + 1)
			}
			return true
		}
	}
	if luck--; luck < 0 {
		luck = -askPause
	}
	to.askLuck.n.Store(luck)
	return false
}

// await sleeps until the answer is there, and reports false if the asker's
// context ended first. Its name in a goroutine dump says what the goroutine does.
//
//go:noinline
func (s *slot) await() bool {
	if to := s.to.Load(); to != nil {
		to.awaited(s)
	}
	s.done = make(chan struct{}, 1)
	if s.state.Or(slotAwaited)&slotAnswered != 0 {
		return true
	}
	if _, which := sched.Select(s.done, s.ctx.Done(), nil); which == sched.Done {
		if s.end(slotLeft) {
			return false
		}
		sched.Recv(s.done) // the answer is on its way
	}
	return true
}

// leave is the end of an ask: a late answer reaches nobody. Until then to was
// in use.
func (s *slot) leave(to any) {
	s.end(slotLeft)
	if s.foreign {
		foreignAsks.Add(-1)
	}
	runtime.KeepAlive(to)
}

// send sends a message and its slot through any Sender.
func send[M any](ctx context.Context, to Sender[M], msg M, s *slot) error {
	if t, ok := to.(asker[M]); ok {
		return t.ask(ctx, msg, s)
	}
	s.foreign = true
	foreignAsks.Add(1)
	return to.Send(context.WithValue(ctx, slotKey{}, s), msg)
}

// ask is Send with a slot, for [Ask].
func (a *Address[M]) ask(ctx context.Context, msg M, s *slot) error {
	defer runtime.KeepAlive(a)
	return a.send(ctx, msg, s)
}

// failed names the actor that was asked in the error of an ask.
func (s *slot) failed(cause error) error {
	if to := s.to.Load(); to != nil {
		return to.failed("ask", cause)
	}
	return &opError{who: "actor", op: "ask", cause: cause}
}

// mapped is a Sender that converts.
type mapped[A, B any] struct {
	to Sender[B]
	f  func(A) B
}

// Map returns a Sender of A that sends f of each message to another Sender. f
// runs on the sender's goroutine, before any wait. Map panics if to or f is nil.
func Map[A, B any](to Sender[B], f func(A) B) Sender[A] {
	switch {
	case to == nil:
		panic("actor: Map: to is nil")
	case f == nil:
		panic("actor: Map: f is nil")
	}
	return &mapped[A, B]{to, f}
}

func (m *mapped[A, B]) Send(ctx context.Context, msg A) error { return m.to.Send(ctx, m.f(msg)) }
func (m *mapped[A, B]) TrySend(msg A) error                   { return m.to.TrySend(m.f(msg)) }

func (m *mapped[A, B]) ask(ctx context.Context, msg A, s *slot) error {
	return send(ctx, m.to, m.f(msg), s)
}
