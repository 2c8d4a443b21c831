package soak

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"tinyactor/supervisor"
)

// administer makes calls to the supervisors: whatever they answer, nothing that
// was accepted is lost by it.
func (s *soak) administer(ctx context.Context) {
	for ctx.Err() == nil {
		t := s.tree.Load()
		if sub, ok := t.root.Sub(subs[rand.IntN(len(subs))]); ok {
			s.call(t, sub)
		}
		s.pause(ctx, time.Duration(rand.IntN(5))*time.Millisecond)
	}
}

// call makes one call to a supervisor.
func (s *soak) call(t *tree, sub *supervisor.Supervisor) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(1+rand.IntN(20))*time.Millisecond)
	defer cancel()
	children := sub.Children()
	if len(children) == 0 {
		return
	}
	name := children[rand.IntN(len(children))].Name
	switch rand.IntN(10) {
	case 0:
		s.called(terminated, sub.Terminate(ctx, name))
		s.called(restartedByHand, sub.Restart(ctx, name))
	case 1:
		s.called(added, s.addAndRemove(ctx, sub))
	case 2:
		w := t.workers[rand.IntN(len(t.workers))]
		s.called(replaced, w.Replace(ctx, s.serve))
	default:
		sub.Count()
		sub.Which(name)
	}
}

// called counts a call that was carried out. The others were refused for good
// reasons: the child is restarting, its supervisor stops, the time is over.
func (s *soak) called(o op, err error) {
	if err == nil {
		s.count(o)
	}
}

// addAndRemove adds a worker for a short time. Where the context of the call ends
// it, the worker may be refused later, and would never have an end.
func (s *soak) addAndRemove(ctx context.Context, sub *supervisor.Supervisor) error {
	w := s.worker("added")
	w.Restart = supervisor.Restart(rand.IntN(3))
	err := sub.Add(ctx, w)
	if err != nil && ctx.Err() == nil {
		return err
	}
	if err == nil {
		s.feed(w.Address(), 3)
		defer func() { <-w.Address().Done() }()
	}
	for !gone(sub.Terminate(ctx, "added")) && !gone(sub.Remove(ctx, "added")) {
		ctx = context.Background()
	}
	return err
}

// gone reports whether a child is none any more, by what a call about it returned.
func gone(err error) bool {
	return errors.Is(err, supervisor.ErrNotFound) || errors.Is(err, supervisor.ErrShuttingDown)
}

// comeAndGo adds and removes children of the dynamic supervisor.
func (s *soak) comeAndGo(ctx context.Context) {
	for ctx.Err() == nil {
		t := s.tree.Load()
		brief, cancel := context.WithTimeout(context.Background(), time.Second)
		w, err := t.dynamic.Add(brief, 0)
		if err == nil {
			s.feed(w.Address(), 20)
			if one(2) {
				s.pause(ctx, time.Millisecond)
			}
		}
		if w != nil {
			s.called(dynamic, t.dynamic.Remove(brief, w))
		}
		if err == nil {
			<-w.Address().Done()
		}
		cancel()
		s.pause(ctx, time.Duration(rand.IntN(3))*time.Millisecond)
	}
}

// uproot stops the tree under load in every other epoch: in order, or in less time than that takes.
func (s *soak) uproot(ctx context.Context) {
	if s.ledger.epoch.Load()%2 == 1 {
		return
	}
	s.pause(ctx, s.cfg.Epoch/2)
	brief, cancel := context.WithTimeout(context.Background(), time.Duration(rand.IntN(40))*time.Millisecond)
	defer cancel()
	_, _ = s.tree.Load().root.Stop(brief)
	s.count(treeStopped)
}
