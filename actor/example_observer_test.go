package actor_test

import (
	"context"
	"fmt"

	"tinyactor/actor"
)

// diary is an Observer that writes down what happens to actors, until one of
// them has ended.
type diary chan bool

func (d diary) Observe(e actor.Event) {
	fmt.Println(e.Name, e.Kind)
	if e.Kind == actor.EventEnded {
		close(d)
	}
}

func ExampleWithObserver() {
	d := make(diary)
	ctx := actor.WithObserver(context.Background(), d)
	child, addr := actor.Spawn(ctx, actor.Config{Name: "short"},
		func(ctx context.Context, in *actor.Inbox[int]) error {
			for range in.Messages(ctx) {
			}
			return in.Err()
		})
	addr.Send(ctx, 1) // nothing is told per message
	child.Drain(ctx)
	<-d // an observer has its own goroutine
	// Output:
	// short spawned
	// short closed
	// short exited
	// short ended
}
