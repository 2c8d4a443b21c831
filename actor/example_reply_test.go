package actor_test

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"tinyactor/actor"
)

// A Reply may be kept. This actor answers when three have asked.
func ExampleReply() {
	type arrival struct{ actor.Reply[int] }

	ctx := context.Background()
	child, addr := actor.Spawn(ctx, actor.Config{Name: "barrier"},
		func(ctx context.Context, in *actor.Inbox[arrival]) error {
			var waiting []arrival
			for m := range in.Messages(ctx) {
				if waiting = append(waiting, m); len(waiting) < 3 {
					continue
				}
				for _, w := range waiting {
					w.Answer(len(waiting), nil)
				}
				waiting = nil
			}
			return in.Err()
		})
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			n, err := actor.Ask(ctx, addr, func(r actor.Reply[int]) arrival { return arrival{r} })
			fmt.Println(n, err)
		})
	}
	group.Wait()
	child.Stop(ctx)
	// Output:
	// 3 <nil>
	// 3 <nil>
	// 3 <nil>
}

// An Ask ends with the process that has received the message.
func ExampleAsk_noReply() {
	ctx := context.Background()
	child, addr := actor.Spawn(ctx, actor.Config{Name: "forgetful"},
		func(ctx context.Context, in *actor.Inbox[actor.Reply[string]]) error {
			_, err := in.Recv(ctx)
			return err // without an answer
		})
	ask := func() error {
		_, err := actor.Ask(ctx, addr, func(r actor.Reply[string]) actor.Reply[string] { return r })
		return err
	}
	fmt.Println("accepted, and no answer can come:", errors.Is(ask(), actor.ErrNoReply))
	child.Wait(ctx)
	fmt.Println("not accepted:", errors.Is(ask(), actor.ErrClosed))
	// Output:
	// accepted, and no answer can come: true
	// not accepted: true
}
