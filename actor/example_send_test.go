package actor_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tinyactor/actor"
)

// One address serves all senders.
func ExampleAddress() {
	ctx := context.Background()
	child, addr := actor.SpawnValue(ctx, actor.Config{},
		func(ctx context.Context, in *actor.Inbox[int]) (sum int, err error) {
			for n := range in.Messages(ctx) {
				sum += n
			}
			return sum, in.Err()
		})
	count := func(to *actor.Address[int]) {
		for n := range 10 {
			if err := to.Send(ctx, n); err != nil {
				fmt.Println(err)
			}
		}
	}
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() { count(addr) })
	}
	senders.Wait()
	fmt.Println(child.Drain(ctx))
	// Output: 180 <nil>
}

func ExampleAddress_SendAfter() {
	ctx := context.Background()
	child, addr := actor.Spawn(ctx, actor.Config{},
		func(ctx context.Context, in *actor.Inbox[string]) error {
			word, err := in.Recv(ctx)
			fmt.Println("received:", word)
			return err
		})
	stop := addr.SendAfter(time.Hour, "next hour")
	fmt.Println("prevented:", stop())
	addr.SendAfter(time.Millisecond, "soon")
	child.Wait(ctx)
	// Output:
	// prevented: true
	// received: soon
}

func ExampleAddress_SendEvery() {
	ctx := context.Background()
	child, addr := actor.Spawn(ctx, actor.Config{},
		func(ctx context.Context, in *actor.Inbox[string]) error {
			for n := range 3 {
				word, err := in.Recv(ctx)
				if err != nil {
					return err
				}
				fmt.Println(n, word)
			}
			return nil
		})
	addr.SendEvery(time.Millisecond, "tick") // until the actor ends
	child.Wait(ctx)
	// Output:
	// 0 tick
	// 1 tick
	// 2 tick
}

func ExampleAddress_Watch() {
	ctx := context.Background()
	job, _ := actor.Spawn(ctx, actor.Config{Name: "job"},
		func(context.Context, *actor.Inbox[int]) error {
			return errors.New("out of paper")
		})
	boss, addr := actor.Spawn(ctx, actor.Config{Name: "boss"},
		func(ctx context.Context, in *actor.Inbox[string]) error {
			word, err := in.Recv(ctx)
			fmt.Println(word)
			return err
		})
	addr.Watch(job, func(exit error) string { return fmt.Sprintf("the job has ended: %v", exit) })
	boss.Wait(ctx)
	// Output: the job has ended: out of paper
}

// Whoever knows only words can send to an actor that knows only numbers.
func ExampleMap() {
	ctx := context.Background()
	child, addr := actor.SpawnValue(ctx, actor.Config{},
		func(ctx context.Context, in *actor.Inbox[int]) (sum int, err error) {
			for n := range in.Messages(ctx) {
				sum += n
			}
			return sum, in.Err()
		})
	lengths := actor.Map(addr, func(word string) int { return len(word) })
	lengths.Send(ctx, "tiny")
	lengths.Send(ctx, "actor")
	fmt.Println(child.Drain(ctx))
	// Output: 9 <nil>
}

// Actors of any message type can be kept together.
func ExampleRef() {
	ctx := context.Background()
	words, _ := actor.Spawn(ctx, actor.Config{Name: "words"}, untilHalted[string])
	_, numbers := actor.Spawn(ctx, actor.Config{Name: "numbers"}, untilHalted[int])

	for _, a := range []actor.Ref{words, numbers} {
		a.Halt()
		<-a.Done()
		fmt.Println(a.Name(), "has ended")
	}
	// Output:
	// words has ended
	// numbers has ended
}

// No two actors have the same ID, whatever their names.
func ExampleID() {
	ctx := context.Background()
	started := make(map[actor.ID]actor.Ref)
	for range 3 {
		child, _ := actor.Spawn(ctx, actor.Config{Name: "twin"}, untilHalted[int])
		started[child.ID()] = child
	}
	fmt.Println(len(started))
	for _, a := range started {
		a.Halt()
		<-a.Done()
	}
	// Output: 3
}
