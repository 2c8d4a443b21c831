package actor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// leftover is a message type whose name must be found in logs.
type leftover struct{ n int }

// sendThenLeave sends n messages to an actor and then lets it end without receiving any.
func sendThenLeave(t *testing.T, addr *actor.Address[leftover], n int, release chan<- struct{}) {
	t.Helper()
	for i := range n {
		if err := addr.Send(t.Context(), leftover{i}); err != nil {
			t.Fatal(err)
		}
	}
	close(release)
}

// leftovers returns the messages that sendThenLeave sends.
func leftovers(n int) []leftover {
	var all []leftover
	for i := range n {
		all = append(all, leftover{i})
	}
	return all
}

// Case 5: what is queued at the exit goes to Undelivered, each message once and
// in order, before Done is closed; whoever still waited was not accepted.
func TestS3QueuedAtTheExit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got list[leftover]
		release := make(chan struct{})
		var addr *actor.Address[leftover]
		cfg := actor.Config{Capacity: actor.Bounded(3), Undelivered: func(m any) {
			got.addAny(m)
			select {
			case <-addr.Done():
				t.Error("Done is closed before everything is handed back")
			default:
			}
			if err := addr.TrySend(leftover{9}); !errors.Is(err, actor.ErrClosed) {
				t.Errorf("TrySend from Undelivered: %v", err)
			}
		}}
		_, addr = actor.Spawn(t.Context(), cfg, until[leftover](release))
		var waits []<-chan error
		for i := range 5 {
			waits = append(waits, sendGo(t.Context(), addr, leftover{i}))
			synctest.Wait()
		}
		close(release)
		<-addr.Done()
		if n := addr.Len(); n != 0 {
			t.Errorf("Len is %d", n)
		}
		for i, c := range waits {
			if i < 3 {
				sendWantErr(t, "an accepted Send", c, nil)
			} else {
				synctest.Wait()
				sendWantErr(t, "a Send that waits at the exit", c, actor.ErrClosed)
			}
		}
		if all := got.get(); !slices.Equal(all, leftovers(3)) {
			t.Errorf("handed back %v", all)
		}
	})
}

// What was gathered when an abort came was not received.
func TestS3AbortWhileABatchGathers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got list[int]
		pool, addr := actor.SpawnPool(t.Context(), actor.Config{Undelivered: got.addAny}, 2,
			func(ctx context.Context, in *actor.Inbox[int]) (actor.None, error) {
				n, err := in.RecvBatch(ctx, make([]int, 10), time.Hour)
				t.Errorf("RecvBatch of an aborted process returns %d, %v", n, err)
				return actor.None{}, nil
			})
		synctest.Wait()
		want := []int{1, 2, 3, 4, 5}
		for _, m := range want {
			if err := addr.Send(t.Context(), m); err != nil {
				t.Error(err)
			}
			synctest.Wait()
		}
		if n := addr.Len(); n != 0 {
			t.Errorf("Len is %d: nobody gathers", n)
		}
		pool.Abort()
		<-pool.Done()
		all := got.get()
		slices.Sort(all)
		if !slices.Equal(all, want) {
			t.Errorf("handed back %v, want %v", all, want)
		}
	})
}

// A message is as good as received when the body panics over it; the others go
// to Undelivered.
func TestS3PanicInTheBody(t *testing.T) {
	captureLogs(t)
	synctest.Test(t, func(t *testing.T) {
		var got list[leftover]
		release := make(chan struct{})
		child, addr := actor.Spawn(t.Context(), actor.Config{Undelivered: got.addAny},
			func(ctx context.Context, in *actor.Inbox[leftover]) error {
				<-release
				m, err := in.Recv(ctx)
				panic(fmt.Sprint(m, err))
			})
		sendThenLeave(t, addr, 4, release)
		if _, err := child.Wait(t.Context()); !errors.As(err, new(*actor.PanicError)) {
			t.Errorf("exit: %v", err)
		}
		if all := got.get(); !slices.Equal(all, leftovers(4)[1:]) {
			t.Errorf("handed back %v", all)
		}
	})
}

