// Supervision runs a small tree with a child that crashes, again and again, and
// shows on stderr what an operator sees of it: one line for each fact, as
// supervisor.LogObserver writes it. On stdout is what becomes of the orders.
//
//	shop (rest_for_one)
//	├── till     counts what was printed
//	└── printer  prints, and panics on some orders
//
// A crash costs the order in hand and nothing else: those that wait are printed
// when the printer is back, at the same address. The third crash within a minute
// is one too many: the shop closes, and hands back what is left.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

func main() {
	err := run(context.Background(), os.Stdout, lines(os.Stderr))
	fmt.Println("the shop is closed:", err)
}

func run(ctx context.Context, out io.Writer, log *slog.Logger) error {
	till := &supervisor.Worker[string]{
		Name:  "till",
		Drain: true, // what has been printed is counted before it stops
		Run: func(ctx context.Context, in *actor.Inbox[string]) error {
			sold := 0
			for range in.Messages(ctx) {
				sold++
			}
			fmt.Fprintln(out, "sold:", sold)
			return in.Err()
		},
	}
	printer := &supervisor.Worker[string]{
		Name:        "printer",
		Run:         printing(out, till.Address()),
		Backoff:     supervisor.Backoff{Min: time.Second, Jitter: -1}, // 1 s, 2 s, 4 s …
		OnCrash:     func(order string, _ error) { fmt.Fprintln(out, "lost", order) },
		Undelivered: func(order string) { fmt.Fprintln(out, "handed back", order) },
	}
	for _, order := range []string{"cards", "confetti", "posters", "glitter", "books", "slime", "stamps"} {
		if err := printer.Address().Send(ctx, order); err != nil { // it waits until the shop opens
			return err
		}
	}
	operator := &observer{supervisor.LogObserver(log), make(chan struct{})}
	shop, err := supervisor.Start(actor.WithObserver(ctx, operator), &supervisor.Spec{
		Name:     "shop",
		Strategy: supervisor.RestForOne,
		Limit:    supervisor.Limit{Restarts: 2, Period: time.Minute},
		Children: []supervisor.Child{till, printer},
	})
	if err != nil {
		return err
	}
	err = shop.Wait(ctx)
	<-operator.ended // otherwise the program may have ended before the last line was written
	return err
}

// observer is an observer that says when it was told of the end of the shop.
type observer struct {
	actor.Observer
	ended chan struct{}
}

// Logs says the same as the observer inside does.
func (*observer) Logs(actor.EventKind) bool { return true }

func (o *observer) Observe(e actor.Event) {
	o.Observer.Observe(e)
	if e.Kind == actor.EventEnded && e.Name == "shop" {
		close(o.ended)
	}
}

// printing returns the body of the printer. Its state is inside: each process
// begins with an empty tray.
func printing(out io.Writer, till *actor.Address[string]) func(context.Context, *actor.Inbox[string]) error {
	return func(ctx context.Context, in *actor.Inbox[string]) error {
		tray := 0
		return in.Serve(ctx, func(ctx context.Context, order string) error {
			switch order {
			case "confetti", "glitter", "slime":
				panic("paper jam")
			}
			tray++
			fmt.Fprintf(out, "printed %s, %d in the tray\n", order, tray)
			return till.Send(ctx, order)
		})
	}
}

// lines returns a logger for the lines of a tree. It leaves out what differs
// from run to run: the time, the numbers of the actors, and the stacks of panics.
func lines(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			switch a.Key {
			case slog.TimeKey, "id", "stack":
				return slog.Attr{}
			}
			return a
		},
	}))
}
