package explore

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// letters is a program of threads that each take steps, and notes in which order
// they did.
func letters(seen map[string]int, steps ...int) Program {
	return Program{Name: "letters", Do: func(r *Run) {
		var order strings.Builder
		var ops []Op
		for i, n := range steps {
			name := string(rune('a' + i))
			ops = append(ops, Op{name, func() {
				for range n {
					order.WriteString(name)
					r.Step("next", nil)
				}
				order.WriteString(name)
			}})
		}
		r.Together(nobody, ops...)
		seen[order.String()]++
	}}
}

// preemptions counts how often an order leaves a thread that has not ended.
func preemptions(order string) (n int) {
	for i := 1; i < len(order); i++ {
		if order[i] != order[i-1] && strings.IndexByte(order[i:], order[i-1]) >= 0 {
			n++
		}
	}
	return n
}

func TestEveryOrderOnce(t *testing.T) {
	seen := map[string]int{}
	res := Explore(letters(seen, 2, 2, 1), 100_000)
	if res.Bound != Unbounded || res.Failure != nil {
		t.Fatalf("%+v", res)
	}
	// Orders of three, three and two letters: 8! / (3! 3! 2!).
	if want := 560; len(seen) != want || res.Schedules != want {
		t.Errorf("%d orders in %d schedules, want %d", len(seen), res.Schedules, want)
	}
}

func TestEveryOrderWithinABound(t *testing.T) {
	all := map[string]int{}
	Explore(letters(all, 3, 3), 100_000)
	for bound := range 5 {
		want := 0
		for order := range all {
			if preemptions(order) <= bound {
				want++
			}
		}
		seen := map[string]int{}
		x := &explorer{program: letters(seen, 3, 3), pool: new(pool)}
		res, ended := x.all(bound, 100_000)
		if !ended || res.Schedules != want || len(seen) != want {
			t.Errorf("bound %d: %d orders in %d schedules, want %d", bound, len(seen), res.Schedules, want)
		}
		for order := range seen {
			if preemptions(order) > bound {
				t.Errorf("bound %d: %s has %d preemptions", bound, order, preemptions(order))
			}
		}
	}
}

func TestRandomOrdersAreOthers(t *testing.T) {
	seen := map[string]int{}
	res := Explore(letters(seen, 6, 6, 6), 3000)
	if res.Failure != nil || res.Bound < 1 || res.Random == 0 {
		t.Fatalf("%+v", res)
	}
	beyond := 0
	for order := range seen {
		if preemptions(order) > res.Bound {
			beyond++
		}
	}
	if beyond < res.Random {
		t.Errorf("%d orders beyond %d preemptions, want at least %d", beyond, res.Bound, res.Random)
	}
}

// sleeper is the smallest program with a lost wakeup: hollywood#173. careful
// looks again after it has said that it sleeps.
func sleeper(careful bool) Program {
	return Program{Name: "sleeper", Do: func(r *Run) {
		queued, idle, wake := 0, false, make(chan struct{}, 1)
		r.Together(func(waiting []Thread) {
			if len(waiting) > 0 && queued > 0 {
				r.Failf("%s sleeps though there is a message", waiting[0].Name())
			}
		},
			Op{"send", func() {
				r.Step("enqueue", nil)
				queued++
				r.Step("look whether it sleeps", nil)
				if idle {
					idle = false
					wake <- struct{}{}
				}
			}},
			Op{"receive", func() {
				for {
					r.Step("look for a message", nil)
					if queued > 0 {
						return
					}
					r.Step("say that it sleeps", nil)
					idle = true
					if careful {
						r.Step("look again", nil)
						if queued > 0 {
							return
						}
					}
					r.Step("sleep", open(func() bool { return len(wake) > 0 }))
					<-wake
				}
			}},
		)
	}}
}

// nobody judges nothing.
func nobody([]Thread) {}

type open func() bool

func (o open) Open() bool { return o() }

