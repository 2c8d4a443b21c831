package actor_test

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tinyactor/actor"
)

var stressFor = flag.Duration("stress", 200*time.Millisecond, "how long each stress test runs")

// stress calls round with a new seed until the time is over. A round that
// fails or hangs names its seed; the schedule is the machine's.
func stress(t *testing.T, round func(t *testing.T, rnd *rand.Rand)) {
	t.Parallel()
	stressAlone(t, round)
}

// stressAlone is stress for a test that cannot run beside others.
func stressAlone(t *testing.T, round func(t *testing.T, rnd *rand.Rand)) {
	stressDuring(t, *stressFor, round)
}

// stressDuring calls round until the given time is over.
func stressDuring(t *testing.T, d time.Duration, round func(t *testing.T, rnd *rand.Rand)) {
	first := rand.Uint64()
	rounds := 0
	for end := time.Now().Add(d); rounds == 0 || time.Now().Before(end) && !t.Failed(); rounds++ {
		round(t, rand.New(rand.NewPCG(first, uint64(rounds))))
	}
	if t.Failed() {
		t.Logf("seed %d, %d", first, rounds-1)
	}
}

// stressWait fails the test, with all goroutines, if c is not closed in time.
func stressWait(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(20 * time.Second):
		stacks := make([]byte, 1<<20)
		t.Fatalf("%s does not come\n%s", what, stacks[:runtime.Stack(stacks, true)])
	}
}

// stressJoin waits for a group.
func stressJoin(t *testing.T, what string, wg *sync.WaitGroup) {
	t.Helper()
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	stressWait(t, what, done)
}

// stressYield lets others run for a moment.
func stressYield(n int) {
	for range n {
		runtime.Gosched()
	}
}

// stressOwner is an owner whose actors do not log panics.
func stressOwner() (context.Context, context.CancelFunc) {
	return context.WithCancel(actor.WithObserver(context.Background(), fuzzQuiet{}))
}

// stressForeign is a Sender that is not of the package.
type stressForeign struct{ to actor.Sender[fuzzMsg] }

func (s stressForeign) Send(ctx context.Context, m fuzzMsg) error { return s.to.Send(ctx, m) }
func (s stressForeign) TrySend(m fuzzMsg) error                   { return s.to.TrySend(m) }

// stressSender sends in all ways until the actor is closed. Messages of sender
// k have the numbers from k<<20 on.
func stressSender(tally *stressTally, addr *actor.Address[fuzzMsg], k int, rnd *rand.Rand) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	mapped := actor.Map(addr, func(m fuzzMsg) fuzzMsg { return m })
	senders := []actor.Sender[fuzzMsg]{addr, mapped, stressForeign{addr}}
	for id := k << 20; ; id++ {
		var err error
		switch to := senders[rnd.IntN(3)]; rnd.IntN(6) {
		case 0, 1:
			err = to.Send(ctx, fuzzMsg{id: id})
		case 2:
			err = to.TrySend(fuzzMsg{id: id})
		case 3:
			var n int
			n, err = addr.SendAll(ctx, []fuzzMsg{{id: id}, {id: id + 1}, {id: id + 2}})
			for i := range 3 {
				if i < n {
					tally.add(&tally.accepted, id+i)
				} else {
					tally.add(&tally.refused, id+i)
				}
			}
			id += 2
			if errors.Is(err, actor.ErrClosed) {
				return
			}
			continue
		case 4:
			own, stop := context.WithCancel(ctx)
			go func() { stressYield(id % 16); stop() }()
			err = to.Send(own, fuzzMsg{id: id})
			stop()
		case 5:
			own, stop := context.WithTimeout(ctx, time.Duration(rnd.IntN(3))*time.Millisecond+time.Microsecond)
			_, err = actor.Ask(own, to, func(r actor.Reply[int]) fuzzMsg { return fuzzMsg{id, r} })
			stop()
			switch {
			case errors.Is(err, actor.ErrNoReply):
				tally.add(&tally.accepted, id)
				continue
			case errors.Is(err, context.DeadlineExceeded):
				continue
			}
		}
		if err == nil {
			tally.add(&tally.accepted, id)
		} else {
			tally.add(&tally.refused, id)
		}
		if errors.Is(err, actor.ErrClosed) {
			return
		}
		if errors.Is(err, actor.ErrFull) {
			runtime.Gosched()
		}
	}
}

