package supervisor

import (
	"fmt"
	"testing"
)

// When a significant child that ends brings its supervisor down (rules 36 to 39).
func TestRule37Triggers(t *testing.T) {
	for _, auto := range []AutoShutdown{Never, AnySignificant, AllSignificant} {
		for _, test := range []struct {
			kind  func(*Worker[int])
			exit  string
			ends  bool
			again string
		}{
			{transient, "ok", true, ""},
			{transient, "shutdown", true, ""},
			{transient, "crash", false, "start s"},
			{transient, "ignore", false, ""},
			{temporary, "ok", true, "close s"},
			{temporary, "crash", true, "close s"},
			{temporary, "ignore", false, "close s"},
		} {
			for _, counts := range []bool{false, true} {
				s := work("s", test.kind)
				if s.Significant = counts; counts && auto == Never {
					continue
				}
				t.Run(fmt.Sprint(auto, s.Restart, test.exit, counts), func(t *testing.T) {
					script := run(t, &Spec{AutoShutdown: auto, Children: children(work("a"), s)}, `start -> start a, start s, started`)
					script.do("exit s " + test.exit)
					if got, want := script.m.ending, test.ends && counts; got != want {
						t.Errorf("it ends: %v, want %v", got, want)
					}
				})
			}
		}
	}
	run(t, &Spec{AutoShutdown: AnySignificant, Children: children(work("a"), work("s", transient, significant), work("b"))}, `
		start  -> start a, start s, start b, started
		exit s -> halt b
		exit b -> halt a
		exit a -> finish auto s
	`)
}

func TestRule38AllSignificant(t *testing.T) {
	spec := &Spec{AutoShutdown: AllSignificant, Children: children(
		work("a"), work("s", transient, significant), work("t", temporary, significant), work("u", transient, significant))}
	run(t, spec, `
		start        -> start a, start s, start t, start u, started
		exit s       ->
		exit t crash -> close t
		exit a crash -> start a
		terminate u  -> halt u
		exit u       -> reply 1 ok
		restart u    -> start u, reply 2 ok
		closed t     ->
		exit u crash -> start u
		exit u       -> halt a
		exit a       -> finish auto u
	`)
	// One that is being removed has ended.
	run(t, spec, `
		start        -> start a, start s, start t, start u, started
		exit s       ->
		exit t       -> close t
		exit u       ->
		closed t     -> halt a
	`)
	// One that waits for its restart counts as one that lives.
	run(t, &Spec{AutoShutdown: AllSignificant, Children: children(
		work("s", transient, significant), work("t", transient, significant, awaited))}, `
		start           -> start s, start t
		up t            -> started
		exit t crash    -> start t
		exit t crash    -> arm restart t 0s
		exit s          ->
		timer restart t -> start t
		up t            ->
		exit t          -> finish auto t
	`)
}

// A child that its supervisor has stopped is no trigger.
func TestRule39Bystanders(t *testing.T) {
	for _, strategy := range []Strategy{OneForAll, RestForOne} {
		run(t, &Spec{Strategy: strategy, AutoShutdown: AnySignificant, Children: children(
			work("a"), work("s", transient, significant), work("t", temporary, significant))}, `
			start        -> start a, start s, start t, started
			exit a crash -> close t, halt t
			exit s       ->
			exit t       ->
			closed t     -> start a, start s
			terminate s  -> halt s
			exit s       -> reply 1 ok
		`)
	}
}

// A trigger during the start takes effect when that is over.
func TestTriggerDuringStart(t *testing.T) {
	run(t, &Spec{AutoShutdown: AnySignificant, Children: children(work("s", transient, significant), work("b", awaited))}, `
		start  -> start s, start b
		exit s ->
		up b   -> started, halt b
		exit b -> finish auto s
	`)
	run(t, &Spec{AutoShutdown: AllSignificant, Children: children(
		work("s", transient, significant), work("b", awaited), work("t", transient, significant))}, `
		start  -> start s, start b
		exit s ->
		up b   -> start t, started
		exit t -> halt b
	`)
}

// A supervisor that ends by itself ended in good order, but for a stuck process.
func TestRule40Escalation(t *testing.T) {
	for r, want := range map[reason]exitKind{
		reasonStopped:     exitNormal,
		reasonAborted:     exitFailed,
		reasonStartFailed: exitShutdown,
		reasonLimit:       exitShutdown,
		reasonAuto:        exitShutdown,
		reasonStuck:       exitFailed,
	} {
		if got := r.kind(); got != want {
			t.Errorf("reason %d has kind %d, want %d", r, got, want)
		}
	}
}

// One that was started again with the others meanwhile has not ended.
func TestTriggerThatWasOvertaken(t *testing.T) {
	spec := &Spec{Strategy: OneForAll, AutoShutdown: AllSignificant, Children: children(
		work("a", transient, significant), work("b"), work("c", awaited))}
	run(t, spec, `
		start        -> start a, start b, start c
		exit a       ->
		exit b crash -> halt c
		exit c       -> start a, start b, start c
		up c         -> started
		exit a       -> halt c
	`)
}
