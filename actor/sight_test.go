package actor_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"tinyactor/actor"
	"tinyactor/internal/inspect"
)

// onlooker is an observer that looks into actors. It keeps none alive.
type onlooker struct {
	samples int

	mu    sync.Mutex
	seen  []weak.Pointer[inspect.Actor]
	waits int
}

func (o *onlooker) Observe(actor.Event) {}
func (o *onlooker) Samples() int        { return o.samples }

func (o *onlooker) Born(a *inspect.Actor) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen = append(o.seen, weak.Make(a))
}

func (o *onlooker) Waits() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waits++
}

// last is the actor that was made last.
func (o *onlooker) last(t *testing.T) *inspect.Actor {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	a := o.seen[len(o.seen)-1].Value()
	if a == nil {
		t.Fatal("the actor is gone")
	}
	return a
}

func looking(t *testing.T, samples int) (context.Context, *onlooker) {
	o := &onlooker{samples: samples}
	return actor.WithObserver(t.Context(), o), o
}

// What was accepted is what was received, handed back, or waits, at any moment.
func TestSightCounts(t *testing.T) {
	for _, capacity := range []actor.Capacity{actor.Unbounded(), actor.Bounded(3), actor.Bounded(1000)} {
		synctest.Test(t, func(t *testing.T) {
			ctx, o := looking(t, 100)
			next := make(chan int) // how many to receive
			child, addr := actor.Spawn(ctx, actor.Config{Name: "counted", Capacity: capacity, Undelivered: func(any) {}},
				func(ctx context.Context, in *actor.Inbox[int]) error {
					for n := range next {
						for range n {
							if _, err := in.Recv(ctx); err != nil {
								return err
							}
						}
					}
					return nil
				})
			accepted, received := 0, 0
			check := func(length, undelivered int) {
				t.Helper()
				synctest.Wait()
				r := o.last(t).Read()
				if int(r.Received) != received || r.Length != length || int(r.Undelivered) != undelivered ||
					accepted != received+length+undelivered {
					t.Errorf("of %d accepted: %d received (want %d), %d wait (want %d), %d handed back (want %d)",
						accepted, r.Received, received, r.Length, length, r.Undelivered, undelivered)
				}
				if r.High < r.Length || r.High > accepted {
					t.Errorf("the longest was %d with %d there", r.High, r.Length)
				}
			}
			check(0, 0)
			send := func(n int) {
				for range n {
					if err := addr.Send(t.Context(), 1); err != nil {
						t.Fatal(err)
					}
				}
				accepted += n
			}
			most := 900
			if capacity == actor.Bounded(3) {
				most = 3
			}
			for _, n := range []int{1, 2, 3, most, most / 3, most} {
				send(n)
				check(n, 0)
				next <- n // the last one is received when it asks for more
				received += n
				check(0, 0)
			}
			next <- 2 // which it waits for
			send(2)
			received += 2
			check(0, 0)
			send(3)
			check(3, 0)
			next <- 1
			received++
			check(2, 0)
			close(next)
			if _, err := child.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			check(0, 2)
		})
	}
}

// A batch counts as received; what an abort gives back does not.
func TestSightCountsBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, o := looking(t, 100)
		child, addr := actor.Spawn(ctx, actor.Config{Undelivered: func(any) {}}, func(ctx context.Context, in *actor.Inbox[int]) error {
			var batch [10]int
			if _, err := in.RecvBatch(ctx, batch[:], 0); err != nil {
				return err
			}
			_, err := in.RecvBatch(ctx, batch[:], time.Hour)
			return err
		})
		for range 15 { // some of them in a first batch, the rest gathered
			if err := addr.Send(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		before := o.last(t).Read()
		child.Abort()
		<-child.Done()
		r := o.last(t).Read()
		if r.Received+r.Undelivered != 15 || r.Length != 0 || r.Received >= before.Received || r.Undelivered == 0 {
			t.Errorf("before the abort %+v\nafter %+v", before, r)
		}
	})
}

