package supervisor

import (
	"slices"
	"testing"
	"time"
)

// A child's life by hand, from one state to the next (rules 45, 56, 57).
func TestRule56And57Administration(t *testing.T) {
	s := run(t, &Spec{Children: children(work("a"))}, `
		start       -> start a, started
		add b       -> start b, reply 1 ok
		add b       -> reply 2 child-already-started
		restart b   -> reply 3 child-is-running
		remove b    -> reply 4 child-is-running
		terminate b -> halt b
		add b       -> reply 6 child-already-present
		restart b   -> reply 7 child-is-running
		terminate b ->
		exit b      -> reply 5 ok, reply 8 ok
		terminate b -> reply 9 ok
		add b       -> reply 10 child-already-present
		restart b   -> start b, reply 11 ok
		terminate b -> halt b
		exit b      -> reply 12 ok
		remove b    -> close b
		remove b    -> reply 14 child-is-running
		closed b    -> reply 13 ok
		terminate b -> reply 15 no-such-child
		restart b   -> reply 16 no-such-child
		remove b    -> reply 17 no-such-child
	`, work("b"))
	if got, want := s.m.counts(), (Counts{Specs: 1, Active: 1, Workers: 1}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	if len(s.m.pending) != 0 {
		t.Errorf("requests %v are not answered", s.m.pending)
	}
}

func TestRule56FailedAddIsDiscarded(t *testing.T) {
	run(t, &Spec{Children: children(work("a"))}, `
		start        -> start a, started
		add b        -> start b
		exit b crash -> reply 1 crash, close b
		closed b     ->
		add b        -> start b
		exit b       -> reply 2 ended-before-it-was-started, close b
		closed b     ->
		terminate b  -> reply 3 no-such-child
	`, work("b", awaited))
}

func TestRule57FailedRestartIsKept(t *testing.T) {
	s := run(t, &Spec{Limit: Limit{Restarts: -1}, Children: children(work("a", awaited))}, `
		start        -> start a
		up a         -> started
		terminate a  -> halt a
		exit a       -> reply 1 ok
		restart a    -> start a
		exit a crash -> reply 2 crash
		terminate a  -> reply 3 ok
		restart a    -> start a
		up a         -> reply 4 ok
	`)
	if s.m.ending {
		t.Error("a restart by hand counts")
	}
}

// In a group strategy a child that is added waits for the group.
func TestAddDuringGroupRestart(t *testing.T) {
	run(t, &Spec{Strategy: RestForOne, Children: children(work("a"), work("b"))}, `
		start        -> start a, start b, started
		exit a crash -> halt b
		add c        ->
		restart c    -> reply 2 child-is-restarting
		exit b       -> start a, start b, start c, reply 1 ok
		exit a crash -> halt c
	`, work("c"))
	run(t, &Spec{Strategy: RestForOne, Children: children(work("a"), work("b"))}, `
		start        -> start a, start b, started
		exit a crash -> halt b
		add c        ->
		terminate c  -> reply 1 ended-before-it-was-started, reply 2 ok
		exit b       -> start a, start b
	`, work("c"))
}

func TestAddDuringStart(t *testing.T) {
	run(t, &Spec{Children: children(work("a", awaited), work("b"))}, `
		start        -> start a
		add c        ->
		up a         -> start b, start c, started
		exit c crash -> reply 1 crash, close c
	`, work("c", awaited))
}

// Who is terminated while a group restarts takes no part in it.
func TestTerminateDuringGroupRestart(t *testing.T) {
	spec := &Spec{Strategy: OneForAll, Children: children(work("a"), work("b", awaited), work("c"), work("d"))}
	run(t, spec, `
		start        -> start a, start b
		up b         -> start c, start d, started
		exit a crash -> halt d
		terminate c  -> halt c
		terminate d  ->
		exit d       -> reply 2 ok
		exit c       -> reply 1 ok, halt b
		exit b       -> start a, start b
		terminate b  -> halt b
		exit b       -> reply 3 ok
		exit a crash -> start a, start b
	`)
	run(t, spec, `
		start        -> start a, start b
		up b         -> start c, start d, started
		exit d crash -> halt c
		terminate d  -> reply 1 ok
		exit c       -> halt b
		exit b crash -> halt a
		exit a       -> start a, start b
	`)
}

func TestTerminateWhileStarting(t *testing.T) {
	run(t, &Spec{Children: children(work("a", awaited), work("b"))}, `
		start       -> start a
		terminate a -> halt a, start b, started
		exit a      -> reply 1 ok
		restart a   -> start a
		terminate a -> reply 2 ended-before-it-was-started, halt a
		exit a      -> reply 3 ok
	`)
	// A start that fails is forgotten.
	run(t, &Spec{Strategy: OneForAll, Children: children(work("a", await(time.Second)), work("b"))}, `
		start         -> start a, arm start a 1s
		timer start a -> halt a
		terminate a   -> start b, started
		exit a        -> reply 1 ok
		exit b crash  -> start a, arm start a 1s
	`)
}

func TestRule58Dynamic(t *testing.T) {
	s := runDynamic(t, Limit{}, 2, `
		start        -> started
		add a        -> start a, reply 1 ok
		add b        -> start b, reply 2 ok
		add c        -> reply 3 too-many-children
		exit a crash -> arm restart a 1s
		add c        -> reply 4 too-many-children
		terminate b  -> close b, halt b
		terminate b  ->
		exit b       ->
		closed b     -> reply 5 ok, reply 6 ok
		terminate b  -> reply 7 no-such-child
		add c        -> start c, reply 8 ok
		terminate a  -> close a
		closed a     -> reply 9 ok
		exit c       -> close c
		closed c     ->
	`, work("a", backoff(Backoff{Min: time.Second})), work("b"), work("c", transient))
	if got := s.m.counts(); got != (Counts{}) {
		t.Errorf("counts %+v", got)
	}
	if s.m.first != nil || s.m.last != nil || len(s.m.byID) != 0 {
		t.Error("something of the children is left")
	}
}

// A dynamic child that does not start, or ignores its restart, disappears.
func TestRule8DynamicIgnore(t *testing.T) {
	runDynamic(t, Limit{}, 0, `
		start         -> started
		add a         -> start a
		exit a ignore -> reply 1 ignore, close a
		closed a      ->
		add a         -> start a
		exit a crash  -> reply 2 crash, close a
		closed a      ->
		add a         -> start a
		up a          -> reply 3 ok
		exit a crash  -> start a
		exit a ignore -> close a
		closed a      ->
		stop          -> finish stopped
	`, work("a", awaited))
}

func TestRule59Counts(t *testing.T) {
	s := run(t, &Spec{Children: []Child{work("a"), work("b", backoff(Backoff{Min: time.Second})), &Spec{Name: "sub"}, work("p", processes(3))}}, `
		start        -> start a, start b, start sub
		up sub       -> start p.0, start p.1, start p.2, started
		exit b crash -> arm restart b 1s
		terminate a  -> halt a
		exit a       -> reply 1 ok
	`)
	if got, want := s.m.counts(), (Counts{Specs: 4, Active: 2, Supervisors: 1, Workers: 3}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	var states []State
	for c := s.m.first; c != nil; c = c.next {
		states = append(states, s.m.info(c).State)
	}
	want := []State{Stopped, Restarting, Running, Running}
	for i := range want {
		if states[i] != want[i] {
			t.Errorf("states %v, want %v", states, want)
			break
		}
	}
	if got := s.m.info(s.m.last); got.Name != "p" || got.Processes != 3 || got.Supervisor {
		t.Errorf("info %+v", got)
	}
}

// Calls from children end, whatever happens to the child.
func TestRule61CallsFromChildren(t *testing.T) {
	spec := &Spec{Children: children(work("a"), work("b"))}
	run(t, spec, `
		start              -> start a, start b, started
		add c from b       -> start c
		terminate b        -> reply 1 shutting-down, halt b
		add d from b       -> reply 3 shutting-down
		restart c from a   -> reply 4 child-is-running
		up c               ->
		exit b             -> reply 2 ok
		terminate a from a -> reply 5 shutting-down, halt a
		exit a             ->
	`, work("c", awaited), work("d"))
	run(t, spec, `
		start              -> start a, start b, started
		add c from b       -> start c
		terminate a from b -> halt a
		stop               -> reply 1 shutting-down, reply 2 shutting-down, close c, halt c
		add d from a       -> reply 3 shutting-down
		closed c           -> halt b
		exit b             ->
		exit a             -> finish stopped
	`, work("c", awaited), work("d"))
	runDynamic(t, Limit{}, 0, `
		start              -> started
		add a              -> start a, reply 1 ok
		terminate a from a -> reply 2 shutting-down, close a, halt a
		closed a           ->
		add b from a       -> reply 3 shutting-down
	`, work("a"), work("b"))
}

func TestRule62AddAfterStop(t *testing.T) {
	run(t, &Spec{Children: children(work("a"))}, `
		start  -> start a, started
		stop   -> halt a
		add b  -> reply 1 shutting-down
		exit a -> finish stopped
		add b  -> reply 2 shutting-down
	`, work("b"))
}

func TestReplace(t *testing.T) {
	spec := &Spec{Strategy: OneForAll, Limit: Limit{Restarts: -1}, Children: children(work("a", transient), work("b", abortTimer(time.Minute)), work("p", processes(2)))}
	run(t, spec, `
		start            -> start a, start b, start p.0, start p.1, started
		replace b        -> adopt 1, halt b, arm abort b 1m0s
		replace b        -> reply 2 child-is-restarting
		timer abort b    -> abort b
		exit b crash     -> start b, reply 1 ok
		replace p        -> adopt 3, halt p.0, halt p.1
		exit p.1         -> start p.1
		exit p.0         -> start p.0, reply 3 ok
		replace a from a -> adopt 4, reply 4 shutting-down, halt a
		exit a           -> start a
		exit a           ->
		replace a        -> adopt 5, reply 5 ok
		terminate b      -> halt b, arm abort b 1m0s
		replace b        -> adopt 7, reply 7 ok
		exit b           -> reply 6 ok
		replace x        -> reply 8 no-such-child
	`)
}

func TestReplaceWithAwaitedStart(t *testing.T) {
	run(t, &Spec{Children: children(work("a", await(time.Second)))}, `
		start           -> start a, arm start a 1s
		replace a       -> reply 1 child-is-restarting
		up a            -> started
		replace a       -> adopt 2, halt a
		exit a          -> start a, arm start a 1s
		replace a       -> reply 3 child-is-restarting
		up a            -> reply 2 ok
		replace a       -> adopt 4, halt a
		exit a          -> start a, arm start a 1s
		timer start a   -> halt a
		exit a          -> reply 4 not-started-in-time, arm restart a 0s
		timer restart a -> start a, arm start a 1s
		terminate a     -> halt a
		exit a          -> reply 5 ok
	`)
	run(t, &Spec{Children: children(work("p", awaited, processes(2)))}, `
		start            -> start p.0, start p.1
		up p.1           ->
		up p.0           -> started
		replace p        -> adopt 1, halt p.0, halt p.1
		exit p.0         -> start p.0
		exit p.0 crash   -> reply 1 crash, arm restart p.0 0s
		replace p        -> reply 2 child-is-restarting
		exit p.1         -> start p.1
		up p.1           ->
		replace p        -> adopt 3, halt p.1
	`)
	run(t, &Spec{Children: children(work("a", awaited, temporary))}, `
		start        -> start a
		up a         -> started
		replace a    -> adopt 1, halt a
		exit a       -> start a
		exit a crash -> reply 1 crash, close a
	`)
	run(t, &Spec{Children: children(work("a", awaited, transient))}, `
		start         -> start a
		up a          -> started
		replace a     -> adopt 1, halt a
		exit a        -> start a
		exit a ignore -> reply 1 ok
		restart a     -> start a
	`)
}

// A stop that overtakes a Replace ends it.
func TestReplaceOvertaken(t *testing.T) {
	spec := &Spec{Strategy: OneForAll, Children: children(work("a"), work("b"))}
	run(t, spec, `
		start        -> start a, start b, started
		replace b    -> adopt 1, halt b
		exit a crash -> reply 1 ok, halt b
		exit b       -> start a, start b
		replace b    -> adopt 2, halt b
		terminate b  -> reply 2 ok, halt b
		exit b       -> reply 3 ok
		replace a    -> adopt 4, halt a
		stop         -> reply 4 shutting-down, halt a
		exit a       -> finish stopped
	`)
	run(t, &Spec{Strategy: OneForAll, Children: children(work("a"), work("b"), work("c"))}, `
		start        -> start a, start b, start c, started
		exit a crash -> halt c
		replace b    -> adopt 1, reply 1 ok
		exit c       -> halt b
		exit b       -> start a, start b, start c
	`)
}

// A process that a Replace has started is a replaced one, even if somebody else
// has overtaken the Replace meanwhile.
func TestReplacedIsNotRestarted(t *testing.T) {
	s := run(t, &Spec{Strategy: OneForAll, Children: children(work("a", awaited), work("b"), work("c"))}, `
		start        -> start a
		up a         -> start b, start c, started
		replace a    -> adopt 1, halt a
		exit a       -> start a
		exit b crash -> reply 1 ok, halt c
		up a         ->
	`)
	if !slices.Equal(s.notes, []string{"replaced a"}) {
		t.Errorf("notes %q", s.notes)
	}
}
