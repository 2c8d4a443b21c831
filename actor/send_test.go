package actor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// sendPaused is a body that receives nothing until release is closed, and then what
// is left, into l.
func sendPaused[M any](release <-chan struct{}, l *list[M]) func(context.Context, *actor.Inbox[M]) error {
	return func(ctx context.Context, in *actor.Inbox[M]) error {
		<-release
		return keep(l)(ctx, in)
	}
}

// sendStepped is a body that receives one message for each token in step, and then,
// when step is closed, what is left.
func sendStepped[M any](step <-chan struct{}, l *list[M]) func(context.Context, *actor.Inbox[M]) error {
	return func(ctx context.Context, in *actor.Inbox[M]) error {
		for range step {
			m, err := in.Recv(ctx)
			if err != nil {
				return err
			}
			l.add(m)
		}
		return keep(l)(ctx, in)
	}
}

// sendGo runs Send on a goroutine of its own.
func sendGo[M any](ctx context.Context, a *actor.Address[M], m M) <-chan error {
	c := make(chan error, 1)
	go func() { c <- a.Send(ctx, m) }()
	return c
}

// sendWantErr fails if the error of a Send is not there or is another one.
func sendWantErr(t *testing.T, what string, c <-chan error, want error) {
	t.Helper()
	select {
	case err := <-c:
		if !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	default:
		t.Errorf("%s has not returned, want %v", what, want)
	}
}

// Case 6.
func TestS1AcceptedBeforeClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got list[int]
		release := make(chan struct{})
		child, addr := actor.Spawn(t.Context(), actor.Config{Capacity: actor.Bounded(3)}, sendPaused(release, &got))
		for i := range 3 {
			if err := addr.Send(t.Context(), i); err != nil {
				t.Fatal(err)
			}
		}
		waits := sendGo(t.Context(), addr, 3)
		synctest.Wait()
		if !child.Close() {
			t.Error("Close is false")
		}
		synctest.Wait()
		sendWantErr(t, "a Send that waits at Close", waits, actor.ErrClosed)
		for name, err := range map[string]error{
			"Send":    addr.Send(t.Context(), 9),
			"TrySend": addr.TrySend(9),
			"SendNow": addr.SendNow(9),
		} {
			if !errors.Is(err, actor.ErrClosed) {
				t.Errorf("%s after Close: %v", name, err)
			}
		}
		if n, err := addr.SendAll(t.Context(), []int{9}); n != 0 || !errors.Is(err, actor.ErrClosed) {
			t.Errorf("SendAll after Close: %d, %v", n, err)
		}
		if addr.Len() != 3 {
			t.Errorf("Len is %d", addr.Len())
		}
		close(release)
		if _, err := child.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if all := got.get(); !slices.Equal(all, []int{0, 1, 2}) {
			t.Errorf("received %v", all)
		}
	})
}

// The last message that a Send accepted is received or handed back; none after
// Close has returned is accepted, whatever races with it.
func TestS1NothingIsAcceptedAfterClose(t *testing.T) {
	for range 200 {
		child, addr := actor.Spawn(t.Context(), actor.Config{}, keep(new(list[int])))
		var wg sync.WaitGroup
		closed := make(chan struct{})
		for range 3 {
			wg.Go(func() {
				for {
					late := false
					select {
					case <-closed:
						late = true
					default:
					}
					err := addr.Send(t.Context(), 1)
					if late && err == nil {
						t.Error("Send after Close has returned: accepted")
					}
					if err != nil {
						return
					}
				}
			})
		}
		child.Close()
		close(closed)
		wg.Wait()
		<-child.Done()
	}
}

func TestS2OneSendersMessagesKeepTheirOrder(t *testing.T) {
	for _, capacity := range []actor.Capacity{actor.Bounded(1), actor.Bounded(3), actor.Unbounded(),
		actor.Backpressure(2, 0, 1), actor.Backpressure(1, time.Microsecond, 1)} {
		t.Run(capacity.String(), func(t *testing.T) {
			const senders, each = 4, 1000
			next := make([]int, senders)
			child, addr := actor.Spawn(t.Context(), actor.Config{Capacity: capacity},
				func(ctx context.Context, in *actor.Inbox[[2]int]) error {
					for m := range in.Messages(ctx) {
						if m[1] != next[m[0]] {
							return fmt.Errorf("sender %d: received %d, want %d", m[0], m[1], next[m[0]])
						}
						next[m[0]]++
					}
					return in.Err()
				})
			var wg sync.WaitGroup
			for s := range senders {
				wg.Go(func() {
					for i := 0; i < each; {
						var err error
						switch i % 4 { // every way to send, in one order
						case 0:
							n := 0
							n, err = addr.SendAll(t.Context(), [][2]int{{s, i}, {s, i + 1}})
							i += n
							if err == nil {
								continue
							}
						case 3:
							if err = addr.TrySend([2]int{s, i}); errors.Is(err, actor.ErrFull) {
								err = addr.Send(t.Context(), [2]int{s, i})
							}
						default:
							err = addr.Send(t.Context(), [2]int{s, i})
						}
						if err != nil {
							t.Error(err)
							return
						}
						i++
					}
				})
			}
			wg.Wait()
			if _, err := child.Drain(t.Context()); err != nil {
				t.Error(err)
			}
			for s, n := range next {
				if n != each {
					t.Errorf("sender %d: %d received, want %d", s, n, each)
				}
			}
		})
	}
}

