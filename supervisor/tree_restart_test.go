package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// Cases 65-73 and 144; rules 13-15, 55.
func TestRestartTypes(t *testing.T) {
	quiet(t)
	for _, tt := range []struct {
		restart supervisor.Restart
		end     string
		after   string // states afterwards
		count   supervisor.Counts
	}{
		{supervisor.Permanent, "return", "w=running", supervisor.Counts{Specs: 1, Active: 1, Workers: 1}},
		{supervisor.Permanent, "shutdown", "w=running", supervisor.Counts{Specs: 1, Active: 1, Workers: 1}},
		{supervisor.Permanent, "crash", "w=running", supervisor.Counts{Specs: 1, Active: 1, Workers: 1}},
		{supervisor.Permanent, "panic", "w=running", supervisor.Counts{Specs: 1, Active: 1, Workers: 1}},
		{supervisor.Permanent, "goexit", "w=running", supervisor.Counts{Specs: 1, Active: 1, Workers: 1}},
		{supervisor.Transient, "return", "w=stopped", supervisor.Counts{Specs: 1, Workers: 1}},
		{supervisor.Transient, "shutdown", "w=stopped", supervisor.Counts{Specs: 1, Workers: 1}},
		{supervisor.Transient, "crash", "w=running", supervisor.Counts{Specs: 1, Active: 1, Workers: 1}},
		{supervisor.Transient, "panic", "w=running", supervisor.Counts{Specs: 1, Active: 1, Workers: 1}},
		{supervisor.Transient, "goexit", "w=running", supervisor.Counts{Specs: 1, Active: 1, Workers: 1}},
		{supervisor.Temporary, "return", "", supervisor.Counts{}},
		{supervisor.Temporary, "shutdown", "", supervisor.Counts{}},
		{supervisor.Temporary, "crash", "", supervisor.Counts{}},
		{supervisor.Temporary, "panic", "", supervisor.Counts{}},
		{supervisor.Temporary, "goexit", "", supervisor.Counts{}},
	} {
		t.Run(fmt.Sprintf("%v %s", tt.restart, tt.end), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				w := d.worker("w", restart(tt.restart))
				s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{w}})
				tell(t, w, tt.end)
				synctest.Wait()
				if got := states(s); got != tt.after {
					t.Errorf("children %q, want %q", got, tt.after)
				}
				if got := s.Count(); got != tt.count {
					t.Errorf("count %+v, want %+v", got, tt.count)
				}
				if _, ok := s.Which("w"); ok != (tt.count.Specs == 1) {
					t.Errorf("it is in the list: %v", ok)
				}
				if closed := w.Address().Closed(); closed != (tt.restart == supervisor.Temporary) {
					t.Errorf("the address is closed: %v", closed)
				}
				stop(t, s)
			})
		})
	}
}

// Cases 74-76 and 78; rules 3, 25 and 27.
func TestRestartLimit(t *testing.T) {
	for _, tt := range []struct {
		name    string
		limit   supervisor.Limit
		crashes []time.Duration // since the one before
		ends    bool
	}{
		{"the default is three", supervisor.Limit{}, []time.Duration{0, 0, 0}, false},
		{"the fourth is too many", supervisor.Limit{}, []time.Duration{0, 0, 0, 0}, true},
		{"two of two", supervisor.Limit{Restarts: 2, Period: time.Second}, []time.Duration{0, 0}, false},
		{"three of two", supervisor.Limit{Restarts: 2, Period: time.Second}, []time.Duration{0, 0, 0}, true},
		{"none", supervisor.Limit{Restarts: -1}, []time.Duration{0}, true},
		{"spaced", supervisor.Limit{Restarts: 1, Period: time.Second}, []time.Duration{0, 2 * time.Second, 2 * time.Second, 2 * time.Second}, false},
		{"exactly the period", supervisor.Limit{Restarts: 1, Period: time.Second}, []time.Duration{0, time.Second}, true},
		{"just after it", supervisor.Limit{Restarts: 1, Period: time.Second}, []time.Duration{0, time.Second + 1}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				a, w, z := d.worker("a"), d.worker("w"), d.worker("z")
				s := start(t, &supervisor.Spec{Name: "root", Limit: tt.limit, Children: []supervisor.Child{a, w, z}})
				for _, after := range tt.crashes {
					time.Sleep(after)
					tell(t, w, "crash")
					synctest.Wait()
				}
				select {
				case <-s.Done():
					err := s.Wait(t.Context())
					if !errors.Is(err, supervisor.ErrLimitExceeded) || !errors.Is(err, supervisor.ErrShutdown) || !errors.Is(err, errCrash) {
						t.Errorf("Wait: %v", err)
					}
					if want := `supervisor "root": child "w": one restart too many: crash`; err.Error() != want {
						t.Errorf("Wait: %v, want %s", err, want)
					}
					if got := d.take(); !strings.HasSuffix(got, "-w -z -a") {
						t.Errorf("happened: %s", got)
					}
					if !tt.ends {
						t.Error("it has ended")
					}
				default:
					if tt.ends {
						t.Error("it has not ended")
					}
					stop(t, s)
				}
			})
		})
	}
}

