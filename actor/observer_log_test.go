package actor_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// Case 49. A crash is logged exactly once, with name, id, value and stack. What
// is not a crash is not logged.
func TestX3ACrashIsLoggedOnce(t *testing.T) {
	for name, c := range map[string]struct {
		body  func(ctx context.Context, in *actor.Inbox[int]) error
		want  int
		value string
	}{
		"nil":       {func(context.Context, *actor.Inbox[int]) error { return nil }, 0, ""},
		"error":     {func(context.Context, *actor.Inbox[int]) error { return errAskBoom }, 0, ""},
		"Goexit":    {func(context.Context, *actor.Inbox[int]) error { runtime.Goexit(); return nil }, 0, ""},
		"abort":     {func(ctx context.Context, in *actor.Inbox[int]) error { in.Recv(ctx); in.Recv(ctx); return nil }, 0, ""},
		"panic":     {func(context.Context, *actor.Inbox[int]) error { panic(errAskBoom) }, 1, "panic=boom"},
		"panic nil": {func(context.Context, *actor.Inbox[int]) error { panic(nil) }, 1, "panic called with nil argument"},
		"panic twice": {func(context.Context, *actor.Inbox[int]) error {
			defer func() { panic("again") }()
			panic("first")
		}, 1, "panic=again"},
		"runtime error": {func(context.Context, *actor.Inbox[int]) error {
			var m map[int]int
			m[1] = 1
			return nil
		}, 1, "assignment to entry in nil map"},
	} {
		t.Run(name, func(t *testing.T) {
			l := captureLogs(t)
			child, _ := actor.Spawn(t.Context(), actor.Config{Name: "crasher"}, c.body)
			if name == "abort" {
				child.Abort()
			}
			<-child.Done()
			id := fmt.Sprintf("id=%d ", child.ID())
			if lines := l.lines("level=ERROR", "actor=crasher", id, "process=0", "stack=", "observer_log_test.go"); len(lines) != c.want {
				t.Errorf("logged %d crashes, want %d: %q", len(lines), c.want, lines)
			}
			if all := l.lines(); len(all) != c.want {
				t.Errorf("logged %q", all)
			}
			if c.want > 0 && len(l.lines(c.value)) != 1 {
				t.Errorf("the value %q is not in the log %q", c.value, l.lines())
			}
		})
	}
}

// A panic is recorded when its deferred calls have run, before the process
// waits for what it owns.
func TestX3PanicIsRecordedBeforeAnythingWaits(t *testing.T) {
	l := captureLogs(t)
	synctest.Test(t, func(t *testing.T) {
		var o obsEvents
		deferred, release := make(chan struct{}), make(chan struct{})
		child, addr := actor.Spawn(actor.WithObserver(t.Context(), &o), actor.Config{Undelivered: func(any) { <-release }},
			func(ctx context.Context, in *actor.Inbox[int]) error {
				defer func() { <-deferred }()
				actor.Spawn(ctx, actor.Config{AbortTimer: time.Hour}, until[int](release))
				panic(errAskBoom)
			})
		addr.Send(t.Context(), 1)
		for _, want := range []int{0, 1} {
			synctest.Wait()
			if n := len(l.lines("boom")); n != want {
				t.Errorf("logged %d times, want %d", n, want)
			}
			if n := len(o.kind(actor.EventPanicked)); n != want {
				t.Errorf("told %d times, want %d", n, want)
			}
			select {
			case <-deferred:
			default:
				close(deferred)
			}
		}
		select {
		case <-child.Done():
			t.Error("the process did not wait")
		default:
		}
		close(release)
		<-child.Done()
	})
}

// obsLogs is an observer that says whether it logs panics.
type obsLogs struct {
	obsEvents
	does  bool
	asked int
}

func (o *obsLogs) LogsPanics() bool { o.asked++; return o.does }

