package main

import (
	"context"
	"fmt"
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

// hangs is set, to anything, for the test program to be the service with workers
// that never finish a piece.
const hangs = "SERVICE_TEST_HANGS"

func TestMain(m *testing.M) {
	if os.Getenv(hangs) != "" {
		os.Exit(runUntilSignals(func(string) map[string]int { select {} }))
	}
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

// executable returns a command that runs the program and dies with the test.
func executable(t *testing.T, args ...string) *exec.Cmd {
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
	out, err := executable(t, "-demo", "1s", "-queue", "8", "-dir", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		`(?m)^3 files of \d+ bytes`,
		`(?m)^listening on http://127\.0\.0\.1:\d+$`,
		`(?m)^actors on http://127\.0\.0\.1:\d+/debug/actors/$`,
		`(?m)^restarts: [1-9]\d* of workers, [1-9]\d* of the store, [1-9]\d* of the task$`,
		`(?m)^\d+ requests/s, p50 \S+s, p99 \S+s$`,
		`(?m)^\d+ posts admitted, [1-9]\d* refused; [1-9]\d* pieces crashed, the task stopped [1-9]\d* times, up to \d+ workers$`,
		`(?m)^the counts of [34] texts with \d+ different words, and the last snapshot, are those of the sequential count$`,
	} {
		if !regexp.MustCompile(want).Match(out) {
			t.Errorf("the demo does not print %s:\n%s", want, out)
		}
	}
	var a account
	line := regexp.MustCompile(`(?m)^accepted=.*$`).Find(out)
	_, err = fmt.Sscanf(string(line), "accepted=%d processed=%d handed back=%d crashed=%d", &a.accepted, &a.processed, &a.handedBack, &a.crashed)
	if err != nil || a.accepted == 0 || a.crashed == 0 || a.handedBack != 0 || a.open() != 0 {
		t.Errorf("the demo's account is %q, %v:\n%s", line, err, out)
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
		{"-workers-min 0", 2, "-workers-min"},
		{"-workers-min 3 -workers-max 2", 2, "-workers-max"},
		{"-snapshot=", 2, "-snapshot"},
		{"-snapshot-every 0s", 2, "-snapshot-every"},
		{"-grace 0s", 2, "-grace"},
		{"-restarts -1", 2, "-restarts"},
		{"-restarts-within 0s", 2, "-restarts-within"},
		{"-queue 0", 2, "-queue"},
		{"-max-bytes 0", 2, "-max-bytes"},
		{"-demo -1s", 2, "-demo"},
		{"-keep", 2, "-keep"},
		{"-demo 1s -dir " + t.TempDir(), 1, "no *.go or *.md file"},
		{"-addr nowhere", 1, "nowhere"},
	} {
		var stdout, stderr strings.Builder
		p := program{count: countWords, stdout: &stdout, stderr: &stderr}
		status := p.run(t.Context(), t.Context(), strings.Fields(test.args))
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
	p := program{count: countWords, stdout: &stdout, stderr: &stderr}
	if status := p.run(ctx, t.Context(), []string{"-demo", "1h", "-dir", dir}); status != 1 || stderr.Len() == 0 {
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
