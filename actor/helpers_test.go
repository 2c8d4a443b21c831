package actor_test

import (
	"bytes"
	"context"
	"log"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"tinyactor/actor"
)

// list is a list that several goroutines may add to. Its zero value is empty.
type list[T any] struct {
	mu  sync.Mutex
	all []T
}

func (l *list[T]) add(v T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, v)
}

// addAny is add for Config.Undelivered.
func (l *list[T]) addAny(v any) { l.add(v.(T)) }

// get returns a copy of what is in the list.
func (l *list[T]) get() []T {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]T(nil), l.all...)
}

// keep is a body that adds what it receives to l until its inbox says why to
// stop, and returns that.
func keep[M any](l *list[M]) func(context.Context, *actor.Inbox[M]) error {
	return func(ctx context.Context, in *actor.Inbox[M]) error {
		for m := range in.Messages(ctx) {
			l.add(m)
		}
		return in.Err()
	}
}

// until is a body that ignores its inbox and context until release is closed.
func until[M any](release <-chan struct{}) func(context.Context, *actor.Inbox[M]) error {
	return func(context.Context, *actor.Inbox[M]) error {
		<-release
		return nil
	}
}

// logs is what went to slog.Default during a test.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// lines returns the log lines that contain all of the words.
func (l *logs) lines(words ...string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []string
	for line := range strings.Lines(l.text.String()) {
		all := true
		for _, w := range words {
			all = all && strings.Contains(line, w)
		}
		if all {
			found = append(found, line)
		}
	}
	return found
}

// captureLogs redirects slog.Default until the test ends. Tests that use it
// must not be parallel.
func captureLogs(t *testing.T) *logs {
	t.Helper()
	l := new(logs)
	setLogHandler(t, slog.NewTextHandler(l, nil))
	return l
}

// setLogHandler makes h the handler of slog.Default until the test ends.
func setLogHandler(t *testing.T, h slog.Handler) {
	t.Helper()
	before, output, flags := slog.Default(), log.Writer(), log.Flags()
	slog.SetDefault(slog.New(h))
	t.Cleanup(func() {
		slog.SetDefault(before)
		log.SetOutput(output) // SetDefault has redirected package log
		log.SetFlags(flags)
	})
}
