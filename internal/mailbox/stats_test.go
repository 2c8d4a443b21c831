package mailbox_test

import (
	"sync/atomic"
	"testing"

	"tinyactor/internal/mailbox"
)

// At any moment each accepted message is in one of the figures, also while a
// receiver takes messages without the lock.
func TestStatsAddUp(t *testing.T) {
	t.Parallel()
	const n = 1 << 14
	rounds := 50
	if testing.Short() {
		rounds = 10
	}
	for range rounds {
		var q mailbox.Queue[int]
		q.Init(mailbox.Policy{})
		var r mailbox.Receiver[int]
		q.Join(&r)
		for i := range n {
			q.Put(i)
		}
		var over atomic.Bool
		go func() {
			defer over.Store(true)
			for range n {
				r.Recv(nil)
			}
		}()
		for last := false; !last; {
			last = over.Load()
			s := q.Stats()
			if got := s.Received + s.Handed + uint64(s.Length); got != n {
				t.Fatalf("%d + %d + %d = %d, want %d", s.Received, s.Handed, s.Length, got, n)
			}
		}
	}
}

// A receiver with a Ready channel is idle while it watches that, not while it has
// received something.
func TestStatsOfWhoWatches(t *testing.T) {
	var q mailbox.Queue[int]
	q.Init(mailbox.Policy{})
	var r mailbox.Receiver[int]
	q.Join(&r)
	check := func(when string, want int) {
		t.Helper()
		if s := q.Stats(); s.Idle != want {
			t.Errorf("%s: %d idle, want %d", when, s.Idle, want)
		}
	}
	check("before it watches", 0)
	r.Ready()
	check("watching", 1)
	q.Put(1)
	check("with a message there", 0)
	r.TryRecv()
	check("with a message in hand", 0)
	r.Ready()
	check("watching again", 1)
	q.Put(1)
	r.TryRecv()
	r.TryRecv()
	check("having found nothing", 1)
}

// Who only wants to know does not hold up the others for all the tickets there are.
func TestAsksAreLimited(t *testing.T) {
	var q mailbox.Queue[int]
	q.Init(mailbox.Policy{})
	const n = 10_000
	for i := range n {
		q.Offer(i, i)
	}
	asks := q.Asks()
	if len(asks) == 0 || len(asks) >= n/2 {
		t.Errorf("%d of %d", len(asks), n)
	}
	for i, ask := range asks {
		if ask != i {
			t.Fatalf("the %dth is %v", i, ask)
		}
	}
	if all := q.Tickets(); len(all) != n {
		t.Errorf("Tickets has %d of %d", len(all), n)
	}
}
