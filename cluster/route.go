package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"tinyactor/actor"
	"tinyactor/internal/remote"
)

// route is a name and a message type as this node sends to them: a link to each
// node that exposes the name, and the messages that wait for credit.
type route struct {
	node  *Node
	name  string
	shape *shape

	mu     sync.Mutex
	links  []*link
	queue  []*job
	over   map[string]uint64 // by node: its last exposure that has ended; an older beat may still speak of it
	ended  error             // why the last node that exposed the name does so no more
	alone  time.Time         // since when there has been no link
	ready  chan struct{}     // closed: a link was opened or refused since the route was made
	isUp   bool
	closed bool
	lanes  *lanes          // of a keyed name; then queue is empty
	odd    map[string]bool // the nodes that expose the name keyed, or not, and this is not, or is
	out    []settled       // to be told by unlock
}

// unlock releases mu and then tells what was settled; reports first, so that Close
// waits for them.
func (r *route) unlock() {
	out := r.out
	r.out = nil
	r.node.reported(out)
	r.mu.Unlock()
	for _, s := range out {
		s.forget()
		if s.err != nil && s.mode == asking {
			remote.Answer(s.reply, nil, s.err)
		}
	}
}

// to returns the route for a name and a type, made if there is none.
func (n *Node) to(name string, s *shape, keyed bool) (*route, error) {
	n.mu.Lock()
	key := routeKey{name, s.declared, keyed}
	r := n.routes[key]
	if r != nil || n.closed {
		n.mu.Unlock()
		if r == nil {
			return nil, ErrNodeClosed
		}
		return r, nil
	}
	r = &route{node: n, name: name, shape: s, over: make(map[string]uint64), odd: make(map[string]bool), alone: time.Now(), ready: make(chan struct{})}
	if keyed {
		r.lanes = newLanes()
	}
	n.routes[key] = r
	peers := make(map[string]*peer, len(n.peers))
	maps.Copy(peers, n.peers)
	n.mu.Unlock()
	for id, p := range peers {
		r.follow(id, p)
	}
	return r, nil
}

// follow does what a node's beat says.
func (r *route) follow(id string, p *peer) {
	at, exposes := p.exposes[r.name]
	odd := exposes && at.keyed != (r.lanes != nil)
	exposes = exposes && !p.draining && !odd
	r.mu.Lock()
	defer r.unlock()
	if odd {
		r.odd[id] = at.keyed
		defer r.up()
	} else {
		delete(r.odd, id)
	}
	known := false
	for _, l := range slices.Clone(r.links) {
		switch {
		case l.peer != id:
		case exposes && l.exposure == at.id:
			known, l.vanished = true, time.Time{}
			if l.next-1 == l.acked {
				l.room = at.room
			}
		case p.draining:
			r.retire(l)
		case l.vanished.IsZero(): // the receiver says why, by another way
			l.vanished = time.Now()
		}
	}
	if exposes && !known && !r.closed && at.id > r.over[id] {
		r.connect(id, at)
	}
}

// connect begins a link. mu is held.
func (r *route) connect(id string, at exposed) {
	l := &link{
		route: r, id: newLink(), peer: id, exposure: at.id, room: at.room, next: 1,
		subject: r.node.subj.inbox(id, r.name),
	}
	r.links = append(r.links, l)
	r.node.mu.Lock()
	r.node.links[l.id] = l
	r.node.mu.Unlock()
	r.ask(l)
}

// ask asks the receiver to open a link. mu is held.
func (r *route) ask(l *link) {
	l.asked = time.Now()
	b := appendLink(head(kindOpen), l.id)
	b = appendUint(appendString(b, r.name), l.exposure)
	b = appendString(appendString(b, r.shape.name), r.node.cfg.Codec.Name())
	r.node.publish(r.node.subj.control(l.peer), b)
}

// retire lets a link take no more, and end when all on it is settled. mu is held.
func (r *route) retire(l *link) {
	if l.retired {
		return
	}
	l.retired = true
	if !l.open || l.refused != nil {
		r.drop(l, nil, true)
		return
	}
	r.finish(l)
	r.dispatch() // what it could have taken may have to go elsewhere, or nowhere
}

// finish says to the receiver that a retired link is over, once it is. mu is held.
func (r *route) finish(l *link) {
	if !l.retired || l.over || !l.quiet() {
		return
	}
	l.closing = true
	l.probe()
	r.drop(l, nil, true)
}

