package embedded_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// wordy is a message that is refused at great length.
type wordy struct{ N int }

func (*wordy) UnmarshalJSON([]byte) error { return errors.New(strings.Repeat("no, ", 4000)) }

// Refusals of many messages at once are told, though together they are larger than
// a frame may be: also those that are still to be told when the actor ends.
func TestManyVerdicts(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{})
	receiver := join(t, s, cluster.Config{Window: 4096})
	var back, odd atomic.Int32
	sender := join(t, s, cluster.Config{Window: 4096, Undelivered: func(_ string, _ any, err error) {
		if errors.Is(err, cluster.ErrUnknown) {
			odd.Add(1)
		}
		back.Add(1)
	}})
	child, addr := spawn(t, actor.Config{}, func(context.Context, wordy) error { return nil })
	if err := cluster.Expose(t.Context(), receiver, "wordy", addr); err != nil {
		t.Fatal(err)
	}
	to := cluster.Lookup[wordy](sender, "wordy")
	const many = 1500
	sent := func() (n int32) {
		for i := range many {
			err := to.Async().Send(within(t, 5*time.Second), wordy{i})
			if errors.Is(err, actor.ErrClosed) {
				return n
			}
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	n := sent()
	eventually(t, "all refusals told", func() bool { return back.Load() == n })
	n += sent()
	n += sent()
	child.Close()
	eventually(t, "all refusals told at the end", func() bool { return back.Load() == n })
	if odd.Load() > 0 || sender.Stats().Accepted > 0 {
		t.Errorf("of %d messages, which were all refused, %d are unknown and %d accepted", n, odd.Load(), sender.Stats().Accepted)
	}
}
