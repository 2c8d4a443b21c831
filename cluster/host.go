package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tinyactor/actor"
	"tinyactor/internal/remote"
)

// hosting is a host without its message type.
type hosting interface {
	look(now time.Time)
	busy() bool
	end()
}

// errParked says that a message's outcome is told later.
var errParked = errors.New("cluster: it waits")

// errAway ends the wait of a message for an actor whose partition goes away.
var errAway = errors.New("cluster: the key moves")

// movedError refuses a message because another node holds its key, or should.
type movedError struct{ holder string }

func (e *movedError) Error() string { return fmt.Sprintf("cluster: the key is node %q's", e.holder) }

// refusal is the verdict that an error stands for.
func refusal(n uint64, err error) verdict {
	if m, ok := errors.AsType[*movedError](err); ok {
		return verdict{n: n, kind: isMoved, holder: m.holder}
	}
	return verdict{n: n, err: err}
}

// host has the actors of a keyed name on one node. Messages come on the
// subscription's goroutine, which never waits for an actor: what cannot be given to one
// at once is parked, in the line of its partition while that is being acquired,
// else in that of its key, whose pump starts the actor and waits for room. The
// sender is told that it waits, and later what became of it.
//
// A partition is away, coming (its lease is being acquired), here, or leaving (its
// actors are being stopped, then its lease is released).
type host[M any] struct {
	*sink[M]
	make func(key string) Actor[M]

	mu       sync.Mutex // guards what follows, and is taken before exposure.mu and node.mu
	parts    [partitions]part[M]
	marked   map[*cell[M]]bool // those that are not known to be done with all they have
	sending  sync.WaitGroup    // pumps that wait for room
	drained  bool              // nothing more is acquired
	attended *session          // whose end somebody waits for
	tenant   *tenant
	over     bool
}

type part[M any] struct {
	number int
	state  partState
	term   uint64    // grows with every state
	since  time.Time // it has this state, or has had a cell
	lease  lease     // here and leaving
	line   []*arrival[M]
	cells  map[string]*cell[M]
}

type partState uint8

const (
	away partState = iota
	coming
	here
	leaving
)

// lease is under which the actors of a partition run.
type lease struct {
	session *session
	fence   uint64
}

// cell is a key with an actor, or with messages that wait for one.
type cell[M any] struct {
	part *part[M]
	key  string

	child    *actor.Child[M, actor.None]
	lose     func() // tells it that its lease is lost
	closing  bool   // the actor gets nothing more
	idle     time.Duration
	used     time.Time
	timer    *time.Timer   // looks whether it is idle, or gone
	pause    time.Duration // until it looks again whether it is gone
	asks     int           // unanswered
	run      uint64        // grows when an actor has ended
	starting bool          // the user's function is called, or the actor spawned
	finished bool          // its body has returned

	line    []*arrival[M]
	pumping bool
	blocked bool // the pump waits for room
	marks   map[*inlet][]mark
}

// arrival is a message that has come.
type arrival[M any] struct {
	inlet    *inlet
	in       incoming
	msg      M
	question *question
	ctx      context.Context //nolint:containedctx // of its wait
	cancel   context.CancelCauseFunc
	unwatch  func() bool
	sending  bool // the pump has it
	gone     bool // it is settled
}

func newHost[M any](s *sink[M], make func(string) Actor[M]) *host[M] {
	h := &host[M]{sink: s, make: make, marked: map[*cell[M]]bool{}}
	h.tenant = &tenant{name: "keyed." + h.name, stop: h.stop}
	for i := range h.parts {
		h.parts[i] = part[M]{number: i, cells: map[string]*cell[M]{}}
	}
	return h
}

// item is the name of a partition's lease.
func (h *host[M]) item(p *part[M]) string { return fmt.Sprintf("keyed.%s.%d", h.name, p.number) }

// turnTo gives a partition a state. mu is held.
func (p *part[M]) turnTo(s partState) {
	p.state = s
	p.term++
	p.since = time.Now()
}

