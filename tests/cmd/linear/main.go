// Command linear checks a million and more histories of the compiled mailbox for
// linearizability, after it has found planted faults; see package linear. Built
// with the tag perturb it sees more.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"tinyactor/tests/linear"
)

func main() {
	n := flag.Int("n", 1_000_000, "histories")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the histories' programs")
	flag.Parse()
	if !run(*n, *seed) {
		os.Exit(1)
	}
}

func run(n int, seed uint64) bool {
	how := "random yields between the operations of the mailbox"
	if !linear.Perturbed() {
		how = "no yields in the mailbox: it was built without the tag perturb"
	}
	fmt.Printf("seed %d, %s\n\n", seed, how)
	ok := faults(seed)
	fmt.Printf("\n%10s %10s %11s %18s %10s %8s %8s\n",
		"GOMAXPROCS", "histories", "operations", "with three at once", "violations", "unknown", "seconds")
	var all linear.Report
	procs := []int{1, 2, 4}
	for i, p := range procs {
		part := (i+1)*n/len(procs) - i*n/len(procs)
		rep := linear.Run(linear.Config{Histories: part, Procs: p, Seed: seed + uint64(i)})
		row(fmt.Sprint(p), rep)
		all.Add(rep)
	}
	row("all", all)
	fmt.Printf("\n%d to %d operations in a history; how often each answered what:\n%s", all.Least, all.Most, all.Table())
	for _, v := range all.Violations {
		fmt.Printf("\n%v", v)
		file, err := v.Draw()
		if err != nil {
			fmt.Printf("not drawn: %v\n", err)
			continue
		}
		fmt.Printf("drawn in %s\n", file)
	}
	if err := all.Err(); err != nil {
		fmt.Printf("\nFAILED: %v\n", err)
		return false
	}
	if missing := all.Missing(); len(missing) > 0 && n >= 5000 {
		fmt.Printf("\nFAILED: %v never happened\n", missing)
		return false
	}
	return ok
}

// faults reports whether all planted faults are found.
func faults(seed uint64) bool {
	ok := true
	for _, f := range linear.Faults {
		rep := linear.Run(linear.Config{Histories: 20_000, Procs: 2, Seed: seed, Fault: f})
		if len(rep.Violations) == 0 {
			fmt.Printf("planted: %-32s NOT FOUND in %d histories\n", f.Name, rep.Histories)
			ok = false
			continue
		}
		fmt.Printf("planted: %-32s found in history %d\n", f.Name, rep.Violations[0].Number+1)
	}
	return ok
}

func row(procs string, rep linear.Report) {
	fmt.Printf("%10s %10d %11d %16.1f %% %10d %8d %8.1f\n",
		procs, rep.Histories, rep.Operations, rep.Share(), len(rep.Violations), rep.Unknown, rep.Took.Seconds())
}
