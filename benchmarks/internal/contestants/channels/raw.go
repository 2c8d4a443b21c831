package channels

import (
	"context"
	"sync"

	"tinyactor/benchmarks/internal/contest"
)

// raw is a channel and nothing else: neither a sender nor a receiver that waits
// can be stopped.
type raw struct {
	c  chan contest.Msg
	wg sync.WaitGroup
}

func spawnRaw(_ context.Context, slots int, receivers []*contest.Receiver) contest.Mailbox {
	b := &raw{c: make(chan contest.Msg, slots)}
	b.wg.Add(len(receivers))
	for _, r := range receivers {
		go func() {
			for m := range b.c {
				r.Take(m)
			}
			b.wg.Done()
		}()
	}
	return b
}

func (b *raw) Send(m contest.Msg) { b.c <- m }
func (b *raw) Stop()              { close(b.c); b.wg.Wait() }
func (b *raw) Feed(m contest.Msg, n int) {
	for i := range int64(n) {
		b.c <- contest.Msg{V: m.V + i}
	}
}

// rawServer answers into a channel that comes with the question.
type rawServer chan question

func serveRaw(_ context.Context, slots int, r *contest.Receiver) contest.Server {
	s := make(rawServer, slots)
	go func() {
		for q := range s {
			q.serve(r)
		}
	}()
	return s
}

func (s rawServer) Stop() { close(s) }
func (s rawServer) Ask(_ context.Context, m contest.Msg) (int64, error) {
	q := question{m, make(chan int64, 1)}
	s <- q
	return <-q.answer, nil
}
