package explore

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// Unbounded is a bound that allows any number of preemptions.
const Unbounded = -1

// Program is what is explored.
type Program struct {
	Name string
	// Early lets alarms go off at any time; else time passes only while nobody
	// can go on.
	Early bool
	Do    func(*Run)
}

// Result is what an exploration has found.
type Result struct {
	Name      string
	Schedules int  // distinct ones
	Complete  bool // Bound says which schedules were all of them
	Bound     int  // preemptions; Unbounded: every schedule
	Random    int  // further schedules in random order, distinct ones, part of Schedules
	Failure   *Failure
}

// Failure is a schedule in which a program does what it must not.
type Failure struct {
	Program string
	Why     string
	Seed    string   // for Replay
	Steps   []string // what happened, in order
}

func (f *Failure) Error() string {
	return fmt.Sprintf("%s: %s\nseed %s\n  %s", f.Program, f.Why, f.Seed, strings.Join(f.Steps, "\n  "))
}

// bounds are what Explore tries, one after the other.
var bounds = []int{1, 2, 3, 4, 6, Unbounded}

// mostRandom is how many random schedules are added to those within a bound.
const mostRandom = 20000

// Explore looks at as many as most schedules of the program: at all, if that is
// enough, else at all within the largest bound for which it is, and at random
// ones beyond. Two preemptions find so much more than one that they may take ten
// times as many. It stops at the first failure.
func Explore(p Program, most int) Result {
	x := &explorer{program: p, pool: new(pool)}
	best := Result{Name: p.Name, Bound: -2}
	for _, bound := range bounds {
		limit := most
		if bound == 2 {
			limit = 10 * most
		}
		res, ended := x.all(bound, limit)
		if res.Failure != nil || !ended && best.Schedules == 0 {
			return res
		}
		if !ended {
			break
		}
		if bound == Unbounded || x.unused {
			res.Bound = Unbounded // no schedule had a further preemption
			return res
		}
		growth := float64(res.Schedules) / float64(max(best.Schedules, 1))
		best = res
		if bound > 1 && float64(res.Schedules)*growth > float64(most) {
			break // the next would not end
		}
	}
	return x.beyond(best, most)
}

// Replay runs the one schedule that a failure's seed names.
func Replay(p Program, seed string) (*Failure, error) {
	at, list, ok := strings.Cut(seed, ":")
	bound, err := strconv.Atoi(at)
	if !ok || err != nil {
		return nil, fmt.Errorf("seed %q is not of the form bound:choices", seed)
	}
	choices, err := parseChoices(list)
	if err != nil {
		return nil, fmt.Errorf("seed %q: %w", seed, err)
	}
	x := &explorer{program: p, pool: new(pool)}
	fixed := &replay{choices: choices}
	r := x.run(fixed, bound, true)
	if r.failure == "" {
		return nil, nil
	}
	return &Failure{Program: p.Name, Why: r.failure, Seed: seed, Steps: r.trace}, nil
}

type explorer struct {
	program Program
	pool    *pool
	unused  bool // the last search had preemptions left at the end of every schedule
	steps   int  // the most choices in a schedule
}

// run runs one schedule.
func (x *explorer) run(s strategy, bound int, traced bool) *Run {
	r := &Run{search: s, bound: bound, early: x.program.Early, traced: traced, pool: x.pool}
	r.do(x.program.Do)
	return r
}

// all runs every schedule with at most bound preemptions, if those are not more
// than most.
func (x *explorer) all(bound, most int) (res Result, ended bool) {
	res = Result{Name: x.program.Name, Bound: bound}
	s := new(exhaustive)
	x.unused = true
	for res.Schedules < most {
		s.depth = 0
		r := x.run(s, bound, false)
		res.Schedules++
		x.steps = max(x.steps, s.depth)
		if r.bound == 0 {
			x.unused = false
		}
		if s.diverged != "" {
			r.failure = s.diverged
		}
		if r.failure != "" {
			res.Failure = x.failed(s.choices(), bound)
			return res, false
		}
		if !s.next() {
			res.Complete = true
			return res, true
		}
	}
	return res, false
}

