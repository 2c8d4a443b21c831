package actor_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// lifeStops are Stop and Drain of an actor.
var lifeStops = []struct {
	name string
	stop func(*actor.Child[int, actor.None], context.Context) error
}{
	{"Stop", func(c *actor.Child[int, actor.None], ctx context.Context) error { _, err := c.Stop(ctx); return err }},
	{"Drain", func(c *actor.Child[int, actor.None], ctx context.Context) error { _, err := c.Drain(ctx); return err }},
	{"Pool.Stop", func(c *actor.Child[int, actor.None], ctx context.Context) error {
		_, err := c.Pool().Stop(ctx)
		return err
	}},
	{"Pool.Drain", func(c *actor.Child[int, actor.None], ctx context.Context) error {
		_, err := c.Pool().Drain(ctx)
		return err
	}},
}

// Case 33. When ctx ends, Stop and Drain abort, and wait for StuckAfter.
func TestO4StopAbortsWhenItsContextEnds(t *testing.T) {
	captureLogs(t)
	for _, s := range lifeStops {
		for _, after := range []time.Duration{0, 5 * time.Millisecond, time.Hour} {
			t.Run(s.name+" "+after.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					owner := context.Background()
					release := make(chan struct{})
					obedient, _ := actor.Spawn(owner, actor.Config{}, lifeObey)
					obstinate, _ := actor.Spawn(owner, actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
						<-ctx.Done()
						return context.Cause(ctx)
					})
					slow, _ := actor.Spawn(owner, actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
						<-ctx.Done()
						time.Sleep(actor.StuckAfter / 2)
						return nil
					})
					stuck, _ := actor.Spawn(owner, actor.Config{}, until[int](release))
					synctest.Wait()
					for _, tt := range []struct {
						child *actor.Child[int, actor.None]
						takes time.Duration
						err   error
					}{
						{obedient, 0, nil},
						{obstinate, after, actor.ErrAborted},
						{slow, after + actor.StuckAfter/2, nil},
						{stuck, after + actor.StuckAfter, actor.ErrStuck},
					} {
						ctx, cancel := context.WithTimeout(context.Background(), after)
						start := time.Now()
						err := s.stop(tt.child, ctx)
						if tt.child == obedient && after == 0 {
							err = nil // it may or may not have been in time
						}
						if d := time.Since(start); d != tt.takes || !errors.Is(err, tt.err) {
							t.Errorf("it took %v and gave %v; want %v and %v", d, err, tt.takes, tt.err)
						}
						cancel()
					}
					close(release)
					lifeEnded(stuck)
				})
			})
		}
	}
}

// With a ctx that can never end, the abort timer bounds Stop.
func TestO4StopForEverUsesTheAbortTimer(t *testing.T) {
	captureLogs(t)
	for _, timer := range []time.Duration{0, time.Minute, -1} {
		t.Run(timer.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				want := timer
				switch {
				case timer == 0:
					want = actor.DefaultAbortTimer
				case timer < 0:
					want = 0
				}
				release := make(chan struct{})
				deaf, _ := actor.Spawn(context.Background(), actor.Config{AbortTimer: timer}, lifeDeaf)
				stuck, _ := actor.Spawn(context.Background(), actor.Config{AbortTimer: timer, Detached: true}, until[int](release))
				synctest.Wait()
				start := time.Now()
				if _, err := deaf.Stop(context.WithoutCancel(t.Context())); err != nil || time.Since(start) != want {
					t.Errorf("Stop took %v and gave %v", time.Since(start), err)
				}
				start = time.Now()
				if _, err := stuck.Stop(context.Background()); !errors.Is(err, actor.ErrStuck) || time.Since(start) != want+actor.StuckAfter {
					t.Errorf("Stop of a stuck actor took %v and gave %v", time.Since(start), err)
				}
				close(release)
				lifeEnded(stuck)
			})
		})
	}
}

