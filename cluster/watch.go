package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tinyactor/actor"
)

// End is how an actor that was watched has ended, as far as its watcher can know.
type End struct {
	// Node is the ID of the node that exposed the actor.
	Node string
	// Err is nil if the actor has ended normally. Else it is the actor's own
	// error, for several processes all of them joined: with its text, what
	// errors.Is says of the sentinels of packages actor, context and cluster, and
	// a *actor.PanicError with the stack of there. Or the reason for which nothing
	// more will be learnt of the actor:
	//
	//   - ErrNodeLost: its node has died or frozen, or is cut off from this one.
	//     The actor may live, and is watched anew if its node comes back.
	//   - ErrNodeClosed: its node was drained or closed.
	//   - ErrNotFound: the context given to Expose has ended, and the actor has
	//     not within Config.Beat. It lives on, exposed no more.
	Err error
}

// Watch sends to an actor of this node, to, one message, made by msg, for each
// actor that ends, or is lost, while it is exposed under name on any node of the
// cluster: with Send, one after another, on a goroutine of the node. Nobody need
// expose the name yet. An actor is watched from the moment that this node has
// heard of it, and it has ended when its Done is closed: one that was only closed
// has not yet. Of a keyed name, the nodes that host it are watched, and a singleton
// is wherever it is. A node's death is told Config.Lost after its last beat, and all
// else as soon as it happens; when a frame was lost, a Config.Beat later.
//
// The watch lasts until stop is called, to has ended, or the node is closed. stop
// also ends a Send that waits; after it no message comes. It reports whether the
// watch had not ended yet. Until then to is kept in use, and the actors that are
// watched are not.
//
// It costs a goroutine here, and nothing where the actors are. Watch does not
// wait. It returns ErrBadName, or ErrNodeClosed if the node is closed or being
// drained. It panics if to or msg is nil. If msg panics, that is logged, and
// nothing is sent for this end.
func Watch[M any](n *Node, name string, to *actor.Address[M], msg func(End) M) (stop func() bool, err error) {
	switch {
	case to == nil:
		panic("cluster: Watch: to is nil")
	case msg == nil:
		panic("cluster: Watch: msg is nil")
	}
	if err := checkName("name", name); err != nil {
		return nil, err
	}
	w := &watch{
		node: n, name: name, news: make(chan struct{}, 1),
		seen: make(map[string][]sighting), over: make(map[string]uint64),
	}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	err = n.watch(w, to.Done(), func(e End) {
		m, ok := made(w, msg, e)
		if ok && w.begin() {
			to.Send(w.ctx, m) //nolint:errcheck // the watcher has ended, or the watch
			w.sent()
		}
	})
	if err != nil {
		w.cancel()
		return nil, named(name, err)
	}
	return w.stop, nil
}

// made calls the user's function for a message.
func made[M any](w *watch, msg func(End) M, e End) (m M, ok bool) {
	defer func() {
		if v := recover(); v != nil {
			w.node.cfg.Logger.Error("cluster: Watch: msg panicked", "node", w.node.id, "name", w.name, "panic", v)
		}
	}()
	return msg(e), true
}

// watch is one Watch. It does not hold the watcher's address: whoever keeps stop
// does not keep that. The second group is guarded by Node.mu.
type watch struct {
	node   *Node
	name   string
	news   chan struct{}   // capacity 1: there are ends
	ctx    context.Context //nolint:containedctx // it is the watch's life
	cancel context.CancelFunc

	seen    map[string][]sighting // by node: the actors whose end is to be told
	over    map[string]uint64     // by node: its last exposure that has ended; an older beat may still speak of it
	ends    []End                 // to be told
	sending chan struct{}         // closed when the Send under way has ended
}

// sighting is an actor that a beat has spoken of, by its exposure. The latest
// beat may not do so any more, and then its node is asked why, unless it says so
// before.
type sighting struct {
	exposure uint64
	ask      time.Time // when to ask next; zero if it is exposed
}

