package actor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// X5: an ask that was received fails with its process, one that waits is
// answered by the next.
func TestX5AskAcrossARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type question struct{ actor.Reply[int] }
		k := newKeeper(t, actor.Config{}, func(ctx context.Context, in *actor.Inbox[question]) error {
			m, err := in.Recv(ctx)
			if err != nil {
				return err
			}
			if in.Len() > 0 {
				return errHeld
			}
			m.Answer(42, nil)
			_, err = in.Recv(ctx)
			return err
		})
		answers := make(chan error, 2)
		ask := func() {
			n, err := actor.Ask(t.Context(), k.addr, func(r actor.Reply[int]) question { return question{r} })
			if err == nil && n != 42 {
				err = fmt.Errorf("answer %d", n)
			}
			answers <- err
		}
		go ask()
		synctest.Wait()
		go ask()
		synctest.Wait()
		k.start(0, 1)
		synctest.Wait()
		if err := <-answers; !errors.Is(err, actor.ErrNoReply) || !errors.Is(err, errHeld) {
			t.Errorf("the first ask: %v", err)
		}
		k.start(0, 2)
		if err := <-answers; err != nil {
			t.Errorf("the second ask: %v", err)
		}
	})
}

// S4: a sender that waits for room goes on waiting while nobody receives.
func TestS4SenderWaitsAcrossARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got list[int]
		k := newKeeper(t, actor.Config{Capacity: actor.Bounded(1)}, ends(&got))
		sent := make(chan error, 2)
		go func() {
			for _, m := range []int{-1, 1, 2} {
				if err := k.addr.Send(t.Context(), m); err != nil {
					sent <- err
				}
			}
			sent <- nil
		}()
		synctest.Wait()
		k.start(0, 1)
		k.want("started 0.1; exited 0.1: crash, was started")
		time.Sleep(time.Hour)
		select {
		case err := <-sent:
			t.Fatalf("the sender is done: %v", err)
		default:
		}
		k.start(0, 2)
		if err := <-sent; err != nil {
			t.Error(err)
		}
		k.want("started 0.2")
		if all := got.get(); !slices.Equal(all, []int{1, 2}) {
			t.Errorf("received %v", all)
		}
	})
}

// X7: Watch sees the end for good, and no restart.
func TestX7WatchOfAHeldActor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got, seen list[int]
		k := newKeeper(t, actor.Config{}, ends(&got))
		child, watcher := actor.Spawn(t.Context(), actor.Config{}, keep(&seen))
		defer child.Stop(context.Background())
		watcher.Watch(k.addr, func(err error) int {
			if err != errHeld {
				t.Errorf("it has ended with %v", err)
			}
			return 1
		})
		for i := range 3 {
			k.start(0, i+1)
			sendAll(t, k.addr, -1)
			synctest.Wait()
		}
		if n := len(seen.get()); n != 0 {
			t.Errorf("%d notices before the end", n)
		}
		k.close()
		synctest.Wait()
		if n := len(seen.get()); n != 1 {
			t.Errorf("%d notices", n)
		}
	})
}
