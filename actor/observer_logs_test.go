package actor_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// obsLogger is an observer that logs some kinds of events itself.
type obsLogger struct {
	obsEvents
	does  []actor.EventKind
	asked []actor.EventKind
}

func (o *obsLogger) Logs(kind actor.EventKind) bool {
	o.asked = append(o.asked, kind)
	return slices.Contains(o.does, kind)
}

// What an observer logs is not logged by the library, and everything else is.
func TestX3ObserverThatLogs(t *testing.T) {
	lines := map[actor.EventKind]string{
		actor.EventPanicked:    "actor panicked",
		actor.EventUndelivered: "actor ended with undelivered messages",
		actor.EventIgnoredHalt: "actor aborted: it was halted and did not touch its inbox",
		actor.EventStuck:       "actor stuck",
		actor.EventReleased:    "actor no longer stuck",
	}
	all := []actor.EventKind{}
	for kind := range lines {
		all = append(all, kind)
	}
	cases := [][]actor.EventKind{nil, all}
	for _, kind := range all {
		cases = append(cases, []actor.EventKind{kind})
	}
	for _, does := range cases {
		l := captureLogs(t)
		synctest.Test(t, func(t *testing.T) {
			o := &obsLogger{does: does}
			ctx := actor.WithObserver(actor.WithObserver(t.Context(), new(obsEvents)), o)
			release := make(chan struct{})
			child, addr := actor.Spawn(ctx, actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
				<-release // deaf to halt and abort
				panic("late")
			})
			if err := addr.Send(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			child.Halt()
			time.Sleep(time.Second)
			child.Abort()
			time.Sleep(2 * actor.StuckAfter)
			close(release)
			<-child.Done()
			synctest.Wait()
			for kind, text := range lines {
				want := 1
				if slices.Contains(does, kind) {
					want = 0
				}
				if n := len(l.lines(text)); n != want {
					t.Errorf("%v are logged by the observer: %q is logged %d times, want %d: %q", does, text, n, want, l.lines())
				}
				if n := len(o.kind(kind)); n != 1 {
					t.Errorf("told %d times of %q", n, kind)
				}
				if n := len(slices.DeleteFunc(slices.Clone(o.asked), func(k actor.EventKind) bool { return k != kind })); n != 1 {
					t.Errorf("asked %d times about %q", n, kind)
				}
			}
		})
	}
}

// An event has the names from the root on.
func TestEventPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o obsEvents
		root, _ := actor.Spawn(actor.WithObserver(t.Context(), &o), actor.Config{Name: "root"}, func(ctx context.Context, _ *actor.Inbox[int]) error {
			actor.Spawn(ctx, actor.Config{}, func(ctx context.Context, _ *actor.Inbox[int]) error {
				actor.Spawn(ctx, actor.Config{Name: "leaf"}, func(context.Context, *actor.Inbox[int]) error { return nil })
				return nil
			})
			return nil
		})
		<-root.Done()
		synctest.Wait()
		var got []string
		for _, e := range o.kind(actor.EventSpawned) {
			got = append(got, e.Path)
		}
		slices.Sort(got)
		if len(got) != 3 || got[0] != "root" || got[1][:6] != "root/#" || got[2] != got[1]+"/leaf" {
			t.Errorf("paths %q", got)
		}
	})
}
