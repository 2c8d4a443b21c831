package actor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"tinyactor/actor"
)

func ExampleSpawnPool() {
	ctx := context.Background()
	pool, addr := actor.SpawnPool(ctx, actor.Config{Name: "adders"}, 3,
		func(ctx context.Context, in *actor.Inbox[int]) (sum int, err error) {
			for n := range in.Messages(ctx) {
				sum += n
			}
			return sum, in.Err()
		})
	for n := range 101 {
		addr.Send(ctx, n) // one of the three gets it
	}
	exits, err := pool.Drain(ctx)
	sum := 0
	for _, exit := range exits {
		sum += exit.Value
	}
	fmt.Println(len(exits), "processes, sum", sum, err)
	// Output: 3 processes, sum 5050 <nil>
}

// A pool may grow and shrink.
func ExamplePool() {
	ctx := context.Background()
	body := actor.NoValue(func(ctx context.Context, in *actor.Inbox[string]) error {
		for range in.Messages(ctx) {
		}
		return in.Err()
	})
	var pool *actor.Pool[string, actor.None]
	pool, _ = actor.SpawnPool(ctx, actor.Config{}, 1, body)
	for range 3 {
		if err := pool.Spawn(body); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(pool.Processes(), "processes")

	pool.HaltSome(2)
	gone := 0
	for exit := range pool.Exits(ctx) {
		fmt.Println("one less:", exit.Err)
		if gone++; gone == 2 {
			break
		}
	}
	fmt.Println(pool.Processes(), "processes")
	pool.Stop(ctx)
	// Output:
	// 4 processes
	// one less: <nil>
	// one less: <nil>
	// 2 processes
}

// The exits of a pool tell of each of its processes how it ended.
func ExampleExit() {
	ctx := context.Background()
	pool, addr := actor.SpawnPool(ctx, actor.Config{}, 3,
		func(ctx context.Context, in *actor.Inbox[string]) (n int, err error) {
			for word := range in.Messages(ctx) {
				if word == "poison" {
					return n, errors.New("poisoned")
				}
				n++
			}
			return n, in.Err()
		})
	addr.SendAll(ctx, []string{"bread", "poison", "butter"})
	exits, _ := pool.Drain(ctx)

	eaten := 0
	for _, exit := range exits {
		eaten += exit.Value
	}
	fmt.Println("eaten:", eaten)
	bad := slices.IndexFunc(exits, func(e actor.Exit[int]) bool { return e.Err != nil })
	fmt.Println("an exit:", exits[bad].Err)
	// Output:
	// eaten: 2
	// an exit: poisoned
}
