package cluster

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"tinyactor/actor"
)

// Singleton has body run on exactly one of the nodes that call it for the same
// name. It makes this node a candidate and returns at once; body runs here while
// this node holds the lease of that name. Then it is the body of an actor that is
// exposed under the name, so that [Lookup] leads to it from every node, and leads
// to where it is next after it has moved.
//
// The Child is the candidate, an actor whose owner is ctx. When it is stopped, so
// is body, in order: it is halted, and aborted when the abort timer of 5 s runs
// out; then the lease is released, and another candidate begins within a second.
// Close and Drain of the Child have body work off its inbox before. So does
// [Node.Drain], and [Node.Close] stops all singletons of the node.
//
//   - If the node dies, or freezes, another one begins within 5 s (Config.Lost, two
//     Beats and some round trips); within 15 s if its server has led the KV store
//     of the leases, which takes some 9 s to find another leader.
//   - If the node cannot renew the lease, the body is aborted at the latest
//     Config.Lease after the last renewal; much sooner if the node is cut off from
//     most others, of more than two, or finds out that another node has got the
//     lease. Its ctx then ends, with a cause that matches [ErrLeaseLost]. The
//     candidate tries again.
//   - If body returns nil, this node gives up, and the candidate ends; the others
//     carry on. An error or a panic is logged, and the candidate tries again after
//     a pause that grows, from 100 ms to 30 s; mostly another node is quicker.
//
// Two bodies never run at the same time for longer than Config.Lease says, but
// they may for a moment: while a node that has been frozen wakes up, and if a body
// does not end when it is aborted. It is to use ctx in all that it does elsewhere,
// and the number that [Fence] finds there. A body that is stuck after its abort
// keeps the lease while its node lives, if that was not lost before; that is logged.
//
// Messages that body leaves in its inbox are given to Config.Undelivered of its
// node. While it moves, a Send waits for Config.Find and returns ErrNotFound then.
//
// A node without singletons or keys keeps nothing in the KV store. With them it
// has one record there that it renews five times in Config.Lease, whatever their
// number. A candidate that waits reads two records as often, and takes one
// goroutine.
//
// The errors are ErrBadName, ErrNodeClosed, what is wrong with the message type,
// and that this node has exposed the name or is a candidate already. That the KV
// store is not to be had is logged, and tried again. It panics if body is nil.
func Singleton[M any](ctx context.Context, n *Node, name string, body func(ctx context.Context, in *actor.Inbox[M]) error) (*actor.Child[actor.None, actor.None], error) {
	if body == nil {
		panic("cluster: Singleton: body is nil")
	}
	if err := checkName("name", name); err != nil {
		return nil, err
	}
	if _, err := shapeOf(reflect.TypeFor[M]()); err != nil {
		return nil, named(name, err)
	}
	c := &candidate[M]{node: n, name: name, item: "singleton." + name, body: body, pause: shortestPause}
	var child *actor.Child[actor.None, actor.None]
	born := make(chan struct{})
	t := &tenant{name: c.item, stop: func(ctx context.Context, drain bool) {
		<-born
		if drain {
			child.Drain(ctx) //nolint:errcheck // what is wrong is logged where it happens
		} else {
			child.Stop(ctx) //nolint:errcheck // as above
		}
	}}
	n.mu.Lock()
	taken := n.exposed[name] != nil
	n.mu.Unlock()
	if taken {
		return nil, named(name, errors.New("exposed by this node"))
	}
	if err := n.leases.enter(t); err != nil {
		return nil, named(name, err)
	}
	child, _ = actor.Spawn(ctx, actor.Config{Name: name + " (candidate)"}, func(ctx context.Context, in *actor.Inbox[actor.None]) error {
		defer n.leases.exit(t)
		return c.run(ctx, in)
	})
	close(born)
	return child, nil
}

// candidate is a node's part in a singleton.
type candidate[M any] struct {
	node  *Node
	name  string
	item  string
	body  func(context.Context, *actor.Inbox[M]) error
	pause time.Duration // after the next failure
}

// The pauses after failures. One of a body that has run for as long as the longest
// counts as the first.
const shortestPause, longestPause = 100 * time.Millisecond, 30 * time.Second

