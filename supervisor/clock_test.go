package supervisor_test

import (
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/supervisor"
)

// The supervisor has one clock for all timers: when one has run out, the next
// one still does.
func TestTimersOfSeveralChildrenRunOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		delayed := func(name string, by time.Duration) *supervisor.Worker[order] {
			return d.worker(name, func(w *supervisor.Worker[order]) {
				w.Backoff = supervisor.Backoff{Min: by, Jitter: -1}
			})
		}
		a, b, c := delayed("a", time.Second), delayed("b", 3*time.Second), delayed("c", 2*time.Second)
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{a, b, c}})
		d.want(t, "+a +b +c")
		for _, w := range []*supervisor.Worker[order]{a, b, c} {
			tell(t, w, "crash")
			d.want(t, "-"+w.Name)
		}
		for _, name := range []string{"a", "c", "b"} {
			time.Sleep(time.Second)
			d.want(t, "+"+name)
		}
		stop(t, s)
	})
}
