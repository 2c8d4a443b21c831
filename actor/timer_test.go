package actor_test

import (
	"context"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// timerTimes is a body that notes when each message came, counted from now on.
func timerTimes(l *list[time.Duration]) func(context.Context, *actor.Inbox[string]) error {
	start := time.Now()
	return func(ctx context.Context, in *actor.Inbox[string]) error {
		for range in.Messages(ctx) {
			l.add(time.Since(start))
		}
		return in.Err()
	}
}

func timerWant(t *testing.T, l *list[time.Duration], want ...time.Duration) {
	t.Helper()
	if got := l.get(); !slices.Equal(got, want) {
		t.Errorf("messages came after %v, want %v", got, want)
	}
}

func timerStop(t *testing.T, when string, stop func() bool, want bool) {
	t.Helper()
	if got := stop(); got != want {
		t.Errorf("stop %s says %v, want %v", when, got, want)
	}
}

// SendAfter sends once when d has passed, at once if d is not positive.
func TestS11SendAfter(t *testing.T) {
	for _, d := range []time.Duration{-time.Hour, -1, 0, 1, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			var times list[time.Duration]
			child, addr := actor.Spawn(t.Context(), actor.Config{}, timerTimes(&times))
			stop := addr.SendAfter(d, "")
			time.Sleep(3 * time.Hour)
			timerWant(t, &times, max(0, d))
			timerStop(t, "after the send", stop, false)
			child.Stop(t.Context())
		})
	}
}

// The first tick of SendEvery comes after d, the others d after each other.
func TestS11SendEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var times list[time.Duration]
		child, addr := actor.Spawn(t.Context(), actor.Config{}, timerTimes(&times))
		stop := addr.SendEvery(time.Second, "")
		time.Sleep(3*time.Second + 1)
		timerStop(t, "between ticks", stop, true)
		timerStop(t, "a second time", stop, false)
		time.Sleep(time.Hour)
		timerWant(t, &times, time.Second, 2*time.Second, 3*time.Second)
		child.Stop(t.Context())
	})
}

func TestS11SendEveryWantsAPeriod(t *testing.T) {
	child, addr := actor.Spawn(t.Context(), actor.Config{}, keep(new(list[int])))
	for _, d := range []time.Duration{0, -time.Second} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("SendEvery(%v) did not panic", d)
				}
			}()
			addr.SendEvery(d, 1)
		}()
	}
	child.Stop(t.Context())
}

// On a full inbox one tick waits, those that are due meanwhile are skipped, and
// afterwards the ticks come when they would have come.
func TestS11SendEverySkipsTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var times list[time.Duration]
		body := timerTimes(&times)
		child, addr := actor.Spawn(t.Context(), actor.Config{Capacity: actor.Bounded(1)},
			func(ctx context.Context, in *actor.Inbox[string]) error {
				<-release
				return body(ctx, in)
			})
		stop := addr.SendEvery(time.Second, "")
		time.Sleep(100*time.Second + time.Second/2)
		close(release)
		time.Sleep(3 * time.Second)
		late := 100*time.Second + time.Second/2
		timerWant(t, &times, late, late, 101*time.Second, 102*time.Second, 103*time.Second)
		timerStop(t, "between ticks", stop, true)
		child.Stop(t.Context())
	})
}

// stop says whether it prevented a send that would have come.
func TestS11StopSaysWhatItPrevented(t *testing.T) {
	captureLogs(t)
	kinds := map[string]func(a *actor.Address[string], d time.Duration) func() bool{
		"SendAfter": func(a *actor.Address[string], d time.Duration) func() bool { return a.SendAfter(d, "tick") },
		"SendEvery": func(a *actor.Address[string], d time.Duration) func() bool { return a.SendEvery(d, "tick") },
	}
	for kind, start := range kinds {
		for when, c := range map[string]struct {
			before func(*actor.Child[string, actor.None]) // the timer is started
			after  func(*actor.Child[string, actor.None]) // and before it is stopped
			want   bool
		}{
			"pending":                {want: true},
			"waiting for room":       {before: timerFill, after: timerLater, want: true},
			"pending, closed":        {after: func(c *actor.Child[string, actor.None]) { c.Close() }},
			"pending, halted":        {after: func(c *actor.Child[string, actor.None]) { c.Halt() }},
			"pending, ended":         {after: timerEnd},
			"closed before":          {before: func(c *actor.Child[string, actor.None]) { c.Close() }},
			"closed before, due":     {before: func(c *actor.Child[string, actor.None]) { c.Close() }, after: timerLater},
			"ended before":           {before: timerEnd},
			"waited for room, ended": {before: timerFill, after: func(c *actor.Child[string, actor.None]) { timerLater(c); timerEnd(c) }},
		} {
			t.Run(kind+"/"+when, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var back list[string]
					child, addr := actor.Spawn(t.Context(), actor.Config{Capacity: actor.Bounded(1), Undelivered: back.addAny},
						func(ctx context.Context, in *actor.Inbox[string]) error {
							<-in.Halting()
							return nil
						})
					if c.before != nil {
						c.before(child)
					}
					stop := start(addr, time.Second)
					if c.after != nil {
						c.after(child)
					}
					timerStop(t, when, stop, c.want)
					timerStop(t, "a second time", stop, false)
					time.Sleep(time.Minute)
					timerEnd(child)
					if slices.Contains(back.get(), "tick") {
						t.Error("the send came nevertheless")
					}
				})
			})
		}
	}
}

