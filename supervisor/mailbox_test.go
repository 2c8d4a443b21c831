package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// Cases 71-74 and 136 of the rules: what waits while a child is down is received
// in order; what was in hand goes to OnCrash; the rest is handed back once, at
// the end for good.
func TestMailboxSurvivesRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		w := d.worker("w", func(w *supervisor.Worker[order]) {
			w.Backoff = supervisor.Backoff{Min: time.Second, Jitter: -1}
			w.OnCrash = func(m order, cause error) { d.add(fmt.Sprintf("crashed:%s(%v)", m.do, cause)) }
			w.Undelivered = func(m order) { d.add("left:" + m.do) }
		})
		s := start(t, &supervisor.Spec{Name: "root", Limit: supervisor.Limit{Restarts: 2, Period: time.Hour}, Children: []supervisor.Child{w}})
		for _, m := range []string{"1", "crash", "2", "3", "crash", "4", "crash", "5", "6"} {
			tell(t, w, m)
		}
		d.want(t, "+w w:1 -w crashed:crash(crash)")
		time.Sleep(time.Second)
		d.want(t, "+w w:2 w:3 -w crashed:crash(crash)")
		time.Sleep(time.Minute)
		d.want(t, "+w w:4 -w crashed:crash(crash) left:5 left:6")
		if err := s.Wait(t.Context()); !errors.Is(err, supervisor.ErrLimitExceeded) {
			t.Errorf("Wait: %v", err)
		}
	})
}

// A body that ends in good order has not crashed, whatever it has in hand.
func TestOnCrashIsNotForShutdowns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		w := d.worker("w", restart(supervisor.Transient), func(w *supervisor.Worker[order]) {
			w.OnCrash = func(m order, _ error) { d.add("crashed:" + m.do) }
		})
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{w}})
		tell(t, w, "shutdown")
		d.want(t, "+w -w")
		stop(t, s)
	})
}

// Rule 72: Fresh begins with an empty inbox.
func TestFreshChildBeginsEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		w := d.worker("w", func(w *supervisor.Worker[order]) {
			w.Fresh = true
			w.Undelivered = func(m order) { d.add("left:" + m.do) }
		})
		tell(t, w, "early")
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{w}})
		for _, m := range []string{"1", "crash", "2", "3"} {
			tell(t, w, m)
		}
		d.want(t, "left:early +w w:1 -w left:2 left:3 +w")
		stop(t, s)
	})
}

// Law X5, rule 73: an ask in hand at a crash fails at once with the cause, one
// that waits is answered by the next process, and one to a child that was
// stopped by hand waits until it is there again, or is removed.
func TestAskAcrossRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		w := d.worker("w")
		w.Backoff = supervisor.Backoff{Min: time.Minute}
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{w}})
		id := func(r actor.Reply[int]) order { return order{Reply: r, do: "id"} }
		_, err := actor.Ask(t.Context(), w.Address(), crash)
		if !errors.Is(err, errCrash) { // the handler's error is the answer
			t.Errorf("the ask that crashes it: %v", err)
		}
		hung := make(chan error, 1)
		go func() {
			_, err := actor.Ask(t.Context(), w.Address(), func(r actor.Reply[int]) order { return order{Reply: r, do: "goexit"} })
			hung <- err
		}()
		began := time.Now()
		if _, err := actor.Ask(t.Context(), w.Address(), id); err != nil && time.Since(began) < time.Minute {
			t.Errorf("the ask that waits: %v after %v", err, time.Since(began))
		}
		if err := <-hung; !errors.Is(err, actor.ErrNoReply) || !errors.Is(err, actor.ErrGoexit) {
			t.Errorf("the ask in hand: %v", err)
		}
		time.Sleep(time.Hour)
		if err := s.Terminate(t.Context(), "w"); err != nil {
			t.Error(err)
		}
		for _, then := range []string{"restart", "ctx", "remove"} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			go func() {
				_, err := actor.Ask(ctx, w.Address(), id)
				hung <- err
			}()
			synctest.Wait()
			switch then {
			case "restart":
				err = s.Restart(t.Context(), "w")
				if err := <-hung; err != nil {
					t.Errorf("the ask to a stopped child: %v", err)
				}
				err = errors.Join(err, s.Terminate(t.Context(), "w"))
			case "ctx":
				if err := <-hung; !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("the ask whose ctx ends: %v", err)
				}
			case "remove":
				err = s.Remove(t.Context(), "w")
				if err := <-hung; !errors.Is(err, actor.ErrNoReply) {
					t.Errorf("the ask to a removed child: %v", err)
				}
			}
			cancel()
			if err != nil {
				t.Errorf("%s: %v", then, err)
			}
		}
		stop(t, s)
	})
}

