package mailbox

import (
	"sync"
	"testing"
)

// A receiver may have to make place for the tickets of a batch, and lets go of the
// lock for that. A halt that comes at that moment must be told by the next receive.
// It was lost in one of some hundred rounds.
func TestHaltWhileABatchMakesPlaceForTickets(t *testing.T) {
	for round := range 20_000 {
		q := new(Queue[int])
		q.Init(Policy{})
		r := new(Receiver[int])
		q.Join(r)
		for m := range 6 {
			q.Put(m)
		}
		r.Recv(nil) // takes a chunk without tickets ahead
		q.Offer(6, "ticket")
		var halt sync.WaitGroup
		halt.Go(func() { q.HaltSome(1) })
		_, s := r.RecvBatch(nil, make([]int, 16), 0)
		halt.Wait()
		told := s == Halted
		for s != Empty {
			_, s = r.TryRecv()
			told = told || s == Halted
		}
		if !told {
			t.Fatalf("round %d: the receiver was halted and never told", round)
		}
	}
}