func TestLostWakeupIsFound(t *testing.T) {
	res := Explore(sleeper(false), 1000)
	if res.Failure == nil || !strings.Contains(res.Failure.Why, "receive sleeps") {
		t.Fatalf("not found: %+v", res)
	}
	if res.Schedules > 16 {
		t.Errorf("found in schedule %d, want within 16", res.Schedules)
	}
	again, err := Replay(sleeper(false), res.Failure.Seed)
	if err != nil || again == nil || again.Why != res.Failure.Why || !slices.Equal(again.Steps, res.Failure.Steps) {
		t.Errorf("the seed replays %+v, %v; want %+v", again, err, res.Failure)
	}
	var steps []string
	for _, s := range res.Failure.Steps {
		steps = append(steps, strings.Join(strings.Fields(s)[:2], " "))
	}
	if !slices.Contains(steps, "receive: say") || !slices.Contains(steps, "send: enqueue") {
		t.Errorf("the steps do not tell what happened:\n%s", strings.Join(res.Failure.Steps, "\n"))
	}
	if res := Explore(sleeper(true), 1000); res.Failure != nil || res.Bound != Unbounded {
		t.Errorf("the careful one: %+v", res)
	}
}

func TestDeadlockIsReported(t *testing.T) {
	res := Explore(Program{Name: "locks", Do: func(r *Run) {
		var a, b bool
		lock := func(what string, l *bool) {
			r.Step("lock "+what, open(func() bool { return !*l }))
			*l = true
		}
		both := func(first, second *bool) func() {
			return func() {
				lock("first", first)
				lock("second", second)
				*first, *second = false, false
			}
		}
		r.Together(nobody, Op{"ab", both(&a, &b)}, Op{"ba", both(&b, &a)})
	}}, 1000)
	if res.Failure == nil || res.Failure.Why != "deadlock: ab waits to lock second; ba waits to lock second" {
		t.Errorf("%+v", res.Failure)
	}
}

func TestEndlessProgramIsReported(t *testing.T) {
	res := Explore(Program{Name: "endless", Do: func(r *Run) {
		for {
			r.Step("again", nil)
		}
	}}, 10)
	if res.Failure == nil || !strings.HasPrefix(res.Failure.Why, "no end after") {
		t.Errorf("%+v", res.Failure)
	}
}

func TestPanicIsReported(t *testing.T) {
	res := Explore(Program{Name: "panic", Do: func(r *Run) {
		r.Together(nobody, Op{"one", func() { panic("ouch") }})
	}}, 10)
	if res.Failure == nil || !strings.HasPrefix(res.Failure.Why, "one panics: ouch") {
		t.Errorf("%+v", res.Failure)
	}
}

func TestProgramThatIsNotDeterministicIsReported(t *testing.T) {
	runs := 0
	res := Explore(Program{Name: "moody", Do: func(r *Run) {
		runs++
		ops := []Op{{"a", func() { r.Step("x", nil) }}, {"b", func() { r.Step("x", nil) }}}
		if runs > 1 {
			ops = append(ops, Op{"c", func() { r.Step("x", nil) }})
		}
		r.Together(nobody, ops...)
	}}, 10)
	if res.Failure == nil || !strings.Contains(res.Failure.Why, "not deterministic") {
		t.Errorf("%+v", res.Failure)
	}
}

func TestGoexitEndsAThread(t *testing.T) {
	res := Explore(Program{Name: "goexit", Do: func(r *Run) {
		done := false
		r.Together(nobody, Op{"one", func() {
			defer func() { done = true }()
			panic(Goexit)
		}})
		if !done {
			r.Failf("its deferred call did not run")
		}
	}}, 10)
	if res.Failure != nil {
		t.Error(res.Failure)
	}
}