// watch begins a watch, which ends with done.
func (n *Node) watch(w *watch, done <-chan struct{}, deliver func(End)) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.draining {
		return ErrNodeClosed
	}
	for id, p := range n.peers {
		w.follow(id, p)
	}
	n.watches[w.name] = append(n.watches[w.name], w)
	n.stopped.Go(func() { w.run(done, deliver) })
	return nil
}

// run tells the ends, until the watch ends.
func (w *watch) run(done <-chan struct{}, deliver func(End)) {
	defer w.stop()
	n := w.node
	for {
		select {
		case <-w.news:
		case <-done:
			return
		case <-w.ctx.Done():
			return
		}
		n.mu.Lock()
		ends := w.ends
		w.ends = nil
		n.mu.Unlock()
		for _, e := range ends {
			if w.ctx.Err() == nil {
				deliver(e)
			}
		}
	}
}

// begin notes that a Send begins, unless the watch has ended.
func (w *watch) begin() bool {
	w.node.mu.Lock()
	defer w.node.mu.Unlock()
	if w.ctx.Err() != nil {
		return false
	}
	w.sending = make(chan struct{})
	return true
}

// sent notes that it has ended.
func (w *watch) sent() {
	w.node.mu.Lock()
	defer w.node.mu.Unlock()
	close(w.sending)
	w.sending = nil
}

// stop ends the watch, and reports whether it had not ended.
func (w *watch) stop() bool {
	n := w.node
	n.mu.Lock()
	ended := w.ctx.Err() != nil
	w.cancel()
	others := slices.DeleteFunc(n.watches[w.name], func(x *watch) bool { return x == w })
	if n.watches[w.name] = others; len(others) == 0 {
		delete(n.watches, w.name)
	}
	sending := w.sending
	n.mu.Unlock()
	if sending != nil {
		<-sending
	}
	return !ended
}

// follow takes note of what a node's beat says. Node.mu is held.
func (w *watch) follow(id string, p *peer) {
	at, exposes := p.exposes[w.name]
	known := false
	for i, s := range w.seen[id] {
		switch {
		case exposes && s.exposure == at.id:
			w.seen[id][i].ask, known = time.Time{}, true
		case s.ask.IsZero():
			w.seen[id][i].ask = p.heard.Add(w.node.cfg.Beat / 5)
		}
	}
	if exposes && !known && at.id > w.over[id] {
		w.seen[id] = append(w.seen[id], sighting{exposure: at.id})
	}
}

// ended tells the end of one actor, if it was seen. Node.mu is held.
func (w *watch) ended(id string, exposure uint64, err error) {
	w.over[id] = max(w.over[id], exposure)
	seen := w.seen[id]
	i := slices.IndexFunc(seen, func(s sighting) bool { return s.exposure == exposure })
	if i < 0 {
		return
	}
	w.seen[id] = slices.Delete(seen, i, i+1)
	w.tell(End{id, err})
}

// lose tells the end of all that is watched on a node that has gone. Node.mu is held.
func (w *watch) lose(id string, why error) {
	for range w.seen[id] {
		w.tell(End{id, &lostError{fmt.Sprintf("cluster: %q on node %s", w.name, id), []error{why}}})
	}
	delete(w.seen, id)
	delete(w.over, id)
}

// tell has run tell an end. Node.mu is held.
func (w *watch) tell(e End) {
	w.ends = append(w.ends, e)
	select {
	case w.news <- struct{}{}:
	default: // it knows
	}
}

// sighted has the watches take note of a beat. mu is held.
func (n *Node) sighted(id string, p *peer) {
	for _, all := range n.watches {
		for _, w := range all {
			w.follow(id, p)
		}
	}
}

// missed has them take note of a node that has gone. mu is held.
func (n *Node) missed(id string, why error) {
	if id == n.id { // it is cut off, and still has itself
		return
	}
	for _, all := range n.watches {
		for _, w := range all {
			w.lose(id, why)
		}
	}
}

