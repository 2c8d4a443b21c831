package supervisor

import (
	"fmt"
	"testing"
	"time"
)

func TestRule13RestartTypes(t *testing.T) {
	for _, test := range []struct {
		restart Restart
		exit    string
		want    string
		specs   int
		active  int
	}{
		{Permanent, "ok", "start a", 1, 1},
		{Permanent, "shutdown", "start a", 1, 1},
		{Permanent, "crash", "start a", 1, 1},
		{Permanent, "ignore", "", 1, 0},
		{Transient, "ok", "", 1, 0},
		{Transient, "shutdown", "", 1, 0},
		{Transient, "crash", "start a", 1, 1},
		{Transient, "ignore", "", 1, 0},
		{Temporary, "ok", "close a", 1, 0},
		{Temporary, "shutdown", "close a", 1, 0},
		{Temporary, "crash", "close a", 1, 0},
		{Temporary, "ignore", "close a", 1, 0},
	} {
		t.Run(fmt.Sprint(test.restart, " ", test.exit), func(t *testing.T) {
			a := work("a")
			a.Restart = test.restart
			s := run(t, &Spec{Children: children(a)}, `start -> start a, started`)
			s.play("exit a " + test.exit + " -> " + test.want)
			if got, want := s.m.counts(), (Counts{Specs: test.specs, Active: test.active, Workers: test.specs}); got != want {
				t.Errorf("counts %+v, want %+v", got, want)
			}
			if test.restart == Temporary {
				s.play("closed a ->")
				if got := s.m.counts(); got != (Counts{}) {
					t.Errorf("counts %+v in the end", got)
				}
			}
		})
	}
}

// What has ended and is not restarted is there, or not (rules 13 to 15).
func TestRule15AfterTheEnd(t *testing.T) {
	run(t, &Spec{Children: children(work("a", transient), work("b", temporary))}, `
		start     -> start a, start b, started
		exit a    ->
		remove a  -> close a
		closed a  -> reply 1 ok
		restart a -> reply 2 no-such-child
		exit b    -> close b
		closed b  ->
		restart b -> reply 3 no-such-child
	`)
}

func TestRule18OneForOne(t *testing.T) {
	run(t, &Spec{Children: children(work("a"), work("b"), work("c"))}, `
		start        -> start a, start b, start c, started
		exit b crash -> start b
		exit c       -> start c
	`)
}

func TestRule19OneForAll(t *testing.T) {
	run(t, &Spec{Strategy: OneForAll, Children: children(work("a"), work("b"), work("c"))}, `
		start        -> start a, start b, start c, started
		exit b crash -> halt c
		exit c crash -> halt a
		exit a       -> start a, start b, start c
	`)
	run(t, &Spec{Strategy: OneForAll, Children: children(work("a"))}, `
		start        -> start a, started
		exit a crash -> start a
		exit a crash -> start a
	`)
}

func TestRule20RestForOne(t *testing.T) {
	spec := &Spec{Strategy: RestForOne, Children: children(work("a"), work("b"), work("c"), work("d"))}
	run(t, spec, `
		start        -> start a, start b, start c, start d, started
		exit b crash -> halt d
		exit d       -> halt c
		exit c       -> start b, start c, start d
		exit d crash -> start d
		exit a crash -> halt d
		exit d       -> halt c
		exit c       -> halt b
		exit b       -> start a, start b, start c, start d
	`)
}

func TestRule21TemporaryBystander(t *testing.T) {
	run(t, &Spec{Strategy: OneForAll, Children: children(work("a"), work("b", temporary), work("c", temporary, draining))}, `
		start        -> start a, start b, start c, started
		exit a crash -> close c
		exit c       ->
		closed c     -> close b, halt b
		closed b     -> start a
		exit a       -> start a
	`)
	// One that dies by itself meanwhile is removed in its turn.
	run(t, &Spec{Strategy: OneForAll, Children: children(work("a"), work("b", temporary), work("c"))}, `
		start        -> start a, start b, start c, started
		exit a crash -> halt c
		exit b crash ->
		exit c       -> close b
		closed b     -> start a, start c
	`)
}

// One that was never started is not killed, and so it is started.
func TestTemporaryThatWaits(t *testing.T) {
	run(t, &Spec{Strategy: OneForAll, Children: children(work("a"), work("b", awaited), work("c", temporary))}, `
		start        -> start a, start b
		exit a crash -> halt b
		exit b       -> start a, start b
		up b         -> start c, started
	`)
}

// A group restart starts every kept child in its range.
func TestRule22GroupRevives(t *testing.T) {
	run(t, &Spec{Strategy: RestForOne, Children: children(work("a", transient), work("b"), work("c", transient), work("d"))}, `
		start        -> start a, start b, start c, start d, started
		exit a       ->
		exit c       ->
		terminate d  -> halt d
		exit d       -> reply 1 ok
		exit b crash -> start b, start c, start d
	`)
}

func TestRule23OneIncidentCountsOnce(t *testing.T) {
	run(t, &Spec{Strategy: OneForAll, Limit: Limit{Restarts: 1}, Children: children(work("a"), work("b"), work("c"))}, `
		start        -> start a, start b, start c, started
		exit b crash -> halt c
		exit a crash ->
		exit c crash -> start a, start b, start c
		wait 5s      ->
		exit b crash -> halt c
	`)
}

