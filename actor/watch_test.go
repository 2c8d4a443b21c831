package actor_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// watchExit is what a watch sends in these tests: who ended, and how.
type watchExit struct {
	who string
	err error
}

func watchOf(who string) func(error) watchExit {
	return func(err error) watchExit { return watchExit{who, err} }
}

// watchUntil waits for a state, with a bound that only a failure reaches.
func watchUntil(t *testing.T, what string, reached func() bool) {
	t.Helper()
	for start := time.Now(); !reached(); runtime.Gosched() {
		if time.Since(start) > 20*time.Second {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// Cases 129 and 133. A watch tells once how the other ended, when it ends or at
// once if it has; not after stop, which says whether it prevented that.
func TestX7WatchTellsOnce(t *testing.T) {
	captureLogs(t)
	for name, end := range map[string]struct {
		body func(ctx context.Context, in *actor.Inbox[int]) error
		want error
	}{
		"nil":    {func(ctx context.Context, in *actor.Inbox[int]) error { _, err := in.Recv(ctx); return err }, nil},
		"error":  {func(ctx context.Context, in *actor.Inbox[int]) error { in.Recv(ctx); return errAskBoom }, errAskBoom},
		"panic":  {func(ctx context.Context, in *actor.Inbox[int]) error { in.Recv(ctx); panic(errAskBoom) }, errAskBoom},
		"Goexit": {func(ctx context.Context, in *actor.Inbox[int]) error { in.Recv(ctx); runtime.Goexit(); return nil }, actor.ErrGoexit},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got list[watchExit]
				watcher, addr := actor.Spawn(t.Context(), actor.Config{}, keep(&got))
				of, ofAddr := actor.Spawn(t.Context(), actor.Config{}, end.body)
				asAddress := addr.Watch(ofAddr, watchOf("address"))
				asChild := addr.Watch(of, watchOf("child"))
				stopped := addr.Watch(of, watchOf("stopped"))
				asPool := addr.Watch(of.Pool(), watchOf("pool"))
				timerStop(t, "of a watch", stopped, true)
				timerStop(t, "of a watch again", stopped, false)
				synctest.Wait()
				if n := len(got.get()); n != 0 {
					t.Errorf("%d messages before the end", n)
				}
				of.Halt()
				<-of.Done()
				synctest.Wait()
				dead := addr.Watch(of, watchOf("dead"))
				time.Sleep(time.Hour)
				for _, stop := range []func() bool{asAddress, asChild, asPool, dead} {
					timerStop(t, "after the message", stop, false)
				}
				watcher.Drain(t.Context())
				count := map[string]int{}
				_, exit := of.Wait(t.Context())
				for _, m := range got.get() {
					count[m.who]++
					if m.err != exit || !errors.Is(m.err, end.want) {
						t.Errorf("watch of the %s says %v, want %v", m.who, m.err, exit)
					}
				}
				if len(got.get()) != 4 || count["address"] != 1 || count["child"] != 1 || count["pool"] != 1 || count["dead"] != 1 {
					t.Errorf("messages came %v, want one of each watch", count)
				}
			})
		})
	}
}

// A pool is watched as a whole: one message when the last process has ended,
// with all their errors. The zero Address has ended.
func TestX7WatchOfAPoolJoinsTheErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got list[watchExit]
		watcher, addr := actor.Spawn(t.Context(), actor.Config{}, keep(&got))
		first, second := errors.New("first"), errors.New("second")
		pool, poolAddr := actor.SpawnPool(t.Context(), actor.Config{}, 3, actor.NoValue(
			func(ctx context.Context, in *actor.Inbox[int]) error {
				time.Sleep(time.Duration(in.Index()) * time.Minute)
				return []error{first, second, nil}[in.Index()]
			}))
		addr.Watch(pool, watchOf("pool"))
		time.Sleep(90 * time.Second)
		if n := len(got.get()); n != 0 {
			t.Errorf("%d messages while a process lives", n)
		}
		<-poolAddr.Done()
		synctest.Wait()
		all := got.get()
		if len(all) != 1 || !errors.Is(all[0].err, first) || !errors.Is(all[0].err, second) {
			t.Errorf("got %v, want one message with both errors", all)
		}
		addr.Watch(new(actor.Address[string]), watchOf("zero"))
		watcherDone := addr.Done()
		synctest.Wait()
		if all := got.get(); len(all) != 2 || all[1] != (watchExit{"zero", nil}) {
			t.Errorf("got %v, want a message for the zero Address", all)
		}
		watcher.Stop(t.Context())
		<-watcherDone
	})
}

