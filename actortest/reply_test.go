package actortest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/actortest"
)

func TestReply(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		refused := errors.New("refused")
		reply, answer := actortest.Reply[int](t)
		go func() {
			if !reply.Answer(3, refused) {
				t.Error("nobody waits for the answer")
			}
		}()
		for range 2 {
			if v, err := answer(); v != 3 || err != refused {
				t.Errorf("the answer is %d, %v", v, err)
			}
		}
		if reply.Answer(4, nil) {
			t.Error("a second answer is taken")
		}
	})
}

func TestReplyUnanswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := time.Now()
		failures := try(func(t testing.TB) {
			_, answer := actortest.Reply[int](t)
			answer()
			t.Error("it goes on")
		})
		if d := time.Since(before); d != 10*time.Second {
			t.Errorf("it took %v", d)
		}
		if len(failures) != 1 {
			t.Fatalf("failures: %q", failures)
		}
		contains(t, failures[0], "not answered within 10s")
	})
}

// A reply that nobody answers leaves nothing behind, or the bubble would not end.
func TestReplyContext(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		var ctx context.Context
		var reply actor.Reply[int]
		failures := try(func(t testing.TB) {
			reply, _ = actortest.Reply[int](t)
			ctx = reply.Context()
			if ctx.Err() != nil {
				t.Error("its context has ended")
			}
		})
		if len(failures) > 0 {
			t.Errorf("failures: %q", failures)
		}
		<-ctx.Done()
	})
}
