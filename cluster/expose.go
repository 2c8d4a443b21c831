package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"tinyactor/actor"
	"tinyactor/internal/remote"
)

// Expose lets every node of the cluster send to an actor of this one, under a
// name. Several nodes may expose the same name: then it is a pool, see [Lookup].
// A node exposes a name once.
//
// It lasts until ctx ends, the actor is closed, or the node is. Until then the
// actor counts as reachable, and is not closed for want of an address. What it
// was asked before is answered all the same, if it goes on. It costs one
// subscription and two goroutines, and some 10 bytes and its name in every beat.
//
// Expose waits for the server's word that the node may, not longer than
// Config.Find. The errors are ErrBadName, ErrNodeClosed, nats.ErrPermissionViolation,
// what is wrong with the message type, ErrTooLarge with too many names, and that the
// node has exposed the name. It panics if to is nil.
func Expose[M any](ctx context.Context, n *Node, name string, to *actor.Address[M]) error {
	if to == nil {
		panic("cluster: Expose: to is nil")
	}
	if err := checkName("name", name); err != nil {
		return err
	}
	if !n.hold() {
		return named(name, ErrNodeClosed)
	}
	defer n.stopped.Done()
	e := &exposure{node: n, name: name, exit: to.Wait, ends: actor.ErrClosed}
	if err := expose(e, to); err != nil {
		return named(name, err)
	}
	n.stopped.Go(func() {
		select {
		case <-to.Done():
			e.withdraw(actor.ErrClosed)
		case <-ctx.Done():
			e.withdraw(ErrNotFound)
		case <-e.ctx.Done():
		}
		e.farewell()
	})
	return nil
}

// expose begins an exposure, of which the first group is set.
func expose[M any](e *exposure, to *actor.Address[M]) (err error) {
	if e.shape, err = shapeOf(reflect.TypeFor[M]()); err != nil {
		return err
	}
	e.to, e.closed, e.take = to, to.Closed, (&sink[M]{e, to}).take
	e.ctx, e.cancel = context.WithCancel(context.Background())
	if err = e.begin(); err != nil {
		e.cancel()
		return err
	}
	e.node.beat(0)
	return nil
}

// exposure is an actor of this node under its name. Its subscription's goroutine
// takes packets in and moves the messages to the actor; when that waits, so do
// all senders, who then have no credit left.
type exposure struct {
	node *Node
	name string
	exit func(context.Context) error // waits, and returns how the actor has ended; nil if farewell is not called
	ends error                       // what senders are told when the actor is closed
	sure func() bool                 // whether this node may take messages now; nil if it always may

	id     uint64
	shape  *shape
	to     actor.Ref
	closed func() bool
	take   func(*inlet, incoming) error
	host   hosting // of a keyed name, and nil else
	sub    *nats.Subscription
	ctx    context.Context //nolint:containedctx // it is the exposure's life
	cancel context.CancelFunc

	moving sync.Mutex // held while messages move

	mu      sync.Mutex // guards what follows, and all inlets but what does not change; innermost
	inlets  map[uint64]*inlet
	ended   error
	told    bool // the senders know
	polling bool
	asking  int
}

// inlet is the receiver's end of a link.
type inlet struct {
	exposure *exposure
	id       uint64
	from     string // the sender's node

	processed uint64 // the messages up to this one are the actor's, or were refused
	granted   uint64
	told      uint64 // what of processed the sender knows
	news      []news // what it is not known to know of those
	fresh     bool   // some of it was not yet told
	more      bool   // some of it follows when the sender has heard the rest
	states    uint64 // the number of the last state frame with news
	done      uint64 // the messages up to this one no process has any more
	toldDone  uint64
	marks     []mark // what has to happen before done grows
	wants     bool   // it has messages and no credit
	waits     bool   // and they do wait

	// Of a keyed name:
	parked map[uint64]context.CancelCauseFunc // the messages that wait for a key's actor
	turns  map[int]turn                       // by partition: what a message must bring, after one was refused
	low    uint64                             // of host.advance
	dones  []uint64                           // what keys' actors are done with, beyond done

	canceled map[uint64]bool
	current  uint64 // the message that waits for room
	stop     context.CancelCauseFunc
	asks     map[uint64]context.CancelFunc
	gone     bool
}

