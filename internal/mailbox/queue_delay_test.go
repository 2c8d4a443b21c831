package mailbox

import (
	"testing"
	"testing/synctest"
	"time"
)

const sendMs = time.Millisecond

// A delay is over when the queue is back at its mark, and not before.
func TestS6DelayEndsWhenTheQueueIsBackAtItsMark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const start = 3
		q, _ := sendQueue(Policy{Start: start, Base: 8 * sendMs, Factor: 1}, 0)
		sendFill(t, q, 0, start+2)
		begin := time.Now()
		waits := []<-chan Status{goPush(q, nil, 100), goPush(q, make(chan struct{}), 101)}
		synctest.Wait()
		for n := start + 1; n >= start; n-- {
			time.Sleep(sendMs)
			for _, c := range waits {
				if len(c) > 0 {
					t.Fatalf("with %d messages, %v early, a delay is over", n+1, time.Since(begin))
				}
			}
			q.Take()
			synctest.Wait()
		}
		for _, c := range waits {
			sendWant(t, c, OK)
		}
		if n := q.Len(); n != start+2 {
			t.Errorf("%d messages, want the %d that were left and 2", n, start)
		}
		sendIdle(t, q)
	})
}

func TestS6DelayEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, _ := sendQueue(Policy{Start: 1, Base: sendMs, Factor: 1}, 0)
		sendFill(t, q, 0, 1)
		for n := 1; n <= 15; n++ {
			begin := time.Now()
			if s := q.Push(nil, n, nil); s != OK {
				t.Fatalf("Push is %v", s)
			}
			if d, want := time.Since(begin), min(10, time.Duration(n))*sendMs; d != want {
				t.Errorf("with %d messages the delay is %v, want %v", n, d, want)
			}
		}
		sendIdle(t, q)
	})
}

// A cancelled delay leaves no message; one that is over at the same moment as
// its cancellation says what it did.
func TestS6CancelledDelayLeavesNoMessage(t *testing.T) {
	for _, after := range []time.Duration{0, sendMs, 5 * sendMs, 6 * sendMs} {
		for range 50 {
			synctest.Test(t, func(t *testing.T) {
				q, _ := sendQueue(Policy{Start: 1, Base: 5 * sendMs, Factor: 1}, 0)
				sendFill(t, q, 0, 1)
				done := make(chan struct{})
				begin := time.Now()
				c := goPush(q, done, 1)
				synctest.Wait()
				time.Sleep(after)
				close(done)
				s := <-c
				if d := time.Since(begin); d != min(after, 5*sendMs) && after != 6*sendMs {
					t.Errorf("cancelled after %v, Push ends after %v", after, d)
				}
				want := 1
				if s == OK {
					want = 2
				}
				if n := q.Len(); n != want || s != OK && s != Canceled {
					t.Errorf("Push is %v and there are %d messages, want %d", s, n, want)
				}
				if in := after < 5*sendMs; in && s != Canceled || after > 5*sendMs && s != OK {
					t.Errorf("cancelled after %v, Push is %v", after, s)
				}
				sendIdle(t, q)
			})
		}
	}
}

// Whatever ends a delay, the queue may end it too in the same moment. The token
// of that must not meet the next sender that waits.
func TestS6DelayThatEndsTwiceLeavesNoToken(t *testing.T) {
	for round := range 200 {
		synctest.Test(t, func(t *testing.T) {
			q, _ := sendQueue(Policy{Start: 1, Base: 5 * sendMs, Factor: 1}, 0)
			sendFill(t, q, 0, 1)
			done := make(chan struct{})
			c := goPush(q, done, 1)
			synctest.Wait()
			want := Canceled
			if round%2 == 0 {
				time.Sleep(5 * sendMs) // as the timer does
				want = OK
			} else {
				close(done)
			}
			q.Take()
			if s := <-c; s != want && s != OK {
				t.Errorf("Push is %v, want %v", s, want)
			}
			synctest.Wait()
			sendIdle(t, q)
		})
	}
}

// Delays too short for a timer pass no time.
func TestS6ShortDelayIsAYield(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, _ := sendQueue(Policy{Start: 1, Base: time.Microsecond, Factor: 1}, 0)
		sendFill(t, q, 0, 1)
		begin := time.Now()
		for n := 1; n < 50; n++ { // the n-th has a delay of n µs
			if s := q.Offer(0, nil); s != Full {
				t.Fatalf("Offer is %v, want Full: a Push would yield", s)
			}
			if s := q.Push(nil, 0, nil); s != OK {
				t.Fatalf("Push is %v", s)
			}
		}
		if d := time.Since(begin); d != 0 {
			t.Errorf("49 yields took %v", d)
		}
		q.Push(nil, 0, nil)
		if d := time.Since(begin); d != 50*time.Microsecond {
			t.Errorf("the first delay took %v", d)
		}
	})
}

// Every wait is durably blocking: the clock of a bubble goes on only while all
// its goroutines wait like that. A wait that spins would hang, so the test has a
// bound in real time.
func TestE1EveryWaitIsDurablyBlocking(t *testing.T) {
	hangs := time.AfterFunc(20*time.Second, func() { panic("a wait is not durably blocking") })
	defer hangs.Stop()
	synctest.Test(t, func(t *testing.T) {
		empty, seats := sendQueue(Policy{}, 3)
		full, _ := sendQueue(Policy{Limit: 1}, 1)
		sendFill(t, full, 0, 1)
		slow, _ := sendQueue(Policy{Start: 1, Base: time.Hour, Factor: 1}, 1)
		sendFill(t, slow, 0, 1)
		batch := make(chan Status, 1)
		never := make(chan struct{})
		goPush(full, nil, 1)
		goPush(full, never, 2)
		goRecv(seats[0], nil)
		goRecv(seats[1], never)
		go func() {
			_, s := seats[2].RecvBatch(never, make([]int, 2), time.Hour)
			batch <- s
		}()
		delayed := []<-chan Status{goPush(slow, nil, 1), goPush(slow, never, 2)}
		synctest.Wait()

		time.Sleep(MaxDelay)
		synctest.Wait()
		for _, c := range delayed {
			sendWant(t, c, OK)
		}
		// No lock is held by anybody who waits.
		for _, q := range []*Queue[int]{empty, full, slow} {
			if !q.tryLock() {
				t.Fatal("somebody waits with the lock held")
			}
			q.unlock()
		}
		for m := range 3 {
			empty.Offer(m, nil)
		}
		synctest.Wait()
		if len(batch) > 0 {
			t.Error("RecvBatch has not waited")
		}
		time.Sleep(time.Hour)
		if s := <-batch; s != OK {
			t.Errorf("RecvBatch is %v", s)
		}
		full.Close()
	})
}
