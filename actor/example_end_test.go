package actor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"tinyactor/actor"
)

// The error of an exit says how a process ended.
func ExampleChild_Wait() {
	how := func(err error) string {
		var p *actor.PanicError
		switch {
		case err == nil:
			return "as it should"
		case errors.As(err, &p):
			return fmt.Sprintf("by a panic with %v", p.Value)
		case errors.Is(err, actor.ErrAborted):
			return "by an abort"
		case errors.Is(err, actor.ErrGoexit):
			return "by runtime.Goexit"
		default:
			return "with the error that the body returned: " + err.Error()
		}
	}
	ctx := actor.WithObserver(context.Background(), quiet{}) // leaves the panic out of the log
	for _, end := range []func() error{
		func() error { return nil },
		func() error { return errors.New("no more paper") },
		func() error { panic("fire") },
		func() error { runtime.Goexit(); return nil },
	} {
		child, _ := actor.Spawn(ctx, actor.Config{},
			func(context.Context, *actor.Inbox[int]) error { return end() })
		_, err := child.Wait(ctx)
		fmt.Println(how(err))
	}
	child, _ := actor.Spawn(ctx, actor.Config{},
		func(ctx context.Context, in *actor.Inbox[int]) error {
			_, err := in.Recv(ctx) // does not return
			return err
		})
	child.Abort()
	_, err := child.Wait(ctx)
	fmt.Println(how(err))
	// Output:
	// as it should
	// with the error that the body returned: no more paper
	// by a panic with fire
	// by runtime.Goexit
	// by an abort
}

// quiet is an observer that only says that panics need not be logged.
type quiet struct{}

func (quiet) Observe(actor.Event) {}
func (quiet) LogsPanics() bool    { return true }

func ExamplePanicError() {
	ctx := actor.WithObserver(context.Background(), quiet{})
	child, addr := actor.Spawn(ctx, actor.Config{Name: "divider"},
		func(ctx context.Context, in *actor.Inbox[int]) error {
			n, err := in.Recv(ctx)
			fmt.Println(100 / n)
			return err
		})
	addr.Send(ctx, 0)
	_, err := child.Wait(ctx)

	if p, ok := errors.AsType[*actor.PanicError](err); ok {
		fmt.Println(p.Value)
		fmt.Println("with a stack:", len(p.Stack) > 0)
	}
	var r runtime.Error
	fmt.Println("an error of the runtime:", errors.As(err, &r))
	// Output:
	// runtime error: integer divide by zero
	// with a stack: true
	// an error of the runtime: true
}

// An aborted process does not return from its receive. Deferred calls run.
func ExampleChild_Abort() {
	ctx := context.Background()
	started := make(chan bool)
	child, _ := actor.Spawn(ctx, actor.Config{},
		func(ctx context.Context, in *actor.Inbox[int]) error {
			defer fmt.Println("deferred call")
			close(started)
			_, err := in.Recv(ctx)
			fmt.Println("not printed")
			return err
		})
	<-started
	child.Abort()
	_, err := child.Wait(ctx)
	fmt.Println("exit: aborted:", errors.Is(err, actor.ErrAborted))
	// Output:
	// deferred call
	// exit: aborted: true
}

// A goroutine cannot be killed. One that listens neither to its inbox nor to its
// context is given up, and Stop says so.
func ExampleChild_Stop_stuck() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	hangs, release := make(chan bool), make(chan bool)
	child, _ := actor.Spawn(context.Background(), actor.Config{Name: "hung example"},
		func(context.Context, *actor.Inbox[int]) error {
			close(hangs)
			<-release
			return nil
		})
	<-hangs
	start := time.Now()
	_, err := child.Stop(ctx)
	fmt.Println("stuck:", errors.Is(err, actor.ErrStuck)) // the text says where
	fmt.Println("after a second:", time.Since(start) >= actor.StuckAfter)

	close(release)
	_, err = child.Wait(context.Background())
	fmt.Println("ended after all:", err)
	// Output:
	// stuck: true
	// after a second: true
	// ended after all: <nil>
}