// drop forgets a link, and returns what became of its messages. Of those that
// are not acknowledged it is certain, or not, that they were not accepted. mu is held.
func (r *route) drop(l *link, why error, certain bool) {
	if l.over {
		return
	}
	l.over = true
	r.links = slices.DeleteFunc(r.links, func(x *link) bool { return x == l })
	r.node.mu.Lock()
	delete(r.node.links, l.id)
	r.node.mu.Unlock()
	if len(r.links) == 0 {
		r.alone = time.Now()
	}
	if why != nil {
		r.ended = why
	}
	back := append(l.waits(), l.pending...)
	l.pending = nil
	if !certain {
		// What is being published at this moment may arrive.
		gone := l.sent
		if l.flushing {
			gone = l.next - 1
		}
		k := 0
		for k < len(back) && back[k].n <= gone {
			r.lost(back[k], why)
			k++
		}
		back = back[k:]
	}
	for _, j := range back {
		delete(l.asks, j.n)
	}
	for _, j := range l.asks { // accepted, and not answered
		r.lost(j, why)
	}
	l.asks = nil
	r.again(back, why)
}

// lost settles a job of which nothing more will be heard. mu is held.
func (r *route) lost(j *job, why error) {
	delete(j.link.asks, j.n)
	r.landed(j)
	r.node.count.unknown.Add(1)
	r.settle(j, j.unknown(j.link.peer, why))
}

func (r *route) settle(j *job, err error) {
	if j.settle(err) {
		r.out = append(r.out, settled{j, err})
	}
}

// again sends messages once more that were certainly not accepted: elsewhere, if
// the name is exposed elsewhere; else they are handed back. mu is held.
func (r *route) again(back []*job, why error) {
	if len(back) == 0 {
		return
	}
	r.node.count.handedBack.Add(uint64(len(back)))
	var live []*job
	for _, j := range back {
		r.landed(j)
		switch {
		case j.over:
		case j.canceled != nil:
			r.settle(j, j.canceled)
		case r.hopeless() != nil, j.try && j.lane != nil, j.mode == async && r.overtaken(j):
			r.settle(j, handedBack(r.name, why))
		case j.try:
			if l := r.place(j); l != nil && len(live) == 0 {
				l.put(j)
			} else {
				r.settle(j, named(r.name, actor.ErrFull))
			}
		case j.lane != nil:
			j.link = nil
			r.lanes.insert(j)
		default:
			j.link = nil
			live = append(live, j)
		}
	}
	r.queue = append(live, r.queue...)
	r.dispatch()
}

// overtaken reports whether a later message of the same sender would come before
// one that is sent again. mu is held.
func (r *route) overtaken(j *job) bool {
	if j.lane != nil {
		return !j.link.over && !j.link.ended // else none of those behind it was accepted
	}
	return !slices.ContainsFunc(r.links, func(l *link) bool { return l.peer != j.link.peer && !l.retired })
}

// handedBack is the outcome of a message that nobody has taken.
func handedBack(name string, why error) error {
	switch {
	case why == nil:
		return named(name, ErrNotDelivered)
	case errors.Is(why, actor.ErrClosed), errors.Is(why, ErrMismatch), errors.Is(why, ErrNotDelivered):
		return named(name, why)
	}
	return fmt.Errorf("cluster: %q: %w: %w", name, ErrNotDelivered, why)
}

// hopeless returns why a message need not wait for credit, or nil. mu is held.
func (r *route) hopeless() error {
	if r.closed {
		return ErrNodeClosed
	}
	var refused error
	for _, l := range r.links {
		if l.refused == nil && !l.retired {
			return nil
		}
		refused = errors.Join(refused, l.refused)
	}
	switch {
	case refused != nil:
		return refused
	case len(r.links) == 0 && len(r.odd) > 0:
		return r.oddly()
	case r.ended != nil && errors.Is(r.ended, actor.ErrClosed):
		return actor.ErrClosed
	case len(r.links) == 0 && time.Since(r.alone) >= r.node.cfg.Find:
		if err := r.node.foreigner(); err != nil {
			return fmt.Errorf("%w (%w)", ErrNotFound, err)
		}
		return ErrNotFound
	}
	return nil
}

