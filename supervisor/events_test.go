package supervisor_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
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

// number is how an actor's text ends.
var number = regexp.MustCompile(`\(#[0-9]+\)`)

// LogObserver writes one line for each event, which says who, where and why.
func TestLogObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		var text bytes.Buffer
		l := slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			switch a.Key {
			case slog.TimeKey, "id":
				return slog.Attr{}
			case "stack":
				if !strings.Contains(a.Value.String(), "tree_helpers_test.go") {
					t.Errorf("the stack is %s", a.Value)
				}
				return slog.String("stack", "…")
			}
			return a
		}}))
		w := d.worker("w")
		w.Backoff = supervisor.Backoff{Min: time.Second, Jitter: -1}
		s := observed(t, &supervisor.Spec{Name: "root", Limit: supervisor.Limit{Restarts: 1}, Children: []supervisor.Child{w}}, supervisor.LogObserver(l))
		lines := func(want ...string) {
			t.Helper()
			time.Sleep(time.Minute)
			synctest.Wait()
			var got []string
			for line := range strings.Lines(text.String()) {
				line = number.ReplaceAllString(line, "(#n)")
				got = append(got, strings.TrimSuffix(line, "\n"))
			}
			text.Reset()
			slices.Sort(got) // what different actors tell has no order
			slices.Sort(want)
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("logged:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
		lines(`level=DEBUG msg="child started" actor=w supervisor=root`)
		tell(t, w, "crash")
		lines(`level=WARN msg="child ended, restarting it" actor=w supervisor=root attempt=1 after=1s error=crash`,
			`level=INFO msg="child restarted" actor=w supervisor=root attempt=1`)
		tell(t, w, "crash")
		time.Sleep(2 * time.Second)
		tell(t, w, "panic")
		lines(`level=WARN msg="child ended, restarting it" actor=w supervisor=root attempt=1 after=1s error=crash`,
			`level=INFO msg="child restarted" actor=w supervisor=root attempt=1`,
			`level=ERROR msg="actor panicked" actor=w error="actor \"w\" (#n): panic: told to" stack=…`,
			`level=ERROR msg="supervisor gives up: restart limit exceeded" actor=w supervisor=root error="supervisor \"root\": child \"w\": one restart too many: actor \"w\" (#n): panic: told to"`)
		<-s.Done()
	})
}
