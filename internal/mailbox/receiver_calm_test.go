package mailbox

import (
	"testing"
	"testing/synctest"
	"time"
)

// A cancelled delay leaves a short lease: the receiver must not wait by the
// lock's state with messages ahead. Kills: isCalm without q.holder == nil.
func TestR4ShortLeaseIsNotCalm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, seats := sendQueue(Policy{Start: 2, Base: time.Millisecond, Factor: 1}, 1)
		r := seats[0]
		for i := range 7 { // chunk of 8
			q.Force(i)
		}
		r.wake = make(chan token, 1)
		r.Recv(nil) // six ahead
		done := make(chan struct{})
		s := goPush(q, done, 7)
		synctest.Wait()
		close(done)
		if s := <-s; s != Canceled {
			t.Fatal(s)
		}
		for i := 1; i < 7; i++ {
			got := goRecv(r, nil)
			synctest.Wait()
			select {
			case g := <-got:
				if g.m != i {
					t.Fatal(g)
				}
			default:
				t.Fatalf("waits with %d messages", q.Len())
			}
		}
	})
}
