package actor

import (
	"context"
	"fmt"
	"reflect"

	"tinyactor/internal/remote"
)

// This file is what package cluster has of this one: see package remote.

func init() {
	remote.Answered = func(v any) reflect.Type {
		if r, ok := v.(replier); ok && reflect.TypeOf(v) == r.self() { // and does not embed one
			return r.answered()
		}
		return nil
	}
	remote.Answer = func(reply, value any, err error) bool { return reply.(replier).answer(value, err) }
	remote.Ask = func(ctx context.Context, reply any) *remote.Question { return reply.(replier).ask(ctx) }
	remote.Look = func(ref any) remote.Sight { return ref.(Ref).actor().look() }
}

// replier is a Reply without its type.
type replier interface {
	self() reflect.Type
	answered() reflect.Type
	answer(value any, err error) bool
	ask(ctx context.Context) *remote.Question
}

func (Reply[R]) self() reflect.Type     { return reflect.TypeFor[Reply[R]]() }
func (Reply[R]) answered() reflect.Type { return reflect.TypeFor[R]() }

// answer is Answer.
func (r Reply[R]) answer(value any, err error) bool {
	v, ok := value.(R)
	if !ok && value != nil {
		panic(fmt.Sprintf("actor: an answer of type %T for a %T", value, r))
	}
	return r.Answer(v, err)
}

// ask is Ask in two steps, with a Sender that is not of this package in between.
func (Reply[R]) ask(ctx context.Context) *remote.Question {
	c := new(call[R])
	c.ctx, c.foreign = ctx, true
	foreignAsks.Add(1)
	return &remote.Question{
		Reply: Reply[R]{c},
		Ctx:   context.WithValue(ctx, slotKey{}, &c.slot),
		Soon:  c.comesSoon,
		Wait: func() (any, error) {
			defer c.leave(nil)
			if !c.await() {
				return nil, c.failed(ctx.Err())
			}
			value := c.value
			var zero R
			c.value = zero
			return value, c.err
		},
		Drop: func() { c.leave(nil) },
	}
}

// look is remote.Look. A process that does not wait for a message is taken to
// have one in hand.
func (c *core) look() remote.Sight {
	if c == nobody {
		return remote.Sight{Bound: remote.Full}
	}
	busy, q := c.processes(), c.queue.Stats()
	out := q.Received + q.Handed
	s := remote.Sight{Length: q.Length, Accepted: out + uint64(q.Length), Done: out}
	if busy -= q.Idle; busy > 0 {
		s.Done -= min(s.Done, uint64(busy))
	}
	switch p := c.queue.Policy(); {
	case p.Limit > 0:
		s.Bound, s.Room = remote.Full, max(0, p.Limit-s.Length)
	case p.Start > 0:
		s.Bound, s.Room = remote.Slowing, max(0, p.Start-s.Length)
	}
	return s
}
