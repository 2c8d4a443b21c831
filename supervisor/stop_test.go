package supervisor

import (
	"testing"
	"time"
)

func TestRule41StopInReverseOrder(t *testing.T) {
	spec := &Spec{Children: children(work("a"), work("b", draining), work("c", processes(2)), work("d", transient))}
	run(t, spec, `
		start     -> start a, start b, start c.0, start c.1, start d, started
		exit d    ->
		stop      -> halt c
		exit c.1  ->
		exit c.0  -> halt b
		exit b    -> halt a
		exit a    -> finish stopped
	`)
	run(t, spec, `
		start         -> start a, start b, start c.0, start c.1, start d, started
		exit d        ->
		stop terminal -> close d
		closed d      -> close c, halt c
		exit c.1      ->
		exit c.0      ->
		closed c      -> close b
		exit b        ->
		closed b      -> close a, halt a
		closed a      -> finish stopped
	`)
}

func TestRule41DynamicStopsAtOnce(t *testing.T) {
	runDynamic(t, Limit{}, 0, `
		start    -> started
		add a    -> start a, reply 1 ok
		add b    -> start b, reply 2 ok
		add c    -> start c, reply 3 ok
		exit c   -> close c
		stop     -> close b, abort b, close a, arm abort a 1m0s
		closed c ->
		closed a ->
		exit b   ->
		closed b -> finish stopped
	`, work("a", draining, abortTimer(time.Minute)), work("b", brutal), work("c", temporary))
}

func TestRule42AbortTimers(t *testing.T) {
	spec := &Spec{Children: []Child{work("a", brutal), work("b", func(w *Worker[int]) { w.AbortTimer = 0 }), work("c", abortTimer(time.Minute)), &Spec{Name: "sub"}}}
	run(t, spec, `
		start         -> start a, start b, start c, start sub
		up sub        -> started
		stop          -> halt sub
		exit sub      -> halt c, arm abort c 1m0s
		exit c        -> halt b, arm abort b 5s
		timer abort b -> abort b
		exit b crash  -> abort a
		exit a crash  -> finish stopped
	`)
}

// Whatever way a child ends in a stop, the stop goes on, and the notes tell.
func TestRule44TrueExits(t *testing.T) {
	s := run(t, &Spec{Children: children(work("a"), work("b"), work("c"))}, `
		start        -> start a, start b, start c, started
		stop         -> halt c
		exit b crash ->
	`)
	if len(s.notes) != 1 || s.notes[0] != "ended b" {
		t.Errorf("notes %q", s.notes)
	}
	s.play(`exit c crash -> halt a`)
	if len(s.notes) != 1 || s.notes[0] != "stopped c" {
		t.Errorf("notes %q", s.notes)
	}
	s.play(`exit a -> finish stopped`)
}

// A stop while the supervisor starts, or restarts a group, or waits.
func TestRule33StopAtAnyTime(t *testing.T) {
	spec := &Spec{Strategy: OneForAll, Children: children(work("a"), work("b", awaited), work("c", backoff(Backoff{Min: time.Second})))}
	run(t, spec, `stop -> finish stopped`)
	run(t, spec, `stop terminal -> close c
		closed c -> close b
		closed b -> close a
		closed a -> finish stopped
	`)
	run(t, spec, `
		start  -> start a, start b
		stop   -> halt b
		exit b -> halt a
		up a   ->
		exit a -> finish stopped
	`)
	run(t, spec, `
		start        -> start a, start b
		up b         -> start c, started
		exit c crash -> halt b
		exit b       -> halt a
		stop         ->
		exit a       -> finish stopped
	`)
	run(t, spec, `
		start        -> start a, start b
		up b         -> start c, started
		exit c crash -> halt b
		exit b       -> halt a
		exit a       -> arm group c 1s
		stop         -> finish stopped
	`)
}

// A stop that becomes one for good closes what was only stopped.
func TestStopBecomesTerminal(t *testing.T) {
	run(t, &Spec{Limit: Limit{Restarts: -1}, Children: children(work("a"), work("b"), work("c"))}, `
		start         -> start a, start b, start c, started
		exit b crash  -> halt c
		exit c        -> halt a
		stop terminal -> close c
		closed c      -> close b
		exit a        ->
		closed b      -> close a
		closed a      -> finish limit b
	`)
}

func TestAbortAllAtOnce(t *testing.T) {
	spec := &Spec{Children: children(work("a"), work("b", abortTimer(time.Minute)), work("c"))}
	run(t, spec, `
		start          -> start a, start b, start c, started
		exit c         -> start c
		abort          -> abort c, abort b, abort a
		abort          ->
		exit a crash   ->
		stuck c        ->
		exit b crash   -> finish aborted
		released c     ->
	`)
	run(t, spec, `
		start          -> start a, start b, start c, started
		stop           -> halt c
		abort terminal -> close c, abort c, close b, abort b, close a, abort a
		closed a       ->
		exit c crash   ->
		closed c       ->
		closed b       -> finish stopped
	`)
	runDynamic(t, Limit{}, 0, `
		start    -> started
		add a    -> start a, reply 1 ok
		add b    -> start b, reply 2 ok
		exit b   -> close b
		abort    -> abort b, close a, abort a
		closed b ->
		closed a -> finish aborted
	`, work("a"), work("b", temporary))
}

// Children that were added later do not come back with their supervisor.
func TestRule29AddedChildrenAreLost(t *testing.T) {
	run(t, &Spec{Children: children(work("a"))}, `
		start    -> start a, started
		add b    -> start b, reply 1 ok
		stop     -> close b, halt b
		closed b -> halt a
		exit a   -> finish stopped
	`, work("b"))
}
