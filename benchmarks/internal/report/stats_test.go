package report

import (
	"slices"
	"testing"

	"tinyactor/benchmarks/internal/contest"
)

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   Spread
	}{
		{[]float64{7}, Spread{7, 7, 7}},
		{[]float64{9, 1}, Spread{5, 1, 9}},
		{[]float64{3, 100, 1}, Spread{3, 1, 100}},
		{[]float64{4, 1, 3, 2}, Spread{2.5, 1, 4}},
		{[]float64{5, 5, 1, 5, 1}, Spread{5, 1, 5}},
	} {
		values := slices.Clone(c.values)
		if got := spread(values); got != c.want {
			t.Errorf("the spread of %v is %v, want %v", c.values, got, c.want)
		}
		if !slices.Equal(values, c.values) {
			t.Errorf("spread has sorted its argument")
		}
	}
}

// line is a measured value in nanoseconds.
func line(row, contestant string, round int, ns, allocs float64) Line {
	return Line{Contestant: contestant, Workload: row, Round: round, Value: contest.Value{
		Row: row, Unit: "ns", Value: ns, Measured: true, Allocs: allocs, Bytes: 8 * allocs, CPU: 2 * ns, N: 1000,
	}}
}

func TestCollect(t *testing.T) {
	r := Collect([]Line{
		line("tell", "tinyactor", 0, 20, 0), line("tell", "chan-raw", 0, 50, 1),
		line("ring", "chan-raw", 0, 300, 0),
		line("tell", "tinyactor", 1, 40, 0), line("tell", "chan-raw", 1, 60, 5),
		line("tell", "tinyactor", 2, 30, 0), line("tell", "chan-raw", 2, 10, 3),
	})
	if want := []string{"tell", "ring"}; !slices.Equal(r.Rows, want) {
		t.Errorf("the rows are %q, want %q", r.Rows, want)
	}
	if want := []string{"tinyactor", "chan-raw"}; !slices.Equal(r.Contestants, want) {
		t.Errorf("the contestants are %q, want %q", r.Contestants, want)
	}
	if r.Rounds != 3 {
		t.Errorf("%d rounds, want 3", r.Rounds)
	}
	want := Cell{
		Row: "tell", Workload: "tell", Contestant: "chan-raw", Unit: "ns", Rounds: 3,
		Value: Spread{50, 10, 60}, Measured: true, Allocs: 3, Bytes: 24, CPU: 100,
	}
	if got := r.Cell("tell", "chan-raw"); *got != want {
		t.Errorf("the cell is %+v, want %+v", *got, want)
	}
	if ratio, ok := r.Ratio("tell", "tinyactor", "chan-raw"); ratio != 0.6 || !ok {
		t.Errorf("the ratio is %v, %v, want 0.6", ratio, ok)
	}
	if _, ok := r.Ratio("ring", "tinyactor", "chan-raw"); ok {
		t.Error("there is a ratio of what was not measured")
	}
	if _, ok := Collect([]Line{line("x", "a", 0, 1, 0), line("x", "b", 0, 0, 0)}).Ratio("x", "a", "b"); ok {
		t.Error("there is a ratio to 0")
	}
}

// TestBaseline checks that the channels with few slots stand in for the others
// where those are not in the row, and only there.
func TestBaseline(t *testing.T) {
	r := Collect([]Line{
		line("tell", "chan-raw", 0, 50, 0), line("tell", "chan-raw-16", 0, 80, 0), line("spawn", "chan-raw-16", 0, 4000, 0),
	})
	if got := r.baseline("tell", "chan-raw"); got != "chan-raw" {
		t.Errorf("tell is compared with %s", got)
	}
	if got := r.baseline("spawn", "chan-raw"); got != "chan-raw-16" {
		t.Errorf("spawn is compared with %s", got)
	}
}

func TestCheckBaseline(t *testing.T) {
	for _, c := range []struct {
		tell, pingPong float64
		ok             bool
	}{{50, 340, true}, {50, 151, true}, {50, 699, true}, {50, 149, false}, {50, 701, false}} {
		r := Collect([]Line{line("tell", "chan-raw", 0, c.tell, 0), line("ping-pong", "chan-raw", 0, c.pingPong, 0)})
		if err := r.CheckBaseline(); (err == nil) != c.ok {
			t.Errorf("tell %v, ping-pong %v: %v", c.tell, c.pingPong, err)
		}
	}
	if err := Collect([]Line{line("tell", "chan-raw", 0, 50, 0)}).CheckBaseline(); err != nil {
		t.Errorf("without a ping-pong: %v", err)
	}
}
