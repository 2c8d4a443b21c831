package actor_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// A nonsensical argument panics, with a message that names function and argument.
func TestO5NonsenseArgumentsPanic(t *testing.T) {
	ctx := context.Background()
	none := func(context.Context, *actor.Inbox[int]) (actor.None, error) { return actor.None{}, nil }
	var nobody actor.Pool[int, actor.None]
	var noCtx context.Context
	live, addr := actor.SpawnPool(ctx, actor.Config{}, 1, actor.NoValue(lifeObey))
	defer live.Stop(ctx)
	tests := []struct {
		call string
		name string
		f    func()
	}{
		{"Spawn", "body", func() { actor.Spawn[int](ctx, actor.Config{}, nil) }},
		{"Spawn", "owner", func() { actor.Spawn(noCtx, actor.Config{}, lifeObey) }},
		{"SpawnValue", "body", func() { actor.SpawnValue[int, int](ctx, actor.Config{}, nil) }},
		{"SpawnValue", "owner", func() { actor.SpawnValue(noCtx, actor.Config{}, none) }},
		{"SpawnPool", "body", func() { actor.SpawnPool[int, int](ctx, actor.Config{}, 1, nil) }},
		{"SpawnPool", "owner", func() { actor.SpawnPool(noCtx, actor.Config{}, 1, none) }},
		{"SpawnPool", "n is 0", func() { actor.SpawnPool(ctx, actor.Config{}, 0, none) }},
		{"SpawnPool", "n is -3", func() { actor.SpawnPool(ctx, actor.Config{}, -3, none) }},
		{"NoValue", "body", func() { actor.NoValue[int](nil) }},
		{"Pool.Spawn", "body", func() { live.Spawn(nil) }},
		{"Pool.Spawn", "body", func() { nobody.Spawn(nil) }},
		{"HaltSome", "n is -1", func() { live.HaltSome(-1) }},
		{"Bounded", "n is 0", func() { actor.Bounded(0) }},
		{"Bounded", "n is -1", func() { actor.Bounded(-1) }},
		{"Backpressure", "start is 0", func() { actor.Backpressure(0, 1, 1) }},
		{"Backpressure", "base is -1ns", func() { actor.Backpressure(1, -1, 1) }},
		{"Backpressure", "factor is -2", func() { actor.Backpressure(1, 1, -2) }},
		{"Backpressure", "factor is 0.5", func() { actor.Backpressure(1, 1, 0.5) }},
		{"Backpressure", "factor is NaN", func() { actor.Backpressure(1, 1, math.NaN()) }},
		{"Backpressure", "factor is +Inf", func() { actor.Backpressure(1, 1, math.Inf(1)) }},
		{"Map", "to is nil", func() { actor.Map[int, int](nil, func(int) int { return 0 }) }},
		{"Map", "f is nil", func() { actor.Map[int](addr, (func(int) int)(nil)) }},
		{"SendEvery", "d is 0", func() { addr.SendEvery(0, 1) }},
		{"SendEvery", "d is -1s", func() { addr.SendEvery(-time.Second, 1) }},
		{"Watch", "of is nil", func() { addr.Watch(nil, func(error) int { return 0 }) }},
		{"Watch", "msg is nil", func() { addr.Watch(live, nil) }},
		{"WithObserver", "o is nil", func() { actor.WithObserver(ctx, nil) }},
	}
	for _, tt := range tests {
		t.Run(tt.call+" "+tt.name, func(t *testing.T) {
			defer func() {
				text := fmt.Sprint(recover())
				if !strings.HasPrefix(text, "actor: ") || !strings.Contains(text, tt.call+": ") || !strings.Contains(text, tt.name) {
					t.Errorf("the panic says %q", text)
				}
			}()
			tt.f()
			t.Error("no panic")
		})
	}
	if live.Processes() != 1 || addr.Closed() {
		t.Error("a refused call has changed the actor")
	}
}

// An empty dst is found by the process's own call.
func TestO5EmptyBatchPanics(t *testing.T) {
	captureLogs(t)
	child, _ := actor.Spawn(context.Background(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
		in.RecvBatch(ctx, nil, 0)
		return nil
	})
	_, err := child.Wait(context.Background())
	if p := new(actor.PanicError); !errors.As(err, &p) || !strings.Contains(fmt.Sprint(p.Value), "RecvBatch: dst") {
		t.Errorf("exit is %v", err)
	}
}

// Cases 46 to 48. Spawn never fails: whatever the body does, there is a Child
// that tells how it ended, and what is called after the end returns at once.
func TestO5SpawnNeverFails(t *testing.T) {
	captureLogs(t)
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, owner := range []context.Context{context.Background(), context.TODO(), canceled, lifeForeign{canceled}} {
		for _, cfg := range []actor.Config{{}, {AbortTimer: math.MinInt64}, {AbortTimer: math.MaxInt64}, {Detached: true, Drain: true}} {
			synctest.Test(t, func(t *testing.T) {
				child, addr := actor.SpawnValue(owner, cfg, func(context.Context, *actor.Inbox[int]) (int, error) { return 7, errLife })
				if child == nil || addr == nil || child.Address() != addr || child.ID() == 0 {
					t.Fatal("Spawn failed")
				}
				if value, err := child.Wait(context.Background()); value != 7 || !errors.Is(err, errLife) {
					t.Errorf("Wait gives %d, %v", value, err)
				}
				start := time.Now()
				first := fmt.Sprint(child.Stop(context.Background()))
				for range 3 {
					child.Halt()
					child.Drop()
					child.Attach(time.Second)
					child.Detach()
					if child.Close() || child.Abort() {
						t.Error("Close or Abort of an ended actor is true")
					}
					if again := fmt.Sprint(child.Drain(context.Background())); again != first {
						t.Errorf("%s, then %s", first, again)
					}
				}
				if err := addr.Send(context.Background(), 1); !errors.Is(err, actor.ErrClosed) || time.Since(start) != 0 {
					t.Errorf("a send gives %v, all took %v", err, time.Since(start))
				}
			})
		}
	}
}