// Cases 84-87, rules 18-20.
func TestStrategies(t *testing.T) {
	for _, tt := range []struct {
		strategy supervisor.Strategy
		crash    int
		want     string
	}{
		{supervisor.OneForOne, 1, "-c +c"},
		{supervisor.OneForAll, 0, "-b -a -c -d +b +d +c +a"},
		{supervisor.OneForAll, 1, "-d -a -c -b +b +d +c +a"},
		{supervisor.OneForAll, 3, "-a -c -d -b +b +d +c +a"},
		{supervisor.RestForOne, 0, "-b -a -c -d +b +d +c +a"},
		{supervisor.RestForOne, 2, "-c -a +c +a"},
		{supervisor.RestForOne, 3, "-a +a"},
	} {
		t.Run(fmt.Sprintf("%v %d", tt.strategy, tt.crash), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				ws := []*supervisor.Worker[order]{d.worker("b"), d.worker("d"), d.worker("c"), d.worker("a")}
				if tt.strategy == supervisor.OneForOne {
					tt.crash = 2
				}
				s := start(t, &supervisor.Spec{Name: "root", Strategy: tt.strategy, Children: []supervisor.Child{ws[0], ws[1], ws[2], ws[3]}})
				d.want(t, "+b +d +c +a")
				for range 3 {
					tell(t, ws[tt.crash], "crash")
					d.want(t, tt.want)
				}
				if i, _ := s.Which(ws[tt.crash].Name); i.Restarts != 3 {
					t.Errorf("%+v", i)
				}
				tell(t, ws[tt.crash], "crash")
				if err := s.Wait(t.Context()); !errors.Is(err, supervisor.ErrLimitExceeded) {
					t.Errorf("Wait: %v", err)
				}
			})
		})
	}
}

// Case 88, rule 21.
func TestTemporaryBystander(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b := d.worker("a"), d.worker("b", restart(supervisor.Temporary))
		s := start(t, &supervisor.Spec{Name: "root", Strategy: supervisor.OneForAll, Children: []supervisor.Child{a, b}})
		tell(t, a, "crash")
		d.want(t, "+a +b -a -b +a")
		if got := states(s); got != "a=running" {
			t.Errorf("children: %s", got)
		}
		stop(t, s)
	})
}

