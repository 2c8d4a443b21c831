package observer

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"tinyactor/actor"
)

// hang is where the processes of TestDump are.
//
//go:noinline
func hang(release <-chan struct{}) { <-release }

// The dump shows the processes of one actor, where they are; and not too often.
func TestDump(t *testing.T) {
	o := New(Options{Redact: func(kind Text, text string) string {
		if kind == TextStack {
			return strings.ReplaceAll(text, "observer.hang", "somewhere")
		}
		return text
	}})
	release := make(chan struct{})
	defer close(release)
	_, addr := actor.SpawnPool(o.Watch(t.Context()), actor.Config{}, 2, actor.NoValue(func(ctx context.Context, in *actor.Inbox[int]) error {
		if in.Index() == 1 {
			hang(release)
		}
		return receive(ctx, in)
	}))
	if _, err := o.stack(77777); !errors.Is(err, errUnknown) {
		t.Errorf("of an actor that is not there: %v", err)
	}
	var text string
	await(t, "in its place", func() bool {
		o.dumps.last = time.Time{}
		var err error
		if text, err = o.stack(uint64(addr.ID())); err != nil {
			t.Fatal(err)
		}
		return strings.Contains(text, "somewhere(") && strings.Contains(text, ".Recv(")
	})
	if !regexp.MustCompile(`(?s)^process 0:\ngoroutine .*\n\nprocess 1:\ngoroutine .*somewhere`).MatchString(text) {
		t.Errorf("got %s", text)
	}
	if o.dumps.last.IsZero() {
		t.Error("no pause has begun")
	}
	err := error(nil)
	for passed := betweenDumps; passed >= betweenDumps; { // unless the test was kept waiting
		begun := time.Now()
		o.dumps.last = begun
		_, err = o.stack(uint64(addr.ID()))
		passed = time.Since(begun)
	}
	if !errors.Is(err, errTooOften) {
		t.Errorf("at once again: %v", err)
	}
}

// What the program did before something goes wrong can be had, at most every ten
// seconds; only one observer of a program can do that.
func TestFlight(t *testing.T) {
	var log bytes.Buffer
	o := New(Options{Trace: time.Second})
	defer o.Close()
	second := New(Options{Trace: time.Second, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if !strings.Contains(log.String(), "Options.Trace") {
		t.Errorf("of a second recorder the log says %q", log.String())
	}
	second.Close()
	if _, _, ok := o.trace(); ok {
		t.Error("there is a trace before anything has happened")
	}
	crash := func(o *Observer) {
		o.observe(actor.Event{Kind: actor.EventPanicked, ID: 1, Err: &actor.PanicError{Value: "boom"}})
	}
	before := time.Now()
	crash(o)
	var text []byte
	var at time.Time
	await(t, "recorded", func() (ok bool) { text, at, ok = o.trace(); return ok })
	if !bytes.HasPrefix(text, []byte("go 1.")) || at.Before(before) || at.After(time.Now()) {
		t.Errorf("the trace of %v begins with %q", at, text[:min(len(text), 16)])
	}
	if o.flight.save() {
		t.Error("a second one is recorded at once")
	}
	o.flight.saves.last = at.Add(-betweenTraces)
	crash(o)
	await(t, "recorded again", func() bool { _, again, _ := o.trace(); return again.After(at) })
	o.Close()
	o.Close()
	if _, _, ok := o.trace(); !ok {
		t.Error("after Close the trace is gone")
	}
	lines := make(chanWriter, 1)
	third := New(Options{Trace: time.Second, Logger: slog.New(slog.NewTextHandler(lines, nil))})
	defer third.Close()
	crash(third)
	await(t, "recorded by the third", func() (ok bool) { _, _, ok = third.trace(); return ok })

	third.flight.recorder.Stop() // behind its back: it has nothing to keep then
	third.flight.saves = throttle{}
	crash(third)
	if line := <-lines; !strings.Contains(line, "cannot be kept") {
		t.Errorf("of a trace that is lost the log says %q", line)
	}
}

// chanWriter gives what is written to a channel.
type chanWriter chan string

func (c chanWriter) Write(p []byte) (int, error) {
	c <- string(p)
	return len(p), nil
}

func TestThrottle(t *testing.T) {
	var th throttle
	if !th.pass(time.Hour) || th.pass(time.Hour) || th.pass(time.Hour) {
		t.Error("it lets pass more or less than one")
	}
	th.last = time.Now().Add(-time.Hour)
	if !th.pass(time.Hour) {
		t.Error("it does not let pass after a while")
	}
	th.last = time.Now().Add(time.Hour) // another clock
	if !th.pass(time.Hour) {
		t.Error("it waits for another clock")
	}
}
