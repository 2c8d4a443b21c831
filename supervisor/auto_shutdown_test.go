package supervisor_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// A significant child may be over, and out of the list, before the others have
// started. The supervisor then ends because of it when they have.
func TestSignificantRemovedBeforeTheStartIsComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := &supervisor.Worker[int]{
			Name: "first", Restart: supervisor.Temporary, Significant: true,
			Run: func(context.Context, *actor.Inbox[int]) error { return errors.New("over") },
		}
		slow := &supervisor.Worker[int]{
			Name: "slow", AwaitStart: time.Second,
			Run: func(ctx context.Context, in *actor.Inbox[int]) error {
				time.Sleep(10 * time.Millisecond)
				supervisor.Started(ctx)
				_, err := in.Recv(ctx)
				return err
			},
		}
		s, err := supervisor.Start(t.Context(), &supervisor.Spec{
			Name: "root", AutoShutdown: supervisor.AnySignificant,
			Children: []supervisor.Child{first, slow},
		})
		if err != nil {
			t.Fatal(err)
		}
		err = s.Wait(t.Context())
		if !errors.Is(err, supervisor.ErrShutdown) || !strings.Contains(err.Error(), "first") {
			t.Errorf("the supervisor ended with %v, want ErrShutdown because of first", err)
		}
		<-slow.Address().Done()
	})
}
