package actor_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// Case 2.
func TestS4CapacityIsWhatWasAskedFor(t *testing.T) {
	for _, tt := range []struct {
		capacity, want actor.Capacity
		text           string
	}{
		{actor.Bounded(10), actor.Bounded(10), "Bounded(10)"},
		{actor.Unbounded(), actor.Unbounded(), "Unbounded()"},
		{actor.Backpressure(5, time.Millisecond, 1.5), actor.Backpressure(5, time.Millisecond, 1.5), "Backpressure(5, 1ms, 1.5)"},
		{actor.Capacity{}, actor.DefaultCapacity, actor.DefaultCapacity.String()},
	} {
		child, addr := actor.Spawn(t.Context(), actor.Config{Capacity: tt.capacity}, keep(new(list[int])))
		if got := addr.Capacity(); got != tt.want || got.String() != tt.text {
			t.Errorf("Capacity of %v is %v, want %v", tt.capacity, got, tt.want)
		}
		if _, err := child.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// Case 16.
func TestS4WaitingSendersKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit, waiters = 3, 10
		var got list[int]
		step := make(chan struct{})
		child, addr := actor.Spawn(t.Context(), actor.Config{Capacity: actor.Bounded(limit)}, sendStepped(step, &got))
		var want []int
		for i := range limit {
			want = append(want, i)
			if err := addr.Send(t.Context(), i); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		var waits []<-chan error
		for i := range waiters {
			c := t.Context()
			if i%4 == 2 {
				c = ctx
			} else {
				want = append(want, limit+i)
			}
			waits = append(waits, sendGo(c, addr, limit+i))
			synctest.Wait()
		}
		cancel()
		synctest.Wait()
		for i, c := range waits {
			if i%4 == 2 {
				sendWantErr(t, "a cancelled Send", c, context.Canceled)
			}
		}
		for k := range 4 {
			if err := addr.TrySend(-1); !errors.Is(err, actor.ErrFull) {
				t.Errorf("TrySend overtakes: %v", err)
			}
			if n := addr.Len(); n != limit {
				t.Errorf("Len is %d, want %d", n, limit)
			}
			step <- struct{}{}
			synctest.Wait()
			returned := 0
			for i, c := range waits {
				if i%4 != 2 && len(c) > 0 {
					returned++
				}
			}
			if returned != k+1 {
				t.Errorf("after %d receives %d senders have got room", k+1, returned)
			}
		}
		close(step)
		synctest.Wait()
		for i, c := range waits {
			if i%4 != 2 {
				sendWantErr(t, "a Send that waited", c, nil)
			}
		}
		if _, err := child.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		if all := got.get(); !slices.Equal(all, want) {
			t.Errorf("received %v, want %v", all, want)
		}
	})
}