// run gets the lease and has body run, again and again.
func (c *candidate[M]) run(ctx context.Context, in *actor.Inbox[actor.None]) error {
	for told(in) == nil {
		s, fence := c.campaign(ctx, in)
		if s == nil {
			continue
		}
		begun := time.Now()
		err, over := c.serve(ctx, in, s, fence)
		if over {
			return err
		}
		if time.Since(begun) >= longestPause {
			c.pause = shortestPause
		}
		if s.lost() == nil {
			c.node.cfg.Logger.Error("cluster: singleton failed", "name", c.name, "node", c.node.id, "pause", c.pause, "err", err)
			c.rest(ctx, in)
		}
	}
	return nil
}

// told returns actor.ErrHalted or actor.ErrClosed when the candidate is to stop,
// else nil. If it was aborted, it does not return.
func told(in *actor.Inbox[actor.None]) error {
	for {
		if _, err := in.TryRecv(); err != nil {
			if errors.Is(err, actor.ErrEmpty) {
				return nil
			}
			return err
		}
	}
}

// untilTold returns a context that ends when there is something to be told. end
// must be called.
func untilTold(ctx context.Context, in *actor.Inbox[actor.None]) (_ context.Context, end func()) {
	ctx, cancel := context.WithCancel(ctx)
	ready, over := in.Ready(), make(chan struct{})
	go func() {
		defer close(over)
		select {
		case <-ready:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		cancel()
		<-over
	}
}

// campaign waits for the lease. It returns no session if there is something to be
// told.
func (c *candidate[M]) campaign(ctx context.Context, in *actor.Inbox[actor.None]) (*session, uint64) {
	cfg := &c.node.cfg
	ctx, end := untilTold(ctx, in)
	defer end()
	pause := cfg.Beat / 5
	again := time.NewTimer(0)
	defer again.Stop()
	var freed <-chan struct{}
	for {
		select {
		case <-freed:
			pause = cfg.Beat / 5 // where it is read first they may not know yet
		case <-again.C:
		case <-ctx.Done():
			return nil, 0
		}
		freed = c.node.leases.freed(c.item)
		s, fence, err := c.try(ctx)
		if err == nil {
			return s, fence
		}
		if _, held := errors.AsType[*heldError](err); held {
			again.Reset(pause)
			pause = min(2*pause, cfg.Lease/5)
			continue
		}
		if ctx.Err() == nil {
			cfg.Logger.Warn("cluster: singleton cannot get its lease", "name", c.name, "node", c.node.id, "err", err)
		}
		again.Reset(cfg.Beat)
	}
}

// try tries to get the lease.
func (c *candidate[M]) try(ctx context.Context) (s *session, fence uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.node.cfg.Lease)
	defer cancel()
	if s, err = c.node.session(ctx); err == nil {
		fence, err = s.acquire(ctx, c.item)
	}
	return s, fence, err
}

// rest waits after a failure.
func (c *candidate[M]) rest(ctx context.Context, in *actor.Inbox[actor.None]) {
	ctx, end := untilTold(ctx, in)
	defer end()
	pause := time.NewTimer(c.pause)
	defer pause.Stop()
	c.pause = min(2*c.pause, longestPause)
	select {
	case <-pause.C:
	case <-ctx.Done():
	}
}

// term is the time for which body runs here under one lease.
type term[M any] struct {
	*candidate[M]
	session  *session
	child    *actor.Child[M, actor.None]
	exposure *exposure // nil: the name is taken on this node
	lose     func()
	released chan struct{}
}

