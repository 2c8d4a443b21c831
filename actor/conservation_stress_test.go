package actor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tinyactor/actor"
)

// ledger counts what became of each message. Messages are their numbers.
type ledger struct {
	accepted, received, undelivered []atomic.Int32
	total                           atomic.Int32 // receives
}

func newLedger(n int) *ledger {
	return &ledger{accepted: make([]atomic.Int32, n), received: make([]atomic.Int32, n), undelivered: make([]atomic.Int32, n)}
}

func (l *ledger) receive(m int) int {
	l.received[m].Add(1)
	return int(l.total.Add(1))
}

// check fails if a message came out that was not accepted, or did not come out
// exactly once if it was.
func (l *ledger) check(t *testing.T) (accepted, undelivered int) {
	t.Helper()
	for m := range l.accepted {
		in, got, back := l.accepted[m].Load(), l.received[m].Load(), l.undelivered[m].Load()
		if in != got+back || in > 1 {
			t.Errorf("message %d: accepted %d times, received %d, handed back %d", m, in, got, back)
		}
		accepted += int(in)
		undelivered += int(back)
	}
	return accepted, undelivered
}

// ledgerEnd is a way in which an actor ends while messages are on their way to it.
type ledgerEnd struct {
	name string
	from func(child *actor.Pool[int, actor.None], owner context.CancelFunc) // from outside
	body func() error                                                       // or from the body
	bad  bool                                                               // exits with an error
}

var ledgerEnds = []ledgerEnd{
	{name: "close", from: func(p *actor.Pool[int, actor.None], _ context.CancelFunc) { p.Close() }},
	{name: "halt", from: func(p *actor.Pool[int, actor.None], _ context.CancelFunc) { p.Halt() }},
	{name: "abort", from: func(p *actor.Pool[int, actor.None], _ context.CancelFunc) { p.Abort() }, bad: true},
	{name: "halt, then abort", from: func(p *actor.Pool[int, actor.None], _ context.CancelFunc) { p.Halt(); p.Abort() }, bad: true},
	{name: "end of the owner", from: func(_ *actor.Pool[int, actor.None], cancel context.CancelFunc) { cancel() }},
	{name: "return", body: func() error { return nil }},
	{name: "error", body: func() error { return errors.New("enough") }, bad: true},
	{name: "panic", body: func() error { panic("enough") }, bad: true},
	{name: "Goexit", body: func() error { runtime.Goexit(); return nil }, bad: true},
}

// Case 23, and its relatives: senders race with every kind of end.
func TestS3SendRacesWithTheEnd(t *testing.T) {
	captureLogs(t)
	capacities := []actor.Capacity{actor.Bounded(2), actor.Unbounded(), actor.Backpressure(4, 30*time.Microsecond, 2)}
	for _, end := range ledgerEnds {
		t.Run(end.name, func(t *testing.T) {
			accepted, undelivered := 0, 0
			for round := range 24 {
				processes := 1 + 2*(round%2)
				a, u := ledgerRound(t, end, capacities[round%len(capacities)], processes, round/2%3, 7*round)
				accepted += a
				undelivered += u
			}
			if accepted == 0 {
				t.Error("no message was accepted: this has tested nothing")
			}
			t.Logf("%d accepted, %d of them handed back", accepted, undelivered)
		})
	}
}

// ledgerRound lets an actor end in the given way once it has received about
// after messages, while three goroutines send.
func ledgerRound(t *testing.T, end ledgerEnd, capacity actor.Capacity, processes, how, after int) (accepted, undelivered int) {
	const senders, each = 3, 100
	l := newLedger(senders * each)
	reached := make(chan struct{}, 1)
	// took counts a receive, and says whether the body should end now.
	took := func(m int) bool {
		if l.receive(m) <= after {
			return false
		}
		select {
		case reached <- struct{}{}:
		default:
		}
		return end.body != nil
	}
	body := func(ctx context.Context, in *actor.Inbox[int]) (actor.None, error) {
		for {
			var err error
			enough := false
			switch how {
			case 0:
				var m int
				if m, err = in.Recv(ctx); err == nil {
					enough = took(m)
				}
			case 1:
				var n int
				dst := make([]int, 5)
				n, err = in.RecvBatch(ctx, dst, time.Millisecond)
				for _, m := range dst[:n] {
					enough = took(m) || enough
				}
			case 2:
				<-in.Ready()
				var m int
				if m, err = in.TryRecv(); err == nil {
					enough = took(m)
				} else if err == actor.ErrEmpty {
					err = nil
				}
			}
			switch {
			case err != nil:
				return actor.None{}, err
			case enough:
				return actor.None{}, end.body()
			}
		}
	}
	owner, cancel := context.WithCancel(t.Context())
	defer cancel()
	cfg := actor.Config{Name: "ledger", Capacity: capacity, Undelivered: func(m any) { l.undelivered[m.(int)].Add(1) }}
	pool, addr := actor.SpawnPool(owner, cfg, processes, body)

	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() { ledgerSend(t, addr, l, s*each, (s+1)*each, s) })
	}
	sent := make(chan struct{})
	go func() { wg.Wait(); close(sent) }()
	select {
	case <-reached:
	case <-sent:
	}
	if end.from != nil {
		end.from(pool, cancel)
	} else {
		<-sent
		pool.Close() // it may not have received enough
	}
	exits, err := pool.Wait(t.Context())
	if len(exits) != processes || err != nil && !end.bad {
		t.Errorf("exits %v, %v", exits, err)
	}
	if n := addr.Len(); n != 0 {
		t.Errorf("Len at the end is %d", n)
	}
	<-sent
	if err := addr.Send(t.Context(), 0); !errors.Is(err, actor.ErrClosed) {
		t.Errorf("Send after the end: %v", err)
	}
	return l.check(t)
}

// ledgerSend sends the messages from..to-1 in one of three ways until the actor
// takes no more.
func ledgerSend(t *testing.T, addr *actor.Address[int], l *ledger, from, to, how int) {
	for m := from; m < to; {
		n := 0
		var err error
		switch how {
		case 0:
			if err = addr.Send(context.Background(), m); err == nil {
				n = 1
			}
		case 1:
			all := []int{m, m + 1, m + 2}
			n, err = addr.SendAll(context.Background(), all[:min(3, to-m)])
		case 2:
			if err = addr.SendNow(m); err == nil {
				n = 1
			} else if errors.Is(err, actor.ErrFull) {
				runtime.Gosched()
				continue
			}
		}
		for range n {
			l.accepted[m].Add(1)
			m++
		}
		if err != nil {
			if !errors.Is(err, actor.ErrClosed) {
				t.Error(fmt.Errorf("sender %d: %w", how, err))
			}
			return
		}
	}
}
