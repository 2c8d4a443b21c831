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

// fromSupervisors are the events that supervisors tell.
var fromSupervisors = []actor.EventKind{
	actor.EventStarted, actor.EventStartFailed, actor.EventIgnored, actor.EventRestarting,
	actor.EventRestarted, actor.EventReplaced, actor.EventLimitExceeded, actor.EventEscalated,
}

// observed starts a tree with observers.
func observed(t *testing.T, spec *supervisor.Spec, observers ...actor.Observer) *supervisor.Supervisor {
	t.Helper()
	ctx := context.Background()
	for _, o := range observers {
		ctx = actor.WithObserver(ctx, o)
	}
	s, err := supervisor.Start(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// told returns the events since the last call, in one line.
func (w *watcher) told() string {
	synctest.Wait()
	var all []string
	for _, e := range w.take() {
		text := fmt.Sprintf("%s %s/%s", e.Kind, e.Supervisor, e.Name)
		if e.Process >= 0 {
			text += fmt.Sprint(".", e.Process)
		}
		if e.Attempt > 0 {
			text += fmt.Sprint(" #", e.Attempt)
		}
		if e.Kind == actor.EventRestarting {
			text += fmt.Sprint(" after ", e.After)
		}
		if e.Err != nil {
			text += fmt.Sprintf(" (%v)", e.Err)
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

// Everything that a supervisor does is told, with the names of those above.
func TestEvents(t *testing.T) {
	quiet(t)
	synctest.Test(t, func(t *testing.T) {
		var d diary
		obs := &watcher{kinds: fromSupervisors}
		a := d.worker("a")
		a.Backoff = supervisor.Backoff{Min: time.Second, Max: 3 * time.Second, Jitter: -1}
		b := d.worker("b", fails(supervisor.ErrIgnore))
		sub := &supervisor.Spec{Name: "sub", Children: []supervisor.Child{a, b}, Limit: supervisor.Limit{Restarts: 2, Period: time.Hour}}
		s := observed(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{sub}, Limit: supervisor.Limit{Restarts: 1}}, obs)
		want := func(text string) {
			t.Helper()
			// The events of different supervisors have no order.
			got := slices.Sorted(strings.SplitSeq(obs.told(), "; "))
			if !slices.Equal(got, slices.Sorted(strings.SplitSeq(text, "; "))) {
				t.Errorf("told:\n%s\nwant:\n%s", got, text)
			}
		}
		want("started root/sub/a; ignored root/sub/b.0; started root/sub")
		if err := a.Replace(t.Context(), d.obey("new")); err != nil {
			t.Error(err)
		}
		want("replaced root/sub/a.0")
		tell(t, a, "crash")
		want("restarting root/sub/a.0 #1 after 1s (crash)")
		time.Sleep(time.Second)
		want("restarted root/sub/a.0 #1")
		in, _ := s.Sub("sub")
		if err := in.Add(t.Context(), d.worker("c", fails(errCrash))); err == nil {
			t.Error("no error")
		}
		want("start failed root/sub/c (crash)")
		tell(t, a, "goexit")
		time.Sleep(time.Minute)
		obs.told()
		tell(t, a, "crash")
		got := obs.told()
		for _, text := range []string{
			`limit exceeded root/sub/a (supervisor "sub": child "a": one restart too many: crash)`,
			`restarting root/sub.0 #1 after 0s (supervisor "sub": child "a": one restart too many: crash)`,
			`started root/sub/a`, `restarted root/sub.0 #1`,
		} {
			if !strings.Contains(got, text) {
				t.Errorf("not told: %s\nbut: %s", text, got)
			}
		}
		stop(t, s)
		want("")
	})
}

// Escalations have a reason.
func TestEventsOfEscalations(t *testing.T) {
	quiet(t)
	synctest.Test(t, func(t *testing.T) {
		var d diary
		obs := &watcher{kinds: []actor.EventKind{actor.EventEscalated}}
		w := d.worker("w", func(w *supervisor.Worker[order]) { w.Significant, w.Restart = true, supervisor.Transient })
		s := observed(t, &supervisor.Spec{Name: "auto", AutoShutdown: supervisor.AnySignificant, Children: []supervisor.Child{w}}, obs)
		tell(t, w, "return")
		<-s.Done()
		if got, want := obs.told(), `escalated auto/w (supervisor "auto": its significant child "w" has ended)`; got != want {
			t.Errorf("told %s", got)
		}
		release := make(chan struct{})
		a := d.worker("a")
		s = observed(t, &supervisor.Spec{Name: "stuck", Strategy: supervisor.OneForAll, Children: []supervisor.Child{a, d.worker("hung", deaf(&d, release))}}, obs)
		tell(t, a, "crash")
		time.Sleep(time.Minute)
		if got := obs.told(); !strings.HasPrefix(got, `escalated stuck/hung (supervisor "stuck": child "hung": is stuck: `) {
			t.Errorf("told %s", got)
		}
		if err := s.Wait(t.Context()); !errors.Is(err, actor.ErrStuck) || errors.Is(err, supervisor.ErrShutdown) {
			t.Errorf("Wait: %v", err)
		}
		close(release)
	})
}
