package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// get asks a counter for its value; add changes it.
type counterMsg struct {
	actor.Reply[int]
	add int
}

func (m counterMsg) to(r actor.Reply[int]) counterMsg { m.Reply = r; return m }

// count is a counter that cannot count backwards.
func count(ctx context.Context, in *actor.Inbox[counterMsg]) error {
	n := 0
	return in.Serve(ctx, func(_ context.Context, m counterMsg) error {
		if m.add < 0 {
			return errors.New("it cannot count backwards")
		}
		n += m.add
		m.Answer(n, nil)
		return nil
	})
}

// A worker that fails is started again, with a new state. Its address stays, and
// so does what was sent meanwhile.
func ExampleStart() {
	counter := &supervisor.Worker[counterMsg]{
		Name: "counter",
		Run:  count,
		OnCrash: func(m counterMsg, cause error) {
			fmt.Println("lost", m.add, "because", cause)
		},
	}
	ctx := context.Background()
	root, err := supervisor.Start(ctx, &supervisor.Spec{Name: "root", Children: []supervisor.Child{counter}})
	if err != nil {
		fmt.Println(err)
		return
	}
	addr := counter.Address()
	for _, add := range []int{1, 2, -1, 10} {
		addr.Send(ctx, counterMsg{add: add})
	}
	n, err := actor.Ask(ctx, addr, counterMsg{add: 5}.to)
	fmt.Println(n, err)
	report, err := root.Stop(ctx)
	fmt.Println(report.Children[0].Name, "stopped", report.Children[0].Ending, err)
	// Output:
	// lost -1 because it cannot count backwards
	// 15 <nil>
	// counter stopped in order <nil>
}

