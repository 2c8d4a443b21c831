package actor

import (
	"context"
	"time"
)

// aside is what the receives of a process do beside receiving, for those who
// want that. Most processes have none, and their receives know nothing of it.
type aside[M any] struct {
	hand  *hand[M] // keeps what is in hand, for OnCrash
	gauge *gauge   // times messages, for observers that look into actors
}

// watch has the inbox time messages for who looks. The process does not run yet.
func (in *Inbox[M]) watch(s *sight) {
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

// keep replaces what is in hand.
func (h *hand[M]) keep(msgs ...M) {
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
	x := in.enter()
	m, err := in.Recv(ctx)
	if in.aside = x; err == nil {
		x.keep(m)
		x.gauge.took(1)
	}
	return m, err
}

func (in *Inbox[M]) tryRecvAside() (M, error) {
	x := in.enter()
	m, err := in.TryRecv()
	if in.aside = x; err == nil {
		x.keep(m)
		x.gauge.took(1)
	}
	return m, err
}

func (in *Inbox[M]) recvBatchAside(ctx context.Context, dst []M, wait time.Duration) (int, error) {
	x := in.enter()
	n, err := in.RecvBatch(ctx, dst, wait)
	in.aside = x
	x.keep(dst[:n]...)
	x.gauge.took(n)
	return n, err
}

func (in *Inbox[M]) messagesAside(ctx context.Context, yield func(M) bool) {
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

// enter begins a receive: what was in hand is not any more. It takes the aside out.
func (in *Inbox[M]) enter() *aside[M] {
	x := in.aside
	in.aside = nil
	x.gauge.handled()
	x.keep()
	return x
}

// keep notes what is in hand, if somebody wants to know.
func (x *aside[M]) keep(msgs ...M) {
	if x.hand != nil {
		x.hand.keep(msgs...)
	}
}
