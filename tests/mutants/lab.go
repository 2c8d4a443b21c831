package mutants

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// baselineTime is how long a whole unmutated suite may take.
	baselineTime = 5 * time.Minute
	// watchdog is how long the tests of a mutant may take that does not say.
	watchdog = time.Minute
	// schedules is how many of a scenario are tried.
	schedules = 50_000
	// grace is what a test binary gets beyond its own watchdog.
	grace = 15 * time.Second
)

// Lab is a copy of the repository, in which mutants are tried. The copy itself
// never changes: a mutant's file is laid over it when its tests are built.
type Lab struct {
	dir   string // of the copy
	out   string // of what is built
	built atomic.Int64
}

// NewLab copies the repository at root, as it is now, into a folder of dir.
func NewLab(root, dir string) (*Lab, error) {
	l := &Lab{dir: filepath.Join(dir, "copy"), out: filepath.Join(dir, "out")}
	if err := os.Mkdir(l.out, 0o777); err != nil {
		return nil, err
	}
	return l, copyTree(root, l.dir)
}

// copyTree copies all that is source.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case rel == ".git" || rel == "bin":
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case d.IsDir():
			return os.MkdirAll(target, 0o777)
		case !d.Type().IsRegular():
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, data, 0o666)
	})
}

// Baseline runs the unmutated suites of the mutants. All must pass, and so must
// each test that is to kill one, which must read no source text.
func (l *Lab) Baseline(ctx context.Context, ms []Mutant, say func(format string, args ...any)) error {
	for _, suite := range suites(ms) {
		start := time.Now()
		var err error
		if suite == modelSuite {
			err = l.modelBaseline(ctx, ms)
		} else {
			err = l.testBaseline(ctx, suite, ms)
		}
		if err != nil {
			return err
		}
		say("unmutated: %s passes, %.1f s\n", suite, time.Since(start).Seconds())
	}
	return nil
}

func (l *Lab) testBaseline(ctx context.Context, suite string, ms []Mutant) error {
	dir := filepath.Join(l.dir, filepath.FromSlash(suite))
	blind, err := sourceReaders(dir)
	if err != nil {
		return err
	}
	bin, out, err := l.build(ctx, suite, "")
	if err != nil {
		return fmt.Errorf("unmutated %s does not compile: %w\n%s", suite, err, out)
	}
	args := []string{"-test.v", "-test.timeout=" + baselineTime.String()}
	if len(blind) > 0 {
		args = append(args, "-test.skip="+pattern(blind))
	}
	out, err = run(ctx, baselineTime+grace, dir, nil, bin, args...)
	if err != nil {
		return fmt.Errorf("unmutated %s fails: %w\n%s", suite, err, out)
	}
	good := passed(out)
	for i := range ms {
		m := &ms[i]
		if m.suite() != suite {
			continue
		}
		if m.By == "" {
			return fmt.Errorf("mutant %s says not who is to notice it", m.Name)
		}
		for _, t := range m.tests() {
			switch {
			case slices.Contains(blind, t):
				return fmt.Errorf("mutant %s: %s reads source text, so it would notice any change", m.Name, t)
			case !slices.Contains(good, t):
				return fmt.Errorf("mutant %s: %s has no %s, or it is skipped", m.Name, suite, t)
			}
		}
	}
	return nil
}

// modelBaseline explores the scenarios that are to notice something.
func (l *Lab) modelBaseline(ctx context.Context, ms []Mutant) error {
	bin, out, err := l.build(ctx, modelSuite, "")
	if err != nil {
		return fmt.Errorf("the model checker does not compile: %w\n%s", err, out)
	}
	var seen []string
	for i := range ms {
		s := ms[i].Scenario
		if s == "" || slices.Contains(seen, s) {
			continue
		}
		seen = append(seen, s)
		switch wrong, out, err := l.explore(ctx, bin, s); {
		case err != nil:
			return fmt.Errorf("mutant %s: unmutated scenario %q: %w\n%s", ms[i].Name, s, err, out)
		case wrong != "":
			return fmt.Errorf("unmutated scenario %q fails: %s", s, wrong)
		}
	}
	return nil
}

// Try finds out what becomes of a mutant.
func (l *Lab) Try(ctx context.Context, m Mutant) Result {
	start := time.Now()
	r := l.try(ctx, m)
	r.Took = time.Since(start)
	return r
}

