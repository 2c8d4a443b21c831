package supervisor

import (
	"context"
	"errors"
	"fmt"

	"tinyactor/actor"
	"tinyactor/internal/hold"
)

// call is a request that waits for its answer.
type call struct {
	reply chan error // capacity 1: whoever answers never waits
	adopt func()     // of a Replace
	child int        // of an Add
}

// call returns a request that is not answered yet, or nil. last: it is now.
func (s *shell) call(request int, last bool) *call {
	q := &s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	c := q.calls[request]
	if last {
		delete(q.calls, request)
	}
	return c
}

// lateAnswer is the answer to an Add that failed, until the child is removed.
type lateAnswer struct {
	call *call
	err  error
}

// answer answers a request. Whoever hears that an Add failed finds nothing left of
// the child; the machine does not wait for that.
func (s *shell) answer(request int, err error) {
	c := s.call(request, true)
	if c == nil {
		return
	}
	if x := s.m.byID[c.child]; err != nil && x != nil && x.phase == closing && !s.m.ending {
		if s.late == nil {
			s.late = make(map[int]lateAnswer)
		}
		s.late[c.child] = lateAnswer{c, err}
		return
	}
	c.reply <- err
}

// answerLate gives the answer that has waited for the end of a child.
func (s *shell) answerLate(child int) {
	if l, ok := s.late[child]; ok {
		delete(s.late, child)
		l.call.reply <- l.err
	}
}

// ask brings a request to the machine and waits for the answer. child is what
// errors call the child that it is about.
func (s *shell) ask(ctx context.Context, op, child string, e event, adopt func()) error {
	if s == nil {
		return fmt.Errorf("supervisor: %s child %q: %w", op, child, ErrShuttingDown)
	}
	c := &call{reply: make(chan error, 1), adopt: adopt}
	e.from, _ = s.caller(ctx)
	q := &s.queue
	q.mu.Lock()
	if q.over {
		q.mu.Unlock()
		if e.kind == evAdd {
			e.spec.cellOf().disclaim()
		}
		return s.failed(op, child, ErrShuttingDown)
	}
	q.requests++
	e.request = q.requests
	if e.kind == evAdd {
		q.children++
		e.child = q.children
		c.child = e.child
		e.spec.cellOf().enter(s, e.child) // who does not wait for the answer may go on with the child
	}
	q.calls[e.request] = c
	q.put(&e)
	q.mu.Unlock()
	select {
	case err := <-c.reply:
		if err != nil {
			return s.failed(op, child, err)
		}
		return nil
	case <-ctx.Done():
	}
	select {
	case err := <-c.reply: // an answer that is there wins
		if err != nil {
			return s.failed(op, child, err)
		}
		return nil
	default:
		return s.failed(op, child, ctx.Err())
	}
}

// caller returns the child of the supervisor that ctx is of, or is below; below
// is false if it is of none.
func (s *shell) caller(ctx context.Context) (id int, below bool) {
	p, _ := ctx.Value(hold.ProcessKey{}).(hold.Process)
	for p != nil {
		up, held := p.Up()
		if held != nil {
			if c, ok := held.Owner.(*cell); ok {
				if sh, id := c.place(); sh == s {
					return id, true
				}
			}
		}
		p = up
	}
	return 0, false
}

// Add adds a child and starts it, and returns when it is up. It takes part in
// group restarts, at the end of the order, and is not there any more when the
// supervisor itself was restarted. A supervisor with OneForOne starts it at
// once; others do when no restart is under way.
//
// The error matches ErrAlreadyStarted or ErrAlreadyPresent if there is a child
// of that name, ErrIgnore if its body returned that, why it did not start, or
// ErrShuttingDown; the child is not in the list then, unless it is permanent or
// transient and returned ErrIgnore. If ctx ends first, the error wraps ctx's and
// the child is started all the same, unless it is refused. A process of the tree may call this and all
// that follow; while it is being stopped itself it gets ErrShuttingDown.
func (s *Supervisor) Add(ctx context.Context, c Child) error {
	if s.cfg.dynamic {
		return fmt.Errorf("supervisor %q: add: its children are made by Dynamic.Add", s.name)
	}
	if err := checkAdded(s.name, s.auto, false, c); err != nil {
		return err
	}
	if err := claim(c); err != nil {
		return err
	}
	return s.current.Load().ask(ctx, "add", c.plan().name, event{kind: evAdd, spec: c}, nil)
}

// Terminate stops a child, in the way it wants to be stopped, and returns when
// it has stopped; also when it was not running. It stays in the list and can be
// restarted; a temporary one is removed. If it waits for a restart, it does so no
// longer. What is sent to it meanwhile waits: an Ask until the child is restarted
// or removed, or its ctx ends.
//
// The error matches actor.ErrStuck if a process of the child is stuck,
// ErrNotFound, or ErrShuttingDown. If ctx ends first, the error wraps ctx's and
// the child is stopped all the same.
func (s *Supervisor) Terminate(ctx context.Context, name string) error {
	return s.current.Load().ask(ctx, "terminate", name, event{kind: evTerminate, name: name}, nil)
}

