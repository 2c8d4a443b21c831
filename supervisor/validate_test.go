package supervisor

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"tinyactor/actor"
)

func TestRule5ValidateIsPure(t *testing.T) {
	sub := &Spec{Name: "sub", Children: children(work("a"))}
	spec := &Spec{Children: []Child{sub, &Dynamic[string, int]{Name: "d", Template: func(string) *Worker[int] { t.Error("Validate has called Template"); return nil }}}}
	for range 2 {
		if err := Validate(spec); err != nil {
			t.Error(err)
		}
	}
}

// Each fault has its own error, with the child and the field.
func TestRule2Faults(t *testing.T) {
	d := func(change func(*Dynamic[int, int])) Child {
		d := &Dynamic[int, int]{Name: "d", Template: func(int) *Worker[int] { return work("") }}
		change(d)
		return d
	}
	shared := work("shared")
	loop := &Spec{Name: "loop"}
	loop.Children = []Child{loop}
	for _, test := range []struct {
		spec *Spec
		want string
	}{
		{nil, `supervisor: the spec is nil`},
		{&Spec{Name: "s", Strategy: 3}, `supervisor "s": Strategy is unknown(3)`},
		{&Spec{AutoShutdown: 3}, `supervisor "": AutoShutdown is unknown(3)`},
		{&Spec{Restart: 3}, `supervisor "": Restart is unknown(3)`},
		{&Spec{Limit: Limit{Restarts: -2}}, `supervisor "": Limit.Restarts is -2, must be -1, 0 or more`},
		{&Spec{Limit: Limit{Period: -1}}, `supervisor "": Limit.Period is -1ns, must not be negative`},
		{&Spec{Children: []Child{nil}}, `supervisor "": Children[0] is nil`},
		{&Spec{Children: []Child{(*Worker[int])(nil), (*Spec)(nil), (*Dynamic[int, int])(nil)}}, `supervisor "": Children[0] is nil
supervisor "": Children[1] is nil
supervisor "": Children[2] is nil`},
		{of(work("")), `supervisor "": Children[0]: Name is empty`},
		{of(work("a"), work("b"), work("a")), `supervisor "": Children[2]: Name is "a", as that of Children[0]`},
		{of(shared, &Spec{Name: "sub", Children: []Child{shared}}), `supervisor "": child "sub": child "shared": it is in the tree already; a child is for one place`},
		{loop, `supervisor "loop": child "loop": it is in the tree already; a child is for one place`},
		{of(&Worker[int]{Name: "w"}), `supervisor "": child "w": Run is nil`},
		{of(work("w", processes(-1))), `supervisor "": child "w": Processes is -1, must be from 0 to 1000000`},
		{of(work("w", processes(2), func(w *Worker[int]) { w.Fresh = true })), `supervisor "": child "w": Fresh: its 2 processes share one inbox`},
		{of(work("w", func(w *Worker[int]) { w.Restart = 7 })), `supervisor "": child "w": Restart is unknown(7)`},
		{of(work("w", func(w *Worker[int]) { w.OnStuck = 3 })), `supervisor "": child "w": OnStuck is unknown(3)`},
		{of(work("w", await(-time.Second))), `supervisor "": child "w": AwaitStart is -1s, must not be negative`},
		{of(work("w", backoff(Backoff{Min: -1, Factor: 0.5, Jitter: 2, ResetAfter: -1}))), `supervisor "": child "w": Backoff.Min is -1ns, must not be negative
supervisor "": child "w": Backoff.ResetAfter is -1ns, must not be negative
supervisor "": child "w": Backoff.Factor is 0.5, must be 0, or at least 1 and finite
supervisor "": child "w": Backoff.Jitter is 2, must be at most 1`},
		{of(work("w", backoff(Backoff{Min: 2, Max: 1}))), `supervisor "": child "w": Backoff.Max is 1ns, shorter than Min, which is 2ns`},
		{of(work("w", backoff(Backoff{Max: -1, Factor: math.Inf(1), Jitter: math.NaN()}))), `supervisor "": child "w": Backoff.Max is -1ns, must not be negative
supervisor "": child "w": Backoff.Factor is +Inf, must be 0, or at least 1 and finite
supervisor "": child "w": Backoff.Jitter is NaN, must be at most 1`},
		{of(work("w", significant)), `supervisor "": child "w": Significant: a permanent child cannot be significant`},
		{of(work("w", significant, transient)), `supervisor "": child "w": Significant: its supervisor's AutoShutdown is Never`},
		{of(d(func(d *Dynamic[int, int]) { d.Template = nil; d.Max = -1; d.Limit.Restarts = -3 })), `supervisor "": child "d": Template is nil
supervisor "": child "d": Max is -1, must not be negative
supervisor "": child "d": Limit.Restarts is -3, must be -1, 0 or more`},
		{of(d(func(d *Dynamic[int, int]) { d.Restart = 9; d.Backoff.Min = -1 })), `supervisor "": child "d": Restart is unknown(9)
supervisor "": child "d": Backoff.Min is -1ns, must not be negative`},
	} {
		err := Validate(test.spec)
		if err == nil || err.Error() != test.want {
			t.Errorf("got\n%v\nwant\n%s", err, test.want)
		}
	}
}

