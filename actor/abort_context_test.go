package actor_test

import (
	"context"
	"testing"

	"tinyactor/actor"
)

// Whoever an abort wakes finds the context ended by it, in a deferred call of an
// unwinding body as well as behind Halting, and so it stays.
func TestA1AnAbortEndsTheContextFirst(t *testing.T) {
	wait := map[string]func(ctx context.Context, in *actor.Inbox[int]){
		"Recv":    func(ctx context.Context, in *actor.Inbox[int]) { _, _ = in.Recv(ctx) },
		"Halting": func(_ context.Context, in *actor.Inbox[int]) { <-in.Halting() },
		"Ready":   func(_ context.Context, in *actor.Inbox[int]) { <-in.Ready() },
		"Recv with a derived context": func(ctx context.Context, in *actor.Inbox[int]) {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			if _, err := in.Recv(ctx); err != nil {
				t.Errorf("the receive returned %v: it must unwind", err)
			}
		},
	}
	for name, wait := range wait {
		t.Run(name, func(t *testing.T) {
			live, after := 0, 0
			const rounds = 2000
			for range rounds {
				started := make(chan bool)
				var seen error
				var kept context.Context
				child, _ := actor.Spawn(context.Background(), actor.Config{},
					func(ctx context.Context, in *actor.Inbox[int]) error {
						kept = ctx
						defer func() { seen = context.Cause(ctx) }()
						close(started)
						wait(ctx, in)
						return nil
					})
				<-started
				child.Abort()
				_, _ = child.Wait(context.Background())
				if seen != actor.ErrAborted {
					live++
				}
				if context.Cause(kept) != actor.ErrAborted {
					after++
				}
			}
			if live+after > 0 {
				t.Errorf("of %d: %d did not see ErrAborted, %d contexts have another cause at the end", rounds, live, after)
			}
		})
	}
}
