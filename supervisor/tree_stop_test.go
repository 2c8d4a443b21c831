package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// abortTimer is a change of a worker.
func abortTimer(d time.Duration) func(*supervisor.Worker[order]) {
	return func(w *supervisor.Worker[order]) { w.AbortTimer = d }
}

// deaf is a change of a worker: it ignores its halt, and its abort as well
// unless release is nil.
func deaf(d *diary, release <-chan struct{}) func(*supervisor.Worker[order]) {
	return func(w *supervisor.Worker[order]) {
		name := w.Name
		w.Run = func(ctx context.Context, in *actor.Inbox[order]) error {
			d.add("+" + name)
			defer d.add("-" + name)
			supervisor.Started(ctx)
			if release != nil {
				<-release
				return errCrash
			}
			<-ctx.Done()
			return context.Cause(ctx)
		}
	}
}

// summary is a report in one line.
func summary(r supervisor.Report) string {
	text := r.Name + " " + string(r.Ending)
	if len(r.Children) == 0 {
		return text
	}
	var all []string
	for _, c := range r.Children {
		all = append(all, summary(c))
	}
	return text + " [" + strings.Join(all, ", ") + "]"
}

// Case 95, rules 42-44: each child in its own way.
func TestStopInEachChildsWay(t *testing.T) {
	quiet(t)
	synctest.Test(t, func(t *testing.T) {
		var d diary
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{
			d.worker("orderly"),
			d.worker("patient", deaf(&d, nil), abortTimer(3*time.Second)),
			d.worker("brutal", deaf(&d, nil), abortTimer(-1)),
			&supervisor.Spec{Name: "sub", Children: []supervisor.Child{d.worker("slow", deaf(&d, nil), abortTimer(20*time.Second))}},
			d.worker("clumsy", func(w *supervisor.Worker[order]) {
				w.Run = func(ctx context.Context, in *actor.Inbox[order]) error {
					in.Serve(ctx, func(context.Context, order) error { return nil })
					return errCrash
				}
			}),
			d.worker("done", restart(supervisor.Transient)),
		}})
		done := s.Children()[5]
		if done.Name != "done" {
			t.Fatalf("%+v", done)
		}
		began := time.Now()
		r := stop(t, s)
		if took := time.Since(began); took != 23*time.Second {
			t.Errorf("Stop took %v", took)
		}
		want := "root in order [done in order, clumsy failed, sub in order [slow aborted], brutal aborted, patient aborted, orderly in order]"
		if got := summary(r); got != want {
			t.Errorf("report %s\nwant %s", got, want)
		}
		if r.Took != 23*time.Second || r.Children[2].Took != 20*time.Second || r.Children[5].Took != 0 {
			t.Errorf("report %+v", r)
		}
		if err := r.Children[1].Err; err != errCrash {
			t.Errorf("the clumsy one's error is %v", err)
		}
	})
}

// Rule 45: who is not running is reported as that.
func TestStopOfAChildThatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b := d.worker("a", restart(supervisor.Transient)), d.worker("b")
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{a, b}})
		tell(t, a, "return")
		synctest.Wait()
		if err := s.Terminate(t.Context(), "b"); err != nil {
			t.Error(err)
		}
		if got := summary(stop(t, s)); got != "root in order [b not running, a not running]" {
			t.Errorf("report %s", got)
		}
	})
}

// Drain: queued work is finished first, also with a slow handler.
func TestStopDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var handled, left int
		w := &supervisor.Worker[int]{
			Name: "w", Drain: true, AbortTimer: time.Hour,
			Run: func(ctx context.Context, in *actor.Inbox[int]) error {
				return in.Serve(ctx, func(context.Context, int) error {
					time.Sleep(time.Millisecond)
					handled++
					return nil
				})
			},
			Undelivered: func(int) { left++ },
		}
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{w}})
		for i := range 1000 {
			w.Address().SendNow(i)
		}
		stop(t, s)
		if handled != 1000 || left != 0 {
			t.Errorf("handled %d, handed back %d", handled, left)
		}
	})
}

