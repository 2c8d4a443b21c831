// Pipeline shows three actors in a row with bounded inboxes. The last one is
// slow, and because each stage waits for room in the next one, so does the
// source: it is never more than nine items ahead of what is through.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"time"

	"tinyactor/actor"
)

const (
	room = 2                     // items that may wait for a stage
	slow = 50 * time.Millisecond // what the last stage needs for an item
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	// From the last to the first, because each needs to know the next one.
	var sum int
	last, sums := actor.Spawn(ctx, config("sum"), stage(func(_ context.Context, n int) error {
		time.Sleep(slow)
		sum += n
		return nil
	}))
	second, lengths := actor.Spawn(ctx, config("length"), stage(func(ctx context.Context, word string) error {
		return sums.Send(ctx, len(word))
	}))
	first, words := actor.Spawn(ctx, config("trim"), stage(func(ctx context.Context, line string) error {
		return lengths.Send(ctx, strings.TrimSpace(line))
	}))

	start := time.Now()
	for i := range 15 {
		if err := words.Send(ctx, " gopher \n"); err != nil {
			return err
		}
		fmt.Fprintf(out, "item %2d is accepted after %v\n", i+1, time.Since(start).Round(slow))
	}

	// From the first to the last: each sends the next one all that it has.
	_, err1 := first.Drain(ctx)
	_, err2 := second.Drain(ctx)
	_, err3 := last.Drain(ctx)
	fmt.Fprintf(out, "all are through after %v, sum %d\n", time.Since(start).Round(slow), sum)
	return errors.Join(err1, err2, err3)
}

func config(name string) actor.Config {
	return actor.Config{Name: name, Capacity: actor.Bounded(room)}
}

// stage returns the body of an actor that does f with each message.
func stage[M any](f func(context.Context, M) error) func(context.Context, *actor.Inbox[M]) error {
	return func(ctx context.Context, in *actor.Inbox[M]) error { return in.Serve(ctx, f) }
}
