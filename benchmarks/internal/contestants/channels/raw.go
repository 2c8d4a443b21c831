// Package channels has what one would write without a library: goroutines with
// a channel, or with a slice under a lock.
package channels

import (
	"context"
	"sync"

	"tinyactor/benchmarks/internal/contest"
)

// raw is a channel and nothing else: neither a sender nor a receiver that waits
// can be stopped.
type raw struct{ slots int }

type rawBox struct {
	c  chan contest.Msg
	wg sync.WaitGroup
}

func (c raw) Spawn(_ contest.Options, receivers ...*contest.Receiver) contest.Mailbox {
	b := &rawBox{c: make(chan contest.Msg, c.slots)}
	b.wg.Add(len(receivers))
	for _, r := range receivers {
		go b.run(r)
	}
	return b
}

func (b *rawBox) run(r *contest.Receiver) {
	for m := range b.c {
		r.Take(m)
	}
	b.wg.Done()
}

func (b *rawBox) Send(m contest.Msg) { b.c <- m }
func (b *rawBox) Stop()              { close(b.c); b.wg.Wait() }
func (b *rawBox) Feed(m contest.Msg, n int) {
	for ; n > 0; n-- {
		b.c <- m
		m.V++
	}
}

// rawServer answers into a channel that comes with the question.
type rawServer struct {
	c    chan question
	done chan struct{}
}

func (c raw) Serve(r *contest.Receiver) contest.Server {
	s := rawServer{make(chan question, c.slots), make(chan struct{})}
	go func() {
		for q := range s.c {
			r.Take(q.Msg)
			q.answer <- contest.Answer(q.Msg)
		}
		close(s.done)
	}()
	return s
}

func (s rawServer) Stop() { close(s.c); <-s.done }
func (s rawServer) Ask(_ context.Context, m contest.Msg) (int64, error) {
	q := question{m, make(chan int64, 1)}
	s.c <- q
	return <-q.answer, nil
}
