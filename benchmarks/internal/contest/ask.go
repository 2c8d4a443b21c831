package contest

import (
	"context"
	"fmt"
	"time"
)

// askTimeout is what an ask may take where each has a time limit of its own. None
// takes that long.
const askTimeout = time.Minute

// A WithinServer has a way of its own to limit the time of a question. Others
// get a context that ends.
type WithinServer interface {
	AskWithin(d time.Duration, m Msg) (int64, error)
}

// ask is a number of callers that each ask one question after the other, with a
// context that the caller has anyway, or with a time limit for each question.
func ask(callers int, limited bool) func(r *Run) error {
	return func(r *Run) error {
		sink := tally(callers)
		server := r.Serve(sink)
		each := r.N / callers
		wrong := make([]error, callers)
		r.together(callers, func(i int) {
			ctx, cancel := context.WithTimeout(context.Background(), r.Patience)
			defer cancel()
			wrong[i] = askAll(ctx, server, i, each, limited)
		}, func() {})
		server.Stop()
		for _, err := range wrong {
			if err != nil {
				return err
			}
		}
		return sink.check(func(int) int64 { return int64(each) })
	}
}

// askAll asks n questions, and checks the answers.
func askAll(ctx context.Context, s Server, caller, n int, limited bool) error {
	within, ok := s.(WithinServer)
	for seq := range n {
		m := message(caller, int64(seq))
		var a int64
		var err error
		switch {
		case !limited:
			a, err = s.Ask(ctx, m)
		case ok:
			a, err = within.AskWithin(askTimeout, m)
		default:
			limit, cancel := context.WithTimeout(ctx, askTimeout)
			a, err = s.Ask(limit, m)
			cancel()
		}
		if err != nil {
			return fmt.Errorf("%v: %w", m, err)
		}
		if a != Answer(m) {
			return fmt.Errorf("%v got the answer %d instead of %d", m, a, Answer(m))
		}
	}
	return nil
}