// Senders, some of which give up, and more than fit: never more than n are in,
// and exactly those whose Send said nil.
func TestS4NeverMoreThanItsBound(t *testing.T) {
	const limit, senders, each = 2, 6, 200
	var mu sync.Mutex
	seen := make(map[int]int)
	child, addr := actor.Spawn(t.Context(), actor.Config{Capacity: actor.Bounded(limit)},
		func(ctx context.Context, in *actor.Inbox[int]) error {
			for m := range in.Messages(ctx) {
				if n := in.Len(); n > limit {
					t.Errorf("%d messages in a Bounded(%d)", n, limit)
				}
				mu.Lock()
				seen[m]++
				mu.Unlock()
			}
			return in.Err()
		})
	var wg sync.WaitGroup
	var accepted list[int]
	for s := range senders {
		wg.Go(func() {
			for i := range each {
				ctx, cancel := context.WithCancel(t.Context())
				if s%2 == 0 {
					go cancel()
				}
				m := s*each + i
				switch err := addr.Send(ctx, m); {
				case err == nil:
					accepted.add(m)
				case s%2 != 0 || !errors.Is(err, context.Canceled):
					t.Error(err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	if _, err := child.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	for _, m := range accepted.get() {
		if seen[m] != 1 {
			t.Errorf("accepted message %d was received %d times", m, seen[m])
		}
		delete(seen, m)
	}
	if len(seen) > 0 {
		t.Errorf("%d messages were received though their Send failed", len(seen))
	}
}

// Memory is taken as messages come: this bound would not fit.
func TestS4BoundTakesNoMemoryInAdvance(t *testing.T) {
	child, addr := actor.Spawn(t.Context(), actor.Config{Capacity: actor.Bounded(math.MaxInt)}, keep(new(list[[1024]byte])))
	if err := addr.Send(t.Context(), [1024]byte{}); err != nil {
		t.Error(err)
	}
	if _, err := child.Drain(t.Context()); err != nil {
		t.Error(err)
	}
}

// A process that waited for room in its own inbox would wait for itself.
func TestS4FullInboxOfOnesOwn(t *testing.T) {
	type key struct{}
	for _, n := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			other, elsewhere := actor.Spawn(t.Context(), actor.Config{Capacity: actor.Bounded(1)}, keep(new(list[int])))
			var tried sync.WaitGroup
			tried.Add(n)
			body := func(ctx context.Context, in *actor.Inbox[int]) (actor.None, error) {
				self := in.Address()
				for self.TrySend(1) == nil {
				}
				derived, cancel := context.WithTimeout(context.WithValue(ctx, key{}, 1), time.Hour)
				defer cancel()
				begin := time.Now()
				for _, c := range []context.Context{ctx, derived} {
					if err := self.Send(c, 2); !errors.Is(err, actor.ErrFull) || !strings.Contains(err.Error(), "self") {
						t.Errorf("Send to itself: %v", err)
					}
					if n, err := self.SendAll(c, []int{2, 3}); n != 0 || !errors.Is(err, actor.ErrFull) {
						t.Errorf("SendAll to itself: %d, %v", n, err)
					}
					if err := elsewhere.Send(c, 2); err != nil { // it may wait there
						t.Errorf("Send elsewhere: %v", err)
					}
				}
				if d := time.Since(begin); d != 0 {
					t.Errorf("a Send to itself waited %v", d)
				}
				tried.Done()
				tried.Wait()
				return actor.None{}, keep(new(list[int]))(ctx, in)
			}
			pool, _ := actor.SpawnPool(t.Context(), actor.Config{Name: "self", Capacity: actor.Bounded(2)}, n, body)
			tried.Wait()
			if _, err := pool.Drain(t.Context()); err != nil {
				t.Error(err)
			}
			if _, err := other.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// Case 3, with everybody at real actors.
func TestS4CloseAndContextEndEveryWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		child, addr := actor.Spawn(t.Context(), actor.Config{Capacity: actor.Bounded(1), Undelivered: func(any) {}}, until[int](release))
		if err := addr.Send(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		gone, leave := context.WithCancelCause(t.Context())
		var timed, left, closed []<-chan error
		for i := range 10 {
			timed = append(timed, sendGo(ctx, addr, i))
			left = append(left, sendGo(gone, addr, i))
			closed = append(closed, sendGo(context.Background(), addr, i))
		}
		check := func(what string, all []<-chan error, want error) {
			t.Helper()
			synctest.Wait()
			for _, c := range all {
				sendWantErr(t, what, c, want)
			}
		}
		time.Sleep(time.Minute)
		check("a Send whose time is over", timed, context.DeadlineExceeded)
		leave(errors.New("a cause"))
		check("a cancelled Send", left, context.Canceled)
		if n := addr.Len(); n != 1 {
			t.Errorf("Len is %d, want 1", n)
		}
		child.Halt()
		check("a Send at the halt", closed, actor.ErrClosed)
		select {
		case <-child.Done():
			t.Error("Done is closed while the body runs")
		default:
		}
		close(release)
		<-child.Done()
	})
}
