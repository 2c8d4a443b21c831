package supervisor_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// slow is a handler that hangs until it is let go.
type slow struct {
	slog.Handler
	let chan struct{}
	got *[]slog.Record
}

func (s slow) Enabled(context.Context, slog.Level) bool { return true }

func (s slow) Handle(_ context.Context, r slog.Record) error {
	<-s.let
	*s.got = append(*s.got, r)
	return errors.New("not written") // and nobody to tell
}

// A line has the time at which it happened, however late the handler takes it; a
// handler that hangs holds up nobody, and no line is lost.
func TestLogObserverWithASlowHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slow{let: make(chan struct{}), got: new([]slog.Record)}
		everything := new(watcher)
		ctx := actor.WithObserver(actor.WithObserver(t.Context(), everything), supervisor.LogObserver(slog.New(s)))
		child, _ := actor.Spawn(ctx, actor.Config{Name: "a"}, func(ctx context.Context, in *actor.Inbox[int]) error {
			<-in.Halting()
			time.Sleep(time.Second)
			return errCrash
		})
		time.Sleep(time.Second)
		if _, err := child.Stop(t.Context()); !errors.Is(err, errCrash) {
			t.Errorf("it ends with %v", err)
		}
		time.Sleep(time.Hour)
		close(s.let)
		synctest.Wait()
		events := everything.take()
		if len(events) != len(*s.got) || len(events) < 4 {
			t.Fatalf("%d lines of %d events", len(*s.got), len(events))
		}
		for i, e := range events {
			if r := (*s.got)[i]; !r.Time.Equal(e.Time) {
				t.Errorf("%s has the time %v, want %v", r.Message, r.Time, e.Time)
			}
		}
	})
}

// broken is a handler that panics.
type broken struct{ slog.Handler }

func (broken) Enabled(context.Context, slog.Level) bool  { return true }
func (broken) Handle(context.Context, slog.Record) error { panic("broken") }

// Nobody else writes a line: if the handler panics, standard error gets it.
func TestLogObserverWithABrokenHandler(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	defer func(before *os.File) { os.Stderr = before }(os.Stderr)
	os.Stderr = file
	supervisor.LogObserver(slog.New(broken{})).Observe(actor.Event{Kind: actor.EventExited, ID: 7, Name: "a", Path: "a", Process: -1, Err: errCrash})
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(file)
	want := "supervisor: the log handler panicked (broken) on: process ended [actor=a id=7 path=a reason=crash]\n"
	if err != nil || string(got) != want {
		t.Errorf("%v; got %q, want %q", err, got, want)
	}
}

// A handler that adds the source has some.
func TestLogObserverHasASource(t *testing.T) {
	var b strings.Builder
	l := slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{AddSource: true}))
	supervisor.LogObserver(l).Observe(actor.Event{Kind: actor.EventPanicked, ID: 7, Process: -1})
	if !strings.Contains(b.String(), "supervisor/log.go:") {
		t.Error(b.String())
	}
}
