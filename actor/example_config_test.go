package actor_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tinyactor/actor"
)

// untilHalted is the body of an actor that takes no message.
func untilHalted[M any](_ context.Context, in *actor.Inbox[M]) error {
	<-in.Halting()
	return nil
}

// What was accepted and not received is handed back.
func ExampleConfig() {
	ctx := context.Background()
	child, addr := actor.Spawn(ctx, actor.Config{
		Name:        "idler",
		Capacity:    actor.Bounded(16),
		Undelivered: func(msg any) { fmt.Println("undelivered:", msg) },
	}, func(_ context.Context, in *actor.Inbox[int]) error {
		<-in.Halting()
		return nil
	})
	addr.SendAll(ctx, []int{1, 2, 3})
	_, err := child.Stop(ctx)
	fmt.Println(err)
	// Output:
	// undelivered: 1
	// undelivered: 2
	// undelivered: 3
	// <nil>
}

// When its owner ends, this actor finishes what is queued first, for which it
// may take twice as long as is usual.
func ExampleConfig_drain() {
	owner, cancel := context.WithCancel(context.Background())
	child, addr := actor.SpawnValue(owner, actor.Config{
		Name:       "careful",
		Drain:      true,
		AbortTimer: 2 * actor.DefaultAbortTimer,
	}, func(ctx context.Context, in *actor.Inbox[int]) (n int, err error) {
		for range in.Messages(ctx) {
			n++
		}
		return n, in.Err()
	})
	addr.SendAll(owner, make([]int, 1000))
	cancel()
	n, err := child.Wait(context.Background())
	fmt.Println(n, err)
	// Output: 1000 <nil>
}

func ExampleBounded() {
	ctx := context.Background()
	cfg := actor.Config{Capacity: actor.Bounded(2), Undelivered: func(any) {}}
	child, addr := actor.Spawn(ctx, cfg, untilHalted[int])
	for n := range 3 {
		err := addr.TrySend(n) // Send would wait for room
		fmt.Println(n, errors.Is(err, actor.ErrFull))
	}
	child.Stop(ctx)
	// Output:
	// 0 false
	// 1 false
	// 2 true
}

func ExampleUnbounded() {
	ctx := context.Background()
	cfg := actor.Config{Capacity: actor.Unbounded(), Undelivered: func(any) {}}
	child, addr := actor.Spawn(ctx, cfg, untilHalted[int])
	n, err := addr.SendAll(ctx, make([]int, 100_000)) // waits for nobody
	fmt.Println(n, err, addr.Len())
	child.Stop(ctx)
	// Output: 100000 <nil> 100000
}

// From 1000 messages on, each further one delays the next sender by 1 µs more.
func ExampleBackpressure() {
	ctx := context.Background()
	cfg := actor.Config{
		Capacity:    actor.Backpressure(1000, time.Microsecond, 1),
		Undelivered: func(any) {},
	}
	child, addr := actor.Spawn(ctx, cfg, untilHalted[int])
	addr.SendAll(ctx, make([]int, 1000))
	fmt.Println("TrySend would be delayed:", errors.Is(addr.TrySend(1), actor.ErrFull))
	fmt.Println("SendNow does not care:", addr.SendNow(1))
	child.Stop(ctx)
	// Output:
	// TrySend would be delayed: true
	// SendNow does not care: <nil>
}

// A capacity can be compared and printed.
func ExampleCapacity() {
	ctx := context.Background()
	show := func(c actor.Capacity) {
		child, addr := actor.Spawn(ctx, actor.Config{Capacity: c}, untilHalted[int])
		fmt.Println(c, "default:", addr.Capacity() == actor.DefaultCapacity)
		child.Stop(ctx)
	}
	show(actor.Capacity{})
	show(actor.Bounded(16))
	// Output:
	// DefaultCapacity default: true
	// Bounded(16) default: false
}
