package supervisor_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"tinyactor/supervisor"
)

// In the cases with a restart loop an attempt takes two seconds, as it does in
// OTP. It makes the next one at once, and answers calls between them only; here
// there are two seconds between them, in which the answers must be the same.

// looper is a worker that fails to come back while the switch is on.
func (d *diary) looper(name string, broken *atomic.Bool) *supervisor.Worker[order] {
	w := d.worker(name, brittle(broken, 2*time.Second), patience(-1))
	w.Backoff = supervisor.Backoff{Min: 2 * time.Second, Max: 2 * time.Second, Jitter: -1}
	return w
}

// wantLooping fails the test if the child is not one that waits for a restart.
func wantLooping(t *testing.T, s *supervisor.Supervisor, d *diary, name, list string) {
	t.Helper()
	wantStates(t, s, list)
	wantErr(t, "Add", s.Add(soon(t), d.worker(name)), supervisor.ErrAlreadyPresent)
	wantErr(t, "Restart", s.Restart(soon(t), name), supervisor.ErrRestarting)
	wantErr(t, "Remove", s.Remove(soon(t), name), supervisor.ErrRestarting)
}

// atOnce fails the test if f takes any time.
func atOnce(t *testing.T, f func()) {
	t.Helper()
	began := time.Now()
	f()
	if took := time.Since(began); took != 0 {
		t.Errorf("it took %v", took)
	}
}

func TestParityRestartLoop(t *testing.T) {
	otp(t, "hanging_restart_loop", func(t *testing.T, d *diary) {
		var broken atomic.Bool
		w := d.looper("child1", &broken)
		s := start(t, &supervisor.Spec{Name: "sup", Limit: limit(8)})
		add(t, s, w)
		broken.Store(true)
		tell(t, w, "crash")
		time.Sleep(time.Second)
		for range 3 {
			wantLooping(t, s, d, "child1", "child1=restarting")
			wantCount(t, s, 1, 0, 0, 1)
			time.Sleep(4 * time.Second)
		}
		atOnce(t, func() { wantErr(t, "Terminate", s.Terminate(soon(t), "child1"), nil) })
		wantStates(t, s, "child1=stopped")
		time.Sleep(time.Minute)
		wantStates(t, s, "child1=stopped")

		broken.Store(false)
		wantErr(t, "Restart", s.Restart(soon(t), "child1"), nil)
		broken.Store(true)
		tell(t, w, "crash")
		time.Sleep(3 * time.Second) // into an attempt
		wantStates(t, s, "child1=starting")
		atOnce(t, func() { stop(t, s) })
	})
	otp(t, "hanging_restart_loop_rest_for_one", func(t *testing.T, d *diary) {
		var broken atomic.Bool
		w := d.looper("child2", &broken)
		s := start(t, &supervisor.Spec{Name: "sup", Strategy: supervisor.RestForOne, Limit: limit(8)})
		add(t, s, d.worker("child1", patience(-1)), w, d.worker("child3", patience(-1)))
		broken.Store(true)
		tell(t, w, "crash")
		time.Sleep(time.Second)
		for range 3 {
			// OTP says of child3 that it has no process; it is to be started too.
			wantLooping(t, s, d, "child2", "child1=running child2=restarting child3=restarting")
			wantCount(t, s, 3, 1, 0, 3)
			time.Sleep(4 * time.Second)
		}
		// So it is started when child2 is not awaited any more; in OTP it stays down.
		atOnce(t, func() { wantErr(t, "Terminate", s.Terminate(soon(t), "child2"), nil) })
		time.Sleep(time.Minute)
		wantStates(t, s, "child1=running child2=stopped child3=running")

		broken.Store(false)
		wantErr(t, "Restart", s.Restart(soon(t), "child2"), nil)
		wantStates(t, s, "child1=running child2=running child3=running")
		broken.Store(true)
		tell(t, w, "crash")
		time.Sleep(3 * time.Second)
		wantStates(t, s, "child1=running child2=starting child3=restarting")
		atOnce(t, func() { stop(t, s) })
	})
	otp(t, "hanging_restart_loop_simple", func(t *testing.T, d *diary) {
		var broken atomic.Bool
		root, dyn := pool(t, 8, func(name string) *supervisor.Worker[order] { return d.looper(name, &broken) })
		s := dyn.Supervisor()
		w := grow(t, dyn, "child1")
		broken.Store(true)
		tell(t, w, "crash")
		time.Sleep(time.Second)
		for range 3 {
			wantStates(t, s, "child1=restarting")
			wantCount(t, s, 1, 0, 0, 1)
			wantUnknown(t, s, "child1")
			time.Sleep(4 * time.Second)
		}
		atOnce(t, func() { wantErr(t, "Remove", dyn.Remove(soon(t), w), nil) })
		wantStates(t, s, "")
		<-w.Address().Done()

		broken.Store(false)
		w = grow(t, dyn, "child1")
		broken.Store(true)
		tell(t, w, "crash")
		time.Sleep(3 * time.Second)
		wantStates(t, s, "child1=starting")
		atOnce(t, func() { stop(t, root) })
	})
	otp(t, "count_restarting_children", func(t *testing.T, d *diary) {
		var broken atomic.Bool
		root, dyn := pool(t, 20, func(name string) *supervisor.Worker[order] { return d.looper(name, &broken) })
		s := dyn.Supervisor()
		var ws []*supervisor.Worker[order]
		for i := range 3 {
			ws = append(ws, grow(t, dyn, fmt.Sprint(i+1)))
			wantCount(t, s, i+1, i+1, 0, i+1)
		}
		for _, w := range ws {
			tell(t, w, "crash")
		}
		time.Sleep(3 * time.Second)
		wantCount(t, s, 3, 3, 0, 3)
		broken.Store(true)
		tell(t, ws[0], "crash")
		tell(t, ws[1], "crash")
		time.Sleep(5 * time.Second)
		wantStates(t, s, "1=restarting 2=restarting 3=running")
		wantCount(t, s, 3, 1, 0, 3)
		broken.Store(false)
		time.Sleep(4 * time.Second)
		wantCount(t, s, 3, 3, 0, 3)
		for i, w := range ws {
			wantErr(t, "Remove", dyn.Remove(soon(t), w), nil)
			wantCount(t, s, 2-i, 2-i, 0, 2-i)
		}
		stop(t, root)
	})
}
