package report

import (
	"strings"
	"testing"

	"tinyactor/benchmarks/internal/contest"
)

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		v    float64
		want string
	}{
		{0, "0"}, {0.004, "0"}, {0.005, "0.01"}, {1, "1.00"}, {9.994, "9.99"}, {9.996, "10.0"}, {17.25, "17.2"},
		{99.94, "99.9"}, {99.96, "100"}, {123.4, "123"}, {1048576, "1048576"},
	} {
		if got := number(c.v); got != c.want {
			t.Errorf("number(%v) is %q, want %q", c.v, got, c.want)
		}
	}
}

// TestPrint checks the whole of what the command prints, in which a missed
// target stands as missed.
func TestPrint(t *testing.T) {
	r := Collect([]Line{
		line("tell", "tinyactor", 0, 20, 0), line("tell", "chan-raw", 0, 50, 0), line("tell", "chan-select", 0, 100, 0),
		line("tell", "tinyactor", 1, 30, 0), line("tell", "chan-raw", 1, 52, 0), line("tell", "chan-select", 1, 130, 0),
		{Contestant: "tinyactor", Workload: "idle-100k", Value: contest.Value{Row: "idle-100k", Unit: "B", Value: 3000}},
		{Contestant: "chan-raw-16", Workload: "idle-100k", Value: contest.Value{Row: "idle-100k", Unit: "B", Value: 2000}},
	})
	var out strings.Builder
	err := r.Print(&out, r.Judge([]Target{
		{Row: "tell", Contestant: "tinyactor", Against: "chan-raw", Max: 0.5},
		{Row: "idle-100k", Contestant: "tinyactor", Against: "chan-raw-16", Max: 1.25},
		{Row: "ring", Contestant: "tinyactor", Against: "chan-raw", Max: 1},
	}))
	if err != nil {
		t.Fatal(err)
	}
	const want = `
        row   contestant   median    min–max  of chan-raw  of chan-select  allocs  bytes  CPU ns
       tell    tinyactor  25.0 ns  20.0–30.0         0.49            0.22    0.00      0    50.0
       tell     chan-raw  51.0 ns  50.0–52.0         1.00            0.44    0.00      0     102
       tell  chan-select   115 ns    100–130         2.25            1.00    0.00      0     230

  idle-100k    tinyactor   3000 B                    1.50
  idle-100k  chan-raw-16   2000 B                    1.00

     target  contestant                 wanted  reached
       tell   tinyactor     ≤ 0.50 of chan-raw     0.49     met
  idle-100k   tinyactor  ≤ 1.25 of chan-raw-16     1.50  missed
targets: 1 met, 1 missed, 1 not measured
`
	var got strings.Builder
	for l := range strings.Lines(out.String()) {
		got.WriteString(strings.TrimRight(l, " \n") + "\n")
	}
	if "\n"+got.String() != want {
		t.Errorf("it prints\n%s\nwant%s", got.String(), want)
	}
}
