package actor

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// What is over leaves nothing behind in the actors that live on: no hook of a
// timer or a watch that was stopped, or that has sent what it had to send.
func TestS11X7NothingIsLeftOfWhatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := func(ctx context.Context, in *Inbox[int]) error {
			for range in.Messages(ctx) {
			}
			return in.Err()
		}
		child, addr := Spawn(t.Context(), Config{}, body)
		other, otherAddr := Spawn(t.Context(), Config{}, body)
		passing, passingAddr := Spawn(t.Context(), Config{}, body)
		exit := func(error) int { return 0 }
		for range 10 {
			addr.SendAfter(time.Hour, 1)()
			addr.SendEvery(time.Hour, 1)()
			addr.SendAfter(0, 1)
			addr.SendAfter(time.Second, 1)
			addr.Watch(otherAddr, exit)()
			addr.Watch(passingAddr, exit)
			passingAddr.Watch(otherAddr, exit)
			passingAddr.SendAfter(time.Hour, 1)
		}
		time.Sleep(time.Minute)
		passing.Stop(t.Context())
		synctest.Wait()
		for _, c := range []*core{addr.actor(), otherAddr.actor()} {
			c.mu.Lock()
			if n := len(c.hooks); n != 0 {
				t.Errorf("%s still has %d hooks", c.who(), n)
			}
			c.mu.Unlock()
		}
		child.Stop(t.Context())
		other.Stop(t.Context())
	})
}

// A timer that is over forgets its message at once, not when it would have come.
func TestS11TimersThatAreOverAreFreed(t *testing.T) {
	var freed atomic.Int32
	message := func() *[64]byte {
		m := new([64]byte)
		runtime.AddCleanup(m, func(int) { freed.Add(1) }, 0)
		return m
	}
	body := func(ctx context.Context, in *Inbox[*[64]byte]) error {
		for range in.Messages(ctx) {
		}
		return in.Err()
	}
	living, livingAddr := Spawn(t.Context(), Config{}, body)
	ended, endedAddr := Spawn(t.Context(), Config{}, body)
	stop := []func() bool{
		livingAddr.SendAfter(time.Hour, message()),
		livingAddr.SendEvery(time.Hour, message()),
		endedAddr.SendAfter(time.Hour, message()),
		endedAddr.SendEvery(time.Hour, message()),
	}
	stop[0]()
	stop[1]()
	ended.Stop(t.Context())
	for start := time.Now(); freed.Load() < 4; runtime.GC() {
		if time.Since(start) > 10*time.Second {
			t.Fatalf("%d of 4 messages are freed", freed.Load())
		}
	}
	living.Stop(t.Context())
	runtime.KeepAlive(endedAddr)
}
