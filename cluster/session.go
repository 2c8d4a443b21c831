package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// session is what a node holds leases under: one record, which it renews however
// many leases there are. It is valid for Config.Lease from the moment when the
// last renewal that has succeeded was begun, and is over when that has passed,
// when somebody else has ended it, or when this node seems to be cut off. A node
// whose session is over begins another one.
type session struct {
	node   *Node
	bucket *bucket
	id     string
	over   context.Context //nolint:containedctx // it is the session's life
	lose   context.CancelCauseFunc
	kick   chan struct{} // renew now

	mu       sync.Mutex
	revision uint64
	renewed  time.Time // when the last renewal that has succeeded was begun
	trying   time.Time // since when a renewal is under way; zero: none is
	doubt    time.Time // what was renewed before does not count any more
	ticked   time.Time // when guard has last run
	known    int       // how many nodes were heard at most since the last renewal
	held     map[string]bool
	empty    chan struct{} // closed by drop when nothing is held; nil: nobody waits for that
}

const (
	sessionPrefix = "session."
	leasePrefix   = "lease."
)

// session returns the session of this node, and begins one if there is none. It
// tries until ctx ends.
func (n *Node) session(ctx context.Context) (*session, error) {
	l := &n.leases
	select {
	case l.turn <- struct{}{}: // the first begins it, the others wait
	case <-ctx.Done():
		return nil, fmt.Errorf("cluster: session: %w", context.Cause(ctx))
	}
	defer func() { <-l.turn }()
	l.mu.Lock()
	s, leaving := l.session, l.leaving
	l.mu.Unlock()
	switch {
	case leaving:
		return nil, ErrNodeClosed
	case s != nil && s.lost() == nil:
		return s, nil
	}
	b, err := l.open(ctx)
	if err != nil {
		return nil, err
	}
	s = &session{
		node: n, bucket: b, id: fmt.Sprintf("%s.%d", n.id, l.writes.Add(1)), kick: make(chan struct{}, 1),
		renewed: time.Now(), ticked: time.Now(), known: n.heardOf(), held: make(map[string]bool),
	}
	if s.revision, err = b.change(ctx, sessionPrefix+s.id, 0, s.record(sessionLives)); err != nil {
		return nil, err
	}
	n.doubt()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.leaving {
		return nil, ErrNodeClosed
	}
	l.session = s
	s.over, s.lose = context.WithCancelCause(context.Background())
	n.stopped.Go(s.renew)
	n.stopped.Go(s.guard)
	return s, nil
}

// record returns what this session writes.
func (s *session) record(what state) record {
	return record{State: what, Session: s.id, Node: s.node.id, By: s.node.id, Write: s.node.leases.writes.Add(1)}
}

// done is closed when the session is over, and with it every lease that it had.
func (s *session) done() <-chan struct{} { return s.over.Done() }

// lost returns nil while the session lives; then why it is over, which matches
// ErrLeaseLost.
func (s *session) lost() error {
	if s.over.Err() == nil {
		return nil
	}
	return context.Cause(s.over)
}

// end makes the session over.
func (s *session) end(why error) {
	s.lose(fmt.Errorf("%w: %w", ErrLeaseLost, why))
}

// sure reports whether the session lives for all that this process can know. If
// the process was frozen, it does not know until the session is renewed.
func (s *session) sure() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over.Err() == nil && s.doubt.IsZero() && !slept(s.ticked, time.Now(), s.node.cfg.Lost)
}

// settle waits until the session is sure or over, or ctx ends.
func (s *session) settle(ctx context.Context) {
	for !s.sure() {
		tick := time.NewTimer(s.node.cfg.Beat / 50)
		select {
		case <-tick.C:
		case <-s.over.Done():
			return
		case <-ctx.Done():
			return
		}
	}
}

// slept reports whether more than so much time has passed, by either clock: the
// one that counts the time since the start may stand still while a machine does.
func slept(from, to time.Time, more time.Duration) bool {
	return to.Sub(from) > more || to.Round(0).Sub(from.Round(0)) > more
}

// renew renews the session while it lives.
func (s *session) renew() {
	cfg := &s.node.cfg
	timer := time.NewTimer(cfg.Lease / 5)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-s.kick:
		case <-s.over.Done():
			return
		}
		begun := time.Now()
		s.mu.Lock()
		s.trying = begun
		revision := s.revision
		s.mu.Unlock()
		revision, err := s.bucket.change(s.over, sessionPrefix+s.id, revision, s.record(sessionLives))
		switch {
		case errors.Is(err, errStale):
			s.end(errors.New("another node has ended the session, as this one did not seem to live"))
			s.learn()
			return
		case err != nil:
			return // it is over
		}
		if time.Since(begun) > cfg.Beat/5 { // nobody could write, or this node could not
			s.node.doubt()
		}
		known := s.node.heardOf()
		s.mu.Lock()
		s.revision, s.renewed, s.trying, s.known = revision, begun, time.Time{}, known
		if begun.After(s.doubt) {
			s.doubt = time.Time{}
		}
		next := time.Until(begun.Add(cfg.Lease / 5))
		if !s.doubt.IsZero() {
			next = 0
		}
		s.mu.Unlock()
		timer.Reset(max(0, next))
	}
}

// learn notes who has ended this session. That node lives: if its beats do not come
// here, nor this node's there, then the two must not take turns in ending the
// sessions of each other.
func (s *session) learn() {
	ctx, cancel := context.WithTimeout(context.Background(), s.bucket.patience)
	defer cancel()
	if e, err := s.bucket.get(ctx, sessionPrefix+s.id); err == nil && e.State == sessionEnded {
		s.node.alive(e.By)
	}
}

// hurry has the session renewed now: somebody may have ended it.
func (s *session) hurry() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// guard ends the session when it must not be relied on any more.
func (s *session) guard() {
	tick := time.NewTicker(min(s.node.cfg.Beat/5, 100*time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-s.over.Done():
			return
		}
		if err := s.check(time.Now()); err != nil {
			s.node.cfg.Logger.Warn("cluster: leases lost", "node", s.node.id, "err", err)
			s.end(err)
			return
		}
	}
}

// check returns why the session must not be relied on any more, or nil.
func (s *session) check(now time.Time) error {
	cfg := &s.node.cfg
	heard := s.node.heardOf()
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.ticked
	s.ticked = now
	if slept(before, now, cfg.Lost) {
		s.doubt = now
	}
	s.known = max(s.known, heard) // a session may be begun before the others are heard
	cut := 2*heard < s.known
	if cut && s.trying.IsZero() || !s.doubt.IsZero() {
		s.hurry()
	}
	switch {
	case now.Sub(s.renewed) >= cfg.Lease:
		return fmt.Errorf("the session could not be renewed for %v", cfg.Lease)
	case !s.doubt.IsZero() && now.Sub(s.doubt) > cfg.Lost/2:
		return errors.New("this process has slept, and cannot find out what has happened meanwhile")
	case cut && !s.trying.IsZero() && now.Sub(s.trying) > cfg.Beat:
		return fmt.Errorf("the session cannot be renewed, and of %d nodes only %d are heard", s.known, heard)
	}
	return nil
}

// vacant returns a channel that is closed when the session has no lease.
func (s *session) vacant() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := make(chan struct{})
	if len(s.held) == 0 {
		close(c)
	} else {
		s.empty = c
	}
	return c
}
