package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// Case 109, rules 56 and 57: a child's whole life, with the counts at each step.
func TestAdministrationOfAChild(t *testing.T) {
	for _, strategy := range []supervisor.Strategy{supervisor.OneForOne, supervisor.OneForAll, supervisor.RestForOne} {
		t.Run(strategy.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				s := start(t, &supervisor.Spec{Name: "root", Strategy: strategy, Children: []supervisor.Child{d.worker("first")}})
				ctx := soon(t)
				step := func(what string, err, want error, specs, active int) {
					t.Helper()
					if (want == nil) != (err == nil) || want != errAny && !errors.Is(err, want) {
						t.Errorf("%s: %v, want %v", what, err, want)
					}
					if got := s.Count(); got.Specs != specs || got.Active != active || got.Workers != specs || got.Supervisors != 0 {
						t.Errorf("%s: count %+v", what, got)
					}
				}
				w := d.worker("w")
				step("Add", s.Add(ctx, w), nil, 2, 2)
				step("Add of the same name", s.Add(ctx, d.worker("w")), supervisor.ErrAlreadyStarted, 2, 2)
				step("Restart of a running one", s.Restart(ctx, "w"), supervisor.ErrRunning, 2, 2)
				step("Remove of a running one", s.Remove(ctx, "w"), supervisor.ErrRunning, 2, 2)
				step("Terminate", s.Terminate(ctx, "w"), nil, 2, 1)
				step("Terminate again", s.Terminate(ctx, "w"), nil, 2, 1)
				step("Add of a stopped one", s.Add(ctx, d.worker("w")), supervisor.ErrAlreadyPresent, 2, 1)
				tell(t, w, "waits")
				step("Restart", s.Restart(ctx, "w"), nil, 2, 2)
				d.want(t, "+first +w -w +w w:waits")
				step("Terminate once more", s.Terminate(ctx, "w"), nil, 2, 1)
				if i, ok := s.Which("w"); !ok || i.State != supervisor.Stopped || i.Processes != 0 || i.Restarts != 0 {
					t.Errorf("Which: %+v, %v", i, ok)
				}
				step("Remove", s.Remove(ctx, "w"), nil, 1, 1)
				if !w.Address().Closed() {
					t.Error("its address is open")
				}
				step("Terminate of nobody", s.Terminate(ctx, "w"), supervisor.ErrNotFound, 1, 1)
				step("Restart of nobody", s.Restart(ctx, "w"), supervisor.ErrNotFound, 1, 1)
				step("Remove of nobody", s.Remove(ctx, "w"), supervisor.ErrNotFound, 1, 1)
				if err := s.Remove(ctx, "w"); err.Error() != `supervisor "root": remove child "w": supervisor: no such child` {
					t.Errorf("the error is %v", err)
				}
				step("Add after all", s.Add(ctx, d.worker("w")), nil, 2, 2)
				step("Add of a faulty one", s.Add(ctx, &supervisor.Worker[int]{Name: "x"}), errAny, 2, 2)
				stop(t, s)
			})
		})
	}
}

// errAny stands for every error.
var errAny = errors.New("any")

// Case 56: a Restart that fails leaves the child where it was.
func TestRestartByHandThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		fail := false
		w := d.worker("w")
		run := w.Run
		w.Run = func(ctx context.Context, in *actor.Inbox[order]) error {
			if fail {
				return errCrash
			}
			return run(ctx, in)
		}
		s := start(t, &supervisor.Spec{Name: "root", Limit: supervisor.Limit{Restarts: -1}, Children: []supervisor.Child{w}})
		if err := s.Terminate(t.Context(), "w"); err != nil {
			t.Error(err)
		}
		fail = true
		for range 5 { // nothing is counted
			if err := s.Restart(t.Context(), "w"); !errors.Is(err, errCrash) {
				t.Errorf("Restart: %v", err)
			}
		}
		if i, ok := s.Which("w"); !ok || i.State != supervisor.Stopped {
			t.Errorf("Which: %+v, %v", i, ok)
		}
		fail = false
		if err := s.Restart(t.Context(), "w"); err != nil {
			t.Error(err)
		}
		stop(t, s)
	})
}

