package actor

import (
	"context"
	"runtime"
	"time"
)

// runCrash gives what the process had in hand to OnCrash, and is where it hangs
// if that does: see runBody.
//
//go:noinline
func runCrash(p *process) {
	crash := p.core.held.OnCrash
	if crash == nil {
		return
	}
	p.setCrashing(true)
	for {
		msg, ok := p.seat.nextInHand()
		if !ok {
			break
		}
		p.crash(crash, msg)
	}
	p.setCrashing(false)
	runtime.KeepAlive(p)
}

func (p *process) setCrashing(crashing bool) {
	p.core.mu.Lock()
	defer p.core.mu.Unlock()
	p.life.crashing = crashing
}

// crash gives one message to OnCrash.
func (p *process) crash(onCrash func(any, error), msg any) {
	defer p.core.recordRecovered("OnCrash")
	onCrash(msg, p.err)
}

// empty hands back what is queued before a process begins with an empty inbox.
func (p *process) empty() {
	c := p.core
	n := 0
	defer func() { // also if Undelivered calls Goexit
		if n > 0 {
			c.tellUndelivered(n)
		}
	}()
	for left := c.queue.Len(); left > 0 && !p.fenced(); left-- {
		msg, ticket, ok := c.queue.takeAny()
		if !ok {
			return
		}
		n++
		c.handOver(msg, ticket)
	}
}

// fenced reports whether the process was aborted.
func (p *process) fenced() bool {
	p.core.mu.Lock()
	defer p.core.mu.Unlock()
	return !p.abortedAt().IsZero()
}

// hand is what a process has in hand, for OnCrash.
type hand[M any] struct {
	msgs []M
	next int // of nextInHand
}

// keep replaces what is in hand.
func (h *hand[M]) keep(msgs ...M) {
	clear(h.msgs)
	h.msgs = append(h.msgs[:0], msgs...)
}

// What follows is what the receives do in a process whose messages in hand are
// kept. While one is under way there is nothing in hand, also if it unwinds.

func (in *Inbox[M]) recvKept(ctx context.Context) (M, error) {
	h := in.letGo()
	m, err := in.Recv(ctx)
	if in.hand = h; err == nil {
		h.keep(m)
	}
	return m, err
}

func (in *Inbox[M]) tryRecvKept() (M, error) {
	h := in.letGo()
	m, err := in.TryRecv()
	if in.hand = h; err == nil {
		h.keep(m)
	}
	return m, err
}

func (in *Inbox[M]) recvBatchKept(ctx context.Context, dst []M, wait time.Duration) (int, error) {
	h := in.letGo()
	n, err := in.RecvBatch(ctx, dst, wait)
	in.hand = h
	h.keep(dst[:n]...)
	return n, err
}

func (in *Inbox[M]) messagesKept(ctx context.Context, yield func(M) bool) {
	for {
		m, err := in.Recv(ctx)
		if err != nil {
			in.err = err
			return
		}
		if !yield(m) {
			return
		}
	}
}

// letGo takes out what keeps the hand, empty.
func (in *Inbox[M]) letGo() *hand[M] {
	h := in.hand
	in.hand = nil
	h.keep()
	return h
}

// nextInHand takes out the next message in hand.
func (in *Inbox[M]) nextInHand() (msg any, ok bool) {
	h := in.hand
	if h == nil || h.next == len(h.msgs) {
		return nil, false
	}
	h.next++
	return h.msgs[h.next-1], true
}
