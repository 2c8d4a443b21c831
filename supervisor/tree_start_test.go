package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

func exitGoroutine() { runtime.Goexit() }

// fails is a change of a worker whose body ends with err before it is up.
func fails(err error) func(*supervisor.Worker[order]) {
	return func(w *supervisor.Worker[order]) {
		w.Run = func(context.Context, *actor.Inbox[order]) error { return err }
	}
}

// restart is a change of a worker.
func restart(r supervisor.Restart) func(*supervisor.Worker[order]) {
	return func(w *supervisor.Worker[order]) { w.Restart = r }
}

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
		if got := d.take(); got != "+c +a +b" { // when Start returns all are up
			t.Errorf("happened: %s", got)
		}
		r := stop(t, s)
		d.want(t, "-b -a -c")
		var names []string
		for _, c := range r.Children {
			names = append(names, c.Name)
			if c.Ending != supervisor.InOrder || c.Err != nil {
				t.Errorf("report %+v", c)
			}
		}
		if strings.Join(names, "") != "bac" {
			t.Errorf("the report has the children %q", names)
		}
	})
}

// Rules 9, 10 and case 58.
func TestStartRollsBack(t *testing.T) {
	for _, how := range []string{"error", "panic", "Goexit", "nil", "timeout"} {
		t.Run(how, func(t *testing.T) {
			quiet(t)
			synctest.Test(t, func(t *testing.T) {
				var d diary
				cause := errCrash
				broken := d.worker("broken", func(w *supervisor.Worker[order]) {
					w.Run = func(ctx context.Context, in *actor.Inbox[order]) error {
						switch how {
						case "panic":
							panic(errCrash)
						case "Goexit":
							cause = actor.ErrGoexit
							runtime.Goexit()
						case "nil":
							cause = supervisor.ErrNotStarted
							return nil
						case "timeout":
							cause = supervisor.ErrStartTimeout
							_, err := in.Recv(ctx)
							return err
						}
						return errCrash
					}
				})
				began := time.Now()
				s, err := supervisor.Start(t.Context(), &supervisor.Spec{Name: "root", Children: []supervisor.Child{
					d.worker("a"), d.worker("b"), broken, d.worker("never"),
				}})
				if s != nil || !errors.Is(err, cause) || !errors.Is(err, supervisor.ErrShutdown) {
					t.Errorf("Start gives %v, %v", s, err)
				}
				if err == nil || !strings.HasPrefix(err.Error(), `supervisor "root": child "broken": did not start: `) {
					t.Errorf("Start gives %v", err)
				}
				if took := time.Since(began); (how == "timeout") != (took == time.Minute) {
					t.Errorf("it took %v", took)
				}
				if got := d.take(); got != "+a +b -b -a" { // all is over when Start returns
					t.Errorf("happened: %s", got)
				}
				if !broken.Address().Closed() {
					t.Error("the address of the broken one is open")
				}
			})
		})
	}
}

// Case 53, rule 8.
func TestStartIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{
			d.worker("p", fails(supervisor.ErrIgnore)),
			d.worker("t", fails(supervisor.ErrIgnore), restart(supervisor.Temporary)),
			d.worker("w"),
		}})
		synctest.Wait()
		if got := states(s); got != "p=stopped w=running" {
			t.Errorf("children: %s", got)
		}
		if got := s.Count(); got != (supervisor.Counts{Specs: 2, Active: 1, Workers: 2}) {
			t.Errorf("count %+v", got)
		}
		// The same by Add: a temporary child is not kept, others are.
		for _, r := range []supervisor.Restart{supervisor.Permanent, supervisor.Temporary} {
			err := s.Add(t.Context(), d.worker("more", fails(supervisor.ErrIgnore), restart(r)))
			if !errors.Is(err, supervisor.ErrIgnore) {
				t.Errorf("Add of a %v child: %v", r, err)
			}
			synctest.Wait() // its channel is closed after the answer
			_, kept := s.Which("more")
			if kept != (r == supervisor.Permanent) {
				t.Errorf("a %v child is kept: %v", r, kept)
			}
			if kept {
				if err := s.Remove(t.Context(), "more"); err != nil {
					t.Error(err)
				}
			}
		}
		stop(t, s)
	})
}

