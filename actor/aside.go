package actor

import (
	"context"
	"time"

	"tinyactor/internal/mailbox"
)

// aside is what the receives of a process do beside receiving, for those who
// want that. Most processes have none, and their receives know nothing of it.
type aside[M any] struct {
	hand  *hand[M] // keeps what is in hand, for OnCrash
	gauge *gauge   // times messages, for observers that look into actors
}

// watch has the inbox time messages for who looks. The process does not run yet.
func (in *Inbox[M]) watch(s *sight) {
	if s.period == 0 {
		return
	}
	if in.aside == nil {
		in.aside = new(aside[M])
	}
	in.process.gauge = newGauge(s)
	in.aside.gauge = in.process.gauge
}

// hand is what a process has in hand, for OnCrash.
type hand[M any] struct {
	msgs []M
	next int // of nextInHand
}

// keep replaces what is in hand, if somebody wants to know.
func (h *hand[M]) keep(msgs ...M) {
	if h == nil {
		return
	}
	clear(h.msgs)
	h.msgs = append(h.msgs[:0], msgs...)
}

// nextInHand takes out the next message in hand.
func (in *Inbox[M]) nextInHand() (msg any, ok bool) {
	if in.aside == nil || in.aside.hand == nil {
		return nil, false
	}
	h := in.aside.hand
	if h.next == len(h.msgs) {
		return nil, false
	}
	h.next++
	return h.msgs[h.next-1], true
}

// What follows is what the receives do in a process that has an aside. While
// one is under way there is nothing in hand, also if it unwinds.

func (in *Inbox[M]) recvAside(ctx context.Context) (M, error) {
	x := in.aside
	x.gauge.handled()
	if x.hand != nil {
		return in.recvKept(ctx)
	}
	m, s := in.seat.Recv(in.until(ctx))
	if s != mailbox.OK {
		return m, in.fail(s, ctx)
	}
	if held := in.seat.Held(); len(held) > 0 {
		in.process.keepAsks(held)
	}
	x.gauge.tookOne()
	return m, nil
}

func (in *Inbox[M]) recvKept(ctx context.Context) (M, error) {
	x := in.letGo()
	m, err := in.Recv(ctx)
	if in.aside = x; err == nil {
		x.hand.keep(m)
		x.gauge.took(1)
	}
	return m, err
}

func (in *Inbox[M]) tryRecvAside() (M, error) {
	x := in.letGo()
	m, err := in.TryRecv()
	if in.aside = x; err == nil {
		x.hand.keep(m)
		x.gauge.took(1)
	}
	return m, err
}

func (in *Inbox[M]) recvBatchAside(ctx context.Context, dst []M, wait time.Duration) (int, error) {
	x := in.letGo()
	n, err := in.RecvBatch(ctx, dst, wait)
	in.aside = x
	x.hand.keep(dst[:n]...)
	if n > 0 {
		x.gauge.took(n)
	}
	return n, err
}

func (in *Inbox[M]) messagesAside(ctx context.Context, yield func(M) bool) {
	x, done := in.aside, in.until(ctx)
	if x.hand != nil {
		in.messagesKept(ctx, yield)
		return
	}
	for {
		x.gauge.handled()
		m, s := in.seat.Recv(done)
		if s != mailbox.OK {
			in.err = in.fail(s, ctx)
			return
		}
		if held := in.seat.Held(); len(held) > 0 {
			in.process.keepAsks(held)
		}
		x.gauge.tookOne()
		if !yield(m) {
			return
		}
	}
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

// letGo takes the aside out, with nothing in hand.
func (in *Inbox[M]) letGo() *aside[M] {
	x := in.aside
	in.aside = nil
	x.gauge.handled()
	x.hand.keep()
	return x
}
