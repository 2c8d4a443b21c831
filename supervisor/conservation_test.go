package supervisor_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// Rule 74: for any schedule of crashes, accepted = handled + crashed in hand +
// undelivered, and each message is seen once.
func TestConservationUnderRandomCrashes(t *testing.T) {
	quiet(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for i := range 200 {
		rnd := rand.New(rand.NewPCG(seed, uint64(i)))
		synctest.Test(t, func(t *testing.T) { conserve(t, rnd) })
		if t.Failed() {
			t.Fatalf("round %d", i)
		}
	}
}

func conserve(t *testing.T, rnd *rand.Rand) {
	const senders = 3
	var mu sync.Mutex
	fate := make(map[int]string)
	end := func(m int, what string) {
		mu.Lock()
		defer mu.Unlock()
		if fate[m] != "" {
			t.Errorf("message %d: %s and %s", m, fate[m], what)
		}
		fate[m] = what
	}
	lots := make(chan int, 100_000)
	for range cap(lots) {
		lots <- rnd.IntN(100)
	}
	processes := 1 + rnd.IntN(3)
	fresh := processes == 1 && rnd.IntN(2) == 0
	batch := rnd.IntN(2) == 0
	w := &supervisor.Worker[int]{
		Name: "w", Processes: processes, Fresh: fresh, Drain: rnd.IntN(2) == 0,
		Restart:  supervisor.Restart(rnd.IntN(2)),
		Capacity: []actor.Capacity{actor.Unbounded(), actor.Bounded(5), {}}[rnd.IntN(3)],
		Run: func(ctx context.Context, in *actor.Inbox[int]) error {
			dst := make([]int, 1)
			if batch {
				dst = make([]int, 4)
			}
			for {
				n, err := in.RecvBatch(ctx, dst, 0)
				if err != nil {
					return err
				}
				switch lot := <-lots; {
				case lot < 3:
					panic("crash")
				case lot < 6:
					return errCrash
				case lot < 8:
					runtime.Goexit()
				case lot < 20:
					time.Sleep(time.Duration(lot) * time.Millisecond)
				}
				for _, m := range dst[:n] {
					end(m, "handled")
				}
			}
		},
		OnCrash:     func(m int, _ error) { end(m, "crashed") },
		Undelivered: func(m int) { end(m, "undelivered") },
		Backoff:     supervisor.Backoff{Min: time.Duration(rnd.IntN(2)) * time.Millisecond, Max: 5 * time.Millisecond},
		AbortTimer:  time.Duration(1+rnd.IntN(20)) * time.Millisecond,
	}
	sub := &supervisor.Spec{Name: "sub", Strategy: supervisor.Strategy(rnd.IntN(3)), Children: []supervisor.Child{idler("x"), w},
		Limit: supervisor.Limit{Restarts: 1 + rnd.IntN(20), Period: time.Second}}
	s := start(t, &supervisor.Spec{Name: "root", Limit: supervisor.Limit{Restarts: 1 + rnd.IntN(5)}, Children: []supervisor.Child{sub}})
	accepted := make([][]int, senders)
	ctx, cancel := context.WithCancel(context.Background())
	var sending sync.WaitGroup
	for i := range senders {
		sending.Go(func() {
			for n := range 200 {
				m := i*1000 + n
				if w.Address().Send(ctx, m) == nil {
					accepted[i] = append(accepted[i], m)
				}
				if n%50 == 0 {
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	time.Sleep(time.Duration(rnd.IntN(400)) * time.Millisecond)
	stopping, give := context.WithTimeout(context.Background(), time.Duration(1+rnd.IntN(100))*time.Millisecond)
	s.Stop(stopping)
	give()
	cancel()
	sending.Wait()
	<-w.Address().Done()
	all := slices.Concat(accepted...)
	for _, m := range all {
		if fate[m] == "" {
			t.Errorf("message %d was accepted and is lost", m)
		}
	}
	if len(fate) != len(all) {
		t.Errorf("%d messages were accepted, %d were seen", len(all), len(fate))
	}
}
