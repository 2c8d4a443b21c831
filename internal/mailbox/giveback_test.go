package mailbox

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// Messages that an abort takes out of a batch go before those that the receiver
// has taken ahead.
func TestS3AbortedBatchGoesBeforeWhatWasTakenAhead(t *testing.T) {
	for _, gathered := range []int{1, 3, 7} {
		q, seats := sendQueue(Policy{}, 1)
		r := seats[0]
		for m := range 500 {
			var ticket any
			if m%2 == 0 {
				ticket = -m
			}
			q.Offer(m, ticket)
		}
		aheadWant(t, r, (*Receiver[int]).TryRecv, 0, 10)
		// RecvBatch, with an abort before it comes under the lock.
		dst := make([]int, 400)
		r.forget()
		at, k := r.lease.some(gathered)
		if k != gathered {
			t.Fatalf("%d messages were taken ahead, want %d", k, gathered)
		}
		r.copy(dst, 0, at, k)
		q.Abort()
		if n, s := r.gather(nil, dst, k, time.Hour); n != 0 || s != Aborted || len(r.Held()) != 0 || slices.Max(dst) > 0 {
			t.Errorf("RecvBatch is %v, %d, %v and holds %v", dst, n, s, r.Held())
		}
		for m := 10; m < 500; m++ {
			got, ticket, ok := q.Take()
			if want := any(-m); got != m || !ok || (ticket == want) != (m%2 == 0) {
				t.Fatalf("Take is %d, %v, %v, want %d", got, ticket, ok, m)
			}
		}
	}
}

// What an aborted batch gives back may be more than any chunk has slots.
func TestS3AbortedBatchLargerThanAChunk(t *testing.T) {
	const queued, given, later = 3 * mostSlots, 40, 20
	synctest.Test(t, func(t *testing.T) {
		q, seats := sendQueue(Policy{}, 1)
		var want []numbered
		offer := func(n int) {
			for range n {
				e := numbered{m: len(want) + 1}
				if e.m%3 == 0 {
					e.ticket = -e.m
				}
				want = append(want, e)
				q.Offer(e.m, e.ticket)
				synctest.Wait()
			}
		}
		offer(queued)
		ended := make(chan Status, 1)
		go func() {
			_, s := seats[0].RecvBatch(nil, make([]int, 2*queued), time.Hour)
			ended <- s
		}()
		synctest.Wait()
		offer(given)
		if n := q.Len(); n != 0 {
			t.Fatalf("Len is %d, but all were gathered", n)
		}
		q.MarkAborted() // nobody is woken
		offer(1)        // wakes: what is aborted takes it no more
		if s := <-ended; s != Aborted {
			t.Errorf("RecvBatch is %v", s)
		}
		offer(later)
		q.Abort()
		var got []numbered
		for {
			m, ticket, ok := q.Take()
			if !ok {
				break
			}
			got = append(got, numbered{m, ticket})
		}
		if !slices.Equal(got, want) {
			t.Errorf("the queue has %d messages, want %d: %v", len(got), len(want), got)
		}
		sendIdle(t, q)
	})
}
