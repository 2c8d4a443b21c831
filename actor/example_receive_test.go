package actor_test

import (
	"context"
	"fmt"
	"time"

	"tinyactor/actor"
)

// A body that wants to know why it ends. What is queued at a halt stays queued.
func ExampleInbox_Recv() {
	ctx := context.Background()
	body := func(ctx context.Context, in *actor.Inbox[string]) error {
		for {
			switch m, err := in.Recv(ctx); err {
			case nil:
				fmt.Println("received", m)
			case actor.ErrHalted:
				fmt.Println("asked to stop")
				return err
			case actor.ErrClosed:
				fmt.Println("nothing can come any more")
				return err
			default: // ctx's error, if it is not the process's own
				return err
			}
		}
	}
	child, addr := actor.Spawn(ctx, actor.Config{Name: "drained"}, body)
	addr.Send(ctx, "a letter")
	child.Drain(ctx)

	child, _ = actor.Spawn(ctx, actor.Config{Name: "stopped"}, body)
	child.Stop(ctx)
	// Output:
	// received a letter
	// nothing can come any more
	// asked to stop
}

func ExampleInbox_TryRecv() {
	ctx := context.Background()
	child, addr := actor.Spawn(ctx, actor.Config{},
		func(ctx context.Context, in *actor.Inbox[int]) error {
			n, err := in.Recv(ctx) // waits
			fmt.Println(n, err)
			n, err = in.TryRecv() // does not
			fmt.Println(n, err == actor.ErrEmpty)
			return nil
		})
	addr.Send(ctx, 1)
	child.Wait(ctx)
	// Output:
	// 1 <nil>
	// 0 true
}

// An inbox beside another channel.
func ExampleInbox_Ready() {
	ctx := context.Background()
	numbers := make(chan int)
	child, addr := actor.SpawnValue(ctx, actor.Config{},
		func(ctx context.Context, in *actor.Inbox[int]) (sum int, err error) {
			ready := in.Ready()
			for {
				select {
				case <-ready:
					n, err := in.TryRecv()
					if err == actor.ErrEmpty {
						continue
					}
					if err != nil {
						return sum, err
					}
					sum += n
				case n := <-numbers:
					sum += n
				}
			}
		})
	addr.Send(ctx, 1)
	numbers <- 10
	addr.Send(ctx, 100)
	fmt.Println(child.Drain(ctx))
	// Output: 111 <nil>
}

func ExampleInbox_RecvBatch() {
	ctx := context.Background()
	child, addr := actor.Spawn(ctx, actor.Config{},
		func(ctx context.Context, in *actor.Inbox[int]) error {
			batch := make([]int, 4)
			for {
				n, err := in.RecvBatch(ctx, batch, time.Minute) // or less: at the end
				if err != nil {
					return err
				}
				fmt.Println(batch[:n])
			}
		})
	addr.SendAll(ctx, []int{1, 2, 3, 4, 5, 6})
	child.Drain(ctx)
	// Output:
	// [1 2 3 4]
	// [5 6]
}
