package contestants_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"tinyactor/benchmarks/internal/contest"
	"tinyactor/benchmarks/internal/contestants"
	"tinyactor/benchmarks/internal/contestants/channels"
	"tinyactor/benchmarks/internal/contestants/observed"
	"tinyactor/benchmarks/internal/contestants/phony"
	"tinyactor/benchmarks/internal/contestants/protoactor"
	"tinyactor/benchmarks/internal/contestants/remote"
	"tinyactor/benchmarks/internal/contestants/suture"
	"tinyactor/benchmarks/internal/contestants/tiny"
	"tinyactor/benchmarks/internal/report"
)

// entries are those of all programs, by the program's name.
var entries = map[string][]contest.Entry{
	"tinyactor":  tiny.Entries,
	"observed":   observed.Entries,
	"channels":   channels.Entries,
	"phony":      phony.Entries,
	"protoactor": protoactor.Entries,
	"suture":     suture.Entries,
	"remote":     remote.Entries,
}

// size is so many operations that each goroutine of a workload has something
// to do.
func size(w *contest.Workload) int {
	switch {
	case w.Name == "soak":
		return 800
	case w.Fixed != 0 && w.Step == 0:
		return 100
	}
	return max(200, 2*w.Step)
}

// TestSmoke runs every contestant in every workload that it enters, with its
// checks, and with the same GOMAXPROCS for all.
func TestSmoke(t *testing.T) {
	for _, p := range contestants.Programs {
		for _, e := range entries[p.Name] {
			for _, w := range contest.Workloads {
				if ok, _ := e.Enters(w); !ok {
					continue
				}
				t.Run(e.Name+"/"+w.Name, func(t *testing.T) {
					t.Parallel()
					c := e.New(t.Context())
					values, err := w.Do(c, size(w), time.Millisecond, time.Minute)
					if err := errors.Join(err, contest.Close(c)); err != nil {
						t.Fatal(err)
					}
					if len(values) == 0 || values[0].Row != w.Name {
						t.Errorf("its values are %+v", values)
					}
				})
			}
		}
	}
}

// TestPrograms checks that the list of programs is what is linked into them.
func TestPrograms(t *testing.T) {
	for _, p := range contestants.Programs {
		var names []string
		for _, e := range entries[p.Name] {
			names = append(names, e.Name)
		}
		if !slices.Equal(names, p.Contestants) {
			t.Errorf("%s has the contestants %q, and the list says %q", p.Name, names, p.Contestants)
		}
	}
	if len(entries) != len(contestants.Programs) {
		t.Errorf("there are %d programs, and the list has %d", len(entries), len(contestants.Programs))
	}
}

// TestTargetsAreMeasured checks that a full run measures every target: both
// that it is about, and the one it is compared with, enter the workload.
func TestTargetsAreMeasured(t *testing.T) {
	enters := map[[2]string]bool{}
	for _, all := range entries {
		for _, l := range contest.List(all) {
			for _, w := range l.Enters {
				enters[[2]string{w, l.Contestant}] = true
			}
		}
	}
	for _, target := range report.Targets {
		if w := target.Workload(); !enters[[2]string{w, target.Contestant}] ||
			target.Against != "" && !enters[[2]string{w, target.Against}] {
			t.Errorf("%s of %s %s cannot be measured", target.Row, target.Contestant, target.Wanted())
		}
	}
}
