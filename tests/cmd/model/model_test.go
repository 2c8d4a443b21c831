package main

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tinyactor/internal/sched/explore"
	"tinyactor/tests/model"
)

// The planted bugs are found, and nothing is found without them.
func TestModel(t *testing.T) {
	most := 100
	if testing.Short() {
		most = 20
	}
	if err := run(t.Context(), options{most: most, jobs: 2}, false); err != nil {
		t.Fatal(err)
	}
}

// A failure's seed shows the same failure again.
func TestReplay(t *testing.T) {
	dir := t.TempDir()
	bin := filepath.Join(dir, "model")
	bug := plants[0]
	overlay, err := bug.overlay(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := build(t.Context(), bin, overlay); err != nil {
		t.Fatal(err)
	}
	p, err := program(bug.in)
	if err != nil {
		t.Fatal(err)
	}
	_, err = exploreAll(t.Context(), bin, options{most: 1000, jobs: 1}, []explore.Program{p})
	f, ok := errors.AsType[*explore.Failure](err)
	if !ok {
		t.Fatalf("not found: %v", err)
	}
	out, err := exec.CommandContext(t.Context(), bin, "-replay", bug.in+"@"+f.Seed).CombinedOutput()
	if err == nil || !strings.Contains(string(out), f.Error()) {
		t.Errorf("the seed says %v:\n%s\nwant\n%v", err, out, f)
	}
}

func TestBadFlagsAreRefused(t *testing.T) {
	for what, opts := range map[string]options{
		"-most":     {most: 0, jobs: 1},
		"200000":    {most: 200_001, jobs: 1},
		"-run":      {most: 1, jobs: 1, run: "("},
		"no scenar": {most: 1, jobs: 1, run: "nothing has this name"},
		"fewer":     {most: 1, jobs: 1, run: "mailbox, empty: send . send$", least: 10},
	} {
		if err := run(context.Background(), opts, false); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%+v: %v, want an error that says %q", opts, err, what)
		}
	}
}

// Names are how scenarios are asked for.
func TestNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range model.Programs() {
		if seen[p.Name] {
			t.Errorf("there are two scenarios %q", p.Name)
		}
		seen[p.Name] = true
	}
	if len(seen) < 400 {
		t.Errorf("%d scenarios", len(seen))
	}
}
