package actor_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// lifeAsk is a question that nobody answers.
type lifeAsk struct {
	actor.Reply[int]
	n int
}

// lifeAskIn asks to in the background and returns where the error will be.
func lifeAskIn(to *actor.Address[lifeAsk], n int) <-chan error {
	err := make(chan error, 1)
	go func() {
		_, e := actor.Ask(context.Background(), to, func(r actor.Reply[int]) lifeAsk { return lifeAsk{r, n} })
		err <- e
	}()
	return err
}

// lifeNoReply checks that an ask has failed by now because of a stuck process.
func lifeNoReply(t *testing.T, what string, err <-chan error) {
	t.Helper()
	select {
	case e := <-err:
		if !errors.Is(e, actor.ErrNoReply) || !errors.Is(e, actor.ErrStuck) || errors.Is(e, actor.ErrClosed) {
			t.Errorf("%s ended with %v", what, e)
		}
	default:
		t.Errorf("%s has not ended", what)
	}
}

// What is queued behind a stuck process, or in its hand, does not wait for it.
func TestA4NothingWaitsBehindAStuckProcess(t *testing.T) {
	captureLogs(t)
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var left list[int]
		var seen lifeEvents
		child, addr := actor.SpawnValue(actor.WithObserver(context.Background(), &seen),
			actor.Config{Undelivered: func(m any) { left.add(m.(lifeAsk).n) }},
			func(ctx context.Context, in *actor.Inbox[lifeAsk]) (string, error) {
				in.Recv(ctx)
				<-release
				return "late", nil
			})
		hand := lifeAskIn(addr, 1)
		synctest.Wait()
		queued := lifeAskIn(addr, 2)
		synctest.Wait()
		for n := 3; n <= 5; n++ {
			if err := addr.TrySend(lifeAsk{n: n}); err != nil {
				t.Fatal(err)
			}
		}
		child.Abort()
		time.Sleep(actor.StuckAfter - 1)
		synctest.Wait()
		if len(left.get())+len(seen.of(actor.EventStuck))+len(hand)+len(queued) != 0 {
			t.Error("the process was declared stuck too early")
		}
		time.Sleep(1)
		synctest.Wait()
		lifeNoReply(t, "the ask in hand", hand)
		lifeNoReply(t, "the queued ask", queued)
		if got := left.get(); !slices.Equal(got, []int{2, 3, 4, 5}) {
			t.Errorf("Undelivered got %v", got)
		}
		if lifeOver(child.Done()) {
			t.Error("Done is closed although the process runs")
		}

		// Wait never lies, Stop does not wait.
		if _, err := child.Wait(lifeShort(t, time.Minute)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Wait gives %v", err)
		}
		start := time.Now()
		if _, err := child.Stop(context.Background()); !errors.Is(err, actor.ErrStuck) || time.Since(start) != 0 {
			t.Errorf("a second Stop gives %v after %v", err, time.Since(start))
		}
		if n := len(seen.of(actor.EventReleased)); n != 0 {
			t.Errorf("%d reports of a late end", n)
		}
		if err := child.Pool().Spawn(func(context.Context, *actor.Inbox[lifeAsk]) (string, error) {
			t.Error("it runs")
			return "", nil
		}); !errors.Is(err, actor.ErrClosed) {
			t.Errorf("a further process of a stuck actor: %v", err)
		}

		// The late end.
		close(release)
		if value, err := child.Wait(context.Background()); value != "late" || err != nil {
			t.Errorf("Wait gives %q, %v", value, err)
		}
		if value, err := child.Stop(context.Background()); value != "late" || err != nil {
			t.Errorf("Stop after the end gives %q, %v", value, err)
		}
		synctest.Wait()
		if n := len(seen.of(actor.EventReleased)); n != 1 {
			t.Errorf("%d reports of a late end, want 1", n)
		}
	})
}

