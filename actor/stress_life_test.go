package actor_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tinyactor/actor"
)

// Pool.Spawn against the last exit: a body that was accepted runs and its exit
// is reported; one that was not never runs. Case 35.
func TestX4StressSpawnAgainstTheLastExit(t *testing.T) {
	stress(t, func(t *testing.T, rnd *rand.Rand) {
		var ran, accepted atomic.Int64
		body := func(yields int) func(context.Context, *actor.Inbox[int]) (int, error) {
			return func(context.Context, *actor.Inbox[int]) (int, error) {
				ran.Add(1)
				stressYield(yields)
				return yields, nil
			}
		}
		pool, _ := actor.SpawnPool(context.Background(), actor.Config{}, 2, body(rnd.IntN(10)))
		accepted.Store(2)
		var wg sync.WaitGroup
		for range 3 {
			yields := rnd.IntN(10)
			wg.Go(func() {
				for {
					switch err := pool.Spawn(body(yields)); {
					case err == nil:
						accepted.Add(1)
						stressYield(yields)
					case errors.Is(err, actor.ErrClosed):
						return
					default:
						t.Error(err)
						return
					}
					if accepted.Load() > 200 {
						return
					}
				}
			})
		}
		stressJoin(t, "the end of all spawns", &wg)
		stressWait(t, "Done", pool.Done())
		exits, err := pool.Wait(context.Background())
		if n := accepted.Load(); int64(len(exits)) != n || ran.Load() != n || err != nil {
			t.Errorf("%d bodies accepted, %d ran, %d exits, %v", n, ran.Load(), len(exits), err)
		}
		slices.SortFunc(exits, func(a, b actor.Exit[int]) int { return a.Index - b.Index })
		for i, e := range exits {
			if e.Index != i {
				t.Errorf("exit %d has index %d", i, e.Index)
			}
		}
	})
}

// Attach, Detach and Drop against the owner's end: whatever came before, an
// actor that is attached in the end is stopped, and the owner waits for it.
func TestO1StressAttachAgainstTheOwnersEnd(t *testing.T) {
	stress(t, func(t *testing.T, rnd *rand.Rand) {
		var live atomic.Int64
		body := func(ctx context.Context, in *actor.Inbox[int]) error {
			live.Add(1)
			defer live.Add(-1)
			_, err := in.Recv(ctx)
			stressYield(5)
			return err
		}
		owner, cancel := stressOwner()
		kids := make(chan *actor.Child[int, actor.None], 4)
		detached := rnd.IntN(2) == 0
		go func() { // an owner that is a context, and one that is a process
			kid, _ := actor.Spawn(owner, actor.Config{}, body)
			kids <- kid
		}()
		leave := make(chan struct{})
		parent, _ := actor.Spawn(owner, actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
			for _, ctx := range []context.Context{ctx, context.WithValue(ctx, kids, 1), actor.WithObserver(ctx, fuzzQuiet{})} {
				kid, _ := actor.Spawn(ctx, actor.Config{Detached: detached}, body)
				kids <- kid
			}
			<-leave
			return nil
		})
		var wg sync.WaitGroup
		var all []*actor.Child[int, actor.None]
		for range 4 {
			kid := <-kids
			all = append(all, kid)
			for range 2 {
				yields := rnd.IntN(10)
				wg.Go(func() {
					stressYield(yields)
					kid.Detach()
					kid.Attach(time.Hour)
					if yields < 5 {
						kid.Drop()
					}
					kid.Detach()
					kid.Attach(time.Hour)
				})
			}
		}
		stressYield(rnd.IntN(20))
		cancel()
		close(leave)
		stressJoin(t, "the end of Attach and Detach", &wg)
		for _, kid := range all {
			kid.Attach(time.Hour)
			stressWait(t, "the end of a child", kid.Done())
		}
		stressWait(t, "the end of the parent", parent.Done())
		if n := live.Load(); n != 0 {
			t.Errorf("%d bodies run after the end", n)
		}
	})
}

// stressTree is a body that has children, which have children.
func stressTree(live *atomic.Int64, depth int) func(context.Context, *actor.Inbox[int]) error {
	return func(ctx context.Context, in *actor.Inbox[int]) error {
		live.Add(1)
		defer live.Add(-1)
		if depth > 0 {
			actor.Spawn(ctx, actor.Config{Drain: depth%2 == 0}, stressTree(live, depth-1))
			actor.SpawnPool(ctx, actor.Config{}, 2, actor.NoValue(stressTree(live, depth-1)))
		}
		for m := range in.Messages(ctx) {
			if m == depth {
				return errFuzz
			}
		}
		<-in.Halting() // after a close
		return nil
	}
}