// Each message of a slow process is timed, and the time in the queue is that from
// acceptance to receipt.
func TestSightTimes(t *testing.T) {
	for _, processes := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			ctx, o := looking(t, 100)
			work := func(ctx context.Context, in *actor.Inbox[time.Duration]) (actor.None, error) {
				for d := range in.Messages(ctx) {
					time.Sleep(d)
				}
				return actor.None{}, nil
			}
			pool, addr := actor.SpawnPool(ctx, actor.Config{}, processes, work)
			for range 1 + 4*processes { // the processes take one each at once: the later ones wait a round longer each
				if err := addr.Send(t.Context(), time.Second); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
			}
			time.Sleep(500 * time.Millisecond)
			synctest.Wait()
			a := o.last(t)
			if r := a.Read(); r.HandSince.IsZero() || time.Since(r.HandSince) != 500*time.Millisecond || r.Idle != 0 || r.Processes != processes {
				t.Errorf("in hand since %v at %v: %+v", r.HandSince, time.Now(), r)
			}
			if _, err := pool.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			s := a.Handled.Summary()
			if int(s.Count) != 1+4*processes || s.Max != time.Second || s.P50 < 970*time.Millisecond || s.P50 > 1030*time.Millisecond {
				t.Errorf("handling took %+v", s)
			}
			if q := a.Queued.Summary(); q.Count < 1 || q.Max > 5*time.Second || q.Max%time.Second != 0 {
				t.Errorf("in the queue: %+v", q)
			}
		})
	}
}

// A message that has to wait for the two before it is in the queue as long as they take.
func TestSightTimeInQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, o := looking(t, 100)
		child, addr := actor.Spawn(ctx, actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
			for range in.Messages(ctx) {
				time.Sleep(time.Second)
			}
			return nil
		})
		send := func() {
			if err := addr.Send(t.Context(), 0); err != nil {
				t.Error(err)
			}
		}
		send() // taken at once: from then on the next one is timed
		synctest.Wait()
		time.Sleep(250 * time.Millisecond)
		send() // timed: received after 750 ms
		send()
		if _, err := child.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if q := o.last(t).Queued.Summary(); q.Count != 1 || q.Max != 750*time.Millisecond {
			t.Errorf("in the queue: %+v", q)
		}
	})
}

// Not more is timed than was asked for, and a process that has been fast and
// becomes slow has its messages timed again.
func TestSightSamples(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, o := looking(t, 10)
		child, addr := actor.Spawn(ctx, actor.Config{}, func(ctx context.Context, in *actor.Inbox[time.Duration]) error {
			for d := range in.Messages(ctx) {
				time.Sleep(d)
			}
			return nil
		})
		send := func(n int, d time.Duration) {
			for range n {
				if err := addr.Send(t.Context(), d); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				time.Sleep(d)
				if d == time.Millisecond {
					o.last(t).Read() // looking often has no more timed
				}
			}
		}
		send(5000, time.Millisecond) // five seconds
		fast := o.last(t).Handled.Summary().Count
		if fast < 25 || fast > 51 {
			t.Errorf("%d timed in five seconds, want at most ten a second, and half of that", fast)
		}
		for range 5 {
			o.last(t).Read() // who looks sees to it
			send(1, 10*time.Second)
		}
		send(1, 0)
		if slow := o.last(t).Handled.Summary(); slow.Count < fast+4 || slow.Max != 10*time.Second {
			t.Errorf("%d of five slow ones were timed, the longest %v", slow.Count-fast, slow.Max)
		}
		child.Halt()
		<-child.Done()
	})
}

func TestSightNoSamples(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, o := looking(t, -1)
		child, addr := actor.Spawn(ctx, actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
			return in.Serve(ctx, func(context.Context, int) error { return nil })
		})
		for range 100 {
			if err := addr.Send(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := child.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		a := o.last(t)
		if a.Handled.Summary().Count+a.Queued.Summary().Count != 0 || a.Read().Received != 100 {
			t.Errorf("%+v %+v %+v", a.Handled.Summary(), a.Queued.Summary(), a.Read())
		}
	})
}

type wanted struct{ actor.Reply[int] }

func (w wanted) to(r actor.Reply[int]) wanted { w.Reply = r; return w }