// Case 15.
func TestS5TrySendAndSendNowNeverWait(t *testing.T) {
	const room = 3
	for _, tt := range []struct {
		capacity        actor.Capacity
		trySend, asSoon error // once room messages are in
	}{
		{actor.Bounded(room), actor.ErrFull, actor.ErrFull},
		{actor.Unbounded(), nil, nil},
		{actor.Backpressure(room, time.Hour, 2), actor.ErrFull, nil},
		{actor.Backpressure(room, 0, 1), actor.ErrFull, nil}, // would yield
	} {
		synctest.Test(t, func(t *testing.T) {
			var got list[int]
			release := make(chan struct{})
			child, addr := actor.Spawn(t.Context(), actor.Config{Name: "tried", Capacity: tt.capacity}, sendPaused(release, &got))
			begin := time.Now()
			for i := range room {
				send := addr.TrySend
				if i%2 == 1 {
					send = addr.SendNow
				}
				if err := send(i); err != nil {
					t.Errorf("%v: with room: %v", tt.capacity, err)
				}
			}
			for range 3 {
				if err := addr.TrySend(100); !errors.Is(err, tt.trySend) {
					t.Errorf("%v: TrySend: %v, want %v", tt.capacity, err, tt.trySend)
				}
				if err := addr.SendNow(200); !errors.Is(err, tt.asSoon) {
					t.Errorf("%v: SendNow: %v, want %v", tt.capacity, err, tt.asSoon)
				}
			}
			n := room
			for _, err := range []error{tt.trySend, tt.asSoon} {
				if err == nil {
					n += 3
				}
			}
			child.Close()
			for _, err := range []error{addr.TrySend(300), addr.SendNow(300)} {
				if !errors.Is(err, actor.ErrClosed) || errors.Is(err, actor.ErrFull) || !strings.Contains(err.Error(), `"tried"`) {
					t.Errorf("%v: closed: %v", tt.capacity, err)
				}
			}
			if d := time.Since(begin); d != 0 {
				t.Errorf("%v: that took %v", tt.capacity, d)
			}
			close(release)
			<-child.Done()
			if all := got.get(); len(all) != n {
				t.Errorf("%v: received %v, want %d messages", tt.capacity, all, n)
			}
		})
	}
}

// What need not wait does not look at its context; what must, does.
func TestS8EndedContextStopsOnlyAWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		child, addr := actor.SpawnValue(t.Context(), actor.Config{Capacity: actor.Bounded(2)},
			func(ctx context.Context, in *actor.Inbox[int]) (n int, err error) {
				<-in.Halting()
				if _, err := in.TryRecv(); err != actor.ErrHalted {
					t.Errorf("TryRecv: %v", err)
				}
				for want := range 2 {
					if m, err := in.Recv(ended); m != want || err != nil {
						t.Errorf("Recv with an ended context: %d, %v", m, err)
					}
				}
				return 0, nil
			})
		if err := addr.Send(ended, 0); err != nil {
			t.Errorf("Send with room: %v", err)
		}
		if n, err := addr.SendAll(ended, []int{1, 2, 3}); n != 1 || !errors.Is(err, context.Canceled) {
			t.Errorf("SendAll with room for one: %d, %v", n, err)
		}
		if err := addr.Send(ended, 4); !errors.Is(err, context.Canceled) {
			t.Errorf("Send without room: %v", err)
		}
		if _, err := child.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestS9SendAllAcceptsAPrefix(t *testing.T) {
	msgs := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	for _, end := range []string{"room", "close", "context"} {
		for _, capacity := range []actor.Capacity{actor.Bounded(3), actor.Backpressure(3, time.Minute, 2)} {
			synctest.Test(t, func(t *testing.T) {
				var got list[int]
				step := make(chan struct{})
				child, addr := actor.Spawn(t.Context(), actor.Config{Capacity: capacity}, sendStepped(step, &got))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				type result struct {
					n   int
					err error
				}
				c := make(chan result, 1)
				go func() {
					n, err := addr.SendAll(ctx, msgs)
					c <- result{n, err}
				}()
				synctest.Wait()
				step <- struct{}{}
				step <- struct{}{}
				synctest.Wait()
				var want error
				switch end {
				case "close":
					child.Close()
					want = actor.ErrClosed
				case "context":
					cancel()
					want = context.Canceled
				}
				synctest.Wait()
				close(step)
				r := <-c
				if !errors.Is(r.err, want) || (r.err == nil) != (r.n == len(msgs)) || want != nil && r.n != 5 {
					t.Errorf("%v, %s: SendAll is %d, %v", capacity, end, r.n, r.err)
				}
				if _, err := child.Drain(t.Context()); err != nil {
					t.Error(err)
				}
				if all := got.get(); !slices.Equal(all, msgs[:r.n]) {
					t.Errorf("%v, %s: SendAll accepted %d, received %v", capacity, end, r.n, all)
				}
				if n, err := addr.SendAll(ctx, nil); n != 0 || err != nil {
					t.Errorf("SendAll of nothing: %d, %v", n, err)
				}
			})
		}
	}
}
