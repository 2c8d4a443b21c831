package sched_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// Everything but this package compiles the same way whatever drives it.
func TestOnlyThisPackageKnowsTheTags(t *testing.T) {
	tag := regexp.MustCompile(`^//\s*(go:build|\+build)\b.*\b(modelcheck|perturb)\b`)
	found := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "bin") {
			return fs.SkipDir
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(text)) {
			if !tag.MatchString(line) {
				continue
			}
			found++
			if dir := filepath.Dir(path); dir != filepath.Join(root, "internal", "sched") {
				t.Errorf("%s has the tag: %s", path, strings.TrimSpace(line))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 3 {
		t.Errorf("%d files of this package have a tag, want all that depend on one", found)
	}
}

// uninlined are the functions of this package that the compiler calls in a plain
// build: those that start a goroutine or wait for one of several things, which
// costs far more than a call.
var uninlined = []string{"Go", "Select", "Ended"}

// What this package puts between the library and the scheduler is not there in a
// plain build.
func TestPlainCostsNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	bin := filepath.Join(t.TempDir(), "program")
	run(t, "go", "build", "-o", bin, filepath.Join(root, "examples", "basic"))

	own := regexp.MustCompile(`tinyactor/internal/sched\.([A-Za-z]+)`)
	symbols := 0
	for line := range strings.Lines(run(t, "go", "tool", "nm", bin)) {
		if strings.Contains(line, "tinyactor/internal/mailbox.") {
			symbols++
		}
		f := own.FindStringSubmatch(line)
		if f == nil || strings.Contains(line, "..dict") {
			continue
		}
		if !slices.Contains(uninlined, f[1]) {
			t.Errorf("%s is called, not inlined", f[1])
		}
	}
	if symbols == 0 {
		t.Error("the program has no mailbox")
	}

	// The way of a message, while nobody has to wait.
	hot := `internal/mailbox\.\(\*(Queue|Receiver|lock|lease)\[?.*\)\.(Put|Offer|Recv|TryRecv|take|receive|takeFirst|isPlain|await|one|some)$`
	asm := run(t, "go", "tool", "objdump", "-s", hot, bin)
	functions := 0
	for line := range strings.Lines(asm) {
		switch {
		case strings.HasPrefix(line, "TEXT"):
			functions++
		case strings.Contains(line, "CALL") && own.MatchString(line):
			t.Errorf("on the way of a message: %s", strings.TrimSpace(line))
		}
	}
	if functions < 4 {
		t.Errorf("the disassembly shows %d functions of the way of a message", functions)
	}
}

// run returns what a command prints.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v", name, args, err)
	}
	return string(out)
}
