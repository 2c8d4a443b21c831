package mailbox

import (
	"testing"
	"testing/synctest"
	"time"
)

// roomRecord is record with the lock held at return, too.
func roomRecord(q *Queue[int]) *sender[int] {
	for {
		if s := q.record(nil); s != nil {
			return s
		}
		q.lock()
	}
}

// A sender finds the queue full; before it ends the lease, the receiver takes
// five more without the lock. The sender waits for room though there is.
func TestS4RoomMadeByTheLeaseIsNotOverlooked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, seats := sendQueue(Policy{Limit: 6}, 1)
		r := seats[0]
		for i := range 6 {
			q.Put(i)
		}
		r.Recv(nil) // takes five ahead
		q.Put(6)
		q.lock() // what slowly does
		s := roomRecord(q)
		if !q.full() {
			t.Fatal("not full")
		}
		for range 5 { // at this moment, on another processor: needs no lock
			r.Recv(nil)
		}
		pushed := make(chan Status, 1)
		go func() { pushed <- q.waitForRoom(s, nil, 7, nil) }()
		synctest.Wait()
		select {
		case <-pushed:
		default:
			t.Errorf("a sender waits for room, with %d of 6 in the queue", q.Len())
		}
		q.Close()
	})
}

// The same for a delay: the queue is empty, its receiver waits, the sender sleeps.
func TestS6MarkReachedByTheLeaseIsNotOverlooked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, seats := sendQueue(Policy{Start: 5, Base: 10 * time.Millisecond, Factor: 1}, 1)
		r := seats[0]
		for i := range 6 {
			q.Force(i)
		}
		r.Recv(nil) // takes five ahead
		q.lock()    // what slowly does
		s := roomRecord(q)
		if !q.crowded() {
			t.Fatal("not crowded")
		}
		for range 5 {
			r.Recv(nil)
		}
		start := time.Now()
		got := goRecv(r, nil)
		q.waitDelay(s, nil, q.policy.delay(5))
		if d := time.Since(start); d > 0 {
			t.Errorf("a sender was delayed by %v at an empty queue whose receiver waits", d)
		}
		q.Close()
		<-got
	})
}
