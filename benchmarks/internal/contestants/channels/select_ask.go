package channels

import (
	"context"

	"tinyactor/benchmarks/internal/contest"
)

type selectServer chan question

func serveSelecting(ctx context.Context, slots int, r *contest.Receiver) contest.Server {
	s := make(selectServer, slots)
	go func() {
		for {
			select {
			case q, ok := <-s:
				if !ok {
					return
				}
				q.serve(r)
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
	case s <- q:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	return q.wait(ctx)
}

func (s selectServer) Stop() { close(s) }
