package observer

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// crashing is a worker that panics on each message.
func crashing(name string, backoff time.Duration) *supervisor.Worker[int] {
	return &supervisor.Worker[int]{
		Name: name,
		Run: func(ctx context.Context, in *actor.Inbox[int]) error {
			for m := range in.Messages(ctx) {
				panic(m)
			}
			return in.Err()
		},
		Backoff: supervisor.Backoff{Min: backoff, Max: backoff},
	}
}

// grow starts a tree that an observer watches, and stops it at the end.
func grow(t *testing.T, o *Observer, spec *supervisor.Spec) *supervisor.Supervisor {
	t.Helper()
	s, err := supervisor.Start(o.Watch(context.Background()), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// find returns the actor of a path.
func find(t *testing.T, s Snapshot, path string) Actor {
	t.Helper()
	for _, a := range s.Actors {
		if a.Path == path {
			return a
		}
	}
	t.Fatalf("there is no actor %s in %+v", path, s.Actors)
	return Actor{}
}

// A tree of supervisors, with a pool, dynamic workers, and actors below workers.
func TestTree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New(Options{})
		jobs := &supervisor.Dynamic[string, int]{Name: "jobs", Template: func(string) *supervisor.Worker[int] {
			return &supervisor.Worker[int]{Run: receive, Restart: supervisor.Temporary}
		}}
		grow(t, o, &supervisor.Spec{Name: "top", Strategy: supervisor.RestForOne, Limit: supervisor.Limit{Restarts: 7, Period: time.Minute}, Children: []supervisor.Child{
			&supervisor.Worker[string]{Name: "store", Run: func(ctx context.Context, in *actor.Inbox[string]) error {
				actor.SpawnPool(ctx, actor.Config{Name: "disks", Capacity: actor.Bounded(64)}, 3, actor.NoValue(receive))
				_, err := in.Recv(ctx)
				return err
			}},
			&supervisor.Spec{Name: "api", Strategy: supervisor.OneForAll, Children: []supervisor.Child{
				&supervisor.Worker[int]{Name: "many", Run: receive, Processes: 4},
			}},
			jobs,
		}})
		if _, err := jobs.Add(t.Context(), "one"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s := o.Snapshot()
		if len(s.Actors) != 7 || s.Totals.Actors != 7 || s.Totals.Processes != 12 {
			t.Errorf("there are %d actors with %d processes", len(s.Actors), s.Totals.Processes)
		}
		for _, want := range []struct {
			path      string
			kind      Kind
			message   string
			strategy  string
			processes int
			limit     int
		}{
			{"top", KindSupervisor, "struct {}", "rest_for_one", 1, 0},
			{"top/store", KindWorker, "string", "", 1, 7},
			{"top/store/disks", KindPool, "int", "", 3, 0},
			{"top/api", KindSupervisor, "struct {}", "one_for_all", 1, 7},
			{"top/api/many", KindWorker, "int", "", 4, 3},
			{"top/jobs", KindDynamic, "struct {}", "one_for_one", 1, 7},
		} {
			a := find(t, s, want.path)
			if a.Kind != want.kind || a.Message != want.message || a.Strategy != want.strategy || a.Processes.Total != want.processes || a.Restarts.Limit != want.limit {
				t.Errorf("%s is %+v, want %+v", want.path, a, want)
			}
			if at := strings.LastIndex(a.Path, "/"); at >= 0 && a.Parent != find(t, s, a.Path[:at]).ID {
				t.Errorf("the parent of %s is %d", want.path, a.Parent)
			}
			if a.State != StateIdle || a.Processes.Busy > 0 {
				t.Errorf("%s is %s", want.path, a.State)
			}
		}
		if a := find(t, s, "top/store/disks"); a.Queue.Limit != 64 || a.Queue.Capacity != "Bounded(64)" {
			t.Errorf("the queue of the pool is %+v", a.Queue)
		}
	})
}

