package actor_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// Three places to hang, so that the stacks of equal processes can be told apart.
//
//go:noinline
func lifeHang0(release <-chan struct{}) { <-release }

//go:noinline
func lifeHang1(release <-chan struct{}) { <-release }

//go:noinline
func lifeHang2(release <-chan struct{}) { <-release }

// lifeFrames has a function with the name of one that the library looks for.
type lifeFrames struct{}

//go:noinline
func (lifeFrames) runBody(release <-chan struct{}) { lifeHang0(release) }

var lifeHangs = []func(<-chan struct{}){lifeHang0, lifeHang1, lifeHang2}

// lifeEnded waits for the end of an actor that was stuck.
func lifeEnded(r actor.Ref) { <-r.Done() }

// lifeShort is a context that ends after d.
func lifeShort(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// Equal processes hang, of one actor and of several: each is reported with its own stack.
func TestA4StackOfEqualProcesses(t *testing.T) {
	logs := captureLogs(t)
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var seen lifeEvents
		ctx := actor.WithObserver(context.Background(), &seen)
		body := func(_ context.Context, in *actor.Inbox[int]) (actor.None, error) {
			lifeHangs[in.Index()](release)
			return actor.None{}, nil
		}
		pool, _ := actor.SpawnPool(ctx, actor.Config{Name: "three"}, 3, body)
		other, _ := actor.SpawnPool(ctx, actor.Config{Name: "other"}, 2, body)
		_, err := pool.Stop(lifeShort(t, time.Second))
		if !errors.Is(err, actor.ErrStuck) {
			t.Fatalf("Stop gives %v", err)
		}
		_, _ = other.Stop(lifeShort(t, time.Second))
		synctest.Wait()
		for i := range 3 {
			for _, r := range []actor.Ref{pool, other} {
				if r == other && i == 2 {
					continue
				}
				mine := slices.DeleteFunc(seen.of(actor.EventStuck), func(e actor.Event) bool { return e.ID != r.ID() || e.Process != i })
				if len(mine) != 1 {
					t.Fatalf("process %d of %s was reported %d times", i, r.Name(), len(mine))
				}
				for k := range 3 {
					if hang := fmt.Sprintf("lifeHang%d(", k); strings.Contains(mine[0].Stack, hang) != (k == i) {
						t.Errorf("process %d of %s: the stack is that of another one:\n%s", i, r.Name(), mine[0].Stack)
					}
				}
			}
			// The text of Stop has each process with its own stack after it.
			_, text, ok := strings.Cut(err.Error(), fmt.Sprintf("process %d is stuck", i))
			text, _, _ = strings.Cut(text, "is stuck")
			if !ok || !strings.Contains(text, fmt.Sprintf("lifeHang%d(", i)) {
				t.Errorf("Stop does not say where process %d hangs: %v", i, err)
			}
			if len(logs.lines("level=WARN", "actor=three", fmt.Sprintf("process=%d ", i), fmt.Sprintf("lifeHang%d(", i))) == 0 {
				t.Errorf("process %d was not logged with its stack", i)
			}
		}
		close(release)
		lifeEnded(pool)
		lifeEnded(other)
	})
}

// What ErrStuck says: who, which process, what it was told and when, where it is.
func TestA4TextOfErrStuck(t *testing.T) {
	captureLogs(t)
	tests := []struct {
		name string
		stop func(*actor.Child[int, actor.None], context.Context) (actor.None, error)
		told string
	}{
		{"Stop", (*actor.Child[int, actor.None]).Stop, "halted 4s ago"},
		{"Drain", (*actor.Child[int, actor.None]).Drain, "closed 4s ago"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				child, _ := actor.Spawn(context.Background(), actor.Config{Name: "mill"},
					func(context.Context, *actor.Inbox[int]) error { lifeFrames{}.runBody(release); return nil })
				start := time.Now()
				_, err := tt.stop(child, lifeShort(t, 3*time.Second))
				if d := time.Since(start); d != 3*time.Second+actor.StuckAfter {
					t.Errorf("it took %v", d)
				}
				if !errors.Is(err, actor.ErrStuck) || errors.Is(err, actor.ErrAborted) {
					t.Errorf("the error is %v", err)
				}
				for _, part := range []string{`actor "mill"`, fmt.Sprintf("#%d", child.ID()), "process 0 is stuck", tt.told, "aborted 1s ago", "lifeHang0("} {
					if !strings.Contains(err.Error(), part) {
						t.Errorf("the error does not say %q: %v", part, err)
					}
				}
				if strings.Contains(err.Error(), "closed 1s ago") {
					t.Errorf("the error says that the actor was closed only when it was aborted: %v", err)
				}
				close(release)
				lifeEnded(child)
			})
		})
	}
}

