package report

import (
	"slices"
	"strings"
	"testing"

	"tinyactor/benchmarks/internal/contest"
)

func TestJudge(t *testing.T) {
	r := Collect([]Line{
		line("tell", "tinyactor", 0, 20, 0.0001), line("tell", "chan-raw", 0, 50, 0), line("tell", "phony", 0, 20, 1),
		line("ask-1", "tinyactor", 0, 900, 2.004), line("ask-1", "phony", 0, 900, 3),
		{Contestant: "tinyactor", Workload: "soak", Value: contest.Value{Row: "soak/growth", Unit: "B", Value: 1000}},
	})
	for _, c := range []struct {
		target  Target
		figure  string
		word    string
		reached float64
	}{
		{Target{Row: "tell", Contestant: "tinyactor", Against: "chan-raw", Max: 0.45}, "0.40", "met", 0.4},
		{Target{Row: "tell", Contestant: "tinyactor", Against: "chan-raw", Max: 0.4}, "0.40", "met", 0.4},
		{Target{Row: "tell", Contestant: "tinyactor", Against: "chan-raw", Max: 0.39}, "0.40", "missed", 0.4},
		{Target{Row: "tell", Contestant: "tinyactor", Against: "chan-raw", Max: 0.3999}, "0.4000", "missed", 0.4},
		{Target{Row: "tell", Contestant: "tinyactor", Against: "phony", Max: 1, Faster: true}, "1.0000", "missed", 1},
		{Target{Row: "tell", Contestant: "tinyactor", Against: "phony", Max: 1}, "1.00", "met", 1},
		{Target{Row: "ring", Contestant: "tinyactor", Against: "chan-raw", Max: 1}, "", "not measured", 0},
		{Target{Row: "ask-1", Contestant: "tinyactor", Against: "chan-select", Max: 1}, "", "not measured", 0},
		{Target{Row: "tell", Contestant: "tinyactor", What: Allocs, Max: 0}, "0.00", "met", 0.0001},
		{Target{Row: "tell", Contestant: "phony", What: Allocs, Max: 0}, "1.00", "missed", 1},
		{Target{Row: "ask-1", Contestant: "tinyactor", What: Allocs, Max: 2}, "2.00", "met", 2.004},
		{Target{Row: "ask-1", Contestant: "phony", What: Allocs, Max: 2}, "3.00", "missed", 3},
		{Target{Row: "soak/growth", Contestant: "tinyactor", Max: 1 << 20}, "1000 B", "met", 1000},
		{Target{Row: "soak/growth", Contestant: "tinyactor", Max: 999}, "1000 B", "missed", 1000},
	} {
		v := r.Judge([]Target{c.target})[0]
		if v.Word() != c.word || v.Figure() != c.figure || v.Reached != c.reached {
			t.Errorf("%s %s: %s, %q, want %s, %q", c.target.Row, c.target.Wanted(), v.Word(), v.Figure(), c.word, c.figure)
		}
	}
}

// TestTargets checks that each target is there once, and is about a row that
// there is.
func TestTargets(t *testing.T) {
	seen := map[Target]bool{}
	for _, target := range Targets {
		same := target
		same.Max = 0
		if seen[same] {
			t.Errorf("%s %s is there twice", target.Row, target.Wanted())
		}
		seen[same] = true
		if contest.Find(target.Workload()) == nil {
			t.Errorf("there is no workload for %s", target.Row)
		}
		if target.Faster && target.Max != 1 {
			t.Errorf("%s: faster than %g", target.Row, target.Max)
		}
	}
}

// TestTargetsOfDesign has some targets in the words of the document, so that
// one that was changed or taken away shows.
func TestTargetsOfDesign(t *testing.T) {
	var got []string
	for _, target := range Targets {
		got = append(got, target.Contestant+" "+target.Row+" "+target.Wanted())
	}
	if len(got) != 76 {
		t.Errorf("there are %d targets instead of 76", len(got))
	}
	for want := range strings.Lines(`tinyactor tell ≤ 0.45 of chan-raw
tinyactor fan-in-1000 ≤ 0.45 of chan-raw
tinyactor fan-in-64-bounded ≤ 0.60 of chan-raw
tinyactor fan-in-2-1p ≤ 0.75 of chan-raw
tinyactor fan-in-8-4p ≤ 2.00 of chan-raw
tinyactor send-all ≤ 0.15 of chan-raw
observed tell ≤ 1.10 of unobserved
tinyactor ping-pong ≤ 1.05 of chan-raw
tinyactor ring ≤ 1.30 of chan-raw
tinyactor many-to-many ≤ 1.00 of chan-raw
tinyactor pool-4 ≤ 0.70 of chan-raw
tinyactor ask-1 ≤ 0.80 of chan-select
tinyactor ask-64 ≤ 0.80 of chan-select
tinyactor ask-64 ≤ 2 allocations
tinyactor spawn ≤ 1.25 of chan-raw-16
tinyactor idle-1m ≤ 1.25 of chan-raw-16
tinyactor-recv idle-1m ≤ 1.25 of chan-raw-16
tinyactor tell ≤ 0 allocations
tinyactor longest-send-bounded ≤ 2.00 of chan-raw
tinyactor longest-send ≤ 10.00 of chan-raw
tinyactor soak/growth ≤ 1048576 B
tinyactor ring < 1 of phony
tinyactor pool-4 < 1 of protoactor-go
cluster-async remote-tell ≤ 2.00 of nats
cluster remote-ask-1 ≤ 1.30 of nats
cluster-async durable ≤ 1.25 of nats-async
`) {
		if !slices.Contains(got, strings.TrimSpace(want)) {
			t.Errorf("there is no target %s", want)
		}
	}
}