// news is a verdict on its way.
type news struct {
	verdict
	at uint64 // the state frame that has told it first, or 0
}

// turn is what makes a refusal hold for what comes behind the refused message: a
// message of an earlier turn is refused too, whatever has happened since, so that
// the messages of a key are not taken out of order.
type turn struct {
	least  uint64
	holder string
}

// report notes a verdict. exposure.mu is held.
func (l *inlet) report(v verdict) {
	l.fresh = true
	for i := range l.news {
		if l.news[i].n == v.n {
			l.news[i] = news{verdict: v}
			return
		}
	}
	l.news = append(l.news, news{verdict: v})
}

// heard notes what the sender has heard, and reports whether that is anything new.
// exposure.mu is held.
func (l *inlet) heard(seq uint64) bool {
	before := len(l.news)
	l.news = slices.DeleteFunc(l.news, func(w news) bool { return w.at > 0 && w.at <= seq })
	return len(l.news) < before
}

// mark: when the actor is done with so many messages of whomever, the inlet's up
// to n are among them.
type mark struct{ n, after uint64 }

// mark brings done up to date. exposure.mu is held.
func (l *inlet) mark(s remote.Sight) {
	if k := len(l.marks); l.processed > l.done && (k == 0 || l.marks[k-1].n < l.processed) {
		l.marks = append(l.marks, mark{l.processed, s.Accepted})
	}
	for len(l.marks) > 0 && l.marks[0].after <= s.Done {
		l.done = l.marks[0].n
		l.marks = l.marks[1:]
	}
}

// incoming is a message that came.
type incoming struct {
	n      uint64
	ask    bool
	within time.Duration // the asker's deadline from now; 0: none
	key    string        // "": none
	turn   uint64        // of its sender's lane
	try    bool          // it does not wait for room
	insist bool          // it is to be taken, whoever should
	last   bool          // nothing follows in its packet
	body   []byte
}

// begin enters the exposure, subscribes, and waits for the server's word that it may.
func (e *exposure) begin() error {
	n := e.node
	before := n.nc.LastError()
	if err := e.enter(); err != nil {
		return err
	}
	err := n.allowed(e.sub.Subject, before)
	if err != nil {
		e.withdraw(ErrNotFound)
		n.mu.Lock()
		delete(n.farewells, e.id) // it has never begun
		n.mu.Unlock()
	}
	return err
}

func (e *exposure) enter() error {
	n := e.node
	e.inlets = make(map[uint64]*inlet)
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.draining:
		return ErrNodeClosed
	case n.exposed[e.name] != nil:
		return errors.New("exposed twice by one node")
	case n.beatSize(e.name) > int(n.nc.MaxPayload()):
		return fmt.Errorf("%w: a beat with the names that the node exposes already, and this one", ErrTooLarge)
	}
	sub, err := n.nc.Subscribe(n.subj.inbox(n.id, e.name), e.receive)
	if err != nil {
		return err
	}
	// Bounded by the credits that are given, not by the client.
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return err
	}
	n.nextID++
	e.sub, e.id = sub, n.nextID
	n.exposed[e.name] = e
	return nil
}