// take takes a message in.
func (h *host[M]) take(l *inlet, in incoming) error {
	if err := checkKey(in.key); err != nil {
		h.node.count.mismatch.Add(1)
		return fmt.Errorf("%w: it is keyed on node %s: %w", ErrMismatch, h.node.id, err)
	}
	a := &arrival[M]{inlet: l, in: in}
	var err error
	if in.ask {
		a.msg, a.question, err = h.question(l, in)
	} else {
		a.msg, _, err = h.decode(in.body, nil)
	}
	if err != nil {
		return err
	}
	a.in.body = nil
	switch err = h.admit(a); {
	case err == nil:
		a.accepted(in.last)
	case !errors.Is(err, errParked):
		a.drop()
	}
	return err
}

// accepted has the answer waited for.
func (a *arrival[M]) accepted(last bool) {
	switch q := a.question; {
	case q == nil:
	case last && q.Soon():
		q.answer()
	default:
		go q.answer()
	}
}

func (a *arrival[M]) drop() {
	if a.question != nil {
		a.question.drop()
	}
}

// admit gives a message to its actor, or parks it, or refuses it.
func (h *host[M]) admit(a *arrival[M]) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := &h.parts[partitionOf(a.in.key)]
	if err := h.refuses(p, a); err != nil {
		return err
	}
	if p.state != here {
		p.line = append(p.line, a)
		h.park(a)
		return errParked
	}
	c := h.cell(p, a.in.key)
	if c.ready() {
		switch err := h.give(c, a); {
		case err == nil:
			return nil
		case errors.Is(err, actor.ErrFull) && a.in.try:
			return err
		case errors.Is(err, actor.ErrFull), errors.Is(err, actor.ErrClosed):
		default:
			return err
		}
	}
	if c.blocked && a.in.try {
		return fmt.Errorf("cluster: %q: key %q: %w", h.name, c.key, actor.ErrFull)
	}
	h.enqueue(c, a)
	return errParked
}

// refuses returns why a message is not for this node, and nil if the partition is
// here, or will be. mu is held.
func (h *host[M]) refuses(p *part[M], a *arrival[M]) error {
	holder := ""
	before := a.inlet.turns[p.number]
	switch {
	case a.in.turn < before.least:
		holder = before.holder
	case p.state == coming:
		return nil
	case p.state == here && p.lease.session.sure():
		return nil
	case p.state == here || p.state == leaving || h.drained:
		holder = preferred(h.name, p.number, h.others())
	default:
		holder = preferred(h.name, p.number, append(h.others(), h.node.id))
		if holder == h.node.id || a.in.insist {
			p.turnTo(coming)
			if h.node.leases.start(func() { h.acquire(p) }) {
				return nil
			}
			p.turnTo(away)
		}
	}
	return h.away(p, a, holder)
}

// away is the refusal of a message, which holds for all that were sent before its
// sender knows it. mu is held.
func (h *host[M]) away(p *part[M], a *arrival[M], holder string) error {
	if a.inlet.turns == nil {
		a.inlet.turns = make(map[int]turn)
	}
	if t := a.inlet.turns[p.number]; a.in.turn >= t.least {
		a.inlet.turns[p.number] = turn{a.in.turn + 1, holder}
	}
	return &movedError{holder}
}

// others returns the other nodes that may host keys of the name.
func (h *host[M]) others() (ids []string) {
	n := h.node
	n.mu.Lock()
	defer n.mu.Unlock()
	for id, p := range n.peers {
		if id != n.id && !p.draining && p.exposes[h.name].keyed {
			ids = append(ids, id)
		}
	}
	return ids
}

// cell returns the cell of a key, made if there is none. mu is held.
func (h *host[M]) cell(p *part[M], key string) *cell[M] {
	c := p.cells[key]
	if c == nil {
		c = &cell[M]{part: p, key: key}
		p.cells[key] = c
	}
	return c
}

// ready reports whether the next message may go straight to the actor. mu is held.
func (c *cell[M]) ready() bool { return c.child != nil && !c.closing && !c.pumping }