// serve has body run until it has ended, and reports whether the candidate has
// come to its end with that.
func (c *candidate[M]) serve(ctx context.Context, in *actor.Inbox[actor.None], s *session, fence uint64) (err error, over bool) {
	n := c.node
	s.settle(ctx)
	if lost := s.lost(); lost != nil { // somebody else may have begun
		s.release(c.item, fence)
		return lost, false
	}
	t := &term[M]{candidate: c, session: s, released: make(chan struct{})}
	begun := make(chan func(), 1)
	t.child, _ = actor.Spawn(ctx, actor.Config{Name: c.name, Undelivered: t.undelivered}, func(ctx context.Context, in *actor.Inbox[M]) error {
		ctx, lose := s.fenced(ctx, fence)
		begun <- lose
		return c.body(ctx, in)
	})
	t.lose = <-begun
	e := &exposure{node: n, name: c.name, exit: t.exit, ends: errMoved, sure: s.sure}
	exposed := expose(e, t.child.Address())
	if exposed == nil {
		t.exposure = e
		defer t.hide()
		n.cfg.Logger.Info("cluster: singleton runs", "name", c.name, "node", n.id, "fence", fence)
	} else {
		t.child.Halt()
	}
	if !n.leases.start(func() { t.release(ctx, fence) }) {
		t.child.Abort()
		return ErrNodeClosed, true
	}
	over = t.watch(ctx, in)
	_, err = t.child.Wait(context.Background())
	if s.lost() == nil && exposed == nil && err == nil {
		over = true
	}
	patience := time.NewTimer(n.cfg.Lost)
	defer patience.Stop()
	select {
	case <-t.released:
	case <-patience.C:
	case <-ctx.Done():
	}
	return errors.Join(exposed, err), over
}

// watch waits for the end of body, and passes on what the candidate is told. It
// reports whether that was to stop.
func (t *term[M]) watch(ctx context.Context, in *actor.Inbox[actor.None]) (stop bool) {
	ready, halting, lost := in.Ready(), in.Halting(), t.session.done()
	var look <-chan time.Time // while the inbox is worked off
	for {
		select {
		case <-t.child.Done():
			return stop
		case <-lost:
			lost = nil
			t.lose() // first, so that the context's cause is this
			t.child.Abort()
			t.hide()
		case <-halting:
			ready, halting, look, stop = nil, nil, nil, true
			told(in) //nolint:errcheck // it is known what
			t.hide()
			t.child.Halt()
		case <-ready:
			ready = in.Ready()
			if !errors.Is(told(in), actor.ErrClosed) {
				continue
			}
			ready, stop = nil, true
			t.hide()
			t.child.Close()
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			look = tick.C
		case <-look: // body need not notice that its inbox is closed, but that it is halted
			if t.child.Len() == 0 {
				look = nil
				t.child.Halt()
			}
		case <-ctx.Done():
			told(in) //nolint:errcheck // it was aborted: this does not return
		}
	}
}

// hide ends the exposure: messages go elsewhere from now on.
func (t *term[M]) hide() {
	if t.exposure != nil {
		t.exposure.withdraw(errMoved)
	}
}

// release gives the lease back when body has ended, however long that takes.
func (t *term[M]) release(ctx context.Context, fence uint64) {
	n := t.node
	defer close(t.released)
	if t.exposure != nil {
		defer t.exposure.farewell()
		defer t.hide()
	}
	select {
	case <-t.child.Done():
	case <-ctx.Done():
		t.linger()
	case <-t.session.done():
		t.linger()
	}
	select {
	case <-t.child.Done():
		<-t.session.release(t.item, fence)
	case <-n.stop:
	}
}

// linger waits for the end of a body that was aborted, but says so if that takes
// too long.
func (t *term[M]) linger() {
	patience := time.NewTimer(2 * actor.StuckAfter)
	defer patience.Stop()
	select {
	case <-t.child.Done():
		return
	case <-patience.C:
		t.node.cfg.Logger.Error("cluster: singleton was aborted and is stuck: its lease is not released, and it is not begun again here",
			"name", t.name, "node", t.node.id, "lost", t.session.lost())
	case <-t.node.stop:
	}
	select {
	case <-t.child.Done():
	case <-t.node.stop:
	}
}

// exit waits for the end of body and returns how it was.
func (t *term[M]) exit(ctx context.Context) error {
	_, err := t.child.Wait(ctx)
	if err != nil {
		err = errors.Join(err, t.session.lost())
	}
	return err
}

// undelivered gets what body has left in its inbox.
func (t *term[M]) undelivered(msg any) {
	err := named(t.name, ErrNotDelivered)
	if lost := t.session.lost(); lost != nil {
		err = fmt.Errorf("%w: %w", err, lost)
	}
	t.node.reports.add(report{t.name, msg, err})
}
