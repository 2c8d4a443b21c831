package mailbox

import (
	"testing"
	"testing/synctest"
	"time"
)

// What an aborted receiver gives back goes to one that waits already, and does
// not lie in the queue until the next message.
func TestR5WhatIsGivenBackGoesToWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q Queue[int]
		q.Init(Policy{})
		var gathers, waits Receiver[int]
		q.Join(&gathers)
		q.Join(&waits)
		aborted := make(chan Status, 1)
		go func() {
			_, s := gathers.RecvBatch(nil, make([]int, 3), time.Hour)
			aborted <- s
		}()
		synctest.Wait()
		q.Put(7)
		synctest.Wait() // it has one message, and waits for more
		var got int
		done := make(chan struct{})
		defer close(done)
		go func() { got, _ = waits.Recv(done) }()
		synctest.Wait()
		gathers.Abort()
		synctest.Wait()
		if s := <-aborted; s != Aborted {
			t.Errorf("the batch answers %v, want %v", s, Aborted)
		}
		if got != 7 {
			t.Errorf("the receiver that waits has %d, want 7; Len is %d", got, q.Len())
		}
	})
}
