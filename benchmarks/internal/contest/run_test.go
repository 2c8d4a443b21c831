package contest

import (
	"runtime"
	"testing"
	"time"
)

// timed is a workload whose operations take as long as is said, without taking
// any time.
func timed(each time.Duration, runs *[]int) *Workload {
	return &Workload{Name: "timed", Step: 7, run: func(r *Run) error {
		*runs = append(*runs, r.N)
		r.Start()
		r.End()
		r.to.at = r.from.at.Add(each * time.Duration(r.N))
		return nil
	}}
}

// TestCalibrate checks that a measurement takes about as long as it should, and
// that only the last run, after a warm-up, is one.
func TestCalibrate(t *testing.T) {
	for _, each := range []time.Duration{time.Nanosecond, 50 * time.Nanosecond, 3 * time.Microsecond, time.Millisecond} {
		var runs []int
		values, err := timed(each, &runs).Measure(nil, 0, 400*time.Millisecond, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		last := runs[len(runs)-1]
		if took := each * time.Duration(last); each < time.Millisecond && (took < 350*time.Millisecond || took > 450*time.Millisecond) {
			t.Errorf("with %v each, the measurement takes %v", each, took)
		}
		if len(runs) < 2 {
			t.Errorf("with %v each, there is no warm-up: %v", each, runs)
		}
		for _, n := range runs {
			if n%7 != 0 || n == 0 {
				t.Errorf("a run has %d operations, which is not a multiple of 7", n)
			}
		}
		if len(values) != 1 || values[0].N != last || values[0].Value != float64(each) || values[0].Unit != "ns" {
			t.Errorf("with %v each, the values are %+v", each, values)
		}
	}
}

// TestMeasureFixed checks that the number of operations is as given, and the
// warm-up is left out where it would be in the way.
func TestMeasureFixed(t *testing.T) {
	for _, c := range []struct {
		cold bool
		n    int
		want []int
	}{{false, 0, []int{98, 994}}, {true, 0, []int{994}}, {false, 30, []int{28}}} {
		var runs []int
		w := timed(time.Microsecond, &runs)
		w.Fixed, w.Cold = 1000, c.cold
		if _, err := w.Measure(nil, c.n, time.Second, time.Minute); err != nil {
			t.Fatal(err)
		}
		if len(runs) != len(c.want) || runs[0] != c.want[0] || runs[len(runs)-1] != c.want[len(runs)-1] {
			t.Errorf("cold %v, n %d: the runs have %v operations, want %v", c.cold, c.n, runs, c.want)
		}
	}
}

func TestSetProcs(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	for _, c := range []struct{ procs, want int }{{0, 3}, {1, 1}, {-4, 12}} {
		runtime.GOMAXPROCS(3)
		(&Workload{Procs: c.procs}).setProcs()
		if got := runtime.GOMAXPROCS(0); got != c.want {
			t.Errorf("with Procs %d, GOMAXPROCS is %d instead of %d", c.procs, got, c.want)
		}
	}
}

// TestUsage checks that allocations, bytes and CPU time are those of the time
// between Start and End.
func TestUsage(t *testing.T) {
	w := &Workload{Name: "allocate", run: func(r *Run) error {
		keep := make([][]byte, 2*r.N)
		for i := range r.N {
			keep[i] = make([]byte, 1024)
		}
		r.Start()
		for i := range r.N {
			keep[r.N+i] = make([]byte, 1024)
		}
		r.End()
		runtime.KeepAlive(keep)
		return nil
	}}
	values, err := w.Do(nil, 10_000, 0, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	v := values[0]
	if !v.Measured || v.Allocs < 1 || v.Allocs > 1.1 || v.Bytes < 1024 || v.Bytes > 1100 {
		t.Errorf("an operation allocates %.3f times, %.0f bytes", v.Allocs, v.Bytes)
	}
	if v.CPU == 0 && runtime.GOOS == "linux" {
		t.Error("it takes no CPU time")
	}
}

func TestWorkloadNames(t *testing.T) {
	seen := map[string]bool{}
	for _, w := range Workloads {
		if seen[w.Name] || w.Title == "" || w.run == nil {
			t.Errorf("%q is there twice, or has no title, or does nothing", w.Name)
		}
		seen[w.Name] = true
		if Find(w.Name) != w {
			t.Errorf("%s is not found", w.Name)
		}
		if w.Cold && w.Fixed == 0 {
			t.Errorf("%s is neither warmed up nor fixed", w.Name)
		}
	}
	if Find("nothing") != nil {
		t.Error("a workload is found that is not there")
	}
}

func TestEnters(t *testing.T) {
	own, all := &Workload{Name: "own", Own: true}, &Workload{Name: "all"}
	for _, c := range []struct {
		name   string
		enters func(*Workload) (bool, string)
		w      *Workload
		ok     bool
		reason string
	}{
		{"All", All, own, true, ""},
		{"In", In("all"), all, true, ""},
		{"In", In("all"), own, false, ""},
		{"But", But(nil), all, true, ""},
		{"But", But(nil), own, false, ""},
		{"But", But(map[string]string{"all": "why"}), all, false, "why"},
	} {
		if ok, reason := c.enters(c.w); ok != c.ok || reason != c.reason {
			t.Errorf("%s, %s: %v, %q", c.name, c.w.Name, ok, reason)
		}
	}
}
