package supervisor_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

func TestParityStart(t *testing.T) {
	otp(t, "sup_start_normal", func(t *testing.T, _ *diary) {
		s := start(t, &supervisor.Spec{Name: "sup", Limit: limit(2)})
		wantCount(t, s, 0, 0, 0, 0)
		if r := stop(t, s); r.Ending != supervisor.InOrder {
			t.Errorf("report %+v", r)
		}
		wantErr(t, "Wait", s.Wait(soon(t)), nil)
	})
	otp(t, "sup_start_error_return", func(t *testing.T, _ *diary) {
		startIsRefused(t, &supervisor.Spec{Name: "sup", Strategy: 99}, nil)
		startIsRefused(t, nil, nil)
	})
	otp(t, "sup_start_fail", func(t *testing.T, d *diary) {
		startIsRefused(t, &supervisor.Spec{Name: "sup", Children: []supervisor.Child{
			d.worker("child1", func(w *supervisor.Worker[order]) {
				w.Run = func(context.Context, *actor.Inbox[order]) error { panic(errCrash) }
			}),
		}}, errCrash)
	})
	otp(t, "sup_start_child_returns_error", func(t *testing.T, d *diary) {
		s := start(t, &supervisor.Spec{Name: "sup", Limit: limit(2)})
		wantErr(t, "Add", s.Add(soon(t), d.worker("child1", fails(errCrash))), errCrash)
		wantErr(t, "Add", s.Add(soon(t), d.worker("child2", fails(nil))), supervisor.ErrNotStarted)
		wantCount(t, s, 0, 0, 0, 0)
		add(t, s, d.worker("child1"))
		stop(t, s)
	})
	otp(t, "sup_start_restart_child_returns_error", func(t *testing.T, d *diary) {
		first := true
		w := d.worker("child1")
		run := w.Run
		w.Run = func(ctx context.Context, in *actor.Inbox[order]) error {
			if first {
				first = false
				return run(ctx, in)
			}
			return errCrash
		}
		s := start(t, &supervisor.Spec{Name: "sup", Limit: limit(2), Children: []supervisor.Child{w}})
		wantErr(t, "Terminate", s.Terminate(soon(t), "child1"), nil)
		wantErr(t, "Restart", s.Restart(soon(t), "child1"), errCrash)
		wantStates(t, s, "child1=stopped")
		stop(t, s)
	})
	otp(t, "sup_start_child_returns_error_simple", func(t *testing.T, d *diary) {
		s, dyn := pool(t, 2, func(name string) *supervisor.Worker[order] {
			return d.worker(name, fails(map[string]error{"error": errCrash}[name]))
		})
		_, err := dyn.Add(soon(t), "error")
		wantErr(t, "Add", err, errCrash)
		_, err = dyn.Add(soon(t), "nil")
		wantErr(t, "Add", err, supervisor.ErrNotStarted)
		wantCount(t, dyn.Supervisor(), 0, 0, 0, 0)
		stop(t, s)
	})
	otp(t, "faulty_application_shutdown", func(t *testing.T, d *diary) {
		cause := errors.New("no such function")
		spec := &supervisor.Spec{Name: "app", Children: []supervisor.Child{
			d.worker("first"),
			&supervisor.Spec{Name: "app_faulty", Children: []supervisor.Child{d.worker("server", fails(cause))}},
		}}
		_, err := supervisor.Start(t.Context(), spec)
		wantErr(t, "Start", err, supervisor.ErrShutdown)
		wantErr(t, "Start", err, cause)
		want := `supervisor "app": child "app_faulty": did not start: supervisor "app_faulty": child "server": did not start: no such function`
		if err == nil || err.Error() != want {
			t.Errorf("Start: %v, want %s", err, want)
		}
		d.want(t, "+first -first")
	})
}

