package supervisor_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// A supervisor below another one may be closed for good at the very moment when
// it has ended for another reason, with children that are to survive that. They
// must not stay open for ever. The moment is short: it comes in about one of four
// thousand rounds.
func TestSupervisorThatIsClosedWhenItHasEnded(t *testing.T) {
	rounds := 4000
	if testing.Short() {
		rounds = 1000
	}
	for range rounds {
		synctest.Test(t, closeSupervisorWhileItEnds)
		if t.Failed() {
			return
		}
	}
}

func closeSupervisorWhileItEnds(t *testing.T) {
	crashes := func(_ context.Context, in *actor.Inbox[int]) error {
		if _, err := in.Recv(context.Background()); err != nil {
			return err
		}
		return errors.New("crash")
	}
	slow := func(ctx context.Context, in *actor.Inbox[int]) error {
		_, err := in.Recv(ctx)
		time.Sleep(3 * time.Millisecond)
		return err
	}
	one := &supervisor.Worker[int]{Name: "one", Drain: true, Run: crashes}
	two := &supervisor.Worker[int]{Name: "two", Processes: 2, Restart: supervisor.Temporary, Run: slow}
	trigger := &supervisor.Worker[int]{Name: "trigger", AbortTimer: 5 * time.Millisecond, Run: crashes}

	// A crash of trigger removes and aborts the temporary middle, which aborts below.
	below := &supervisor.Spec{Name: "below", Children: []supervisor.Child{one, two}}
	middle := &supervisor.Spec{Name: "middle", Restart: supervisor.Temporary, AbortTimer: -1, Children: []supervisor.Child{below}}
	root, err := supervisor.Start(context.Background(), &supervisor.Spec{
		Name: "root", Strategy: supervisor.OneForAll, Children: []supervisor.Child{middle, trigger},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := trigger.Address().Send(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Hour)
	for _, a := range []*actor.Address[int]{one.Address(), two.Address()} {
		select {
		case <-a.Done():
		default:
			t.Errorf("%v is open an hour after its supervisor was removed", a)
		}
	}
	if _, err := root.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}
