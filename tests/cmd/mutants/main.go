// Command mutants breaks the library in many places, one at a time, and checks
// that the tests notice each of them.
//
//	go run ./tests/cmd/mutants                             # all
//	go run ./tests/cmd/mutants -group mailbox              # those of the mailbox
//	go run ./tests/cmd/mutants -run 'lease|wakeup'         # those of such names
//	go run ./tests/cmd/mutants -write docs/mutants.md      # all, with the table
//
// It works on a copy of the repository as it is, with all changes that are not
// committed. It exits with 1 unless every mutant was killed: see package mutants.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"time"

	"tinyactor/tests/internal/repo"
	"tinyactor/tests/mutants"
)

// options are the flags.
type options struct {
	group, run, write string
	jobs              int
}

func main() {
	var o options
	flag.StringVar(&o.group, "group", "", "only the mutants of this `group`: mailbox, actor or supervisor")
	flag.StringVar(&o.run, "run", "", "only mutants whose name matches this `regexp`")
	flag.IntVar(&o.jobs, "jobs", 2, "how many at a time")
	flag.StringVar(&o.write, "write", "", "`file` for the table, from the root of the repository; wants all mutants")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := try(ctx, &o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func try(ctx context.Context, o *options) error {
	chosen, err := choose(o)
	if err != nil {
		return err
	}
	root, err := repo.Root()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // it is temporary
	lab, err := mutants.NewLab(root, dir)
	if err != nil {
		return err
	}
	start := time.Now()
	say := func(format string, args ...any) { fmt.Printf(format, args...) }
	if err := lab.Baseline(ctx, chosen, say); err != nil {
		return err
	}
	results := tryAll(ctx, lab, chosen, o.jobs)
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	killed := mutants.Killed(results)
	fmt.Printf("\n%d mutants, %d killed, %.0f s\n", len(results), killed, time.Since(start).Seconds())
	if killed < len(results) {
		return errors.New("not all were killed: a test is missing, or the change is none")
	}
	if o.write != "" {
		return os.WriteFile(filepath.Join(root, o.write), []byte(mutants.Markdown(results)), 0o666)
	}
	return nil
}

// choose returns the mutants that were asked for.
func choose(o *options) ([]mutants.Mutant, error) {
	name, err := regexp.Compile(o.run)
	if err != nil {
		return nil, err
	}
	var chosen []mutants.Mutant
	for _, m := range mutants.All() {
		if (o.group == "" || o.group == m.Group) && name.MatchString(m.Name) {
			chosen = append(chosen, m)
		}
	}
	switch {
	case len(chosen) == 0:
		return nil, errors.New("there is no such mutant")
	case o.jobs < 1:
		return nil, errors.New("jobs must be at least 1")
	case o.write != "" && len(chosen) < len(mutants.All()):
		return nil, errors.New("the table is of all mutants: write goes with neither group nor run")
	}
	return chosen, nil
}

// tryAll tries mutants, so many at a time, and returns what became of them in
// their order.
func tryAll(ctx context.Context, lab *mutants.Lab, ms []mutants.Mutant, jobs int) []mutants.Result {
	results := make([]mutants.Result, len(ms))
	next := make(chan int)
	var workers sync.WaitGroup
	for range jobs {
		workers.Go(func() {
			for i := range next {
				results[i] = lab.Try(ctx, ms[i])
				fmt.Println(results[i].Line())
			}
		})
	}
	for i := range ms {
		if ctx.Err() == nil {
			next <- i
		}
	}
	close(next)
	workers.Wait()
	return results
}