// Who sleeps in a Send or an Ask is seen, with who that is, and whether the
// process itself does.
func TestSightWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, o := looking(t, 100)
		release := make(chan struct{})
		_, deaf := actor.Spawn(ctx, actor.Config{Name: "deaf", Capacity: actor.Bounded(1)},
			func(ctx context.Context, in *actor.Inbox[wanted]) error {
				m, err := in.Recv(ctx)
				if err != nil {
					return err
				}
				<-release
				m.Answer(1, nil)
				return in.Serve(ctx, func(_ context.Context, m wanted) error { m.Answer(2, nil); return nil })
			})
		seen := o.last(t)
		if w := seen.Waits(); len(w) > 0 {
			t.Errorf("nobody waits, but %v", w)
		}
		begun := time.Now()
		ask := func(ctx context.Context) {
			if _, err := actor.Ask(ctx, deaf, wanted{}.to); err != nil {
				t.Error(err)
			}
		}
		_, asker := actor.Spawn(ctx, actor.Config{Name: "asker"}, func(ctx context.Context, in *actor.Inbox[int]) error {
			ask(ctx)
			return nil
		})
		askerSeen := o.last(t)
		synctest.Wait()
		time.Sleep(time.Second)
		queued, sender := make(chan struct{}), make(chan struct{})
		go func() { defer close(queued); ask(t.Context()) }() // its message is in the inbox
		synctest.Wait()
		_, full := actor.Spawn(ctx, actor.Config{Name: "sender"}, func(ctx context.Context, in *actor.Inbox[int]) error {
			done := make(chan struct{})
			go func() { // with its context, but not itself
				defer close(done)
				if err := deaf.Send(ctx, wanted{}); err != nil {
					t.Error(err)
				}
			}()
			<-done
			return nil
		})
		fullSeen := o.last(t)
		go func() { defer close(sender); _ = deaf.Send(t.Context(), wanted{}) }()
		synctest.Wait()
		got := seen.Waits()
		slices.SortFunc(got, func(a, b inspect.Wait) int { return 100*(b.Process-a.Process) + int(b.From) - int(a.From) })
		want := []inspect.Wait{
			{From: uint64(asker.ID()), FromName: "asker", FromProcess: 0, Process: 0, Ask: true, Since: begun},
			{From: uint64(full.ID()), FromName: "sender", FromProcess: 0, Process: -1, Since: begun.Add(time.Second)},
			{FromProcess: -1, Process: -1, Ask: true, Since: begun.Add(time.Second)},
			{FromProcess: -1, Process: -1, Since: begun.Add(time.Second)},
		}
		same := func(a, b inspect.Wait) bool {
			since := a.Since.Equal(b.Since)
			a.Since, b.Since = time.Time{}, time.Time{}
			return since && a == b
		}
		for _, w := range want {
			if !slices.ContainsFunc(got, func(g inspect.Wait) bool { return same(g, w) }) {
				t.Errorf("missing %+v", w)
			}
		}
		if len(got) != len(want) {
			t.Errorf("got %+v", got)
		}
		parked := seen.Parked([]inspect.Sleeper{{Actor: askerSeen}, {Actor: fullSeen}, {Actor: seen}, {Actor: seen, Process: 7}})
		if !slices.Equal(parked, []inspect.Parking{inspect.Asleep, inspect.Awake, inspect.Awake, inspect.Unseen}) {
			t.Errorf("who sleeps itself: %v", parked)
		}
		if o.waits < 4 {
			t.Errorf("told of %d waits", o.waits)
		}
		close(release)
		<-queued
		<-sender
		<-asker.Done()
		<-full.Done()
		if w := seen.Waits(); len(w) > 0 {
			t.Errorf("nobody waits any more, but %v", w)
		}
		deaf.Halt()
		<-deaf.Done()
	})
}

// A process that sleeps in a Send is found by its stack.
func TestSightParkedInSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, o := looking(t, 100)
		_, full := actor.Spawn(ctx, actor.Config{Capacity: actor.Bounded(1)}, func(ctx context.Context, in *actor.Inbox[int]) error {
			<-in.Halting()
			return nil
		})
		_, sender := actor.Spawn(ctx, actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
			_ = full.Send(ctx, 1)
			if err := full.Send(ctx, 2); !errors.Is(err, actor.ErrClosed) {
				t.Errorf("the send that waited: %v", err)
			}
			return nil
		})
		synctest.Wait()
		if got := o.last(t).Parked([]inspect.Sleeper{{Actor: o.last(t)}}); got[0] != inspect.Asleep {
			t.Errorf("not seen: %v", o.last(t).Stacks())
		}
		full.Halt()
		<-full.Done()
		<-sender.Done()
	})
}

