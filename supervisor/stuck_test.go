package supervisor

import (
	"testing"
	"time"

	"tinyactor/actor"
)

// Where nothing is to be started in its place, nobody waits for a stuck process.
func TestRule51NobodyWaits(t *testing.T) {
	s := run(t, &Spec{Children: children(work("a"), work("b"), work("c", temporary))}, `
		start       -> start a, start b, start c, started
		terminate b -> halt b
		stuck b     -> reply 1 actor:-stuck
		terminate b -> reply 2 ok
		restart b   -> reply 3 actor:-stuck
		terminate c -> close c, halt c
		stuck c     ->
		closed c    -> reply 4 actor:-stuck
	`)
	if got, want := s.m.counts(), (Counts{Specs: 2, Active: 1, Workers: 2, Stuck: 2}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	s.play(`
		released c ->
		released c ->
		released b ->
		restart b  -> start b, reply 5 ok
		stop       -> halt b
		stuck b    -> halt a
		stuck a    -> finish stopped
	`)
	if got := s.m.counts().Stuck; got != 2 {
		t.Errorf("%d stuck, want 2", got)
	}
	s.play(`released a ->`)
	if got := s.m.counts().Stuck; got != 1 || len(s.m.ghosts) != 0 {
		t.Errorf("%d stuck, ghosts %v", got, s.m.ghosts)
	}
}

func TestRule52Escalate(t *testing.T) {
	s := run(t, &Spec{Strategy: OneForAll, Children: children(work("a"), work("b"), work("c"))}, `
		start        -> start a, start b, start c, started
		exit b crash -> halt c
		stuck c      -> halt a
		exit a       -> finish stuck c
	`)
	if s.m.why.err != actor.ErrStuck || s.m.why.reason.kind() != exitFailed {
		t.Errorf("it ended with %+v", s.m.why)
	}
}

func TestRule52Replace(t *testing.T) {
	spec := &Spec{Strategy: OneForAll, Limit: Limit{Restarts: 2}, Children: children(work("a"), work("b", swapStuck))}
	s := run(t, spec, `
		start        -> start a, start b, started
		exit a crash -> halt b
		stuck b      -> start a, start b
		exit b crash -> halt a
		exit a       -> finish limit b
	`)
	if got := s.m.counts().Stuck; got != 1 {
		t.Errorf("%d stuck", got)
	}
	run(t, spec, `
		start        -> start a, start b, started
		exit a crash -> halt b
		stuck b      -> start a, start b
		released b   ->
		replace b    -> adopt 1, halt b
		stuck b      -> reply 1 shutting-down, halt a
		exit a       -> finish limit b
	`)
}

func TestRule52Wait(t *testing.T) {
	run(t, &Spec{Strategy: OneForAll, Children: children(work("a"), work("b", waitStuck), work("c"))}, `
		start        -> start a, start b, start c, started
		exit a crash -> halt c
		exit c       -> halt b
		stuck b      -> start a
		terminate c  -> reply 1 ok
		released b   -> start b
		exit a crash -> halt b
		stuck b      -> start a
		stop         -> halt a
		exit a       -> finish stopped
	`)
	run(t, &Spec{Children: children(work("p", waitStuck, processes(2)))}, `
		start         -> start p.0, start p.1, started
		replace p     -> adopt 1, halt p.0, halt p.1
		stuck p.0     ->
		exit p.1      -> start p.1
		replace p     -> reply 2 child-is-restarting
		exit p.1 crash -> start p.1
		released p.0  -> start p.0, reply 1 ok
	`)
}

// Who was terminated and is stuck stays out of group restarts, and is no reason
// to give up.
func TestStuckAndTerminated(t *testing.T) {
	run(t, &Spec{Strategy: OneForAll, Children: children(work("a"), work("b"), work("c", waitStuck))}, `
		start        -> start a, start b, start c, started
		terminate b  -> halt b
		stuck b      -> reply 1 actor:-stuck
		terminate c  -> halt c
		stuck c      -> reply 2 actor:-stuck
		exit a crash -> start a
		released c   ->
		exit a crash -> start a, start c
	`)
	run(t, &Spec{Strategy: OneForAll, Children: children(work("a"), work("b"))}, `
		start        -> start a, start b, started
		exit a crash -> halt b
		terminate b  ->
		stuck b      -> reply 1 actor:-stuck, start a
	`)
	run(t, &Spec{Strategy: OneForAll, Children: children(work("a"), work("b", temporary, waitStuck))}, `
		start        -> start a, start b, started
		replace b    -> adopt 1, halt b
		stuck b      ->
		exit a crash -> reply 1 ok, close b
		closed b     -> start a
		released b   ->
	`)
}

// A start that hangs in a restart: the failure counts, not the stuck process.
func TestRule54StuckStart(t *testing.T) {
	run(t, &Spec{Limit: Limit{Restarts: 2}, Children: children(work("a", await(time.Second), swapStuck), work("b"))}, `
		start           -> start a, arm start a 1s
		up a            -> start b, started
		exit a crash    -> start a, arm start a 1s
		timer start a   -> halt a
		stuck a         -> arm restart a 0s
		timer restart a -> start a, arm start a 1s
		up a            ->
		exit a crash    -> halt b
	`)
	run(t, &Spec{Children: children(work("a", await(time.Second)), work("b"))}, `
		start           -> start a, arm start a 1s
		up a            -> start b, started
		exit a crash    -> start a, arm start a 1s
		timer start a   -> halt a
		stuck a         -> halt b
		exit b          -> finish stuck a
	`)
	run(t, &Spec{Children: children(work("a", await(time.Second), waitStuck))}, `
		start           -> start a, arm start a 1s
		up a            -> started
		exit a crash    -> start a, arm start a 1s
		timer start a   -> halt a
		stuck a         -> arm restart a 0s
		timer restart a ->
		add b           -> start b, reply 1 ok
		released a      -> start a, arm start a 1s
	`, work("b"))
}

// A stuck process that an earlier supervisor has left behind.
func TestStuckFromBefore(t *testing.T) {
	for _, test := range []struct {
		policy StuckPolicy
		lines  string
	}{
		{StuckEscalate, `start -> start a, halt a
			exit a -> finish start-failed b`},
		{StuckReplace, `start -> start a, start b, start c, started`},
		{StuckWait, `start -> start a
			released b -> start b, start c, started`},
	} {
		w := work("b")
		w.OnStuck = test.policy
		list := children(work("a"), w, work("c"))
		s := newScript(t, configOf(&Spec{}), list, nil)
		s.m = newMachine(configOf(&Spec{}), []seed{{spec: list[0]}, {spec: list[1], stuck: []int{1}}, {spec: list[2]}})
		s.play(test.lines)
	}
}

// Somebody else has aborted a child, and it is stuck.
func TestStuckUnasked(t *testing.T) {
	run(t, &Spec{Children: children(work("a"), work("b", swapStuck), work("c", waitStuck), work("d", temporary))}, `
		start      -> start a, start b, start c, start d, started
		stuck b    -> start b
		stuck c    ->
		released c -> start c
		stuck d    -> close d
		closed d   ->
		stuck a    -> halt c
	`)
}

// A child that was starting and is stuck is starting no more.
func TestStuckWhileStarting(t *testing.T) {
	s := run(t, &Spec{Strategy: OneForAll, Children: children(work("a", awaited))}, `
		start        -> start a
		up a         -> started
		exit a crash -> start a
		add b        ->
		stuck a      -> reply 1 shutting-down, close b
	`, work("b"))
	if i := s.m.info(s.m.first); i.State != Restarting || i.Processes != 0 {
		t.Errorf("the stuck child is %+v", i)
	}
	s.play(`closed b -> finish stuck a`)
}