// A restart does not drain: the queue stays.
func TestGroupRestartHaltsADrainingChild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a := d.worker("a")
		b := d.worker("b", func(w *supervisor.Worker[order]) { w.Drain = true })
		run, busy := b.Run, make(chan struct{})
		b.Run = func(ctx context.Context, in *actor.Inbox[order]) error {
			if _, err := in.Recv(ctx); err != nil {
				return err
			}
			supervisor.Started(ctx)
			<-busy
			return run(ctx, in)
		}
		tell(t, b, "first")
		s := start(t, &supervisor.Spec{Name: "root", Strategy: supervisor.OneForAll, Children: []supervisor.Child{a, b}})
		tell(t, b, "second")
		tell(t, b, "third")
		tell(t, a, "crash")
		synctest.Wait()
		close(busy)
		d.want(t, "+a -a +b -b +a +b b:third")
		stop(t, s)
	})
}

// Cases 99, 100; rules 49-53: a child that does not end is reported, with where
// it hangs, and its late end too.
func TestStopNamesWhoIsStuck(t *testing.T) {
	quiet(t)
	synctest.Test(t, func(t *testing.T) {
		var d diary
		release := make(chan struct{})
		obs := &watcher{kinds: []actor.EventKind{actor.EventStuck, actor.EventReleased}}
		hung := d.worker("hung", deaf(&d, release))
		s, err := supervisor.Start(actor.WithObserver(context.Background(), obs), &supervisor.Spec{Name: "root", Children: []supervisor.Child{
			d.worker("a"),
			&supervisor.Spec{Name: "sub", Children: []supervisor.Child{d.worker("b"), hung, d.worker("c")}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		r, err := s.Stop(context.Background())
		if took := time.Since(began); took != actor.DefaultAbortTimer+actor.StuckAfter {
			t.Errorf("Stop took %v", took)
		}
		if !errors.Is(err, actor.ErrStuck) || !strings.Contains(err.Error(), `"hung"`) {
			t.Errorf("Stop: %v", err)
		}
		if got, want := summary(r), "root in order [sub in order [c in order, hung stuck, b in order], a in order]"; got != want {
			t.Errorf("report %s\nwant %s", got, want)
		}
		if stack := r.Children[0].Children[1].Stack; !strings.Contains(stack, "tree_stop_test.go") {
			t.Errorf("it hangs in %q", stack)
		}
		if got := s.Count().Stuck; got != 0 {
			t.Errorf("the root itself has %d stuck processes", got)
		}
		close(release)
		synctest.Wait()
		var kinds []actor.EventKind
		for _, e := range obs.take() {
			kinds = append(kinds, e.Kind)
			if e.Name != "hung" {
				t.Errorf("event %+v", e)
			}
		}
		if !slices.Equal(kinds, []actor.EventKind{actor.EventStuck, actor.EventReleased}) {
			t.Errorf("events %v", kinds)
		}
		<-hung.Address().Done()
	})
}

// When the ctx of Stop ends, everything is aborted at once; then nothing takes
// longer than it takes to declare somebody stuck.
func TestStopsContextEnds(t *testing.T) {
	quiet(t)
	synctest.Test(t, func(t *testing.T) {
		var d diary
		var kids []supervisor.Child
		for i := range 10 {
			kids = append(kids, d.worker(fmt.Sprint(i), deaf(&d, nil), abortTimer(time.Hour)))
		}
		kids = append(kids, &supervisor.Spec{Name: "sub", Children: []supervisor.Child{d.worker("x", deaf(&d, nil), abortTimer(time.Hour))}})
		s := start(t, &supervisor.Spec{Name: "root", Children: kids})
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		began := time.Now()
		r, err := s.Stop(ctx)
		if took := time.Since(began); took != time.Second || !errors.Is(err, actor.ErrAborted) {
			t.Errorf("Stop took %v: %v", took, err)
		}
		if got := summary(r); strings.Count(got, "aborted") != 13 {
			t.Errorf("report %s", got)
		}
		// The same in a tree where nobody hears even that.
		release := make(chan struct{})
		defer close(release)
		s = start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{
			d.worker("a", deaf(&d, release)),
			&supervisor.Spec{Name: "sub", Children: []supervisor.Child{d.worker("b", deaf(&d, release))}},
		}})
		ctx, cancel = context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		began = time.Now()
		r, err = s.Stop(ctx)
		if took := time.Since(began); took != time.Second+actor.StuckAfter || !errors.Is(err, actor.ErrStuck) {
			t.Errorf("Stop took %v: %v", took, err)
		}
		if got := summary(r); strings.Count(got, "stuck") != 2 {
			t.Errorf("report %s", got)
		}
	})
}

// Case 101.
func TestStopRightAfterStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		spec := &supervisor.Spec{Name: "innermost", Children: []supervisor.Child{d.worker("w")}}
		for i := range 100 {
			spec = &supervisor.Spec{Name: fmt.Sprint(i), Children: []supervisor.Child{spec}}
		}
		s := start(t, spec)
		stop(t, s)
		d.want(t, "+w -w")
	})
}