// Law H3 holds for an actor that is looked at, and what it showed goes with it.
func TestSightKeepsNothing(t *testing.T) {
	ctx, o := looking(t, 100)
	_, addr := actor.Spawn(ctx, actor.Config{Detached: true}, func(ctx context.Context, in *actor.Inbox[int]) error {
		return in.Serve(ctx, func(context.Context, int) error { return nil })
	})
	if err := addr.Send(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	done := addr.Done()
	addr = nil
	for ended := false; !ended; {
		runtime.GC()
		select {
		case <-done:
			ended = true
		case <-t.Context().Done():
			t.Fatal("it has not ended")
		default:
			runtime.Gosched()
		}
	}
	for o.seen[0].Value() != nil {
		runtime.GC()
		runtime.Gosched()
	}
}

// A handler that asks on with the asker's context, as it should, is seen as the
// one that waits, though it does not ask as itself.
func TestSightWaitOfAHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, o := looking(t, 100)
		release := make(chan struct{})
		_, last := actor.Spawn(ctx, actor.Config{Name: "last"}, func(ctx context.Context, in *actor.Inbox[wanted]) error {
			return in.Serve(ctx, func(_ context.Context, m wanted) error {
				<-release
				m.Answer(1, nil)
				return nil
			})
		})
		lastSeen := o.last(t)
		pool, handler := actor.SpawnPool(ctx, actor.Config{Name: "handler"}, 3, actor.NoValue(func(ctx context.Context, in *actor.Inbox[wanted]) error {
			return in.Serve(ctx, func(_ context.Context, m wanted) error {
				m.Answer(actor.Ask(context.WithValue(m.Context(), "a", "b"), last, wanted{}.to)) //nolint:staticcheck // a key of any type
				return nil
			})
		}))
		handlerSeen := o.last(t)
		asked := make(chan struct{})
		go func() {
			defer close(asked)
			if _, err := actor.Ask(t.Context(), handler, wanted{}.to); err != nil {
				t.Error(err)
			}
		}()
		synctest.Wait()
		waits := lastSeen.Waits()
		if len(waits) != 1 || waits[0].From != uint64(handler.ID()) || waits[0].FromProcess < 0 {
			t.Fatalf("got %+v", waits)
		}
		sleeper := inspect.Sleeper{Actor: handlerSeen, Process: waits[0].FromProcess}
		if got := lastSeen.Parked([]inspect.Sleeper{sleeper}); got[0] != inspect.Asleep {
			t.Errorf("the handler is seen as %v", got)
		}
		close(release)
		<-asked
		if _, err := pool.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		last.Halt()
		<-last.Done()
	})
}

// The time between two messages is not handling, neither for a process that
// watches Ready nor for one whose batches stay empty.
func TestSightTimesHandlingOnly(t *testing.T) {
	for name, body := range map[string]func(ctx context.Context, in *actor.Inbox[int]) error{
		"Ready": func(ctx context.Context, in *actor.Inbox[int]) error {
			for {
				select {
				case <-in.Ready():
				case <-in.Halting():
					return nil
				}
				_, _ = in.TryRecv()
			}
		},
		"RecvBatch": func(ctx context.Context, in *actor.Inbox[int]) error {
			var batch [4]int
			for {
				short, end := context.WithTimeout(ctx, time.Second)
				_, err := in.RecvBatch(short, batch[:], 0)
				end()
				if errors.Is(err, actor.ErrHalted) {
					return nil
				}
			}
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, o := looking(t, 100)
			child, addr := actor.Spawn(ctx, actor.Config{}, body)
			for range 5 {
				if err := addr.Send(t.Context(), 0); err != nil {
					t.Fatal(err)
				}
				time.Sleep(10 * time.Second)
				synctest.Wait()
				if r := o.last(t).Read(); !r.HandSince.IsZero() || r.Idle != 1 {
					t.Errorf("%s: in hand since %v, %d idle", name, r.HandSince, r.Idle)
				}
			}
			seen := o.last(t)
			child.Halt()
			<-child.Done()
			if h := seen.Handled.Summary(); h.Max > 0 || h.Count < 3 || h.Count > 5 {
				t.Errorf("%s: handling took %+v", name, h)
			}
		})
	}
}