// A process that ends in time is not stuck, and what waits for its children
// never is: the descendant is named.
func TestA4AParentThatWaitsIsNotStuck(t *testing.T) {
	captureLogs(t)
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var seen lifeEvents
		var parents list[actor.Ref]
		parent := func(child func(context.Context)) func(context.Context, *actor.Inbox[int]) error {
			return func(ctx context.Context, in *actor.Inbox[int]) error {
				child(ctx)
				return lifeObey(ctx, in)
			}
		}
		own := errors.New("own")
		var guilty *actor.Child[int, actor.None]
		root, _ := actor.SpawnValue(actor.WithObserver(context.Background(), &seen), actor.Config{Name: "root"},
			func(ctx context.Context, in *actor.Inbox[int]) (int, error) {
				middle, _ := actor.Spawn(ctx, actor.Config{Name: "middle", AbortTimer: time.Hour}, parent(func(ctx context.Context) {
					guilty, _ = actor.Spawn(ctx, actor.Config{Name: "guilty", AbortTimer: time.Hour},
						func(context.Context, *actor.Inbox[int]) error { lifeHang1(release); return nil })
					slow, _ := actor.Spawn(ctx, actor.Config{Name: "slow", AbortTimer: time.Hour},
						func(ctx context.Context, _ *actor.Inbox[int]) error {
							<-ctx.Done()
							time.Sleep(actor.StuckAfter - 1)
							return nil
						})
					parents.add(slow)
				}))
				parents.add(middle)
				_ = lifeObey(ctx, in)
				return 7, own
			})
		waited := make(chan string, 1)
		go func() {
			value, err := root.Wait(context.Background())
			waited <- fmt.Sprint(value, err)
		}()
		start := time.Now()
		value, err := root.Stop(lifeShort(t, time.Second))
		if d := time.Since(start); d != time.Second+actor.StuckAfter {
			t.Errorf("Stop took %v", d)
		}
		if value != 7 || !errors.Is(err, own) || !errors.Is(err, actor.ErrStuck) {
			t.Errorf("Stop gives %d, %v; want 7 and its own error joined with ErrStuck", value, err)
		}
		if text := fmt.Sprint(err); strings.Count(text, "is stuck") != 1 || !strings.Contains(text, `actor "guilty"`) || !strings.Contains(text, "lifeHang1(") {
			t.Errorf("Stop does not name the one that is stuck, and it alone: %v", err)
		}
		if got := <-waited; got != "7 own" {
			t.Errorf("Wait gives %s", got)
		}
		for _, r := range parents.get() {
			if !lifeOver(r.Done()) {
				t.Errorf("%s has not ended", r.Name())
			}
		}
		if lifeOver(guilty.Done()) {
			t.Error("the stuck actor's Done is closed")
		}
		synctest.Wait()
		if all := seen.of(actor.EventStuck); len(all) != 1 || all[0].Name != "guilty" || !errors.Is(all[0].Err, actor.ErrStuck) {
			t.Errorf("declared stuck: %v", all)
		}
		close(release)
		lifeEnded(guilty)
		if value, err := root.Stop(context.Background()); value != 7 || err != own {
			t.Errorf("Stop after the late end gives %d, %v", value, err)
		}
	})
}

// lifeLogTo makes slog.Default call f with each message until the test ends.
func lifeLogTo(t *testing.T, f func(msg string)) {
	t.Helper()
	setLogHandler(t, lifeHandler{slog.Default().Handler(), f})
}

type lifeHandler struct {
	slog.Handler
	f func(string)
}

func (h lifeHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h lifeHandler) Handle(_ context.Context, r slog.Record) error {
	h.f(r.Message)
	return nil
}

