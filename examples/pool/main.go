// Pool starts one actor of three processes that share an inbox with room for
// five messages, sends it twenty, halts it and prints how each process ended.
// A halt does not wait for the queue, so up to five messages may not be
// received; the library then logs how many.
package main

import (
	"context"
	"errors"
	"log"
	"os"
	"time"

	"tinyactor/actor"
)

func main() {
	out := log.New(os.Stdout, "", 0)
	if err := run(context.Background(), out); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out *log.Logger) error {
	cfg := actor.Config{
		Name:       "pool",
		Capacity:   actor.Bounded(5),
		AbortTimer: time.Second,
	}
	pool, address := actor.SpawnPool(ctx, cfg, 3, receiver(out))

	// Send waits while the inbox is full.
	for n := range uint32(20) {
		if err := address.Send(ctx, n); err != nil {
			return err
		}
	}
	pool.Halt()

	exits, err := pool.Wait(ctx)
	for _, exit := range exits {
		if exit.Err == nil {
			out.Printf("Actor exited with message: %s", exit.Value)
		}
		err = errors.Join(err, exit.Err)
	}
	return err
}

// receiver returns the body of processes that print what they receive, and
// whose exit values say why they ended.
func receiver(out *log.Logger) func(context.Context, *actor.Inbox[uint32]) (string, error) {
	return func(ctx context.Context, in *actor.Inbox[uint32]) (string, error) {
		for n := range in.Messages(ctx) {
			out.Printf("Received message on actor %d: %d", in.Index(), n)
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
