package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"tinyactor/internal/sched/explore"
)

// result is what a worker says of one scenario.
type result struct {
	explore.Result
	Seconds float64
}

// work explores the scenarios that in names, one per line, and writes a result
// for each to out.
func work(in io.Reader, out io.Writer, most int) error {
	enc := json.NewEncoder(out)
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		p, err := program(lines.Text())
		if err != nil {
			return err
		}
		start := time.Now()
		res := result{Result: explore.Explore(p, most)}
		res.Seconds = time.Since(start).Seconds()
		if err := enc.Encode(res); err != nil {
			return err
		}
	}
	return lines.Err()
}

// exploreAll gives the scenarios to workers: processes, because there can be one
// exploration in each. The first failure ends it.
func exploreAll(ctx context.Context, bin string, opts options, programs []explore.Program) ([]result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	results := make([]result, len(programs))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range opts.jobs {
		workers.Go(func() {
			if err := drive(ctx, bin, opts.most, programs, results, &next); err != nil {
				cancel(err)
			}
		})
	}
	workers.Wait()
	return results, context.Cause(ctx)
}

// drive has one worker explore what nobody else has begun with.
func drive(ctx context.Context, bin string, most int, programs []explore.Program, results []result, next *atomic.Int64) error {
	cmd := exec.CommandContext(ctx, bin, "-worker", "-most", strconv.Itoa(most))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	err = func() error {
		dec := json.NewDecoder(out)
		for i := next.Add(1) - 1; int(i) < len(programs); i = next.Add(1) - 1 {
			if _, err := fmt.Fprintln(in, programs[i].Name); err != nil {
				return err
			}
			if err := dec.Decode(&results[i]); err != nil {
				return fmt.Errorf("%s: the worker says nothing: %w", programs[i].Name, err)
			}
			if f := results[i].Failure; f != nil {
				return f
			}
		}
		return nil
	}()
	return errors.Join(err, in.Close(), cmd.Wait())
}
