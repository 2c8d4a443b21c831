package supervisor_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

var (
	faultRounds = flag.Int("faults", 0, "how many random trees TestRandomFaults runs (0: 600, with -short 60)")
	faultSeed   = flag.Uint64("faultseed", 0, "replays the one round of TestRandomFaults that has this seed")
)

// The faults that a random tree can have. That none stays away is checked.
var faultNames = []string{
	"start error", "hang at start", "ignore", "panic", "Goexit", "normal exit", "error", "shutdown",
	"refusing to halt", "refusing to abort", "crash while stopping", "call from a child", "call while stopping",
	"stuck", "limit exceeded", "aborted tree", "start failed",
}

// TestRandomFaults runs random trees of the real runtime, whose workers do
// everything that a supervisor must cope with, and checks of each: it starts or
// says why not, it stops in time, no call waits longer than it may, no message
// is lost or seen twice, and nothing is left behind.
func TestRandomFaults(t *testing.T) {
	quiet(t)
	if *faultSeed != 0 {
		runFaults(t, *faultSeed, make(map[string]int))
		return
	}
	rounds := *faultRounds
	if rounds == 0 {
		rounds = 600
		if testing.Short() || raceEnabled {
			rounds = 60
		}
	}
	happened := make(map[string]int)
	missing := func(name string) bool { return happened[name] == 0 }
	for n := range 10 * rounds { // the rare ones take their time in a short run
		if n >= rounds && !slices.ContainsFunc(faultNames, missing) {
			break
		}
		runFaults(t, rand.Uint64()|1, happened)
	}
	for _, name := range faultNames {
		t.Logf("%7d  %s", happened[name], name)
		if happened[name] == 0 {
			t.Errorf("in %d trees there was no %s", 10*rounds, name)
		}
	}
}

// runFaults is one round. If it fails, also by a deadlock, the seed is logged.
func runFaults(t *testing.T, seed uint64, happened map[string]int) {
	passed := false
	defer func() {
		if !passed {
			t.Logf("go test ./supervisor -run TestRandomFaults -faultseed %d", seed)
		}
	}()
	synctest.Test(t, func(t *testing.T) { newFaultTree(t, seed, happened).run() })
	passed = !t.Failed()
}

// faultTree is one round.
type faultTree struct {
	t       *testing.T
	release chan struct{} // ends those that refuse to
	over    context.Context

	mu       sync.Mutex
	rnd      *rand.Rand
	happened map[string]int
	workers  []*supervisor.Worker[int]
	dynamics []*supervisor.Dynamic[int, int]
	names    int
	calm     bool // no further faults
	fate     map[int]string
	to       map[int]*supervisor.Worker[int]
	calls    sync.WaitGroup
}

func newFaultTree(t *testing.T, seed uint64, happened map[string]int) *faultTree {
	return &faultTree{
		t: t, release: make(chan struct{}), rnd: rand.New(rand.NewPCG(seed, 0)),
		happened: happened, fate: make(map[int]string), to: make(map[int]*supervisor.Worker[int]),
	}
}

// roll reports whether a fault happens that has a chance of one in n.
func (f *faultTree) roll(n int, name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calm || f.rnd.IntN(n) != 0 {
		return false
	}
	f.happened[name]++
	return true
}

func (f *faultTree) count(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.happened[name]++
}

// intN draws a number.
func (f *faultTree) intN(n int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rnd.IntN(n)
}

func (f *faultTree) ms(n int) time.Duration { return time.Duration(f.intN(n)) * time.Millisecond }

func (f *faultTree) name(kind string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.names++
	return fmt.Sprint(kind, f.names)
}

