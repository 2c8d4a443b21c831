package supervisor_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

func TestParityAdministration(t *testing.T) {
	otp(t, "child_adm", func(t *testing.T, d *diary) {
		w := d.worker("child1")
		s := start(t, &supervisor.Spec{Name: "sup", Limit: limit(2), Children: []supervisor.Child{w}})
		wantStates(t, s, "child1=running")
		wantCount(t, s, 1, 1, 0, 1)
		wantErr(t, "Add of a running one", s.Add(soon(t), d.worker("child1")), supervisor.ErrAlreadyStarted)
		wantUnknown(t, s, "hej")

		for range 2 { // the second time it is not running
			wantErr(t, "Terminate", s.Terminate(soon(t), "child1"), nil)
			wantStates(t, s, "child1=stopped")
			wantCount(t, s, 1, 0, 0, 1)
		}
		wantErr(t, "Add of a stopped one", s.Add(soon(t), d.worker("child1")), supervisor.ErrAlreadyPresent)
		wantErr(t, "Restart", s.Restart(soon(t), "child1"), nil)
		wantStates(t, s, "child1=running")
		wantCount(t, s, 1, 1, 0, 1)
		wantErr(t, "Restart of a running one", s.Restart(soon(t), "child1"), supervisor.ErrRunning)
		wantErr(t, "Remove of a running one", s.Remove(soon(t), "child1"), supervisor.ErrRunning)

		wantErr(t, "Terminate", s.Terminate(soon(t), "child1"), nil)
		wantErr(t, "Remove", s.Remove(soon(t), "child1"), nil)
		wantUnknown(t, s, "child1")
		wantStates(t, s, "")
		wantCount(t, s, 0, 0, 0, 0)
		add(t, s, d.worker("child1"))
		wantStates(t, s, "child1=running")
		wantCount(t, s, 1, 1, 0, 1)
		d.want(t, "+child1 -child1 +child1 -child1 +child1")
		stop(t, s)

		wantErr(t, "Terminate", s.Terminate(soon(t), "child1"), supervisor.ErrShuttingDown)
		wantErr(t, "Remove", s.Remove(soon(t), "child1"), supervisor.ErrShuttingDown)
		wantErr(t, "Add", s.Add(soon(t), d.worker("child1")), supervisor.ErrShuttingDown)
	})
	otp(t, "child_adm_simple", func(t *testing.T, d *diary) {
		root, dyn := pool(t, 2, func(name string) *supervisor.Worker[order] { return d.worker(name) })
		s := dyn.Supervisor()
		wantCount(t, s, 0, 0, 0, 0) // OTP counts the template as a spec, this the children
		child1 := grow(t, dyn, "child1")
		wantCount(t, s, 1, 1, 0, 1)
		grow(t, dyn, "child2")
		wantStates(t, s, "child1=running child2=running")
		wantCount(t, s, 2, 2, 0, 2)

		wantUnknown(t, s, "child1") // by name, though that is its name
		wantCount(t, s, 2, 2, 0, 2)
		wantErr(t, "Remove", dyn.Remove(soon(t), child1), nil)
		<-child1.Address().Done()
		wantCount(t, s, 1, 1, 0, 1)
		// In OTP it is in order to end once more what has ended.
		wantErr(t, "Remove of a former child", dyn.Remove(soon(t), child1), supervisor.ErrNotFound)
		foreign := d.worker("foreign")
		other := start(t, &supervisor.Spec{Name: "other", Children: []supervisor.Child{foreign}})
		wantErr(t, "Remove of a foreign one", dyn.Remove(soon(t), foreign), supervisor.ErrNotFound)
		wantStates(t, other, "foreign=running")
		wantCount(t, s, 1, 1, 0, 1)
		stop(t, other)
		stop(t, root)
	})
	otp(t, "extra_return", func(t *testing.T, d *diary) {
		// A start returns no info. What a child has to tell those that wait for
		// its start it answers them at its address, as early as they like to ask.
		w := d.worker("child1")
		s := start(t, &supervisor.Spec{Name: "sup", Limit: limit(2)})
		info := func(when string) {
			t.Helper()
			if _, err := actor.Ask(soon(t), w.Address(), func(r actor.Reply[int]) order { return order{Reply: r, do: "id"} }); err != nil {
				t.Errorf("%s: %v", when, err)
			}
		}
		add(t, s, w)
		info("after Add")
		wantErr(t, "Terminate", s.Terminate(soon(t), "child1"), nil)
		wantCount(t, s, 1, 0, 0, 1)
		wantErr(t, "Restart", s.Restart(soon(t), "child1"), nil)
		info("after Restart")
		tell(t, w, "crash")
		info("after a restart")
		wantCount(t, s, 1, 1, 0, 1)
		d.want(t, "+child1 -child1 +child1 -child1 +child1")
		stop(t, s)
	})
	otp(t, "which_children", func(t *testing.T, d *diary) {
		s := start(t, &supervisor.Spec{Name: "sup"})
		// The list begins with the child that was started first; in OTP with the last.
		for _, want := range []string{"", "child1=running", "child1=running child2=running"} {
			if n := len(strings.Fields(want)); n > 0 {
				add(t, s, d.worker(fmt.Sprint("child", n)))
			}
			wantStates(t, s, want)
			for _, i := range s.Children() {
				if got, ok := s.Which(i.Name); !ok || got != i {
					t.Errorf("Which(%q) is %+v, want %+v", i.Name, got, i)
				}
			}
			wantUnknown(t, s, "childx")
		}
		wantErr(t, "Terminate", s.Terminate(soon(t), "child1"), nil)
		wantStates(t, s, "child1=stopped child2=running")
		if i, ok := s.Which("child1"); !ok || i.State != supervisor.Stopped || i.Processes != 0 {
			t.Errorf("%+v", i)
		}
		wantErr(t, "Remove", s.Remove(soon(t), "child1"), nil)
		wantStates(t, s, "child2=running")
		wantUnknown(t, s, "child1")
		stop(t, s)
	})
	otp(t, "which_children_simple_one_for_one", func(t *testing.T, d *diary) {
		root, dyn := pool(t, 1, func(name string) *supervisor.Worker[order] {
			return d.worker(name, restart(supervisor.Temporary))
		})
		s := dyn.Supervisor()
		wantStates(t, s, "")
		w := grow(t, dyn, "child1")
		wantStates(t, s, "child1=running")
		grow(t, dyn, "child2")
		wantStates(t, s, "child1=running child2=running")
		wantUnknown(t, s, "child1") // the children have no names for their supervisor
		wantErr(t, "Remove", dyn.Remove(soon(t), w), nil)
		wantStates(t, s, "child2=running")
		stop(t, root)
	})
	otp(t, "already_started_outside_supervisor", func(t *testing.T, d *diary) {
		// There is no registry in which a name could be taken. What can be taken
		// is the child itself: then the one who has it keeps it.
		w := d.worker("registered_name", restart(supervisor.Transient))
		outside := start(t, &supervisor.Spec{Name: "outside", Children: []supervisor.Child{w}})
		s := start(t, &supervisor.Spec{Name: "sup"})
		if err := s.Add(soon(t), w); err == nil {
			t.Error("Add of a child of another tree: no error")
		}
		wantStates(t, outside, "registered_name=running")
		wantStates(t, s, "")
		add(t, s, d.worker("registered_name"))
		wantStates(t, s, "registered_name=running")
		stop(t, s)
		wantStates(t, outside, "registered_name=running")
		stop(t, outside)
	})
}