// pick returns the link with the most room, or nil if none has credit. mu is held.
func (r *route) pick() *link {
	var best *link
	first := 0
	if len(r.links) > 1 {
		first = rand.IntN(len(r.links)) // so that equals are used alike
	}
	for i := range r.links {
		l := r.links[(first+i)%len(r.links)]
		if l.credit() > 0 && (best == nil || l.score() > best.score()) {
			best = l
		}
	}
	return best
}

// place returns the link that takes a message at once, or nil. mu is held.
func (r *route) place(j *job) *link {
	if j.lane != nil {
		j.lane.seq++
		j.seq = j.lane.seq
		if len(j.lane.queue) > 0 {
			return nil
		}
		return r.lead(j.lane)
	}
	if len(r.queue) > 0 {
		return nil
	}
	return r.pick()
}

// queued is how many messages wait for credit. mu is held.
func (r *route) queued() int {
	if r.lanes != nil {
		return r.lanes.queued
	}
	return len(r.queue)
}

// unqueue takes a message from those that wait, and reports whether it was there.
// mu is held.
func (r *route) unqueue(j *job) bool {
	if j.lane != nil {
		return r.lanes.remove(j)
	}
	i := slices.Index(r.queue, j)
	if i >= 0 {
		r.queue = slices.Delete(r.queue, i, i+1)
	}
	return i >= 0
}

// oddly returns what is wrong when the name is keyed and the message has no key, or the
// other way round. mu is held.
func (r *route) oddly() error {
	for id, keyed := range r.odd {
		if keyed {
			return fmt.Errorf("%w: it is keyed on node %s: use Remote.Key", ErrMismatch, id)
		}
		return fmt.Errorf("%w: it is not keyed on node %s: do without Remote.Key", ErrMismatch, id)
	}
	return nil
}

// submit puts a message on its way, behind those that wait, or has it wait.
func (r *route) submit(j *job) error {
	r.mu.Lock()
	defer r.unlock()
	if j.canceled != nil { // nobody would call it back
		return j.ctx.Err()
	}
	if l := r.place(j); l != nil {
		l.put(j)
		l.flush()
		return nil
	}
	if err := r.hopeless(); err != nil {
		return err
	}
	if r.lanes != nil {
		r.lanes.insert(j)
	} else {
		r.queue = append(r.queue, j)
	}
	r.want(true)
	return nil
}

// try is submit for a message that does not wait.
func (r *route) try(j *job) error {
	r.mu.Lock()
	defer r.unlock()
	if j.canceled != nil {
		return j.ctx.Err()
	}
	if err := r.hopeless(); err != nil {
		return err
	}
	if l := r.place(j); l != nil {
		l.put(j)
		l.flush()
		return nil
	}
	r.want(false)
	return actor.ErrFull
}

// await waits for what a Send has to wait for. ctx ends that, and calls the message
// back; whether that was in time is then waited for, but not for long.
func (r *route) await(ctx context.Context, j *job) error {
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
	}
	reason := named(r.name, ctx.Err())
	r.mu.Lock()
	j.canceled = reason
	if r.unqueue(j) {
		j.over = true
		r.mu.Unlock()
		j.forget()
		return reason
	}
	peer := ""
	if j.link != nil {
		peer = j.link.peer
	}
	if !j.released {
		r.cancel(j)
	}
	r.mu.Unlock()
	patience := time.NewTimer(r.node.cfg.Beat)
	defer patience.Stop()
	select {
	case err := <-j.done:
		if errors.Is(err, errCanceled) {
			return reason
		}
		return err
	case <-patience.C:
		return fmt.Errorf("%w: %w", j.unknown(peer, nil), ctx.Err())
	}
}

// cancel calls a message or an ask back. mu is held.
func (r *route) cancel(j *job) {
	if l := j.link; l != nil && !l.over {
		r.node.publish(r.node.subj.control(l.peer), appendUint(appendLink(head(kindCancel), l.id), j.n))
	}
}

// forsake ends an ask whose asker has gone.
func (r *route) forsake(j *job) {
	r.mu.Lock()
	defer r.unlock()
	if j.over {
		return
	}
	j.canceled = named(r.name, j.ctx.Err())
	switch l := j.link; {
	case l != nil:
		j.over = true
		r.cancel(j)
		delete(l.asks, j.n)
		r.finish(l)
	case r.unqueue(j): // its Send may have another context, as of one who passes it on
		r.settle(j, j.canceled)
	}
}