// A panic is logged unless an observer says that it does. The other logs stay.
func TestX3LogsPanics(t *testing.T) {
	plain := func() actor.Observer { return new(obsEvents) }
	says := func(does bool) func() actor.Observer {
		return func() actor.Observer { return &obsLogs{does: does} }
	}
	for name, c := range map[string]struct {
		observers []func() actor.Observer
		want      int
	}{
		"nobody":           {nil, 3},
		"plain":            {[]func() actor.Observer{plain}, 3},
		"no":               {[]func() actor.Observer{says(false)}, 3},
		"yes":              {[]func() actor.Observer{says(true)}, 0},
		"yes, then no":     {[]func() actor.Observer{says(true), says(false)}, 0},
		"plain, then yes":  {[]func() actor.Observer{plain, says(true)}, 0},
		"yes, then plain":  {[]func() actor.Observer{says(true), plain}, 0},
		"no, plain and no": {[]func() actor.Observer{says(false), plain, says(false)}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			l := captureLogs(t)
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				var all []actor.Observer
				for _, o := range c.observers {
					all = append(all, o())
					ctx = actor.WithObserver(ctx, all[len(all)-1])
				}
				child, addr := actor.Spawn(ctx, actor.Config{Undelivered: func(any) { panic("in Undelivered") }},
					func(ctx context.Context, in *actor.Inbox[int]) error {
						actor.Spawn(ctx, actor.Config{Detached: true}, func(context.Context, *actor.Inbox[int]) error {
							panic("in a descendant")
						})
						lossy, lossyAddr := actor.Spawn(ctx, actor.Config{Name: "lossy"}, func(ctx context.Context, in *actor.Inbox[int]) error {
							<-in.Halting()
							return nil
						})
						lossyAddr.Send(ctx, 1)
						lossy.Stop(ctx)
						time.Sleep(time.Second)
						panic("in a body")
					})
				addr.Send(t.Context(), 1)
				<-child.Done()
				synctest.Wait()
				if lines := l.lines("panicked", "stack="); len(lines) != c.want {
					t.Errorf("logged %d panics, want %d: %q", len(lines), c.want, lines)
				}
				if lines := l.lines("level=WARN", "actor=lossy", "count=1", "type=int"); len(lines) != 1 {
					t.Errorf("logged %q about what was lost, want one line", l.lines("lossy"))
				}
				for _, o := range all {
					if o, ok := o.(*obsLogs); ok && (o.asked != 1 || len(o.kind(actor.EventPanicked)) != 3) {
						t.Errorf("asked %d times and told %d panics, want 1 and 3", o.asked, len(o.kind(actor.EventPanicked)))
					}
				}
			})
		})
	}
}

// obsHandler is a log handler that does something bad.
type obsHandler func()

func (h obsHandler) Enabled(context.Context, slog.Level) bool  { return true }
func (h obsHandler) Handle(context.Context, slog.Record) error { h(); return nil }
func (h obsHandler) WithAttrs([]slog.Attr) slog.Handler        { return h }
func (h obsHandler) WithGroup(string) slog.Handler             { return h }

// obsDeaf is a body that hears of its abort alone.
func obsDeaf(release <-chan struct{}) func(context.Context, *actor.Inbox[int]) error {
	return func(ctx context.Context, in *actor.Inbox[int]) error {
		select {
		case <-ctx.Done():
		case <-release:
		}
		return nil
	}
}

// obsBadLogs makes h the handler of slog.Default until the test ends. What the
// library writes to the standard error instead does not disturb the test's output.
func obsBadLogs(t *testing.T, h obsHandler) {
	stderr := os.Stderr
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	setLogHandler(t, h)
	os.Stderr = file
	t.Cleanup(func() {
		os.Stderr = stderr
		file.Close()
	})
}

