package supervisor_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

type question struct{ actor.Reply[int] }

// An actor that fails because another one did is a fact by itself, whatever has
// become of the other one and in whatever way its error says so.
func TestLogObserverOfAFailureByAnother(t *testing.T) {
	type other struct {
		child *actor.Child[question, actor.None]
		addr  *actor.Address[question]
		tree  *supervisor.Supervisor
	}
	asks := func(ctx context.Context, b other) error {
		_, err := actor.Ask(ctx, b.addr, func(r actor.Reply[int]) question { return question{r} })
		return err
	}
	bodies := map[string]func(context.Context, other) error{
		"asks":  asks,
		"wraps": func(ctx context.Context, b other) error { return fmt.Errorf("asking: %w", asks(ctx, b)) },
		"waits": func(ctx context.Context, b other) error {
			_ = asks(ctx, b)
			_, err := b.child.Wait(ctx)
			return err
		},
		"waits for a tree": func(ctx context.Context, b other) error {
			_ = asks(ctx, b)
			return b.tree.Wait(ctx)
		},
	}
	for name, body := range bodies {
		for _, panics := range []bool{true, false} {
			for _, supervised := range []bool{true, false} {
				if supervised && name == "waits for a tree" {
					continue // that matches ErrShutdown: to a supervisor it is an end in good order
				}
				t.Run(fmt.Sprintf("%s/panics=%v/supervised=%v", name, panics, supervised), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						var info page
						ctx := actor.WithObserver(context.Background(), supervisor.LogObserver(info.logger(t, slog.LevelInfo)))
						var b other
						worker := &supervisor.Worker[int]{Name: "w", Run: func(ctx context.Context, in *actor.Inbox[int]) error {
							_, _ = in.Recv(ctx)
							return errCrash
						}}
						var err error
						b.tree, err = supervisor.Start(ctx, &supervisor.Spec{Name: "tree", Limit: supervisor.Limit{Restarts: -1}, Children: []supervisor.Child{worker}})
						if err != nil {
							t.Fatal(err)
						}
						b.child, b.addr = actor.Spawn(ctx, actor.Config{Name: "b"}, func(ctx context.Context, in *actor.Inbox[question]) error {
							if _, err := in.Recv(ctx); err == nil && panics {
								panic("b's")
							}
							<-ctx.Done()
							return context.Cause(ctx)
						})
						want := `level=WARN msg="process ended" actor=a path=a process=0 reason=`
						if supervised {
							want = `level=WARN msg="child failed" actor=a path=root/a process=0 reason=`
							a := &supervisor.Worker[int]{Name: "a", Restart: supervisor.Temporary, Run: func(ctx context.Context, _ *actor.Inbox[int]) error { return body(ctx, b) }}
							root, err := supervisor.Start(ctx, &supervisor.Spec{Name: "root", Children: []supervisor.Child{a}})
							if err != nil {
								t.Fatal(err)
							}
							defer stop(t, root)
						} else {
							actor.Spawn(ctx, actor.Config{Name: "a"}, func(ctx context.Context, _ *actor.Inbox[int]) error { return body(ctx, b) })
						}
						synctest.Wait()
						b.child.Abort()
						if err := worker.Address().SendNow(1); err != nil { // it crashes once too often
							t.Error(err)
						}
						time.Sleep(time.Minute)
						synctest.Wait()
						var found []string
						for _, line := range info.lines() {
							if strings.Contains(line, " actor=a ") {
								found = append(found, line)
							}
						}
						if len(found) != 1 || !strings.HasPrefix(found[0], want) {
							t.Errorf("of a is logged %q, want one line that begins with %q", found, want)
						}
					})
				})
			}
		}
	}
}