// stressReceiver receives in one of the ways until it is told to end, or has
// received enough, and then ends in one of the ways.
func stressReceiver(tally *stressTally, enough int) func(context.Context, *actor.Inbox[fuzzMsg]) (int, error) {
	return func(ctx context.Context, in *actor.Inbox[fuzzMsg]) (int, error) {
		way := (enough + in.Index()) % 5
		ready, halting := in.Ready(), in.Halting()
		dst := make([]fuzzMsg, 3)
		for n := 0; n < enough; {
			var err error
			k := 1
			switch way {
			case 0:
				dst[0], err = in.Recv(ctx)
			case 1:
				select {
				case <-ready:
				case <-halting:
				}
				dst[0], err = in.TryRecv()
			case 2:
				k, err = in.RecvBatch(ctx, dst, 0)
			case 3:
				k, err = in.RecvBatch(ctx, dst, 20*time.Microsecond)
			case 4:
				own, cancel := context.WithTimeout(ctx, 10*time.Microsecond)
				dst[0], err = in.Recv(own)
				cancel()
			}
			switch {
			case err == actor.ErrHalted, err == actor.ErrClosed:
				return n, err
			case err != nil: // empty, or the time was over
				continue
			}
			for _, m := range dst[:k] {
				tally.add(&tally.received, m.id)
				if n++; m.id%3 > 0 {
					m.Answer(m.id, nil)
				}
			}
		}
		switch enough % 4 {
		case 0:
			return 0, errFuzz
		case 1:
			panic(errFuzz)
		case 2:
			runtime.Goexit()
		}
		return 0, nil
	}
}

// stressEnds are the ways in which an actor is brought to its end.
var stressEnds = map[string]func(p *actor.Pool[fuzzMsg, int], cancel context.CancelFunc){
	"last exit": func(*actor.Pool[fuzzMsg, int], context.CancelFunc) {},
	"close":     func(p *actor.Pool[fuzzMsg, int], _ context.CancelFunc) { p.Close() },
	"halt":      func(p *actor.Pool[fuzzMsg, int], _ context.CancelFunc) { p.Halt() },
	"halt some": func(p *actor.Pool[fuzzMsg, int], _ context.CancelFunc) { p.HaltSome(1); p.HaltSome(2); p.HaltSome(1) },
	"abort":     func(p *actor.Pool[fuzzMsg, int], _ context.CancelFunc) { p.Abort() },
	"close and abort": func(p *actor.Pool[fuzzMsg, int], _ context.CancelFunc) {
		p.Close()
		stressYield(3)
		p.Abort()
	},
	"owner": func(_ *actor.Pool[fuzzMsg, int], cancel context.CancelFunc) { cancel() },
	"stop":  func(p *actor.Pool[fuzzMsg, int], _ context.CancelFunc) { p.Stop(context.Background()) },
	"drain": func(p *actor.Pool[fuzzMsg, int], _ context.CancelFunc) { p.Drain(context.Background()) },
}

// Conservation, and the end of every Ask, while sends of all kinds race with
// each way to end, bodies that panic, and an Undelivered that panics.
// Cases 4, 5, 23.
func TestS3StressSendsAgainstEveryEnd(t *testing.T) {
	for name := range stressEnds {
		t.Run(name, func(t *testing.T) {
			stress(t, func(t *testing.T, rnd *rand.Rand) { stressEnd(t, rnd, name) })
		})
	}
}

// stressEnd sends to an actor in all ways and brings it to the named end.
func stressEnd(t *testing.T, rnd *rand.Rand, name string) {
	capacities := []actor.Capacity{actor.Bounded(1), actor.Bounded(4), actor.Unbounded(), actor.Backpressure(2, 10*time.Microsecond, 2)}
	tally := new(stressTally)
	owner, cancel := stressOwner()
	defer cancel()
	cfg := actor.Config{Capacity: capacities[rnd.IntN(4)], Undelivered: func(m any) {
		tally.add(&tally.undelivered, m.(fuzzMsg).id)
		if m.(fuzzMsg).id%5 == 0 {
			panic(errFuzz)
		}
	}}
	enough := 1000
	if name == "last exit" || rnd.IntN(4) == 0 {
		enough = rnd.IntN(30)
	}
	n := 1 + rnd.IntN(4)
	pool, addr := actor.SpawnPool(owner, cfg, n, stressReceiver(tally, enough))
	var wg sync.WaitGroup
	for k := range 3 {
		own := rand.New(rand.NewPCG(rnd.Uint64(), 0))
		wg.Go(func() { stressSender(tally, addr, k, own) })
	}
	stressYield(rnd.IntN(50))
	stressEnds[name](pool, cancel)
	stressJoin(t, "the end of all sends", &wg)
	stressWait(t, "Done", addr.Done())
	if n := addr.Len(); n != 0 {
		t.Errorf("Len is %d after Done", n)
	}
	tally.check(t)
	if n == 1 {
		stressOrder(t, slices.Concat(tally.received, tally.undelivered))
	}
}

