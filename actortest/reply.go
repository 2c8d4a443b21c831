package actortest

import (
	"context"
	"testing"
	"time"

	"tinyactor/actor"
)

// Reply returns a reply as a message of an [actor.Ask] has it, to test a handler
// without an actor. answer waits for what the handler gives to Answer, and
// returns it, each time the same; if there is nothing within ten seconds, the
// test fails, so it must be called on the goroutine that runs the test. Reply
// itself does not wait.
//
// Somebody really asks, on a goroutine that ends with the answer or with
// t.Context(), which is also where the reply's Context comes from. So a test can
// tell whether a handler that should not has answered: then a further Answer is
// false.
func Reply[R any](t testing.TB) (reply actor.Reply[R], answer func() (R, error)) {
	replies := make(chan actor.Reply[R], 1)
	answered := make(chan struct{})
	var value R
	var err error
	ctx := t.Context()
	go func() {
		defer close(answered)
		value, err = actor.Ask(ctx, nowhere[R]{}, func(r actor.Reply[R]) R {
			replies <- r
			var none R
			return none
		})
	}()
	answer = func() (R, error) {
		t.Helper()
		over := time.NewTimer(patience)
		defer over.Stop()
		select {
		case <-answered:
		case <-over.C:
			t.Fatalf("actortest: the reply was not answered within %v", patience)
		}
		return value, err
	}
	return <-replies, answer
}

// nowhere is a Sender that accepts every message and drops it.
type nowhere[M any] struct{}

func (nowhere[M]) Send(context.Context, M) error { return nil }
func (nowhere[M]) TrySend(M) error               { return nil }
