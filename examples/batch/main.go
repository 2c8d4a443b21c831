// Batch shows an actor that takes its messages in batches, as a writer to a
// database would: every 100 rows, or those that there are after 50 ms.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"tinyactor/actor"
)

const (
	rows = 100                   // in a batch at most
	wait = 50 * time.Millisecond // for a batch to fill
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	start := time.Now()
	child, addr := actor.SpawnValue(ctx, actor.Config{Name: "writer"}, writer(func(batch []int) error {
		// Here the rows would be written, in one transaction.
		after := time.Since(start).Round(wait)
		fmt.Fprintf(out, "after %v: rows %d to %d\n", after, batch[0], batch[len(batch)-1])
		return nil
	}))

	// Two batches are full at once. What is left waits for more, but not long.
	if err := send(ctx, addr, 0, 250); err != nil {
		return err
	}
	time.Sleep(2 * wait)

	// When the actor is closed, what is left does not wait.
	if err := send(ctx, addr, 250, 30); err != nil {
		return err
	}
	written, err := child.Drain(ctx)
	fmt.Fprintf(out, "after %v: %d rows are written\n", time.Since(start).Round(10*time.Millisecond), written)
	return err
}

// send sends n rows, from first on.
func send(ctx context.Context, to *actor.Address[int], first, n int) error {
	batch := make([]int, n)
	for i := range batch {
		batch[i] = first + i
	}
	_, err := to.SendAll(ctx, batch)
	return err
}

// writer returns the body of an actor that collects rows and writes them with
// write. Its exit value is how many were written.
func writer(write func(batch []int) error) func(context.Context, *actor.Inbox[int]) (int, error) {
	return func(ctx context.Context, in *actor.Inbox[int]) (int, error) {
		written := 0
		buffer := make([]int, rows)
		for {
			n, err := in.RecvBatch(ctx, buffer, wait)
			if err != nil {
				return written, err // then n is 0: nothing is left to write
			}
			if err := write(buffer[:n]); err != nil {
				return written, err
			}
			written += n
		}
	}
}