// startIsRefused starts a supervisor from a process and wants an error that
// matches cause, and nothing else: the process goes on, and nothing is left.
func startIsRefused(t *testing.T, spec *supervisor.Spec, cause error) {
	t.Helper()
	tried := make(chan error, 1)
	starter, _ := actor.Spawn(context.Background(), actor.Config{Name: "starter"},
		func(ctx context.Context, in *actor.Inbox[int]) error {
			s, err := supervisor.Start(ctx, spec)
			if s != nil {
				t.Error("there is a supervisor")
			}
			tried <- err
			_, err = in.Recv(ctx)
			return err
		})
	err := <-tried
	if err == nil || !errors.Is(err, cause) && cause != nil {
		t.Errorf("Start: %v, want %v", err, cause)
	}
	synctest.Wait()
	select {
	case <-starter.Done():
		t.Error("the process that has called Start has ended")
	default:
	}
	if _, err := starter.Stop(soon(t)); err != nil {
		t.Errorf("the process that has called Start: %v", err)
	}
}

func TestParityIgnore(t *testing.T) {
	ignores := fails(supervisor.ErrIgnore)
	temporary := restart(supervisor.Temporary)
	otp(t, "sup_start_ignore_child", func(t *testing.T, d *diary) {
		s := start(t, &supervisor.Spec{Name: "sup", Limit: limit(2)})
		wantErr(t, "Add", s.Add(soon(t), d.worker("child1", ignores)), supervisor.ErrIgnore)
		add(t, s, d.worker("child2"))
		wantStates(t, s, "child1=stopped child2=running")
		wantCount(t, s, 2, 1, 0, 2)
		stop(t, s)
	})
	otp(t, "sup_start_ignore_temporary_child", func(t *testing.T, d *diary) {
		s := start(t, &supervisor.Spec{Name: "sup", Limit: limit(2), Children: []supervisor.Child{
			d.worker("child1", ignores, temporary), d.worker("child2", temporary),
		}})
		wantStates(t, s, "child2=running")
		wantCount(t, s, 1, 1, 0, 1)
		stop(t, s)
	})
	otp(t, "sup_start_ignore_temporary_child_start_child", func(t *testing.T, d *diary) {
		s := start(t, &supervisor.Spec{Name: "sup", Limit: limit(2)})
		wantErr(t, "Add", s.Add(soon(t), d.worker("child1", ignores, temporary)), supervisor.ErrIgnore)
		add(t, s, d.worker("child2", temporary))
		wantStates(t, s, "child2=running")
		wantCount(t, s, 1, 1, 0, 1)
		stop(t, s)
	})
	simple := func(r supervisor.Restart) func(*testing.T, *diary) {
		return func(t *testing.T, d *diary) {
			s, dyn := pool(t, 2, func(name string) *supervisor.Worker[order] {
				w := d.worker(name, restart(r))
				if name == "ignores" {
					ignores(w)
				}
				return w
			})
			w, err := dyn.Add(soon(t), "ignores")
			wantErr(t, "Add", err, supervisor.ErrIgnore)
			if w != nil {
				t.Error("there is a worker")
			}
			grow(t, dyn, "child2")
			wantStates(t, dyn.Supervisor(), "child2=running")
			wantCount(t, dyn.Supervisor(), 1, 1, 0, 1)
			stop(t, s)
			wantErr(t, "Wait", dyn.Supervisor().Wait(soon(t)), nil)
		}
	}
	otp(t, "sup_start_ignore_temporary_child_start_child_simple", simple(supervisor.Temporary))
	otp(t, "sup_start_ignore_permanent_child_start_child_simple", simple(supervisor.Permanent))
}

