package faults_test

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var count = flag.Int("faults.n", 0, "how many programs TestFaults runs (0: 1000, with -short 200)")

// TestMain keeps what the library logs of all the faults out of the output.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	flag.Parse()
	os.Exit(m.Run())
}

// tally is how often each operation and each fault happened in all programs.
type tally struct {
	seed     string // of the first program
	programs int
	counts   map[string]int
	failed   *world // the first one that failed
	before   int    // how many had not
}

// TestFaults runs random programs. A failure prints the program as far as it
// could be shrunk, and the seed; -rapid.seed replays it, some hundred times,
// because the goroutines of a program may run in another order.
func TestFaults(t *testing.T) {
	n := cmp.Or(*count, map[bool]int{true: 200, false: 1000}[testing.Short()])
	seed := flag.Lookup("rapid.seed").Value.String()
	one := *count == 0 && (seed != "0" || flag.Lookup("rapid.failfile").Value.String() != "")
	if one {
		n = 1
	}
	if seed == "0" { // so that it is known also if a program hangs
		seed = strconv.FormatUint(rand.Uint64()|1, 10)
		if err := flag.Set("rapid.seed", seed); err != nil {
			t.Fatal(err)
		}
	}
	checks := n
	if testing.Short() {
		checks *= 5 // rapid makes a fifth of them then
	}
	if err := flag.Set("rapid.checks", strconv.Itoa(checks)); err != nil {
		t.Fatal(err)
	}
	sum := &tally{seed: seed, counts: make(map[string]int)}
	began := time.Now()
	defer func() { sum.report(t, began, !one) }()
	rapid.Check(t, func(rt *rapid.T) {
		p := programs.Draw(rt, "program")
		tries := 1
		switch {
		case sum.failed != nil: // rapid shrinks
			tries = 10
		case one:
			tries = 300
		}
		for range tries {
			sum.run(rt, p)
		}
	})
}

// patience is how long a program may take, in real time. It takes some
// milliseconds, unless something spins or waits for a lock: that stops a
// bubble's clock.
const patience = time.Minute

// run runs one program once.
func (s *tally) run(rt *rapid.T, p program) {
	var w *world
	complete := false
	defer time.AfterFunc(patience, func() {
		fmt.Fprintf(os.Stderr, "a program hangs, after %d others; -rapid.seed=%s -faults.n=%d comes to it again: %#v\n", s.programs, s.seed, s.programs+1, p)
		panic("a program hangs: where, the goroutines below say")
	}).Stop()
	defer func() {
		if s.failed == nil && (!complete || len(w.faults) > 0) { // else also after a deadlock
			s.failed, s.before = w, s.programs
		}
	}()
	rapid.SyncTest(rt, func(rt *rapid.T) {
		w = newWorld(p)
		w.run()
		for _, f := range w.faults {
			rt.Log(f)
		}
		if len(w.faults) > 0 {
			rt.Fatal("what must hold for every program did not") // rapid shrinks only what fails with one text
		}
	})
	complete = true
	s.programs++
	for what, n := range w.counts {
		s.counts[what] += n
	}
}

// report prints how often everything happened. What never did is a failure, if
// there were programs enough.
func (s *tally) report(t *testing.T, began time.Time, all bool) {
	if w := s.failed; w != nil {
		t.Logf("the first program that failed, after %d others: %#v", s.before, w.program)
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, f := range w.faults {
			t.Log(f)
		}
		for c := range w.open {
			t.Logf("not back since %v: %v", c.from.Sub(w.began), c)
		}
	}
	if t.Failed() || !all {
		return
	}
	t.Logf("%d programs in %.1f s", s.programs, time.Since(began).Seconds())
	s.print(t, "operations", slices.Sorted(slices.Values(operations())))
	s.print(t, "faults", slices.Sorted(slices.Values(faultNames())))
	s.print(t, "what came of them", slices.Sorted(maps.Keys(s.counts)))
}

// print prints, and forgets, the counts of some names.
func (s *tally) print(t *testing.T, title string, names []string) {
	t.Log(title + ":")
	for _, name := range names {
		n := s.counts[name]
		delete(s.counts, name)
		t.Logf("%9d  %s", n, name)
		if n == 0 && s.programs >= enough {
			t.Errorf("in %d programs there was no %q", s.programs, name)
		}
	}
}

// enough is how many programs must have everything in them.
const enough = 5000

// operations are the names of all that clients and bodies do in good order.
func operations() (names []string) {
	for _, o := range ops {
		names = append(names, o.name)
	}
	for l := range loops {
		names = append(names, "receive by "+l.String())
	}
	for v := range fail {
		names = append(names, v.String())
	}
	return names
}

// faultNames are the names of all that goes wrong, and of what must be seen to
// have come of it.
func faultNames() []string {
	names := []string{
		"Undelivered panics", "Undelivered hangs", "OnCrash panics", "crashed in hand", "handed back",
		"call from a child", "ctx ended a receive", "ctx ended a wait for room", "ctx ended an Ask", "no reply",
		"sender blocked on a full inbox", "owner's context ended", "start failed", "stuck", "Stop says stuck",
		"tree stuck", "tree aborted", "tree gave up", "timer stopped in time", "watched end",
		"refused because closed", "refused because shutting down", "stop order looked at", "report looked at", "halted alone", "child of a process",
		"event: limit exceeded", "event: escalated", "event: restarting", "event: restarted", "event: replaced",
		"event: ignored", "event: ignored halt", "event: start failed",
	}
	for v := fail; v < verbs; v++ {
		names = append(names, v.String())
	}
	for s := stopsSlowly; s < stoppings; s++ {
		names = append(names, s.String())
	}
	for s := startFails; s < starts; s++ {
		names = append(names, s.String())
	}
	return names
}