// A log handler that hangs or ends its goroutine stops neither an abort nor
// the report of those who are stuck.
func TestA4LogHandlerStopsNothing(t *testing.T) {
	for _, hang := range []bool{false, true} {
		t.Run(map[bool]string{true: "hangs", false: "exits"}[hang], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				quit := make(chan struct{})
				var logged list[string]
				lifeLogTo(t, func(msg string) {
					logged.add(msg)
					if hang {
						<-quit
					}
					runtime.Goexit()
				})
				release := make(chan struct{})
				pool, _ := actor.SpawnPool(context.Background(), actor.Config{}, 3, actor.NoValue(until[int](release)))
				deaf, _ := actor.SpawnPool(context.Background(), actor.Config{}, 3, actor.NoValue(lifeDeaf))
				start := time.Now()
				if _, err := deaf.Stop(lifeShort(t, time.Second)); err != nil || time.Since(start) != time.Second {
					t.Errorf("Stop of deaf actors took %v and gave %v", time.Since(start), err)
				}
				start = time.Now()
				_, err := pool.Stop(lifeShort(t, time.Second))
				if n := strings.Count(fmt.Sprint(err), "is stuck"); n != 3 || time.Since(start) != time.Second+actor.StuckAfter {
					t.Errorf("Stop took %v and named %d of 3: %v", time.Since(start), n, err)
				}
				synctest.Wait()
				if n := len(logged.get()); n != 3+3+3 { // all were deaf, three are stuck
					t.Errorf("%d log records, want 9: %q", n, logged.get())
				}
				close(quit)
				close(release)
				<-pool.Done()
				synctest.Wait() // the log records of that, too
			})
		})
	}
}

// A stuck body that goes on spawning children is not waited for, nor are those.
func TestA4StuckProcessThatSpawns(t *testing.T) {
	captureLogs(t)
	accept := func(quit <-chan struct{}) func(context.Context, *actor.Inbox[int]) error {
		return func(ctx context.Context, _ *actor.Inbox[int]) error {
			for {
				select {
				case <-quit:
					return nil
				case <-time.After(300 * time.Millisecond):
				}
				actor.Spawn(ctx, actor.Config{}, func(context.Context, *actor.Inbox[int]) error {
					time.Sleep(700 * time.Millisecond)
					return nil
				})
			}
		}
	}
	synctest.Test(t, func(t *testing.T) {
		quit := make(chan struct{})
		alone, _ := actor.Spawn(context.Background(), actor.Config{}, accept(quit))
		root, _ := actor.Spawn(context.Background(), actor.Config{AbortTimer: time.Second}, func(ctx context.Context, in *actor.Inbox[int]) error {
			actor.Spawn(ctx, actor.Config{}, accept(quit))
			return lifeObey(ctx, in)
		})
		time.Sleep(time.Minute)
		start := time.Now()
		_, err := alone.Stop(lifeShort(t, time.Second))
		if d := time.Since(start); !errors.Is(err, actor.ErrStuck) || d > time.Second+2*actor.StuckAfter {
			t.Errorf("Stop took %v and gave %v", d, err)
		}
		start = time.Now()
		root.Drop()
		if _, err := root.Wait(lifeShort(t, time.Hour)); err != nil {
			t.Errorf("Wait of the parent gives %v", err)
		}
		if d := time.Since(start); d > time.Second+2*actor.StuckAfter {
			t.Errorf("the parent ended after %v", d)
		}
		close(quit)
		<-alone.Done()
		time.Sleep(time.Minute) // the last children end
	})
}

// A stuck process that has children is waited for only as long as those live.
func TestA4StuckParentWithChildren(t *testing.T) {
	captureLogs(t)
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var kid *actor.Child[int, actor.None]
		root, _ := actor.Spawn(context.Background(), actor.Config{Name: "root"},
			func(ctx context.Context, in *actor.Inbox[int]) error {
				actor.Spawn(ctx, actor.Config{Name: "parent"}, func(ctx context.Context, _ *actor.Inbox[int]) error {
					kid, _ = actor.Spawn(ctx, actor.Config{Name: "kid"}, lifeDeaf)
					<-release
					return nil
				})
				return nil
			})
		synctest.Wait()
		_, err := root.Stop(lifeShort(t, time.Second))
		if text := fmt.Sprint(err); !errors.Is(err, actor.ErrStuck) || !strings.Contains(text, `"parent"`) || strings.Contains(text, `"kid"`) {
			t.Errorf("Stop gives %v", err)
		}
		if !lifeOver(root.Done()) || !lifeOver(kid.Done()) {
			t.Error("the stuck process's owner or child has not ended")
		}
		close(release)
		synctest.Wait()
	})
}