// Case 55, rule 56.
func TestAddThatFailsLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		s := start(t, &supervisor.Spec{Name: "root"})
		w := d.worker("w", fails(errCrash))
		if err := s.Add(t.Context(), w); !errors.Is(err, errCrash) || err.Error() != `supervisor "root": add child "w": crash` {
			t.Errorf("Add: %v", err)
		}
		if got := s.Count(); got != (supervisor.Counts{}) {
			t.Errorf("count %+v", got)
		}
		<-w.Address().Done()
		if err := s.Add(t.Context(), w); err == nil {
			t.Error("the same worker again: no error")
		}
		// Also if it takes its time to hand back what was sent to it.
		slow := d.worker("slow", fails(errCrash), func(w *supervisor.Worker[order]) {
			w.Undelivered = func(order) { time.Sleep(time.Second) }
		})
		tell(t, slow, "early")
		if err := s.Add(t.Context(), slow); !errors.Is(err, errCrash) {
			t.Errorf("Add: %v", err)
		}
		if got := s.Count(); got != (supervisor.Counts{}) {
			t.Errorf("count %+v", got)
		}
		stop(t, s)
	})
}

// Case 62: a spec is for one start, also parts of one.
func TestStartTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		shared := d.worker("shared")
		spec := &supervisor.Spec{Name: "root", Children: []supervisor.Child{shared}}
		s := start(t, spec)
		if _, err := supervisor.Start(t.Context(), spec); err == nil {
			t.Error("a second Start: no error")
		}
		other := d.worker("other")
		if _, err := supervisor.Start(t.Context(), &supervisor.Spec{Name: "x", Children: []supervisor.Child{other, shared}}); err == nil {
			t.Error("a tree with a child of another: no error")
		}
		stop(t, s)
		// What was not at fault can still be used.
		stop(t, start(t, &supervisor.Spec{Name: "y", Children: []supervisor.Child{other}}))
		if _, err := supervisor.Start(t.Context(), nil); err == nil {
			t.Error("a nil spec: no error")
		}
	})
}

// Case 64: a full inbox does not keep a child from starting.
func TestFullInboxBeforeTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		w := d.worker("w", func(w *supervisor.Worker[order]) { w.Capacity = actor.Bounded(1) })
		tell(t, w, "first")
		go func() {
			if err := w.Address().Send(context.Background(), order{do: "second"}); err != nil {
				t.Error(err)
			}
		}()
		synctest.Wait()
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{w}})
		d.want(t, "+w w:first w:second")
		stop(t, s)
	})
}

// An address works before Start and is the same all the time.
func TestAddressBeforeStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		w := d.worker("w")
		a := w.Address()
		tell(t, w, "early")
		if a.Name() != "w" || a.Processes() != 0 {
			t.Errorf("%v has %d processes", a, a.Processes())
		}
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{w}})
		d.want(t, "+w w:early")
		tell(t, w, "crash")
		tell(t, w, "late")
		d.want(t, "-w +w w:late")
		if w.Address() != a {
			t.Error("the address has changed")
		}
		stop(t, s)
		d.want(t, "-w")
		if _, open := <-a.Done(); open || a.SendNow(order{}) == nil {
			t.Error("the address still works")
		}
	})
}

