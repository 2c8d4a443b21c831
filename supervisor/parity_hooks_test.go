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

// Case 140: a panic, wherever the library calls a function of the child's, is
// the child's own end and nobody else's.
func TestPanicsInEveryFunctionOfAChild(t *testing.T) {
	quiet(t)
	for _, tt := range []struct {
		where  string
		change func(w *supervisor.Worker[order])
		want   string // what happens when it is told to crash, and then when all stops
		ending supervisor.Ending
	}{
		{"the body, after a halt", func(w *supervisor.Worker[order]) {
			run := w.Run
			w.Run = func(ctx context.Context, in *actor.Inbox[order]) error {
				if err := run(ctx, in); err != nil {
					return err
				}
				panic(errCrash)
			}
		}, "-w +w -w", supervisor.Failed},
		{"a deferred call", func(w *supervisor.Worker[order]) {
			run := w.Run
			w.Run = func(ctx context.Context, in *actor.Inbox[order]) error {
				defer func() { panic(errCrash) }()
				return run(ctx, in)
			}
		}, "-w +w -w", supervisor.Failed},
		{"OnCrash", func(w *supervisor.Worker[order]) {
			w.OnCrash = func(order, error) { panic(errCrash) }
		}, "-w +w -w", supervisor.InOrder},
		{"Undelivered", func(w *supervisor.Worker[order]) {
			w.Undelivered = func(order) { panic(errCrash) }
		}, "-w +w -w", supervisor.InOrder},
	} {
		t.Run(tt.where, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				w := d.worker("w", tt.change)
				s := start(t, &supervisor.Spec{Name: "root", Strategy: supervisor.OneForAll, Children: []supervisor.Child{
					&supervisor.Spec{Name: "sub", Children: []supervisor.Child{w}},
					told(&d, "sibling"),
				}})
				d.take()
				tell(t, w, "crash")
				synctest.Wait()
				sub, _ := s.Sub("sub")
				if i, _ := sub.Which("w"); i.State != supervisor.Running || i.Restarts != 1 {
					t.Errorf("%+v", i)
				}
				if i, _ := s.Which("sub"); i.Restarts != 0 {
					t.Errorf("%+v", i)
				}
				tell(t, w, "hang") // what comes behind it is handed back
				tell(t, w, "left")
				r, err := s.Stop(soon(t))
				if got := endings(r.Children[1])["w"]; err != nil || got != supervisor.Aborted {
					t.Errorf("Stop: w %s, %v", got, err)
				}
				d.want(t, tt.want)
			})
		})
		t.Run(tt.where+", in order", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{d.worker("w", tt.change), d.worker("x")}})
				r := stop(t, s)
				if got := endings(r); got["w"] != tt.ending || got["x"] != supervisor.InOrder {
					t.Errorf("report %+v", r)
				}
				d.want(t, "+w +x -x -w")
			})
		})
	}
}

// lastState is an error with what a child knew when it ended.
type lastState struct{ handled int }

func (e lastState) Error() string { return fmt.Sprintf("after %d messages", e.handled) }

// Case 141: a dead child's last state is in its error, for everybody who gets
// that: observers, who waits for the supervisor, who reads its report.
func TestLastStateIsInTheError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &supervisor.Worker[int]{Name: "w", Run: func(ctx context.Context, in *actor.Inbox[int]) error {
			state := lastState{}
			for m := range in.Messages(ctx) {
				if state.handled++; m < 0 {
					return fmt.Errorf("a number below 0: %w", state)
				}
			}
			return nil
		}}
		obs := &watcher{kinds: []actor.EventKind{actor.EventRestarting, actor.EventLimitExceeded}}
		s, err := supervisor.Start(actor.WithObserver(t.Context(), obs), &supervisor.Spec{
			Name: "root", Limit: limit(1), Children: []supervisor.Child{w},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range []int{1, 2, -3, 4, -5} {
			w.Address().SendNow(m)
		}
		err = s.Wait(soon(t))
		synctest.Wait()
		report, _ := s.Stop(soon(t))
		wants := map[string]struct {
			err     error
			handled int
		}{"Wait": {err, 2}, "report": {report.Err, 2}}
		for i, e := range obs.take() {
			wants[string(e.Kind)] = struct {
				err     error
				handled int
			}{e.Err, 3 - i}
		}
		if len(wants) != 4 {
			t.Errorf("%d places", len(wants))
		}
		for where, want := range wants {
			if state, ok := errors.AsType[lastState](want.err); !ok || state.handled != want.handled {
				t.Errorf("%s: %v, want the state after %d messages", where, want.err, want.handled)
			}
		}
	})
}

// Case 105: deferred calls run however a child comes to its end by its
// supervisors.
func TestDeferredCallsRun(t *testing.T) {
	quiet(t)
	for how, end := range map[string]func(s *supervisor.Supervisor, w *supervisor.Worker[order]){
		"the limit": func(_ *supervisor.Supervisor, w *supervisor.Worker[order]) { w.Address().SendNow(order{do: "crash"}) },
		"an abort": func(s *supervisor.Supervisor, _ *supervisor.Worker[order]) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			s.Stop(ctx)
		},
		"a halt": func(s *supervisor.Supervisor, _ *supervisor.Worker[order]) { s.Halt() },
	} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				a, b := d.worker("a"), d.worker("b")
				s := start(t, &supervisor.Spec{Name: "root", Limit: supervisor.Limit{Restarts: -1}, Children: []supervisor.Child{a, b}})
				end(s, b)
				<-s.Done()
				got := d.take()
				if got == "+a +b -a -b" && how == "an abort" { // which is of all at once
					return
				}
				if got != "+a +b -b -a" {
					t.Errorf("happened: %s", got)
				}
			})
		})
	}
}

// Case 93: many restarts without a pause, also of the only child of a group.
func TestRapidRestarts(t *testing.T) {
	for strategy := supervisor.OneForOne; strategy <= supervisor.RestForOne; strategy++ {
		synctest.Test(t, func(t *testing.T) {
			var d diary
			w := d.worker("w")
			s := start(t, &supervisor.Spec{Name: "root", Strategy: strategy, Limit: limit(1000), Children: []supervisor.Child{w}})
			for range 1000 {
				tell(t, w, "crash")
			}
			tell(t, w, "work")
			synctest.Wait()
			if i, _ := s.Which("w"); i.State != supervisor.Running || i.Restarts != 1000 {
				t.Errorf("%v: %+v", strategy, i)
			}
			if got := d.take(); len(got) != len("+w")+1000*len(" -w +w")+len(" w:work") {
				t.Errorf("%v: %d bytes of diary", strategy, len(got))
			}
			time.Sleep(2 * time.Hour) // they are forgotten
			tell(t, w, "crash")
			d.want(t, "-w +w")
			stop(t, s)
		})
	}
}
