package faults_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// tree is a supervision tree of a run.
type tree struct {
	root     *supervisor.Supervisor // nil: it did not start
	node     *node
	dynamics []*supervisor.Dynamic[int, msg]
	added    int
}

// node is a place in a tree.
type node struct {
	name     string
	up       *node
	children []*node // in the order of their start
	worker   *target
	dynamic  bool
	limit    supervisor.Limit
	await    bool
	added    bool // by a call
}

// grow makes a tree of its plan, and starts it.
func (w *world) grow(p *specPlan) {
	t := &tree{node: &node{name: p.name}}
	spec := w.spec(t, t.node, p)
	w.mu.Lock()
	w.tree = t
	w.mu.Unlock()
	// A start may wait for a stuck process, in whose place nobody may come,
	// until its owner ends.
	owner, giveUp := context.WithCancel(w.owner)
	timer := time.AfterFunc(time.Minute, giveUp)
	s, err := supervisor.Start(owner, spec)
	timer.Stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		giveUp()
		w.happen("start failed")
	} else {
		w.happen("start")
		context.AfterFunc(owner, giveUp)
	}
	t.root = s
}

// spec makes a supervisor of its plan.
func (w *world) spec(t *tree, n *node, p *specPlan) *supervisor.Spec {
	n.limit = p.limit
	s := &supervisor.Spec{
		Name: p.name, Strategy: p.strategy, Restart: p.restart, Limit: p.limit, AutoShutdown: p.auto, AbortTimer: p.timer, Backoff: p.backoff,
	}
	for _, c := range p.children {
		child := &node{up: n}
		n.children = append(n.children, child)
		switch {
		case c.worker != nil:
			child.name = c.worker.name
			s.Children = append(s.Children, w.worker(child, *c.worker))
		case c.spec != nil:
			child.name = c.spec.name
			s.Children = append(s.Children, w.spec(t, child, c.spec))
		default:
			child.name = c.dynamic.name
			s.Children = append(s.Children, w.dynamic(t, child, c.dynamic))
		}
	}
	return s
}

// worker makes a worker of its plan.
func (w *world) worker(n *node, p workerPlan) *supervisor.Worker[msg] {
	x := &target{w: w, name: p.name, plan: p.manner, worker: true, crash: p.crashHook, node: n, starts: p.starts}
	n.worker, n.await = x, p.await > 0
	s := &supervisor.Worker[msg]{
		Name: p.name, Run: x.run, Processes: p.procs, Restart: p.restart, Significant: p.significant, Capacity: capacities[p.capacity],
		AbortTimer: p.timer, Drain: p.drain, AwaitStart: p.await, Backoff: p.backoff, Fresh: p.fresh, OnStuck: p.onStuck,
		OnCrash: x.onCrash, Undelivered: x.undelivered,
	}
	x.sup, x.addr = s, s.Address()
	w.join(x)
	return s
}

// dynamic makes a supervisor of workers of one kind.
func (w *world) dynamic(t *tree, n *node, p *dynamicPlan) *supervisor.Dynamic[int, msg] {
	n.dynamic, n.limit = true, p.limit
	d := &supervisor.Dynamic[int, msg]{
		Name: p.name, Restart: p.restart, Limit: p.limit, Max: p.most,
		Template: func(id int) *supervisor.Worker[msg] {
			plan := p.template
			plan.name = fmt.Sprintf("%s.%d", p.name, id)
			return w.worker(&node{name: plan.name, up: n}, plan)
		},
	}
	t.dynamics = append(t.dynamics, d)
	return d
}

// toldInOrder checks that a child is told to stop after those that were started
// after it have stopped. It is exact once nothing else is under way than the
// stop of the tree; a process that must come up in time may be told because it
// did not, and one of several because another did not.
func (w *world) toldInOrder(p *process) {
	n := p.of.node
	w.mu.Lock()
	defer w.mu.Unlock()
	if n == nil || n.up.dynamic || !w.stopping || n.await || p.of.plan.procs > 1 {
		return
	}
	w.happen("stop order looked at")
	later := false
	for _, c := range n.up.children {
		if later && c.lives() && !(n.added && c.added) { // the order of two that were added is that of their calls
			w.wrong("%s was told to stop before %s had stopped", p.who, c.name)
		}
		later = later || c == n
	}
}

// lives reports whether a body in or below a place has not ended, but for those
// that hang for ever. mu is held.
func (n *node) lives() bool {
	if x := n.worker; x != nil {
		for _, p := range x.w.procs {
			if p.of == x && !p.over && !p.hanged {
				return true
			}
		}
	}
	for _, c := range n.children {
		if c.lives() {
			return true
		}
	}
	return false
}

// callAsChild makes a call of a body to its own supervisor. It must come back
// whatever the supervisor does, and at once if it is stopping this very child,
// as it is when the tree is.
func (p *process) callAsChild(ctx context.Context, s *supervisor.Supervisor, arg int) {
	w := p.of.w
	children := s.Children()
	if len(children) == 0 {
		return
	}
	w.happened("call from a child")
	name := children[arg%len(children)].Name
	bound := 20 * ms
	w.mu.Lock()
	if w.stopping {
		bound = 1 // nanosecond, and no deadline helps
	}
	w.mu.Unlock()
	if bound > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, bound)
		defer cancel()
	}
	w.within(bound, p.who+" calls its supervisor about "+name, nil, func() {
		var err error
		switch arg % 4 {
		case 0:
			err = s.Terminate(ctx, name)
		case 1:
			err = s.Restart(ctx, name)
		case 2:
			err = s.Remove(ctx, name)
		default:
			s.Which(name)
			s.Count()
			if arg == 11 {
				s.Halt()
			}
		}
		w.callSaid("a call from a child", err)
	})
}

// callSaid checks that what a call of a supervisor says is documented.
func (w *world) callSaid(what string, err error) {
	for _, known := range []error{
		nil, supervisor.ErrShuttingDown, supervisor.ErrNotFound, supervisor.ErrAlreadyStarted, supervisor.ErrAlreadyPresent,
		supervisor.ErrRunning, supervisor.ErrRestarting, supervisor.ErrMaxChildren, supervisor.ErrIgnore, supervisor.ErrNotStarted,
		supervisor.ErrStartTimeout, supervisor.ErrShutdown, actor.ErrStuck, actor.ErrAborted, actor.ErrGoexit, errFault,
		context.DeadlineExceeded, context.Canceled,
	} {
		if errors.Is(err, known) {
			if errors.Is(err, supervisor.ErrShuttingDown) {
				w.happened("refused because shutting down")
			}
			return
		}
	}
	if _, ok := errors.AsType[*actor.PanicError](err); ok {
		return
	}
	w.wrongly("%s says %v", what, err)
}