// Time passes only while nobody can go on, unless the program wants it otherwise.
func TestAlarms(t *testing.T) {
	for _, early := range []bool{false, true} {
		orders := map[string]bool{}
		res := Explore(Program{Name: "alarms", Early: early, Do: func(r *Run) {
			var order []string
			start := r.Now()
			note := func(s string) func() { return func() { order = append(order, s) } }
			r.Alarm(2*time.Second, note("late"))
			r.Alarm(time.Second, note("soon"))
			stopped := r.Alarm(time.Second, note("stopped"))
			if !stopped.Stop() || stopped.Stop() {
				r.Failf("Stop reports something else")
			}
			r.Together(nobody, Op{"work", func() {
				r.Step("work", nil)
				note("work")()
			}})
			if got := r.Now().Sub(start); got != 2*time.Second {
				r.Failf("%v have passed", got)
			}
			orders[fmt.Sprint(order)] = true
		}}, 1000)
		if res.Failure != nil || res.Bound != Unbounded {
			t.Fatalf("%+v", res)
		}
		if want := map[bool]int{false: 1, true: 3}[early]; len(orders) != want || !orders["[work soon late]"] {
			t.Errorf("early %v: %d orders %v, want %d", early, len(orders), orders, want)
		}
	}
}

// Who spins is let go on when something has changed, and when nothing will.
func TestSpin(t *testing.T) {
	res := Explore(Program{Name: "spin", Do: func(r *Run) {
		locked, spins := true, 0
		r.Together(nobody,
			Op{"holder", func() {
				r.Step("unlock", nil)
				locked = false
				r.Changed()
			}},
			Op{"spinner", func() {
				for locked {
					r.Spin()
					spins++
				}
			}},
		)
		if spins > 1 {
			r.Failf("it looked %d times, though nothing had changed", spins)
		}
	}}, 1000)
	if res.Failure != nil || res.Bound != Unbounded {
		t.Errorf("%+v", res)
	}
}

func TestWeakObjectsAndWatches(t *testing.T) {
	res := Explore(Program{Name: "watch", Do: func(r *Run) {
		object, over, collected, told := new(int), false, 0, 0
		r.Object(object).AtEnd(func() { collected++ })
		stop := r.When(func() bool { return over }, func() { told++ })
		stopped := false
		r.Together(nobody,
			Op{"end", func() { r.Step("end", nil); over = true; r.Changed() }},
			Op{"stop", func() { stopped = stop() }},
			Op{"collect", func() { r.Collect(object, func() bool { return !over }) }},
		)
		if stopped == (told == 1) {
			r.Failf("stopped %v, told %d times", stopped, told)
		}
		if r.Object(object).Gone() != (collected == 1) {
			r.Failf("gone %v, collected %d times", r.Object(object).Gone(), collected)
		}
	}}, 1000)
	if res.Failure != nil || res.Bound != Unbounded {
		t.Errorf("%+v", res)
	}
}

func TestReplayRefusesNonsense(t *testing.T) {
	for _, seed := range []string{"", "1", "x:0", "1:§"} {
		if _, err := Replay(sleeper(true), seed); err == nil {
			t.Errorf("seed %q is taken", seed)
		}
	}
	if f, err := Replay(sleeper(true), "2:0101"); f != nil || err != nil {
		t.Errorf("a schedule in which nothing is wrong: %v, %v", f, err)
	}
}

// A sleeper whose timer would wake it is judged before that.
func TestTimersHideNoSleeper(t *testing.T) {
	var judged []int
	res := Explore(Program{Name: "timer", Do: func(r *Run) {
		judged = nil
		awake := false
		r.Alarm(time.Second, func() { awake = true })
		r.Together(func(waiting []Thread) { judged = append(judged, len(waiting)) },
			Op{"sleeper", func() { r.Step("sleep", open(func() bool { return awake })) }})
	}}, 10)
	if res.Failure != nil || !slices.Equal(judged, []int{1, 0}) {
		t.Errorf("%d sleepers were judged, want 1 and then 0; %+v", judged, res.Failure)
	}
}