// What a worker's last panic was, is there after restarts, and when the next
// comes that it waits for.
func TestRestartsKeepTheLastPanic(t *testing.T) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	synctest.Test(t, func(t *testing.T) {
		o := New(Options{})
		w := crashing("w", time.Minute)
		grow(t, o, &supervisor.Spec{Name: "top", Limit: supervisor.Limit{Restarts: 5, Period: time.Hour}, Children: []supervisor.Child{w}})
		if a := find(t, o.Snapshot(), "top/w"); a.Panic != nil || a.Exit != nil || a.Restarts.Total != 0 {
			t.Errorf("at the beginning: %+v", a)
		}
		for i := 1; i <= 3; i++ {
			if err := w.Address().Send(t.Context(), i*100); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			at := time.Now()
			a := find(t, o.Snapshot(), "top/w")
			if a.State != StateRestarting || a.Restarts.Total != i || a.Restarts.Window != i || a.Restarts.Until == nil || !a.Restarts.Until.Equal(at.Add(time.Minute)) {
				t.Errorf("crash %d at %v: %s with %+v", i, at, a.State, a.Restarts)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			a = find(t, o.Snapshot(), "top/w")
			if a.State != StateIdle || a.Restarts.Until != nil || a.Panics != i {
				t.Errorf("after restart %d: %s with %+v and %d panics", i, a.State, a.Restarts, a.Panics)
			}
			if p := a.Panic; p == nil || p.Value != []string{"", "100", "200", "300"}[i] || !p.Time.Equal(at) || !strings.Contains(p.Stack, "crashing") {
				t.Errorf("after restart %d the last panic is %+v", i, p)
			}
			if a.Exit == nil || !strings.Contains(a.Exit.Reason, "panic: ") {
				t.Errorf("after restart %d the last exit is %+v", i, a.Exit)
			}
		}
		time.Sleep(59 * time.Minute)
		if r := find(t, o.Snapshot(), "top/w").Restarts; r.Total != 3 || r.Window != 1 {
			t.Errorf("an hour after the second: %+v", r)
		}
		if tt := o.Snapshot().Totals; tt.Restarts != 3 || tt.Panics != 3 {
			t.Errorf("totals are %+v", tt)
		}
	})
}

