package actor

import (
	"context"
	"time"

	"tinyactor/internal/hold"
	"tinyactor/internal/sched"
)

// processContext is the context that a body gets: the process itself, under
// another name. It carries the values of the owner's context, not its end. Most
// bodies never look at it, so a standard cancel context is made only when
// somebody asks for its channel, its error or a value, and everything is
// delegated to that: contexts derived from it cost no goroutine, and
// context.Cause finds the cause.
type processContext process

// processKey is the key under which a context knows the process it belongs to.
type processKey struct{}

// observersKey is the key of the observers in a context.
type observersKey struct{}

// slotKey is the key of the ask in the context of a Send.
type slotKey struct{}

func (c *processContext) Deadline() (time.Time, bool) { return time.Time{}, false }
func (c *processContext) Done() <-chan struct{}       { return (*process)(c).std().Done() }
func (c *processContext) Err() error                  { return (*process)(c).std().Err() }

func (c *processContext) Value(key any) any {
	switch key.(type) {
	case processKey:
		return (*process)(c)
	case observersKey:
		return c.core.observers()
	case slotKey, handlerKey:
		return nil // the owner's ask is not this process's
	case hold.ProcessKey:
		return hold.Process((*process)(c))
	}
	return (*process)(c).std().Value(key)
}

func (c *processContext) String() string { return "actor.Context(" + c.core.who() + ")" }

// std returns the standard context behind the process's.
func (p *process) std() context.Context {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx == nil {
		p.ctx, p.cancel = context.WithCancelCause(context.WithoutCancel(p.core.owner))
		if p.ctxEnded {
			sched.Cancel(p.cancel, p.ctxCause)
		}
	}
	return p.ctx
}

// endContext ends the process's context, which has ended when it returns; only
// the first call's cause counts. A nil cause stands for context.Canceled.
func (p *process) endContext(cause error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctxEnded {
		return
	}
	p.ctxEnded, p.ctxCause = true, cause
	if p.cancel != nil {
		sched.Cancel(p.cancel, cause) // runs no code of users: what they attached to it runs on goroutines
	}
}

// processOf returns the process that ctx belongs to, or nil.
func processOf(ctx context.Context) *process {
	if c, ok := ctx.(*processContext); ok {
		return (*process)(c)
	}
	p, _ := ctx.Value(processKey{}).(*process)
	return p
}