// Stop, Drain, Abort, Close, Halt and the owner's end at once, on a tree that
// still grows: one of the Aborts and one of the Closes is the first, everybody
// gets the same answer, and nothing runs after it.
func TestX2StressEveryEndAtOnce(t *testing.T) {
	captureLogs(t) // who is aborted before it looked at its halt is reported
	stressAlone(t, func(t *testing.T, rnd *rand.Rand) {
		var live, aborts, closes atomic.Int64
		owner, cancel := stressOwner()
		defer cancel()
		root, addr := actor.Spawn(owner, actor.Config{Undelivered: func(any) {}}, stressTree(&live, 3))
		short, stop := context.WithTimeout(context.Background(), time.Duration(rnd.IntN(300))*time.Microsecond)
		defer stop()
		var wg sync.WaitGroup
		var answers list[string]
		answer := func(_ actor.None, err error) {
			text := "nil"
			if err != nil {
				text = err.Error()
			}
			answers.add(text)
			if errors.Is(err, actor.ErrStuck) {
				t.Error(err)
			}
		}
		for _, f := range []func(){
			func() { answer(root.Stop(short)) },
			func() { answer(root.Stop(context.Background())) },
			func() { answer(root.Drain(short)) },
			func() { answer(root.Wait(context.Background())) },
			func() { answer(actor.None{}, addr.Wait(context.Background())) },
			func() {
				if root.Abort() {
					aborts.Add(1)
				}
			},
			func() {
				if root.Abort() {
					aborts.Add(1)
				}
			},
			func() {
				if root.Close() {
					closes.Add(1)
				}
			},
			func() {
				if root.Close() {
					closes.Add(1)
				}
			},
			addr.Halt, cancel, root.Drop,
			func() { addr.TrySend(3) },
		} {
			yields := rnd.IntN(40)
			wg.Go(func() { stressYield(yields); f() })
		}
		stressJoin(t, "the end of all calls", &wg)
		stressWait(t, "Done", addr.Done())
		if n := live.Load(); n != 0 {
			t.Errorf("%d bodies run after Done", n)
		}
		if a, c := aborts.Load(), closes.Load(); a > 1 || c > 1 {
			t.Errorf("%d Aborts and %d Closes were the first", a, c)
		}
		if root.Abort() || root.Close() {
			t.Error("an ended actor was aborted or closed")
		}
		for _, text := range answers.get() {
			if text != answers.get()[0] {
				t.Errorf("different answers: %q", answers.get())
			}
		}
	})
}

// Stopping a ticker, and a Watch, against what they send.
func TestS11StressStopAgainstTheSend(t *testing.T) {
	stress(t, func(t *testing.T, rnd *rand.Rand) {
		const marker = -1
		var got list[int]
		child, addr := actor.Spawn(context.Background(), actor.Config{Capacity: actor.Bounded(1)}, keep(&got))
		other, _ := actor.Spawn(context.Background(), actor.Config{}, keep(new(list[int])))
		stopTicks := addr.SendEvery(time.Duration(1+rnd.IntN(20))*time.Microsecond, 1)
		stopWatch := addr.Watch(other, func(error) int { return 2 })
		stops := map[int]func() bool{2: stopWatch}
		for id := 3; id < 10; id++ {
			stops[id] = addr.SendAfter(time.Duration(rnd.IntN(50))*time.Microsecond, id)
		}
		go other.Halt()
		stressYield(rnd.IntN(20))
		prevented := map[int]bool{}
		for id, stop := range stops {
			prevented[id] = stop()
		}
		stopTicks()
		if err := addr.Send(context.Background(), marker); err != nil {
			t.Error(err)
		}
		child.Drain(context.Background())
		stressWait(t, "Done", other.Done())
		all := got.get()
		for id, p := range prevented {
			if sent := slices.Contains(all, id); sent == p {
				t.Errorf("message %d: stop says %v, sent: %v", id, p, sent)
			}
		}
		if i := slices.Index(all, marker); i != len(all)-1 {
			t.Errorf("received after everything was stopped: %v", all[i+1:])
		}
	})
}

// stressLog is an observer that keeps what each actor told.
type stressLog struct {
	mu     sync.Mutex
	events map[actor.ID][]actor.Event
	ended  chan actor.ID
}

func (l *stressLog) Observe(e actor.Event) {
	l.mu.Lock()
	l.events[e.ID] = append(l.events[e.ID], e)
	l.mu.Unlock()
	if e.Kind == actor.EventEnded {
		l.ended <- e.ID
	}
}

func (l *stressLog) LogsPanics() bool { return true }