// An Undelivered that panics or ends its goroutine has had its message, and the
// rest follows, on the same path or, behind a stuck process, on another.
func TestS3UndeliveredFails(t *testing.T) {
	const n = 6
	for _, fail := range []struct {
		name string
		with func()
	}{
		{"panic", func() { panic("no") }},
		{"panic with nil", func() { panic(nil) }},
		{"Goexit", runtime.Goexit},
	} {
		for _, stuck := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, stuck %v", fail.name, stuck), func(t *testing.T) {
				out := captureLogs(t)
				synctest.Test(t, func(t *testing.T) {
					var got list[leftover]
					release, leaving := make(chan struct{}), make(chan struct{})
					cfg := actor.Config{Undelivered: func(m any) {
						got.addAny(m)
						if m.(leftover).n%2 == 0 || m.(leftover).n == n-1 {
							fail.with()
						}
					}}
					child, addr := actor.SpawnValue(t.Context(), cfg, func(context.Context, *actor.Inbox[leftover]) (int, error) {
						<-leaving
						<-release
						return 7, nil
					})
					sendThenLeave(t, addr, n, leaving)
					if stuck {
						child.Abort()
						time.Sleep(actor.StuckAfter)
						synctest.Wait()
						if all := got.get(); !slices.Equal(all, leftovers(n)) {
							t.Errorf("behind a stuck process, handed back %v", all)
						}
					}
					close(release)
					if value, err := child.Wait(t.Context()); value != 7 || err != nil {
						t.Errorf("exit: %v, %v", value, err)
					}
					if all := got.get(); !slices.Equal(all, leftovers(n)) {
						t.Errorf("handed back %v", all)
					}
				})
				if lines, want := out.lines("level=ERROR", "panic"), fail.name != "Goexit"; (len(lines) == 4) != want {
					t.Errorf("%d panics logged", len(lines))
				}
			})
		}
	}
}

// An Undelivered that hangs holds up the end, not the program: Stop says that
// the actor is stuck, and when it goes on, the rest follows and Done closes.
func TestS3UndeliveredHangs(t *testing.T) {
	captureLogs(t)
	synctest.Test(t, func(t *testing.T) {
		var got list[leftover]
		release, hang := make(chan struct{}), make(chan struct{})
		cfg := actor.Config{Undelivered: func(m any) {
			got.addAny(m)
			<-hang
		}}
		child, addr := actor.Spawn(t.Context(), cfg, until[leftover](release))
		sendThenLeave(t, addr, 3, release)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := child.Stop(ctx); !errors.Is(err, actor.ErrStuck) {
			t.Errorf("Stop: %v", err)
		}
		select {
		case <-child.Done():
			t.Error("Done is closed while Undelivered has messages to come")
		default:
		}
		if all := got.get(); !slices.Equal(all, leftovers(1)) {
			t.Errorf("handed back %v while the first hangs", all)
		}
		close(hang)
		<-child.Done()
		if all := got.get(); !slices.Equal(all, leftovers(3)) {
			t.Errorf("handed back %v", all)
		}
	})
}

// sendEvents keeps the events of one kind.
type sendEvents struct {
	kind actor.EventKind
	list[actor.Event]
}

func (e *sendEvents) Observe(event actor.Event) {
	if event.Kind == e.kind {
		e.add(event)
	}
}

