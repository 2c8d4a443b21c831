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

func TestParityTermination(t *testing.T) {
	ends := map[string][]string{"normal": {"return"}, "shutdown": {"shutdown", "{shutdown,info}"}, "abnormal": {"crash", "panic", "goexit"}}
	for _, r := range []supervisor.Restart{supervisor.Permanent, supervisor.Transient, supervisor.Temporary} {
		for kind, how := range ends {
			otp(t, r.String()+"_"+kind, func(t *testing.T, d *diary) {
				s := start(t, &supervisor.Spec{Name: "sup", Limit: limit(20)})
				for _, end := range how {
					w := d.worker("child1", restart(r))
					if end == "{shutdown,info}" {
						wrapped(w)
						end = "shutdown"
					}
					add(t, s, w)
					tell(t, w, end)
					switch {
					case r == supervisor.Permanent, r == supervisor.Transient && kind == "abnormal":
						d.want(t, "+child1 -child1 +child1")
						wantStates(t, s, "child1=running")
						wantCount(t, s, 1, 1, 0, 1)
						wantErr(t, "Terminate", s.Terminate(soon(t), "child1"), nil)
						wantErr(t, "Remove", s.Remove(soon(t), "child1"), nil)
					case r == supervisor.Transient:
						d.want(t, "+child1 -child1")
						wantStates(t, s, "child1=stopped")
						wantCount(t, s, 1, 0, 0, 1)
						wantErr(t, "Restart", s.Restart(soon(t), "child1"), nil)
						wantErr(t, "Terminate", s.Terminate(soon(t), "child1"), nil)
						wantErr(t, "Remove", s.Remove(soon(t), "child1"), nil)
					default:
						d.want(t, "+child1 -child1")
						wantStates(t, s, "")
						wantCount(t, s, 0, 0, 0, 0)
					}
					d.take()
				}
				stop(t, s)
			})
		}
	}
}

// wrapped is a change of a worker: whatever it ends with has some text around it.
func wrapped(w *supervisor.Worker[order]) {
	run := w.Run
	w.Run = func(ctx context.Context, in *actor.Inbox[order]) error {
		err := run(ctx, in)
		if err != nil {
			err = fmt.Errorf("some info: %w", err)
		}
		return err
	}
}

func TestParityStrategies(t *testing.T) {
	otp(t, "multiple_restarts", func(t *testing.T, d *diary) {
		w := d.worker("child1", patience(-1))
		s := start(t, &supervisor.Spec{Name: "sup", Limit: supervisor.Limit{Restarts: 1, Period: time.Second}})
		add(t, s, w)
		for range 4 {
			tell(t, w, "crash")
			time.Sleep(2100 * time.Millisecond)
		}
		wantStates(t, s, "child1=running")
		wantErr(t, "Terminate", s.Terminate(soon(t), "child1"), nil)
		wantErr(t, "Remove", s.Remove(soon(t), "child1"), nil)
		stop(t, s)
	})
	for _, tt := range []struct {
		strategy       supervisor.Strategy
		after2, after3 string // what happens when child2 crashes, and then child3
	}{
		{supervisor.OneForOne, "-child2 +child2", "-child3 +child3"},
		{supervisor.OneForAll, "-child2 -child3 -child1 +child1 +child2 +child3", "-child3 -child2 -child1 +child1 +child2 +child3"},
		{supervisor.RestForOne, "-child2 -child3 +child2 +child3", "-child3 +child3"},
	} {
		name := tt.strategy.String()
		otp(t, name, func(t *testing.T, d *diary) {
			c1, c2, c3 := d.worker("child1"), d.worker("child2"), d.worker("child3")
			s := start(t, &supervisor.Spec{Name: "sup", Strategy: tt.strategy, Limit: limit(2)})
			add(t, s, c1, c2, c3)
			d.take()
			tell(t, c2, "crash")
			d.want(t, tt.after2)
			wantStates(t, s, "child1=running child2=running child3=running")
			wantCount(t, s, 3, 3, 0, 3)
			tell(t, c3, "crash")
			d.want(t, tt.after3)
			tell(t, c2, "crash")
			d.want(t, "-child2 -child3 -child1")
			wantEnd(t, s)
		})
		otp(t, name+"_escalation", func(t *testing.T, d *diary) {
			var broken atomic.Bool
			failing, other := d.worker("child1", brittle(&broken, 0)), d.worker("child2")
			first, second := failing, other
			if tt.strategy != supervisor.OneForOne { // there the sibling does not come back
				first, second = other, failing
			}
			s := start(t, &supervisor.Spec{Name: "sup", Strategy: tt.strategy, Limit: limit(4)})
			add(t, s, first, second)
			broken.Store(true)
			tell(t, first, "crash")
			wantEnd(t, s)
			for _, w := range []*supervisor.Worker[order]{first, second} {
				<-w.Address().Done()
			}
		})
	}
	otp(t, "one_for_all_other_child_fails_restart", func(t *testing.T, d *diary) {
		otherChildFails(t, d, supervisor.OneForAll, "-child1 -child2 +child1 -child1 +child1 +child2")
	})
	otp(t, "rest_for_one_other_child_fails_restart", func(t *testing.T, d *diary) {
		otherChildFails(t, d, supervisor.RestForOne, "-child1 -child2 +child1 +child2")
	})
	otp(t, "temporary_bystander", func(t *testing.T, d *diary) {
		for _, strategy := range []supervisor.Strategy{supervisor.OneForAll, supervisor.RestForOne} {
			s := start(t, &supervisor.Spec{Name: "sup", Strategy: strategy, Limit: limit(2)})
			w := d.worker("child1")
			add(t, s, w, d.worker("child2", restart(supervisor.Temporary)))
			tell(t, w, "return")
			d.want(t, "+child1 +child2 -child1 -child2 +child1")
			wantStates(t, s, "child1=running")
			stop(t, s)
			d.take()
		}
	})
}

// otherChildFails has child1 crash, and child2 fail once when it is restarted
// with it.
func otherChildFails(t *testing.T, d *diary, strategy supervisor.Strategy, want string) {
	t.Helper()
	var broken atomic.Bool
	c1, c2 := d.worker("child1"), d.worker("child2", brittle(&broken, time.Second))
	s := start(t, &supervisor.Spec{Name: "sup", Strategy: strategy, Limit: limit(3), Children: []supervisor.Child{c1, c2}})
	d.take()
	broken.Store(true)
	tell(t, c1, "crash")
	time.Sleep(time.Second / 2)
	broken.Store(false)
	time.Sleep(time.Second)
	d.want(t, want)
	wantStates(t, s, "child1=running child2=running")
	stop(t, s)
}
