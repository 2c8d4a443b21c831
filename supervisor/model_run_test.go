package supervisor

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

var (
	modelSeed  = flag.Uint64("model.seed", 0, "tell what happens in the schedule of this `seed`, and compare nothing else")
	modelN     = flag.Int("model.n", 0, "compare the machine with the model in so many `schedules`; 0: 200,000, or a tenth with -short or -race")
	modelFirst = flag.Uint64("model.first", 1, "the `seed` of the first schedule")
)

// newStage returns a stage for many schedules.
func newStage(cov *coverage) *stage {
	w := &stage{cov: cov}
	w.rng = rand.New(&w.pcg)
	return w
}

// reset draws the tree of a schedule.
func (w *stage) reset(seed uint64) {
	w.pcg.Seed(seed, 0x5eed)
	w.spare = append(w.spare, w.sups...)
	w.sups, w.moves, w.used = w.sups[:0], w.moves[:0], 0
	w.now, w.requests, w.wrong, w.told = 0, 0, "", nil
	w.drain, w.calm = w.percent(30), draw(w, 50, 80, 95)
	n := w.newNode()
	w.drawSupervisor(n, 2)
	w.newSup(1, n, nil, 0, nil)
	if !n.cfg.dynamic && w.percent(15) { // an earlier supervisor has left something stuck
		w.leftovers(n)
	}
}

// leftovers makes the root again, with stuck processes.
func (w *stage) leftovers(n *simNode) {
	w.spare = append(w.spare, w.sups...)
	w.sups = w.sups[:0]
	stuck := make([][]int, len(n.kids))
	for i, kid := range n.kids {
		if w.percent(50) {
			stuck[i] = make([]int, kid.p.processes)
			stuck[i][w.rng.IntN(kid.p.processes)] = draw(w, 1, 2)
		}
	}
	w.newSup(1, n, nil, 0, stuck)
}

// run plays the schedule of a seed and reports whether all went well.
func (w *stage) run(seed uint64) bool {
	w.reset(seed)
	w.cov.schedules++
	late := 0 // moves after the end
	for range 20 + w.rng.IntN(40) {
		w.make(w.move(draw(w, w.sups...)))
		if w.wrong != "" {
			return false
		}
		if w.sups[0].over {
			if late++; late > 4 {
				break
			}
		}
	}
	w.finish()
	return w.wrong == ""
}

// finish stops the tree, if that is wanted: then it ends when every process
// that was told to stop does, and every child that was closed is.
func (w *stage) finish() {
	if !w.drain || w.cut {
		return
	}
	at := w.now
	root := w.sups[0]
	if !root.begun {
		w.make(move{sup: root.key, e: event{kind: evStart, at: at}})
	}
	w.make(move{sup: root.key, e: event{kind: evStop, at: at, terminal: true}})
	for range 200 {
		if root.over || w.wrong != "" {
			break
		}
		for i := len(w.sups) - 1; i >= 0 && i < len(w.sups); i-- {
			w.help(w.sups[i])
		}
	}
	if !root.over {
		w.fail(root, "the supervisor does not end")
	}
	w.cov.drained++
}

// help lets happen in a supervisor what ends it.
func (w *stage) help(s *sup) {
	at := w.now
	if s.mother != nil {
		if p := s.mother.procOf(s); p != nil && p.told && !s.over {
			if !s.begun {
				w.make(move{sup: s.key, e: event{kind: evStart, at: at}})
			}
			w.make(move{sup: s.key, e: event{kind: evStop, at: at}})
		}
	}
	for i := 0; i < len(s.procs); i++ {
		p := s.procs[i]
		if !p.stuck && (p.told || slices.Contains(s.shut, p.child)) && (p.sup == nil || p.sup.over) {
			w.make(move{sup: s.key, e: event{kind: evExit, at: at, child: p.child, process: p.number, incarnation: p.incarnation}})
			i--
		}
	}
	for len(s.shut) > 0 && s.live(s.shut[0], all) == nil && w.wrong == "" {
		w.make(move{sup: s.key, e: event{kind: evClosed, at: at, child: s.shut[0]}})
	}
}