// What observers hear of an actor is in order, however many things happen to it
// at once: processes are spawned before they exit, and the end comes last, once.
func TestX1StressEventsAreInOrder(t *testing.T) {
	captureLogs(t) // who is aborted before it looked at its halt is reported
	stressAlone(t, func(t *testing.T, rnd *rand.Rand) {
		const actors = 4
		log := &stressLog{events: map[actor.ID][]actor.Event{}, ended: make(chan actor.ID, 2*actors)}
		owner, cancel := context.WithCancel(actor.WithObserver(context.Background(), log))
		defer cancel()
		tally := new(stressTally)
		var wg sync.WaitGroup
		for range actors {
			pool, addr := actor.SpawnPool(owner, actor.Config{Undelivered: func(any) {}}, 2, stressReceiver(tally, rnd.IntN(20)))
			for range 2 {
				body := stressReceiver(tally, rnd.IntN(20))
				wg.Go(func() { pool.Spawn(body) })
				wg.Go(func() { pool.HaltSome(1) })
				wg.Go(pool.Halt)
			}
			wg.Go(func() { pool.Abort() })
			wg.Go(func() { addr.TrySend(fuzzMsg{}) })
		}
		cancel()
		stressJoin(t, "the end of all calls", &wg)
		for range actors {
			select {
			case <-log.ended:
			case <-time.After(20 * time.Second):
				t.Fatal("an actor did not tell of its end")
			}
		}
		log.mu.Lock()
		defer log.mu.Unlock()
		for id, events := range log.events {
			spawned, exited := map[int]int{}, map[int]int{}
			for i, e := range events {
				switch e.Kind {
				case actor.EventSpawned:
					spawned[e.Process]++
				case actor.EventExited:
					exited[e.Process]++
				}
				if exited[e.Process] > spawned[e.Process] || e.Kind == actor.EventEnded && i != len(events)-1 {
					t.Errorf("actor %d: event %d of %d is %s of process %d; all: %v", id, i, len(events), e.Kind, e.Process, events)
				}
			}
			if len(spawned) < 2 || len(exited) != len(spawned) {
				t.Errorf("actor %d: spawned %v, exited %v", id, spawned, exited)
			}
		}
	})
}

// An Ask of an actor that is on its way out, from a process of its tree: the
// exit does not wait for the asker, and the asker is told.
func TestX5StressAsksOfAnExitingParent(t *testing.T) {
	stress(t, func(t *testing.T, rnd *rand.Rand) {
		owner, cancel := stressOwner()
		defer cancel()
		var asks, ends atomic.Int64
		child := func(addr *actor.Address[fuzzMsg]) func(context.Context, *actor.Inbox[int]) error {
			return func(ctx context.Context, in *actor.Inbox[int]) error {
				for {
					asks.Add(1)
					_, err := actor.Ask(ctx, addr, func(r actor.Reply[int]) fuzzMsg { return fuzzMsg{1, r} })
					ends.Add(1)
					if err != nil {
						return nil
					}
				}
			}
		}
		enough := rnd.IntN(20)
		parent, _ := actor.Spawn(owner, actor.Config{Capacity: actor.Bounded(1), Undelivered: func(any) {}},
			func(ctx context.Context, in *actor.Inbox[fuzzMsg]) error {
				for range 3 {
					actor.Spawn(ctx, actor.Config{}, child(in.Address()))
				}
				for range enough {
					m, err := in.Recv(ctx)
					if err != nil {
						return err
					}
					m.Answer(1, nil)
				}
				in.Recv(ctx) // in hand at the end
				return nil
			})
		if rnd.IntN(2) == 0 {
			stressYield(rnd.IntN(50))
			parent.Halt()
		}
		stressWait(t, "the end of the parent", parent.Done())
		if a, e := asks.Load(), ends.Load(); a != e {
			t.Errorf("%d asks, %d ended", a, e)
		}
	})
}

// Aborts of a tree against spawns into it: no child of an aborted actor goes on.
func TestA1StressAbortAgainstSpawns(t *testing.T) {
	captureLogs(t) // who is aborted before it looked at its halt is reported
	stressAlone(t, func(t *testing.T, rnd *rand.Rand) {
		var live, spawned atomic.Int64
		root, _ := actor.Spawn(context.Background(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
			for range 3 {
				go func() {
					for range 20 {
						spawned.Add(1)
						actor.Spawn(ctx, actor.Config{AbortTimer: time.Hour}, func(ctx context.Context, _ *actor.Inbox[int]) error {
							live.Add(1)
							defer live.Add(-1)
							<-ctx.Done()
							if err := context.Cause(ctx); err != actor.ErrAborted {
								t.Errorf("cause %v, want ErrAborted", err)
							}
							return nil
						})
					}
				}()
			}
			_, err := in.Recv(ctx)
			return err
		})
		stressYield(rnd.IntN(60))
		root.Abort()
		stressWait(t, "the end of the root", root.Done())
		if _, err := root.Wait(context.Background()); !errors.Is(err, actor.ErrAborted) {
			t.Errorf("exit %v, want ErrAborted", err)
		}
		for end := time.Now().Add(20 * time.Second); spawned.Load() < 60 || live.Load() > 0; stressYield(1) {
			if time.Now().After(end) {
				t.Fatalf("%d of %d children go on", live.Load(), spawned.Load())
			}
		}
	})
}