// run starts a tree, lets it suffer, stops it and looks at what is left.
func (f *faultTree) run() {
	spec := f.spec(0)
	over, cancel := context.WithCancel(context.Background())
	f.over = over
	// A start waits for a stuck process whose place nobody may take, and so for
	// ever; unless the owner ends.
	owner, giveUp := context.WithCancel(context.Background())
	defer giveUp()
	timer := time.AfterFunc(time.Minute, giveUp)
	s, err := supervisor.Start(owner, spec)
	timer.Stop()
	if err != nil {
		f.count("start failed")
	} else {
		f.suffer(s)
	}
	cancel()
	f.mu.Lock()
	f.calm = true
	workers := slices.Clone(f.workers)
	f.mu.Unlock()
	close(f.release)
	f.calls.Wait()
	time.Sleep(time.Hour)
	spare := make(map[*supervisor.Worker[int]]bool) // never in the tree: a call was refused
	for _, w := range workers {
		select {
		case <-w.Address().Done():
		default:
			if spare[w] = true; w.Address().SendNow(0) != nil {
				f.t.Errorf("%s is closed and has not ended", w.Name)
			}
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for m, what := range f.fate {
		if what == "accepted" && !spare[f.to[m]] {
			f.t.Errorf("message %d to %s is lost", m, f.to[m].Name)
		}
	}
}

// suffer sends messages and calls, and then stops the tree.
func (f *faultTree) suffer(s *supervisor.Supervisor) {
	id := 0
	for range f.intN(200) {
		time.Sleep(f.ms(10))
		w := f.anyWorker()
		for range f.intN(4) {
			id++
			f.to[id] = w
			f.fateOf(id, "accepted")
			if w.Address().SendNow(id) != nil {
				f.fateOf(id, "refused")
			}
		}
		if f.intN(10) == 0 {
			f.call(context.Background(), s)
		}
	}
	timeout := 10*time.Millisecond + f.ms(300)
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	began := time.Now()
	report, err := s.Stop(ctx)
	if took := time.Since(began); took > timeout+2*actor.StuckAfter {
		f.t.Errorf("Stop took %v of %v", took, timeout)
	}
	switch {
	case errors.Is(err, actor.ErrStuck):
		f.count("stuck")
		if !strings.Contains(summary(report), "stuck") && !errors.Is(s.Wait(ctx), actor.ErrStuck) {
			f.t.Errorf("%v, but the report says %s", err, summary(report))
		}
	case errors.Is(err, supervisor.ErrLimitExceeded):
		f.count("limit exceeded")
	case errors.Is(err, actor.ErrAborted):
		f.count("aborted tree")
	}
	select {
	case <-s.Done():
	default:
		f.t.Error("Done is open after Stop")
	}
	if got := s.Count(); got.Specs != 0 || got.Active != 0 {
		f.t.Errorf("after Stop there are %+v", got)
	}
}

// anyWorker returns one of the workers, perhaps of one that is no more.
func (f *faultTree) anyWorker() *supervisor.Worker[int] {
	f.mu.Lock()
	n := len(f.workers)
	f.mu.Unlock()
	if n == 0 {
		return f.worker()
	}
	i := f.intN(n)
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.workers[i]
}

// fateOf notes what became of a message.
func (f *faultTree) fateOf(id int, what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	was := f.fate[id]
	if (what == "accepted") != (was == "") || what == "refused" && was != "accepted" || what != "accepted" && was != "accepted" {
		f.t.Errorf("message %d: %s, and was %s", id, what, was)
	}
	f.fate[id] = what
}

// spec is a random supervisor.
func (f *faultTree) spec(depth int) *supervisor.Spec {
	s := &supervisor.Spec{
		Name:     f.name("s"),
		Strategy: supervisor.Strategy(f.intN(3)),
		Restart:  supervisor.Restart(f.intN(3)),
		Limit:    supervisor.Limit{Restarts: []int{-1, 2, 20, 1000}[f.intN(4)], Period: 100 * time.Millisecond},
		Backoff:  f.backoff(),
	}
	if depth > 0 && f.intN(4) == 0 {
		s.AbortTimer = 20 * time.Millisecond
	}
	for range 1 + f.intN(4) {
		switch {
		case depth < 3 && f.intN(4) == 0:
			s.Children = append(s.Children, f.spec(depth+1))
		case f.intN(6) == 0:
			d := &supervisor.Dynamic[int, int]{Name: f.name("d"), Template: func(int) *supervisor.Worker[int] { return f.worker() },
				Limit: s.Limit, Restart: supervisor.Restart(f.intN(3))}
			f.mu.Lock()
			f.dynamics = append(f.dynamics, d)
			f.mu.Unlock()
			s.Children = append(s.Children, d)
		default:
			s.Children = append(s.Children, f.worker())
		}
	}
	return s
}

func (f *faultTree) backoff() supervisor.Backoff {
	if f.intN(2) == 0 {
		return supervisor.Backoff{}
	}
	return supervisor.Backoff{Min: f.ms(3), Max: 20 * time.Millisecond}
}

// worker is a random worker.
func (f *faultTree) worker() *supervisor.Worker[int] {
	w := &supervisor.Worker[int]{
		Name:        f.name("w"),
		Run:         f.body,
		Restart:     supervisor.Restart(f.intN(3)),
		Drain:       f.intN(3) == 0,
		AbortTimer:  []time.Duration{-1, 5 * time.Millisecond, 50 * time.Millisecond, 0}[f.intN(4)],
		Backoff:     f.backoff(),
		OnStuck:     supervisor.StuckPolicy(f.intN(3)),
		OnCrash:     func(m int, _ error) { f.fateOf(m, "crashed") },
		Undelivered: func(m int) { f.fateOf(m, "undelivered") },
	}
	if f.intN(4) == 0 {
		w.Processes = 2 + f.intN(3)
	} else if f.intN(4) == 0 {
		w.Fresh = true
	}
	if f.intN(2) == 0 {
		w.AwaitStart = 20 * time.Millisecond
	}
	w.Address() // so that all have one when the tree has ended
	f.mu.Lock()
	f.workers = append(f.workers, w)
	f.mu.Unlock()
	return w
}
