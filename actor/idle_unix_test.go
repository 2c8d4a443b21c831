//go:build unix

package actor_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tinyactor/actor"
)

// cpuTime returns how long the processors have worked for this program.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Actors that wait need no time: ten thousand of them, each of which has received
// a message, let the processors rest. Not in parallel: it is the whole program
// that is measured. Others may still be at their end; so it looks again.
func TestC4IdleActorsNeedNoTime(t *testing.T) {
	if testing.Short() {
		t.Skip("takes five seconds of waiting")
	}
	const actors, rest, most = 10_000, 5 * time.Second, 10 * time.Millisecond
	var received atomic.Int64
	ways := []rxStep{
		rxRecv,
		rxStepOfMessages,
		rxBatch(2, 0),
		rxSelect,
		func(ctx context.Context, in *actor.Inbox[int]) string {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			return rxRecv(ctx, in)
		},
	}
	owner, cancel := context.WithCancel(t.Context())
	addrs := make([]*actor.Address[int], actors)
	for i := range addrs {
		recv := ways[i%len(ways)]
		_, addrs[i] = actor.Spawn(owner, actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
			for {
				switch recv(ctx, in) {
				case "halted", "closed":
					return nil
				default:
					received.Add(1)
				}
			}
		})
	}
	all := func(n int64) {
		for _, a := range addrs {
			if err := a.Send(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		}
		for end := time.Now().Add(20 * time.Second); received.Load() < n; runtime.Gosched() {
			if time.Now().After(end) {
				t.Fatalf("%d messages received, want %d", received.Load(), n)
			}
		}
	}
	all(actors)
	var used time.Duration
	for range 3 {
		runtime.GC()
		runtime.GC() // the first one's sweep is over
		before := cpuTime(t)
		time.Sleep(rest) // what is measured, not a wait for something
		if used = cpuTime(t) - before; used < most {
			break
		}
	}
	if used >= most {
		t.Errorf("%d idle actors used %v of processor time in %v, want less than %v", actors, used, rest, most)
	}
	t.Logf("%v of processor time in %v", used, rest)
	all(2 * actors) // none sleeps for ever
	cancel()
	for _, a := range addrs {
		<-a.Done()
	}
}
