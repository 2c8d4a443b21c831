package actor

import (
	"context"
	"errors"
	"reflect"
	"runtime"
	"testing"
	"time"

	"tinyactor/internal/remote"
)

type far struct {
	Reply[int]
	N int
}

// Law X5 across processes: a question asked anew gets the answer, the handler's
// error, or ErrNoReply when the process ends.
func TestRemoteAsk(t *testing.T) {
	child, addr := Spawn(t.Context(), Config{Name: "far", Capacity: Bounded(2)}, func(ctx context.Context, in *Inbox[far]) error {
		return in.Serve(ctx, func(_ context.Context, m far) error {
			switch m.N {
			case 0:
				return ErrHalted
			case 1:
				m.Answer(0, context.Canceled)
			default:
				m.Answer(m.N, nil)
			}
			return nil
		})
	})
	ask := func(n int) (any, error) {
		q := remote.Ask(t.Context(), Reply[int]{})
		if err := addr.Send(q.Ctx, far{q.Reply.(Reply[int]), n}); err != nil {
			q.Drop()
			return nil, err
		}
		return q.Wait()
	}
	if v, err := ask(7); v != 7 || err != nil {
		t.Errorf("an answer: got %v, %v", v, err)
	}
	if _, err := ask(1); !errors.Is(err, context.Canceled) {
		t.Errorf("the handler's error: got %v", err)
	}
	want := remote.Sight{Bound: remote.Full, Room: 2, Accepted: 2, Done: 2}
	for deadline := time.Now().Add(10 * time.Second); remote.Look(addr) != want; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("Look when two messages were dealt with = %+v, want %+v", remote.Look(addr), want)
		}
	}
	if _, err := ask(0); !errors.Is(err, ErrNoReply) {
		t.Errorf("the process ends: got %v", err)
	}
	if _, err := child.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := ask(7); !errors.Is(err, ErrClosed) {
		t.Errorf("the actor has ended: got %v", err)
	}
	if n := foreignAsks.Load(); n != 0 {
		t.Errorf("foreignAsks = %d when all have ended", n)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	q := remote.Ask(ctx, Reply[int]{})
	if _, err := q.Wait(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nobody answers: got %v", err)
	}
}

func TestRemoteAnswer(t *testing.T) {
	if got := remote.Answered(Reply[string]{}); got != reflect.TypeFor[string]() {
		t.Errorf("Answered(Reply[string]) = %v", got)
	}
	if got := remote.Answered(far{}); got != nil {
		t.Errorf("Answered(far) = %v, it has a Reply and is none", got)
	}
	c := new(call[string])
	if !remote.Answer(Reply[string]{c}, "yes", nil) || c.value != "yes" {
		t.Error("Answer does not reach the asker")
	}
	if remote.Answer(Reply[string]{c}, nil, ErrNoReply) {
		t.Error("a second Answer reaches the asker")
	}
}