func timerFill(c *actor.Child[string, actor.None]) { c.Address().TrySend("fills the inbox") }

func timerLater(*actor.Child[string, actor.None]) { time.Sleep(time.Minute); synctest.Wait() }

func timerEnd(c *actor.Child[string, actor.None]) { c.Stop(context.Background()); synctest.Wait() }

// A handler may stop the timer whose message it has in hand: nothing waits for
// itself, and the message that has come was not prevented.
func TestS11StopInsideTheHandler(t *testing.T) {
	for _, every := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var stop func() bool
			started := make(chan struct{})
			var times list[time.Duration]
			start := time.Now()
			child, addr := actor.Spawn(t.Context(), actor.Config{Capacity: actor.Bounded(1)},
				func(ctx context.Context, in *actor.Inbox[int]) error {
					<-started
					for range in.Messages(ctx) {
						times.add(time.Since(start))
						time.Sleep(10 * time.Second) // of SendEvery, one tick is queued and one waits meanwhile
						timerStop(t, "inside the handler", stop, every && len(times.get()) == 1)
					}
					return in.Err()
				})
			want := []time.Duration{time.Second}
			if every {
				stop = addr.SendEvery(time.Second, 1)
				want = append(want, 11*time.Second) // the queued one
			} else {
				stop = addr.SendAfter(time.Second, 1)
			}
			close(started)
			time.Sleep(time.Minute)
			timerWant(t, &times, want...)
			child.Stop(t.Context())
		})
	}
}

// Of a SendAfter that races with its stop, either the message comes or stop
// says that it prevented it.
func TestS11StopRacesWithTheSend(t *testing.T) {
	const rounds = 100_000
	var back, got list[int]
	child, addr := actor.Spawn(t.Context(), actor.Config{Undelivered: back.addAny}, keep(&got))
	prevented := 0
	for n := range rounds {
		stop := addr.SendAfter(0, n)
		for range n % 8 {
			runtime.Gosched()
		}
		if stop() {
			prevented++
		}
	}
	child.Drain(t.Context())
	if sent := len(got.get()) + len(back.get()); sent+prevented != rounds {
		t.Errorf("%d sent and %d prevented, of %d", sent, prevented, rounds)
	}
}

// A timer ends with its actor: it keeps nothing running, and a later stop has
// nothing to prevent.
func TestS11TimersEndWithTheActor(t *testing.T) {
	captureLogs(t)
	synctest.Test(t, func(t *testing.T) {
		for name, end := range map[string]func(*actor.Child[string, actor.None]){
			"Drain": func(c *actor.Child[string, actor.None]) { c.Drain(t.Context()) },
			"Stop":  func(c *actor.Child[string, actor.None]) { c.Stop(t.Context()) },
			"Abort": func(c *actor.Child[string, actor.None]) { c.Abort(); <-c.Done() },
		} {
			var times list[time.Duration]
			child, addr := actor.Spawn(t.Context(), actor.Config{}, timerTimes(&times))
			after, every := addr.SendAfter(time.Hour, ""), addr.SendEvery(time.Second, "")
			time.Sleep(time.Second)
			synctest.Wait()
			end(child)
			timerStop(t, name+", SendAfter", after, false)
			timerStop(t, name+", SendEvery", every, false)
			time.Sleep(2 * time.Hour)
			timerWant(t, &times, time.Second)
			timerStop(t, "of a timer started after "+name, addr.SendAfter(0, ""), false)
			timerStop(t, "of a ticker started after "+name, addr.SendEvery(1, ""), false)
		}
		var zero actor.Address[string]
		timerStop(t, "of the zero Address", zero.SendAfter(0, ""), false)
		timerStop(t, "of the zero Address", zero.SendEvery(1, ""), false)
	})
}

// A tick that meets a closed actor is not sent, and none comes after it.
func TestS11TimersAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var got list[string]
		child, addr := actor.Spawn(t.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[string]) error {
			<-release
			return keep(&got)(ctx, in)
		})
		every, after := addr.SendEvery(time.Second, "tick"), addr.SendAfter(time.Hour, "late")
		time.Sleep(2*time.Second + 1)
		child.Close()
		time.Sleep(2 * time.Hour)
		timerStop(t, "after close", every, false)
		timerStop(t, "after close", after, false)
		close(release)
		<-child.Done()
		if all := got.get(); !slices.Equal(all, []string{"tick", "tick"}) {
			t.Errorf("received %v, want the two ticks before the close", all)
		}
	})
}
