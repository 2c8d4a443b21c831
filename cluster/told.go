package cluster

import (
	"errors"
	"fmt"
	"time"

	"tinyactor/actor"
	"tinyactor/internal/remote"
)

// told handles what a receiver says of a link. A link that is not there has
// ended a moment ago, or never was.
func (n *Node) told(k kind, from string, rd *reader) {
	id := rd.link()
	n.mu.Lock()
	l := n.links[id]
	n.mu.Unlock()
	if l == nil {
		if k == kindState {
			if seq := rd.uint(); seq > 0 {
				n.confirm(from, id, seq)
			}
			n.publish(n.subj.control(from), appendLink(head(kindForgotten), id))
		}
		return
	}
	if l.peer != from {
		n.count.forged.Add(1)
		return
	}
	switch k {
	case kindState:
		l.route.state(l, rd)
	case kindAnswer:
		l.route.answer(l, rd)
	case kindEnd:
		l.route.end(l, rd)
	case kindNone:
		l.route.none(l, rd)
	default:
	}
}

// state handles acknowledgements and credit.
func (r *route) state(l *link, rd *reader) {
	seq, processed, granted, done, room := rd.uint(), rd.uint(), rd.uint(), rd.uint(), rd.uint()
	news := rd.verdicts()
	others := rd.uints()
	r.mu.Lock()
	defer r.unlock()
	if processed >= l.next {
		rd.fail()
	}
	if rd.bad || l.over {
		return
	}
	if !l.open {
		l.open, r.ended = true, nil
		r.up()
	}
	l.stirred = time.Now()
	if !l.vanished.IsZero() { // it is still about to say what came
		l.vanished = l.stirred
	}
	var back []*job
	for _, v := range news {
		if v.n > processed {
			continue
		}
		j := l.take(v.n)
		if j == nil { // it was told before
			continue
		}
		switch {
		case v.kind == isWaiting:
			l.wait(j)
		case v.kind == isAccepted:
			r.accepted(l, j)
		case v.kind == isMoved && j.lane != nil:
			r.node.count.handedBack.Add(1)
			r.moved(j, v.holder)
		case errors.Is(v.err, ErrNotDelivered), errors.Is(v.err, actor.ErrClosed):
			delete(l.asks, v.n)
			back = append(back, j)
			if errors.Is(v.err, actor.ErrClosed) {
				r.ended = v.err
				l.retired = true
			}
		default:
			delete(l.asks, v.n)
			r.landed(j)
			r.settle(j, v.err)
		}
	}
	r.processed(l, processed)
	l.ack(processed, granted, room)
	l.done(done, others)
	if seq > 0 {
		r.node.confirm(l.peer, l.id, seq)
	}
	if len(back) > 0 {
		why := ErrNotDelivered
		if r.ended != nil {
			why = r.ended
		}
		r.again(back, why)
	}
	r.dispatch()
	r.finish(l)
}

// confirm tells a receiver that the verdicts of its state frame have come.
func (n *Node) confirm(peer string, link, seq uint64) {
	n.publish(n.subj.control(peer), appendUint(appendLink(head(kindHeard), link), seq))
}

// accepted settles what an actor has accepted. mu is held.
func (r *route) accepted(l *link, j *job) {
	r.node.count.accepted.Add(1)
	if j.lane != nil {
		r.landed(j)
		j.lane.moves = 0
	}
	if j.mode != asking {
		r.settle(j, nil)
		l.keep(j)
	}
}

// up says that there is a link, or that there will be none. mu is held.
func (r *route) up() {
	if !r.isUp {
		r.isUp = true
		close(r.ready)
	}
}

// answer handles the answer to an ask.
func (r *route) answer(l *link, rd *reader) {
	n := rd.uint()
	err := rd.error()
	r.mu.Lock()
	j := l.asks[n]
	if rd.bad || j == nil || j.over { // the asker has gone
		r.mu.Unlock()
		return
	}
	delete(l.asks, n)
	j.over = true
	l.stirred = time.Now()
	unwatch := j.unwatch
	r.finish(l)
	r.mu.Unlock()
	if unwatch != nil {
		unwatch()
	}
	if len(rd.rest) == 0 {
		remote.Answer(j.reply, nil, err)
		return
	}
	value, derr := r.node.decodeAnswer(j.reply, rd.rest)
	if derr != nil {
		remote.Answer(j.reply, nil, named(r.name, fmt.Errorf("%w: the answer: %w", actor.ErrNoReply, derr)))
		return
	}
	remote.Answer(j.reply, value, err)
}

// end handles the end of a link that the receiver has ended.
func (r *route) end(l *link, rd *reader) {
	processed := rd.uint()
	how := ending(rd.byte())
	err := rd.error()
	var refused []uint64
	if len(rd.rest) > 0 {
		refused = rd.uints()
	}
	r.mu.Lock()
	defer r.unlock()
	if rd.bad || l.over {
		return
	}
	defer r.up()
	if how != endUnknown && !errors.Is(err, ErrMismatch) {
		r.over[l.peer] = max(r.over[l.peer], l.exposure)
	}
	if errors.Is(err, ErrMismatch) && !l.open {
		l.refused = err
		r.node.count.mismatch.Add(1)
		r.node.cfg.Logger.Warn("cluster: refused", "name", r.name, "by", l.peer, "err", err)
		r.dispatch()
		return
	}
	for _, n := range refused {
		if n > processed {
			continue
		}
		if j := l.take(n); j != nil {
			l.wait(j) // not accepted, as what waits
		}
	}
	r.processed(l, processed)
	if how != endKept {
		r.drop(l, err, how == endAll)
		r.dispatch()
		return
	}
	l.retired, l.ended, l.buf, l.full, l.count = true, true, nil, nil, 0
	r.ended = err
	back := append(l.waits(), l.pending...)
	l.pending, l.acked = nil, l.next-1
	for _, j := range back {
		delete(l.asks, j.n)
	}
	r.again(back, err)
	r.dispatch()
	if len(l.asks) == 0 {
		r.drop(l, err, true)
	}
}

// processed settles what the receiver has dealt with and has not refused. mu is held.
func (r *route) processed(l *link, processed uint64) {
	if processed >= l.next || processed <= l.acked {
		return
	}
	for _, j := range l.pending[:processed-l.acked] {
		if j == nil {
			continue
		}
		r.accepted(l, j)
	}
	l.ack(processed, l.granted, l.room)
}