// Rule 32: Terminate of a child that waits for its restart ends the waiting.
func TestTerminateOfARestartingChild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		w := d.worker("w")
		w.Backoff = supervisor.Backoff{Min: time.Minute}
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{w}})
		tell(t, w, "crash")
		synctest.Wait()
		for what, err := range map[string]error{
			"Restart": s.Restart(t.Context(), "w"), "Remove": s.Remove(t.Context(), "w"),
		} {
			if !errors.Is(err, supervisor.ErrRestarting) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if err := s.Add(t.Context(), d.worker("w")); !errors.Is(err, supervisor.ErrAlreadyPresent) {
			t.Errorf("Add: %v", err)
		}
		if err := s.Terminate(t.Context(), "w"); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Hour)
		d.want(t, "+w -w")
		if got := states(s); got != "w=stopped" {
			t.Errorf("children: %s", got)
		}
		stop(t, s)
	})
}

// A call whose ctx ends is dropped by the caller only; nothing waits for it.
func TestCallsEndWithTheirContext(t *testing.T) {
	quiet(t)
	synctest.Test(t, func(t *testing.T) {
		var d diary
		w := d.worker("w", deaf(&d, nil), abortTimer(time.Hour))
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{w}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Terminate(ctx, "w"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Terminate: %v", err)
		}
		if got := states(s); got != "w=stopping" {
			t.Errorf("children: %s", got)
		}
		if err := s.Add(t.Context(), d.worker("x")); err != nil { // the supervisor is not blocked
			t.Error(err)
		}
		time.Sleep(time.Hour)
		d.want(t, "+w +x -w")
		if got := states(s); got != "w=stopped x=running" {
			t.Errorf("children: %s", got)
		}
		stop(t, s)
	})
}

// Rule 61: a child may call its own supervisor at any time, also while it is
// told to stop, and gets its answer at once.
func TestCallsFromOwnChildren(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		type result struct {
			what string
			err  error
		}
		results := make(chan result, 100)
		all := func(ctx context.Context, when string, self string) {
			s := supervisor.Of(ctx)
			for what, f := range map[string]func() error{
				"terminate itself": func() error { return s.Terminate(ctx, self) },
				"terminate other":  func() error { return s.Terminate(ctx, "other") },
				"restart itself":   func() error { return s.Restart(ctx, self) },
				"remove itself":    func() error { return s.Remove(ctx, self) },
				"add":              func() error { return s.Add(ctx, d.worker("new "+when)) },
			} {
				if when == "running" && what == "terminate itself" {
					continue // it is told to stop by that
				}
				began := time.Now()
				err := f()
				if time.Since(began) > 0 {
					err = fmt.Errorf("it took %v: %w", time.Since(began), err)
				}
				results <- result{when + " " + what, err}
			}
			s.Children()
			s.Count()
		}
		w := &supervisor.Worker[order]{Name: "w", AwaitStart: time.Minute, Run: func(ctx context.Context, in *actor.Inbox[order]) error {
			supervisor.Started(ctx)
			for m := range in.Messages(ctx) {
				if m.do == "end" {
					results <- result{"itself", supervisor.Of(ctx).Terminate(ctx, "w")}
					continue
				}
				all(ctx, "running", "w")
			}
			all(ctx, "halted", "w") // also from its own child
			kid, _ := actor.Spawn(ctx, actor.Config{}, func(ctx context.Context, _ *actor.Inbox[int]) error {
				all(ctx, "halted below", "w")
				return nil
			})
			kid.Wait(ctx)
			return nil
		}}
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{w, d.worker("other")}})
		expect := func(n int, want map[string]error) {
			t.Helper()
			for range n {
				r := <-results
				if e, ok := want[r.what]; !ok || !errors.Is(r.err, e) || (e == nil) != (r.err == nil) {
					t.Errorf("%s: %v, want %v", r.what, r.err, e)
				}
			}
		}
		down := supervisor.ErrShuttingDown
		halted := map[string]error{"itself": down}
		for _, when := range []string{"halted ", "halted below "} {
			for _, what := range []string{"terminate itself", "terminate other", "restart itself", "remove itself", "add"} {
				halted[when+what] = down
			}
		}
		tell(t, w, "")
		expect(4, map[string]error{
			"running terminate other": nil, "running restart itself": supervisor.ErrRunning,
			"running remove itself": supervisor.ErrRunning, "running add": nil,
		})
		tell(t, w, "end") // its own order is answered, and what follows
		expect(11, halted)
		synctest.Wait()
		if i, _ := s.Which("w"); i.State != supervisor.Stopped {
			t.Errorf("%+v", i)
		}
		if err := s.Restart(t.Context(), "w"); err != nil {
			t.Error(err)
		}
		stop(t, s) // the same while the whole tree stops
		expect(10, halted)
	})
}

