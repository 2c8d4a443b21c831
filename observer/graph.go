package observer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// node is a process of an actor.
type node struct {
	actor   uint64
	process int
}

// edge says that a process waits for an actor: for room in its queue or for an
// answer.
type edge struct {
	from  node
	to    uint64
	whose int // which process has to answer; -1: each of the actor's can end the wait
	ask   bool
	since time.Time
}

// same reports whether two readings show the same wait.
func (e edge) same(f edge) bool {
	return e.from == f.from && e.to == f.to && e.ask == f.ask && e.since.Equal(f.since)
}

// graph is who waits for whom, as far as nobody outside of it can end a wait.
type graph struct {
	edges map[node][]edge
	of    map[uint64][]node // the processes of an actor
}

// blocked returns the largest set of processes each of which waits only for what
// processes of the set could do: none of them ever will, unless somebody gives up.
// live says how many processes an actor has; of one without any the next may end
// the wait.
func blocked(edges []edge, live func(actor uint64) int) graph {
	g := graph{edges: make(map[node][]edge), of: make(map[uint64][]node)}
	waitFor := make(map[uint64][]node)
	for _, e := range edges {
		if g.edges[e.from] == nil {
			g.of[e.from.actor] = append(g.of[e.from.actor], e.from)
		}
		g.edges[e.from] = append(g.edges[e.from], e)
		waitFor[e.to] = append(waitFor[e.to], e.from)
	}
	left := make(map[uint64]int, len(g.of))
	work := make([]node, 0, len(g.edges))
	for actor, nodes := range g.of {
		left[actor] = len(nodes)
		work = append(work, nodes...)
	}
	canEnd := func(e edge) bool {
		if e.whose >= 0 {
			return g.edges[node{e.to, e.whose}] == nil
		}
		n := live(e.to)
		return n == 0 || left[e.to] < n
	}
	for len(work) > 0 {
		n := work[len(work)-1]
		work = work[:len(work)-1]
		if waits := g.edges[n]; waits != nil && slices.ContainsFunc(waits, canEnd) {
			delete(g.edges, n)
			left[n.actor]--
			work = append(work, waitFor[n.actor]...)
		}
	}
	for actor, nodes := range g.of {
		g.of[actor] = slices.DeleteFunc(nodes, func(n node) bool { return g.edges[n] == nil })
		slices.SortFunc(g.of[actor], func(a, b node) int { return cmp.Compare(a.process, b.process) })
	}
	return g
}

// has reports whether a wait is in the graph.
func (g graph) has(e edge) bool { return slices.ContainsFunc(g.edges[e.from], e.same) }

// targets returns which processes could end a wait.
func (g graph) targets(e edge) []node {
	if e.whose >= 0 {
		return []node{{e.to, e.whose}}
	}
	return g.of[e.to]
}

// cycle is waits of which each is for the one from whom the next is, and the last
// for the first.
type cycle []edge

// mostCycles is how many deadlocks there may be at a time.
const mostCycles = 100

// cycles returns a shortest cycle through each process that is on one and not on
// one of known, but not two through the same actors.
func (g graph) cycles(known []cycle) []cycle {
	covered := make(map[node]bool)
	ways := make(map[string]bool)
	cover := func(c cycle) {
		for _, e := range c {
			covered[e.from] = true
		}
		ways[c.way()] = true
	}
	for _, c := range known {
		cover(c)
	}
	nodes := make([]node, 0, len(g.edges))
	for n := range g.edges {
		nodes = append(nodes, n)
	}
	slices.SortFunc(nodes, func(a, b node) int {
		return cmp.Or(cmp.Compare(a.actor, b.actor), cmp.Compare(a.process, b.process))
	})
	var found []cycle
	for _, n := range nodes {
		if covered[n] || len(known)+len(found) >= mostCycles {
			continue
		}
		if c := g.cycleThrough(n); c != nil {
			if !ways[c.way()] {
				found = append(found, c)
			}
			cover(c)
		}
	}
	return found
}

// cycleThrough returns a shortest cycle that begins with a wait of a process, or nil.
func (g graph) cycleThrough(start node) cycle {
	type step struct {
		node
		by   edge
		last int // index of the step before
	}
	steps := []step{{node: start, last: -1}}
	seen := map[node]bool{}
	for i := 0; i < len(steps); i++ {
		for _, e := range g.edges[steps[i].node] {
			for _, next := range g.targets(e) {
				if next == start {
					c := cycle{e}
					for at := i; at > 0; at = steps[at].last {
						c = append(c, steps[at].by)
					}
					slices.Reverse(c)
					return c
				}
				if !seen[next] {
					seen[next] = true
					steps = append(steps, step{next, e, i})
				}
			}
		}
	}
	return nil
}

// way is which actors a cycle goes through.
func (c cycle) way() string {
	var b strings.Builder
	first := 0 // cycles that differ only in where they begin are the same
	for i, e := range c {
		if e.from.actor < c[first].from.actor {
			first = i
		}
	}
	for i := range c {
		fmt.Fprintf(&b, "%d ", c[(first+i)%len(c)].from.actor)
	}
	return b.String()
}

// key tells a cycle from one that the same actors are in at another time, or while
// one of its processes waits for something else besides.
func (g graph) key(c cycle) string {
	var b strings.Builder
	for _, e := range c {
		fmt.Fprintf(&b, "%v %d:", e.from, e.to)
		waits := make([]string, 0, len(g.edges[e.from]))
		for _, w := range g.edges[e.from] {
			waits = append(waits, fmt.Sprint(w.to, w.since.UnixNano()))
		}
		slices.Sort(waits) // two readings may have them in another order
		fmt.Fprint(&b, waits)
	}
	return b.String()
}