// Case 41. Drain with a ctx that can never end takes as long as the queue does.
func TestO4DrainForEverWaitsForTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got list[int]
		child, addr := actor.SpawnValue(context.Background(), actor.Config{AbortTimer: time.Second},
			func(ctx context.Context, in *actor.Inbox[int]) (int, error) {
				sum := 0
				for m := range in.Messages(ctx) {
					time.Sleep(time.Minute)
					got.add(m)
					sum += m
				}
				return sum, in.Err()
			})
		for m := range 1000 {
			if err := addr.Send(context.Background(), m); err != nil {
				t.Fatal(err)
			}
		}
		sum, err := child.Drain(context.Background())
		if sum != 499500 || err != nil || len(got.get()) != 1000 {
			t.Errorf("Drain gives %d, %v after %d messages", sum, err, len(got.get()))
		}
		if err := addr.Send(context.Background(), 1); !errors.Is(err, actor.ErrClosed) {
			t.Errorf("a send after Drain gives %v", err)
		}
	})
}

// A deadline holds for the whole tree, whatever the abort timers below.
func TestO4TimersBelowDoNotStretchAStop(t *testing.T) {
	captureLogs(t)
	for _, returned := range []bool{false, true} {
		t.Run(map[bool]string{true: "parent has returned", false: "parent runs"}[returned], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hour := actor.Config{AbortTimer: time.Hour}
				var grow func(depth int) func(context.Context, *actor.Inbox[int]) error
				grow = func(depth int) func(context.Context, *actor.Inbox[int]) error {
					return func(ctx context.Context, in *actor.Inbox[int]) error {
						if depth == 0 {
							return lifeDeaf(ctx, in)
						}
						actor.Spawn(ctx, hour, grow(depth-1))
						derived, cancel := context.WithCancel(ctx)
						_ = cancel // it must end with ctx
						actor.Spawn(derived, hour, grow(depth-1))
						if returned {
							return nil
						}
						return lifeObey(ctx, in)
					}
				}
				for name, stop := range map[string]func(*actor.Child[int, actor.None], context.CancelFunc){
					"Stop with a ctx":       func(c *actor.Child[int, actor.None], _ context.CancelFunc) { c.Stop(lifeShort(t, time.Second)) },
					"Drain with a ctx":      func(c *actor.Child[int, actor.None], _ context.CancelFunc) { c.Drain(lifeShort(t, time.Second)) },
					"Stop with abort timer": func(c *actor.Child[int, actor.None], _ context.CancelFunc) { c.Stop(context.Background()) },
					"owner's end":           func(c *actor.Child[int, actor.None], cancel context.CancelFunc) { cancel(); <-c.Done() },
					"Drop":                  func(c *actor.Child[int, actor.None], _ context.CancelFunc) { c.Drop(); <-c.Done() },
				} {
					owner, cancel := context.WithCancel(context.Background())
					root, _ := actor.Spawn(owner, actor.Config{AbortTimer: time.Second}, grow(3))
					synctest.Wait()
					start := time.Now()
					stop(root, cancel)
					if d := time.Since(start); d != time.Second || !lifeOver(root.Done()) {
						t.Errorf("%s took %v, ended: %v", name, d, lifeOver(root.Done()))
					}
					cancel()
				}
			})
		})
	}
}

// A body that stops its own actor or its parent waits for itself. With its own
// ctx, which cannot end before, the abort timer bounds that.
func TestO4StopFromWithin(t *testing.T) {
	captureLogs(t)
	for _, s := range lifeStops {
		for _, above := range []bool{false, true} {
			t.Run(s.name+map[bool]string{true: " of the parent", false: " of oneself"}[above], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					cfg := actor.Config{AbortTimer: time.Minute}
					self := make(chan *actor.Child[int, actor.None], 1)
					took := make(chan time.Duration, 1)
					stop := func(ctx context.Context, _ *actor.Inbox[int]) error {
						child, start := <-self, time.Now()
						if err := s.stop(child, ctx); !errors.Is(err, actor.ErrStuck) {
							t.Errorf("it gives %v", err)
						}
						took <- time.Since(start)
						return nil
					}
					body := stop
					if above {
						body = func(ctx context.Context, in *actor.Inbox[int]) error {
							actor.Spawn(ctx, cfg, stop)
							return lifeObey(ctx, in)
						}
					}
					child, _ := actor.Spawn(context.Background(), cfg, body)
					self <- child
					if d := <-took; d != time.Minute+actor.StuckAfter {
						t.Errorf("it took %v", d)
					}
					<-child.Done()
				})
			})
		}
	}
}
