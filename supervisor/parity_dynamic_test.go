package supervisor_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

func TestParitySimple(t *testing.T) {
	baseCase := func(t *testing.T, d *diary) {
		root, dyn := pool(t, 2, func(name string) *supervisor.Worker[order] { return d.worker(name) })
		c1, c2 := grow(t, dyn, "child1"), grow(t, dyn, "child2")
		tell(t, c1, "crash")
		d.want(t, "+child1 +child2 -child1 +child1")
		wantStates(t, dyn.Supervisor(), "child1=running child2=running")
		wantCount(t, dyn.Supervisor(), 2, 2, 0, 2)
		tell(t, c2, "crash")
		d.want(t, "-child2 +child2")
		tell(t, c1, "crash")
		wantEnd(t, dyn.Supervisor())
		<-c2.Address().Done()
		stop(t, root)
	}
	otp(t, "simple_one_for_one", baseCase)
	otp(t, "simple_one_for_one_extra", func(t *testing.T, d *diary) {
		// A start returns no info. Add returns the Worker, with whatever the
		// template has put into its body; that goes for the restarts too.
		baseCase(t, d)
		inits := make(chan string, 2)
		root, dyn := pool(t, 2, func(info string) *supervisor.Worker[order] {
			w := d.worker("")
			w.OnCrash = func(order, error) { inits <- info }
			return w
		})
		for _, info := range []string{"this", "that"} {
			tell(t, grow(t, dyn, info), "crash")
			if got := <-inits; got != info {
				t.Errorf("the child of %q has %q", info, got)
			}
		}
		stop(t, root)
	})
	otp(t, "simple_one_for_one_shutdown", func(t *testing.T, d *diary) {
		times := map[string]time.Duration{"1": time.Second, "2": time.Second, "3": 5 * time.Second}
		root, dyn := pool(t, 2, func(name string) *supervisor.Worker[order] {
			return d.worker(name, stopsWith(nil, times[name]), patience(2*time.Second))
		})
		for name := range times {
			grow(t, dyn, name)
		}
		began := time.Now()
		r := stop(t, root)
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("Stop took %v", took)
		}
		if all := endings(r.Children[0]); all["1"] != supervisor.InOrder || all["2"] != supervisor.InOrder || all["3"] != supervisor.Aborted {
			t.Errorf("report %+v", r)
		}
	})
	otp(t, "simple_one_for_one_escalation", func(t *testing.T, d *diary) {
		var broken atomic.Bool
		root, dyn := pool(t, 4, func(name string) *supervisor.Worker[order] {
			w := d.worker(name)
			if name == "child1" {
				brittle(&broken, 0)(w)
			}
			return w
		})
		c1, c2 := grow(t, dyn, "child1"), grow(t, dyn, "child2")
		broken.Store(true)
		tell(t, c1, "crash")
		wantEnd(t, dyn.Supervisor())
		<-c2.Address().Done()
		d.want(t, "+child1 +child2 -child1 -child2")
		stop(t, root)
	})
	otp(t, "simple_one_for_one_restart_ignore", func(t *testing.T, d *diary) {
		var nothingToDo atomic.Bool
		root, dyn := pool(t, 2, func(name string) *supervisor.Worker[order] {
			w := d.worker(name)
			run := w.Run
			w.Run = func(ctx context.Context, in *actor.Inbox[order]) error {
				if nothingToDo.Load() {
					return supervisor.ErrIgnore
				}
				return run(ctx, in)
			}
			return w
		})
		w := grow(t, dyn, "child1")
		nothingToDo.Store(true)
		tell(t, w, "crash")
		wantStates(t, dyn.Supervisor(), "")
		wantCount(t, dyn.Supervisor(), 0, 0, 0, 0)
		<-w.Address().Done()
		nothingToDo.Store(false)
		grow(t, dyn, "child2")
		wantStates(t, dyn.Supervisor(), "child2=running")
		stop(t, root)
	})
}

func TestParityCount(t *testing.T) {
	otp(t, "count_children", func(t *testing.T, d *diary) {
		root, dyn := pool(t, 2, func(name string) *supervisor.Worker[order] {
			return d.worker(name, restart(supervisor.Temporary))
		})
		var ws []*supervisor.Worker[order]
		for _, n := range []int{1000, 2000} {
			for len(ws) < n {
				ws = append(ws, grow(t, dyn, fmt.Sprint(len(ws))))
			}
			wantCount(t, dyn.Supervisor(), n, n, 0, n) // OTP counts the template as the one spec
			if got := len(dyn.Supervisor().Children()); got != n {
				t.Errorf("%d children in the list", got)
			}
		}
		for _, w := range ws {
			tell(t, w, "goexit")
		}
		wantCount(t, dyn.Supervisor(), 0, 0, 0, 0)
		stop(t, root)
	})
	otp(t, "count_children_supervisor", func(t *testing.T, _ *diary) {
		// A template makes workers. Supervisors are added to a Spec.
		s := start(t, &supervisor.Spec{Name: "sup"})
		n := 0
		for _, many := range []int{1000, 2000} {
			for ; n < many; n++ {
				add(t, s, &supervisor.Spec{Name: fmt.Sprint(n), Restart: supervisor.Temporary})
			}
			wantCount(t, s, many, many, many, 0)
			if got := len(s.Children()); got != many {
				t.Errorf("%d children in the list", got)
			}
		}
		for _, i := range s.Children() {
			sub, _ := s.Sub(i.Name)
			sub.Halt()
		}
		wantCount(t, s, 0, 0, 0, 0)
		stop(t, s)
	})
}
