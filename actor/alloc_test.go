package actor_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"tinyactor/actor"
)

// allocRounds is how many messages an allocation is looked for in.
const allocRounds = 100_000

// mallocs returns how many objects the program allocates while f runs.
func mallocs(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs
}

// allocPair is an actor that receives as many messages as it is ordered to.
type allocPair struct {
	addr  *actor.Address[int]
	order chan int
	done  chan struct{}
}

// newAllocPair starts such an actor; recv receives at least one message and
// says how many.
func newAllocPair(t *testing.T, capacity actor.Capacity, recv func(context.Context, *actor.Inbox[int]) (int, error)) *allocPair {
	p := &allocPair{order: make(chan int), done: make(chan struct{})}
	child, addr := actor.Spawn(t.Context(), actor.Config{Capacity: capacity},
		func(ctx context.Context, in *actor.Inbox[int]) error {
			for n := range p.order {
				for n > 0 {
					k, err := recv(ctx, in)
					if err != nil {
						return err
					}
					n -= k
				}
				p.done <- struct{}{}
			}
			return nil
		})
	p.addr = addr
	t.Cleanup(func() {
		close(p.order)
		if _, err := child.Wait(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p
}

func TestS10SteadyStateAllocatesNothing(t *testing.T) {
	cancelable, cancel := context.WithCancel(t.Context())
	defer cancel()
	recv := func(ctx context.Context, in *actor.Inbox[int]) (int, error) {
		_, err := in.Recv(ctx)
		return 1, err
	}
	dst := make([]int, 16)
	receives := []struct {
		name string
		recv func(context.Context, *actor.Inbox[int]) (int, error)
	}{
		{"Recv", recv},
		{"Recv with another context", func(_ context.Context, in *actor.Inbox[int]) (int, error) { return recv(cancelable, in) }},
		{"RecvBatch", func(ctx context.Context, in *actor.Inbox[int]) (int, error) { return in.RecvBatch(ctx, dst[:1], 0) }},
		{"Ready", func(_ context.Context, in *actor.Inbox[int]) (int, error) {
			<-in.Ready()
			switch _, err := in.TryRecv(); err {
			case nil:
				return 1, nil
			case actor.ErrEmpty:
				return 0, nil
			default:
				return 0, err
			}
		}},
	}
	for _, r := range receives {
		for _, tt := range []struct {
			name     string
			capacity actor.Capacity
			send     func(*actor.Address[int], int) error
			burst    int // messages that are sent before one waits for the receiver
		}{
			{"Send, one by one", actor.Capacity{}, func(a *actor.Address[int], m int) error { return a.Send(t.Context(), m) }, 1},
			{"Send, in bursts", actor.Unbounded(), func(a *actor.Address[int], m int) error { return a.Send(context.Background(), m) }, 1000},
			{"TrySend", actor.Bounded(1000), (*actor.Address[int]).TrySend, 1000},
			{"SendNow", actor.Backpressure(1, time.Hour, 1), (*actor.Address[int]).SendNow, 1000},
			{"Send that waits for room", actor.Bounded(1), func(a *actor.Address[int], m int) error { return a.Send(cancelable, m) }, 1000},
		} {
			t.Run(r.name+"/"+tt.name, func(t *testing.T) {
				p := newAllocPair(t, tt.capacity, r.recv)
				run := func(rounds int) {
					for range rounds / tt.burst {
						p.order <- tt.burst
						for m := range tt.burst {
							if err := tt.send(p.addr, m); err != nil {
								t.Error(err)
							}
						}
						<-p.done
					}
				}
				run(2000) // rings, wake channels and records of waiting senders
				rounds := allocRounds
				if r.name != "Recv" || tt.name != "Send, one by one" {
					rounds /= 10
				}
				// The runtime allocates a little for itself when goroutines wait.
				if n := mallocs(func() { run(rounds) }); n > uint64(rounds/100) {
					t.Errorf("%d allocations in %d messages", n, rounds)
				}
			})
		}
	}
}

// traced is a message that says when it is garbage.
type traced struct{ _ [64]byte }

// tracer makes messages and counts those that are garbage.
type tracer struct{ made, gone atomic.Int64 }

//go:noinline
func (c *tracer) new() *traced {
	m := new(traced)
	runtime.AddCleanup(m, func(c *tracer) { c.gone.Add(1) }, c)
	c.made.Add(1)
	return m
}

// wantGone collects garbage until all messages but kept are gone.
func (c *tracer) wantGone(t *testing.T, what string, kept int64) {
	t.Helper()
	limit := time.Now().Add(2 * time.Second)
	for collections := 0; c.made.Load()-c.gone.Load() > kept; collections++ {
		if collections > 100 && time.Now().After(limit) {
			t.Errorf("%s: %d of %d messages are kept, want at most %d", what, c.made.Load()-c.gone.Load(), c.made.Load(), kept)
			return
		}
		runtime.GC()
		runtime.Gosched()
	}
}

// allocReceive receives n messages and keeps none.
//
//go:noinline
func allocReceive(ctx context.Context, in *actor.Inbox[*traced], n int, batch bool) (err error) {
	for got := 0; got < n && err == nil; {
		if batch {
			dst, k := make([]*traced, 4), 0
			k, err = in.RecvBatch(ctx, dst[:min(4, n-got)], 0)
			got += k
		} else {
			_, err = in.Recv(ctx)
			got++
		}
	}
	return err
}

// The channel keeps no message that was received, whatever its way through the
// channel was, while it lives and while it is full of others.
func TestS10ReceivedMessagesAreNotKept(t *testing.T) {
	for _, batch := range []bool{false, true} {
		for _, tt := range []struct {
			name     string
			capacity actor.Capacity
			queued   bool // all are sent before the first is received
		}{
			{"queued", actor.Unbounded(), true},
			{"given to a waiting process", actor.Unbounded(), false},
			{"from a waiting sender", actor.Bounded(2), true},
			{"delayed", actor.Backpressure(1, 100*time.Microsecond, 1), true},
		} {
			t.Run(tt.name, func(t *testing.T) {
				const n = 40
				var count tracer
				start, received, end := make(chan struct{}), make(chan error), make(chan struct{})
				child, addr := actor.Spawn(t.Context(), actor.Config{Capacity: tt.capacity, Undelivered: func(any) {}},
					func(ctx context.Context, in *actor.Inbox[*traced]) error {
						if tt.queued {
							<-start
						}
						received <- allocReceive(ctx, in, n, batch)
						<-end
						return nil
					})
				sent := make(chan error)
				for range 4 {
					go func() {
						for range n / 4 {
							if err := addr.Send(context.Background(), count.new()); err != nil {
								sent <- err
								return
							}
						}
						sent <- nil
					}()
				}
				if !tt.queued {
					close(start)
				} else {
					for addr.Len() < 2 {
						runtime.Gosched()
					}
					close(start)
				}
				for range 4 {
					if err := <-sent; err != nil {
						t.Error(err)
					}
				}
				if err := <-received; err != nil {
					t.Error(err)
				}
				count.wantGone(t, "received", 0)
				close(end)
				<-child.Done()
				runtime.KeepAlive(addr)
			})
		}
	}
}

// Case 5, the memory: what was refused or handed back is not kept either.
func TestS10UndeliveredMessagesAreNotKept(t *testing.T) {
	var count tracer
	release, end := make(chan struct{}), make(chan struct{})
	child, addr := actor.Spawn(t.Context(), actor.Config{Capacity: actor.Bounded(3), Undelivered: func(any) {}}, until[*traced](release))
	for range 3 {
		if err := addr.Send(t.Context(), count.new()); err != nil {
			t.Error(err)
		}
	}
	if err := addr.TrySend(count.new()); !errors.Is(err, actor.ErrFull) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	waits := make(chan error)
	for range 20 {
		go func() { waits <- addr.Send(ctx, count.new()) }()
	}
	for count.made.Load() < 24 {
		runtime.Gosched()
	}
	cancel()
	for range 20 {
		if err := <-waits; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	count.wantGone(t, "refused", 3)
	close(release)
	<-child.Done()
	count.wantGone(t, "handed back", 0)
	close(end)
	runtime.KeepAlive(addr)
}

// heapGrowth returns by how many bytes the live heap is larger than before.
func heapGrowth(before uint64) int64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc) - int64(before)
}

// allocBig is a message of which 16 KiB hold 64.
type allocBig [256]byte

// Idle queues keep at most 16 KiB of slots each, however full they have been
// and however their processes receive.
func TestS10IdleQueueKeepsLittle(t *testing.T) {
	const actors, burst = 8, 4000 // 1 MB each
	for _, tt := range []struct {
		name string
		next func(ctx context.Context, in *actor.Inbox[allocBig]) error
	}{
		{"Recv", func(ctx context.Context, in *actor.Inbox[allocBig]) error {
			_, err := in.Recv(ctx)
			return err
		}},
		{"one message per token of Ready", func(_ context.Context, in *actor.Inbox[allocBig]) error {
			<-in.Ready()
			_, err := in.TryRecv()
			return err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			received := make(chan struct{}, actors)
			before := uint64(heapGrowth(0))
			var all []*actor.Child[allocBig, actor.None]
			for range actors {
				release := make(chan struct{})
				child, addr := actor.Spawn(t.Context(), actor.Config{Capacity: actor.Unbounded()},
					func(ctx context.Context, in *actor.Inbox[allocBig]) error {
						<-release
						for n := 1; ; n++ {
							if err := tt.next(ctx, in); err != nil {
								return err
							}
							if n == burst {
								received <- struct{}{}
							}
						}
					})
				for range burst {
					if err := addr.Send(t.Context(), allocBig{}); err != nil {
						t.Error(err)
					}
				}
				close(release)
				all = append(all, child)
			}
			for range actors {
				<-received
			}
			// A process trims its queue when it comes back to wait.
			const limit = actors * (16<<10 + 8<<10)
			grown := heapGrowth(before)
			for end := time.Now().Add(5 * time.Second); grown > limit && time.Now().Before(end); grown = heapGrowth(before) {
				runtime.Gosched()
			}
			if grown > limit {
				t.Errorf("%d idle actors keep %d bytes each, want at most 16 KiB of slots", actors, grown/actors)
			}
			for _, child := range all {
				if _, err := child.Stop(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// What senders leave behind that had to wait is as little.
func TestS10IdleQueueKeepsLittleOfWaitingSenders(t *testing.T) {
	const actors, senders, size = 4, 16, 64 << 10
	before := uint64(heapGrowth(0))
	var all []*actor.Child[[size]byte, actor.None]
	for range actors {
		release, received := make(chan struct{}), make(chan struct{})
		child, addr := actor.Spawn(t.Context(), actor.Config{Capacity: actor.Bounded(1)},
			func(ctx context.Context, in *actor.Inbox[[size]byte]) error {
				<-release
				for range senders {
					if _, err := in.Recv(ctx); err != nil {
						return err
					}
				}
				close(received)
				_, err := in.Recv(ctx)
				return err
			})
		all = append(all, child)
		var sending atomic.Int32
		sent := make(chan error)
		for range senders {
			go func() {
				sending.Add(1)
				sent <- addr.Send(context.Background(), [size]byte{})
			}()
		}
		for sending.Load() < senders || addr.Len() == 0 {
			runtime.Gosched()
		}
		for range 100 {
			runtime.Gosched() // most of them wait by now
		}
		close(release)
		for range senders {
			if err := <-sent; err != nil {
				t.Error(err)
			}
		}
		<-received
	}
	// Four messages of slots, room for one in the inbox that is given to a waiting
	// process, for one in the record of a sender that waits, and for rounding.
	const limit = actors * 7 * size
	if grown := heapGrowth(before); grown > limit {
		t.Errorf("%d idle actors keep %d bytes each, want at most %d", actors, grown/actors, limit/actors)
	}
	for _, child := range all {
		if _, err := child.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