// A watch sends with Send: it waits for room, and stop cancels that. Nobody else
// waits for it: not who watches one that has ended, not the other watchers.
func TestX7WatchWaitsForRoom(t *testing.T) {
	for _, stops := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			var got, gotOther list[watchExit]
			watcher, addr := actor.Spawn(t.Context(), actor.Config{Capacity: actor.Bounded(1)},
				func(ctx context.Context, in *actor.Inbox[watchExit]) error {
					<-release
					return keep(&got)(ctx, in)
				})
			addr.TrySend(watchExit{who: "fills the inbox"})
			other, otherAddr := actor.Spawn(t.Context(), actor.Config{}, keep(&gotOther))
			of, _ := actor.Spawn(t.Context(), actor.Config{}, keep(new(list[int])))
			start := time.Now()
			stop := []func() bool{addr.Watch(of, watchOf("waited"))}
			for range 10 { // called in any order
				otherAddr.Watch(of, watchOf("other"))
			}
			of.Stop(t.Context())
			stop = append(stop, addr.Watch(of, watchOf("waited too")))
			synctest.Wait()
			if n := len(gotOther.get()); n != 10 || time.Since(start) != 0 {
				t.Errorf("the other watcher got %d messages after %v", n, time.Since(start))
			}
			time.Sleep(time.Hour)
			want := 3
			if stops {
				for _, stop := range stop {
					timerStop(t, "while it waits", stop, true)
				}
				want = 1
			}
			close(release)
			synctest.Wait()
			if all := got.get(); len(all) != want {
				t.Errorf("got %v, want %d messages", all, want)
			}
			watcher.Stop(t.Context())
			other.Stop(t.Context())
		})
	}
}

// A watch ends with the watcher: nothing is sent, msg is not called, and stop
// has nothing to prevent. A watcher that has closed gets nothing either.
func TestX7WatchEndsWithTheWatcher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		of, _ := actor.Spawn(t.Context(), actor.Config{}, keep(new(list[int])))
		called := func(error) int { t.Error("msg was called for a watcher that has ended"); return 0 }
		watcher, addr := actor.Spawn(t.Context(), actor.Config{}, keep(new(list[int])))
		stop := addr.Watch(of, called)
		watcher.Stop(t.Context())
		synctest.Wait()
		timerStop(t, "after the watcher's end", stop, false)
		timerStop(t, "of a watch by one that has ended", addr.Watch(of, called), false)

		release := make(chan struct{})
		closed, closedAddr := actor.Spawn(t.Context(), actor.Config{}, until[int](release))
		stop = closedAddr.Watch(of, func(error) int { return 0 })
		closed.Close()
		timerStop(t, "of a watcher that has closed", stop, false)
		closedAddr.Watch(of, func(error) int { return 0 })
		of.Stop(t.Context())
		synctest.Wait()
		if n := closed.Len(); n != 0 {
			t.Errorf("%d messages reached a closed watcher", n)
		}
		close(release)
		<-closed.Done()
	})
}

// Case 131. Actors may watch each other, any number of times and at the same
// time, and themselves: no deadlock, one message a watch.
func TestX7WatchEachOther(t *testing.T) {
	const pairs, watches = 50, 4
	var wg sync.WaitGroup
	for range pairs {
		var got [2]list[watchExit]
		var addrs [2]*actor.Address[watchExit]
		var children [2]*actor.Child[watchExit, actor.None]
		for i := range addrs {
			children[i], addrs[i] = actor.Spawn(t.Context(), actor.Config{}, keep(&got[i]))
		}
		for i := range addrs {
			for range watches {
				wg.Go(func() { addrs[i].Watch(addrs[1-i], watchOf("peer")) })
			}
			wg.Go(func() { addrs[i].Watch(addrs[i], watchOf("self")) })
		}
		wg.Wait()
		children[0].Stop(t.Context())
		watchUntil(t, "messages of all watches", func() bool { return len(got[1].get()) >= watches })
		children[1].Drain(t.Context())
		if n := len(got[0].get()); n != 0 {
			t.Errorf("the first to end got %d messages, want none", n)
		}
		if n := len(got[1].get()); n != watches {
			t.Errorf("the other got %d messages, want %d", n, watches)
		}
	}
}