// dispatch puts what waits on links with credit. mu is held.
func (r *route) dispatch() {
	if r.lanes != nil {
		r.spread()
	}
	for len(r.queue) > 0 {
		l := r.pick()
		if l == nil {
			break
		}
		j := r.queue[0]
		r.queue[0] = nil
		r.queue = r.queue[1:]
		if !j.over {
			l.put(j)
		}
	}
	for _, l := range slices.Clone(r.links) {
		l.flush()
	}
	if r.queued() > 0 {
		if err := r.hopeless(); err != nil {
			queue := r.queue
			r.queue = nil
			if r.lanes != nil {
				queue = r.lanes.takeAll()
			}
			for _, j := range queue {
				r.settle(j, named(r.name, err))
			}
			return
		}
		r.want(true)
	}
}

// want tells the receivers, once, that there is no credit left. mu is held.
func (r *route) want(waits bool) {
	for _, l := range r.links {
		if !l.open || l.wanted && (l.awaiting || !waits) || l.retired || l.refused != nil || l.credit() > 0 {
			continue
		}
		l.wanted, l.awaiting = true, waits
		b := appendBool(appendUint(appendLink(head(kindWant), l.id), l.granted), waits)
		r.node.publish(r.node.subj.control(l.peer), b)
	}
}

// lose ends the links to a node that has gone.
func (r *route) lose(id string, why error) {
	r.mu.Lock()
	delete(r.over, id)
	delete(r.odd, id)
	for _, l := range slices.Clone(r.links) {
		switch {
		case l.peer != id:
		case l.open && errors.Is(why, ErrNodeClosed): // what it has taken it says, by another way
			l.left = why
			if l.vanished.IsZero() || l.ended {
				l.vanished = time.Now()
			}
		default:
			r.keepers(l, why)
			r.drop(l, why, false)
		}
	}
	r.dispatch()
	r.unlock()
}

// keepers reports what was accepted by an actor that has gone with its node and
// is not known to have dealt with it. mu is held.
func (r *route) keepers(l *link, why error) {
	if !errors.Is(why, ErrNodeLost) {
		return // the actor is there, and minds its messages
	}
	for _, j := range slices.Concat(l.kept, slices.Collect(maps.Values(l.held))) {
		r.node.count.unknown.Add(1)
		r.out = append(r.out, settled{j, j.unknown(l.peer, why)})
	}
	l.kept, l.held = nil, nil
}

// look asks again where no answer came, and gives up what waits for nobody.
func (r *route) look(now time.Time) {
	r.mu.Lock()
	for _, l := range slices.Clone(r.links) {
		switch {
		case l.ended && l.left == nil: // answers may still come, or are inquired after
		case !l.vanished.IsZero() && now.Sub(l.vanished) > 2*r.node.cfg.Beat:
			why := ErrNotFound
			if l.left != nil {
				why = l.left
			}
			r.drop(l, why, false)
		case l.refused != nil:
		case !l.open && now.Sub(l.asked) > r.node.cfg.Beat/5:
			r.ask(l)
		case l.open && !l.quiet() && now.Sub(l.stirred) > r.node.cfg.Beat:
			if err := r.node.denied(l.subject, nil); err != nil {
				r.drop(l, err, false) // what was sent before may have been allowed
				continue
			}
			l.probe()
		}
	}
	for _, l := range r.links {
		l.inquire(now)
		if now.Sub(l.stirred) >= r.node.cfg.Beat { // it may have been lost
			l.wanted, l.awaiting = false, false
		}
	}
	r.dispatch()
	if len(r.links) == 0 && r.hopeless() != nil {
		r.up()
	}
	r.unlock()
}

// busy reports whether anything is not settled.
func (r *route) busy() bool {
	r.mu.Lock()
	defer r.unlock()
	return r.queued() > 0 || slices.ContainsFunc(r.links, func(l *link) bool { return !l.quiet() })
}

// close ends all: see Node.Close.
func (r *route) close() {
	r.mu.Lock()
	r.closed = true
	for _, l := range slices.Clone(r.links) {
		r.drop(l, ErrNodeClosed, false)
	}
	r.dispatch()
	r.up()
	r.unlock()
}
