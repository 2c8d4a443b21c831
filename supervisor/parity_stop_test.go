package supervisor_test

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/supervisor"
)

func TestParityStop(t *testing.T) {
	asleep := stopsWith(nil, 200*time.Second)
	otp(t, "sup_stop_infinity", func(t *testing.T, d *diary) {
		slow := stopsWith(nil, 10*time.Hour)
		s := start(t, &supervisor.Spec{Name: "sup", Limit: limit(2)})
		add(t, s,
			&supervisor.Spec{Name: "child1", Children: []supervisor.Child{d.worker("below", slow, patience(math.MaxInt64))}},
			d.worker("child2", slow, patience(math.MaxInt64)))
		began := time.Now()
		r := stop(t, s)
		if took := time.Since(began); took != 20*time.Hour {
			t.Errorf("Stop took %v", took)
		}
		if all := endings(r); all["child1"] != supervisor.InOrder || all["child2"] != supervisor.InOrder {
			t.Errorf("report %+v", r)
		}
	})
	otp(t, "sup_stop_timeout", func(t *testing.T, d *diary) {
		s := start(t, &supervisor.Spec{Name: "sup", Limit: limit(2)})
		add(t, s, d.worker("child1", patience(time.Second)), d.worker("child2", asleep, patience(time.Second)))
		began := time.Now()
		r := stop(t, s)
		if took := time.Since(began); took != time.Second {
			t.Errorf("Stop took %v", took)
		}
		if all := endings(r); all["child1"] != supervisor.InOrder || all["child2"] != supervisor.Aborted {
			t.Errorf("report %+v", r)
		}
	})
	otp(t, "sup_stop_timeout_dynamic", func(t *testing.T, d *diary) {
		s, dyn := pool(t, 2, func(name string) *supervisor.Worker[order] {
			w := d.worker(name, restart(supervisor.Temporary), patience(time.Second))
			if name == "asleep" {
				asleep(w)
			}
			return w
		})
		grow(t, dyn, "child1")
		grow(t, dyn, "asleep")
		began := time.Now()
		r := stop(t, s)
		if took := time.Since(began); took != time.Second {
			t.Errorf("Stop took %v", took)
		}
		if all := endings(r.Children[0]); all["child1"] != supervisor.InOrder || all["asleep"] != supervisor.Aborted {
			t.Errorf("report %+v", r)
		}
	})
	otp(t, "sup_stop_brutal_kill", func(t *testing.T, d *diary) {
		s := start(t, &supervisor.Spec{Name: "sup", Limit: limit(2)})
		add(t, s, d.worker("child1", patience(time.Second)), d.worker("child2", patience(-1)))
		r := stop(t, s)
		if all := endings(r); all["child1"] != supervisor.InOrder || all["child2"] != supervisor.Aborted {
			t.Errorf("report %+v", r)
		}
	})
	otp(t, "sup_stop_brutal_kill_dynamic", func(t *testing.T, d *diary) {
		s, dyn := pool(t, 2, func(name string) *supervisor.Worker[order] {
			return d.worker(name, restart(supervisor.Temporary), patience(-1))
		})
		for i := range 10 {
			grow(t, dyn, fmt.Sprint(i))
		}
		r := stop(t, s)
		all := endings(r.Children[0])
		for name, e := range all {
			if e != supervisor.Aborted {
				t.Errorf("%s: %s", name, e)
			}
		}
		if len(all) != 10 || r.Children[0].Ending != supervisor.InOrder {
			t.Errorf("report %+v", r)
		}
	})
	// Ends that come by themselves while the supervisor stops: each is known by
	// its own reason, and the stop goes on.
	reasons := map[string]error{
		"normal": nil, "shutdown": supervisor.ErrShutdown, "{shutdown,test}": fmt.Errorf("test: %w", supervisor.ErrShutdown), "other": errCrash,
	}
	otp(t, "sup_stop_race", func(t *testing.T, d *diary) {
		s := start(t, &supervisor.Spec{Name: "sup", Limit: limit(2)})
		add(t, s, d.worker("a", restart(supervisor.Temporary)))
		var ws []*supervisor.Worker[order]
		for _, r := range []supervisor.Restart{supervisor.Temporary, supervisor.Transient, supervisor.Permanent} {
			for name, reason := range reasons {
				ws = append(ws, d.worker(r.String()+name, restart(r), stopsWith(reason, 0)))
				add(t, s, ws[len(ws)-1])
			}
		}
		add(t, s, d.worker("z", restart(supervisor.Temporary), stopsWith(nil, time.Second), patience(2*time.Second)))
		time.AfterFunc(200*time.Millisecond, func() {
			for _, w := range ws {
				tell(t, w, "end")
			}
		})
		began := time.Now()
		r := stop(t, s)
		if took := time.Since(began); took != time.Second || len(r.Children) != len(ws)+2 {
			t.Errorf("Stop took %v: %+v", took, r)
		}
		for i, c := range r.Children {
			want := supervisor.NotRunning // when its turn came
			if i == 0 || i == len(r.Children)-1 {
				want = supervisor.InOrder
			}
			failed := len(c.Name) > 5 && c.Name[len(c.Name)-5:] == "other"
			if c.Ending != want || failed != errors.Is(c.Err, errCrash) || !failed && c.Err != nil {
				t.Errorf("%s: %s, %v", c.Name, c.Ending, c.Err)
			}
		}
	})
	otp(t, "sup_stop_non_shutdown_exit_dynamic", func(t *testing.T, d *diary) {
		for _, r := range []supervisor.Restart{supervisor.Temporary, supervisor.Transient, supervisor.Permanent} {
			s, dyn := pool(t, 2, func(name string) *supervisor.Worker[order] {
				return d.worker(name, restart(r), stopsWith(reasons[name], 0))
			})
			for name := range reasons {
				grow(t, dyn, name)
			}
			report := stop(t, s).Children[0]
			for _, c := range report.Children {
				want, failed := supervisor.InOrder, c.Name == "other"
				if failed {
					want = supervisor.Failed
				}
				if c.Ending != want || failed != errors.Is(c.Err, errCrash) {
					t.Errorf("%v %s: %s, %v", r, c.Name, c.Ending, c.Err)
				}
			}
			if report.Ending != supervisor.InOrder || len(report.Children) != len(reasons) {
				t.Errorf("%v: report %+v", r, report)
			}
		}
	})
	otp(t, "order_of_children", func(t *testing.T, d *diary) {
		var kids []supervisor.Child
		for _, name := range []string{"ch7", "ch3", "ch10", "ch2", "ch5"} {
			kids = append(kids, d.worker(name))
		}
		s := start(t, &supervisor.Spec{Name: "sup", Strategy: supervisor.RestForOne, Limit: limit(2), Children: kids})
		d.want(t, "+ch7 +ch3 +ch10 +ch2 +ch5")
		tell(t, kids[2].(*supervisor.Worker[order]), "crash")
		d.want(t, "-ch10 -ch5 -ch2 +ch10 +ch2 +ch5")
		stop(t, s)
		d.want(t, "-ch5 -ch2 -ch10 -ch3 -ch7")
	})
	otp(t, "child_unlink", func(t *testing.T, d *diary) {
		// A child cannot take itself away from its supervisor. The worst that it
		// can do is to hear nothing, neither its halt nor its abort.
		release := make(chan struct{})
		naughty := d.worker("naughty_child", patience(time.Second), func(w *supervisor.Worker[order]) {
			w.Run = deafUntil(release)
		})
		s := start(t, &supervisor.Spec{Name: "sup", Limit: limit(2)})
		add(t, s, naughty)
		done := make(chan error, 1)
		go func() { done <- s.Terminate(soon(t), "naughty_child") }()
		wantStates(t, s, "naughty_child=stopping")
		add(t, s, d.worker("foo")) // it answers meanwhile
		began := time.Now()
		if err := <-done; err == nil {
			t.Error("Terminate: no error though the child lives")
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("Terminate took %v", took)
		}
		wantStates(t, s, "naughty_child=stopped foo=running")
		close(release)
		synctest.Wait()
		stop(t, s)
	})
}
