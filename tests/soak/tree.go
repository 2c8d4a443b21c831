package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// tree is one tree of supervisors: one of each strategy, one that ends with a
// significant child, and one whose children come and go.
type tree struct {
	root      *supervisor.Supervisor
	workers   []*supervisor.Worker[msg]
	addresses []*actor.Address[msg]
	dynamic   *supervisor.Dynamic[int, msg]
}

// subs are the names of the supervisors whose children have names.
var subs = []string{"one", "all", "rest", "auto"}

// newTree starts a tree. A child may fail to start; then it tries again.
func (s *soak) newTree(owner context.Context) *tree {
	for range 100 {
		t := new(tree)
		root, err := supervisor.Start(owner, s.spec(t))
		if err == nil {
			t.root = root
			s.count(treeStarted)
			return t
		}
		if !errors.Is(err, errCrash) {
			s.fail("a tree did not start: %v", err)
		}
	}
	panic("soak: a tree failed to start a hundred times")
}

func (s *soak) spec(t *tree) *supervisor.Spec {
	limit := supervisor.Limit{Restarts: 12, Period: time.Second}
	sub := func(name string, strategy supervisor.Strategy, workers ...*supervisor.Worker[msg]) *supervisor.Spec {
		spec := &supervisor.Spec{Name: name, Strategy: strategy, Limit: limit}
		for _, w := range workers {
			t.workers = append(t.workers, w)
			t.addresses = append(t.addresses, w.Address())
			spec.Children = append(spec.Children, w)
		}
		return spec
	}
	significant := s.worker("significant")
	significant.Restart, significant.Significant = supervisor.Transient, true
	auto := sub("auto", supervisor.OneForOne, significant, s.worker("beside it"))
	auto.AutoShutdown = supervisor.AnySignificant
	t.dynamic = &supervisor.Dynamic[int, msg]{
		Name:     "dynamic",
		Limit:    limit,
		Template: func(int) *supervisor.Worker[msg] { return s.worker("") },
	}
	return &supervisor.Spec{
		Name:  "root",
		Limit: supervisor.Limit{Restarts: 1 << 30, Period: time.Second},
		Children: []supervisor.Child{
			sub("one", supervisor.OneForOne, s.workers("one", 4)...),
			sub("all", supervisor.OneForAll, s.workers("all", 3)...),
			sub("rest", supervisor.RestForOne, s.workers("rest", 3)...),
			auto,
			t.dynamic,
		},
	}
}

// workers makes n workers that differ in all that a worker may differ in.
func (s *soak) workers(name string, n int) []*supervisor.Worker[msg] {
	capacities := []actor.Capacity{{}, actor.Bounded(1), actor.Bounded(64), actor.Unbounded(), actor.Backpressure(100, time.Microsecond, 1)}
	all := make([]*supervisor.Worker[msg], n)
	for i := range all {
		w := s.worker(fmt.Sprintf("%s%d", name, i))
		w.Capacity = capacities[(i+len(name))%len(capacities)]
		switch i % 4 {
		case 0:
			w.Processes = 3
		case 1:
			w.Fresh = true
			w.Backoff = supervisor.Backoff{Max: 5 * time.Millisecond, ResetAfter: 100 * time.Millisecond}
		case 2:
			w.Drain = true
			w.Restart = supervisor.Transient
		case 3:
			w.AwaitStart = 5 * time.Second
		}
		all[i] = w
	}
	return all
}

// worker makes one worker.
func (s *soak) worker(name string) *supervisor.Worker[msg] {
	w := &supervisor.Worker[msg]{
		Name:        name,
		Run:         s.serve,
		OnCrash:     s.onCrash,
		Undelivered: s.undelivered,
		AbortTimer:  time.Duration(1+rand.IntN(10)) * time.Millisecond,
		OnStuck:     supervisor.StuckReplace,
	}
	if one(8) {
		w.AbortTimer = -1
	}
	return w
}

// someone returns the address of a worker of the tree.
func (s *soak) someone() *actor.Address[msg] {
	t := s.tree.Load()
	return t.addresses[rand.IntN(len(t.addresses))]
}

// replant starts another tree if the one that stood has ended: by its limit, or
// because it was stopped.
func (s *soak) replant() (again bool) {
	select {
	case <-s.tree.Load().root.Done():
		s.tree.Store(s.newTree(s.owner))
		return true
	default:
		return false
	}
}

// mend starts everything in the tree again that somebody has stopped or that has
// ended, and reports whether the tree is as it was at its start.
func (s *soak) mend() bool {
	if s.replant() {
		return false
	}
	t := s.tree.Load()
	whole := s.mendChildren(t.root)
	for _, name := range subs {
		sub, ok := t.root.Sub(name)
		whole = ok && s.mendChildren(sub) && whole
	}
	if t.dynamic.Supervisor().Count().Specs > 0 {
		whole = false
	}
	for _, w := range t.workers {
		a := w.Address()
		whole = whole && a.Processes() == max(w.Processes, 1) && a.Len() == 0
	}
	return whole
}

func (s *soak) mendChildren(sup *supervisor.Supervisor) bool {
	whole := true
	for _, child := range sup.Children() {
		if child.State == supervisor.Stopped {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			_ = sup.Restart(ctx, child.Name) // if not now, at the next call
			cancel()
		}
		whole = whole && child.State == supervisor.Running && child.Stuck == 0
	}
	return whole
}

// restless says what keeps the soak from coming to rest.
func (s *soak) restless() string {
	var b strings.Builder
	lost, unsent := s.ledger.open()
	fmt.Fprintf(&b, "messages without a fate: %d, unsent ones with one: %d\n", lost, unsent)
	t := s.tree.Load()
	list := func(sup *supervisor.Supervisor) {
		for _, c := range sup.Children() {
			fmt.Fprintf(&b, "%s: %+v\n", sup.Name(), c)
		}
	}
	list(t.root)
	for _, name := range subs {
		if sub, ok := t.root.Sub(name); ok {
			list(sub)
		}
	}
	list(t.dynamic.Supervisor())
	for _, w := range t.workers {
		fmt.Fprintf(&b, "%s: %d of %d processes, %d messages\n", w.Name, w.Address().Processes(), max(w.Processes, 1), w.Address().Len())
	}
	return b.String()
}
