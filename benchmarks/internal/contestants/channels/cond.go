package channels

import (
	"context"
	"sync"

	"tinyactor/benchmarks/internal/contest"
)

// locked is a slice under a mutex. A receiver that is alone takes all that
// waits at once; several take one message each, so that none waits behind a
// slow one.
type locked struct{}

func newLocked(context.Context) contest.Contestant { return locked{} }

type lockedBox[M any] struct {
	mu      sync.Mutex
	arrived sync.Cond // something waits, or it is closed
	room    sync.Cond // less than limit wait
	limit   int       // or 0
	closed  bool
	queue   []M // from head on
	head    int
	wg      sync.WaitGroup
}

func newLockedBox[M any](limit int) *lockedBox[M] {
	b := &lockedBox[M]{limit: limit}
	b.arrived.L, b.room.L = &b.mu, &b.mu
	return b
}

func (b *lockedBox[M]) send(m M) {
	b.mu.Lock()
	for b.limit > 0 && len(b.queue)-b.head >= b.limit {
		b.room.Wait()
	}
	b.queue = append(b.queue, m)
	b.mu.Unlock()
	b.arrived.Signal()
}

// wait waits until there is a message, and reports false at the end. The lock
// is held.
func (b *lockedBox[M]) wait() bool {
	for b.head == len(b.queue) && !b.closed {
		b.arrived.Wait()
	}
	return b.head < len(b.queue)
}

// all gives all messages to take, in batches that alternate between two slices.
func (b *lockedBox[M]) all(take func(M)) {
	var batch []M
	for {
		b.mu.Lock()
		if !b.wait() {
			b.mu.Unlock()
			return
		}
		batch, b.queue = b.queue, batch[:0]
		b.mu.Unlock()
		if b.limit > 0 {
			b.room.Broadcast()
		}
		for _, m := range batch {
			take(m)
		}
	}
}

// each gives messages to take one by one. It is for boxes without a limit.
func (b *lockedBox[M]) each(take func(M)) {
	for {
		b.mu.Lock()
		if !b.wait() {
			b.mu.Unlock()
			return
		}
		m := b.queue[b.head]
		if b.head++; b.head == len(b.queue) {
			b.queue, b.head = b.queue[:0], 0
		}
		b.mu.Unlock()
		take(m)
	}
}

// Stop closes the box and waits for its receivers.
func (b *lockedBox[M]) Stop() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.arrived.Broadcast()
	b.wg.Wait()
}

type lockedMailbox struct{ *lockedBox[contest.Msg] }

func (locked) Spawn(o contest.Options, receivers ...*contest.Receiver) contest.Mailbox {
	limit := 0
	if o.Bounded {
		limit = contest.Slots
	}
	b := newLockedBox[contest.Msg](limit)
	run := b.all
	if len(receivers) > 1 {
		run = b.each
	}
	for _, r := range receivers {
		b.wg.Go(func() { run(r.Take) })
	}
	return lockedMailbox{b}
}

func (m lockedMailbox) Send(msg contest.Msg) { m.send(msg) }

func (m lockedMailbox) Feed(msg contest.Msg, n int) {
	for i := range int64(n) {
		m.send(contest.Msg{V: msg.V + i})
	}
}

type lockedServer struct{ *lockedBox[question] }

func (locked) Serve(r *contest.Receiver) contest.Server {
	b := newLockedBox[question](0)
	b.wg.Go(func() {
		b.all(func(q question) { q.serve(r) })
	})
	return lockedServer{b}
}

func (s lockedServer) Ask(ctx context.Context, m contest.Msg) (int64, error) {
	q := question{m, make(chan int64, 1)}
	s.send(q)
	return q.wait(ctx)
}