// A log handler that panics, calls Goexit or hangs stops no actor, wherever the
// library has something to log.
func TestX3BadLogHandlerStopsNoActor(t *testing.T) {
	handlers := map[string]func(release <-chan struct{}){
		"panics": func(<-chan struct{}) { panic("in the log handler") },
		"Goexit": func(<-chan struct{}) { runtime.Goexit() },
		"hangs":  func(release <-chan struct{}) { <-release },
	}
	// Each starts something that logs and returns what must end nevertheless.
	cases := map[string]func(t *testing.T, release <-chan struct{}) actor.Ref{
		"panic in a body": func(t *testing.T, _ <-chan struct{}) actor.Ref {
			child, _ := actor.Spawn(t.Context(), actor.Config{}, func(context.Context, *actor.Inbox[int]) error { panic(errAskBoom) })
			return child
		},
		"panics in Undelivered": func(t *testing.T, _ <-chan struct{}) actor.Ref {
			child, addr := actor.Spawn(t.Context(), actor.Config{Undelivered: func(any) { panic(errAskBoom) }}, obsWaitForHalt)
			undeliveredFill(t, addr, 200) // a handler that hangs costs its time once
			child.Halt()
			return child
		},
		"leftovers": func(t *testing.T, _ <-chan struct{}) actor.Ref {
			child, addr := actor.Spawn(t.Context(), actor.Config{}, obsWaitForHalt)
			undeliveredFill(t, addr, 3)
			child.Halt()
			return child
		},
		"panic in Watch": func(t *testing.T, _ <-chan struct{}) actor.Ref {
			of, _ := actor.Spawn(t.Context(), actor.Config{}, obsWaitForHalt)
			watcher, addr := actor.Spawn(t.Context(), actor.Config{}, keep(new(list[int])))
			addr.Watch(of, func(error) int { panic(errAskBoom) })
			of.Halt()
			synctest.Wait()
			watcher.Halt()
			return watcher
		},
		"ignored halt": func(t *testing.T, release <-chan struct{}) actor.Ref {
			child, _ := actor.Spawn(t.Context(), actor.Config{}, obsDeaf(release))
			child.Drop() // after the abort timer, it is aborted
			return child
		},
		"ignored halt, told by Abort": func(t *testing.T, release <-chan struct{}) actor.Ref {
			child, _ := actor.Spawn(t.Context(), actor.Config{}, obsDeaf(release))
			child.Halt()
			go child.Abort()
			return child
		},
		"stuck": func(t *testing.T, release <-chan struct{}) actor.Ref {
			owner, _ := actor.Spawn(t.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
				actor.SpawnPool(ctx, actor.Config{AbortTimer: -1}, 3, actor.NoValue(until[int](release)))
				_, err := in.Recv(ctx)
				return err
			})
			owner.Halt()
			return owner
		},
		"stuck, told by Stop": func(t *testing.T, release <-chan struct{}) actor.Ref {
			owner, _ := actor.Spawn(t.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
				pool, _ := actor.SpawnPool(ctx, actor.Config{}, 3, actor.NoValue(until[int](release)))
				stopped := make(chan struct{})
				go func() {
					defer close(stopped)
					ended, cancel := context.WithCancel(ctx)
					cancel()
					pool.Stop(ended)
				}()
				<-stopped
				return nil
			})
			return owner
		},
	}
	for handler, bad := range handlers {
		for name, start := range cases {
			t.Run(handler+"/"+name, func(t *testing.T) {
				var release chan struct{}
				obsBadLogs(t, func() { bad(release) })
				synctest.Test(t, func(t *testing.T) {
					release = make(chan struct{})
					ref := start(t, release)
					select {
					case <-ref.Done():
					case <-time.After(time.Minute): // far more than any timer here
						t.Errorf("the actor has not ended")
					}
					close(release)
					<-ref.Done()
				})
			})
		}
	}
}

// obsWaitForHalt is a body that leaves its queue.
func obsWaitForHalt(ctx context.Context, in *actor.Inbox[int]) error {
	<-in.Halting()
	return nil
}
