package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tinyactor/actor"
)

// leases is what a node knows of leases, its own and those of others.
type leases struct {
	node   *Node
	open   func(context.Context) (*bucket, error) // Node.openBucket
	turn   chan struct{}                          // capacity 1: held while a session begins
	writes atomic.Uint64                          // numbers for records

	mu      sync.Mutex
	session *session
	tenants map[*tenant]struct{}
	leaving bool                     // no more sessions and tenants
	stopped bool                     // no more goroutines
	waiting map[string]chan struct{} // by lease: closed when it may have become free
	seen    map[string]glimpse       // by session of another node
}

func (l *leases) begin(n *Node) {
	l.node, l.open, l.turn = n, n.openBucket, make(chan struct{}, 1)
	l.tenants, l.waiting, l.seen = make(map[*tenant]struct{}), make(map[string]chan struct{}), make(map[string]glimpse)
}

// glimpse is the revision of a session's record, and since when it is that, by
// this node's clock.
type glimpse struct {
	revision uint64
	since    time.Time
}

// heldError says that a lease is not to be had.
type heldError struct {
	item string
	node string // which node has it; perhaps this one
}

func (e *heldError) Error() string {
	return fmt.Sprintf("cluster: %s is held by node %s", e.item, e.node)
}

// acquire takes a lease, for as long as the session lives or until it is
// released, and returns its fencing number: larger than that of every holder
// before. The error is a *heldError if another session that lives has the lease,
// or this one does already. Otherwise acquire tries until ctx ends, or the
// session; then the lease is not taken, or is given back.
func (s *session) acquire(ctx context.Context, item string) (fence uint64, err error) {
	if !s.reserve(item) {
		return 0, &heldError{item, s.node.id}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.over, func() { cancel(s.lost()) })()
	for {
		e, err := s.bucket.get(ctx, leasePrefix+item)
		if err == nil && e.State == leaseHeld && e.Session != s.id {
			err = s.finish(ctx, item, e.record)
		}
		if err != nil {
			s.drop(item)
			return 0, err
		}
		// Held by this very session it is free as well: it was taken by a write of
		// which nobody waited to hear, and this one comes after it.
		if fence, err = s.take(ctx, item, e.revision); !errors.Is(err, errStale) {
			return fence, err
		}
	}
}

// take writes that this session has a lease. That is not broken off when ctx
// ends, since it may succeed all the same: then the lease is released.
func (s *session) take(ctx context.Context, item string, revision uint64) (uint64, error) {
	var claimed atomic.Bool // by the one who waits, or by the one who does it
	type outcome struct {
		fence uint64
		err   error
	}
	done := make(chan outcome, 1)
	if !s.node.leases.start(func() {
		fence, err := s.bucket.change(s.over, leasePrefix+item, revision, s.record(leaseHeld))
		mine := claimed.CompareAndSwap(false, true)
		switch {
		case err == nil && !mine:
			s.release(item, fence)
		case err != nil && !(mine && errors.Is(err, errStale)): // after which there is another try
			s.drop(item)
		}
		done <- outcome{fence, err}
	}) {
		s.drop(item)
		return 0, ErrNodeClosed
	}
	select {
	case o := <-done:
		return o.fence, o.err
	case <-ctx.Done():
		if claimed.CompareAndSwap(false, true) {
			return 0, fmt.Errorf("cluster: %s: %w", item, context.Cause(ctx))
		}
		o := <-done
		return o.fence, o.err
	}
}

// reserve notes that this session has a lease, or is about to.
func (s *session) reserve(item string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[item] {
		return false
	}
	s.held[item] = true
	return true
}

// drop notes that a lease is let go: nothing is done under it any more. A session
// that is lost is ended when that is true for all it had, so that nobody need
// wait until it has expired.
func (s *session) drop(item string) {
	s.mu.Lock()
	delete(s.held, item)
	vacant := len(s.held) == 0
	if vacant && s.empty != nil {
		close(s.empty)
		s.empty = nil
	}
	s.mu.Unlock()
	if vacant && s.lost() != nil {
		s.node.leases.start(s.conclude)
	}
}

// conclude ends the record of the session, if that is possible: else it expires.
func (s *session) conclude() {
	ctx, cancel := context.WithTimeout(context.Background(), s.node.cfg.Lost)
	defer cancel()
	_, err := s.close(ctx, s.id, s.node.id, func(entry) bool { return true })
	if err != nil {
		s.node.cfg.Logger.Warn("cluster: leases are free only when they have expired", "node", s.node.id, "err", err)
	}
}

// release gives a lease back, once nothing is done under it any more: others may
// have it at once. It does not wait; the channel is closed when it is done, or when
// the session is over.
func (s *session) release(item string, fence uint64) (done <-chan struct{}) {
	released := make(chan struct{})
	if !s.node.leases.start(func() {
		defer close(released)
		_, err := s.bucket.change(s.over, leasePrefix+item, fence, s.record(leaseFree))
		s.drop(item)
		if err == nil {
			s.node.hint(leasePrefix + item)
		}
	}) {
		close(released)
	}
	return released
}

// finish returns nil if the session that has a lease is over, perhaps because
// this one has just ended it; a *heldError if it is not.
func (s *session) finish(ctx context.Context, item string, r record) error {
	over, err := s.close(ctx, r.Session, r.Node, func(e entry) bool {
		return e.State != sessionLives || s.node.absent(r.Node) || s.node.leases.expired(r.Session, e.revision)
	})
	if err == nil && !over {
		err = &heldError{item, r.Node}
	}
	return err
}

