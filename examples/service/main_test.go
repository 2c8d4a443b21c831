package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// built holds the program that build has built.
var built string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "service")
	if err != nil {
		panic(err)
	}
	built = filepath.Join(dir, "service.exe")
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

// build builds the program once, since go run passes on neither signals nor
// exit statuses.
var build = sync.OnceValues(func() (log []byte, err error) {
	return exec.Command("go", "build", "-o", built, ".").CombinedOutput()
})

// program returns a command that runs the program and dies with the test.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	if log, err := build(); err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	return exec.CommandContext(t.Context(), built, args...)
}

func TestDemo(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"small.go":     "package small // a small one",
		"docs/big.md":  strings.Repeat("some words, Some more words and 1 number\n", 2000),
		"docs/umlä.md": "Ünïcödé words, wörds, WÖRDS\n",
	})
	out, err := program(t, "-demo", "1s", "-queue", "8", "-dir", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		`(?m)^3 files of \d+ bytes`,
		`(?m)^listening on http://127\.0\.0\.1:\d+$`,
		`(?m)^\d+ requests/s, p50 \S+s, p99 \S+s$`,
		`(?m)^the counts of 3 texts with 12 different words are those of the sequential count$`,
	} {
		if !regexp.MustCompile(want).Match(out) {
			t.Errorf("the demo does not print %s:\n%s", want, out)
		}
	}
	line := regexp.MustCompile(`(?m)^accepted=(\d+) processed=(\d+) handed back=0$`).FindSubmatch(out)
	if line == nil || !bytes.Equal(line[1], line[2]) || string(line[1]) == "0" {
		t.Errorf("the demo's account is %q:\n%s", line, out)
	}
}

func TestFlags(t *testing.T) {
	for _, test := range []struct {
		args   string
		status int
		says   string
	}{
		{"-help", 0, "-demo"},
		{"-nonsense", 2, "nonsense"},
		{"surplus", 2, `"surplus"`},
		{"-workers 0", 2, "-workers"},
		{"-queue 0", 2, "-queue"},
		{"-max-bytes 0", 2, "-max-bytes"},
		{"-demo -1s", 2, "-demo"},
		{"-demo 1s -dir " + t.TempDir(), 1, "no *.go or *.md file"},
		{"-addr nowhere", 1, "nowhere"},
	} {
		var stdout, stderr strings.Builder
		status := run(t.Context(), strings.Fields(test.args), &stdout, &stderr)
		if status != test.status || !strings.Contains(stderr.String(), test.says) {
			t.Errorf("%s: status %d and %q, want %d and %q", test.args, status, stderr.String(), test.status, test.says)
		}
	}
}

// An interrupted demo has checked nothing, and says so.
func TestDemoInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := writeFiles(t, map[string]string{"a.md": "a"})
	var stdout, stderr strings.Builder
	if status := run(ctx, []string{"-demo", "1h", "-dir", dir}, &stdout, &stderr); status != 1 || stderr.Len() == 0 {
		t.Errorf("status %d, %q, %q", status, stdout.String(), stderr.String())
	}
}

func TestRepository(t *testing.T) {
	dir := writeFiles(t, map[string]string{"go.mod": "module x\n", "a/b/c.go": "package b\n"})
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(dir, "a", "b"))
	if got := repository(); got != dir {
		t.Errorf("got %s, want %s", got, dir)
	}
}
