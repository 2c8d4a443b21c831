package report

import (
	"fmt"
	"slices"
	"strings"

	"tinyactor/benchmarks/internal/contest"
)

// A Target is what a contestant of this library must reach in a row.
type Target struct {
	Row        string
	Contestant string
	What       What
	Against    string // a contestant in the same row; empty: nobody, Max is a figure
	Max        float64
	Faster     bool // Max itself is not enough
}

// Workload returns the name of the workload that measures the row.
func (t Target) Workload() string {
	name, _, _ := strings.Cut(t.Row, "/")
	return name
}

// What of a cell a target is about.
type What int

// Of a cell, the value in its unit, or the allocations of an operation.
const (
	Figure What = iota
	Allocs
)

// startAndEnd is what a run may allocate for each operation beyond its target,
// because starting and ending the run allocates too, and is not taken apart.
const startAndEnd = 0.005

// Targets are all targets there are. One that is missed stays here, and is
// shown as missed.
var Targets = targets()

// tells are the rows of tell and fan-in, without the suffix of a variant.
var tells = []string{
	contest.TellName(1), contest.TellName(2), contest.TellName(8), contest.TellName(64), contest.TellName(1000),
}

func targets() []Target {
	var all []Target
	ratio := func(row string, most float64, against string) {
		all = append(all, Target{Row: row, Contestant: "tinyactor", Against: against, Max: most})
	}
	for _, variant := range []struct {
		suffix string
		most   float64
	}{{"", 0.45}, {"-bounded", 0.60}, {"-1p", 0.75}, {"-4p", 2.0}} {
		for _, row := range tells {
			ratio(row+variant.suffix, variant.most, "chan-raw")
		}
	}
	ratio("send-all", 0.15, "chan-raw")
	ratio("ping-pong", 1.05, "chan-raw")
	ratio("ring", 1.3, "chan-raw")
	ratio("many-to-many", 1.0, "chan-raw")
	ratio("pool-4", 0.7, "chan-raw")
	ratio("ask-1", 0.8, "chan-select")
	ratio("ask-64", 0.8, "chan-select")
	ratio("spawn", 1.25, "chan-raw-16")
	ratio("idle-100k", 1.25, "chan-raw-16")
	ratio("idle-1m", 1.25, "chan-raw-16")
	all = append(all,
		Target{Row: "idle-100k", Contestant: "tinyactor-recv", Against: "chan-raw-16", Max: 1.25},
		Target{Row: "idle-1m", Contestant: "tinyactor-recv", Against: "chan-raw-16", Max: 1.25})
	ratio("longest-send-bounded", 2, "chan-raw")
	ratio("longest-send", 10, "chan-raw")
	for _, a := range []struct {
		row  string
		most float64
	}{{"tell", 0}, {"tell-bounded", 0}, {"ping-pong", 0}, {"ask-1", 2}, {"ask-64", 2}} {
		all = append(all, Target{Row: a.row, Contestant: "tinyactor", What: Allocs, Max: a.most})
	}
	// A byte in a hundred messages that nobody gives back would be a leak.
	all = append(all, Target{Row: "soak/growth", Contestant: "tinyactor", Max: 1 << 20})
	for _, row := range []string{"tell", contest.TellName(8), "ping-pong", "ask-1"} {
		all = append(all, Target{Row: row, Contestant: "observed", Against: "unobserved", Max: 1.10})
	}
	return slices.Concat(all, remote(), libraries())
}

// remote are the targets between machines, against NATS's client alone.
func remote() []Target {
	return []Target{
		{Row: "remote-tell", Contestant: "cluster-async", Against: "nats", Max: 2.0}, // half the rate
		{Row: "remote-tell-64", Contestant: "cluster", Against: "nats", Max: 2.0},
		{Row: "remote-ask-1", Contestant: "cluster", Against: "nats", Max: 1.3},
		{Row: "remote-ask-64", Contestant: "cluster", Against: "nats", Max: 1.3},
		{Row: "durable", Contestant: "cluster", Against: "nats", Max: 1.25}, // 0.8 times the rate
		{Row: "durable", Contestant: "cluster-async", Against: "nats-async", Max: 1.25},
		{Row: "durable-64", Contestant: "cluster", Against: "nats", Max: 1.25},
	}
}

// libraries are the targets against other libraries: to be faster in every row
// that they have. phony is left out where it has no goroutine and thus nothing
// to start or to keep.
func libraries() []Target {
	var all []Target
	faster := func(library string, rows ...string) {
		for _, row := range rows {
			all = append(all, Target{Row: row, Contestant: "tinyactor", Against: library, Max: 1, Faster: true})
		}
	}
	common := slices.Concat(tells, []string{"ping-pong", "ring", "many-to-many", "ask-timeout-1", "ask-timeout-64"})
	faster("phony", append(slices.Clip(common), "ask-1", "ask-64")...)
	faster("protoactor-go", append(slices.Clip(common), "pool-4", "spawn", "idle-100k")...)
	return all
}

// A Verdict is what became of a target.
type Verdict struct {
	Target
	Measured bool
	Reached  float64 // the ratio, or the figure
	Met      bool
}

// Judge compares the results with the targets.
func (r *Results) Judge(targets []Target) []Verdict {
	verdicts := make([]Verdict, len(targets))
	for i, t := range targets {
		verdicts[i] = r.judge(t)
	}
	return verdicts
}

func (r *Results) judge(t Target) Verdict {
	v := Verdict{Target: t}
	cell := r.Cell(t.Row, t.Contestant)
	if cell == nil {
		return v
	}
	most := t.Max
	switch {
	case t.What == Allocs:
		v.Measured, v.Reached = cell.Measured, cell.Allocs
		most += startAndEnd
	case t.Against == "":
		v.Measured, v.Reached = true, cell.Value.Median
	default:
		v.Reached, v.Measured = r.Ratio(t.Row, t.Contestant, t.Against)
	}
	v.Met = v.Measured && (v.Reached < most || v.Reached == most && !t.Faster)
	return v
}

// Word is the verdict in words.
func (v Verdict) Word() string {
	switch {
	case !v.Measured:
		return "not measured"
	case v.Met:
		return "met"
	}
	return "missed"
}

// Figure is what was reached.
func (v Verdict) Figure() string {
	switch {
	case !v.Measured:
		return ""
	case v.Against == "" && v.What == Figure:
		return number(v.Reached) + " B"
	}
	figure := fmt.Sprintf("%.2f", v.Reached)
	if !v.Met && figure == fmt.Sprintf("%.2f", v.Max) {
		return fmt.Sprintf("%.4f", v.Reached) // so that it can be seen why
	}
	return figure
}

// Wanted says what the target is.
func (t Target) Wanted() string {
	switch {
	case t.What == Allocs:
		return fmt.Sprintf("≤ %g allocations", t.Max)
	case t.Against == "":
		return fmt.Sprintf("≤ %.0f B", t.Max)
	case t.Faster:
		return fmt.Sprintf("< %g of %s", t.Max, t.Against)
	}
	return fmt.Sprintf("≤ %.2f of %s", t.Max, t.Against)
}