// give gives a message to the actor if that need not wait. mu is held.
func (h *host[M]) give(c *cell[M], a *arrival[M]) (err error) {
	if a.question == nil {
		err = c.child.Address().TrySend(a.msg)
	} else {
		ctx, cancel := context.WithCancel(a.question.Ctx)
		cancel() // a Send that need not wait does not look at it
		err = c.child.Address().Send(ctx, a.msg)
		if errors.Is(err, context.Canceled) {
			err = fmt.Errorf("cluster: %q: key %q: %w", h.name, c.key, actor.ErrFull)
		}
	}
	if err == nil {
		h.given(c, a)
	}
	return err
}

// given notes that the actor has accepted a message. mu is held.
func (h *host[M]) given(c *cell[M], a *arrival[M]) {
	c.used = time.Now()
	s := c.sight()
	h.exposure.mu.Lock()
	h.progress(c, s)
	const few = 2 // more than one, so that it catches up
	k := 0
	for other := range h.marked {
		if k == few {
			break
		}
		h.progress(other, other.sight())
		k++
	}
	h.exposure.mu.Unlock()
	if c.marks == nil {
		c.marks = make(map[*inlet][]mark)
	}
	c.marks[a.inlet] = append(c.marks[a.inlet], mark{a.in.n, s.Accepted})
	h.marked[c] = true
	if q := a.question; q != nil {
		c.asks++
		run := c.run
		q.then = func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			if c.run == run {
				c.asks--
			}
		}
	}
}

// sight returns how the actor is. mu is held.
func (c *cell[M]) sight() remote.Sight { return remote.Look(c.child) }

// progress notes what a key's actor is done with. mu and exposure.mu are held.
func (h *host[M]) progress(c *cell[M], s remote.Sight) {
	for l, marks := range c.marks {
		k := 0
		for k < len(marks) && marks[k].after <= s.Done {
			l.dones = append(l.dones, marks[k].n)
			k++
		}
		if k == len(marks) || l.gone {
			delete(c.marks, l)
		} else {
			c.marks[l] = marks[k:]
		}
	}
	if len(c.marks) == 0 {
		delete(h.marked, c)
	}
}

// park makes a message wait: its sender can call it back. mu is held.
func (h *host[M]) park(a *arrival[M]) {
	e, l := h.exposure, a.inlet
	stop := func(error) { a.question.cancel() }
	if a.question != nil {
		a.ctx, a.cancel = context.WithCancelCause(a.question.Ctx)
		end := context.AfterFunc(e.ctx, a.question.cancel)
		cancel := a.cancel
		a.cancel = func(why error) {
			end()
			cancel(why)
		}
	} else {
		a.ctx, a.cancel = context.WithCancelCause(e.ctx)
		stop = a.cancel
	}
	a.unwatch = context.AfterFunc(a.ctx, func() { h.recalled(a) })
	e.mu.Lock()
	defer e.mu.Unlock()
	if l.parked == nil {
		l.parked = make(map[uint64]context.CancelCauseFunc)
	}
	l.parked[a.in.n] = stop
	l.processed = a.in.n
	l.report(verdict{n: a.in.n, kind: isWaiting})
	if l.gone || l.canceled[a.in.n] {
		stop(errCanceled)
	}
}