// Room that a sender was given while its ctx ended goes on to the next, and a
// sender without an end of its own is never left asleep. Case 20.
func TestS4StressCancelledWhenChosen(t *testing.T) {
	stress(t, func(t *testing.T, rnd *rand.Rand) {
		tally := new(stressTally)
		child, addr := actor.Spawn(context.Background(), actor.Config{Capacity: actor.Bounded(1 + rnd.IntN(2))},
			func(ctx context.Context, in *actor.Inbox[int]) error {
				for id := range in.Messages(ctx) {
					tally.add(&tally.received, id)
				}
				return in.Err()
			})
		var wg sync.WaitGroup
		for k := range 6 {
			wg.Go(func() {
				for id := k << 20; id < k<<20+40; id++ {
					ctx, cancel := context.WithCancel(context.Background())
					if k > 0 {
						go func() { stressYield(id * k % 7); cancel() }()
					}
					if err := addr.Send(ctx, id); err == nil {
						tally.add(&tally.accepted, id)
					} else {
						tally.add(&tally.refused, id)
					}
					cancel()
				}
			})
		}
		stressJoin(t, "the end of all sends", &wg)
		if _, err := child.Drain(context.Background()); err != nil {
			t.Error(err)
		}
		tally.check(t)
		stressOrder(t, tally.received)
	})
}

// Each process of a pool, however it receives and whenever it joined, is told of
// a halt exactly once, and of the close not before. Case 22.
func TestR2StressHaltsAgainstReceives(t *testing.T) {
	stress(t, func(t *testing.T, rnd *rand.Rand) {
		body := func(ctx context.Context, in *actor.Inbox[fuzzMsg]) (int, error) {
			halts := 0
			for {
				_, err := stressReceiver(new(stressTally), 1<<30)(ctx, in)
				switch {
				case err == actor.ErrHalted:
					halts++
				case err == actor.ErrClosed && halts != 1:
					t.Errorf("process %d: closed after %d halts, want one", in.Index(), halts)
					return 0, err
				default:
					return 0, err
				}
			}
		}
		pool, addr := actor.SpawnPool(context.Background(), actor.Config{Undelivered: func(any) {}}, 5, body)
		var wg sync.WaitGroup
		wg.Go(func() {
			for addr.TrySend(fuzzMsg{}) == nil {
				runtime.Gosched()
			}
		})
		for range 2 {
			yields := rnd.IntN(20)
			wg.Go(func() { stressYield(yields); pool.HaltSome(2) })
			wg.Go(func() { stressYield(yields); pool.Spawn(body) })
		}
		stressYield(rnd.IntN(20))
		wg.Go(addr.Halt)
		wg.Go(pool.Halt)
		stressJoin(t, "the end of halts and sends", &wg)
		stressWait(t, "Done", addr.Done())
	})
}

// A message finds a process that waits, however it waits, and the answer finds
// the asker: nobody is left asleep. Cases 7, 13, 21.
func TestR4StressNoLostWakeup(t *testing.T) {
	stress(t, func(t *testing.T, rnd *rand.Rand) {
		tally := new(stressTally)
		pool, addr := actor.SpawnPool(context.Background(), actor.Config{Capacity: actor.Bounded(1)}, 1+rnd.IntN(5), stressReceiver(tally, 1<<30))
		var wg sync.WaitGroup
		var answers atomic.Int64
		for range 3 {
			wg.Go(func() {
				for i := range 30 {
					id := i*3 + 1 // which is answered
					if v, err := actor.Ask(context.Background(), addr, func(r actor.Reply[int]) fuzzMsg { return fuzzMsg{id, r} }); v != id || err != nil {
						t.Errorf("Ask: %d, %v", v, err)
					}
					answers.Add(1)
				}
			})
		}
		stressJoin(t, "the end of all asks", &wg)
		if _, err := pool.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		if n := answers.Load(); n != 90 || len(tally.received) != 90 {
			t.Errorf("%d answers to %d messages, want 90", n, len(tally.received))
		}
	})
}
