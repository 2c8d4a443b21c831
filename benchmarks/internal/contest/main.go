package contest

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"runtime/pprof"
	"time"
)

// Listed is what a program says about one of its contestants.
type Listed struct {
	Contestant string            `json:"contestant"`
	Enters     []string          `json:"enters"`   // workloads
	LeftOut    map[string]string `json:"left_out"` // workload: reason
}

// Main is the main function of a program that has contestants. It measures one
// workload with one of them, and prints the values as JSON, one a line.
func Main(entries ...Entry) {
	list := flag.Bool("list", false, "say which workloads the contestants enter")
	contestant := flag.String("contestant", "", "`name` of who runs")
	workload := flag.String("workload", "", "`name` of what is run")
	n := flag.Int("n", 0, "operations; 0: as many as fit into -time")
	d := flag.Duration("time", 400*time.Millisecond, "how long the measurement takes, about")
	patience := flag.Duration("patience", time.Minute, "when a run counts as hung")
	cpu := flag.String("cpuprofile", "", "`file` for a CPU profile")
	memory := flag.String("memprofile", "", "`file` for a profile of allocations")
	flag.Parse()

	if *list {
		printJSON(List(entries))
		return
	}
	if err := profiled(*cpu, *memory, func() error {
		e, w := findEntry(entries, *contestant), Find(*workload)
		switch {
		case e == nil:
			return fmt.Errorf("there is no contestant %q here", *contestant)
		case w == nil:
			return fmt.Errorf("there is no workload %q", *workload)
		}
		// What hangs where Patience is not asked shows where it does.
		time.AfterFunc(2**patience, func() {
			debug.SetTraceback("all")
			panic("benchmarks: " + w.Name + " hangs")
		})
		ctx, cancel := context.WithCancel(context.Background()) // one that can end, as those of programs do
		defer cancel()
		c := e.New(ctx)
		values, err := w.Measure(c, *n, *d, *patience)
		printJSON(values)
		return errors.Join(err, Close(c))
	}); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", *contestant, err)
		os.Exit(1)
	}
}

func findEntry(entries []Entry, name string) *Entry {
	for i := range entries {
		if entries[i].Name == name {
			return &entries[i]
		}
	}
	return nil
}

// List says which workloads the contestants enter.
func List(entries []Entry) []Listed {
	var all []Listed
	for _, e := range entries {
		l := Listed{Contestant: e.Name, LeftOut: map[string]string{}}
		for _, w := range Workloads {
			if ok, reason := e.Enters(w); ok {
				l.Enters = append(l.Enters, w.Name)
			} else if reason != "" {
				l.LeftOut[w.Name] = reason
			}
		}
		all = append(all, l)
	}
	return all
}

func printJSON[T any](lines []T) {
	out := json.NewEncoder(os.Stdout)
	for _, l := range lines {
		if err := out.Encode(l); err != nil {
			panic(err)
		}
	}
}

// profiled runs f with the profiles that are asked for.
func profiled(cpu, memory string, f func() error) error {
	if cpu != "" {
		file, err := os.Create(cpu)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(file); err != nil {
			return errors.Join(err, file.Close())
		}
		err = f()
		pprof.StopCPUProfile()
		if err := errors.Join(err, file.Close()); err != nil {
			return err
		}
	} else if err := f(); err != nil {
		return err
	}
	if memory == "" {
		return nil
	}
	file, err := os.Create(memory)
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup("allocs").WriteTo(file, 0), file.Close())
}
