package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"tinyactor/benchmarks/internal/contest"
	"tinyactor/benchmarks/internal/report"
)

// rounds runs all jobs, and then all again, so that what changes on the machine
// meets all of them. It goes on after a job that failed, without that job.
func rounds(ctx context.Context, jobs []job, o *options, out io.Writer) ([]report.Line, error) {
	if len(jobs) == 0 {
		return nil, errors.New("nothing to run: -only matches no workload that a contestant enters")
	}
	var lines []report.Line
	var failures []error
	failed := map[job]bool{}
	raw := json.NewEncoder(out)
	for round := range o.rounds {
		began := time.Now()
		for i, j := range jobs {
			if failed[j] || j.workload.Once && round > 0 {
				continue
			}
			progress("round %d of %d, %d of %d: %s/%s", round+1, o.rounds, i+1, len(jobs), j.contestant, j.workload.Name)
			values, err := j.measure(ctx, "-time", o.time.String())
			if ctx.Err() != nil {
				return lines, ctx.Err()
			}
			if err != nil {
				failed[j] = true
				failures = append(failures, err)
				continue
			}
			for _, v := range values {
				l := report.Line{Contestant: j.contestant, Workload: j.workload.Name, Round: round, Value: v}
				lines = append(lines, l)
				if err := raw.Encode(l); err != nil {
					return lines, err
				}
			}
		}
		progress("")
		fmt.Fprintf(os.Stderr, "round %d of %d took %v\n", round+1, o.rounds, time.Since(began).Round(time.Second))
	}
	return lines, errors.Join(failures...)
}

// progress shows what runs on a terminal, in one line.
func progress(format string, args ...any) {
	if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		fmt.Fprintf(os.Stderr, "\r\x1b[K"+format, args...)
	}
}

// measure runs the job once, in a process of its own.
func (j job) measure(ctx context.Context, flags ...string) ([]contest.Value, error) {
	cmd := exec.CommandContext(ctx, j.file, append(flags, "-contestant", j.contestant, "-workload", j.workload.Name)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s/%s: %w\n%s", j.contestant, j.workload.Name, err, errs.Bytes())
	}
	var values []contest.Value
	for d := json.NewDecoder(&out); ; {
		var v contest.Value
		if err := d.Decode(&v); err == io.EOF {
			return values, nil
		} else if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
}

// runOne runs one contestant's workload once, with the profiles asked for.
func runOne(ctx context.Context, dir string, o *options) error {
	contestant, workload, ok := strings.Cut(o.run, "/")
	if !ok {
		return fmt.Errorf("-run %s: want contestant/workload", o.run)
	}
	field, err := build(ctx, dir, list{contestant})
	if err != nil {
		return err
	}
	jobs := field.choose(&options{only: list{workload}})
	if len(jobs) != 1 {
		return fmt.Errorf("-run %s: %d of these", o.run, len(jobs))
	}
	values, err := jobs[0].measure(ctx, "-time", o.time.String(), "-n", strconv.Itoa(o.n),
		"-cpuprofile", o.cpu, "-memprofile", o.memory)
	if err != nil {
		return err
	}
	for _, v := range values {
		fmt.Printf("%s: %g %s", v.Row, v.Value, v.Unit)
		if v.Measured {
			fmt.Printf(", %.3f allocations, %.1f bytes, %.1f ns of CPU time, for each of %d operations", v.Allocs, v.Bytes, v.CPU, v.N)
		}
		fmt.Println()
	}
	return nil
}

// openJSON opens the file for the raw lines.
func openJSON(name string) (io.WriteCloser, error) {
	switch name {
	case "":
		return discard{io.Discard}, nil
	case "-":
		return discard{os.Stdout}, nil
	}
	return os.Create(name)
}

// discard is a writer that is not closed.
type discard struct{ io.Writer }

func (discard) Close() error { return nil }
