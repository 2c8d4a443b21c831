package supervisor_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"
	"weak"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// bulk is what a child is started with.
type bulk [50_000]byte

// collected reports whether all of them are collected, soon.
func collected[T any](all []weak.Pointer[T]) bool {
	for range 200 {
		runtime.GC()
		left := 0
		for _, p := range all {
			if p.Value() != nil {
				left++
			}
		}
		if left == 0 {
			return true
		}
		runtime.Gosched()
	}
	return false
}

// heavyTemplate makes workers that keep of what they are started with only its
// length, and are done when they get a message.
func heavyTemplate(args, workers *[]weak.Pointer[bulk]) func(*bulk) *supervisor.Worker[int] {
	return func(arg *bulk) *supervisor.Worker[int] {
		*args = append(*args, weak.Make(arg))
		kept := new(bulk) // by the body
		*workers = append(*workers, weak.Make(kept))
		return &supervisor.Worker[int]{Restart: supervisor.Temporary, Run: func(ctx context.Context, in *actor.Inbox[int]) error {
			_, err := in.Recv(ctx)
			runtime.KeepAlive(kept)
			return err
		}}
	}
}

// Not in bubbles, because these are about memory and time.
func TestParityScale(t *testing.T) {
	t.Run("simple_one_for_one_corruption", func(t *testing.T) {
		var args, bodies []weak.Pointer[bulk]
		dyn := &supervisor.Dynamic[*bulk, int]{Name: "dyn", Template: heavyTemplate(&args, &bodies)}
		s := start(t, &supervisor.Spec{Name: "sup", Children: []supervisor.Child{dyn}})
		for range 2 { // the second one after the first has ended
			w, err := dyn.Add(t.Context(), new(bulk))
			if err != nil {
				t.Fatal(err)
			}
			if !collected(args) {
				t.Error("what the child was started with is kept while it runs")
			}
			w.Address().SendNow(1)
			<-w.Address().Done()
		}
		stop(t, s)
	})
	t.Run("do_not_save_start_parameters_for_temporary_children", func(t *testing.T) {
		var args, bodies []weak.Pointer[bulk]
		template := heavyTemplate(&args, &bodies)
		dyn := &supervisor.Dynamic[*bulk, int]{Name: "dyn", Template: template}
		sup := start(t, &supervisor.Spec{Name: "sup", Children: []supervisor.Child{dyn}})
		for strategy := supervisor.OneForOne; strategy <= supervisor.RestForOne; strategy++ {
			s := start(t, &supervisor.Spec{Name: "sup", Strategy: strategy})
			var addresses []*actor.Address[int]
			for i := range 20 {
				w := template(new(bulk))
				w.Name = fmt.Sprint(i)
				if err := s.Add(t.Context(), w); err != nil {
					t.Fatal(err)
				}
				addresses = append(addresses, w.Address())
				simple, err := dyn.Add(t.Context(), new(bulk))
				if err != nil {
					t.Fatal(err)
				}
				addresses = append(addresses, simple.Address())
			}
			if !collected(args) {
				t.Errorf("%v: what children were started with is kept while they run", strategy)
			}
			if bodies[len(bodies)-1].Value() == nil {
				t.Error("what the body of a living child has is lost")
			}
			for _, a := range addresses {
				a.SendNow(1)
				<-a.Done()
			}
			if !collected(bodies) {
				t.Errorf("%v: something is kept of children that have ended", strategy)
			}
			stop(t, s)
		}
		stop(t, sup)
	})
	t.Run("simple_one_for_one_scale_many_temporary_children", func(t *testing.T) {
		dyn := &supervisor.Dynamic[string, int]{Name: "dyn", Template: func(string) *supervisor.Worker[int] {
			w := idleWorker("")
			w.Restart = supervisor.Temporary
			return w
		}}
		s := start(t, &supervisor.Spec{Name: "sup", Children: []supervisor.Child{dyn}})
		scales(t, 50, func(n int) (took time.Duration) {
			var ws []*supervisor.Worker[int]
			for range n {
				w, err := dyn.Add(t.Context(), "")
				if err != nil {
					t.Fatal(err)
				}
				ws = append(ws, w)
			}
			before := cpuTime()
			for _, w := range ws {
				if err := dyn.Remove(t.Context(), w); err != nil {
					t.Fatal(err)
				}
			}
			return cpuTime() - before
		})
		stop(t, s)
	})
	t.Run("scale_start_stop_many_children", func(t *testing.T) {
		scales(t, 100, func(n int) time.Duration {
			before := cpuTime()
			s := start(t, &supervisor.Spec{Name: "sup"})
			for i := range n {
				if err := s.Add(t.Context(), idleWorker(fmt.Sprint(i))); err != nil {
					t.Fatal(err)
				}
			}
			for i := range n {
				if err := s.Terminate(t.Context(), fmt.Sprint(i)); err != nil {
					t.Fatal(err)
				}
			}
			took := cpuTime() - before
			stop(t, s)
			return took
		})
	})
}

// idleWorker is a worker that waits.
func idleWorker(name string) *supervisor.Worker[int] {
	return &supervisor.Worker[int]{Name: name, Run: func(ctx context.Context, in *actor.Inbox[int]) error {
		_, err := in.Recv(ctx)
		return err
	}}
}

// scales fails the test if the processors work more than so many times as long for
// ten times as many. The program does other things too: the best of some runs counts.
func scales(t *testing.T, factor time.Duration, f func(n int) time.Duration) {
	t.Helper()
	few, many := f(1000), f(10_000)
	for range 5 {
		if many <= factor*few {
			return
		}
		few, many = min(few, f(1000)), min(many, f(10_000))
	}
	t.Errorf("1,000: %v, 10,000: %v", few, many)
}
