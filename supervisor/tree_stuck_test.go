package supervisor_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// Rules 51-54: what happens in the place of a stuck process.
func TestStuckPolicies(t *testing.T) {
	quiet(t)
	for _, policy := range []supervisor.StuckPolicy{supervisor.StuckEscalate, supervisor.StuckReplace, supervisor.StuckWait} {
		t.Run(policy.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				release := make(chan struct{})
				a := d.worker("a")
				w := &supervisor.Worker[order]{Name: "w", OnStuck: policy, AwaitStart: time.Minute, AbortTimer: time.Second}
				w.Run = func(ctx context.Context, in *actor.Inbox[order]) error {
					d.add("+w")
					defer d.add("-w")
					return in.Serve(ctx, func(_ context.Context, m order) error {
						if m.do == "hang" {
							<-release
							_, err := in.TryRecv() // fenced: it takes nothing, whoever is alive
							d.add("w received")
							return err
						}
						d.add("w:" + m.do)
						return nil
					})
				}
				s := start(t, &supervisor.Spec{Name: "root", Strategy: supervisor.OneForAll, Children: []supervisor.Child{a, w}})
				asked := make(chan error, 1)
				go func() {
					_, err := actor.Ask(t.Context(), w.Address(), func(r actor.Reply[int]) order { return order{Reply: r, do: "hang"} })
					asked <- err
				}()
				synctest.Wait()
				tell(t, a, "crash")
				tell(t, w, "1")
				time.Sleep(time.Second + actor.StuckAfter)
				if err := <-asked; !errors.Is(err, actor.ErrNoReply) || !errors.Is(err, actor.ErrStuck) {
					t.Errorf("the ask: %v", err)
				}
				switch policy {
				case supervisor.StuckEscalate:
					if err := s.Wait(t.Context()); !errors.Is(err, actor.ErrStuck) {
						t.Errorf("Wait: %v", err)
					}
					d.want(t, "+a +w -a")
					close(release)
					d.want(t, "-w")
					return
				case supervisor.StuckReplace:
					d.want(t, "+a +w -a +a +w w:1")
					if i, _ := s.Which("w"); i.Stuck != 1 || i.Processes != 1 || i.State != supervisor.Running {
						t.Errorf("%+v", i)
					}
					close(release)
					d.want(t, "-w")
				case supervisor.StuckWait:
					d.want(t, "+a +w -a +a")
					if i, _ := s.Which("w"); i.Stuck != 1 || i.State != supervisor.Restarting {
						t.Errorf("%+v", i)
					}
					if err := s.Restart(t.Context(), "w"); !errors.Is(err, supervisor.ErrRestarting) {
						t.Errorf("Restart: %v", err)
					}
					close(release)
					synctest.Wait()
					if got := d.take(); got != "-w +w w:1" {
						t.Errorf("happened: %s", got)
					}
				}
				if got := s.Count().Stuck; got != 0 {
					t.Errorf("%d are stuck", got)
				}
				stop(t, s)
			})
		})
	}
}

// A stuck process of a child that was stopped by hand: nothing is started beside
// it unless that is allowed.
func TestRestartByHandBesideAStuckProcess(t *testing.T) {
	quiet(t)
	for _, policy := range []supervisor.StuckPolicy{supervisor.StuckEscalate, supervisor.StuckReplace, supervisor.StuckWait} {
		t.Run(policy.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				release := make(chan struct{})
				w := d.worker("w", deaf(&d, release), abortTimer(time.Second))
				w.OnStuck = policy
				s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{w}})
				if err := s.Terminate(t.Context(), "w"); !errors.Is(err, actor.ErrStuck) {
					t.Errorf("Terminate: %v", err)
				}
				if i, _ := s.Which("w"); i.Stuck != 1 || i.State != supervisor.Stopped || i.Processes != 0 {
					t.Errorf("%+v", i)
				}
				err := s.Restart(t.Context(), "w")
				if (policy == supervisor.StuckReplace) != (err == nil) || err != nil && !errors.Is(err, actor.ErrStuck) {
					t.Errorf("Restart: %v", err)
				}
				if w.Address().Closed() {
					t.Error("the address is closed")
				}
				close(release)
				synctest.Wait()
				if got := s.Count(); got.Stuck != 0 {
					t.Errorf("count %+v", got)
				}
				if policy != supervisor.StuckReplace {
					if err := s.Restart(t.Context(), "w"); err != nil {
						t.Errorf("Restart after the release: %v", err)
					}
				}
				s.Stop(t.Context())
			})
		})
	}
}

// What is stuck is known to the next incarnation of a supervisor: it starts
// nothing beside it.
func TestStuckProcessOutlivesItsSupervisor(t *testing.T) {
	quiet(t)
	synctest.Test(t, func(t *testing.T) {
		var d diary
		release := make(chan struct{})
		w := d.worker("w", deaf(&d, release), abortTimer(time.Second))
		w.OnStuck = supervisor.StuckWait
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{
			&supervisor.Spec{Name: "sub", Children: []supervisor.Child{d.worker("a"), w}},
		}})
		sub, _ := s.Sub("sub")
		sub.Halt()
		time.Sleep(time.Minute)
		d.want(t, "+a +w -a +a")
		if i, _ := sub.Which("w"); i.Stuck != 1 || i.Processes != 0 || i.State != supervisor.Restarting {
			t.Errorf("%+v", i)
		}
		w.Run = d.obey("w again")
		close(release)
		d.want(t, "-w +w again")
		if got := sub.Count(); got.Stuck != 0 || got.Active != 2 {
			t.Errorf("count %+v", got)
		}
		stop(t, s)
	})
}
