package actortest_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"tinyactor/actor"
)

func TestMain(m *testing.M) {
	// Tests make actors hang, which is logged with a stack each.
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	os.Exit(m.Run())
}

// everywhere runs a test outside and inside of a bubble.
func everywhere(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Run("outside", test)
	t.Run("bubble", func(t *testing.T) { synctest.Test(t, test) })
}

// fake is the t of a test that may fail.
type fake struct {
	testing.TB
	ctx context.Context

	mu       sync.Mutex
	failures []string
	cleanups []func()
}

// try runs a test and its cleanups as go test does, and returns how it failed.
func try(test func(t testing.TB)) (failures []string) {
	ctx, cancel := context.WithCancel(context.Background())
	f := &fake{ctx: ctx}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer func() {
			cancel()
			for _, cleanup := range slices.Backward(f.cleanups) {
				cleanup()
			}
		}()
		test(f)
	}()
	<-ended
	return f.failures
}

func (f *fake) Helper()                   {}
func (f *fake) Name() string              { return "TestFake" }
func (f *fake) Context() context.Context  { return f.ctx }
func (f *fake) Cleanup(cleanup func())    { f.cleanups = append(f.cleanups, cleanup) }
func (f *fake) Error(args ...any)         { f.Errorf("%s", fmt.Sprintln(args...)) }
func (f *fake) Fatal(args ...any)         { f.Fatalf("%s", fmt.Sprintln(args...)) }
func (f *fake) Fatalf(s string, a ...any) { f.Errorf(s, a...); f.FailNow() }

// FailNow ends the test.
func (f *fake) FailNow() { runtime.Goexit() }

func (f *fake) Errorf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failures = append(f.failures, fmt.Sprintf(format, args...))
}

// contains checks that one text contains all words.
func contains(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%q does not contain %q", text, w)
		}
	}
}

// serve is a body that receives and does nothing.
func serve[M any](ctx context.Context, in *actor.Inbox[M]) error {
	return in.Serve(ctx, func(context.Context, M) error { return nil })
}

// until is a body that heeds nothing but release.
func until(release <-chan struct{}) func(context.Context, *actor.Inbox[int]) error {
	return func(context.Context, *actor.Inbox[int]) error {
		<-release
		return nil
	}
}

// lacks checks that a text contains none of the words.
func lacks(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if strings.Contains(text, w) {
			t.Errorf("%q contains %q", text, w)
		}
	}
}
