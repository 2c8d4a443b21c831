package actor_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"tinyactor/actor"
)

// What may wait costs nothing before it does: measured, in bytes for an actor.
func TestS4AnActorWithALargeBoundIsSmall(t *testing.T) {
	measure := func(c actor.Capacity) uint64 {
		const n = 100
		children := make([]*actor.Child[[64]byte, actor.None], n)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for i := range children {
			children[i], _ = actor.Spawn(t.Context(), actor.Config{Capacity: c}, func(ctx context.Context, in *actor.Inbox[[64]byte]) error {
				_, err := in.Recv(ctx)
				return err
			})
		}
		runtime.ReadMemStats(&after)
		for _, child := range children {
			child.Stop(t.Context())
		}
		return (after.TotalAlloc - before.TotalAlloc) / n
	}
	small := measure(actor.Bounded(1))
	for _, c := range []actor.Capacity{actor.Bounded(1 << 30), actor.Backpressure(1<<30, time.Second, 1)} {
		bytes := measure(c)
		t.Logf("%v: %d bytes; Bounded(1): %d", c, bytes, small)
		if bytes > small+512 { // the runtime's share varies
			t.Errorf("%v takes %d bytes, Bounded(1) %d", c, bytes, small)
		}
	}
}
