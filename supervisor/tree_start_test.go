package supervisor_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

func exitGoroutine() { runtime.Goexit() }

// Case 51.
func TestEmptySupervisorStartsAndStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, &supervisor.Spec{Name: "root"})
		if r := stop(t, s); r.Name != "root" || r.Ending != supervisor.InOrder || len(r.Children) != 0 {
			t.Errorf("report %+v", r)
		}
		if err := s.Wait(t.Context()); err != nil {
			t.Errorf("Wait: %v", err)
		}
	})
}

// Rules 6 and 41.
func TestChildrenStartInOrderAndStopInReverse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{
			d.worker("c"), d.worker("a"), d.worker("b"),
		}})
		d.want(t, "+c +a +b")
		r := stop(t, s)
		d.want(t, "-b -a -c")
		var names []string
		for _, c := range r.Children {
			names = append(names, c.Name)
			if c.Ending != supervisor.InOrder || c.Err != nil {
				t.Errorf("report %+v", c)
			}
		}
		if len(names) != 3 || names[0] != "b" || names[1] != "a" || names[2] != "c" {
			t.Errorf("the report has the children %q", names)
		}
	})
}

// Rules 9, 10 and case 58.
func TestStartRollsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		broken := d.worker("broken", func(w *supervisor.Worker[order]) {
			w.AwaitStart = time.Second
			w.Run = func(context.Context, *actor.Inbox[order]) error { return errCrash }
		})
		s, err := supervisor.Start(t.Context(), &supervisor.Spec{Name: "root", Children: []supervisor.Child{
			d.worker("a"), d.worker("b"), broken, d.worker("never"),
		}})
		if s != nil || !errors.Is(err, errCrash) || !errors.Is(err, supervisor.ErrShutdown) {
			t.Errorf("Start gives %v, %v", s, err)
		}
		if want := `supervisor "root": child "broken": did not start: crash`; err == nil || err.Error() != want {
			t.Errorf("Start gives %v, want %s", err, want)
		}
		d.want(t, "+a +b -b -a")
		if !broken.Address().Closed() {
			t.Error("the address of the broken one is open")
		}
	})
}

func TestSmoke(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		w := d.worker("w")
		tell(t, w, "early")
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{w}})
		d.want(t, "+w w:early")
		tell(t, w, "crash")
		tell(t, w, "late")
		d.want(t, "-w +w w:late")
		stop(t, s)
		d.want(t, "-w")
	})
}