// Restart starts a child that has no process and is to get none, and returns
// when it is up. It is not counted as a restart.
//
// The error matches ErrRunning, ErrRestarting, ErrNotFound, ErrShuttingDown,
// actor.ErrStuck if a process of an earlier run is stuck and OnStuck forbids
// another beside it, ErrIgnore, or why it did not start; the child stays in the
// list. If ctx ends first, the error wraps ctx's and the child is started all the
// same.
func (s *Supervisor) Restart(ctx context.Context, name string) error {
	return s.current.Load().ask(ctx, "restart", name, event{kind: evRestart, name: name}, nil)
}

// Remove takes a child that has no process, and is to get none, off the list,
// and returns when what was in its inbox has been handed back. Its address is
// closed for good.
//
// The error matches ErrRunning, ErrRestarting, ErrNotFound, or ErrShuttingDown.
// If ctx ends first, the error wraps ctx's and the child is removed all the same.
func (s *Supervisor) Remove(ctx context.Context, name string) error {
	return s.current.Load().ask(ctx, "remove", name, event{kind: evRemove, name: name}, nil)
}

// Replace gives a running child another body: each of its processes is asked to
// stop, and as soon as it has, one that runs the new body takes its place. The
// address stays, and nothing that was sent to it is lost or changes its order.
// It returns when the new processes are up. It counts as no restart; later
// restarts run the new body too.
//
// A child that is not running gets the new body when it is started. The error
// matches ErrRestarting if a process is starting or another Replace is under
// way, ErrShuttingDown, or why the new body did not start, which its supervisor
// then deals with as with any failed start. If ctx ends first, the error wraps
// ctx's and the child is replaced all the same. Replace panics if run is nil.
func (w *Worker[M]) Replace(ctx context.Context, run func(context.Context, *actor.Inbox[M]) error) error {
	if run == nil {
		panic("supervisor: Replace: run is nil")
	}
	c := w.open()
	adopt := func() { w.life.run.Store(&run) }
	s, id := c.place()
	switch {
	case c.channel().Closed():
		return fmt.Errorf("supervisor: replace child %q: %w", w.Name, ErrShuttingDown)
	case s == nil || s.isOver(): // it is not running, and will be started from here on
		adopt()
		return nil
	}
	return s.ask(ctx, "replace", w.Name, event{kind: evReplace, child: id}, adopt)
}

// isOver reports whether the shell takes no requests any more.
func (s *shell) isOver() bool {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	return s.queue.over
}

// Supervisor returns the supervisor that d is, for what all supervisors have in
// common.
func (d *Dynamic[A, M]) Supervisor() *Supervisor { return d.open().sup }

// Add has Template make a worker of arg, starts it, and returns it when it is
// up. A panic of Template is the caller's. Without a Template it panics.
//
// The error matches ErrMaxChildren, ErrIgnore if its body returned that, why it
// did not start, or ErrShuttingDown, also if d is not running; there is no
// worker then. If ctx ends first, the error wraps ctx's, and the worker is
// returned with it, because it is started all the same, unless it is refused.
func (d *Dynamic[A, M]) Add(ctx context.Context, arg A) (*Worker[M], error) {
	if d.Template == nil {
		panic("supervisor: Dynamic.Add: Template is nil")
	}
	s := d.Supervisor()
	w := d.Template(arg)
	if err := checkAdded(d.Name, Never, true, w); err != nil {
		return nil, err
	}
	if err := claim(w); err != nil {
		return nil, err
	}
	if w.Name == "" {
		w.life.label = d.Name
	}
	err := s.current.Load().ask(ctx, "add", w.Name, event{kind: evAdd, spec: w}, nil)
	if err == nil || ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return w, err
	}
	return nil, err
}

// Remove stops a worker, in the way it wants to be stopped, and returns when it
// is gone: what was in its inbox has been handed back.
//
// The error matches ErrNotFound if w is no child of d, or no more;
// actor.ErrStuck if a process of it is stuck; or ErrShuttingDown. If ctx ends
// first, the error wraps ctx's and the worker is removed all the same.
func (d *Dynamic[A, M]) Remove(ctx context.Context, w *Worker[M]) error {
	s := d.Supervisor().current.Load()
	if w == nil {
		return fmt.Errorf("supervisor %q: remove: the worker is nil: %w", d.Name, ErrNotFound)
	}
	sh, id := w.life.cell.place()
	if s == nil || sh != s {
		return fmt.Errorf("supervisor %q: remove child %q: %w", d.Name, w.Name, ErrNotFound)
	}
	return s.ask(ctx, "remove", w.Name, event{kind: evTerminate, child: id}, nil)
}
