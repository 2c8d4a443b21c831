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
	"strings"

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

// field is everybody who takes part.
type field struct {
	jobs   []job
	listed []contest.Listed
}

// build builds the programs that have one of the contestants, and asks them
// what these enter.
func build(ctx context.Context, dir string, contestants list) (*field, error) {
	here, err := packageDir(ctx)
	if err != nil {
		return nil, err
	}
	f := &field{}
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
		if err := f.add(ctx, file, contestants); err != nil {
			return nil, fmt.Errorf("%s -list: %w", p.name, err)
		}
	}
	if len(f.jobs) == 0 {
		return nil, fmt.Errorf("no contestant is called %s", contestants.String())
	}
	return f, nil
}

// packageDir returns where the source of this command is.
func packageDir(ctx context.Context) (string, error) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", errors.New("built without modules")
	}
	out, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", info.Path).Output()
	if err != nil {
		return "", fmt.Errorf("go list %s: %w; run it where the module is", info.Path, err)
	}
	return string(bytes.TrimSpace(out)), nil
}

// add adds the contestants of a program.
func (f *field) add(ctx context.Context, file string, contestants list) error {
	out, err := exec.CommandContext(ctx, file, "-list").Output()
	if err != nil {
		return err
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var l contest.Listed
		if err := d.Decode(&l); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if !contestants.matches(l.Contestant) {
			continue
		}
		f.listed = append(f.listed, l)
		for _, name := range l.Enters {
			f.jobs = append(f.jobs, job{l.Contestant, contest.Find(name), file})
		}
	}
}

// choose returns the jobs whose workload is asked for, by workload in the order
// of the table and then in the order of the contestants.
func (f *field) choose(o *options) []job {
	var chosen []job
	for _, w := range contest.Workloads {
		for _, j := range f.jobs {
			// Quick, channels with few slots only stand in for others.
			spare := o.quick && w.Name != "spawn" && strings.HasSuffix(j.contestant, "-16")
			if j.workload == w && o.only.matches(w.Name) && !spare {
				chosen = append(chosen, j)
			}
		}
	}
	return chosen
}