// Who waits for others of its group is restarting, who was stopped is stopped.
func TestStatesOfWorkers(t *testing.T) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	synctest.Test(t, func(t *testing.T) {
		o := New(Options{})
		w := crashing("w", time.Minute)
		s := grow(t, o, &supervisor.Spec{Name: "top", Strategy: supervisor.OneForAll, Children: []supervisor.Child{
			w, &supervisor.Worker[int]{Name: "other", Run: receive},
		}})
		if err := w.Address().Send(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		for _, path := range []string{"top/w", "top/other"} {
			if a := find(t, o.Snapshot(), path); a.State != StateRestarting || (a.Restarts.Until != nil) != (path == "top/w") {
				t.Errorf("in a group restart %s is %s until %v", path, a.State, a.Restarts.Until)
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if err := s.Terminate(t.Context(), "other"); err != nil {
			t.Fatal(err)
		}
		if a := find(t, o.Snapshot(), "top/other"); a.State != StateStopped {
			t.Errorf("who was terminated is %s", a.State)
		}
		if err := w.Address().Send(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := s.Terminate(t.Context(), "w"); err != nil {
			t.Fatal(err)
		}
		if a := find(t, o.Snapshot(), "top/w"); a.State != StateStopped || a.Restarts.Until != nil {
			t.Errorf("who was terminated while it waited for a restart is %s until %v", a.State, a.Restarts.Until)
		}
	})
}

func TestAct(t *testing.T) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	synctest.Test(t, func(t *testing.T) {
		o := New(Options{Actions: true})
		var runs atomic.Int64
		jobs := &supervisor.Dynamic[int, int]{Name: "jobs", Template: func(int) *supervisor.Worker[int] {
			return &supervisor.Worker[int]{Run: receive, Restart: supervisor.Temporary}
		}}
		s := grow(t, o, &supervisor.Spec{Name: "top", Children: []supervisor.Child{
			&supervisor.Worker[int]{Name: "w", Run: func(ctx context.Context, in *actor.Inbox[int]) error {
				runs.Add(1)
				return receive(ctx, in)
			}},
			&supervisor.Worker[int]{Name: "once", Run: receive, Restart: supervisor.Temporary},
			jobs,
		}})
		job, err := jobs.Add(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		ctx := o.Watch(t.Context())
		halted, _ := actor.Spawn(ctx, actor.Config{Name: "halted"}, receive)
		aborted, _ := actor.Spawn(ctx, actor.Config{Name: "aborted"}, func(ctx context.Context, _ *actor.Inbox[int]) error {
			<-ctx.Done()
			return nil
		})
		synctest.Wait()
		id := func(path string) uint64 { return find(t, o.Snapshot(), path).ID }

		for _, refused := range []struct {
			id   uint64
			verb string
			want error
			says string
		}{
			{99999, "halt", errUnknown, "no such actor"},
			{id("halted"), "restart", errNotApplicable, "no supervisor"},
			{id("halted"), "explode", errNotApplicable, "explode"},
			{id("top"), "restart", errNotApplicable, "no supervisor"},
			{id("top/once"), "restart", errNotApplicable, "temporary"},
			{uint64(job.Address().ID()), "restart", errNotApplicable, "no name"},
		} {
			if err := o.act(t.Context(), refused.id, refused.verb); !errors.Is(err, refused.want) || !strings.Contains(err.Error(), refused.says) {
				t.Errorf("%s of %d: %v, want %v", refused.verb, refused.id, err, refused.want)
			}
		}

		if err := o.act(t.Context(), id("halted"), "halt"); err != nil {
			t.Error(err)
		}
		<-halted.Done()
		at := id("aborted")
		if err := o.act(t.Context(), at, "abort"); err != nil {
			t.Error(err)
		}
		<-aborted.Done()
		if err := o.act(t.Context(), id("top/w"), "restart"); err != nil {
			t.Error(err)
		}
		if synctest.Wait(); runs.Load() != 2 {
			t.Errorf("after a restart there were %d runs", runs.Load())
		}
		if err := s.Terminate(t.Context(), "w"); err != nil {
			t.Error(err)
		}
		if err := o.act(t.Context(), id("top/w"), "restart"); err != nil {
			t.Error(err)
		}
		if synctest.Wait(); runs.Load() != 3 {
			t.Errorf("after a restart of what was stopped there were %d runs", runs.Load())
		}
	})
}

// A restart of a worker that takes its time to stop goes on when the one who
// asked for it has been answered.
func TestSlowRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New(Options{Actions: true, Logger: slog.New(slog.DiscardHandler)})
		var runs atomic.Int32
		slow := &supervisor.Worker[int]{Name: "slow", AbortTimer: time.Hour, Run: func(ctx context.Context, in *actor.Inbox[int]) error {
			runs.Add(1)
			<-in.Halting()
			time.Sleep(30 * time.Second)
			return nil
		}}
		s, err := supervisor.Start(o.Watch(t.Context()), &supervisor.Spec{Name: "top", Children: []supervisor.Child{slow}})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := o.act(t.Context(), find(t, o.Snapshot(), "top/slow").ID, "restart"); !errors.Is(err, errStillStopping) {
			t.Errorf("got %v", err)
		}
		if runs.Load() != 1 {
			t.Error("it runs again before it has stopped")
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if runs.Load() != 2 {
			t.Errorf("it was started %d times, want a second time", runs.Load())
		}
		if _, err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// Why a restart did not succeed is a text that Redact may change.
func TestRestartThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New(Options{Actions: true, Redact: func(_ Text, text string) string { return strings.ReplaceAll(text, "secret", "***") }})
		var runs atomic.Int32
		grow(t, o, &supervisor.Spec{Name: "top", Children: []supervisor.Child{
			&supervisor.Worker[int]{Name: "secret", AwaitStart: time.Second, Run: func(ctx context.Context, in *actor.Inbox[int]) error {
				if runs.Add(1) > 1 {
					return errors.New("no secret database")
				}
				supervisor.Started(ctx)
				return receive(ctx, in)
			}},
		}})
		synctest.Wait()
		err := o.act(t.Context(), find(t, o.Snapshot(), "top/***").ID, "restart")
		if !errors.Is(err, errNotApplicable) || !strings.Contains(err.Error(), "no *** database") || strings.Contains(err.Error(), "secret") {
			t.Errorf("got %v", err)
		}
	})
}