// Case 102, rule 62.
func TestCallsAfterStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		w := d.worker("w")
		dyn := dynamic(&d, nil)
		if _, err := dyn.Add(t.Context(), "early"); !errors.Is(err, supervisor.ErrShuttingDown) {
			t.Errorf("Add before Start: %v", err)
		}
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{w, dyn}})
		stop(t, s)
		again := d.worker("new")
		for what, err := range map[string]error{
			"Add":         s.Add(t.Context(), again),
			"Terminate":   s.Terminate(t.Context(), "w"),
			"Restart":     s.Restart(t.Context(), "w"),
			"Remove":      s.Remove(t.Context(), "w"),
			"Replace":     w.Replace(t.Context(), w.Run),
			"Dynamic.Add": func() error { _, err := dyn.Add(t.Context(), "x"); return err }(),
		} {
			if !errors.Is(err, supervisor.ErrShuttingDown) {
				t.Errorf("%s: %v", what, err)
			}
		}
		// What was not taken can be used elsewhere.
		stop(t, start(t, &supervisor.Spec{Name: "other", Children: []supervisor.Child{again}}))
		if r := stop(t, s); summary(r) != "root in order [d in order, w in order]" {
			t.Errorf("the second report: %s", summary(r))
		}
	})
}

// Rule 61: from below Stop asks, and does not wait for itself.
func TestStopFromBelow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		result := make(chan error, 1)
		w := &supervisor.Worker[order]{Name: "w", AwaitStart: time.Minute, Run: func(ctx context.Context, in *actor.Inbox[order]) error {
			return in.Serve(ctx, func(ctx context.Context, _ order) error {
				root := supervisor.Of(ctx)
				_, err := root.Stop(ctx)
				result <- err
				return nil
			})
		}}
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{d.worker("a"), w}})
		tell(t, w, "stop")
		if err := <-result; !errors.Is(err, supervisor.ErrShuttingDown) {
			t.Errorf("Stop from below: %v", err)
		}
		if err := s.Wait(t.Context()); err != nil {
			t.Errorf("Wait: %v", err)
		}
		d.want(t, "+a -a")
		sub := &supervisor.Spec{Name: "sub"}
		s = start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{sub}})
		inner, _ := s.Sub("sub")
		if _, err := inner.Stop(t.Context()); err == nil {
			t.Error("Stop of a child: no error")
		}
		stop(t, s)
	})
}

// Halt of a supervisor below another one: a permanent one comes back.
func TestHaltOfASubSupervisor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{
			&supervisor.Spec{Name: "sub", Children: []supervisor.Child{d.worker("a"), d.worker("b")}},
		}})
		sub, _ := s.Sub("sub")
		sub.Halt()
		d.want(t, "+a +b -b -a +a +b")
		stop(t, s)
		if _, open := <-sub.Done(); open {
			t.Error("it has not ended")
		}
		if err := sub.Wait(t.Context()); err != nil {
			t.Errorf("Wait: %v", err)
		}
	})
}

// A child that was told to stop before the tree was is in the report too.
func TestReportHasWhoWasStoppingAlready(t *testing.T) {
	quiet(t)
	synctest.Test(t, func(t *testing.T) {
		var d diary
		w := d.worker("w", restart(supervisor.Temporary), abortTimer(time.Minute))
		run := w.Run
		w.Run = func(ctx context.Context, in *actor.Inbox[order]) error {
			defer time.Sleep(30 * time.Second)
			return run(ctx, in)
		}
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{d.worker("a"), w}})
		go s.Terminate(context.Background(), "w")
		time.Sleep(time.Second)
		if got := summary(stop(t, s)); got != "root in order [w in order, a in order]" {
			t.Errorf("report %s", got)
		}
	})
}
