package actor_test

import (
	"context"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// lifeDeafTo waits for its context alone: the mistake that A5 is about.
func lifeDeafTo(ctx context.Context) { <-ctx.Done() }

// Reported is exactly who was aborted after a halt that it could not notice.
func TestA5DeafProcessIsReported(t *testing.T) {
	tests := []struct {
		name     string
		body     func(ctx context.Context, in *actor.Inbox[int])
		halt     bool
		reported bool
	}{
		{"never receives", func(ctx context.Context, in *actor.Inbox[int]) { lifeDeafTo(ctx) }, true, true},
		{"received before", func(ctx context.Context, in *actor.Inbox[int]) {
			in.TryRecv()
			in.Ready()
			in.Halting()
			lifeDeafTo(ctx)
		}, true, true},
		{"was not halted", func(ctx context.Context, in *actor.Inbox[int]) { lifeDeafTo(ctx) }, false, false},
		{"was receiving", func(ctx context.Context, in *actor.Inbox[int]) {
			in.Recv(ctx)
			lifeDeafTo(ctx)
		}, true, false},
		{"has received since", func(ctx context.Context, in *actor.Inbox[int]) {
			time.Sleep(time.Second)
			in.TryRecv()
			lifeDeafTo(ctx)
		}, true, false},
		{"has asked Halting since", func(ctx context.Context, in *actor.Inbox[int]) {
			time.Sleep(time.Second)
			<-in.Halting()
			lifeDeafTo(ctx)
		}, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			logs := captureLogs(t)
			synctest.Test(t, func(t *testing.T) {
				var seen lifeEvents
				child, _ := actor.Spawn(actor.WithObserver(context.Background(), &seen), actor.Config{Name: "deaf"},
					func(ctx context.Context, in *actor.Inbox[int]) error {
						tt.body(ctx, in)
						return nil
					})
				synctest.Wait()
				if tt.halt {
					child.Halt()
				}
				time.Sleep(3 * time.Second)
				child.Abort()
				<-child.Done()
				synctest.Wait()

				events, lines := seen.of(actor.EventIgnoredHalt), logs.lines("level=WARN", "actor=deaf", "halted=3s", "lifeDeafTo")
				if !tt.reported {
					if len(events) != 0 || len(logs.lines("")) != 0 {
						t.Errorf("reported: %v %v", events, logs.lines(""))
					}
					return
				}
				if len(events) != 1 || len(lines) != 1 {
					t.Fatalf("%d events and %d log lines, want one of each", len(events), len(lines))
				}
				e := events[0]
				if e.ID != child.ID() || e.Name != "deaf" || e.Process != 0 || !strings.Contains(e.Stack, "lifeDeafTo") {
					t.Errorf("the event does not say who waits where: %+v", e)
				}
			})
		})
	}
}

// When very many are aborted at once, each says where it was; but not each has a
// goroutine dump made for that, with all others in it.
func TestA5ManyDeafProcesses(t *testing.T) {
	setLogHandler(t, slog.DiscardHandler)
	synctest.Test(t, func(t *testing.T) {
		const many = 3000
		var seen lifeEvents
		owner, end := context.WithCancel(actor.WithObserver(context.Background(), &seen))
		cfg := actor.Config{AbortTimer: time.Second}
		var all []*actor.Child[int, actor.None]
		for range many {
			child, _ := actor.Spawn(owner, cfg, func(ctx context.Context, _ *actor.Inbox[int]) error {
				lifeDeafTo(ctx)
				return nil
			})
			all = append(all, child)
		}
		synctest.Wait()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		end()
		for _, child := range all {
			<-child.Done()
		}
		synctest.Wait()
		runtime.ReadMemStats(&after)
		// A dump has more than 300 bytes for each.
		if each := (after.TotalAlloc - before.TotalAlloc) / many; each > 100*many {
			t.Errorf("each of %d aborts takes %d bytes", many, each)
		}
		events := seen.of(actor.EventIgnoredHalt)
		for _, e := range events {
			if !strings.Contains(e.Stack, "lifeDeafTo") {
				t.Fatalf("it does not say where it was: %+v", e)
			}
		}
		if len(events) != many {
			t.Errorf("%d of %d are reported", len(events), many)
		}
	})
}

// Who waits in its inbox when it is halted has noticed it, although the abort
// comes before it could run.
func TestA5HaltAndAbortWithoutAPause(t *testing.T) {
	logs := captureLogs(t)
	for range 100 {
		synctest.Test(t, func(t *testing.T) {
			child, _ := actor.Spawn(context.Background(), actor.Config{}, lifeObey)
			synctest.Wait()
			child.Halt()
			child.Abort()
			<-child.Done()
		})
	}
	if n := len(logs.lines("")); n != 0 {
		t.Errorf("%d of 100 were reported", n)
	}
}

// A process that HaltSome has chosen was halted when it was chosen.
func TestA5DeafProcessOfHaltSome(t *testing.T) {
	logs := captureLogs(t)
	synctest.Test(t, func(t *testing.T) {
		pool, _ := actor.SpawnPool(context.Background(), actor.Config{Name: "deaf"}, 2, actor.NoValue(lifeDeaf))
		synctest.Wait()
		pool.HaltSome(1)
		time.Sleep(3 * time.Second)
		pool.Abort()
		<-pool.Done()
	})
	if n := len(logs.lines("level=WARN")); n != 1 {
		t.Errorf("%d processes reported, want the one that was halted", n)
	}
	if len(logs.lines("level=WARN", "halted=3s")) != 1 {
		t.Errorf("the report does not say since when the process was halted: %v", logs.lines("level=WARN"))
	}
}