// Rules 77-80 and 84, case 130: Watch sees the end for good and no restart, once
// for each call, also of one that has ended; what the child sent comes before.
func TestWatchSeesTheTerminalEndOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen diary
		var d diary
		child, watcher := actor.Spawn(t.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[string]) error {
			for m := range in.Messages(ctx) {
				seen.add(m)
			}
			return nil
		})
		w := d.worker("w")
		run := w.Run
		w.Run = func(ctx context.Context, in *actor.Inbox[order]) error {
			err := run(ctx, in)
			watcher.Send(ctx, fmt.Sprint("last words ", err))
			return err
		}
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{w}})
		notice := func(err error) string { return fmt.Sprint("ended ", err) }
		watcher.Watch(w.Address(), notice)
		watcher.Watch(w.Address(), notice)
		forget := watcher.Watch(w.Address(), notice)
		tell(t, w, "crash")
		seen.want(t, "last words crash")
		if !forget() {
			t.Error("the third watch is over")
		}
		stop(t, s)
		seen.want(t, "last words <nil> ended <nil> ended <nil>")
		watcher.Watch(s, func(err error) string { return fmt.Sprint("tree ", err) })
		seen.want(t, "tree <nil>")
		watcher.Watch(w.Address(), notice)
		seen.want(t, "ended <nil>")
		child.Stop(t.Context())
	})
}

// A pool's processes are restarted one by one under every
// strategy, and the others take the messages meanwhile.
func TestPoolIsRestartedProcessByProcess(t *testing.T) {
	for _, strategy := range []supervisor.Strategy{supervisor.OneForOne, supervisor.OneForAll, supervisor.RestForOne} {
		t.Run(strategy.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				w := d.worker("w", func(w *supervisor.Worker[order]) {
					w.Processes = 3
					w.Backoff = supervisor.Backoff{Min: time.Second, Jitter: -1}
				})
				s := start(t, &supervisor.Spec{Name: "root", Strategy: strategy, Children: []supervisor.Child{d.worker("x"), w, d.worker("y")}})
				d.want(t, "+x +w +w +w +y")
				tell(t, w, "crash")
				d.want(t, "-w")
				tell(t, w, "1")
				d.want(t, "w:1")
				if i, _ := s.Which("w"); i.Processes != 2 || i.State != supervisor.Running || w.Address().Processes() != 2 {
					t.Errorf("%+v", i)
				}
				time.Sleep(time.Second)
				d.want(t, "+w")
				seen := make(map[int]bool)
				for range 30 {
					n, err := actor.Ask(t.Context(), w.Address(), func(r actor.Reply[int]) order { return order{Reply: r, do: "id"} })
					if err != nil || n < 0 || n > 2 {
						t.Errorf("answer %d, %v", n, err)
					}
					seen[n] = true
				}
				if len(seen) == 0 {
					t.Error("nobody answers")
				}
				stop(t, s)
				d.want(t, "-y -w -w -w -x")
			})
		})
	}
}