func TestParityStartMap(t *testing.T) {
	otp(t, "sup_start_map", func(t *testing.T, d *diary) {
		slow := stopsWith(nil, time.Hour)
		s := start(t, &supervisor.Spec{Name: "sup", Children: []supervisor.Child{
			d.worker("child1", slow),
			d.worker("child2", slow, patience(-1)),
			&supervisor.Spec{Name: "child3", Children: []supervisor.Child{d.worker("below", slow, patience(2*time.Hour))}},
		}})
		for _, i := range s.Children() {
			if i.Restart != supervisor.Permanent || i.Supervisor != (i.Name == "child3") {
				t.Errorf("child %+v", i)
			}
		}
		if _, ok := s.Which("child4"); ok {
			t.Error("there is a child4")
		}
		for _, tt := range []struct {
			name  string
			takes time.Duration // the default is 5 s for a worker, and as long as it takes for a supervisor
		}{{"child1", 5 * time.Second}, {"child2", 0}, {"child3", time.Hour}} {
			began := time.Now()
			wantErr(t, "Terminate", s.Terminate(t.Context(), tt.name), nil)
			if took := time.Since(began); took != tt.takes {
				t.Errorf("Terminate of %s took %v, want %v", tt.name, took, tt.takes)
			}
		}
		stop(t, s)
	})
	otp(t, "sup_start_map_simple", func(t *testing.T, d *diary) {
		s, dyn := pool(t, 1, func(name string) *supervisor.Worker[order] {
			return d.worker(name, restart(supervisor.Temporary), stopsWith(nil, time.Hour))
		})
		ws := []*supervisor.Worker[order]{grow(t, dyn, "1"), grow(t, dyn, "2"), grow(t, dyn, "3")}
		for _, i := range dyn.Supervisor().Children() {
			if i.Restart != supervisor.Temporary || i.Supervisor {
				t.Errorf("child %+v", i)
			}
		}
		began := time.Now()
		wantErr(t, "Remove", dyn.Remove(soon(t), ws[1]), nil)
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("Remove took %v", took)
		}
		wantErr(t, "Remove", dyn.Remove(soon(t), d.worker("2")), supervisor.ErrNotFound)
		stop(t, s)
	})
	otp(t, "sup_start_map_faulty_specs", func(t *testing.T, d *diary) {
		for want, child := range map[string]supervisor.Child{
			`supervisor "sup": Children[0]: Name is empty`: &supervisor.Worker[order]{Run: d.obey("child1")},
			`supervisor "sup": child "child2": Run is nil`: &supervisor.Worker[order]{Name: "child2"},
			`supervisor "sup": Children[0] is nil`:         nil,
		} {
			s, err := supervisor.Start(t.Context(), &supervisor.Spec{Name: "sup", Children: []supervisor.Child{child}})
			if s != nil || err == nil || err.Error() != want {
				t.Errorf("Start: %v, %v, want %s", s, err, want)
			}
		}
		d.want(t, "")
	})
	otp(t, "sup_flags", func(t *testing.T, d *diary) {
		for _, tt := range []struct {
			spec *supervisor.Spec
			want string
		}{
			{&supervisor.Spec{Strategy: 3}, "Strategy is"},
			{&supervisor.Spec{Limit: supervisor.Limit{Restarts: -2}}, "Limit.Restarts is -2"},
			{&supervisor.Spec{Limit: supervisor.Limit{Period: -1}}, "Limit.Period is"},
			{&supervisor.Spec{AutoShutdown: 3}, "AutoShutdown is"},
		} {
			if s, err := supervisor.Start(t.Context(), tt.spec); s != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Start: %v, %v, want %s", s, err, tt.want)
			}
		}
		// Where OTP refuses a period of 0 and takes an intensity of 0 as it
		// stands, both mean the default here, which is 3 in 5 s and not 1 in 5 s.
		for restarts, l := range map[int]supervisor.Limit{3: {}, 0: {Restarts: -1}} {
			w := d.worker("w")
			s := start(t, &supervisor.Spec{Name: "sup", Limit: l, Children: []supervisor.Child{w}})
			for i := range restarts {
				tell(t, w, "crash")
				if !running(s) {
					t.Fatalf("it has ended at restart %d", i+1)
				}
			}
			tell(t, w, "crash")
			wantEnd(t, s)
		}
		w := d.worker("w")
		s := start(t, &supervisor.Spec{Name: "sup", Limit: supervisor.Limit{Restarts: 1}, Children: []supervisor.Child{w}})
		for range 5 {
			tell(t, w, "crash")
			time.Sleep(5*time.Second + 1)
		}
		stop(t, s)
	})
}
