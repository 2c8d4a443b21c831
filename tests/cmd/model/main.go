// Command model runs the real mailbox and the real lifecycle of actors through
// the orders in which their steps can happen, and prints what it has looked at.
//
// Built without the tag modelcheck it builds itself with it. Before anything
// else it shows that it finds bugs: it plants three in the library's code and
// fails if it misses one.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"

	"tinyactor/internal/sched"
	"tinyactor/internal/sched/explore"
	"tinyactor/tests/model"
)

func main() {
	var opts options
	flag.IntVar(&opts.most, "most", 100_000, "schedules per scenario, ten times as many for two preemptions")
	flag.IntVar(&opts.least, "least", 0, "fail if there are fewer schedules in all")
	flag.IntVar(&opts.jobs, "jobs", runtime.GOMAXPROCS(0), "scenarios at a time")
	flag.StringVar(&opts.run, "run", "", "only scenarios whose name matches, and no planted bugs")
	flag.StringVar(&opts.replay, "replay", "", "run one schedule again, given as scenario@seed")
	worker := flag.Bool("worker", false, "explore the scenarios named on standard input")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, opts, *worker)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "model:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	most, least, jobs int
	run, replay       string
}

func run(ctx context.Context, opts options, worker bool) error {
	if opts.most < 1 || opts.most > 200_000 {
		return fmt.Errorf("-most is %d, must be from 1 to 200000", opts.most)
	}
	filter, err := regexp.Compile(opts.run)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	if sched.Modeled { // built for it by this command
		slog.SetDefault(slog.New(slog.DiscardHandler)) // schedules are many
		debug.SetGCPercent(800)                        // and what one leaves is small
		switch {
		case worker:
			return work(os.Stdin, os.Stdout, opts.most)
		case opts.replay != "":
			return replay(opts.replay)
		}
		return fmt.Errorf("build it without the tag: it builds itself")
	}
	dir, err := os.MkdirTemp("", "model")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if opts.run == "" && opts.replay == "" {
		if err := findPlanted(ctx, dir, opts); err != nil {
			return err
		}
	}
	bin := filepath.Join(dir, "model")
	if err := build(ctx, bin, ""); err != nil {
		return err
	}
	if opts.replay != "" {
		cmd := exec.CommandContext(ctx, bin, "-replay", opts.replay)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		return cmd.Run()
	}
	var programs []explore.Program
	for _, p := range model.Programs() {
		if filter.MatchString(p.Name) {
			programs = append(programs, p)
		}
	}
	results, err := exploreAll(ctx, bin, opts, programs)
	if err != nil {
		return err
	}
	return report(os.Stdout, results, opts)
}

// build builds this command for exploring. overlay, if not empty, names a file
// that tells the compiler to read other files in place of some.
func build(ctx context.Context, bin, overlay string) error {
	args := []string{"build", "-tags", "modelcheck", "-o", bin}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	out, err := exec.CommandContext(ctx, "go", append(args, "tinyactor/tests/cmd/model")...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build -tags modelcheck: %w\n%s", err, out)
	}
	return nil
}

// replay runs one schedule again and prints its steps.
func replay(what string) error {
	at := strings.LastIndexByte(what, '@')
	if at < 0 {
		return fmt.Errorf("-replay is %q, must be scenario@seed", what)
	}
	p, err := program(what[:at])
	if err != nil {
		return err
	}
	f, err := explore.Replay(p, what[at+1:])
	if err != nil {
		return err
	}
	if f == nil {
		fmt.Println("nothing is wrong with this schedule")
		return nil
	}
	return f
}

// program returns a scenario by name.
func program(name string) (explore.Program, error) {
	for _, p := range model.Programs() {
		if p.Name == name {
			return p, nil
		}
	}
	return explore.Program{}, fmt.Errorf("there is no scenario %q", name)
}
