package supervisor_test

import (
	"testing"

	"tinyactor/supervisor"
)

// kills are the ends that are no orderly ones.
var kills = []string{"goexit", "panic", "crash"}

func TestParitySignificant(t *testing.T) {
	temporary, transient := restart(supervisor.Temporary), restart(supervisor.Transient)
	otp(t, "nonsignificant_temporary", func(t *testing.T, d *diary) {
		for auto := supervisor.Never; auto <= supervisor.AllSignificant; auto++ {
			s := start(t, &supervisor.Spec{Name: "sup", AutoShutdown: auto})
			add(t, s, d.worker("child1", temporary))
			wantErr(t, "Terminate", s.Terminate(soon(t), "child1"), nil)
			for _, end := range append(kills, "return") {
				w := d.worker("child1", temporary)
				add(t, s, w)
				tell(t, w, end)
				wantStates(t, s, "")
			}
			if !running(s) {
				t.Errorf("%v: it has ended", auto)
			}
			stop(t, s)
		}
	})
	otp(t, "nonsignificant_transient", func(t *testing.T, d *diary) {
		for auto := supervisor.Never; auto <= supervisor.AllSignificant; auto++ {
			s := start(t, &supervisor.Spec{Name: "sup", AutoShutdown: auto, Limit: limit(5)})
			w := d.worker("child1", transient)
			add(t, s, w)
			wantErr(t, "Terminate", s.Terminate(soon(t), "child1"), nil)
			wantErr(t, "Restart", s.Restart(soon(t), "child1"), nil)
			for _, end := range kills {
				tell(t, w, end)
				wantStates(t, s, "child1=running")
			}
			tell(t, w, "return")
			wantStates(t, s, "child1=stopped")
			if !running(s) {
				t.Errorf("%v: it has ended", auto)
			}
			stop(t, s)
		}
	})

	// trio starts a supervisor with two significant children and another one.
	trio := func(t *testing.T, d *diary, auto supervisor.AutoShutdown, r func(*supervisor.Worker[order])) (s *supervisor.Supervisor, c1, c2 *supervisor.Worker[order]) {
		t.Helper()
		c1, c2 = d.worker("child1", r, weighty), d.worker("child2", r, weighty)
		s = start(t, &supervisor.Spec{Name: "sup", AutoShutdown: auto, Limit: limit(5)})
		add(t, s, c1, c2, d.worker("child3", r))
		return s, c1, c2
	}
	ended := func(t *testing.T, s *supervisor.Supervisor, d *diary, want string) {
		t.Helper()
		d.want(t, want)
		if running(s) {
			t.Fatal("it has not ended")
		}
		wantErr(t, "Wait", s.Wait(soon(t)), supervisor.ErrShutdown)
	}
	otp(t, "significant_temporary", func(t *testing.T, d *diary) {
		for i, end := range append(kills, "return") {
			s, c1, _ := trio(t, d, supervisor.AnySignificant, temporary)
			d.want(t, "+child1 +child2 +child3")
			if i == 0 { // by the supervisor
				wantErr(t, "Terminate", s.Terminate(soon(t), "child1"), nil)
				wantStates(t, s, "child2=running child3=running")
				c1 = d.worker("child1", temporary, weighty)
				add(t, s, c1)
				d.want(t, "-child1 +child1")
				tell(t, c1, end)
				ended(t, s, d, "-child1 -child3 -child2")
				continue
			}
			tell(t, c1, end)
			ended(t, s, d, "-child1 -child3 -child2")
		}
		s, c1, c2 := trio(t, d, supervisor.AllSignificant, temporary)
		tell(t, c1, "return")
		d.want(t, "+child1 +child2 +child3 -child1")
		wantStates(t, s, "child2=running child3=running")
		tell(t, c2, "return")
		ended(t, s, d, "-child2 -child3")
	})
	otp(t, "significant_transient", func(t *testing.T, d *diary) {
		s, c1, _ := trio(t, d, supervisor.AnySignificant, transient)
		wantErr(t, "Terminate", s.Terminate(soon(t), "child1"), nil)
		wantStates(t, s, "child1=stopped child2=running child3=running")
		wantErr(t, "Restart", s.Restart(soon(t), "child1"), nil)
		d.want(t, "+child1 +child2 +child3 -child1 +child1")
		for _, end := range kills {
			tell(t, c1, end)
			d.want(t, "-child1 +child1")
			wantStates(t, s, "child1=running child2=running child3=running")
		}
		tell(t, c1, "return")
		ended(t, s, d, "-child1 -child3 -child2")

		s, c1, c2 := trio(t, d, supervisor.AllSignificant, transient)
		tell(t, c1, "return")
		d.want(t, "+child1 +child2 +child3 -child1")
		wantStates(t, s, "child1=stopped child2=running child3=running")
		tell(t, c2, "return")
		ended(t, s, d, "-child2 -child3")
	})
	otp(t, "significant_simple", func(t *testing.T, d *diary) {
		// A Dynamic has no AutoShutdown that could be set. Its children cannot be
		// significant, and none of their ends ends it.
		root, dyn := pool(t, 1, func(name string) *supervisor.Worker[order] {
			w := d.worker(name, temporary)
			w.Significant = name == "significant"
			return w
		})
		if w, err := dyn.Add(soon(t), "significant"); w != nil || err == nil {
			t.Errorf("Add of a significant child: %v, %v", w, err)
		}
		tell(t, grow(t, dyn, "other"), "return")
		wantStates(t, dyn.Supervisor(), "")
		if !running(dyn.Supervisor()) {
			t.Error("it has ended")
		}
		stop(t, root)
	})
	otp(t, "significant_bystander", func(t *testing.T, d *diary) {
		for strategy, want := range map[supervisor.Strategy]string{
			supervisor.OneForOne:  "-child2 +child2",
			supervisor.OneForAll:  "-child2 -child3 -child1 +child1 +child2 +child3",
			supervisor.RestForOne: "-child2 -child3 +child2 +child3",
		} {
			for _, auto := range []supervisor.AutoShutdown{supervisor.AnySignificant, supervisor.AllSignificant} {
				w := d.worker("child2", transient)
				s := start(t, &supervisor.Spec{Name: "sup", Strategy: strategy, AutoShutdown: auto, Limit: limit(5), Children: []supervisor.Child{
					d.worker("child1", transient, weighty), w, d.worker("child3", transient, weighty),
				}})
				d.take()
				tell(t, w, "goexit")
				d.want(t, want)
				if !running(s) {
					t.Errorf("%v %v: it has ended", strategy, auto)
				}
				stop(t, s)
				d.take()
			}
		}
	})
	otp(t, "significant_escalation", func(t *testing.T, d *diary) {
		for _, significant := range []bool{true, false} {
			child := d.worker("child1", transient, weighty)
			s := start(t, &supervisor.Spec{Name: "a", AutoShutdown: supervisor.AnySignificant})
			add(t, s, &supervisor.Spec{Name: "b", AutoShutdown: supervisor.AnySignificant, Restart: supervisor.Transient, Significant: significant})
			b, _ := s.Sub("b")
			add(t, b, child)
			tell(t, child, "return")
			if running(s) == significant {
				t.Errorf("b is significant: %v; it is running: %v", significant, !significant)
			}
			if significant {
				wantErr(t, "Wait", s.Wait(soon(t)), supervisor.ErrShutdown)
				continue
			}
			wantStates(t, s, "b=stopped")
			stop(t, s)
		}
	})
}