// wantUnknown fails the test if the supervisor knows a child of that name.
func wantUnknown(t *testing.T, s *supervisor.Supervisor, name string) {
	t.Helper()
	if i, ok := s.Which(name); ok {
		t.Errorf("Which: %+v", i)
	}
	wantErr(t, "Terminate", s.Terminate(soon(t), name), supervisor.ErrNotFound)
	wantErr(t, "Restart", s.Restart(soon(t), name), supervisor.ErrNotFound)
	wantErr(t, "Remove", s.Remove(soon(t), name), supervisor.ErrNotFound)
}

func TestParitySpecs(t *testing.T) {
	bad := func(d *diary) map[string]supervisor.Child {
		return map[string]supervisor.Child{
			"is nil":                    (*supervisor.Worker[order])(nil),
			"Name is empty":             d.worker(""),
			"Run is nil":                &supervisor.Worker[order]{Name: "w"},
			"Restart is unknown(7)":     d.worker("w", restart(7)),
			"OnStuck is unknown(7)":     d.worker("w", func(w *supervisor.Worker[order]) { w.OnStuck = 7 }),
			"Processes is -1":           d.worker("w", func(w *supervisor.Worker[order]) { w.Processes = -1 }),
			"AwaitStart is -1ns":        d.worker("w", func(w *supervisor.Worker[order]) { w.AwaitStart = -1 }),
			"Template is nil":           &supervisor.Dynamic[string, order]{Name: "w"},
			"Strategy is unknown(7)":    &supervisor.Spec{Name: "w", Strategy: 7},
			"cannot be significant":     d.worker("w", weighty),
			"its supervisor's AutoShut": d.worker("w", weighty, restart(supervisor.Transient)),
		}
	}
	otp(t, "child_specs", func(t *testing.T, d *diary) {
		s := start(t, &supervisor.Spec{Name: "sup", Limit: limit(2)})
		for want, child := range bad(d) {
			if err := s.Add(soon(t), child); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Add: %v, want %s", err, want)
			}
		}
		wantCount(t, s, 0, 0, 0, 0)
		stop(t, s)
		for want, child := range bad(d) {
			s, err := supervisor.Start(t.Context(), &supervisor.Spec{Name: "sup", Children: []supervisor.Child{child}})
			if s != nil || err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Start: %v, %v, want %s", s, err, want)
			}
		}
		_, err := supervisor.Start(t.Context(), &supervisor.Spec{Name: "sup", Children: []supervisor.Child{d.worker("a"), d.worker("a")}})
		if err == nil || !strings.Contains(err.Error(), `Name is "a", as that of`) {
			t.Errorf("Start: %v", err)
		}
		d.want(t, "")
	})
	otp(t, "child_specs_map", func(t *testing.T, d *diary) {
		validate := func(auto supervisor.AutoShutdown, children ...supervisor.Child) error {
			return supervisor.Validate(&supervisor.Spec{Name: "sup", AutoShutdown: auto, Children: children})
		}
		for want, child := range bad(d) {
			if err := validate(supervisor.Never, child); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Validate: %v, want %s", err, want)
			}
		}
		if err := validate(supervisor.Never, d.worker("a"), d.worker("a")); err == nil {
			t.Error("Validate of two children of one name: no error")
		}
		for auto := supervisor.Never; auto <= supervisor.AllSignificant; auto++ {
			for r := supervisor.Permanent; r <= supervisor.Temporary; r++ {
				for _, timer := range []time.Duration{-1, 0, time.Second} {
					for _, significant := range []bool{false, true} {
						var want string
						switch {
						case significant && r == supervisor.Permanent:
							want = "a permanent child cannot be significant"
						case significant && auto == supervisor.Never:
							want = "AutoShutdown is Never"
						}
						for _, child := range []supervisor.Child{
							&supervisor.Worker[order]{Name: "w", Run: d.obey("w"), Restart: r, AbortTimer: timer, Significant: significant},
							&supervisor.Spec{Name: "s", Restart: r, AbortTimer: timer, Significant: significant},
							&supervisor.Dynamic[string, order]{
								Name: "d", Restart: r, AbortTimer: timer, Significant: significant,
								Template: func(name string) *supervisor.Worker[order] { return d.worker(name) },
							},
						} {
							err := validate(auto, child)
							if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
								t.Errorf("%v %v %v %v: %v, want %q", auto, r, timer, significant, err, want)
							}
						}
					}
				}
			}
		}
		d.want(t, "") // it starts nothing
	})
}

