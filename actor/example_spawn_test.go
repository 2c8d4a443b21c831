package actor_test

import (
	"context"
	"fmt"

	"tinyactor/actor"
)

func ExampleSpawn() {
	ctx := context.Background()
	child, addr := actor.Spawn(ctx, actor.Config{Name: "greeter"},
		func(ctx context.Context, in *actor.Inbox[string]) error {
			return in.Serve(ctx, func(_ context.Context, name string) error {
				fmt.Printf("Hello, %s!\n", name)
				return nil
			})
		})
	addr.Send(ctx, "Ada")
	addr.Send(ctx, "Rob")
	_, err := child.Drain(ctx)
	fmt.Println(err)
	// Output:
	// Hello, Ada!
	// Hello, Rob!
	// <nil>
}

// With the context of a process as owner, the new actor belongs to that process,
// which does not end before it has.
func ExampleSpawn_child() {
	wait := func(ctx context.Context, in *actor.Inbox[string]) error {
		_, err := in.Recv(ctx)
		return err
	}
	ctx := context.Background()
	parent, _ := actor.SpawnValue(ctx, actor.Config{Name: "parent"},
		func(ctx context.Context, in *actor.Inbox[string]) (actor.Ref, error) {
			child, _ := actor.Spawn(ctx, actor.Config{Name: "child"}, wait)
			return child, wait(ctx, in)
		})
	child, _ := parent.Stop(ctx)
	select {
	case <-child.Done():
		fmt.Println("the child has ended too")
	default:
		fmt.Println("the child is still there")
	}
	// Output: the child has ended too
}

func ExampleSpawnValue() {
	ctx := context.Background()
	child, addr := actor.SpawnValue(ctx, actor.Config{Name: "words"},
		func(ctx context.Context, in *actor.Inbox[string]) (map[string]int, error) {
			counts := make(map[string]int)
			for word := range in.Messages(ctx) {
				counts[word]++
			}
			return counts, in.Err()
		})
	addr.SendAll(ctx, []string{"to", "be", "or", "not", "to", "be"})
	counts, err := child.Drain(ctx)
	fmt.Println(counts, err)
	// Output: map[be:2 not:1 or:1 to:2] <nil>
}

// An actor has one owner, a Child, and any number of senders, who share its
// Address.
func ExampleChild() {
	type counter struct {
		*actor.Child[int, int]
		senders []*actor.Address[int]
	}
	ctx := context.Background()
	child, addr := actor.SpawnValue(ctx, actor.Config{Name: "counter"},
		func(ctx context.Context, in *actor.Inbox[int]) (sum int, err error) {
			for n := range in.Messages(ctx) {
				sum += n
			}
			return sum, in.Err()
		})
	c := counter{child, []*actor.Address[int]{addr, addr, child.Address()}}
	for _, to := range c.senders {
		to.Send(ctx, 7)
	}
	fmt.Println(c.Drain(ctx))
	// Output: 21 <nil>
}

func ExampleNoValue() {
	ctx := context.Background()
	body := func(ctx context.Context, in *actor.Inbox[string]) error {
		for line := range in.Messages(ctx) {
			fmt.Println(line)
		}
		return in.Err()
	}
	var pool *actor.Pool[string, actor.None]
	pool, addr := actor.SpawnPool(ctx, actor.Config{Name: "printers"}, 2, actor.NoValue(body))
	addr.Send(ctx, "one of the two prints this")
	_, err := pool.Drain(ctx)
	fmt.Println(err)
	// Output:
	// one of the two prints this
	// <nil>
}
