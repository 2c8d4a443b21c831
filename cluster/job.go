package cluster

import (
	"context"
	"errors"
	"fmt"

	"tinyactor/actor"
)

// mode is what the one who sends wants to know.
type mode uint8

const (
	confirmed mode = iota // what became of the message
	async                 // that it is on its way
	asking                // the answer; that it is on its way is enough for Send
)

// job is one message that this node sends. All but the first group is guarded by
// its route's mu.
type job struct {
	mode  mode
	name  string // what it is sent to
	msg   any
	body  []byte          // encoded
	reply any             // asking: the actor.Reply of the message
	ctx   context.Context //nolint:containedctx // the asker's, whose end goes along
	done  chan error      // capacity 1: the outcome, or that it is on its way

	key    string // that it is for; "" if its name is not keyed
	lane   *lane  // of the key
	seq    uint64 // its place among the messages of the lane
	flying bool   // the lane counts it as under way
	try    bool   // it does not wait for room
	moves  int    // how often it was sent somewhere else

	link     *link // that it was put on
	n        uint64
	canceled error       // the asker's reason to call it back
	released bool        // done has got its error
	over     bool        // nothing is to be told any more
	unwatch  func() bool // asking: ctx no more
}

// forget is the end of a job that nothing has come of.
func (j *job) forget() {
	if j.unwatch != nil {
		j.unwatch()
	}
}

// settled is a job with its outcome, to be told once no lock is held.
type settled struct {
	*job
	err error
}

// release lets a Send return. route.mu is held.
func (j *job) release(err error) {
	if !j.released {
		j.released = true
		j.done <- err
	}
}

// settle notes the outcome, and returns false if nobody is to be told outside of
// the lock. route.mu is held.
func (j *job) settle(err error) bool {
	if j.over {
		return false
	}
	j.over = true
	first := !j.released
	if first || j.mode == confirmed {
		j.release(err)
	}
	return !first && err != nil && j.mode != confirmed || j.unwatch != nil
}

// reported notes what Config.Undelivered is to be told.
func (n *Node) reported(all []settled) {
	var back []report
	for _, s := range all {
		if s.err != nil && s.mode != asking {
			back = append(back, report{s.name, s.msg, s.err})
		}
	}
	n.reports.add(back...)
}

// unknown is the outcome of a job whose link broke after it had left.
func (j *job) unknown(node string, why error) error {
	e := &lostError{who: fmt.Sprintf("cluster: %q on node %s", j.name, node), causes: []error{ErrUnknown}}
	if j.mode == asking {
		e.causes = []error{actor.ErrNoReply, ErrUnknown}
	}
	if why != nil && !errors.Is(why, actor.ErrClosed) { // an ask without answer never matches that
		e.causes = append(e.causes, why)
	}
	return e
}