// Without an Undelivered the loss is told once, whatever the end: how many
// messages of which type.
func TestS3LossIsLoggedOnce(t *testing.T) {
	const n = 5
	for _, end := range []struct {
		name string
		body func(release <-chan struct{}, in *actor.Inbox[leftover])
		from func(child *actor.Child[leftover, actor.None])
	}{
		{"return", func(release <-chan struct{}, _ *actor.Inbox[leftover]) { <-release }, nil},
		{"panic", func(release <-chan struct{}, _ *actor.Inbox[leftover]) { <-release; panic("no") }, nil},
		{"abort", func(release <-chan struct{}, in *actor.Inbox[leftover]) { <-release; _, _ = in.TryRecv() },
			func(c *actor.Child[leftover, actor.None]) { c.Abort() }},
		{"stuck", func(release <-chan struct{}, _ *actor.Inbox[leftover]) { <-release; time.Sleep(time.Minute) },
			func(c *actor.Child[leftover, actor.None]) { c.Abort() }},
	} {
		for _, lost := range []int{0, n} {
			t.Run(fmt.Sprint(end.name, " ", lost), func(t *testing.T) {
				out := captureLogs(t)
				events := &sendEvents{kind: actor.EventUndelivered}
				synctest.Test(t, func(t *testing.T) {
					release := make(chan struct{})
					child, addr := actor.Spawn(actor.WithObserver(t.Context(), events), actor.Config{Name: "loser"},
						func(ctx context.Context, in *actor.Inbox[leftover]) error {
							end.body(release, in)
							return nil
						})
					for i := range lost {
						if err := addr.Send(t.Context(), leftover{i}); err != nil {
							t.Error(err)
						}
					}
					if end.from != nil {
						end.from(child)
					}
					close(release)
					<-child.Done()
					synctest.Wait() // the observer's goroutine
				})
				told, logged := events.get(), out.lines("undelivered")
				if lost == 0 {
					if len(told) != 0 || len(logged) != 0 {
						t.Errorf("nothing was lost: told %v, logged %q", told, logged)
					}
					return
				}
				if len(told) != 1 || told[0].Count != n || told[0].Type != "actor_test.leftover" || told[0].Name != "loser" {
					t.Errorf("told %+v", told)
				}
				if good := out.lines("level=WARN", "actor=loser", "count=5", "type=actor_test.leftover"); len(good) != 1 || len(logged) != 1 {
					t.Errorf("logged %q", logged)
				}
			})
		}
	}
}

// With an Undelivered nothing is lost, so nothing is logged; the observer still
// hears of it.
func TestS3HandedBackIsNotLogged(t *testing.T) {
	out := captureLogs(t)
	events := &sendEvents{kind: actor.EventUndelivered}
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		child, addr := actor.Spawn(actor.WithObserver(t.Context(), events),
			actor.Config{Undelivered: func(any) {}}, until[leftover](release))
		sendThenLeave(t, addr, 5, release)
		<-child.Done()
		synctest.Wait()
	})
	if told := events.get(); len(told) != 1 || told[0].Count != 5 {
		t.Errorf("told %+v", told)
	}
	if lines := out.lines("undelivered"); len(lines) != 0 {
		t.Errorf("logged %q", lines)
	}
}

// Case 23: one message, one exit, no luck.
func TestS3OneSendRacesWithTheLastExit(t *testing.T) {
	handedBack := 0
	for round := range 2000 {
		var got list[int]
		release := make(chan struct{})
		child, addr := actor.Spawn(t.Context(), actor.Config{Undelivered: got.addAny}, until[int](release))
		errs := make(chan error, 2)
		var start sync.WaitGroup
		start.Add(1)
		for m := range 2 {
			go func() {
				start.Wait()
				errs <- addr.Send(context.Background(), m)
			}()
		}
		go func() {
			start.Wait()
			for range round % 8 {
				runtime.Gosched()
			}
			close(release)
		}()
		start.Done()
		accepted := 0
		for range 2 {
			if err := <-errs; err == nil {
				accepted++
			} else if !errors.Is(err, actor.ErrClosed) {
				t.Error(err)
			}
		}
		<-child.Done()
		if back := len(got.get()); back != accepted {
			t.Fatalf("%d accepted, %d handed back", accepted, back)
		}
		handedBack += accepted
	}
	t.Logf("%d of 4000 were accepted", handedBack)
}
