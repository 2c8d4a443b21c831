package supervisor

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"

	"tinyactor/actor"
	"tinyactor/internal/hold"
)

// Supervisor is a supervisor that was started: the root of a tree, as [Start]
// returns it, or one below, as [Supervisor.Sub] and [Of] do. It is safe for
// concurrent use. None of its methods waits for a child, but where they say so.
//
// Of the methods of Ref, Halt asks it to stop in order and does not wait; one
// that is a child of another supervisor is started again by that if it is
// permanent. Done is closed when it has ended for good.
type Supervisor struct {
	actor.Ref
	name string
	auto AutoShutdown
	cfg  config
	kids []Child
	wait func(context.Context) error

	child   *actor.Child[actor.None, actor.None] // of a root
	cell    *cell                                // of one below another
	current atomic.Pointer[shell]                // the latest incarnation
}

// Start starts a tree and waits until all of it is up: each static child was
// started, and has called Started where its AwaitStart asks for that. Then it
// returns the supervisor at its root.
//
// If a child fails to start, those before it are stopped in reverse order, and
// when nothing is left the error names the child and matches its cause. An error
// of Validate comes before anything is started, and so does one about a tree,
// or a part of one, that was started before: a spec is for one place.
//
// Start waits as long as that takes: for a child without AwaitStart not at all,
// but behind a stuck process in whose place StuckWait lets nobody start until
// owner ends.
//
// owner owns the tree: when it ends, or is a process that ends, the tree is
// stopped as by Halt. With the context of a process, the tree is a child of it.
func Start(owner context.Context, spec *Spec) (*Supervisor, error) {
	if err := Validate(spec); err != nil {
		return nil, err
	}
	if err := claim(spec); err != nil {
		return nil, err
	}
	s := &Supervisor{
		name: spec.Name,
		auto: spec.AutoShutdown,
		cfg:  config{strategy: spec.Strategy, limit: spec.Limit.orDefault(), auto: spec.AutoShutdown, root: true},
		kids: spec.Children,
	}
	sh := newShell(s)
	s.current.Store(sh)
	complete := make(chan struct{}) // s is, before a child can look at it
	child, addr := actor.Spawn(&hold.Context{Context: owner},
		actor.Config{Name: s.name, Capacity: actor.Unbounded(), AbortTimer: math.MaxInt64},
		func(ctx context.Context, in *actor.Inbox[actor.None]) error {
			<-complete
			return sh.run(ctx, in)
		})
	s.Ref, s.child, s.wait = addr, child, addr.Wait
	close(complete)
	select {
	case <-sh.up:
		return s, nil
	case <-addr.Done():
	}
	select {
	case <-sh.up: // and ended since
		return s, nil
	default:
	}
	err := addr.Wait(context.Background())
	if err == nil { // it was stopped
		err = fmt.Errorf("supervisor %q: start: %w", s.name, ErrShuttingDown)
		if cause := context.Cause(owner); cause != nil {
			err = fmt.Errorf("supervisor %q: start: %w: %w", s.name, ErrShuttingDown, cause)
		}
	}
	return nil, err
}

// claim takes a spec and all below it for one tree, or nothing of it.
func claim(c Child) error {
	var taken []*cell
	err := claimBelow(c, &taken)
	if err != nil {
		for _, c := range taken {
			c.disclaim()
		}
	}
	return err
}

func claimBelow(c Child, taken *[]*cell) error {
	s, isSpec := c.(*Spec)
	place := c.cellOf()
	if !place.claim() {
		return fmt.Errorf("supervisor: child %q is in a tree already: a spec is for one place in one tree, and for one start", c.plan().name)
	}
	*taken = append(*taken, place)
	if isSpec {
		for _, kid := range s.Children {
			if err := claimBelow(kid, taken); err != nil {
				return err
			}
		}
	}
	return nil
}

// run is the body of a supervisor below another one.
func (s *Supervisor) run(ctx context.Context, in *actor.Inbox[actor.None]) error {
	sh, before := newShell(s), s.current.Load()
	if before != nil && in.Address().Closed() {
		sh.story.goOn(before)
	}
	s.current.Store(sh)
	return sh.run(ctx, in)
}