// settle tells what became of a message that was parked. mu is held.
func (h *host[M]) settle(a *arrival[M], err error) {
	if a.gone {
		return
	}
	a.gone = true
	a.unwatch()
	a.cancel(nil)
	e, l := h.exposure, a.inlet
	v := verdict{n: a.in.n, kind: isAccepted}
	if err == nil {
		h.node.count.received.Add(1)
		a.accepted(false)
	} else {
		v = refusal(a.in.n, err)
		a.drop()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(l.parked, a.in.n)
	l.report(v)
	if !l.gone {
		e.tell(l, false)
	}
}

// recalled settles a message whose wait was ended, unless the pump has it.
func (h *host[M]) recalled(a *arrival[M]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !a.sending {
		h.settle(a, a.ended())
	}
}

// ended is the outcome of a message whose wait was ended.
func (a *arrival[M]) ended() error {
	switch cause := context.Cause(a.ctx); {
	case errors.Is(cause, errCanceled):
		return errCanceled
	case errors.Is(cause, errAway):
		return errAway
	case a.question != nil:
		return cause
	default: // the host ends
		return &movedError{}
	}
}

// enqueue puts a message into the line of its key. mu is held.
func (h *host[M]) enqueue(c *cell[M], a *arrival[M]) {
	if a.unwatch == nil {
		h.park(a)
	}
	c.line = append(c.line, a)
	if !c.pumping && h.node.leases.start(func() { h.pump(c) }) {
		c.pumping = true
	}
}

// pump brings the messages in a key's line to its actor, which it starts.
func (h *host[M]) pump(c *cell[M]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(c.line) > 0 {
		a := c.line[0]
		switch {
		case a.gone:
			c.line = c.line[1:]
			continue
		case c.part.state != here || !c.part.lease.session.sure():
			h.refuse(c.part, c.line)
			c.line = nil
			continue
		case c.child == nil || c.closing:
			h.start(c)
			continue
		}
		err := h.give(c, a)
		if errors.Is(err, actor.ErrFull) && !a.in.try {
			err = h.send(c, a)
		}
		if errors.Is(err, actor.ErrClosed) {
			c.closing = true
			continue
		}
		h.settle(a, err)
		if len(c.line) > 0 && c.line[0] == a {
			c.line = c.line[1:]
		}
	}
	c.line, c.pumping = nil, false
	h.forget(c)
}

// refuse sends messages that wait back to their senders. mu is held.
func (h *host[M]) refuse(p *part[M], line []*arrival[M]) {
	if len(line) == 0 {
		return
	}
	holder := preferred(h.name, p.number, h.others())
	for _, a := range line {
		if a.sending {
			a.cancel(errAway)
			continue
		}
		if !a.gone {
			h.settle(a, h.away(p, a, holder))
		}
	}
}

// send gives the actor a message and waits for room. mu is held, and released
// meanwhile.
func (h *host[M]) send(c *cell[M], a *arrival[M]) error {
	if h.over {
		return &movedError{}
	}
	a.sending, c.blocked = true, true
	h.sending.Add(1)
	defer h.sending.Done()
	to := c.child.Address()
	h.mu.Unlock()
	err := to.Send(a.ctx, a.msg)
	h.mu.Lock()
	a.sending, c.blocked = false, false
	switch {
	case err == nil:
		h.given(c, a)
	case !errors.Is(err, actor.ErrClosed) && a.ctx.Err() != nil:
		if err = a.ended(); errors.Is(err, errAway) {
			err = h.away(c.part, a, "")
		}
	}
	return err
}

// start starts a key's actor, once that before it has ended. mu is held, and
// released meanwhile.
func (h *host[M]) start(c *cell[M]) {
	p := c.part
	old := c.child
	if old != nil {
		h.mu.Unlock()
		select {
		case <-old.Done():
		case <-h.exposure.ctx.Done():
		}
		h.mu.Lock()
		if h.exposure.ctx.Err() == nil {
			h.buried(c)
		} else {
			h.refuse(p, c.line)
			c.line = nil
		}
		return
	}
	term, under := p.term, p.lease
	c.starting, c.finished = true, false
	h.mu.Unlock()
	open := make(chan struct{})
	child, lose, idle, err := h.spawn(under, c, open)
	h.mu.Lock()
	c.starting = false
	if err != nil {
		h.node.cfg.Logger.Error("cluster: a key's actor does not start", "name", h.name, "node", h.node.id, "err", err)
		for _, a := range c.line {
			h.settle(a, err)
		}
		c.line = nil
		return
	}
	c.child, c.lose, c.idle, c.used, c.pause = child, lose, idle, time.Now(), 0
	c.closing = c.finished || p.term != term // it was stopped or lost meanwhile
	c.timer = time.AfterFunc(max(c.idle, time.Millisecond), func() { h.watch(c) })
	if c.closing {
		h.mu.Unlock()
		if under.session.lost() != nil {
			lose()
			child.Abort()
		}
		child.Halt()
		h.mu.Lock()
	} else {
		if c.idle < 0 {
			c.timer.Stop()
		}
		h.first(c)
	}
	close(open)
}

// first gives a new actor its first message before its body begins: one that fails
// at once takes that with it, and is not begun for it again and again. mu is held.
func (h *host[M]) first(c *cell[M]) {
	for len(c.line) > 0 && c.line[0].gone {
		c.line = c.line[1:]
	}
	if len(c.line) > 0 && h.give(c, c.line[0]) == nil {
		h.settle(c.line[0], nil)
		c.line = c.line[1:]
	}
}

// buried forgets a key's actor that has ended. mu is held.
func (h *host[M]) buried(c *cell[M]) {
	if c.child == nil {
		return
	}
	child := c.child
	c.child, c.lose, c.closing, c.asks = nil, nil, false, 0
	c.timer.Stop()
	c.run++
	h.exposure.mu.Lock()
	for l, marks := range c.marks { // it has dealt with them, or its Undelivered has
		for _, m := range marks {
			l.dones = append(l.dones, m.n)
		}
	}
	h.exposure.mu.Unlock()
	c.marks = nil
	delete(h.marked, c)
	if _, err := child.Wait(context.Background()); err != nil && !errors.Is(err, actor.ErrAborted) {
		h.node.cfg.Logger.Warn("cluster: a key's actor has failed", "name", h.name, "key", c.key, "node", h.node.id, "err", err)
	}
	h.forget(c)
}

// forget removes the cell of a key that has neither an actor nor messages. mu is held.
func (h *host[M]) forget(c *cell[M]) {
	p := c.part
	if c.child == nil && len(c.line) == 0 && !c.pumping && p.cells[c.key] == c {
		delete(p.cells, c.key)
		p.since = time.Now()
	}
}

// returned has it noticed that a key's actor is about to end.
func (h *host[M]) returned(c *cell[M], run uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c.run == run {
		c.closing, c.finished = true, true
		if c.child != nil {
			c.timer.Reset(0)
		}
	}
}

// watch closes a key's actor that is idle, and forgets it when it has ended. It
// runs on the cell's timer.
func (h *host[M]) watch(c *cell[M]) {
	h.mu.Lock()
	child := c.child
	if child == nil {
		h.mu.Unlock()
		return
	}
	select {
	case <-child.Done():
		h.buried(c)
		h.mu.Unlock()
		return
	default:
	}
	quiet := time.Since(c.used)
	switch {
	case c.closing: // it takes its time
		c.pause = min(max(2*c.pause, time.Millisecond), 100*time.Millisecond)
		c.timer.Reset(c.pause)
	case c.idle < 0:
	case c.pumping || c.asks > 0 || child.Len() > 0:
		c.timer.Reset(c.idle)
	case quiet < c.idle:
		c.timer.Reset(c.idle - quiet)
	default:
		// Whatever comes from now on waits until it has ended, and starts it anew.
		c.closing = true
		c.timer.Reset(time.Millisecond)
		h.mu.Unlock()
		child.Close()
		return
	}
	h.mu.Unlock()
}

// spawn calls the user's function and spawns the actor, whose body waits until open
// is closed. lose ends the actor's context because the lease is lost.
func (h *host[M]) spawn(under lease, c *cell[M], open <-chan struct{}) (child *actor.Child[M, actor.None], lose func(), idle time.Duration, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("cluster: %q: key %q: its actor does not start on node %s: panic: %v", h.name, c.key, h.node.id, v)
		}
	}()
	a := h.make(c.key)
	if a.Run == nil {
		return nil, nil, 0, fmt.Errorf("cluster: %q: key %q: an Actor without Run", h.name, c.key)
	}
	cfg := a.Config
	if cfg.Name == "" {
		cfg.Name = h.name + "/" + c.key
	}
	cfg.Detached, cfg.Drain = false, false
	run := c.run // nobody else starts it
	begun := make(chan func(), 1)
	child, _ = actor.Spawn(h.node.values, cfg, func(ctx context.Context, in *actor.Inbox[M]) error {
		defer h.returned(c, run)
		ctx, lose := under.session.fenced(ctx, under.fence)
		begun <- lose
		<-open
		return a.Run(ctx, in)
	})
	if a.Idle == 0 {
		a.Idle = defaultIdle
	}
	return child, <-begun, a.Idle, nil
}