// replay plays moves on the tree of a seed.
func (w *stage) replay(seed uint64, moves []move) bool {
	w.reset(seed)
	for _, mv := range moves {
		w.make(mv)
		if w.wrong != "" {
			return false
		}
	}
	w.finish()
	return w.wrong == ""
}

// TestModel compares the machine with a naive model of the rules, in random
// schedules of random trees. -v says what they have met; what they never meet
// fails the test.
func TestModel(t *testing.T) {
	if *modelSeed != 0 {
		t.Log(explain(*modelSeed, faultNone))
		return
	}
	n := *modelN
	if n == 0 {
		n = 200_000
		if testing.Short() || underRace() {
			n = 20_000
		}
	}
	cov, failed := compareMany(n, faultNone)
	if failed != 0 {
		t.Fatalf("%s\nto play it again: go test -run '^TestModel$' -model.seed %d -v ./supervisor", explain(failed, faultNone), failed)
	}
	table, never := cov.table()
	t.Logf("met:\n%s", table)
	if n >= 20_000 {
		for _, words := range never {
			t.Errorf("no schedule has met: %s", words)
		}
	}
}

// compareMany plays schedules until one fails, and returns its seed or 0.
func compareMany(n int, fault refFault) (*coverage, uint64) {
	var (
		next   atomic.Int64
		failed atomic.Uint64
		mu     sync.Mutex
		cov    coverage
		wg     sync.WaitGroup
	)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			w := newStage(new(coverage))
			w.fault = fault
			for failed.Load() == 0 {
				i := next.Add(100) - 100
				for j := i; j < min(i+100, int64(n)); j++ {
					if seed := *modelFirst + uint64(j); !w.run(seed) {
						failed.CompareAndSwap(0, seed)
						break
					}
				}
				if i >= int64(n) {
					break
				}
			}
			mu.Lock()
			defer mu.Unlock()
			cov.add(w.cov)
		})
	}
	wg.Wait()
	return &cov, failed.Load()
}

// explain plays a schedule again, leaves out what is not needed to make it
// fail, and says in words what happens in what remains.
func explain(seed uint64, fault refFault) string {
	w := newStage(new(coverage))
	w.fault, w.keep = fault, true
	ok := w.run(seed)
	moves := append([]move(nil), w.moves...)
	w.keep = false
	var b strings.Builder
	if !ok {
		all := len(moves)
		w.cut = true
		w.cut = !w.replay(seed, moves) // it fails before it is stopped
		moves = w.shrink(seed, moves)
		fmt.Fprintf(&b, "schedule %d fails; %d of its %d moves are enough:\n", seed, len(moves), all)
	} else {
		fmt.Fprintf(&b, "schedule %d is as it should be:\n", seed)
	}
	w.say = func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	w.replay(seed, moves)
	if w.wrong != "" {
		w.say("in supervisor %d %s\n", w.told.key, w.wrong)
	}
	return b.String()
}

// shrink drops moves as long as the schedule fails without them.
func (w *stage) shrink(seed uint64, moves []move) []move {
	for size := max(1, len(moves)/2); ; size /= 2 {
		for i := 0; i+size <= len(moves); {
			fewer := append(append([]move(nil), moves[:i]...), moves[i+size:]...)
			if w.replay(seed, fewer) {
				i += size
			} else {
				moves = fewer
			}
		}
		if size <= 1 {
			return moves
		}
	}
}

// tell says what happens.
func (w *stage) tell(s *sup, e *event, got []action) {
	if e.kind == evStart {
		w.say("%v supervisor %d is: %s\n", e.at, s.key, s.node.describe("  "))
	}
	w.say("%s   (supervisor %d)\n%s", sayEvent(e), s.key, wordsOf(got))
}

// underRace reports whether this is the race detector's build.
func underRace() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
