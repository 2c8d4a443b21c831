package actor_test

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tinyactor/actor"
)

// stressProcs calls round with new seeds, for a while with few processors, for a
// while with more than there are, and for a while with as many as chance has it:
// then threads that hold a lock are stopped, and those that wait for it run.
func stressProcs(t *testing.T, round func(t *testing.T, rnd *rand.Rand)) {
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	for _, procs := range []int{1, 8, 0} {
		runtime.GOMAXPROCS(procs)
		var stop atomic.Bool
		var wg sync.WaitGroup
		if procs == 0 {
			wg.Go(func() {
				for i := 0; !stop.Load(); i++ {
					runtime.GOMAXPROCS(1 << (i % 4))
					stressYield(100)
				}
			})
		}
		stressDuring(t, *stressFor/2, round)
		stop.Store(true)
		wg.Wait()
	}
}

// Accepted is received or handed back, exactly once, whatever the number of
// processors does meanwhile.
func TestS3StressWhileProcessorsChange(t *testing.T) {
	ends := slices.Sorted(maps.Keys(stressEnds))
	stressProcs(t, func(t *testing.T, rnd *rand.Rand) { stressEnd(t, rnd, ends[rnd.IntN(len(ends))]) })
}

// Messages of a lone process and of a pool, in bursts that are queued and one by
// one to who waits: each sender's come in its order (to a lone process), all of
// them come, and nobody is left asleep.
func TestR4StressWhileProcessorsChange(t *testing.T) {
	const senders = 3
	capacities := []actor.Capacity{actor.Bounded(1), actor.Bounded(9), actor.Unbounded(), actor.Backpressure(6, 30*time.Microsecond, 1)}
	stressProcs(t, func(t *testing.T, rnd *rand.Rand) {
		tally := new(stressTally)
		n := 1 + rnd.IntN(3)
		pool, addr := actor.SpawnPool(context.Background(), actor.Config{Capacity: capacities[rnd.IntN(4)]}, n,
			actor.NoValue(func(ctx context.Context, in *actor.Inbox[fuzzMsg]) error {
				for m := range in.Messages(ctx) {
					tally.add(&tally.received, m.id)
					m.Answer(m.id, nil)
				}
				return in.Err()
			}))
		var wg sync.WaitGroup
		for k := range senders {
			own := rand.New(rand.NewPCG(rnd.Uint64(), 0))
			wg.Go(func() {
				for id := k << 20; id < k<<20+100; id++ {
					var err error
					switch own.IntN(4) {
					case 0: // the answer to the last one of a burst
						_, err = actor.Ask(context.Background(), addr, func(r actor.Reply[int]) fuzzMsg { return fuzzMsg{id, r} })
					case 1:
						if err = addr.TrySend(fuzzMsg{id: id}); errors.Is(err, actor.ErrFull) {
							err = addr.Send(context.Background(), fuzzMsg{id: id})
						}
					default:
						err = addr.Send(context.Background(), fuzzMsg{id: id})
					}
					if err != nil {
						t.Error(err)
					}
					tally.add(&tally.accepted, id)
				}
			})
		}
		stressJoin(t, "the end of all sends", &wg)
		if _, err := pool.Drain(context.Background()); err != nil {
			t.Error(err)
		}
		if len(tally.received) != senders*100 {
			t.Errorf("%d messages received, want %d", len(tally.received), senders*100)
		}
		tally.check(t)
		if n == 1 {
			stressOrder(t, tally.received)
		}
	})
}