// Rule 47: the owner's end stops the tree in order.
func TestOwnersEndStopsTheTree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		owner, cancel := context.WithCancel(context.Background())
		s, err := supervisor.Start(owner, &supervisor.Spec{Name: "root", Children: []supervisor.Child{d.worker("a"), d.worker("b")}})
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := s.Wait(context.Background()); err != nil {
			t.Errorf("Wait: %v", err)
		}
		d.want(t, "+a +b -b -a")
		cause := errors.New("no time")
		ended, end := context.WithCancelCause(context.Background())
		end(cause)
		_, err = supervisor.Start(ended, &supervisor.Spec{Name: "root", Children: []supervisor.Child{d.worker("c")}})
		if !errors.Is(err, supervisor.ErrShuttingDown) || !errors.Is(err, cause) {
			t.Errorf("Start under an owner that has ended: %v", err)
		}
		d.want(t, "")
	})
}

// A tree that a process starts is a child of it: case 103.
func TestTreeBelowAProcess(t *testing.T) {
	for _, how := range []string{"halt", "abort"} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				ready := make(chan *supervisor.Supervisor, 1)
				parent, _ := actor.Spawn(context.Background(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
					s, err := supervisor.Start(ctx, &supervisor.Spec{Name: "root", Children: []supervisor.Child{
						d.worker("a"),
						&supervisor.Spec{Name: "sub", Children: []supervisor.Child{d.worker("b")}},
					}})
					ready <- s
					if err == nil {
						_, err = in.Recv(ctx)
					}
					return err
				})
				s := <-ready
				if how == "halt" {
					parent.Halt()
				} else {
					parent.Abort()
				}
				<-parent.Done()
				select {
				case <-s.Done():
				default:
					t.Error("the tree has not ended")
				}
				got := d.take()
				if want := "+a +b -b -a"; how == "halt" && got != want || len(got) != len(want) {
					t.Errorf("happened: %s", got)
				}
				if err := s.Wait(t.Context()); (how == "abort") != errors.Is(err, actor.ErrAborted) {
					t.Errorf("Wait: %v", err)
				}
			})
		})
	}
}

// Of finds the supervisor of a process, and of what it has spawned itself; Sub
// leads down.
func TestOfAndSub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		found := make(chan string, 10)
		look := func(ctx context.Context, in *actor.Inbox[int]) error {
			say := func(ctx context.Context) {
				if s := supervisor.Of(ctx); s != nil {
					found <- s.Name()
				} else {
					found <- "nobody"
				}
			}
			say(ctx)
			child, _ := actor.Spawn(ctx, actor.Config{}, func(ctx context.Context, _ *actor.Inbox[int]) error {
				say(ctx)
				return nil
			})
			child.Wait(ctx)
			return in.Serve(ctx, func(context.Context, int) error { return nil })
		}
		d := &supervisor.Dynamic[int, int]{Name: "dyn", Template: func(int) *supervisor.Worker[int] {
			return &supervisor.Worker[int]{Run: look, AwaitStart: time.Minute}
		}}
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{
			&supervisor.Worker[int]{Name: "w", Run: look, AwaitStart: time.Minute},
			&supervisor.Spec{Name: "sub", Children: []supervisor.Child{
				&supervisor.Worker[int]{Name: "w", Run: look, AwaitStart: time.Minute}, d,
			}},
		}})
		if _, err := d.Add(t.Context(), 1); err != nil {
			t.Error(err)
		}
		for _, want := range []string{"root", "root", "sub", "sub", "dyn", "dyn"} {
			if got := <-found; got != want {
				t.Errorf("found %s, want %s", got, want)
			}
		}
		if supervisor.Of(t.Context()) != nil {
			t.Error("a context of nobody has a supervisor")
		}
		for path, want := range map[string]bool{"sub": true, "sub/dyn": true, "w": false, "sub/w": false, "no": false, "no/no": false, "sub/dyn/w": false} {
			if got, ok := s.Sub(path); ok != want || ok && fmt.Sprint(got.Name()) != path[strings.LastIndex(path, "/")+1:] {
				t.Errorf("Sub(%q) is %v, %v", path, got, ok)
			}
		}
		if sub, _ := s.Sub("sub/dyn"); sub != d.Supervisor() {
			t.Error("Sub and Dynamic.Supervisor differ")
		}
		stop(t, s)
	})
}
