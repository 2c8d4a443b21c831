package channels

import (
	"context"

	"tinyactor/benchmarks/internal/contest"
)

type selectServer struct {
	c    chan question
	done chan struct{}
}

func (c selecting) Serve(r *contest.Receiver) contest.Server {
	s := selectServer{make(chan question, c.slots), make(chan struct{})}
	go func() {
		defer close(s.done)
		ctx, cancel := context.WithCancel(c.ctx)
		defer cancel()
		for {
			select {
			case q, ok := <-s.c:
				if !ok {
					return
				}
				r.Take(q.Msg)
				q.answer <- contest.Answer(q.Msg) // there is room
			case <-ctx.Done():
				return
			}
		}
	}()
	return s
}

func (s selectServer) Ask(ctx context.Context, m contest.Msg) (int64, error) {
	q := question{m, make(chan int64, 1)}
	select {
	case s.c <- q:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	return q.wait(ctx)
}

func (s selectServer) Stop() { close(s.c); <-s.done }
