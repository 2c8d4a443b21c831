package mailbox

import (
	"testing"
	"testing/synctest"
	"time"
)

// Abort of one receiver, between its poll and its wait: while it yields.
func TestR4AbortBetweenPollAndWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, seats := sendQueue(Policy{}, 2)
		r := seats[0]
		r.patience.luck = 1
		q.lock()
		if _, _, s := r.poll(); s != Empty {
			t.Fatal(s)
		}
		// what yield does, with an abort while it has let go of the lock
		q.unlock()
		r.Abort()
		q.lock()
		if r.yield() {
			q.unlock()
			return
		}
		got := make(chan ending, 1)
		r.wake = make(chan token, 1)
		go func() { e, _ := r.wait(nil, nil); got <- e }()
		synctest.Wait()
		select {
		case <-got:
		default:
			t.Error("an aborted receiver waits")
			q.Close()
		}
	})
}

// The same with both at once, on a receiver that yields before it waits.
func TestR4AbortRacesWithAWaitThatBegins(t *testing.T) {
	for i := range 2000 {
		q, seats := sendQueue(Policy{}, 1)
		r := seats[0]
		r.patience.luck = 4
		got := goRecv(r, make(chan struct{}))
		for range i % 5 {
			q.Closed()
		}
		r.Abort()
		select {
		case <-got:
		case <-time.After(20 * time.Second):
			t.Fatalf("round %d: an aborted receiver waits", i)
		}
	}
}

// Ready and Halting that are asked for after the abort of one receiver.
func TestR6ReadyAfterAnAbort(t *testing.T) {
	q, seats := sendQueue(Policy{}, 2)
	_ = q
	r := seats[0]
	r.Abort()
	select {
	case <-r.Ready():
	default:
		t.Error("Ready does not fire after the receiver's abort")
	}
	select {
	case <-r.Halting():
	default:
		t.Error("Halting is not closed after the receiver's abort")
	}
}

// Ready that is asked for before, token taken, and asked for again.
func TestR6ReadyIsRearmedAfterAnAbort(t *testing.T) {
	_, seats := sendQueue(Policy{}, 2)
	r := seats[0]
	r.Ready()
	r.Abort()
	<-r.Ready() // taken without receiving
	select {
	case <-r.Ready():
	default:
		t.Error("Ready is not armed again by Ready after the receiver's abort")
	}
}
