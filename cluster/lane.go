package cluster

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"tinyactor/actor"
)

// partitions is how many parts the keys of a name are in. Each is held by one
// node at a time. All nodes must agree on it, and on the two functions below.
const partitions = 64

// maxKey is how many bytes a key may have.
const maxKey = 256

func checkKey(key string) error {
	switch {
	case key == "":
		return fmt.Errorf("%w: an empty key", ErrBadName)
	case len(key) > maxKey:
		return fmt.Errorf("%w: a key of %d bytes, the most is %d", ErrBadName, len(key), maxKey)
	}
	return nil
}

// hashed is FNV-1a, with its bits mixed once more as MurmurHash3 does at its end:
// it must not change, and spread texts that differ in their last byte.
func hashed(texts ...string) uint64 {
	h := uint64(14695981039346656037)
	for _, s := range texts {
		for _, c := range []byte(s) {
			h = (h ^ uint64(c)) * 1099511628211
		}
		h = (h ^ 0xff) * 1099511628211 // so that "a", "b" is not "ab"
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// partitionOf returns the partition that a key is in.
func partitionOf(key string) int { return int(hashed(key) % partitions) }

// preferred returns which of the nodes should hold a partition, if none does:
// by rendezvous hashing, so that only the partitions of a node that comes or
// goes change theirs.
func preferred(name string, partition int, nodes []string) (best string) {
	var most uint64
	for _, id := range nodes {
		h := hashed(id, name, fmt.Sprint(partition))
		if best == "" || h > most || h == most && id < best {
			best, most = id, h
		}
	}
	return best
}

// lane is one partition of a keyed name as a sending node knows it: who holds
// it, and the messages for it that are not on their way. A node that does not
// hold the partition refuses them; then none follows until all that are under
// way are settled, and those that were refused are sent again, in their order.
// All is guarded by route.mu.
type lane struct {
	partition int
	owner     string // the node that messages go to; "" if it has to be chosen
	hint      string // the one to which the last refusal has pointed
	turned    bool   // some were refused
	flying    int    // under way: neither accepted nor refused nor given up
	turn      uint64 // goes with each message, and grows after refusals: see inlet.turns
	moves     int    // how often it has moved since a message was accepted
	hold      time.Time
	seq       uint64 // of its last message
	queue     []*job // by their seq
}

// lanes are those of a keyed route.
type lanes struct {
	all    [partitions]lane
	queued int // in all of them
	first  int // whose turn it is
}

func newLanes() *lanes {
	ls := new(lanes)
	for i := range ls.all {
		ls.all[i].partition = i
	}
	return ls
}

// lane returns the lane of a key.
func (r *route) lane(key string) *lane { return &r.lanes.all[partitionOf(key)] }

// laneHold is how long a lane waits that has been sent to and fro.
const laneHold = 50 * time.Millisecond

// insists reports whether the next messages are to be taken by whomever they go to,
// because the nodes do not agree on who should.
func (ln *lane) insists() bool { return ln.moves > 2 }

// insert puts a message among those that wait. mu is held.
func (ls *lanes) insert(j *job) {
	ln := j.lane
	i, _ := slices.BinarySearchFunc(ln.queue, j.seq, func(q *job, seq uint64) int { return cmp.Compare(q.seq, seq) })
	ln.queue = slices.Insert(ln.queue, i, j)
	ls.queued++
}

// remove takes a message from those that wait, and reports whether it was there.
func (ls *lanes) remove(j *job) bool {
	i := slices.Index(j.lane.queue, j)
	if i < 0 {
		return false
	}
	j.lane.queue = slices.Delete(j.lane.queue, i, i+1)
	ls.queued--
	return true
}

// takeAll empties the lanes.
func (ls *lanes) takeAll() (all []*job) {
	for i := range ls.all {
		all = append(all, ls.all[i].queue...)
		ls.all[i].queue = nil
	}
	ls.queued = 0
	return all
}

// lead returns the link for the next message of a lane, or nil if that has to
// wait. mu is held.
func (r *route) lead(ln *lane) *link {
	if ln.turned || !ln.hold.IsZero() && time.Now().Before(ln.hold) {
		return nil
	}
	if l := r.usable(ln.owner); l != nil {
		return creditable(l)
	}
	if ln.flying > 0 { // what goes another way could come first
		return nil
	}
	var ids []string
	for _, l := range r.links {
		if l.takes() {
			ids = append(ids, l.peer)
		}
	}
	ln.owner = preferred(r.name, ln.partition, ids)
	return creditable(r.usable(ln.owner))
}

func creditable(l *link) *link {
	if l == nil || l.credit() == 0 {
		return nil
	}
	return l
}

// usable returns the link to a node, or nil if it takes nothing. mu is held.
func (r *route) usable(peer string) *link {
	if peer == "" {
		return nil
	}
	for _, l := range r.links {
		if l.peer == peer && l.takes() {
			return l
		}
	}
	return nil
}

// spread puts what waits in the lanes on links with credit. mu is held.
func (r *route) spread() {
	ls := r.lanes
	if ls.queued == 0 {
		return
	}
	ls.first++
	for i := range ls.all {
		ln := &ls.all[(ls.first+i)%partitions]
		for len(ln.queue) > 0 {
			l := r.lead(ln)
			if l == nil {
				break
			}
			j := ln.queue[0]
			ln.queue[0] = nil
			ln.queue = ln.queue[1:]
			ls.queued--
			if !j.over {
				l.put(j)
			}
		}
	}
}

// flags are what its receiver has to know of a message. mu is held.
func (j *job) flags() (f byte) {
	if j.try {
		f |= flagTry
	}
	if j.lane != nil {
		f |= flagKey
		if j.lane.insists() {
			f |= flagInsist
		}
	}
	return f
}

// landed notes that a message is not under way any more. mu is held.
func (r *route) landed(j *job) {
	if !j.flying {
		return
	}
	j.flying = false
	ln := j.lane
	if ln.flying--; ln.flying > 0 || !ln.turned {
		return
	}
	ln.turned, ln.owner = false, ln.hint
	ln.turn++
	ln.moves++
	if ln.moves > 2 || r.usable(ln.hint) == nil {
		ln.hold = time.Now().Add(laneHold)
	}
}

// moved has a message sent again that was refused because another node holds its
// key, or should. mu is held.
func (r *route) moved(j *job, to string) {
	delete(j.link.asks, j.n)
	j.lane.turned, j.lane.hint = true, to
	r.landed(j)
	j.moves++
	switch {
	case j.over:
	case j.canceled != nil:
		r.settle(j, j.canceled)
	case j.try && (j.moves > 2 || r.usable(to) == nil):
		r.settle(j, r.full(j))
	default:
		j.link = nil
		r.lanes.insert(j)
	}
}

// full is what a message that does not wait gets instead.
func (r *route) full(j *job) error {
	return fmt.Errorf("cluster: %q: key %q is about to move: %w", r.name, j.key, actor.ErrFull)
}
