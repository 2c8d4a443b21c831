package actor_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

const sendMs = time.Millisecond

// sendDelays sends n messages to an actor that receives none and returns how long
// each Send took.
func sendDelays(t *testing.T, addr *actor.Address[int], n int) []time.Duration {
	t.Helper()
	var all []time.Duration
	for i := range n {
		begin := time.Now()
		if err := addr.Send(t.Context(), i); err != nil {
			t.Fatal(err)
		}
		all = append(all, time.Since(begin))
	}
	return all
}

// Cases 17 and 18.
func TestS6SendIsDelayedByTheFormula(t *testing.T) {
	us := time.Microsecond
	for _, tt := range []struct {
		capacity actor.Capacity
		want     []time.Duration
	}{
		{actor.Backpressure(1, sendMs, 1), []time.Duration{0, 1 * sendMs, 2 * sendMs, 3 * sendMs, 4 * sendMs}},
		{actor.Backpressure(3, 4*sendMs, 1), []time.Duration{0, 0, 0, 4 * sendMs, 8 * sendMs, 10 * sendMs, 10 * sendMs}},
		{actor.Backpressure(2, 3*sendMs, 2), []time.Duration{0, 0, 3 * sendMs, 6 * sendMs, 10 * sendMs}},
		{actor.Backpressure(1, 20*us, 2), []time.Duration{0, 0, 0, 80 * us, 160 * us, 320 * us}}, // 20 and 40 µs are yields
		{actor.Backpressure(1, time.Hour, 1), []time.Duration{0, 10 * sendMs}},
		{actor.Backpressure(1, sendMs, math.MaxFloat64), []time.Duration{0, sendMs, 10 * sendMs, 10 * sendMs}},
		{actor.Backpressure(1, math.MaxInt64, 1e300), []time.Duration{0, 10 * sendMs, 10 * sendMs, 10 * sendMs}},
		{actor.Backpressure(1, 0, 2), []time.Duration{0, 0, 0, 0}},
		{actor.Unbounded(), []time.Duration{0, 0, 0, 0}},
	} {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			child, addr := actor.Spawn(t.Context(), actor.Config{Capacity: tt.capacity}, sendPaused(release, new(list[int])))
			if got := sendDelays(t, addr, len(tt.want)); !slices.Equal(got, tt.want) {
				t.Errorf("%v: delays %v, want %v", tt.capacity, got, tt.want)
			}
			close(release)
			if _, err := child.Drain(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// Case 17: a delay hears of everything that makes it pointless, and whoever is
// delayed has sent nothing yet.
func TestS6DelayEndsEarly(t *testing.T) {
	const start = 2
	for _, tt := range []struct {
		what string
		end  func(child *actor.Child[int, actor.None], cancel context.CancelFunc, step chan<- struct{})
		want error
	}{
		{"close", func(c *actor.Child[int, actor.None], _ context.CancelFunc, _ chan<- struct{}) { c.Close() }, actor.ErrClosed},
		{"halt", func(c *actor.Child[int, actor.None], _ context.CancelFunc, _ chan<- struct{}) { c.Halt() }, actor.ErrClosed},
		{"abort", func(c *actor.Child[int, actor.None], _ context.CancelFunc, _ chan<- struct{}) { c.Abort() }, actor.ErrClosed},
		{"context", func(_ *actor.Child[int, actor.None], cancel context.CancelFunc, _ chan<- struct{}) { cancel() }, context.Canceled},
		{"room", func(_ *actor.Child[int, actor.None], _ context.CancelFunc, step chan<- struct{}) { step <- struct{}{} }, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			var got list[int]
			step := make(chan struct{})
			cfg := actor.Config{Capacity: actor.Backpressure(start, time.Hour, 1), Undelivered: got.addAny}
			child, addr := actor.Spawn(t.Context(), cfg, sendStepped(step, &got))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			for i := range start + 1 {
				if err := addr.SendNow(i); err != nil {
					t.Fatal(err)
				}
			}
			begin := time.Now()
			waits := []<-chan error{sendGo(ctx, addr, 10), sendGo(ctx, addr, 10)}
			time.Sleep(sendMs)
			synctest.Wait()
			if n := addr.Len(); n != start+1 {
				t.Errorf("%s: Len is %d while two are delayed", tt.what, n)
			}
			tt.end(child, cancel, step)
			synctest.Wait()
			for _, c := range waits {
				sendWantErr(t, "a delayed Send at "+tt.what, c, tt.want)
			}
			if d := time.Since(begin); d != sendMs {
				t.Errorf("%s: the delay took %v more", tt.what, d-sendMs)
			}
			child.Close()
			close(step)
			<-child.Done()
			want := []int{0, 1, 2}
			if tt.want == nil {
				want = append(want, 10, 10)
			}
			if all := got.get(); !slices.Equal(all, want) {
				t.Errorf("%s: %v came out, want %v", tt.what, all, want)
			}
		})
	}
}

func TestS6SendAllIsDelayedMessageByMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		child, addr := actor.Spawn(t.Context(), actor.Config{Capacity: actor.Backpressure(2, sendMs, 1)}, sendPaused(release, new(list[int])))
		begin := time.Now()
		if n, err := addr.SendAll(t.Context(), make([]int, 5)); n != 5 || err != nil {
			t.Errorf("SendAll is %d, %v", n, err)
		}
		if d := time.Since(begin); d != 6*sendMs {
			t.Errorf("SendAll of 5 from 2 on took %v, want 1+2+3 ms", d)
		}
		close(release)
		if _, err := child.Drain(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Behind an actor that takes nothing the queue grows slowly, and yet no sender
// waits for ever.
func TestS7DefaultCapacityBehindAStuckConsumer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		child, addr := actor.Spawn(t.Context(), actor.Config{}, sendPaused(release, new(list[int])))
		ctx, cancel := context.WithCancel(t.Context())
		const senders = 3
		ended := make(chan error, senders)
		longest := make(chan time.Duration, senders)
		for range senders {
			go func() {
				most := time.Duration(0)
				for {
					begin := time.Now()
					err := addr.Send(ctx, 0)
					most = max(most, time.Since(begin))
					if err != nil {
						ended <- err
						longest <- most
						return
					}
				}
			}()
		}
		time.Sleep(time.Nanosecond)
		mark := addr.Len() // nobody is delayed before
		if mark < 1000 || mark > 10_000 {
			t.Errorf("the first delay comes with %d messages, want some thousand", mark)
		}
		time.Sleep(time.Minute) // by now delays have reached their limit
		for range 5 {
			before := addr.Len()
			time.Sleep(10 * time.Second)
			if grown := addr.Len() - before; grown > senders*1000 || grown < senders*900 {
				t.Errorf("in 10 s %d senders added %d messages, want 100 per second each at most, and not much less", senders, grown)
			}
		}
		cancel()
		for range senders {
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			if most := <-longest; most > 10*sendMs {
				t.Errorf("a Send took %v", most)
			}
		}
		close(release)
		if _, err := child.Drain(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// DefaultCapacity is a variable of the program; the zero Capacity is not one to
// set it to, and means what it was.
func TestS7DefaultCapacityCanBeSet(t *testing.T) {
	before := actor.DefaultCapacity
	defer func() { actor.DefaultCapacity = before }()
	for _, tt := range []struct{ set, want actor.Capacity }{
		{actor.Bounded(7), actor.Bounded(7)},
		{actor.Capacity{}, before},
	} {
		actor.DefaultCapacity = tt.set
		child, addr := actor.Spawn(t.Context(), actor.Config{}, keep(new(list[int])))
		if got := addr.Capacity(); got != tt.want {
			t.Errorf("with DefaultCapacity %v an actor has %v, want %v", tt.set, got, tt.want)
		}
		if _, err := child.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