// withdraw ends the exposure: what the actor has not got by now it does not get,
// and the senders are told so.
func (e *exposure) withdraw(why error) {
	e.mu.Lock()
	if e.ended != nil {
		e.mu.Unlock()
		e.abandon(why)
		return
	}
	e.ended = why
	e.mu.Unlock()
	n := e.node
	e.cancel()
	e.sub.Unsubscribe() //nolint:errcheck // the connection is closed, then
	e.moving.Lock()
	defer e.moving.Unlock()
	n.mu.Lock()
	if n.exposed[e.name] == e { // not before: what moved would be overtaken by what another exposure takes
		delete(n.exposed, e.name)
		n.hidden[e] = struct{}{}
		e.parting()
	}
	n.mu.Unlock()
	if e.host != nil {
		e.host.end()
	}
	e.mu.Lock()
	for _, l := range e.inlets {
		e.over(l)
	}
	e.told = true
	e.mu.Unlock()
	n.beat(0)
}

// abandon leaves unanswered what was asked, if the node is closed after the exposure
// has ended.
func (e *exposure) abandon(why error) {
	if !errors.Is(why, ErrNodeClosed) {
		return
	}
	e.moving.Lock()
	defer e.moving.Unlock()
	e.mu.Lock()
	defer e.mu.Unlock()
	if errors.Is(e.ended, ErrNodeClosed) {
		return
	}
	e.ended = why
	for _, l := range e.inlets {
		e.over(l)
	}
}

// over tells the sender of an inlet that the exposure has ended. mu is held.
func (e *exposure) over(l *inlet) {
	e.tell(l, true)
	how := endKept
	if errors.Is(e.ended, ErrNodeClosed) {
		how = endAll
	}
	var refused []uint64 // the frame that says so may be lost, and this one not
	for _, w := range l.news {
		if w.kind == isRefused || w.kind == isMoved {
			refused = append(refused, w.n)
		}
	}
	e.node.end(l.from, l.id, l.processed, how, e.ended, refused...)
	if how == endAll {
		e.remove(l)
	}
}

// remove forgets an inlet, and ends the asks that came by it. mu is held.
func (e *exposure) remove(l *inlet) {
	l.gone = true
	delete(e.inlets, l.id)
	e.node.inlets.Delete(l.id)
	for _, cancel := range l.asks {
		cancel()
	}
	l.asks = nil
	if l.stop != nil {
		l.stop(errCanceled)
	}
	for _, cancel := range l.parked {
		cancel(errCanceled)
	}
}

// forget removes the inlets of a node that has gone.
func (e *exposure) forget(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range e.inlets {
		if l.from == id {
			e.remove(l)
		}
	}
}

// busy reports whether anybody sends here, or waits for an answer.
func (e *exposure) busy() bool {
	if e.host != nil && e.host.busy() {
		return true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.asking > 0 || e.ended != nil {
		return e.asking > 0
	}
	for _, l := range e.inlets {
		if l.from != e.node.id {
			return true
		}
	}
	return false
}

// settled reports whether all that was asked is answered, and then forgets who may
// have asked. The exposure has ended.
func (e *exposure) settled() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.asking > 0 || !e.told {
		return false
	}
	for _, l := range e.inlets {
		e.remove(l)
	}
	return true
}

// room is how many messages the actor takes before senders wait.
func (e *exposure) room() uint64 {
	if e.host != nil {
		return uint64(e.node.cfg.Window)
	}
	return uint64(roomOf(remote.Look(e.to)))
}

// roomOf is what a sender is told of an inbox's room. One without a bound has
// much, and the more the emptier it is.
func roomOf(s remote.Sight) int {
	if s.Bound == remote.Unbounded {
		return max(1, 1<<20-s.Length)
	}
	return s.Room
}