// Of returns the supervisor of the process that ctx belongs to, or, if that is
// not supervised itself, of the nearest process above it; nil if there is none.
func Of(ctx context.Context) *Supervisor {
	p, _ := ctx.Value(hold.ProcessKey{}).(hold.Process)
	for p != nil {
		up, held := p.Up()
		if held != nil {
			if c, ok := held.Owner.(*cell); ok {
				if sh, _ := c.place(); sh != nil {
					return sh.sup
				}
			}
		}
		p = up
	}
	return nil
}

// Sub returns the supervisor that is the child of that name; false if there is
// no such child or it is a worker. A path of names, separated by slashes, leads
// further down. It does not block.
func (s *Supervisor) Sub(name string) (*Supervisor, bool) {
	for part := range strings.SplitSeq(name, "/") {
		sh := s.current.Load()
		if sh == nil {
			return nil, false
		}
		if s = sh.sub(part); s == nil {
			return nil, false
		}
	}
	return s, true
}

// Children returns what is known of each child at this moment, in the order in
// which they are started. It does not block, whatever a child does.
func (s *Supervisor) Children() []Info {
	sh := s.current.Load()
	if sh == nil {
		return nil
	}
	sh.state.RLock()
	defer sh.state.RUnlock()
	all := make([]Info, 0, sh.m.figures.Specs)
	for c := sh.m.first; c != nil; c = c.next {
		all = append(all, sh.m.info(c))
	}
	return slices.Clip(all)
}

// Which returns what is known of the child of that name. The children of a
// Dynamic have none. It does not block.
func (s *Supervisor) Which(name string) (Info, bool) {
	sh := s.current.Load()
	if sh == nil {
		return Info{}, false
	}
	sh.state.RLock()
	defer sh.state.RUnlock()
	c := sh.m.byName[name]
	if c == nil {
		return Info{}, false
	}
	return sh.m.info(c), true
}

// Count returns how many children there are of each kind. It does not block and
// costs the same for any number of them.
func (s *Supervisor) Count() Counts {
	sh := s.current.Load()
	if sh == nil {
		return Counts{}
	}
	sh.state.RLock()
	defer sh.state.RUnlock()
	return sh.m.counts()
}

// Strategy returns what the supervisor does when a child ends: OneForOne for a
// Dynamic.
func (s *Supervisor) Strategy() Strategy { return s.cfg.strategy }

// Limit returns how many restarts the supervisor makes before it gives up, with
// the defaults where its spec has none; Restarts 0 means none here.
func (s *Supervisor) Limit() Limit { return s.cfg.limit }

// Dynamic reports whether the supervisor is a Dynamic.
func (s *Supervisor) Dynamic() bool { return s.cfg.dynamic }

// Wait waits until the supervisor has ended for good, and returns why: nil if it
// was stopped; an error that matches ErrShutdown if it ended by itself, with
// ErrLimitExceeded if there was one restart too many and with the last child's
// end in any case; one that matches actor.ErrAborted or actor.ErrStuck. If ctx
// ends first, the error wraps ctx's.
func (s *Supervisor) Wait(ctx context.Context) error {
	if s.wait == nil {
		return s.zero("wait")
	}
	return s.wait(ctx)
}

// Stop stops a tree: the children in reverse order of their start, each when the
// one after it is gone, and each as it wants to be stopped (see [Worker.Drain]
// and [Worker.AbortTimer]); then it waits until nothing is left. It takes as long
// as the abort timers of the children allow, and actor.StuckAfter for each that
// ignores even its abort. When ctx ends, all that is left is aborted at once,
// and it returns at most some actor.StuckAfter later.
//
// The report says of the whole tree how each child stopped; the error is what
// Wait returns, with one that matches actor.ErrStuck for each process that is
// stuck. A tree that has ended before is reported too.
//
// From a process of the tree itself Stop does not wait, because that would wait
// for itself: it asks the tree to stop and returns ErrShuttingDown. A supervisor
// that is a child of another cannot be stopped so: see [Supervisor.Terminate].
func (s *Supervisor) Stop(ctx context.Context) (Report, error) {
	if s.wait == nil {
		return Report{}, s.zero("stop")
	}
	if s.child == nil {
		return Report{}, fmt.Errorf("supervisor %q: stop: it is a child of another supervisor: terminate it there", s.name)
	}
	sh := s.current.Load()
	if id, below := sh.caller(ctx); below && id != 0 {
		s.Halt()
		return Report{}, sh.failed("stop", "", ErrShuttingDown)
	}
	_, err := s.child.Stop(ctx)
	return sh.report(), err
}
