package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"tinyactor/internal/sched/explore"
)

// report prints what was explored, and fails if that was too little.
func report(w io.Writer, results []result, opts options) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "scenario\tschedules\tbound\tresult\tseconds")
	total, exhaustive := 0, 0
	for _, r := range results {
		total += r.Schedules
		if r.Bound == explore.Unbounded {
			exhaustive++
		}
		fmt.Fprintf(t, "%s\t%d\t%s\tok\t%.1f\n", r.Name, r.Schedules, bound(r), r.Seconds)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "%d scenarios, %d distinct schedules, %d scenarios exhaustive, 0 violations\n", len(results), total, exhaustive)
	switch {
	case len(results) == 0:
		return fmt.Errorf("no scenario has a name that matches %q", opts.run)
	case total < opts.least:
		return fmt.Errorf("%d schedules are fewer than %d", total, opts.least)
	case opts.run == "" && exhaustive < 25:
		return fmt.Errorf("%d exhaustive scenarios are fewer than 25", exhaustive)
	}
	return nil
}

// bound says which schedules were looked at.
func bound(r result) string {
	if r.Bound == explore.Unbounded {
		return "exhaustive"
	}
	s := fmt.Sprintf("all with up to %d preemptions", r.Bound)
	if r.Random > 0 {
		s += fmt.Sprintf(", %d random", r.Random)
	}
	return s
}
