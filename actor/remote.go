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
	remote.Room = func(ref any) (int, remote.Bound) { return ref.(Ref).actor().room() }
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

// room is remote.Room.
func (c *core) room() (int, remote.Bound) {
	if c == nobody {
		return 0, remote.Full
	}
	switch p := c.queue.Policy(); {
	case p.Limit > 0:
		return max(0, p.Limit-c.length()), remote.Full
	case p.Start > 0:
		return max(0, p.Start-c.length()), remote.Slowing
	default:
		return 0, remote.Unbounded
	}
}
