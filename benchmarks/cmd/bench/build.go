package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"tinyactor/benchmarks/internal/contest"
	"tinyactor/benchmarks/internal/contestants"
)

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

// build builds the programs that have one of the contestants asked for, and
// asks them what these enter.
func build(ctx context.Context, dir string, only list) (*field, error) {
	module, err := moduleDir(ctx)
	if err != nil {
		return nil, err
	}
	f := &field{}
	for _, p := range contestants.Programs {
		if !slices.ContainsFunc(p.Contestants, only.matches) {
			continue
		}
		file := filepath.Join(dir, p.Name)
		cmd := exec.CommandContext(ctx, "go", "build", "-o", file, ".")
		cmd.Dir = filepath.Join(module, "cmd", p.Name)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("building %s: %w", p.Name, err)
		}
		if err := f.add(ctx, file, only); err != nil {
			return nil, fmt.Errorf("%s -list: %w", p.Name, err)
		}
	}
	if len(f.jobs) == 0 {
		return nil, fmt.Errorf("no contestant is called %s", only.String())
	}
	return f, nil
}

// moduleDir returns where the source of this module is.
func moduleDir(ctx context.Context) (string, error) {
	path := reflect.TypeFor[contest.Workload]().PkgPath() // that of a main package does not say where it is
	out, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Module.Dir}}", path).Output()
	if err != nil {
		return "", fmt.Errorf("go list %s: %w; run it where the module is", path, err)
	}
	return string(bytes.TrimSpace(out)), nil
}

// add adds the contestants of a program.
func (f *field) add(ctx context.Context, file string, only list) error {
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
		if !only.matches(l.Contestant) {
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
