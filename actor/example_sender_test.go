package actor_test

import (
	"context"
	"fmt"

	"tinyactor/actor"
)

// reported is a Sender that says what goes through it. It passes ctx on, so
// that an Ask through it ends as any other.
type reported[M any] struct{ to actor.Sender[M] }

func (r reported[M]) Send(ctx context.Context, msg M) error {
	err := r.to.Send(ctx, msg)
	fmt.Printf("sent %v: %v\n", msg, err)
	return err
}

func (r reported[M]) TrySend(msg M) error {
	err := r.to.TrySend(msg)
	fmt.Printf("sent %v: %v\n", msg, err)
	return err
}

func ExampleSender() {
	ctx := context.Background()
	child, addr := actor.SpawnValue(ctx, actor.Config{},
		func(ctx context.Context, in *actor.Inbox[int]) (sum int, err error) {
			for n := range in.Messages(ctx) {
				sum += n
			}
			return sum, in.Err()
		})
	var to actor.Sender[int] = reported[int]{addr}
	to.Send(ctx, 4)
	to.TrySend(5)
	fmt.Println(child.Drain(ctx))
	// Output:
	// sent 4: <nil>
	// sent 5: <nil>
	// 9 <nil>
}
