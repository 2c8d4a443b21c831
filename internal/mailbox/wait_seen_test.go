package mailbox

import (
	"testing"
	"testing/synctest"
)

// A send to a queue that has been used before finds who waits there, though
// there is a slot at hand for its message.
func TestR4NextSendFindsWhoWaits(t *testing.T) {
	for name, send := range map[string]func(*Queue[int]){
		"put":   func(q *Queue[int]) { q.Put(2) },
		"offer": func(q *Queue[int]) { q.Offer(2, nil) },
		"force": func(q *Queue[int]) { q.Force(2) },
		"all":   func(q *Queue[int]) { q.OfferAll([]int{2}) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q, seats := sendQueue(Policy{}, 1)
				q.Put(1)
				seats[0].TryRecv()
				var got int
				done := make(chan struct{})
				defer close(done)
				go func() { got, _ = seats[0].Recv(done) }()
				synctest.Wait()
				send(q)
				synctest.Wait()
				if got != 2 {
					t.Errorf("the receiver has %d, want 2; Len is %d", got, q.Len())
				}
			})
		})
	}
}
