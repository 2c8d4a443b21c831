package supervisor_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// The tests TestParity… have a subtest for each case of OTP's supervisor_SUITE
// that means something here, under the name that it has there. The table of
// docs/supervision.md says what each of them is about, and make parity runs
// them.

// otp is a case, in a bubble and with a diary of its own.
func otp(t *testing.T, name string, f func(t *testing.T, d *diary)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		quiet(t)
		synctest.Test(t, func(t *testing.T) { f(t, new(diary)) })
	})
}

// limit is Spec.Limit of most cases.
func limit(n int) supervisor.Limit { return supervisor.Limit{Restarts: n, Period: time.Hour} }

// wantCount fails the test if the children are not as many.
func wantCount(t *testing.T, s *supervisor.Supervisor, specs, active, supervisors, workers int) {
	t.Helper()
	synctest.Wait()
	want := supervisor.Counts{Specs: specs, Active: active, Supervisors: supervisors, Workers: workers}
	if got := s.Count(); got != want {
		t.Errorf("count %+v, want %+v", got, want)
	}
}

// wantStates fails the test if the children are not in these states.
func wantStates(t *testing.T, s *supervisor.Supervisor, want string) {
	t.Helper()
	synctest.Wait()
	if got := states(s); got != want {
		t.Errorf("children %q, want %q", got, want)
	}
}

// wantErr fails the test if an error does not match.
func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) || want == nil && err != nil {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// running reports whether a supervisor has not ended.
func running(s *supervisor.Supervisor) bool {
	synctest.Wait()
	select {
	case <-s.Done():
		return false
	default:
		return true
	}
}

// wantEnd fails the test if the supervisor has not ended by itself, because of
// one restart too many.
func wantEnd(t *testing.T, s *supervisor.Supervisor) {
	t.Helper()
	if running(s) {
		t.Fatal("the supervisor has not ended")
	}
	err := s.Wait(soon(t))
	wantErr(t, "Wait", err, supervisor.ErrShutdown)
	wantErr(t, "Wait", err, supervisor.ErrLimitExceeded)
	wantErr(t, "Wait", err, errCrash)
}

// add adds a child and fails the test if that does not start.
func add(t *testing.T, s *supervisor.Supervisor, children ...supervisor.Child) {
	t.Helper()
	for _, c := range children {
		if err := s.Add(soon(t), c); err != nil {
			t.Errorf("Add: %v", err)
		}
	}
}

// grow adds a child to a Dynamic and fails the test if that does not start.
func grow(t *testing.T, dyn *supervisor.Dynamic[string, order], name string) *supervisor.Worker[order] {
	t.Helper()
	w, err := dyn.Add(soon(t), name)
	if err != nil {
		t.Fatalf("Add: %v", err)
	}
	return w
}

// pool is a Dynamic named dyn and a root above it.
func pool(t *testing.T, n int, template func(name string) *supervisor.Worker[order]) (root *supervisor.Supervisor, dyn *supervisor.Dynamic[string, order]) {
	t.Helper()
	dyn = &supervisor.Dynamic[string, order]{Name: "dyn", Limit: limit(n), Restart: supervisor.Temporary, Template: template}
	return start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{dyn}}), dyn
}

// brittle is a change of a worker: while the switch is on, it takes some time
// to start and then fails to.
func brittle(broken *atomic.Bool, takes time.Duration) func(*supervisor.Worker[order]) {
	return func(w *supervisor.Worker[order]) {
		run := w.Run
		w.Run = func(ctx context.Context, in *actor.Inbox[order]) error {
			if !broken.Load() {
				return run(ctx, in)
			}
			select {
			case <-time.After(takes):
				return errCrash
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
}

// stopsWith is a change of a worker: asked to stop, it takes some time and then
// returns err. It returns it at once if it is told to.
func stopsWith(err error, takes time.Duration) func(*supervisor.Worker[order]) {
	return func(w *supervisor.Worker[order]) {
		w.Run = func(ctx context.Context, in *actor.Inbox[order]) error {
			supervisor.Started(ctx)
			if _, ended := in.Recv(ctx); ended == nil {
				return err
			}
			select {
			case <-time.After(takes):
				return err
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
}

// deafUntil is a body that hears nothing.
func deafUntil(release <-chan struct{}) func(context.Context, *actor.Inbox[order]) error {
	return func(ctx context.Context, _ *actor.Inbox[order]) error {
		supervisor.Started(ctx)
		<-release
		return nil
	}
}

// patience is a change of a worker: how long it may take to stop.
func patience(d time.Duration) func(*supervisor.Worker[order]) {
	return func(w *supervisor.Worker[order]) { w.AbortTimer = d }
}

// weighty is a change of a worker: it can end its supervisor.
func weighty(w *supervisor.Worker[order]) { w.Significant = true }

// endings returns how the children in a report have ended, by name.
func endings(r supervisor.Report) map[string]supervisor.Ending {
	all := make(map[string]supervisor.Ending)
	for _, c := range r.Children {
		all[c.Name] = c.Ending
	}
	return all
}

// infoLogger writes what is of level info or above.
func infoLogger(to io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(to, &slog.HandlerOptions{Level: slog.LevelInfo}))
}
