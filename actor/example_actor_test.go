package actor_test

import (
	"context"
	"fmt"

	"tinyactor/actor"
)

// An actor whose state is a local variable of its body.
func Example() {
	ctx := context.Background()
	child, addr := actor.Spawn(ctx, actor.Config{Name: "counter"},
		func(ctx context.Context, in *actor.Inbox[int]) error {
			sum := 0
			for n := range in.Messages(ctx) {
				sum += n
			}
			fmt.Println("sum:", sum)
			return in.Err()
		})
	for n := range 10 {
		if err := addr.Send(ctx, n); err != nil {
			fmt.Println(err)
		}
	}
	_, err := child.Drain(ctx) // takes no more, works off what is queued, waits
	fmt.Println("error:", err)
	// Output:
	// sum: 45
	// error: <nil>
}