func of(children ...Child) *Spec { return &Spec{Children: children} }

// All other combinations are legal.
func TestRule2LegalCombinations(t *testing.T) {
	var list []Child
	for restart := Permanent; restart <= Temporary; restart++ {
		for stuck := StuckEscalate; stuck <= StuckWait; stuck++ {
			for _, abort := range []time.Duration{-1, 0, time.Second} {
				name := fmt.Sprint(restart, stuck, abort)
				list = append(list,
					work(name, func(w *Worker[int]) { w.Restart, w.OnStuck, w.AbortTimer = restart, stuck, abort }),
					&Spec{Name: name + " supervisor", Restart: restart, AbortTimer: abort, Limit: Limit{Restarts: -1}},
				)
			}
		}
	}
	list = append(list, work("significant", transient, significant), work("too", temporary, significant))
	for strategy := OneForOne; strategy <= RestForOne; strategy++ {
		for auto := AnySignificant; auto <= AllSignificant; auto++ {
			if err := Validate(&Spec{Strategy: strategy, AutoShutdown: auto, Children: list}); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestRule36AddedChildren(t *testing.T) {
	for _, test := range []struct {
		auto    AutoShutdown
		dynamic bool
		child   Child
		want    string
	}{
		{Never, false, work("w"), ""},
		{Never, false, work(""), "Name is empty"},
		{Never, false, work("w", transient, significant), "its supervisor's AutoShutdown is Never"},
		{AnySignificant, false, work("w", transient, significant), ""},
		{Never, true, work(""), ""},
		{Never, true, work("", transient, significant), "a child of a Dynamic cannot be significant"},
		{Never, true, (*Worker[int])(nil), "the new child is nil"},
	} {
		err := checkAdded("s", test.auto, test.dynamic, test.child)
		if got := fmt.Sprint(err); (err == nil) != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%v, want %q", err, test.want)
		}
	}
}

func TestRule1And3Defaults(t *testing.T) {
	w := (&Worker[int]{Name: "w", Run: idle}).plan()
	if w.restart != Permanent || w.significant || w.processes != 1 || w.abortAfter != actor.DefaultAbortTimer || w.await || w.drain || w.onStuck != StuckEscalate {
		t.Errorf("a worker has %+v", w)
	}
	if d := w.backoff.delay(5, 0.5); d != 0 {
		t.Errorf("it waits for %v", d)
	}
	for _, c := range []Child{&Spec{Name: "s"}, &Dynamic[int, int]{Name: "d"}} {
		if p := c.plan(); !p.supervisor || p.abortAfter != 0 || !p.await || p.awaitFor != 0 || p.processes != 1 {
			t.Errorf("a supervisor has %+v", p)
		}
	}
	for _, test := range []struct{ got, want Limit }{
		{Limit{}, Limit{3, 5 * time.Second}},
		{Limit{Restarts: -1}, Limit{0, 5 * time.Second}},
		{Limit{Restarts: 7}, Limit{7, 5 * time.Second}},
		{Limit{Period: time.Minute}, Limit{3, time.Minute}},
	} {
		if got := test.got.orDefault(); got != test.want {
			t.Errorf("%+v means %+v, want %+v", test.got, got, test.want)
		}
	}
}

func TestNames(t *testing.T) {
	got := fmt.Sprint(Permanent, Transient, Temporary, Restart(3), OneForOne, OneForAll, RestForOne, Never, AnySignificant, AllSignificant,
		StuckEscalate, StuckReplace, StuckWait, Stopped, Starting, Running, Restarting, Stopping)
	const want = "permanent transient temporary unknown(3) one_for_one one_for_all rest_for_one never any_significant all_significant" +
		" escalate replace wait stopped starting running restarting stopping"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestRule65Backoff(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		backoff Backoff
		lot     float64
		want    []time.Duration
	}{
		{Backoff{}, 0.9, []time.Duration{0, 0, 0}},
		{Backoff{Max: time.Second, Jitter: -1}, 0.9, []time.Duration{0, 20 * ms, 40 * ms, 80 * ms, 160 * ms, 320 * ms, 640 * ms, 1000 * ms, 1000 * ms}},
		{Backoff{Max: time.Second}, 0.5, []time.Duration{0, 10 * ms, 20 * ms, 40 * ms}},
		{Backoff{Max: time.Second}, 0, []time.Duration{0, 0, 0}},
		{Backoff{Max: time.Second, Jitter: 0.5}, 0, []time.Duration{0, 10 * ms, 20 * ms}},
		{Backoff{Min: 100 * ms, Jitter: -1}, 0, []time.Duration{100 * ms, 200 * ms, 400 * ms}},
		{Backoff{Min: 100 * ms}, 0, []time.Duration{100 * ms, 100 * ms, 100 * ms}},
		{Backoff{Min: 100 * ms, Max: 100 * ms}, 0.7, []time.Duration{100 * ms, 100 * ms}},
		{Backoff{Min: 100 * ms, Factor: 1}, 0.7, []time.Duration{100 * ms, 100 * ms}},
		{Backoff{Min: 100 * ms, Factor: 10, Max: time.Minute, Jitter: -1}, 0, []time.Duration{100 * ms, time.Second, 10 * time.Second, time.Minute}},
	} {
		b := test.backoff.orDefault()
		var got []time.Duration
		for k := range test.want {
			got = append(got, b.delay(k+1, test.lot))
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%+v waits for %v, want %v", test.backoff, got, test.want)
		}
	}
	b := Backoff{Min: 100 * ms}.orDefault()
	for _, k := range []int{100, 10_000, math.MaxInt} {
		if d := b.delay(k, 0.999); d < 100*ms || d > defaultMax {
			t.Errorf("restart %d waits for %v", k, d)
		}
	}
	if got := (Backoff{Max: time.Minute}).orDefault().ResetAfter; got != time.Minute {
		t.Errorf("it is reset after %v", got)
	}
}

func TestRule14KindsOfExits(t *testing.T) {
	for _, test := range []struct {
		err     error
		started bool
		want    exitKind
	}{
		{nil, true, exitNormal},
		{nil, false, exitNormal},
		{ErrShutdown, true, exitShutdown},
		{fmt.Errorf("work is done: %w", ErrShutdown), true, exitShutdown},
		{fmt.Errorf("interrupted: %w", actor.ErrHalted), true, exitShutdown},
		{ErrIgnore, false, exitIgnored},
		{fmt.Errorf("not here: %w", ErrIgnore), false, exitIgnored},
		{ErrIgnore, true, exitFailed},
		{errCrash, true, exitFailed},
		{fmt.Errorf("spurious: %w", context.Canceled), true, exitFailed},
		{fmt.Errorf("somebody's: %w", actor.ErrClosed), true, exitFailed},
		{actor.ErrAborted, true, exitFailed},
		{actor.ErrGoexit, true, exitFailed},
		{actor.ErrStuck, true, exitFailed},
		{&actor.PanicError{Value: ErrShutdown}, true, exitFailed},
		{&actor.PanicError{Value: ErrIgnore}, false, exitFailed},
		{fmt.Errorf("%w: %w", actor.ErrNoReply, ErrShutdown), true, exitFailed},
		{fmt.Errorf("%w: %w", actor.ErrAborted, actor.ErrHalted), true, exitFailed},
	} {
		if got := kindOf(test.err, test.started); got != test.want {
			t.Errorf("%v is %d, want %d", test.err, got, test.want)
		}
	}
}
