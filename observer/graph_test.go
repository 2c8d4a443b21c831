package observer

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// blockedSlowly is blocked by its definition: it removes who can go on until
// nobody can.
func blockedSlowly(edges []edge, live func(uint64) int) map[node]bool {
	in := make(map[node]bool)
	for _, e := range edges {
		in[e.from] = true
	}
	for again := true; again; {
		again = false
		for _, e := range edges {
			n, free := 0, false
			for x := range in {
				if x.actor == e.to {
					n++
				}
			}
			if e.whose >= 0 {
				free = !in[node{e.to, e.whose}]
			} else {
				free = n == 0 || n < live(e.to) || live(e.to) == 0
			}
			if free && in[e.from] {
				delete(in, e.from)
				again = true
			}
		}
	}
	return in
}

// In programs drawn at random, who is blocked is what the definition says, each
// cycle is one, and whoever is blocked has one before it.
func TestGraphOfRandomPrograms(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	cyclic := 0
	for range 5000 {
		actors := 1 + random.IntN(6)
		processes := make(map[uint64]int)
		for a := range actors {
			processes[uint64(a+1)] = random.IntN(4) // of a worker that is down, none
		}
		live := func(a uint64) int { return processes[a] }
		var edges []edge
		for a := 1; a <= actors; a++ {
			for p := range processes[uint64(a)] {
				for range random.IntN(3) / 2 * (1 + random.IntN(2)) {
					to := uint64(1 + random.IntN(actors))
					e := edge{from: node{uint64(a), p}, to: to, whose: -1, ask: random.IntN(2) == 0, since: time.Unix(int64(len(edges)), 0)}
					if e.ask && processes[to] > 0 && random.IntN(2) == 0 {
						e.whose = random.IntN(processes[to])
					}
					edges = append(edges, e)
				}
			}
		}
		g := blocked(edges, live)
		want := blockedSlowly(edges, live)
		if len(g.edges) != len(want) {
			t.Fatalf("of %v with %v blocked are %v, want %v", edges, processes, g.edges, want)
		}
		for n := range want {
			if g.edges[n] == nil {
				t.Fatalf("of %v with %v blocked are %v, want %v", edges, processes, g.edges, want)
			}
		}
		cycles := g.cycles(nil)
		if len(cycles) > 0 {
			cyclic++
		}
		if len(want) > 0 && len(cycles) == 0 {
			t.Fatalf("%v are blocked and on no cycle: %v", want, edges)
		}
		onCycle := make(map[uint64]bool)
		for _, c := range cycles {
			for i, e := range c {
				next := c[(i+1)%len(c)].from
				if !want[e.from] || next.actor != e.to || e.whose >= 0 && next.process != e.whose || !slices.Contains(edges, e) {
					t.Fatalf("no cycle of %v: %v", edges, c)
				}
				onCycle[e.from.actor] = true
			}
		}
		// Known ones are not found again, and all that were found are covered.
		if again := g.cycles(cycles); len(again) > 0 {
			t.Fatalf("of %v, beside %v, there are %v", edges, cycles, again)
		}
	}
	if cyclic < 500 {
		t.Errorf("only %d programs had a cycle", cyclic)
	}
}

// A long chain that nobody blocks, a long ring, and many behind one. An actor takes
// the same time of them, however many there are: as in TestSnapshotOfManyActors.
func TestGraphOfManyActors(t *testing.T) {
	const few, many = 1000, 20_000
	small, large := time.Hour, time.Hour
	for range 3 {
		small, large = min(small, longGraphs(t, few, many/few)), min(large, longGraphs(t, many, 1))
	}
	t.Logf("%v per actor of %d, %v of %d", small, few, large, many)
	if large > 5*small {
		t.Errorf("it takes %v for each of %d actors, and %v for each of %d", large, many, small, few)
	}
}

// longGraphs returns how long graphs of n actors take for each of them, if so many
// are looked at one after the other.
func longGraphs(t *testing.T, n, times int) (perActor time.Duration) {
	t.Helper()
	start := time.Now()
	for range times {
		lookAtLongGraphs(t, n)
	}
	return time.Since(start) / time.Duration(n*times)
}

func lookAtLongGraphs(t *testing.T, n int) {
	t.Helper()
	one := func(uint64) int { return 1 }
	chain := make([]edge, n)
	for i := range chain {
		chain[i] = edge{from: node{actor: uint64(i + 1)}, to: uint64(i + 2), whose: -1}
	}
	if g := blocked(chain, one); len(g.edges) > 0 {
		t.Errorf("of a chain %d are blocked", len(g.edges))
	}
	chain[n-1].to = 1
	g := blocked(chain, one)
	if c := g.cycles(nil); len(c) != 1 || len(c[0]) != n {
		t.Errorf("the ring has %d cycles", len(c))
	}
	for i := range chain[:n-1] { // all wait for the last, which waits for itself
		chain[i].to = uint64(n)
	}
	chain[n-1].to = uint64(n)
	if c := blocked(chain, one).cycles(nil); len(c) != 1 || len(c[0]) != 1 {
		t.Errorf("behind one there are %d cycles", len(c))
	}
}