func (l *Lab) try(ctx context.Context, m Mutant) Result {
	r := Result{Mutant: m}
	overlay, err := l.mutate(&m, true)
	if err != nil {
		r.Why = "does not apply: " + err.Error()
		return r
	}
	bin, out, err := l.build(ctx, m.suite(), overlay)
	if err != nil && m.Scenario == "" { // perhaps it is a file that is missing
		if overlay, err = l.mutate(&m, false); err == nil {
			bin, out, err = l.build(ctx, m.suite(), overlay)
		}
	}
	if err != nil {
		r.Why = "does not compile: " + err.Error() + "\n" + out
		return r
	}
	defer os.Remove(bin) //nolint:errcheck // all of it is removed at the end
	if m.Scenario != "" {
		wrong, out, err := l.explore(ctx, bin, m.Scenario)
		switch {
		case err != nil:
			r.Why = "ends without a word of the scenario: " + err.Error() + "\n" + out
		case wrong == "":
			r.Why = "survives"
		default:
			r.KilledBy = "model: " + m.Scenario
		}
		return r
	}
	dir := filepath.Join(l.dir, filepath.FromSlash(m.suite()))
	bound := cmp.Or(m.Watchdog, watchdog)
	out, err = run(ctx, bound+grace, dir, nil, bin,
		"-test.v", "-test.failfast", "-test.timeout="+bound.String(), "-test.run="+pattern(m.tests()))
	if err == nil {
		r.Why = "survives"
		return r
	}
	if r.KilledBy, r.Hung = killer(out, m.tests()); r.KilledBy == "" {
		r.Why = "ends without a test that says so: " + err.Error() + "\n" + out
	}
	return r
}

// pattern is for exactly these tests.
func pattern(tests []string) string { return "^(" + strings.Join(tests, "|") + ")$" }

// mutate writes the mutant's file, and what lays it over the copy's. few leaves
// out the test files that the killers do without.
func (l *Lab) mutate(m *Mutant, few bool) (overlay string, err error) {
	file := filepath.Join(l.dir, filepath.FromSlash(m.File))
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	changed, err := m.Apply(string(text))
	if err != nil {
		return "", err
	}
	mutant := l.name(".go")
	if err := os.WriteFile(mutant, []byte(changed), 0o666); err != nil {
		return "", err
	}
	replace := map[string]string{file: mutant}
	if few && m.Scenario == "" {
		rest, err := unneeded(filepath.Join(l.dir, filepath.FromSlash(m.suite())), m.tests())
		if err != nil {
			return "", err
		}
		for _, f := range rest {
			replace[f] = "" // as if it were not there
		}
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay = l.name(".json")
	return overlay, os.WriteFile(overlay, data, 0o666)
}

// name returns the path of a file to make.
func (l *Lab) name(suffix string) string {
	return filepath.Join(l.out, fmt.Sprintf("%d%s", l.built.Add(1), suffix))
}

// build compiles the tests of a suite, and returns the program.
func (l *Lab) build(ctx context.Context, suite, overlay string) (bin, out string, err error) {
	bin = l.name(".exe")
	args := []string{"test", "-c", "-ldflags=-s -w", "-o", bin}
	if suite == modelSuite {
		args = []string{"build", "-tags=modelcheck", "-o", bin}
	}
	if overlay != "" {
		args = append(args, "-overlay="+overlay)
	}
	out, err = run(ctx, baselineTime, l.dir, nil, "go", append(args, "./"+suite)...)
	return bin, out, err
}

// explore runs one scenario of the model checker, as far as is enough to kill a
// mutant, and returns what is wrong with it: nothing, if it is not killed.
func (l *Lab) explore(ctx context.Context, bin, scenario string) (wrong, out string, err error) {
	out, err = run(ctx, watchdog, l.dir, strings.NewReader(scenario+"\n"), bin, "-worker", "-most", strconv.Itoa(schedules))
	if err != nil {
		return "", out, err
	}
	var said struct {
		Program string
		Failure *struct{ Why string }
	}
	if err := json.Unmarshal([]byte(out), &said); err != nil {
		return "", out, fmt.Errorf("the model checker does not say what it found: %w", err)
	}
	if said.Failure != nil {
		return said.Failure.Why, out, nil
	}
	return "", out, nil
}

// run runs a program in a folder and returns what it printed.
func run(ctx context.Context, bound time.Duration, dir string, in io.Reader, program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, bound, errors.New("it took too long and was killed"))
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Stdin = in
	cmd.Env = append(os.Environ(), "GOFLAGS=")
	cmd.WaitDelay = grace
	out, err := cmd.CombinedOutput()
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return string(out), err
}
