package supervisor

import (
	"testing"
	"time"
)

// Children start in order, one after the other; the supervisor is up when all are.
func TestRule6StartInOrder(t *testing.T) {
	run(t, &Spec{Children: children(work("a"), work("b"), work("c"))}, `
		start -> start a, start b, start c, started
	`)
	run(t, &Spec{Children: children(work("a", awaited), work("b"), work("c", awaited))}, `
		start -> start a
		up a  -> start b, start c
		up c  -> started
		up c  ->
	`)
	run(t, &Spec{}, `
		start -> started
		stop  -> finish stopped
	`)
}

// A supervisor is awaited without a timer, a pool until all its processes are up.
func TestRule6AwaitedKinds(t *testing.T) {
	run(t, &Spec{Children: []Child{&Spec{Name: "sub"}, work("p", processes(2), await(time.Second)), work("z")}}, `
		start    -> start sub
		up sub   -> start p.0, start p.1, arm start p 1s
		up p.1   ->
		up p.0   -> start z, started
	`)
}

func TestRule8Ignore(t *testing.T) {
	spec := &Spec{Children: children(work("a", awaited), work("b", awaited, temporary), work("c"))}
	s := run(t, spec, `
		start         -> start a
		exit a ignore -> start b
		exit b ignore -> close b, start c, started
		closed b      ->
		exit c ignore ->
		restart c     -> start c, reply 1 ok
		restart a     -> start a
		exit a ignore -> reply 2 ignore
		terminate b   -> reply 3 no-such-child
	`)
	if got, want := s.m.counts(), (Counts{Specs: 2, Active: 1, Workers: 2}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
}

func TestRule8IgnoreInAPool(t *testing.T) {
	run(t, &Spec{Children: children(work("p", awaited, processes(3)), work("z"))}, `
		start           -> start p.0, start p.1, start p.2
		exit p.0 ignore ->
		up p.1          ->
		exit p.2 ignore -> start z, started
		exit p.1 crash  -> start p.1
	`)
	run(t, &Spec{Children: children(work("p", awaited, processes(2), transient), work("z"))}, `
		start           -> start p.0, start p.1
		up p.0          ->
		exit p.0        ->
		exit p.1 ignore -> start z, started
		restart p       -> start p.0, start p.1
	`)
}

func TestRule9Rollback(t *testing.T) {
	spec := &Spec{Children: children(work("a"), work("b"), work("c", awaited), work("d"))}
	run(t, spec, `
		start        -> start a, start b, start c
		exit c crash -> halt b
		exit b       -> halt a
		exit a       -> finish start-failed c
	`)
	s := newScript(t, config{root: true, limit: Limit{}.orDefault()}, spec.Children, nil)
	s.play(`
		start        -> start a, start b, start c
		exit c       -> close d
		closed d     -> close c
		closed c     -> close b, halt b
		exit b       ->
		closed b     -> close a, halt a
		closed a     -> finish start-failed c
	`)
	if err := s.m.why.err; err != ErrNotStarted {
		t.Errorf("the supervisor ended with %v", err)
	}
}

func TestRule12StartTimeout(t *testing.T) {
	run(t, &Spec{Children: children(work("a", await(time.Second), abortTimer(time.Minute)), work("b"))}, `
		start          -> start a, arm start a 1s
		timer start a  -> halt a, arm abort a 1m0s
		up a           ->
		timer abort a  -> abort a
		exit a crash   -> finish start-failed a
	`)
	run(t, &Spec{Children: children(work("a", await(time.Second), brutal))}, `
		start          -> start a, arm start a 1s
		timer start a  -> abort a
		stuck a        -> finish start-failed a
	`)
	run(t, &Spec{Children: children(work("p", await(time.Second), processes(3)))}, `
		start           -> start p.0, start p.1, start p.2, arm start p 1s
		up p.1          ->
		exit p.0 crash  -> halt p
		exit p.2        ->
		exit p.1        -> finish start-failed p
	`)
}

// What becomes of a start that a group restart overtakes.
func TestStartOvertaken(t *testing.T) {
	spec := &Spec{Strategy: OneForAll, Limit: Limit{Restarts: 9}, Children: children(work("a"), work("p", awaited, processes(2)), work("c", awaited))}
	run(t, spec, `
		start          -> start a, start p.0, start p.1
		up p.0         ->
		exit a crash   -> halt p
		exit p.1 crash ->
		exit p.0       -> start a, start p.0, start p.1
		up p.1         ->
		up p.0         -> start c
		up c           -> started
		exit a crash   -> halt c
		exit p.1 crash ->
		up p.0         ->
		exit c         -> halt p
		exit p.0       -> start a, start p.0, start p.1
		exit p.1 crash -> halt p
		exit a         ->
		exit p.0       -> start a, start p.0, start p.1
		up p.1         ->
		exit a         -> halt p
	`)
	// Children that are starting while later ones are stopped for a group.
	run(t, &Spec{Strategy: RestForOne, Children: children(work("a", awaited, processes(2), transient), work("b"), work("c"))}, `
		start          -> start a.0, start a.1
		up a.0         ->
		up a.1         -> start b, start c, started
		terminate a    -> halt a
		exit a.0       ->
		exit a.1       -> reply 1 ok
		restart a      -> start a.0, start a.1
		exit b crash   -> halt c
		up a.0         ->
		exit a.1       -> halt a
		exit c         ->
		exit a.0       -> reply 2 ended-before-it-was-started, start b, start c
	`)
	// A doomed child that is starting, one of whose processes ends.
	run(t, &Spec{Strategy: OneForAll, Children: children(work("a"), work("p", awaited, processes(2)), work("c"))}, `
		add d          ->
		start          -> start a, start p.0, start p.1
		up p.0         ->
		terminate c    -> reply 2 ok
		restart c      ->
		up p.1         -> start c, reply 3 ok, start d, started
		up d           -> reply 1 ok
		terminate p    -> halt p
		exit p.0       ->
		exit p.1       -> reply 4 ok
		restart p      -> start p.0, start p.1
		up p.0         ->
		exit a crash   -> halt d
		exit p.1 crash -> reply 5 ok
		exit d         -> halt c
		exit c         -> halt p
		exit p.0       -> start a, start p.0, start p.1
	`, work("d", awaited))
}

// What comes from an earlier process, or from nobody, changes nothing.
func TestRule16OldNotices(t *testing.T) {
	s := run(t, &Spec{Children: children(work("a", awaited))}, `
		start        -> start a
		up a         -> started
		exit a crash -> start a
		exit a old   ->
		up a old     ->
		stuck a old  ->
		released a   ->
		closed a     ->
		up a         ->
	`)
	for _, e := range []event{
		{kind: evExit, child: 7, incarnation: 1},
		{kind: evExit, child: 1, process: 1, incarnation: 2},
		{kind: evExit, child: 1, process: all, incarnation: 2},
		{kind: evReleased, child: 1, process: 5},
		{kind: evReleased, child: 9},
		{kind: evTimer},
		{kind: evTimer, timer: timer{timerRestart, 1, 0, 77}},
		{kind: evTimer, timer: timer{timerRestart, 1, 9, 77}},
		{kind: evTimer, timer: timer{timerAbort, 5, all, 77}},
		{kind: evStart},
	} {
		if acts := s.m.step(e); len(acts) > 0 {
			t.Errorf("%+v -> %+v", e, acts)
		}
	}
}

// What is new no more is not awaited, whatever else goes on.
func TestStartedWithoutOneThatWasTerminated(t *testing.T) {
	run(t, &Spec{Strategy: RestForOne, Children: children(work("a"), work("b", awaited))}, `
		start        -> start a, start b
		exit a crash -> halt b
		terminate b  -> started
		exit b       -> reply 1 ok, start a
	`)
}