func TestRule24RestartFails(t *testing.T) {
	spec := &Spec{Strategy: OneForAll, Limit: Limit{Restarts: 9}, Children: children(work("a"), work("b", awaited), work("c"))}
	run(t, spec, `
		start         -> start a, start b
		up b          -> start c, started
		exit a crash  -> halt c
		exit c        -> halt b
		exit b        -> start a, start b
		exit b crash  -> halt a
		exit a        -> arm group b 0s
		timer group b -> start a, start b
		up b          -> start c
	`)
	spec.Strategy = RestForOne
	run(t, spec, `
		start         -> start a, start b
		up b          -> start c, started
		exit a crash  -> halt c
		exit c        -> halt b
		exit b        -> start a, start b
		exit b crash  -> arm group b 0s
		timer group b -> start b
		up b          -> start c
	`)
}

func TestRule25LimitWindow(t *testing.T) {
	spec := &Spec{Limit: Limit{Restarts: 2, Period: time.Second}, Children: children(work("a"), work("b"))}
	run(t, spec, `
		start        -> start a, start b, started
		exit a crash -> start a
		wait 500ms   ->
		exit a crash -> start a
		wait 500ms   ->
		exit b crash -> halt a
		exit a       -> finish limit b
	`)
	run(t, spec, `
		start        -> start a, start b, started
		exit a crash -> start a
		wait 500ms   ->
		exit a crash -> start a
		wait 501ms   ->
		exit b crash -> start b
		wait 501ms   ->
		exit b crash -> start b
		wait 100ms   ->
		exit b crash -> halt a
	`)
	spec.Limit.Restarts = -1
	run(t, spec, `
		start        -> start a, start b, started
		exit b crash -> halt a
		exit a       -> finish limit b
	`)
}

// Failed attempts count as well.
func TestRule26FailedAttemptsCount(t *testing.T) {
	run(t, &Spec{Limit: Limit{Restarts: 2}, Children: children(work("a", awaited), work("b"))}, `
		start           -> start a
		up a            -> start b, started
		exit a crash    -> start a
		exit a crash    -> arm restart a 0s
		timer restart a -> start a
		exit a          -> halt b
		exit b          -> finish limit a
	`)
}

func TestRule27TheEndOfTheLimit(t *testing.T) {
	s := run(t, &Spec{Limit: Limit{Restarts: -1}, Children: children(work("a"), work("b"), work("c"))}, `
		start        -> start a, start b, start c, started
		exit b crash -> halt c
		exit c       -> halt a
		exit a       -> finish limit b
		stop         ->
		terminate a  -> reply 1 shutting-down
	`)
	if w := s.m.why; w.err != errCrash || w.reason.kind() != exitShutdown {
		t.Errorf("it ended with %+v", w)
	}
}

func TestRule32TerminateCancelsRestart(t *testing.T) {
	b := Backoff{Min: time.Second, Jitter: -1}
	s := run(t, &Spec{Children: children(work("a", backoff(b)))}, `
		start        -> start a, started
		exit a crash -> arm restart a 1s
		add a        -> reply 1 child-already-present
		restart a    -> reply 2 child-is-restarting
		remove a     -> reply 3 child-is-restarting
	`, work("a"))
	late := s.timers["restart a"]
	if got := s.m.counts(); got.Active != 0 || got.Specs != 1 {
		t.Errorf("counts %+v", got)
	}
	if got := stateOf(s.m.byName["a"]); got != Restarting {
		t.Errorf("it is %v", got)
	}
	s.play(`terminate a -> reply 4 ok`)
	if acts := s.m.step(event{kind: evTimer, timer: late}); len(acts) > 0 {
		t.Errorf("the late timer does %+v", acts)
	}
	s.play(`
		restart a    -> start a, reply 5 ok
		exit a crash -> arm restart a 1s
	`)
}

// Between attempts everything is served, also the order to stop.
func TestRule31ServedBetweenAttempts(t *testing.T) {
	run(t, &Spec{Limit: Limit{Restarts: 100}, Children: children(work("a", awaited), work("b"))}, `
		start           -> start a
		up a            -> start b, started
		exit a crash    -> start a
		exit a crash    -> arm restart a 0s
		terminate b     -> halt b
		exit b          -> reply 1 ok
		restart b       -> start b, reply 2 ok
		timer restart a -> start a
		exit a crash    -> arm restart a 0s
		stop            -> halt b
		exit b          -> finish stopped
	`)
}

// A second failure during a group restart makes one restart, not two.
func TestRule35GroupRestartsAreSerial(t *testing.T) {
	run(t, &Spec{Strategy: RestForOne, Limit: Limit{Restarts: 5}, Children: children(work("a"), work("b"), work("c", awaited), work("d"))}, `
		start        -> start a, start b, start c
		up c         -> start d, started
		exit b crash -> halt d
		exit a crash ->
		exit d       -> halt c
		exit c       -> start a, start b, start c
		exit b crash -> halt c
		exit c       -> start b, start c
		up c         -> start d
	`)
}

// The processes of a pool are restarted alone, with every strategy.
func TestPoolProcessesRestartAlone(t *testing.T) {
	for _, strategy := range []Strategy{OneForOne, OneForAll, RestForOne} {
		run(t, &Spec{Strategy: strategy, Children: children(work("p", processes(2), transient), work("b"))}, `
			start           -> start p.0, start p.1, start b, started
			exit p.1 crash  -> start p.1
			exit p.0        ->
			exit p.1        ->
			restart p       -> start p.0, start p.1, reply 1 ok
		`)
	}
	run(t, &Spec{Strategy: OneForAll, Children: children(work("p", processes(2), backoff(Backoff{Min: time.Second})), work("b"))}, `
		start           -> start p.0, start p.1, start b, started
		exit p.1 crash  -> arm restart p.1 1s
		exit b crash    -> halt p
		exit p.0        -> start p.0, start p.1, start b
	`)
}
