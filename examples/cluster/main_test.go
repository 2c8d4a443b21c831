package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// The nodes that a test starts are this program once more.
func TestMain(m *testing.M) {
	if config := os.Getenv(nodeEnv); config != "" {
		if err := nodeMain(config); err != nil {
			fmt.Fprintln(os.Stderr, "node:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// eventually waits for a state.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	over := time.After(20 * time.Second)
	for !is() {
		select {
		case <-tick.C:
		case <-over:
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// output is a buffer that may be read while it is written.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// TestDemo kills the node that the totals are on while texts are posted.
func TestDemo(t *testing.T) {
	t.Parallel()
	var out output
	err := run(t.Context(), []string{"-nodes", "3", "-demo", "2s"}, &out)
	t.Log("\n" + out.String())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"3 nodes", "killed node", "drained in", "all counts are those of the sequential count"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q", want)
		}
	}
}

// TestInterrupted starts nodes for somebody to play with, and interrupts them.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	var out output
	ctx, interrupt := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, nil, &out) }()
	eventually(t, "it says where to post to", func() bool { return strings.Contains(out.String(), "running until interrupted") })
	for line := range strings.Lines(out.String()) {
		if _, rest, ok := strings.Cut(line, "curl -d 'to be or not to be' '"); ok {
			url, _, _ := strings.Cut(rest, "'")
			if r, err := http.Post(url, "text/plain", strings.NewReader("to be or not to be")); err != nil || r.StatusCode != http.StatusAccepted {
				t.Errorf("POST to %s: %v, %v", url, r, err)
			}
		}
	}
	interrupt()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestArguments(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"-nodes 2", "no majority"},
		{"-demo -1s", "demonstration of -1s"},
		{"now", `argument "now"`},
	} {
		if err := run(t.Context(), strings.Fields(c.args), new(output)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.args, err, c.want)
		}
	}
}

// TestStartEnds checks that starting nodes ends when it is interrupted, and leaves
// nothing behind.
func TestStartEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	if _, err := startNodes(ctx, 3); err == nil {
		t.Error("nodes have started though ctx had ended")
	}
	if left, err := filepath.Glob(temp + "/*"); len(left) > 0 || err != nil {
		t.Errorf("left behind: %q, %v", left, err)
	}
}
