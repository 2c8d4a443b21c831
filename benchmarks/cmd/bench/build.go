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
	"path/filepath"
	"runtime/debug"
	"slices"

	"tinyactor/benchmarks/internal/contest"
)

// A program has contestants. Those of one program are linked together.
type program struct {
	name        string
	contestants []string
}

// programs are the folders beside this one. Libraries are apart, because some
// cannot be linked into one program, and so that none measures with another's
// init functions and globals in its process.
var programs = []program{
	{"tinyactor", []string{"tinyactor", "tinyactor-default", "tinyactor-recv"}},
	{"channels", []string{"chan-raw", "chan-raw-16", "chan-select", "chan-select-16", "mutex+cond"}},
	{"phony", []string{"phony"}},
	{"protoactor", []string{"protoactor-go"}},
	{"suture", []string{"suture"}},
}

// A job is a workload for a contestant.
type job struct {
	contestant string
	workload   *contest.Workload
	file       string // the program
}

// build builds the programs that have one of the contestants, and returns what
// these enter.
func build(ctx context.Context, dir string, contestants list) ([]job, error) {
	here, err := packageDir(ctx)
	if err != nil {
		return nil, err
	}
	var jobs []job
	for _, p := range programs {
		if !slices.ContainsFunc(p.contestants, contestants.matches) {
			continue
		}
		file := filepath.Join(dir, p.name)
		cmd := exec.CommandContext(ctx, "go", "build", "-o", file, ".")
		cmd.Dir = filepath.Join(here, "..", p.name)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("building %s: %w", p.name, err)
		}
		entered, err := enters(ctx, file)
		if err != nil {
			return nil, err
		}
		for _, j := range entered {
			if contestants.matches(j.contestant) {
				jobs = append(jobs, j)
			}
		}
	}
	if len(jobs) == 0 {
		return nil, fmt.Errorf("no contestant is called %s", contestants.String())
	}
	return jobs, nil
}

// packageDir returns where the source of this command is.
func packageDir(ctx context.Context) (string, error) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", errors.New("built without modules")
	}
	out, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", info.Path).Output()
	if err != nil {
		return "", fmt.Errorf("go list %s: %w (bench runs in its own module)", info.Path, err)
	}
	return string(bytes.TrimSpace(out)), nil
}

// enters asks a program what its contestants enter.
func enters(ctx context.Context, file string) ([]job, error) {
	out, err := exec.CommandContext(ctx, file, "-list").Output()
	if err != nil {
		return nil, err
	}
	var jobs []job
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var l contest.Listed
		if err := d.Decode(&l); err == io.EOF {
			return jobs, nil
		} else if err != nil {
			return nil, err
		}
		for _, name := range l.Enters {
			jobs = append(jobs, job{l.Contestant, contest.Find(name), file})
		}
	}
}

// choose returns the jobs whose workload is asked for, by workload in the order
// of the table and then in the order of the contestants.
func choose(jobs []job, only list) []job {
	var chosen []job
	for _, w := range contest.Workloads {
		for _, j := range jobs {
			if j.workload == w && only.matches(w.Name) {
				chosen = append(chosen, j)
			}
		}
	}
	return chosen
}
