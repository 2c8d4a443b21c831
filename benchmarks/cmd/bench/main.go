// Command bench builds the programs of the contestants, runs them round by
// round, each run in a process of its own, and prints what came out.
//
//	go run ./cmd/bench                                  # everything
//	go run ./cmd/bench -only 'tell,fan-in-*' -rounds 9
//	go run ./cmd/bench -contestants tinyactor,chan-raw -only tell
//	go run ./cmd/bench -run tinyactor/tell -cpuprofile /tmp/tell.prof
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"tinyactor/benchmarks/internal/report"
)

// options are the flags.
type options struct {
	only, contestants list
	rounds            int
	time              time.Duration
	json              string
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
	flag.StringVar(&o.json, "json", "", "`file` for all values, one a line; - is the standard output")
	flag.StringVar(&o.run, "run", "", "run one `contestant/workload` once, and print its values")
	flag.IntVar(&o.n, "n", 0, "with -run: how many operations, in place of -time")
	flag.StringVar(&o.cpu, "cpuprofile", "", "with -run: `file` for a CPU profile")
	flag.StringVar(&o.memory, "memprofile", "", "with -run: `file` for a profile of all allocations")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := bench(ctx, &o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
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
	all, err := build(ctx, dir, o.contestants)
	if err != nil {
		return err
	}
	out, err := openJSON(o.json)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "built in %v\n", time.Since(began).Round(time.Second/10))
	lines, err := rounds(ctx, choose(all, o.only), o, out)
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if len(lines) > 0 {
		err = errors.Join(err, report.Collect(lines).Table(os.Stdout))
	}
	fmt.Fprintf(os.Stderr, "took %v\n", time.Since(began).Round(time.Second))
	return err
}
