// Package report turns the values of many runs into a table, checks them
// against the targets, and writes the document and the picture.
package report

import (
	"slices"

	"tinyactor/benchmarks/internal/contest"
)

// A Line is one value of one run, as -json writes it.
type Line struct {
	Contestant string `json:"contestant"`
	Workload   string `json:"workload"`
	Round      int    `json:"round"`
	contest.Value
}

// A Spread is what the same run gave in several rounds.
type Spread struct{ Median, Min, Max float64 }

// spread returns the spread of values, of which there is at least one. Of an
// even number of values, the median is the mean of the two in the middle.
func spread(values []float64) Spread {
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	return Spread{Median: (v[(n-1)/2] + v[n/2]) / 2, Min: v[0], Max: v[n-1]}
}

// A Cell is a contestant in a row of the table.
type Cell struct {
	Row, Workload, Contestant, Unit string
	Rounds                          int
	Value                           Spread
	Measured                        bool
	Allocs, Bytes, CPU              float64 // medians, for each operation
}

// Results are the cells by row and contestant, both in the order in which they
// were first seen.
type Results struct {
	Rows        []string
	Contestants []string
	Rounds      int // as many as the cell with the most has
	cells       map[[2]string]*Cell
}

// Collect makes cells of lines.
func Collect(lines []Line) *Results {
	r := &Results{cells: map[[2]string]*Cell{}}
	groups := map[[2]string][]Line{}
	for _, l := range lines {
		if !slices.Contains(r.Rows, l.Row) {
			r.Rows = append(r.Rows, l.Row)
		}
		if !slices.Contains(r.Contestants, l.Contestant) {
			r.Contestants = append(r.Contestants, l.Contestant)
		}
		key := [2]string{l.Row, l.Contestant}
		groups[key] = append(groups[key], l)
	}
	for key, g := range groups {
		r.cells[key] = newCell(g)
		r.Rounds = max(r.Rounds, len(g))
	}
	return r
}

func newCell(lines []Line) *Cell {
	of := func(f func(Line) float64) Spread {
		values := make([]float64, len(lines))
		for i, l := range lines {
			values[i] = f(l)
		}
		return spread(values)
	}
	first := lines[0]
	return &Cell{
		Row: first.Row, Workload: first.Workload, Contestant: first.Contestant,
		Unit: first.Unit, Rounds: len(lines), Measured: first.Measured,
		Value:  of(func(l Line) float64 { return l.Value.Value }),
		Allocs: of(func(l Line) float64 { return l.Allocs }).Median,
		Bytes:  of(func(l Line) float64 { return l.Bytes }).Median,
		CPU:    of(func(l Line) float64 { return l.CPU }).Median,
	}
}

// Cell returns a contestant's cell in a row, or nil if there is none.
func (r *Results) Cell(row, contestant string) *Cell { return r.cells[[2]string{row, contestant}] }

// Ratio returns how many times as much a contestant needs as another in the
// same row, by their medians. ok is false if one of them has no cell there.
func (r *Results) Ratio(row, contestant, against string) (ratio float64, ok bool) {
	a, b := r.Cell(row, contestant), r.Cell(row, against)
	if a == nil || b == nil || b.Value.Median == 0 {
		return 0, false
	}
	return a.Value.Median / b.Value.Median, true
}

// baseline returns which of the channels a row is compared with: the one with
// few slots where the other is not in the row.
func (r *Results) baseline(row, channel string) string {
	if r.Cell(row, channel) == nil {
		return channel + "-16"
	}
	return channel
}
