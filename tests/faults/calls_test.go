package faults_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// client does the steps of a program one after the other.
type client struct {
	*world
	sender
	doing string // the name of its operation
}

// op is something that a client can do. ctx ends after step.wait.
type op struct {
	name  string
	often int
	do    func(c *client, ctx context.Context, s step)
}

// ops are all operations.
var ops = []op{
	{"Send", 8, func(c *client, ctx context.Context, s step) { c.send(ctx, &c.sender, c.target(s.on), s.deed, s.wait) }},
	{"Ask", 8, func(c *client, ctx context.Context, s step) {
		c.ask(ctx, &c.sender, c.target(s.on), s.question(), s.wait, false)
	}},
	{"Ask through Map", 2, func(c *client, ctx context.Context, s step) {
		c.ask(ctx, &c.sender, c.target(s.on), s.question(), s.wait, true)
	}},
	{"TrySend", 3, func(c *client, _ context.Context, s step) { c.trySend(&c.sender, c.target(s.on), s.deed) }},
	{"SendNow", 3, func(c *client, _ context.Context, s step) {
		x := c.target(s.on)
		l, m := c.write(&c.sender, x, s.deed)
		c.within(1, "SendNow", x, func() { c.sent(l, x.addr.SendNow(m)) })
	}},
	{"SendAll", 4, (*client).sendAll},
	{"storm", 3, func(c *client, _ context.Context, s step) {
		for range 2 + s.arg%6 {
			c.trySend(&c.sender, c.target(s.on), deed{verb: panics + verb(s.arg%3)})
		}
	}},
	{"SendAfter", 3, func(c *client, _ context.Context, s step) {
		c.sendAfter(c.target(s.on), time.Duration(s.arg)*ms, s.deed)
	}},
	{"SendEvery", 2, func(c *client, _ context.Context, s step) {
		c.sendEvery(c.target(s.on), []time.Duration{3 * ms, 20 * ms, 200 * ms}[s.arg%3])
	}},
	{"stop a timer", 2, func(c *client, _ context.Context, s step) { c.stopTimer(s.arg) }},
	{"Watch", 3, func(c *client, _ context.Context, s step) { c.watch(c.target(s.on), c.target(s.arg)) }},
	{"Wait", 2, func(c *client, ctx context.Context, s step) {
		x := c.target(s.on)
		c.within(s.wait, "Wait", x, func() { _ = x.addr.Wait(ctx) })
	}},
	{"Exits", 1, func(c *client, ctx context.Context, s step) {
		x := c.owned(s.on)
		c.within(s.wait, "Exits", x, func() {
			for range x.pool.Exits(ctx) {
				c.happened("exit seen")
			}
		})
	}},
	{"Halt", 1, func(c *client, _ context.Context, s step) { c.target(s.on).addr.Halt() }},
	{"Close", 1, func(c *client, _ context.Context, s step) {
		x := c.owned(s.on)
		x.pool.Close()
		c.mu.Lock()
		x.refused = true // from here on nothing may be accepted
		c.mu.Unlock()
	}},
	{"Abort", 1, func(c *client, _ context.Context, s step) { c.owned(s.on).pool.Abort() }},
	{"Stop", 1, func(c *client, ctx context.Context, s step) {
		if s.wait == 0 {
			ctx = context.Background() // then the abort timer is the bound
		}
		c.stop(ctx, c.owned(s.on), s.wait, false)
	}},
	{"Drain", 1, func(c *client, ctx context.Context, s step) {
		if s.wait > 0 {
			c.stop(ctx, c.owned(s.on), s.wait, true)
		}
	}},
	{"Drop", 1, func(c *client, _ context.Context, s step) { c.owned(s.on).pool.Drop() }},
	{"Detach", 2, func(c *client, _ context.Context, s step) {
		x := c.owned(s.on)
		c.mu.Lock()
		x.detached = true
		c.mu.Unlock()
		x.pool.Detach()
	}},
	{"Attach", 2, func(c *client, _ context.Context, s step) {
		c.owned(s.on).pool.Attach([]time.Duration{0, 5 * ms, -1}[s.arg%3])
	}},
	{"HaltSome", 3, func(c *client, _ context.Context, s step) {
		x, n := c.owned(s.on), s.arg%4
		c.mu.Lock()
		x.toHalt += n
		c.mu.Unlock()
		x.pool.HaltSome(n)
	}},
	{"Pool.Spawn", 3, func(c *client, _ context.Context, s step) { c.spawnProcess(c.owned(s.on)) }},
	{"Spawn", 2, func(c *client, _ context.Context, s step) { c.spawnMore(c.owner, nil, s.arg) }},
	{"owner ends", 1, func(c *client, _ context.Context, s step) {
		if s.arg%4 == 0 {
			c.happened("owner's context ended")
			c.disown()
		}
	}},
	{"Terminate", 3, func(c *client, ctx context.Context, s step) {
		c.administer(ctx, s, (*supervisor.Supervisor).Terminate)
	}},
	{"Restart", 4, func(c *client, ctx context.Context, s step) {
		c.administer(ctx, s, (*supervisor.Supervisor).Restart)
	}},
	{"Remove", 2, func(c *client, ctx context.Context, s step) {
		c.administer(ctx, s, (*supervisor.Supervisor).Remove)
	}},
	{"Add", 3, (*client).add},
	{"Replace", 4, (*client).replace},
	{"Dynamic.Add", 4, (*client).addDynamic},
	{"Dynamic.Remove", 2, (*client).removeDynamic},
	{"read", 3, func(c *client, _ context.Context, s step) {
		c.within(1, "reading", nil, func() { c.read(s) })
	}},
	{"halt a supervisor", 1, func(c *client, _ context.Context, s step) {
		if sup := c.supervisor(s.on); sup != nil {
			sup.Halt()
		}
	}},
	{"stop the tree", 1, func(c *client, ctx context.Context, s step) {
		if s.arg%3 == 0 && s.wait > 0 {
			c.stopTree(ctx, s.wait)
		}
	}},
}