// Cases 90 and 91: a group restart starts again what was stopped by hand, takes
// along what was added, and a restart of the supervisor forgets that.
func TestTreeWithChildrenOfAllKinds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		dyn := dynamic(&d, nil)
		a, b := d.worker("a"), d.worker("b", restart(supervisor.Transient))
		sub := &supervisor.Spec{Name: "sub", Strategy: supervisor.OneForAll, Limit: supervisor.Limit{Restarts: 1}, Children: []supervisor.Child{
			a, b, dyn, d.worker("t", restart(supervisor.Temporary)),
		}}
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{sub}})
		in, ok := s.Sub("sub")
		if !ok {
			t.Fatal("no supervisor sub")
		}
		if err := in.Add(t.Context(), d.worker("x")); err != nil {
			t.Error(err)
		}
		if err := in.Terminate(t.Context(), "b"); err != nil {
			t.Error(err)
		}
		if _, err := dyn.Add(t.Context(), "y"); err != nil {
			t.Error(err)
		}
		d.want(t, "+a +b +t +x -b +y")
		if got := in.Count(); got != (supervisor.Counts{Specs: 5, Active: 4, Workers: 4, Supervisors: 1}) {
			t.Errorf("count %+v", got)
		}
		tell(t, a, "crash")
		d.want(t, "-a -x -t -y +a +b +x")
		if got := states(in); got != "a=running b=running d=running x=running" {
			t.Errorf("children: %s", got)
		}
		tell(t, a, "crash") // one too many: sub is restarted by root
		d.want(t, "-a -x -b +a +b")
		if got := states(in); got != "a=running b=running d=running" { // t had ended for good
			t.Errorf("children: %s", got)
		}
		if i, _ := s.Which("sub"); i.Restarts != 1 || !i.Supervisor {
			t.Errorf("%+v", i)
		}
		stop(t, s)
		d.want(t, "-b -a")
	})
}

// Case 117: a restart, by hand or not, has the arguments of the first start.
func TestRestartOfADynamicChildKeepsItsArgument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		dyn := dynamic(&d, nil)
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{dyn}})
		w, err := dyn.Add(t.Context(), "argument")
		if err != nil {
			t.Fatal(err)
		}
		tell(t, w, "crash")
		d.want(t, "+argument -argument +argument")
		stop(t, s)
	})
}

// Cases 122-128: auto-shutdown, through the tree.
func TestAutoShutdown(t *testing.T) {
	significant := func(w *supervisor.Worker[order]) { w.Significant, w.Restart = true, supervisor.Transient }
	for _, tt := range []struct {
		auto supervisor.AutoShutdown
		do   string
		ends bool
	}{
		{supervisor.AnySignificant, "return", true},
		{supervisor.AnySignificant, "shutdown", true},
		{supervisor.AnySignificant, "crash", false},
		{supervisor.AllSignificant, "return", false},
	} {
		t.Run(fmt.Sprintf("%v %s", tt.auto, tt.do), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				a, b := d.worker("a", significant), d.worker("b", significant)
				outer := &supervisor.Spec{Name: "root", AutoShutdown: supervisor.AnySignificant, Children: []supervisor.Child{
					&supervisor.Spec{Name: "sub", AutoShutdown: tt.auto, Restart: supervisor.Transient, Significant: true,
						Children: []supervisor.Child{a, d.worker("x"), b}},
				}}
				s := start(t, outer)
				tell(t, a, tt.do)
				synctest.Wait()
				ended := false
				select {
				case <-s.Done():
					ended = true
				default:
				}
				if ended != tt.ends {
					t.Errorf("it has ended: %v", ended)
				}
				if !ended && tt.auto == supervisor.AllSignificant {
					tell(t, b, "return")
					<-s.Done()
					ended = true
				}
				err := s.Wait(soonOr(t, ended, s))
				if ended && (!errors.Is(err, supervisor.ErrShutdown) || errors.Is(err, supervisor.ErrLimitExceeded)) {
					t.Errorf("Wait: %v", err)
				}
			})
		})
	}
}

// soonOr stops s unless it has ended.
func soonOr(t *testing.T, ended bool, s *supervisor.Supervisor) context.Context {
	if !ended {
		stop(t, s)
	}
	return t.Context()
}

// Rule 80, case 145: whoever sees Done finds the name free.
func TestDoneMeansThatTheNameIsFree(t *testing.T) {
	var d diary
	s := start(t, &supervisor.Spec{Name: "root"})
	for i := range 200 {
		w := d.worker("w", restart(supervisor.Temporary))
		if err := s.Add(t.Context(), w); err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
		tell(t, w, "return")
		<-w.Address().Done()
	}
	stop(t, s)
}
