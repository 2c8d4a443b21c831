package cluster

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"
	"time"
)

// link is the way from a route to one exposure on one node: messages have
// numbers from 1, the receiver says up to which of them it has dealt with
// (acked) and up to which this node may send (granted). All is guarded by
// route.mu, but what does not change.
type link struct {
	route    *route
	id       uint64
	peer     string
	exposure uint64
	subject  string

	open     bool
	refused  error     // the receiver wants none of this
	asked    time.Time // when it was last asked to open, or to say where it is
	retired  bool      // takes no new messages
	closing  bool      // and has said so to the receiver
	vanished time.Time // since when the node's beats do not speak of it
	left     error     // why that is, if it is known; else nil
	ended    bool      // the receiver takes no more, and may still answer
	over     bool

	next     uint64 // number of the next message
	sent     uint64 // messages up to this one have been published
	acked    uint64
	granted  uint64
	room     uint64 // in the actor's inbox, when it acknowledged the last
	wanted   bool   // it knows that there are messages and no credit
	awaiting bool   // and that they wait

	pending  []*job          // acked+1 to next-1
	kept     []*job          // acknowledged, and not known to be done with
	held     map[uint64]*job // the same of a keyed route, whose actors are done with them in any order
	waiting  map[uint64]*job // that have come, and wait for a key's actor; acked is beyond them
	finished uint64          // the keys' actors are done with the messages up to this one
	asks     map[uint64]*job
	overdue  uint64    // the asks up to this one were acknowledged when it last inquired
	inquired time.Time // when it did
	buf      []byte    // the packet that fills: head and messages
	full     []packet  // complete, and not yet published
	fresh    []byte    // its memory, when it is empty
	count    int       // messages in buf
	now      bool      // buf must leave at once
	awaited  uint64    // a packet up to this number waits to be acknowledged
	flushing bool
	stirred  time.Time // when something was published or heard
}

// packet is a complete frame, and the number of its last message.
type packet struct {
	frame []byte
	last  uint64
}

// packetSize is how large a packet of several messages becomes at most.
const packetSize = 16 << 10

// takes reports whether it takes messages, if there is credit.
func (l *link) takes() bool {
	return l.open && !l.retired && !l.over && l.refused == nil && l.vanished.IsZero()
}

// quiet reports whether all that was put on it is settled.
func (l *link) quiet() bool {
	return len(l.pending) == 0 && len(l.asks) == 0 && len(l.waiting) == 0
}

// credit is how many messages it may take.
func (l *link) credit() uint64 {
	if !l.takes() {
		return 0
	}
	return l.granted - min(l.granted, l.next-1)
}

// score says how much room there should be where it leads.
func (l *link) score() int64 { return int64(l.room) - int64(l.next-1-l.acked) }

// put takes a message. There is credit.
func (l *link) put(j *job) {
	if len(l.buf) > 0 && len(l.buf)+len(j.body)+len(j.key) > packetSize {
		l.seal()
	}
	l.begin()
	flags := j.flags()
	var before uint64
	if j.mode == asking {
		flags |= flagAsk
		if d, ok := j.ctx.Deadline(); ok {
			flags |= flagDeadline
			before = uint64(max(1, time.Until(d).Microseconds()))
		}
		if l.asks == nil {
			l.asks = make(map[uint64]*job)
		}
		l.asks[l.next] = j
		l.now = true
	}
	l.buf = append(l.buf, flags)
	if flags&flagDeadline != 0 {
		l.buf = appendUint(l.buf, before)
	}
	if j.lane != nil {
		l.buf = appendUint(appendString(l.buf, j.key), j.lane.turn)
		j.flying = true
		j.lane.flying++
	}
	l.buf = appendBytes(l.buf, j.body)
	j.link, j.n = l, l.next
	l.next++
	l.count++
	l.pending = append(l.pending, j)
	l.route.node.count.sent.Add(1)
	if j.mode != confirmed {
		j.release(nil)
	}
}

// begin makes room for the head of a packet.
func (l *link) begin() {
	if len(l.buf) == 0 {
		l.buf = append(l.fresh[:0], make([]byte, dataHead)...)
		l.fresh = nil
	}
}