// unwatch ends all watches. mu is held.
func (n *Node) unwatch() {
	for _, all := range n.watches {
		for _, w := range all {
			w.cancel()
		}
	}
}

// wonder asks again for the ends of which no word has come, and forgets those of
// this node's actors of which every other has heard.
func (n *Node) wonder(now time.Time) {
	type question struct {
		to    string
		frame []byte
	}
	var asks []question
	n.mu.Lock()
	for name, all := range n.watches {
		for _, w := range all {
			for id, seen := range w.seen {
				for i, s := range seen {
					if s.ask.IsZero() || now.Before(s.ask) {
						continue
					}
					seen[i].ask = now.Add(n.cfg.Beat)
					asks = append(asks, question{id, appendUint(appendString(head(kindWonder), name), s.exposure)})
				}
			}
		}
	}
	for id, f := range n.farewells {
		if !f.said.IsZero() && now.Sub(f.said) > remembered*n.cfg.Lost {
			delete(n.farewells, id)
		}
	}
	n.mu.Unlock()
	for _, q := range asks {
		n.publish(n.subj.control(q.to), q.frame)
	}
}

// farewell is how an actor of this node that is exposed no more has ended.
type farewell struct {
	frame []byte    // that says so; nil while the actor works off what is in its inbox
	said  time.Time // when it was
}

// remembered is for how long farewells are kept, in units of Config.Lost: who
// does not hear of a node for one takes it for lost, and does not ask.
const remembered = 10

// parting notes that a farewell will come, or has. Node.mu is held.
func (e *exposure) parting() {
	if e.exit != nil && e.node.farewells[e.id] == nil {
		e.node.farewells[e.id] = new(farewell)
	}
}

// farewell says to all nodes how the actor has ended, once it has or nothing more
// will be said of it. It is called when the exposure has ended.
func (e *exposure) farewell() {
	n := e.node
	e.mu.Lock()
	why := e.ended
	e.mu.Unlock()
	if errors.Is(why, ErrNotFound) {
		// The context of Expose is often the actor's owner, or the actor's own.
		patience := time.NewTimer(n.cfg.Beat)
		defer patience.Stop()
		select {
		case <-e.to.Done():
		case <-patience.C:
		case <-n.stop:
		}
	}
	if e.closed() {
		select {
		case <-e.to.Done():
		case <-n.stop:
			why = ErrNodeClosed
		}
	}
	select {
	case <-e.to.Done():
		why = e.exit(context.Background())
	default:
		why = fmt.Errorf("cluster: %q on node %s: %w", e.name, n.id, why)
	}
	f := &farewell{frame: farewellFrame(e.name, e.id, why), said: time.Now()}
	n.mu.Lock()
	n.farewells[e.id] = f
	n.mu.Unlock()
	n.publish(n.subj.beats(), f.frame)
}

func farewellFrame(name string, exposure uint64, why error) []byte {
	return appendError(appendUint(appendString(head(kindFarewell), name), exposure), why)
}

// wondered answers a node that has not heard how an actor has ended.
func (n *Node) wondered(from string, r *reader) {
	name, exposure := r.string(), r.uint()
	if r.bad {
		return
	}
	why := ErrNotFound
	n.mu.Lock()
	e, f := n.exposed[name], n.farewells[exposure]
	if n.closed {
		why = ErrNodeClosed
	}
	n.mu.Unlock()
	switch {
	case e != nil && e.id == exposure, f != nil && f.frame == nil: // it will hear
	case f != nil:
		n.publish(n.subj.control(from), f.frame)
	default:
		n.publish(n.subj.control(from), farewellFrame(name, exposure, fmt.Errorf("cluster: %q on node %s: %w", name, n.id, why)))
	}
}

// parted hears how an actor has ended.
func (n *Node) parted(from string, r *reader) {
	name, exposure, err := r.string(), r.uint(), r.error()
	if r.bad {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, w := range n.watches[name] {
		w.ended(from, exposure, err)
	}
}
