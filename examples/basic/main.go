// Basic starts one actor, sends it two messages and halts it. A halt does not
// wait for the queue, so the actor may end before it has received both; the
// library then logs how many it has not.
package main

import (
	"context"
	"errors"
	"log"
	"os"

	"tinyactor/actor"
)

func main() {
	out := log.New(os.Stdout, "", 0)
	if err := run(context.Background(), out); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out *log.Logger) error {
	child, address := actor.SpawnValue(ctx, actor.Config{Name: "basic", Capacity: actor.Unbounded()}, receiver(out))

	for _, n := range []uint32{10, 5} {
		if err := address.Send(ctx, n); err != nil {
			return err
		}
	}
	child.Halt()

	exit, err := child.Wait(ctx)
	if err != nil {
		return err
	}
	out.Printf("Actor exited with message: %s", exit)
	return nil
}

// receiver returns the body of an actor that prints what it receives, and
// whose exit value says why it ended.
func receiver(out *log.Logger) func(context.Context, *actor.Inbox[uint32]) (string, error) {
	return func(ctx context.Context, in *actor.Inbox[uint32]) (string, error) {
		for n := range in.Messages(ctx) {
			out.Printf("Received message: %d", n)
		}
		switch err := in.Err(); {
		case errors.Is(err, actor.ErrHalted):
			out.Print("Actor has received halt signal - Exiting now...")
			return "Halt", nil
		case errors.Is(err, actor.ErrClosed):
			out.Print("Channel is closed - Exiting now...")
			return "Closed", nil
		default:
			return "", err
		}
	}
}
