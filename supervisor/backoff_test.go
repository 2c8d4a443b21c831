package supervisor

import (
	"testing"
	"time"
)

// Delays grow with failures in a row, and shrink when the child has run for long.
func TestRule65DelaysGrowAndAreReset(t *testing.T) {
	b := Backoff{Max: time.Second, Jitter: -1, ResetAfter: 10 * time.Second}
	s := run(t, &Spec{Limit: Limit{Restarts: 100}, Children: children(work("a", backoff(b), awaited), work("b"))}, `
		start           -> start a
		up a            -> start b, started
		exit a crash    -> start a
		exit a crash    -> arm restart a 20ms
		exit b crash    -> start b
		timer restart a -> start a
		up a            ->
		wait 9s         ->
		exit a crash    -> arm restart a 40ms
		timer restart a -> start a
		exit a          -> arm restart a 80ms
		timer restart a -> start a
		wait 11s        ->
		exit a crash    -> arm restart a 160ms
		timer restart a -> start a
		up a            ->
		wait 10s        ->
		exit a crash    -> start a
	`)
	if got := s.m.info(s.m.first).Restarts; got != 6 {
		t.Errorf("%d restarts", got)
	}
}

// Each child has a timer of its own, which no sibling touches (rule 66).
func TestRule66TimersOfTheirOwn(t *testing.T) {
	b := backoff(Backoff{Min: time.Second})
	run(t, &Spec{Limit: Limit{Restarts: 100}, Children: children(work("a", b), work("b", b), work("p", processes(2), b))}, `
		start             -> start a, start b, start p.0, start p.1, started
		exit a crash      -> arm restart a 1s
		exit b crash      -> arm restart b 1s
		exit p.1 crash    -> arm restart p.1 1s
		exit p.0 crash    -> arm restart p.0 1s
		timer restart a   -> start a
		timer restart p.1 -> start p.1
		stop              -> halt p
		exit p.1          -> halt a
		exit a            -> finish stopped
	`)
}

// A group waits once, when all of it is stopped.
func TestRule67GroupWaitsOnce(t *testing.T) {
	b := Backoff{Min: time.Second, Jitter: -1}
	run(t, &Spec{Strategy: RestForOne, Limit: Limit{Restarts: 9}, Children: children(work("a"), work("b", backoff(b)), work("c"))}, `
		start         -> start a, start b, start c, started
		exit b crash  -> halt c
		wait 1m       ->
		exit c        -> arm group b 1s
		restart c     -> reply 1 child-is-restarting
		wait 300ms    ->
		exit a crash  -> arm group a 700ms
		timer group a -> start a, start b, start c
		exit b crash  -> halt c
		exit a crash  ->
		wait 1m       ->
		exit c        -> arm group a 2s
		wait 2s       ->
		timer group a -> start a, start b, start c
		exit a crash  -> halt c
	`)
}

// A child whose delay is longer than the limit's period is restarted for ever.
func TestRule65LongDelaysNeverTrip(t *testing.T) {
	s := run(t, &Spec{Limit: Limit{Restarts: 1, Period: time.Second}, Children: children(work("a", backoff(Backoff{Min: 2 * time.Second})))}, `
		start -> start a, started
	`)
	for range 20 {
		s.do("exit a crash")
		s.do("wait 2s")
		s.do("timer restart a")
	}
	if s.m.ending {
		t.Error("the supervisor gave up")
	}
}

// What the machine does for one child does not depend on how many there are,
// and allocates nothing when a process is restarted.
func TestRestartAllocatesNothing(t *testing.T) {
	const many = 10_000
	m := newMachine(config{dynamic: true, limit: Limit{Restarts: 1 << 30, Period: time.Second}}, nil)
	m.step(event{kind: evStart})
	for id := 1; id <= many; id++ {
		m.step(event{kind: evAdd, child: id, request: id, spec: work("")})
	}
	at, incarnation := time.Duration(0), 1
	crash := func() {
		at += time.Millisecond
		acts := m.step(event{kind: evExit, at: at, child: many / 2, incarnation: incarnation, exit: exitFailed, err: errCrash})
		if incarnation++; acts[len(acts)-1].kind != actNote || m.counts().Active != many {
			t.Fatal("it was not restarted")
		}
	}
	for range 5000 { // until the window has its size
		crash()
	}
	if n := testing.AllocsPerRun(1000, crash); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkMachineRestart(b *testing.B) {
	m := newMachine(config{limit: Limit{Restarts: 1 << 30, Period: time.Second}}, []seed{{spec: work("a")}})
	m.step(event{kind: evStart})
	b.ReportAllocs()
	at, incarnation := time.Duration(0), 1
	for b.Loop() {
		at += time.Millisecond
		m.step(event{kind: evExit, at: at, child: 1, incarnation: incarnation, exit: exitFailed, err: errCrash})
		incarnation++
	}
}

func BenchmarkMachineStopDynamic(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		b.Run(map[int]string{1000: "children=1000", 10_000: "children=10000"}[n], func(b *testing.B) {
			b.ReportAllocs()
			w := work("")
			for b.Loop() {
				m := newMachine(config{dynamic: true, limit: Limit{}.orDefault()}, nil)
				m.step(event{kind: evStart})
				for id := 1; id <= n; id++ {
					m.step(event{kind: evAdd, child: id, request: id, spec: w})
				}
				m.step(event{kind: evStop})
				for id := 1; id <= n; id++ {
					m.step(event{kind: evExit, child: id, incarnation: 1})
					m.step(event{kind: evClosed, child: id})
				}
				if !m.finished {
					b.Fatal("it has not ended")
				}
			}
		})
	}
}

// A group restart that overtakes one with a timer has one as well, even if there
// is nothing left to wait for.
func TestRule31GroupTimersAreKept(t *testing.T) {
	b := backoff(Backoff{Min: time.Second})
	run(t, &Spec{Strategy: RestForOne, Children: children(work("a"), work("b", b))}, `
		start         -> start a, start b, started
		exit b crash  -> arm group b 1s
		wait 2s       ->
		exit a crash  -> arm group a 0s
		timer group a -> start a, start b
	`)
	run(t, &Spec{Strategy: RestForOne, Children: children(work("a"), work("b", awaited), work("c"))}, `
		start         -> start a, start b
		up b          -> start c, started
		replace b     -> adopt 1, halt b
		exit b        -> start b
		exit b crash  -> reply 1 crash, halt c
		exit a crash  ->
		exit c        -> arm group a 0s
		timer group a -> start a, start b
	`)
}

// How long a process was up does not depend on how long its siblings take to stop.
func TestRule65UpUntilItsEnd(t *testing.T) {
	b := backoff(Backoff{Max: time.Second, Jitter: -1, ResetAfter: 10 * time.Second})
	run(t, &Spec{Strategy: RestForOne, Limit: Limit{Restarts: 100}, Children: children(work("a"), work("p", processes(2), awaited, b))}, `
		start         -> start a, start p.0, start p.1
		up p.0        ->
		up p.1        -> started
		exit a crash  -> halt p
		exit p.0      ->
		exit p.1      -> start a, start p.0, start p.1
		exit p.0      -> halt p
		exit p.1      -> arm group p 0s
		timer group p -> start p.0, start p.1
		up p.0        ->
		exit p.0      -> halt p
		wait 1m       ->
		exit p.1      -> arm group p 20ms
	`)
}