// due reports whether the packet should leave: at once if nothing is under way,
// else when it is large, or when what is under way has arrived.
func (l *link) due() bool {
	return !l.flushing && !l.over && (len(l.full) > 0 || len(l.buf) > 0 &&
		(l.now || l.awaited <= l.acked || len(l.buf) >= packetSize || l.count*4 >= l.route.node.cfg.Window))
}

// flush publishes what is due. route.mu is held, and is released meanwhile.
func (l *link) flush() {
	for l.due() {
		if len(l.full) == 0 {
			l.seal()
		}
		p := l.full[0]
		l.full = l.full[1:]
		n := l.route.node
		l.flushing = true
		l.route.mu.Unlock()
		err := n.nc.PublishRequest(l.subject, n.subj.control(n.id), p.frame)
		l.route.mu.Lock()
		l.flushing = false
		l.sent = max(l.sent, p.last)
		if cap(p.frame) <= 4*packetSize {
			l.fresh = p.frame
		}
		if err != nil { // the connection is closed: the beats will tell
			n.cfg.Logger.Warn("cluster: publish", "node", n.id, "err", err)
		}
	}
}

// seal completes the packet.
func (l *link) seal() {
	last := l.next - 1
	var flags byte
	if l.closing {
		flags |= flagLast | flagNow
	}
	first := l.next - uint64(l.count)
	for _, j := range l.tail(first) {
		if j.mode != asking { // an answer acknowledges too
			flags |= flagNow
			break
		}
	}
	if l.count == 0 {
		flags |= flagNow
	}
	if flags&flagNow != 0 && l.count > 0 {
		l.awaited = last
	}
	b := append(l.buf[:0], version, byte(kindData))
	b = append(appendLink(b, l.id), flags)
	binary.BigEndian.AppendUint64(b, first)
	l.full = append(l.full, packet{l.buf, last})
	l.buf, l.count, l.now = nil, 0, false
	l.stirred = time.Now()
}

// tail is the pending messages from a number on.
func (l *link) tail(first uint64) []*job {
	return l.pending[min(uint64(len(l.pending)), first-l.acked-1):]
}

// probe publishes a packet without messages: the receiver then knows what
// should have come, and says what has.
func (l *link) probe() {
	l.begin()
	l.now = true
	l.flush()
}

// ack takes note of what the receiver has dealt with.
func (l *link) ack(processed, granted, room uint64) {
	if processed > l.acked {
		n := processed - l.acked
		clear(l.pending[:n])
		l.pending = l.pending[n:]
		l.acked = processed
	}
	l.room = room
	if granted > l.granted {
		l.granted, l.wanted, l.awaiting = granted, false, false
	}
}

// take takes a message out of those that are not settled, or returns nil.
func (l *link) take(n uint64) *job {
	j := l.waiting[n]
	if j != nil {
		delete(l.waiting, n)
	} else if n > l.acked && n < l.next {
		at := n - l.acked - 1
		j, l.pending[at] = l.pending[at], nil
	}
	return j
}

// wait puts a message among those that have come and wait.
func (l *link) wait(j *job) {
	if l.waiting == nil {
		l.waiting = make(map[uint64]*job)
	}
	l.waiting[j.n] = j
}

// waits returns, and forgets, those that wait, in their order.
func (l *link) waits() []*job {
	all := slices.SortedFunc(maps.Values(l.waiting), func(a, b *job) int { return cmp.Compare(a.n, b.n) })
	l.waiting = nil
	return all
}

// keep remembers an accepted message until an actor is done with it.
func (l *link) keep(j *job) {
	if j.lane == nil {
		l.kept = append(l.kept, j)
		return
	}
	if l.held == nil {
		l.held = make(map[uint64]*job)
	}
	l.held[j.n] = j
}

// done takes note of what no process has any more: all up to n, and some others.
func (l *link) done(n uint64, others []uint64) {
	if l.route.lanes != nil {
		for _, k := range others {
			delete(l.held, k)
		}
		if n > l.finished {
			l.finished = n
			maps.DeleteFunc(l.held, func(k uint64, _ *job) bool { return k <= n })
		}
		return
	}
	k := 0
	for k < len(l.kept) && l.kept[k].n <= n {
		k++
	}
	clear(l.kept[:k])
	l.kept = l.kept[k:]
}