// opDice says how often each comes.
var opDice = func() (dice []int) {
	for i, o := range ops {
		for range o.often {
			dice = append(dice, i)
		}
	}
	return dice
}()

// question is the step's deed, which is mostly to answer.
func (s step) question() deed {
	if s.arg%2 == 0 {
		return deed{verb: answer}
	}
	return s.deed
}

// step does one step.
func (c *client) step(s step) {
	o := ops[s.op]
	c.doing = o.name
	c.happened(o.name)
	if s.wait == 0 { // it must come back by itself
		b := &client{world: c.world, sender: sender{who: c.who + " in the background"}, doing: o.name}
		go o.do(b, c.forever, s)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	if s.cancel {
		defer time.AfterFunc(s.wait, cancel).Stop()
	} else {
		cancel()
		ctx, cancel = context.WithTimeout(context.Background(), s.wait)
	}
	defer cancel()
	o.do(c, ctx, s)
}

// send makes a Send, which must come back when its ctx ends.
func (w *world) send(ctx context.Context, from *sender, x *target, d deed, bound time.Duration) {
	l, m := w.write(from, x, d)
	began := time.Now()
	w.within(bound, "Send", x, func() { w.sent(l, x.addr.Send(ctx, m)) })
	if bounds[x.plan.capacity] > 0 && time.Since(began) > 0 {
		w.happened("sender blocked on a full inbox")
	}
	w.bounded(x)
}

// trySend makes a TrySend, which never waits.
func (w *world) trySend(from *sender, x *target, d deed) {
	l, m := w.write(from, x, d)
	w.within(1, "TrySend", x, func() { w.sent(l, x.addr.TrySend(m)) })
	w.bounded(x)
}

// bounded checks that an inbox holds no more than it may. What an aborted
// process gives back comes on top.
func (w *world) bounded(x *target) {
	if n, bound := x.addr.Len(), bounds[x.plan.capacity]; bound > 0 && n > bound && x.plan.loop != byBatch && x.plan.procs == 1 {
		w.wrongly("%s has %d messages, and is bounded by %d", x.name, n, bound)
	}
}

// sendAll sends several messages at once.
func (c *client) sendAll(ctx context.Context, s step) {
	x := c.target(s.on)
	var letters []*letter
	var msgs []msg
	for range 2 + s.arg%3 {
		l, m := c.write(&c.sender, x, s.deed)
		letters, msgs = append(letters, l), append(msgs, m)
	}
	c.within(s.wait, "SendAll", x, func() {
		n, err := x.addr.SendAll(ctx, msgs)
		if (n < len(msgs)) != (err != nil) {
			c.wrongly("SendAll says %d of %d and %v", n, len(msgs), err)
		}
		for i, l := range letters {
			if i < n {
				c.sent(l, nil)
			} else {
				c.sent(l, err)
			}
		}
	})
}

// ask asks, and notes what became of the question.
func (w *world) ask(ctx context.Context, from *sender, x *target, d deed, bound time.Duration, mapped bool) {
	l, m := w.write(from, x, d)
	w.within(bound, fmt.Sprintf("Ask by %s with %v", from.who, d), x, func() {
		var value int
		var err error
		if mapped {
			type question struct {
				actor.Reply[int]
				m msg
			}
			to := actor.Map(actor.Sender[msg](x.addr), func(q question) msg { return q.m.with(q.Reply) })
			value, err = actor.Ask(ctx, to, func(r actor.Reply[int]) question { return question{r, m} })
		} else {
			value, err = actor.Ask(ctx, x.addr, m.with)
		}
		w.asked(l, value, err)
	})
}

// stop stops an actor, which takes at most StuckAfter and a tenth of it longer
// than its ctx, or than the abort timer if that cannot end.
func (w *world) stop(ctx context.Context, x *target, wait time.Duration, drain bool) {
	bound := wait
	if ctx.Done() == nil {
		bound = actor.DefaultAbortTimer // no abort timer here is longer
	}
	bound += actor.StuckAfter + actor.StuckAfter/10
	w.within(bound, "Stop", x, func() {
		var err error
		switch {
		case drain && x.child != nil:
			_, err = x.child.Drain(ctx)
		case drain:
			_, err = x.pool.Drain(ctx)
		case x.child != nil:
			_, err = x.child.Stop(ctx)
		default:
			_, err = x.pool.Stop(ctx)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		x.refused = true
		if errors.Is(err, actor.ErrStuck) {
			w.happen("Stop says stuck")
			x.deserted = x.plan.hook != hookHangs && w.allStuck(x)
			return
		}
		select {
		case <-x.addr.Done():
		default:
			w.wrong("%s was stopped with %v and has not ended", x.name, err)
		}
	})
}

// allStuck reports whether only bodies that hang for ever are left. mu is held.
func (w *world) allStuck(x *target) bool {
	for _, p := range w.procs {
		if p.of == x && !p.over && !p.hanged {
			return false
		}
	}
	return true
}

// spawnProcess adds a process to an actor.
func (w *world) spawnProcess(x *target) {
	w.mu.Lock()
	x.grown = true // perhaps it has several from now on
	w.mu.Unlock()
	err := x.pool.Spawn(func(ctx context.Context, in *actor.Inbox[msg]) (int, error) { return in.Index(), x.run(ctx, in) })
	if err != nil && !errors.Is(err, actor.ErrClosed) {
		w.wrongly("Pool.Spawn says %v", err)
	}
}

// spawnMore makes a further actor, unless there are many.
func (w *world) spawnMore(owner context.Context, parent *process, n int) {
	w.mu.Lock()
	k, calm := len(w.targets), w.calm
	w.mu.Unlock()
	if k < 12 && !calm {
		w.happened("actor spawned later")
		w.spawn(owner, parent, fmt.Sprintf("k%d", k), w.program.spare[n%len(w.program.spare)])
	}
}

// supervisor returns one of the supervisors of the tree, or nil.
func (w *world) supervisor(n int) *supervisor.Supervisor {
	w.mu.Lock()
	t := w.tree
	w.mu.Unlock()
	if t == nil || t.root == nil {
		return nil
	}
	all := []*supervisor.Supervisor{t.root}
	for i := 0; i < len(all); i++ {
		for _, c := range all[i].Children() {
			if sub, ok := all[i].Sub(c.Name); ok && c.Supervisor {
				all = append(all, sub)
			}
		}
	}
	return all[n%len(all)]
}

// administer makes a call about a child by name.
func (c *client) administer(ctx context.Context, s step, call func(*supervisor.Supervisor, context.Context, string) error) {
	sup := c.supervisor(s.on)
	if sup == nil {
		return
	}
	name := "nobody"
	if children := sup.Children(); len(children) > 0 {
		name = children[s.arg%len(children)].Name
	}
	c.within(s.wait, c.doing+" of "+name, nil, func() { c.callSaid(c.doing, call(sup, ctx, name)) })
}

// add adds a worker, or a supervisor of one, to a tree.
func (c *client) add(ctx context.Context, s step) {
	sup := c.supervisor(s.on)
	if sup == nil {
		return
	}
	c.mu.Lock()
	c.tree.added++
	name := fmt.Sprintf("x%d", c.tree.added)
	plan := workerPlan{manner: c.program.spare[s.arg%len(c.program.spare)].manner, name: name, restart: supervisor.Restart(s.arg % 3)}
	var up *node
	for _, x := range c.tree.node.all(nil) {
		if x.name == sup.Name() {
			up = x
		}
	}
	c.mu.Unlock()
	if up == nil || up.dynamic {
		return
	}
	n := &node{name: name, up: up, added: true}
	w := c.worker(n, plan)
	c.mu.Lock()
	up.children = append(up.children, n)
	c.mu.Unlock()
	c.within(s.wait, "Add", nil, func() { c.callSaid("Add", sup.Add(ctx, w)) })
}

// all appends a place and all places below it.
func (n *node) all(places []*node) []*node {
	places = append(places, n)
	for _, c := range n.children {
		places = c.all(places)
	}
	return places
}

// replace gives a worker a further body, which does the same.
func (c *client) replace(ctx context.Context, s step) {
	x := c.target(s.on)
	if x.worker {
		c.within(s.wait, "Replace of "+x.name, nil, func() { c.callSaid("Replace", x.sup.Replace(ctx, x.run)) })
	}
}

// addDynamic adds a child to a dynamic supervisor.
func (c *client) addDynamic(ctx context.Context, s step) {
	c.mu.Lock()
	t := c.tree
	id := 0
	if t != nil {
		t.added++
		id = t.added
	}
	c.mu.Unlock()
	if t == nil || len(t.dynamics) == 0 {
		return
	}
	d := t.dynamics[s.on%len(t.dynamics)]
	c.happened("dynamic child")
	c.within(s.wait, "Dynamic.Add", nil, func() {
		_, err := d.Add(ctx, id)
		c.callSaid("Dynamic.Add", err)
	})
}

// removeDynamic removes a worker from a dynamic supervisor, perhaps one that is
// none of its own.
func (c *client) removeDynamic(ctx context.Context, s step) {
	c.mu.Lock()
	t := c.tree
	c.mu.Unlock()
	x := c.target(s.arg)
	if t == nil || len(t.dynamics) == 0 || !x.worker {
		return
	}
	d := t.dynamics[s.on%len(t.dynamics)]
	c.within(s.wait, "Dynamic.Remove", nil, func() { c.callSaid("Dynamic.Remove", d.Remove(ctx, x.sup)) })
}

// read reads all that can be read.
func (c *client) read(s step) {
	x := c.target(s.on)
	_, _, _, _ = x.addr.Len(), x.addr.Processes(), x.addr.Closed(), x.addr.String()
	if sup := c.supervisor(s.arg); sup != nil {
		n := sup.Count()
		if n.Active > n.Specs || n.Supervisors+n.Workers != n.Specs {
			c.wrongly("Count of %s is %+v", sup.Name(), n)
		}
		for _, child := range sup.Children() {
			sup.Which(child.Name)
		}
	}
}

// stopTree stops the tree. Its ctx must be observed, but for what is stuck.
func (w *world) stopTree(ctx context.Context, wait time.Duration) {
	w.mu.Lock()
	t, quiet := w.tree, w.stopping
	w.mu.Unlock()
	if t == nil || t.root == nil {
		return
	}
	select {
	case <-t.root.Done():
		quiet = false
	default:
	}
	w.within(wait+2*actor.StuckAfter, "stopping the tree", nil, func() {
		report, err := t.root.Stop(ctx)
		switch {
		case errors.Is(err, actor.ErrStuck):
			w.happened("tree stuck")
		case errors.Is(err, supervisor.ErrLimitExceeded):
			w.happened("tree gave up")
		case errors.Is(err, actor.ErrAborted):
			w.happened("tree aborted")
		}
		select {
		case <-t.root.Done():
		default:
			if !errors.Is(err, actor.ErrStuck) {
				w.wrongly("the tree was stopped with %v and has not ended", err)
			}
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if quiet { // else some may have been told for other reasons before
			w.happen("report looked at")
			w.reportInOrder(t.node, report)
		}
	})
}

// reportInOrder checks that children are reported in the reverse order of their
// start, which is that in which they were told to stop. mu is held.
func (w *world) reportInOrder(n *node, r supervisor.Report) {
	if n.dynamic {
		return
	}
	last := len(n.children)
	seen := make(map[string]bool)
	for _, child := range r.Children {
		if child.Ending == supervisor.Stuck { // perhaps long since, and then it is reported at the end
			continue
		}
		if seen[child.Name] {
			w.wrong("the report about %s has %s twice", n.name, child.Name)
		}
		seen[child.Name] = true
		for i, c := range n.children {
			if c.name != child.Name || c.added { // the place of one that was added is when that was done
				continue
			}
			if i > last {
				w.wrong("the report about %s has %s after %s", n.name, child.Name, n.children[last].name)
			}
			last = i
			if child.Ending == supervisor.InOrder {
				w.reportInOrder(c, child)
			}
		}
	}
}
