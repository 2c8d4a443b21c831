package observer

import (
	"context"
	"sync"
	"testing"

	"tinyactor/actor"
)

// What short-lived actors did is told when they end, each once, and adds up with
// what those have done that live.
func TestEndedLosesNothing(t *testing.T) {
	o := New(Options{})
	var mu sync.Mutex
	ended := make(map[uint64]Actor)
	stop := o.Ended(func(a Actor) {
		mu.Lock()
		defer mu.Unlock()
		if _, twice := ended[a.ID]; twice {
			t.Errorf("actor %d ended twice", a.ID)
		}
		ended[a.ID] = a
	})
	panics := o.Ended(func(Actor) { panic("does not concern the others") })
	defer panics()
	ctx := o.Watch(t.Context())
	const actors, each = 200, 10
	for range actors {
		child, addr := actor.Spawn(ctx, actor.Config{Name: "short", Undelivered: func(any) {}}, func(ctx context.Context, in *actor.Inbox[int]) error {
			for range each / 2 {
				if _, err := in.Recv(ctx); err != nil {
					return err
				}
			}
			return nil
		})
		n := 0
		for range each {
			if addr.Send(t.Context(), 1) == nil {
				n++
			}
		}
		<-child.Done()
		if n < each/2 {
			t.Fatalf("accepted %d", n)
		}
	}
	await(t, "all are told", func() bool { mu.Lock(); defer mu.Unlock(); return len(ended) == actors })
	var sum counts
	for _, a := range ended {
		if a.State != StateEnded || a.Name != "short" || a.Accepted != a.Received+a.Undelivered || a.Queue.Length != 0 || a.Received != each/2 {
			t.Errorf("got %+v", a)
		}
		sum.accepted += a.Accepted
		sum.received += a.Received
	}
	s := o.Snapshot()
	if s.Totals.Accepted != sum.accepted || s.Totals.Received != sum.received || len(s.Actors) > 0 {
		t.Errorf("totals are %+v, the ended have %+v", s.Totals, sum)
	}
	stop()
	child, _ := actor.Spawn(ctx, actor.Config{}, receive)
	child.Halt()
	await(t, "the last event", func() bool { e := o.after(0); return e[len(e)-1].Kind == "ended" && e[len(e)-1].Path != "short" })
	if mu.Lock(); len(ended) != actors {
		t.Error("was told after stop")
	}
	mu.Unlock()
}