// Replace exchanges the behaviour of a running child; senders notice nothing.
func TestReplaceUnderLoad(t *testing.T) {
	const senders, each = 4, 5000
	type msg struct{ sender, n int }
	var mu sync.Mutex
	last := make([]int, senders)
	var handled, wrong atomic.Int64
	bodies := make(map[int]bool)
	body := func(generation int) func(context.Context, *actor.Inbox[msg]) error {
		return func(ctx context.Context, in *actor.Inbox[msg]) error {
			return in.Serve(ctx, func(_ context.Context, m msg) error {
				mu.Lock()
				defer mu.Unlock()
				bodies[generation] = true
				if m.n != last[m.sender]+1 {
					wrong.Add(1)
				}
				last[m.sender] = m.n
				handled.Add(1)
				return nil
			})
		}
	}
	w := &supervisor.Worker[msg]{Name: "w", Run: body(0), Drain: true, AwaitStart: time.Minute, Undelivered: func(msg) { wrong.Add(1) }}
	s := start(t, &supervisor.Spec{Name: "root", Limit: supervisor.Limit{Restarts: -1}, Children: []supervisor.Child{w}})
	var sending sync.WaitGroup
	for i := range senders {
		sending.Go(func() {
			for n := range each {
				if err := w.Address().Send(t.Context(), msg{i, n + 1}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	replaced := 0
	for over := false; !over; replaced++ {
		over = handled.Load() > senders*each/2 && replaced > 10
		if err := w.Replace(t.Context(), body(replaced+1)); err != nil {
			t.Fatalf("Replace %d: %v", replaced, err)
		}
		runtime.Gosched()
	}
	sending.Wait()
	stop(t, s)
	if n := handled.Load(); n != senders*each || wrong.Load() != 0 {
		t.Errorf("%d of %d messages were handled, %d out of order", n, senders*each, wrong.Load())
	}
	if i := s.Children(); len(i) != 0 {
		t.Errorf("children %+v", i)
	}
	t.Logf("replaced %d times; %d bodies have handled something", replaced, len(bodies))
}

// Replace of a child that is down, that crashes meanwhile, and whose new body
// does not start.
func TestReplaceInOddMoments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		w, limit := d.worker("w"), supervisor.Limit{Restarts: 2, Period: time.Hour}
		if err := w.Replace(t.Context(), d.obey("before")); err != nil {
			t.Errorf("before Start: %v", err)
		}
		s := start(t, &supervisor.Spec{Name: "root", Limit: limit, Children: []supervisor.Child{w}})
		d.want(t, "+before")
		if err := s.Terminate(t.Context(), "w"); err != nil {
			t.Error(err)
		}
		if err := w.Replace(t.Context(), d.obey("down")); err != nil {
			t.Errorf("of a child that is down: %v", err)
		}
		if err := s.Restart(t.Context(), "w"); err != nil {
			t.Error(err)
		}
		tell(t, w, "crash") // a restart runs the new body
		d.want(t, "-before +down -down +down")
		started := make(chan struct{})
		slow := func(ctx context.Context, in *actor.Inbox[order]) error {
			<-started
			return d.obey("slow")(ctx, in)
		}
		result := make(chan error, 1)
		go func() { result <- w.Replace(t.Context(), slow) }()
		synctest.Wait()
		if err := w.Replace(t.Context(), d.obey("x")); !errors.Is(err, supervisor.ErrRestarting) {
			t.Errorf("while another is under way: %v", err)
		}
		close(started)
		if err := <-result; err != nil {
			t.Error(err)
		}
		broken := func(context.Context, *actor.Inbox[order]) error { d.add("!"); return errCrash }
		if err := w.Replace(t.Context(), broken); !errors.Is(err, errCrash) {
			t.Errorf("with a body that does not start: %v", err)
		}
		if err := s.Wait(t.Context()); !errors.Is(err, supervisor.ErrLimitExceeded) {
			t.Errorf("Wait: %v", err)
		}
		d.want(t, "-down +slow -slow ! !")
		if err := w.Replace(t.Context(), slow); !errors.Is(err, supervisor.ErrShuttingDown) {
			t.Errorf("after the end: %v", err)
		}
	})
}