// close ends a session if it may be ended as it is, and reports whether it is
// over. A record that is not there has expired, or was not yet known where it was
// read: only the write can tell. If a session is renewed after all, that fails.
func (s *session) close(ctx context.Context, id, node string, may func(entry) bool) (over bool, err error) {
	l := &s.node.leases
	for {
		e, err := s.bucket.get(ctx, sessionPrefix+id)
		if err != nil {
			return false, err
		}
		if e.State == sessionEnded {
			break
		}
		if !may(e) {
			return false, nil
		}
		_, err = s.bucket.change(ctx, sessionPrefix+id, e.revision,
			record{State: sessionEnded, Session: id, Node: node, By: s.node.id, Write: l.writes.Add(1)})
		if err == nil {
			s.node.hint(sessionPrefix + id)
			break
		}
		if !errors.Is(err, errStale) {
			return false, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.seen, id)
	return true, nil
}

// expired reports whether a session was not renewed in time, by this node's clock
// since it has looked first.
func (l *leases) expired(session string, revision uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.DeleteFunc(l.seen, func(_ string, s glimpse) bool { return time.Since(s.since) > 10*l.node.cfg.Lease }) // nobody asks any more
	s, known := l.seen[session]
	if !known || s.revision != revision {
		l.seen[session] = glimpse{revision, time.Now()}
		return false
	}
	return time.Since(s.since) > l.node.cfg.Lease+l.node.cfg.Beat
}

// freed returns a channel that is closed when a lease may have become free since
// the call. That can be missed: whoever waits should try now and then as well.
func (l *leases) freed(item string) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.waiting[item]
	if c == nil {
		c = make(chan struct{})
		l.waiting[item] = c
	}
	return c
}

// wake has those try again who wait for a lease, or for any.
func (l *leases) wake(item string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, c := range l.waiting {
		if item == "" || item == i {
			close(c)
			delete(l.waiting, i)
		}
	}
}

// hint tells all nodes that the record of a key has changed. Nobody believes it,
// but it is a reason to look.
func (n *Node) hint(key string) { n.publish(n.subj.beats(), appendString(head(kindHint), key)) }

// hinted handles a hint.
func (l *leases) hinted(key string) {
	if item, ok := strings.CutPrefix(key, leasePrefix); ok && item != "" {
		l.wake(item)
		return
	}
	l.mu.Lock()
	s := l.session
	l.mu.Unlock()
	if s != nil && key == sessionPrefix+s.id {
		s.hurry()
		return
	}
	l.wake("")
}

// tenant is what does something under leases, and has to stop when its node goes.
type tenant struct {
	name string
	// stop returns when that is so and the leases are released, or when ctx has
	// ended. With drain, what was accepted is worked off before.
	stop func(ctx context.Context, drain bool)
}

// enter has a tenant stopped before the node goes. There is one of each name.
func (l *leases) enter(t *tenant) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.leaving {
		return ErrNodeClosed
	}
	for other := range l.tenants {
		if other.name == t.name {
			return errors.New("twice on one node")
		}
	}
	l.tenants[t] = struct{}{}
	return nil
}

// exit is for a tenant that has stopped.
func (l *leases) exit(t *tenant) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.tenants, t)
}

// start runs f on a goroutine of the node, or returns false if it is too late.
func (l *leases) start(f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.stopped {
		l.node.stopped.Go(f)
	}
	return !l.stopped
}

// leave stops what is done under leases, and ends the session if all of it has
// stopped: then others may go on at once.
func (l *leases) leave(ctx context.Context, drain bool) {
	l.mu.Lock()
	l.leaving = true
	tenants := slices.Collect(maps.Keys(l.tenants))
	l.mu.Unlock()
	var stopped sync.WaitGroup
	for _, t := range tenants {
		stopped.Go(func() { t.stop(ctx, drain) })
	}
	stopped.Wait()
	l.mu.Lock()
	s := l.session
	l.session = nil
	l.mu.Unlock()
	if s == nil {
		return
	}
	patience := time.NewTimer(l.node.cfg.Lost)
	defer patience.Stop()
	select {
	case <-s.vacant():
		s.end(ErrNodeClosed)
		s.conclude()
	case <-patience.C:
		s.end(ErrNodeClosed)
	}
}

// close is the end of all that is left.
func (l *leases) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = true
}

type fenceKey struct{}

// Fence returns the fencing number of the lease under which the process that ctx
// belongs to runs, a singleton or an actor with a key, and 0 if there is none. It
// is larger for each that comes later under the same name or key. A store that
// keeps the largest it has seen, and refuses what comes with a smaller one, is
// safe from an old process that does not know yet that it is one; as long as the
// servers keep what they have stored, see [PowerLoss].
func Fence(ctx context.Context) uint64 {
	fence, _ := ctx.Value(fenceKey{}).(uint64)
	return fence
}

// fenced returns ctx with a fencing number, and what ends it because the session
// is over: the cause then matches ErrLeaseLost and, like that of every aborted
// process, actor.ErrAborted.
func (s *session) fenced(ctx context.Context, fence uint64) (_ context.Context, lose func()) {
	ctx, cancel := context.WithCancelCause(context.WithValue(ctx, fenceKey{}, fence))
	return ctx, func() { cancel(fmt.Errorf("%w: %w", s.lost(), actor.ErrAborted)) }
}