func TestParityProgress(t *testing.T) {
	otp(t, "external_start_no_progress_log", func(t *testing.T, d *diary) {
		var lines strings.Builder
		ctx := actor.WithObserver(context.Background(), supervisor.LogObserver(infoLogger(&lines)))
		s, err := supervisor.Start(ctx, &supervisor.Spec{Name: "sup", Limit: limit(2)})
		if err != nil {
			t.Fatal(err)
		}
		w := d.worker("child1")
		add(t, s, w)
		wantStates(t, s, "child1=running")
		if lines.Len() > 0 {
			t.Errorf("a start by hand has written:\n%s", lines.String())
		}
		tell(t, w, "return")
		d.want(t, "+child1 -child1 +child1")
		if got := lines.String(); strings.Contains(got, "child started") || !strings.Contains(got, "child restarted") {
			t.Errorf("a restart has written:\n%s", got)
		}
		stop(t, s)
	})
}

func TestParityKeptSpecs(t *testing.T) {
	otp(t, "do_not_save_child_specs_for_temporary_children", func(t *testing.T, d *diary) {
		for strategy := supervisor.OneForOne; strategy <= supervisor.RestForOne; strategy++ {
			for r := supervisor.Permanent; r <= supervisor.Temporary; r++ {
				for _, end := range []string{"goexit", "return", "crash", "supervisor"} {
					s := start(t, &supervisor.Spec{Name: "sup", Strategy: strategy})
					w := d.worker("child", restart(r))
					add(t, s, w)
					if end == "supervisor" {
						wantErr(t, "Terminate", s.Terminate(soon(t), "child"), nil)
					} else {
						tell(t, w, end)
					}
					var want error
					switch {
					case r == supervisor.Temporary:
					case end == "supervisor", r == supervisor.Transient && end == "return":
						want = supervisor.ErrAlreadyPresent
					default:
						want = supervisor.ErrAlreadyStarted
					}
					wantStates(t, s, map[error]string{
						nil: "", supervisor.ErrAlreadyPresent: "child=stopped", supervisor.ErrAlreadyStarted: "child=running",
					}[want])
					wantErr(t, "Add", s.Add(soon(t), d.worker("child")), want)
					if want == supervisor.ErrAlreadyPresent {
						wantErr(t, "Restart", s.Restart(soon(t), "child"), nil)
					}
					wantStates(t, s, "child=running")
					stop(t, s)
				}
			}
		}
	})
}