// opened handles the wish for a link.
func (n *Node) opened(from string, r *reader) {
	id, name, exposure := r.link(), r.string(), r.uint()
	typ, codec := r.string(), r.string()
	if r.bad {
		return
	}
	n.mu.Lock()
	e := n.exposed[name]
	draining := n.draining
	n.mu.Unlock()
	if e == nil || e.id != exposure || draining {
		n.end(from, id, 0, endAll, ErrNotFound)
		return
	}
	var err error
	switch {
	case typ != e.shape.name:
		err = fmt.Errorf("%w: %q takes a %s on node %s, and node %s sends a %s", ErrMismatch, name, e.shape.name, n.id, from, typ)
	case codec != n.cfg.Codec.Name():
		err = fmt.Errorf("%w: %q is encoded with %s on node %s, and with %s on node %s", ErrMismatch, name, n.cfg.Codec.Name(), n.id, codec, from)
	}
	if err != nil {
		n.count.mismatch.Add(1)
		n.cfg.Logger.Warn("cluster: refused", "name", name, "from", from, "err", err)
		n.end(from, id, 0, endAll, err)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended != nil {
		n.end(from, id, 0, endAll, e.ended)
		return
	}
	l := e.inlets[id]
	if l == nil {
		for _, old := range e.inlets {
			if old.from == from { // given up, while this node was away
				e.remove(old)
			}
		}
		l = &inlet{exposure: e, id: id, from: from, canceled: make(map[uint64]bool), asks: make(map[uint64]context.CancelFunc)}
		e.inlets[id] = l
		n.inlets.Store(id, l)
	}
	e.tell(l, true)
}

// inlet returns an inlet, or nil if it is not there or not of this sender.
func (n *Node) inlet(id uint64, from string) *inlet {
	v, _ := n.inlets.Load(id)
	l, _ := v.(*inlet)
	if l != nil && l.from != from {
		n.count.forged.Add(1)
		return nil
	}
	return l
}

// forgotten forgets an inlet: its sender has no such link, and all that was sent on
// it is settled. The frame that should have said so was lost, or never sent.
func (n *Node) forgotten(from string, r *reader) {
	if l := n.inlet(r.link(), from); l != nil {
		l.exposure.mu.Lock()
		l.exposure.remove(l)
		l.exposure.mu.Unlock()
	}
}

// asked handles what a sender wants of its link.
func (n *Node) asked(k kind, from string, r *reader) {
	id, number := r.link(), r.uint()
	l := n.inlet(id, from)
	if l == nil || r.bad {
		return
	}
	e := l.exposure
	if k == kindWant {
		waits := r.byte() == 1
		e.mu.Lock()
		l.wants = l.granted == number
		l.waits = l.wants && waits
		e.tell(l, l.granted != number)
		e.poll()
		e.mu.Unlock()
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case k == kindHeard:
		if l.heard(number) && l.more {
			e.tell(l, true)
		}
	case l.parked[number] != nil:
		l.parked[number](errCanceled)
	case l.asks[number] != nil:
		l.asks[number]()
	case l.current == number && l.stop != nil:
		l.stop(errCanceled)
	case number > l.processed && number <= l.granted:
		l.canceled[number] = true
	}
}

// receive handles a packet. It runs on the subscription's goroutine, and may wait.
func (e *exposure) receive(m *nats.Msg) {
	n := e.node
	r, k, from, ok := n.open(m)
	if !ok {
		return
	}
	id, flags, first := r.link(), r.byte(), r.fixed()
	if r.bad || k != kindData {
		n.count.malformed.Add(1)
		return
	}
	e.moving.Lock()
	defer e.moving.Unlock()
	e.mu.Lock()
	l := e.inlets[id]
	ended := e.ended
	if l == nil || ended != nil || l.from != from {
		e.mu.Unlock()
		switch {
		case l != nil && l.from != from:
			n.count.forged.Add(1)
		case l == nil && n.inlet(id, from) == nil: // a node that was taken for dead, and is back
			n.end(from, id, 0, endUnknown, ErrNodeLost)
		default: // the exposure that it was for, this one or that before, says what has come
		}
		return
	}
	if first > l.granted+1 || first == 0 {
		e.mu.Unlock()
		n.count.malformed.Add(1)
		return
	}
	for l.processed+1 < first { // the network has lost them
		l.processed++
		l.report(verdict{n: l.processed, err: ErrNotDelivered})
		n.count.missing.Add(1)
	}
	e.mu.Unlock()
	e.move(l, first, &r)
	e.mu.Lock()
	defer e.mu.Unlock()
	if l.gone {
		return
	}
	if flags&flagNow != 0 || e.due(l) {
		e.tell(l, flags&flagNow != 0)
	}
	if flags&flagLast != 0 {
		e.remove(l)
	}
}

// due reports whether the sender of an inlet should be told what has come.
// mu is held.
func (e *exposure) due(l *inlet) bool {
	return l.fresh && !l.more || l.processed-l.told >= min(32, (l.granted-l.told+1)/2)
}

// move gives the messages of a packet to the actor.
func (e *exposure) move(l *inlet, number uint64, r *reader) {
	n := e.node
	closed := false
	for ; len(r.rest) > 0; number++ {
		m := incoming{n: number}
		f := r.byte()
		m.ask = f&flagAsk != 0
		if f&flagDeadline != 0 {
			m.within = time.Duration(min(r.uint(), 1<<40)) * time.Microsecond
		}
		m.try = f&flagTry != 0
		if f&flagKey != 0 {
			m.key, m.turn = r.string(), r.uint()
			m.insist = f&flagInsist != 0
		}
		m.body = r.bytes()
		m.last = len(r.rest) == 0
		if r.bad {
			n.count.malformed.Add(1)
			return
		}
		e.mu.Lock()
		gone, canceled := l.gone || e.ended != nil || number > l.granted, l.canceled[number]
		seen := number <= l.processed
		e.mu.Unlock()
		if gone {
			return
		}
		if seen {
			continue
		}
		var err error
		switch {
		case canceled:
			err = errCanceled
		case !e.mayTake():
			err = errMoved
		case len(m.body) > n.cfg.MaxSize:
			n.count.tooLarge.Add(1)
			err = fmt.Errorf("%w: %d bytes, and node %s takes %d", ErrTooLarge, len(m.body), n.id, n.cfg.MaxSize)
		default:
			err = e.take(l, m)
		}
		if errors.Is(err, actor.ErrClosed) {
			closed, err = true, e.ends
		}
		if err == nil {
			n.count.received.Add(1)
		}
		e.mu.Lock()
		if e.ended != nil && errors.Is(err, context.Canceled) {
			e.mu.Unlock()
			return // withdraw says what has come
		}
		l.processed = number
		delete(l.canceled, number)
		if err != nil && !errors.Is(err, errParked) {
			l.report(refusal(number, err))
		}
		if e.due(l) {
			e.tell(l, false)
		}
		e.mu.Unlock()
	}
	if closed {
		n.stopped.Go(func() { e.withdraw(e.ends) })
	}
}

// mayTake reports whether this node may take messages for the name.
func (e *exposure) mayTake() bool { return e.sure == nil || e.sure() }

// tell says to the sender what has come and what it may send, if that is news or
// if it is to be said anyway. mu is held.
func (e *exposure) tell(l *inlet, anyway bool) {
	granted := l.granted
	var sight remote.Sight
	room := e.node.cfg.Window
	if e.host == nil {
		sight = remote.Look(e.to)
		room = roomOf(sight)
		l.mark(sight)
	}
	switch {
	case e.ended != nil:
	case e.host != nil: // its messages do not wait for each other: see host
		granted = max(granted, l.processed+uint64(max(0, room-len(l.parked))))
	case room == 0 && sight.Bound == remote.Slowing && l.waits && granted == l.processed:
		granted++ // it comes in slowly
	default:
		granted = max(granted, l.processed+uint64(min(room, e.node.cfg.Window)))
	}
	if granted == l.granted && l.told == l.processed && l.toldDone == l.done && len(l.dones) == 0 && !l.fresh && !anyway {
		return
	}
	if granted > l.granted {
		l.wants, l.waits = false, false
	}
	l.granted, l.told, l.toldDone, l.fresh = granted, l.processed, l.done, false
	k := e.state(l, l.news, room)
	for ; k < len(l.news) && e.ended != nil; k += e.state(l, l.news[k:], room) {
	}
	l.more = k < len(l.news)
	for i := range l.news[k:] {
		l.news[k+i].at = 0
	}
}

// state sends a state frame with as many of the verdicts as there is room for, and
// returns how many. A message without one counts as accepted: so those from the
// first verdict on for which there is no room are not acknowledged. mu is held.
func (e *exposure) state(l *inlet, all []news, room int) (k int) {
	seq, processed := uint64(0), l.processed
	var verdicts []byte
	if len(all) > 0 {
		l.states++
		seq = l.states // else it needs not be confirmed
		slices.SortFunc(all, func(a, b news) int { return cmp.Compare(a.n, b.n) })
	}
	for ; k < len(all); k++ {
		before := len(verdicts)
		verdicts = appendVerdict(verdicts, all[k].verdict)
		if k > 0 && len(verdicts) > 2*packetSize {
			verdicts = verdicts[:before]
			processed = all[k].n - 1
			break
		}
		if all[k].at == 0 {
			all[k].at = seq
		}
	}
	b := appendUint(appendUint(appendUint(appendLink(head(kindState), l.id), seq), processed), l.granted)
	b = appendUint(appendUint(b, l.done), uint64(room))
	b = append(appendUint(b, uint64(k)), verdicts...)
	e.node.publish(e.node.subj.control(l.from), appendUints(b, l.dones))
	l.dones = nil
	return k
}

// poll has somebody look for room while senders want it: an inbox does not say
// when it has some. mu is held.
func (e *exposure) poll() {
	if e.polling || e.ended != nil || e.host != nil || !e.wanted() {
		return
	}
	e.polling = true
	e.node.stopped.Go(func() {
		const longest = 10 * time.Millisecond
		pause := 50 * time.Microsecond
		timer := time.NewTimer(pause)
		defer timer.Stop()
		for {
			select {
			case <-timer.C:
			case <-e.ctx.Done():
				return
			}
			if e.closed() {
				e.withdraw(e.ends)
				return
			}
			e.mu.Lock()
			for _, l := range e.inlets {
				if l.wants {
					e.tell(l, false)
				}
			}
			e.polling = e.wanted()
			again := e.polling
			e.mu.Unlock()
			if !again {
				return
			}
			pause = min(2*pause, longest)
			timer.Reset(pause)
		}
	})
}

// wanted reports whether a sender waits for credit. mu is held.
func (e *exposure) wanted() bool {
	for _, l := range e.inlets {
		if l.wants {
			return true
		}
	}
	return false
}

// look notices that the actor was closed, and tells again what may have been lost;
// while the node drains also who has nothing to send, as that may have to be asked
// for: see forgotten.
func (e *exposure) look(draining bool) {
	if e.closed() {
		e.node.stopped.Go(func() { e.withdraw(e.ends) })
		return
	}
	if e.host != nil {
		e.host.look(time.Now())
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range e.inlets {
		e.tell(l, draining || len(l.news) > 0)
	}
}

// waiting begins the wait of a message for room: its sender can call it back, and
// learns what has come before it.
func (e *exposure) waiting(l *inlet, n uint64) (ctx context.Context, end func()) {
	ctx, stop := context.WithCancelCause(e.ctx)
	e.mu.Lock()
	defer e.mu.Unlock()
	l.current, l.stop = n, stop
	if l.gone || l.canceled[n] {
		stop(errCanceled)
	}
	for _, other := range e.inlets {
		e.tell(other, false)
	}
	return ctx, func() {
		stop(nil)
		e.mu.Lock()
		defer e.mu.Unlock()
		l.current, l.stop = 0, nil
	}
}
