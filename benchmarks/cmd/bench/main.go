// Command bench builds the programs of the contestants, runs them round by
// round, each run in a process of its own, and prints what came out: a table of
// all figures, and what became of the targets.
//
//	go run ./cmd/bench                                  # everything
//	go run ./cmd/bench -quick                           # within a minute
//	go run ./cmd/bench -only 'tell,fan-in-*' -rounds 9
//	go run ./cmd/bench -contestants tinyactor,chan-raw -only tell
//	go run ./cmd/bench -run tinyactor/tell -cpuprofile /tmp/tell.prof
//	go run ./cmd/bench -write ../docs                   # performance.md and .svg
//
// It exits with 1 if a message was lost, came twice or came out of order, or if
// the baselines are not to be trusted. A target that is missed is only told.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"tinyactor/benchmarks/internal/report"
)

// options are the flags.
type options struct {
	only, contestants list
	rounds            int
	time              time.Duration
	quick             bool
	json, write       string
	run               string
	cpu, memory       string
	n                 int
}

func main() {
	var o options
	flag.Var(&o.only, "only", "run only these `workloads`, with commas; * stands for anything")
	flag.Var(&o.contestants, "contestants", "run only these `contestants`, with commas; * stands for anything")
	flag.IntVar(&o.rounds, "rounds", 5, "how often each run is repeated")
	flag.DurationVar(&o.time, "time", 400*time.Millisecond, "how long one measurement takes, about")
	flag.BoolVar(&o.quick, "quick", false, "the most important runs, three short rounds")
	flag.StringVar(&o.json, "json", "", "`file` for all values, one a line; - is the standard output")
	flag.StringVar(&o.write, "write", "", "`folder` for performance.md and performance.svg")
	flag.StringVar(&o.run, "run", "", "run one `contestant/workload` once, and print its values")
	flag.IntVar(&o.n, "n", 0, "with -run: how many operations, in place of -time")
	flag.StringVar(&o.cpu, "cpuprofile", "", "with -run: `file` for a CPU profile")
	flag.StringVar(&o.memory, "memprofile", "", "with -run: `file` for a profile of all allocations")
	flag.Parse()
	if o.quick {
		o.setQuick()
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := bench(ctx, &o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// setQuick chooses what is quick, where the other flags say nothing else.
func (o *options) setQuick() {
	set := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { set[f.Name] = true })
	if !set["only"] {
		o.only = list{"tell", "fan-in-8", "fan-in-64", "ping-pong", "ring", "pool-4", "ask-1", "spawn"}
	}
	if !set["contestants"] {
		o.contestants = list{"tinyactor", "chan-raw", "chan-select", "chan-raw-16", "chan-select-16"}
	}
	if !set["rounds"] {
		o.rounds = 3
	}
	if !set["time"] {
		o.time = 200 * time.Millisecond
	}
}

// bench does what the options say.
func bench(ctx context.Context, o *options) (err error) {
	dir, err := os.MkdirTemp("", "tinyactor-bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if o.run != "" {
		return runOne(ctx, dir, o)
	}
	began := time.Now()
	field, err := build(ctx, dir, o.contestants)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "built in %v\n", time.Since(began).Round(time.Second/10))
	out, err := openJSON(o.json)
	if err != nil {
		return err
	}
	lines, err := rounds(ctx, field.choose(o), o, out)
	err = errors.Join(err, out.Close())
	if len(lines) > 0 {
		err = errors.Join(err, publish(lines, field, o))
	}
	fmt.Fprintf(os.Stderr, "took %v\n", time.Since(began).Round(time.Second))
	return err
}

// publish prints the results, and writes the document if that is asked for.
func publish(lines []report.Line, field *field, o *options) error {
	results := report.Collect(lines)
	verdicts := results.Judge(report.Targets)
	err := results.Print(os.Stdout, verdicts)
	if o.write != "" && err == nil {
		err = writeDocument(o.write, &report.Document{
			Results: results, Verdicts: verdicts, LeftOut: field.listed,
			Machine: report.Machine(), Date: time.Now().Format("January 2006"), Commit: commit(),
		})
	}
	return errors.Join(err, results.CheckBaseline())
}