// beyond adds random schedules with more preemptions than those of res.
func (x *explorer) beyond(res Result, most int) Result {
	seed := maphash.MakeSeed()
	seen := make(map[uint64]struct{})
	s := &random{rand: rand.New(rand.NewPCG(1, uint64(len(x.program.Name))))}
	for range max(0, min(mostRandom, most-res.Schedules)) {
		s.begin(x.steps)
		r := x.run(s, Unbounded, false)
		if r.failure != "" {
			res.Failure = x.failed(s.taken, Unbounded)
			return res
		}
		if r.preempted <= res.Bound {
			continue // it was among those
		}
		h := maphash.Bytes(seed, s.taken)
		if _, ok := seen[h]; !ok {
			seen[h] = struct{}{}
			res.Random++
			res.Schedules++
		}
	}
	return res
}

// failed runs a failing schedule again, and writes down its steps.
func (x *explorer) failed(choices []byte, bound int) *Failure {
	seed := fmt.Sprintf("%d:%s", bound, formatChoices(choices))
	f, err := Replay(x.program, seed)
	if f == nil {
		return &Failure{Program: x.program.Name, Why: fmt.Sprintf("a schedule that failed does not fail when run again: the program is not deterministic (%v)", err), Seed: seed}
	}
	return f
}

// strategy decides who goes on.
type strategy interface {
	born(*thread)
	// choose returns one of 0 to n-1. If able is not nil its threads are the
	// first choices; the first of all is the one without a preemption.
	choose(able []*thread, n int) int
}

// exhaustive goes through all choices, depth first.
type exhaustive struct {
	stack    []choice
	depth    int
	diverged string
}

type choice struct{ taken, of uint8 }

func (s *exhaustive) born(*thread) {}

func (s *exhaustive) choose(_ []*thread, n int) int {
	if s.depth == len(s.stack) {
		s.stack = append(s.stack, choice{0, uint8(n)})
	}
	c := s.stack[s.depth]
	s.depth++
	if int(c.of) != n && s.diverged == "" {
		s.diverged = fmt.Sprintf("choice %d is one of %d, and was one of %d before: the program is not deterministic", s.depth, n, c.of)
	}
	return min(int(c.taken), n-1)
}

// next goes to the next schedule, and reports whether there is one.
func (s *exhaustive) next() bool {
	for i := s.depth - 1; i >= 0; i-- {
		if s.stack[i].taken+1 < s.stack[i].of {
			s.stack[i].taken++
			s.stack = s.stack[:i+1]
			return true
		}
	}
	return false
}

func (s *exhaustive) choices() []byte {
	list := make([]byte, s.depth)
	for i := range list {
		list[i] = s.stack[i].taken
	}
	return list
}

// random gives threads random ranks, lets the highest go on, and moves the one
// that runs to the end at some random moments.
type random struct {
	rand    *rand.Rand
	taken   []byte
	changes [changesOfRank]int
	low     int
}

// changesOfRank is how many such moments there are in a schedule.
const changesOfRank = 5

func (s *random) begin(steps int) {
	s.taken, s.low = s.taken[:0], 0
	for i := range s.changes {
		s.changes[i] = s.rand.IntN(max(steps, 1))
	}
}

func (s *random) born(t *thread) { t.rank = 1 + s.rand.IntN(1<<20) }

func (s *random) choose(able []*thread, n int) int {
	best := s.rand.IntN(n)
	if able != nil && best < len(able) {
		if slices.Contains(s.changes[:], len(s.taken)) {
			s.low--
			able[0].rank = s.low
		}
		for i, t := range able {
			if t.rank > able[best].rank {
				best = i
			}
		}
	}
	s.taken = append(s.taken, byte(best))
	return best
}

// replay makes given choices, and the first where there is none.
type replay struct{ choices []byte }

func (s *replay) born(*thread) {}

func (s *replay) choose(_ []*thread, n int) int {
	if len(s.choices) == 0 {
		return 0
	}
	c := int(s.choices[0])
	s.choices = s.choices[1:]
	return min(c, n-1)
}

const digits = "0123456789abcdefghijklmnopqrstuvwxyz"

// formatChoices writes each choice as a digit, and leaves out zeros at the end.
func formatChoices(list []byte) string {
	var b strings.Builder
	for _, c := range list {
		b.WriteByte(digits[c])
	}
	return strings.TrimRight(b.String(), "0")
}

func parseChoices(s string) ([]byte, error) {
	list := make([]byte, len(s))
	for i := range s {
		c := strings.IndexByte(digits, s[i])
		if c < 0 {
			return nil, fmt.Errorf("%q is not a choice", s[i])
		}
		list[i] = byte(c)
	}
	return list, nil
}
