package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// There is no Link. What others test with links between children is tested here
// with Watch.

// told is a worker that writes down what it is told.
func told(d *diary, name string) *supervisor.Worker[string] {
	return &supervisor.Worker[string]{Name: name, AwaitStart: time.Minute, Run: func(ctx context.Context, in *actor.Inbox[string]) error {
		return in.Serve(ctx, func(_ context.Context, m string) error {
			d.add(name + ":" + m)
			if m == "crash" {
				return errCrash
			}
			return nil
		})
	}}
}

// notice is what a watcher of a child gets.
func notice(name string) func(error) string {
	return func(err error) string { return fmt.Sprintf("%s ended (%v)", name, err) }
}

// Case 129: a sibling hears of a death once, and no more after its watch ended.
func TestWatchTellsSiblingsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b := told(&d, "a"), told(&d, "b")
		c := d.worker("c", restart(supervisor.Temporary))
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{a, b, c}})
		a.Address().Watch(c.Address(), notice("c"))
		forget := b.Address().Watch(c.Address(), notice("c"))
		if !forget() || forget() {
			t.Error("a watch can be ended once")
		}
		tell(t, c, "crash")
		d.want(t, "+c -c a:c ended (crash)")
		stop(t, s)
		d.want(t, "")
	})
}

// Cases 130 and 131: children that watch each other, twice, from both sides at
// once, and their supervisor. A restart tells nobody anything.
func TestWatchEachOtherAcrossRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d, root diary
		a, b := told(&d, "a"), told(&d, "b")
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{
			&supervisor.Spec{Name: "sub", Strategy: supervisor.OneForAll, Children: []supervisor.Child{a, b}},
		}})
		sub, _ := s.Sub("sub")
		_, peer := actor.Spawn(t.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[string]) error {
			return in.Serve(ctx, func(_ context.Context, m string) error {
				root.add(m)
				return nil
			})
		})
		peer.Watch(s, notice("root"))
		peer.Watch(sub, notice("sub"))
		var watching sync.WaitGroup
		for range 2 {
			watching.Go(func() { a.Address().Watch(b.Address(), notice("b")) })
			watching.Go(func() { b.Address().Watch(a.Address(), notice("a")) })
		}
		watching.Wait()
		a.Address().SendNow("crash")
		d.want(t, "a:crash")
		sub.Halt() // and comes back
		wantStates(t, s, "sub=running")
		b.Address().SendNow("crash")
		d.want(t, "b:crash")
		root.want(t, "")
		if err := s.Terminate(soon(t), "sub"); err != nil {
			t.Error(err)
		}
		root.want(t, "") // it can be restarted by hand
		stop(t, s)       // b ends first, and a is told while it is stopped itself
		if got := d.take(); got != "" && got != "a:b ended (<nil>) a:b ended (<nil>)" {
			t.Errorf("happened: %s", got)
		}
		synctest.Wait()
		if got := root.take(); got != "sub ended (<nil>) root ended (<nil>)" && got != "root ended (<nil>) sub ended (<nil>)" {
			t.Errorf("the peer of the supervisors was told: %s", got)
		}
	})
}

// Case 132: a watch ties nobody to anybody, and nobody takes a child from its
// supervisor.
func TestWatchTiesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b := told(&d, "a"), told(&d, "b")
		a.Restart = supervisor.Temporary
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{a, b}})
		other := start(t, &supervisor.Spec{Name: "other"})
		a.Address().Watch(b.Address(), notice("b"))
		if err := other.Add(soon(t), b); err == nil {
			t.Error("a child was added to a second tree")
		}
		stop(t, other)
		if err := other.Add(soon(t), told(&d, "c")); !errors.Is(err, supervisor.ErrShuttingDown) {
			t.Errorf("Add: %v", err)
		}
		a.Address().SendNow("crash")
		d.want(t, "a:crash")
		wantStates(t, s, "b=running")
		stop(t, s)
	})
}

// Case 133: who is dead already is told of once, with the true reason.
func TestWatchOfADeadChild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a := told(&d, "a")
		b := d.worker("b", restart(supervisor.Temporary))
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{a, b}})
		tell(t, b, "crash")
		d.want(t, "+b -b")
		a.Address().Watch(b.Address(), notice("b"))
		d.want(t, "a:b ended (crash)")
		stop(t, s)
	})
}

// Case 108: a supervisor that is aborted after it has told a child to stop takes
// the child with it.
func TestAbortBetweenOrderAndEnd(t *testing.T) {
	quiet(t)
	synctest.Test(t, func(t *testing.T) {
		var d diary
		slow := d.worker("slow", stopsWith(nil, time.Hour), patience(2*time.Hour))
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{
			&supervisor.Spec{Name: "sub", AbortTimer: time.Second, Children: []supervisor.Child{d.worker("first"), slow}},
		}})
		began := time.Now()
		r := stop(t, s)
		if took := time.Since(began); took != time.Second {
			t.Errorf("Stop took %v", took)
		}
		<-slow.Address().Done()
		if sub := r.Children[0]; sub.Ending != supervisor.Aborted || endings(sub)["slow"] != supervisor.Aborted {
			t.Errorf("report %+v", r)
		}
	})
}

// Case 121: a sub-supervisor is administered by many while it crashes and is
// restarted.
func TestAdministrationOfARunningSubSupervisor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		w := d.worker("w")
		s := start(t, &supervisor.Spec{Name: "root", Limit: limit(1000), Children: []supervisor.Child{
			&supervisor.Spec{Name: "sub", Limit: supervisor.Limit{Restarts: -1}, Children: []supervisor.Child{w}},
		}})
		sub, _ := s.Sub("sub")
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				for range 50 {
					name := fmt.Sprint(i)
					errs := []error{
						sub.Add(soon(t), told(&d, name)), sub.Terminate(soon(t), name), sub.Restart(soon(t), name),
						sub.Terminate(soon(t), name), sub.Remove(soon(t), name),
					}
					for _, err := range errs {
						if err != nil && !errors.Is(err, supervisor.ErrShuttingDown) && !errors.Is(err, supervisor.ErrNotFound) {
							t.Errorf("%v", err)
						}
					}
					if i == 0 {
						w.Address().SendNow(order{do: "crash"})
					}
					sub.Children()
					sub.Count()
				}
			})
		}
		all.Wait()
		wantStates(t, s, "sub=running")
		if got := states(sub); !strings.HasPrefix(got, "w=running") {
			t.Errorf("children: %s", got)
		}
		stop(t, s)
	})
}