// One process of a pool is stuck, the other ends later: from then on only stuck
// ones are left.
func TestA4LastOneWhoCouldReceiveEndsLater(t *testing.T) {
	captureLogs(t)
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var left list[int]
		pool, addr := actor.SpawnPool(context.Background(), actor.Config{Undelivered: func(m any) { left.add(m.(lifeAsk).n) }}, 1,
			actor.NoValue(until[lifeAsk](release)))
		queued := lifeAskIn(addr, 1)
		synctest.Wait()
		pool.Abort()
		time.Sleep(actor.StuckAfter / 2)
		err := pool.Spawn(func(context.Context, *actor.Inbox[lifeAsk]) (actor.None, error) {
			time.Sleep(actor.StuckAfter * 3 / 4)
			return actor.None{}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(actor.StuckAfter)
		synctest.Wait()
		if lifeOver(pool.Done()) || pool.Processes() != 1 {
			t.Fatal("the stuck process is not the last one")
		}
		lifeNoReply(t, "the queued ask", queued)
		if got := left.get(); !slices.Equal(got, []int{1}) {
			t.Errorf("Undelivered got %v", got)
		}
		close(release)
		lifeEnded(pool)
	})
}

// A stuck process gets nothing any more: when it comes back to its inbox, it unwinds.
func TestA4StuckProcessReceivesNothing(t *testing.T) {
	captureLogs(t)
	for _, r := range lifeReceives {
		t.Run(r.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				got, after := 0, 0
				child, addr := actor.Spawn(context.Background(), actor.Config{Undelivered: func(any) { time.Sleep(time.Hour) }},
					func(ctx context.Context, in *actor.Inbox[int]) error {
						<-release
						got = r.op(ctx, in)
						after++
						return nil
					})
				for i := range 3 {
					if err := addr.TrySend(i); err != nil {
						t.Fatal(err)
					}
				}
				child.Abort()
				time.Sleep(actor.StuckAfter) // two messages are still there: Undelivered is slow
				synctest.Wait()
				if addr.Len() == 0 {
					t.Fatal("nothing is left to receive")
				}
				close(release)
				if _, err := child.Wait(context.Background()); !errors.Is(err, actor.ErrAborted) || got+after != 0 {
					t.Errorf("exit is %v, received %d, went on %d times", err, got, after)
				}
			})
		})
	}
}

// lifeKeepFor hangs in Undelivered.
//
//go:noinline
func lifeKeepFor(release <-chan struct{}) { <-release }

// A process whose Undelivered hangs counts as stuck: reported with its stack,
// nobody waits for it, and all asks that it holds up are failed, also that of
// the very message.
func TestA4HangingUndelivered(t *testing.T) {
	captureLogs(t)
	for _, before := range []bool{false, true} {
		t.Run(map[bool]string{true: "aborted before", false: "aborted in Undelivered"}[before], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release, gate := make(chan struct{}), make(chan struct{})
				var left list[int]
				child, addr := actor.Spawn(context.Background(), actor.Config{Name: "heap", Undelivered: func(m any) {
					lifeKeepFor(release)
					left.add(m.(lifeAsk).n)
				}}, until[lifeAsk](gate))
				first := lifeAskIn(addr, 1)
				synctest.Wait()
				second := lifeAskIn(addr, 2)
				synctest.Wait()
				if before {
					child.Abort()
				}
				close(gate)
				synctest.Wait()
				start := time.Now()
				_, err := child.Stop(lifeShort(t, time.Second))
				if d := time.Since(start); !before && d != time.Second+actor.StuckAfter || before && d != actor.StuckAfter {
					t.Errorf("Stop took %v", d)
				}
				if !errors.Is(err, actor.ErrStuck) {
					t.Fatalf("Stop gives %v", err)
				}
				for _, part := range []string{`actor "heap"`, "Undelivered", "lifeKeepFor("} {
					if !strings.Contains(err.Error(), part) {
						t.Errorf("the error does not say %q: %v", part, err)
					}
				}
				synctest.Wait()
				lifeNoReply(t, "the ask of the message in Undelivered", first)
				lifeNoReply(t, "the ask of the next message", second)
				if lifeOver(child.Done()) || len(left.get()) != 0 {
					t.Errorf("Done is closed, or messages went on: %v", left.get())
				}
				close(release)
				lifeEnded(child)
				if got := left.get(); !slices.Equal(got, []int{1, 2}) {
					t.Errorf("Undelivered got %v", got)
				}
			})
		})
	}
}