// Children are started in order, each when the one before it is up, and stopped
// in the opposite order. With RestForOne, those after one that fails are started
// anew with it: they depend on it.
func ExampleSpec() {
	done := make(chan struct{})
	runs := 0
	database := &supervisor.Worker[string]{
		Name:       "database",
		AwaitStart: time.Second,
		Run: func(ctx context.Context, in *actor.Inbox[string]) error {
			fmt.Println("+ database")
			defer fmt.Println("- database")
			runs++
			return in.Serve(ctx, func(context.Context, string) error {
				if runs == 1 {
					return errors.New("disk full")
				}
				close(done)
				return nil
			})
		},
	}
	cache := &supervisor.Worker[string]{
		Name:       "cache",
		AwaitStart: time.Second,
		Run: func(ctx context.Context, in *actor.Inbox[string]) error {
			fmt.Println("+ cache")
			defer fmt.Println("- cache")
			supervisor.Started(ctx)
			database.Address().Send(ctx, "hello")
			<-in.Halting()
			return nil
		},
	}
	root, err := supervisor.Start(context.Background(), &supervisor.Spec{
		Name:     "root",
		Strategy: supervisor.RestForOne,
		Children: []supervisor.Child{database, cache},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	<-done
	root.Stop(context.Background())
	// Output:
	// + database
	// + cache
	// - database
	// - cache
	// + database
	// + cache
	// - cache
	// - database
}

// A Dynamic makes its children from a template while it runs.
func ExampleDynamic() {
	sessions := &supervisor.Dynamic[string, int]{
		Name: "sessions",
		Max:  2,
		Template: func(user string) *supervisor.Worker[int] {
			return &supervisor.Worker[int]{
				Restart: supervisor.Transient,
				Drain:   true, // what is queued is finished first
				Run: func(ctx context.Context, in *actor.Inbox[int]) error {
					sum := 0
					for n := range in.Messages(ctx) {
						sum += n
					}
					fmt.Println(user, sum)
					return in.Err()
				},
			}
		},
	}
	ctx := context.Background()
	root, err := supervisor.Start(ctx, &supervisor.Spec{Name: "root", Children: []supervisor.Child{sessions}})
	if err != nil {
		fmt.Println(err)
		return
	}
	alice, _ := sessions.Add(ctx, "alice")
	sessions.Add(ctx, "bob")
	_, err = sessions.Add(ctx, "carol")
	fmt.Println(err)
	alice.Address().Send(ctx, 42)
	sessions.Remove(ctx, alice)
	fmt.Println(sessions.Supervisor().Count().Active)
	root.Stop(ctx)
	// Output:
	// supervisor "sessions": add: supervisor: too many children
	// alice 42
	// 1
	// bob 0
}

// Replace gives a running worker another body: senders notice nothing.
func ExampleWorker_Replace() {
	greet := func(greeting string) func(context.Context, *actor.Inbox[counterMsg]) error {
		return func(ctx context.Context, in *actor.Inbox[counterMsg]) error {
			return in.Serve(ctx, func(_ context.Context, m counterMsg) error {
				fmt.Println(greeting)
				m.Answer(0, nil)
				return nil
			})
		}
	}
	w := &supervisor.Worker[counterMsg]{Name: "greeter", Run: greet("good morning"), AwaitStart: time.Second}
	ctx := context.Background()
	root, err := supervisor.Start(ctx, &supervisor.Spec{Name: "root", Children: []supervisor.Child{w}})
	if err != nil {
		fmt.Println(err)
		return
	}
	actor.Ask(ctx, w.Address(), counterMsg{}.to)
	if err := w.Replace(ctx, greet("good evening")); err != nil {
		fmt.Println(err)
	}
	actor.Ask(ctx, w.Address(), counterMsg{}.to)
	root.Stop(ctx)
	// Output:
	// good morning
	// good evening
}

// Validate says all that is wrong with a tree, and where.
func ExampleValidate() {
	err := supervisor.Validate(&supervisor.Spec{
		Name:  "root",
		Limit: supervisor.Limit{Restarts: -2},
		Children: []supervisor.Child{
			&supervisor.Worker[int]{Name: "w", Significant: true},
		},
	})
	fmt.Println(err)
	// Output:
	// supervisor "root": Limit.Restarts is -2, must be -1, 0 or more
	// supervisor "root": child "w": Significant: a permanent child cannot be significant
	// supervisor "root": child "w": Run is nil
}

// untilGivenUp is an observer that is closed when a supervisor gives up.
type untilGivenUp chan struct{}

func (c untilGivenUp) Observe(e actor.Event) {
	if e.Kind == actor.EventLimitExceeded {
		close(c)
	}
}

// LogObserver writes what an operator wants to know, here without the time.
func ExampleLogObserver() {
	log := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "id" {
			return slog.Attr{}
		}
		return a
	}}))
	ctx := actor.WithObserver(context.Background(), supervisor.LogObserver(log))
	logged := make(untilGivenUp)
	ctx = actor.WithObserver(ctx, logged) // is told after the one before it
	w := &supervisor.Worker[int]{
		Name:    "reader",
		Restart: supervisor.Transient,
		Run: func(ctx context.Context, in *actor.Inbox[int]) error {
			if _, err := in.Recv(ctx); err != nil {
				return err
			}
			return io.ErrUnexpectedEOF
		},
	}
	root, err := supervisor.Start(ctx, &supervisor.Spec{Name: "root", Limit: supervisor.Limit{Restarts: -1}, Children: []supervisor.Child{w}})
	if err != nil {
		fmt.Println(err)
		return
	}
	w.Address().Send(ctx, 1)
	root.Wait(context.Background())
	<-logged // observers are told on goroutines of their own
	// Output:
	// level=ERROR msg="supervisor gives up: restart limit exceeded" actor=reader path=root/reader reason="supervisor \"root\": child \"reader\": one restart too many: unexpected EOF"
}

// A body of a worker with AwaitStart says itself when it is up, if it does not
// use Serve.
func ExampleStarted() {
	w := &supervisor.Worker[int]{
		Name:       "listener",
		AwaitStart: time.Second,
		Run: func(ctx context.Context, in *actor.Inbox[int]) error {
			fmt.Println("listening") // what can fail comes first
			supervisor.Started(ctx)
			<-in.Halting()
			return nil
		},
	}
	root, err := supervisor.Start(context.Background(), &supervisor.Spec{Name: "root", Children: []supervisor.Child{w}})
	fmt.Println("started", err)
	if err == nil {
		root.Stop(context.Background())
	}
	// Output:
	// listening
	// started <nil>
}