// Case 145. When a watch tells of an end, Done is closed, the exit is set, and
// all that the process had sent before is queued already.
func TestX7WatchComesAfterWhatTheProcessSent(t *testing.T) {
	for range 200 {
		var got list[watchExit]
		watcher, addr := actor.Spawn(t.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[watchExit]) error {
			for m := range in.Messages(ctx) {
				got.add(m)
				if m.who == "end" {
					return nil
				}
			}
			return in.Err()
		})
		of, ofAddr := actor.SpawnValue(t.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) (int, error) {
			_, err := in.Recv(ctx)
			defer addr.Send(ctx, watchExit{who: "deferred"})
			addr.Send(ctx, watchExit{who: "sent"})
			return 7, errors.Join(err, errAskBoom)
		})
		addr.Watch(ofAddr, func(exit error) watchExit {
			select {
			case <-of.Done():
			default:
				t.Error("the watch told before Done was closed")
			}
			if v, err := of.Wait(t.Context()); v != 7 || err != exit {
				t.Errorf("the exit is %d, %v; the watch says %v", v, err, exit)
			}
			return watchExit{"end", exit}
		})
		of.Halt()
		if _, err := watcher.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if all := got.get(); len(all) != 3 || all[0].who != "sent" || all[1].who != "deferred" {
			t.Fatalf("got %v, want what was sent and then the end", all)
		}
	}
}

// A msg that panics is recorded as a panic of the watcher. That goes on, and the
// watch is over, as it is after a Goexit.
func TestX7WatchWhoseMessageFails(t *testing.T) {
	for name, failing := range map[string]func(){"panic": func() { panic(errAskBoom) }, "Goexit": runtime.Goexit} {
		l := captureLogs(t)
		synctest.Test(t, func(t *testing.T) {
			var got list[int]
			watcher, addr := actor.Spawn(t.Context(), actor.Config{Name: "watcher"}, keep(&got))
			of, _ := actor.Spawn(t.Context(), actor.Config{}, keep(new(list[int])))
			stop := addr.Watch(of, func(error) int { failing(); return 0 })
			of.Stop(t.Context())
			synctest.Wait()
			if lines := l.lines("panicked", "actor=watcher", "boom"); name == "panic" && len(lines) != 1 {
				t.Errorf("logged %q, want the panic once", lines)
			}
			timerStop(t, "after a "+name, stop, false)
			if _, err := watcher.Drain(t.Context()); err != nil || len(got.get()) != 0 {
				t.Errorf("the watcher ended with %v and %v", err, got.get())
			}
		})
	}
}

func TestX7WatchWantsBoth(t *testing.T) {
	for want, f := range map[string]func(a *actor.Address[int]){
		"of is nil":  func(a *actor.Address[int]) { a.Watch(nil, func(error) int { return 0 }) },
		"msg is nil": func(a *actor.Address[int]) { a.Watch(a, nil) },
	} {
		func() {
			defer func() {
				if v, _ := recover().(string); !strings.Contains(v, want) {
					t.Errorf("panic is %q, want one that says %q", v, want)
				}
			}()
			f(new(actor.Address[int]))
		}()
	}
}

// A watch keeps the watcher's address in use and not that of the actor that it
// watches, which ends when nobody else can reach it.
func TestX7WatchKeepsTheWatcherAlone(t *testing.T) {
	var got list[watchExit]
	release := make(chan struct{})
	watcherDone, ofDone := func() (<-chan struct{}, <-chan struct{}) {
		_, addr := actor.Spawn(t.Context(), actor.Config{}, keep(&got))
		_, of := actor.Spawn(t.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
			_, err := in.Recv(ctx)
			<-release
			return err
		})
		addr.Watch(of, watchOf("unreachable"))
		return addr.Done(), of.Done()
	}()
	for range 10 { // two are enough to close what nobody can reach
		runtime.GC()
	}
	select {
	case <-watcherDone:
		t.Error("the watcher has ended although its watch is not over")
	default:
	}
	close(release)
	watchUntil(t, "the watched actor closes", func() bool { runtime.GC(); return len(got.get()) > 0 })
	<-ofDone
	watchUntil(t, "the watcher closes", func() bool {
		runtime.GC()
		select {
		case <-watcherDone:
			return true
		default:
			return false
		}
	})
	if all := got.get(); len(all) != 1 || all[0] != (watchExit{"unreachable", nil}) {
		t.Errorf("got %v, want the message of the watch", all)
	}
}