// Case 24 of the rules: a sibling that fails to come back.
func TestOtherChildFailsToRestart(t *testing.T) {
	for _, strategy := range []supervisor.Strategy{supervisor.OneForAll, supervisor.RestForOne} {
		t.Run(strategy.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				fail := 0
				a, c := d.worker("a"), d.worker("c")
				b := d.worker("b")
				run := b.Run
				b.Run = func(ctx context.Context, in *actor.Inbox[order]) error {
					if fail > 0 {
						fail--
						d.add("!b")
						return errCrash
					}
					return run(ctx, in)
				}
				s := start(t, &supervisor.Spec{Name: "root", Strategy: strategy, Children: []supervisor.Child{a, b, c}})
				d.want(t, "+a +b +c")
				fail = 1
				tell(t, a, "crash")
				if strategy == supervisor.OneForAll {
					d.want(t, "-a -c -b +a !b -a +a +b +c")
				} else {
					d.want(t, "-a -c -b +a !b +b +c")
				}
				fail = 100
				tell(t, c, "crash")
				synctest.Wait()
				if strategy == supervisor.RestForOne {
					stop(t, s)
					return
				}
				if err := s.Wait(t.Context()); !errors.Is(err, supervisor.ErrLimitExceeded) {
					t.Errorf("Wait: %v", err)
				}
			})
		})
	}
}

// Case 80, rules 63-66: others keep running, nobody comes back early, and the
// delays are reset.
func TestBackoffDelaysOneChild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b := d.worker("a"), d.worker("b")
		a.Backoff = supervisor.Backoff{Min: time.Second, Max: 4 * time.Second, Jitter: -1, ResetAfter: time.Minute}
		s := start(t, &supervisor.Spec{Name: "root", Limit: supervisor.Limit{Restarts: 10, Period: time.Hour}, Children: []supervisor.Child{a, b}})
		d.want(t, "+a +b")
		for _, delay := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 4 * time.Second} {
			tell(t, a, "crash")
			tell(t, a, "waits")
			d.want(t, "-a")
			if got := states(s); got != "a=restarting b=running" {
				t.Errorf("children: %s", got)
			}
			if got := s.Count(); got.Active != 1 || got.Specs != 2 {
				t.Errorf("count %+v", got)
			}
			time.Sleep(delay / 2)
			tell(t, b, "crash")
			d.want(t, "-b +b")
			time.Sleep(delay/2 - 1)
			d.want(t, "")
			time.Sleep(1)
			d.want(t, "+a a:waits")
		}
		time.Sleep(time.Minute)
		tell(t, a, "crash")
		d.want(t, "-a")
		time.Sleep(time.Second)
		d.want(t, "+a")
		stop(t, s)
	})
}

// Case 94: a restart is a new call of Run; nothing of the old one is shared.
func TestRestartBeginsAfresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type count struct{ actor.Reply[int] }
		w := &supervisor.Worker[count]{Name: "w", AwaitStart: time.Minute, Run: func(ctx context.Context, in *actor.Inbox[count]) error {
			n := 0
			return in.Serve(ctx, func(_ context.Context, m count) error {
				n++
				m.Answer(n, nil)
				if n == 2 {
					return errCrash
				}
				return nil
			})
		}}
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{w}})
		for i := range 6 {
			n, err := actor.Ask(t.Context(), w.Address(), func(r actor.Reply[int]) count { return count{r} })
			if n != i%2+1 || err != nil {
				t.Errorf("question %d: %d, %v", i, n, err)
			}
		}
		stop(t, s)
	})
}

// Rules 31 and 33: between failed attempts calls and stops are served.
func TestRestartLoopIsServedAndStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		up := false
		w := d.worker("w")
		run := w.Run
		w.Run = func(ctx context.Context, in *actor.Inbox[order]) error {
			if !up {
				up = true
				return run(ctx, in)
			}
			time.Sleep(time.Millisecond)
			return errCrash
		}
		s := start(t, &supervisor.Spec{Name: "root", Limit: supervisor.Limit{Restarts: 1 << 30}, Children: []supervisor.Child{w, d.worker("x")}})
		tell(t, w, "crash")
		time.Sleep(time.Minute)
		if err := s.Terminate(soon(t), "x"); err != nil {
			t.Error(err)
		}
		if err := s.Restart(soon(t), "x"); err != nil {
			t.Error(err)
		}
		if i, _ := s.Which("w"); i.Restarts < 50_000 {
			t.Errorf("%+v", i)
		}
		began := time.Now()
		stop(t, s)
		if took := time.Since(began); took > time.Second {
			t.Errorf("Stop took %v", took)
		}
	})
}
