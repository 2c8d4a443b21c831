package mailbox

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// numbered is a message and the ticket that must come out with it.
type numbered struct {
	m      int
	ticket any
}

// Messages come out in the order they went in, each with its own ticket, also
// when taken ones are put back, across all sizes of chunks and positions in them.
func TestS2QueueKeepsOrderAndTickets(t *testing.T) {
	for seed := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		q, _ := sendQueue(Policy{}, 0)
		every := 1 + rnd.IntN(4) // how rare tickets are
		var model, taken []numbered
		for op := range 300 {
			switch k := rnd.IntN(10); {
			case k < 5:
				e := numbered{m: op}
				if rnd.IntN(every) == 0 {
					e.ticket = op
				}
				if s := q.Offer(e.m, e.ticket); s != OK {
					t.Fatalf("Offer is %v", s)
				}
				model = append(model, e)
				taken = nil
			case k < 8:
				m, ticket, ok := q.Take()
				if ok != (len(model) > 0) || ok && (numbered{m, ticket}) != model[0] {
					t.Fatalf("seed %d, op %d: Take is %d, %v, %v; the queue was %v", seed, op, m, ticket, ok, model)
				}
				if ok {
					taken = append(taken, model[0])
					model = model[1:]
				}
			case len(taken) > 0:
				e := taken[len(taken)-1]
				taken = taken[:len(taken)-1]
				q.lock()
				q.putFront(chunkOf([]int{e.m}, []any{e.ticket}))
				q.unlock()
				model = slices.Insert(model, 0, e)
			}
			var tickets []any
			for _, e := range model {
				if e.ticket != nil {
					tickets = append(tickets, e.ticket)
				}
			}
			if got := q.Tickets(); !slices.Equal(got, tickets) {
				t.Fatalf("seed %d, op %d: tickets %v, want %v", seed, op, got, tickets)
			}
			if n := q.Len(); n != len(model) {
				t.Fatalf("seed %d, op %d: Len is %d, want %d", seed, op, n, len(model))
			}
		}
	}
}

// What an aborted batch gives back stands before what came after it, in its
// old order and with its tickets.
func TestS3AbortedBatchGoesBackInOrder(t *testing.T) {
	for gathered := range 8 {
		synctest.Test(t, func(t *testing.T) {
			q, r := sendQueue(Policy{}, 1)
			var want []numbered
			offer := func(m int) {
				e := numbered{m: m}
				if m%3 != 0 {
					e.ticket = -m
				}
				want = append(want, e)
				if s := q.Offer(e.m, e.ticket); s != OK {
					t.Errorf("Offer is %v", s)
				}
			}
			for m := 1; m <= gathered/2; m++ {
				offer(m) // taken from the queue
			}
			dst := make([]int, 100)
			ended := make(chan Status, 1)
			go func() {
				n, s := r[0].RecvBatch(nil, dst, time.Hour)
				if n != 0 || len(r[0].Held()) != 0 {
					t.Errorf("RecvBatch is %d, %v and holds %v", n, s, r[0].Held())
				}
				ended <- s
			}()
			synctest.Wait()
			for m := gathered/2 + 1; m <= gathered; m++ {
				offer(m) // given while it waits
				synctest.Wait()
			}
			q.Abort()
			if s := <-ended; s != Aborted {
				t.Errorf("RecvBatch is %v", s)
			}
			var got []numbered
			for {
				m, ticket, ok := q.Take()
				if !ok {
					break
				}
				got = append(got, numbered{m, ticket})
			}
			if !slices.Equal(got, want) {
				t.Errorf("of %d the queue has %v, want %v", gathered, got, want)
			}
			for _, m := range dst {
				if m != 0 {
					t.Errorf("dst keeps %d", m)
				}
			}
			sendIdle(t, q)
		})
	}
}

// A message that meets an abort on its way to a waiting receiver is with the
// receiver or in the queue, never both, never neither.
func TestS3GivenMessageMeetsAbort(t *testing.T) {
	for range 300 {
		synctest.Test(t, func(t *testing.T) {
			q, r := sendQueue(Policy{}, 2)
			a, b := goRecv(r[0], nil), goRecv(r[1], nil)
			synctest.Wait()
			for m := 1; m <= 3; m++ {
				if s := q.Offer(m, nil); s != OK {
					t.Errorf("Offer is %v", s)
				}
			}
			q.Abort()
			var got []int
			for _, c := range []<-chan received{a, b} {
				switch x := <-c; x.s {
				case OK:
					got = append(got, x.m)
				case Aborted:
				default:
					t.Errorf("Recv is %v", x)
				}
			}
			got = append(got, sendQueued(q)...)
			slices.Sort(got)
			if !slices.Equal(got, []int{1, 2, 3}) {
				t.Errorf("%v came out, want 1, 2, 3", got)
			}
			sendIdle(t, q)
		})
	}
}

// Case 7.
func TestS3OneMessageWakesOneReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, seats := sendQueue(Policy{}, 10)
		var waits []<-chan received
		for _, r := range seats {
			waits = append(waits, goRecv(r, nil))
			synctest.Wait()
		}
		for i := range waits {
			q.Offer(i, nil)
			synctest.Wait()
			for k, c := range waits {
				if got := len(c) > 0; got != (k <= i) {
					t.Fatalf("after %d messages: receiver %d has returned: %v", i+1, k, got)
				}
			}
		}
		for i, c := range waits {
			if got := <-c; got != (received{i, OK}) {
				t.Errorf("receiver %d has %v", i, got)
			}
		}
		sendIdle(t, q)
	})
}

// Case 9: a partial halt closes nothing and wakes no sender.
func TestH1HaltSomeLeavesTheQueueOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, r := sendQueue(Policy{Limit: 1}, 3)
		waits := []<-chan received{goRecv(r[0], nil), nil, goRecv(r[2], nil)}
		synctest.Wait()
		if n := q.HaltSome(2); n != 2 {
			t.Fatalf("HaltSome is %d", n)
		}
		for _, i := range []int{0, 2} { // those that waited
			if got := <-waits[i]; got.s != Halted {
				t.Errorf("receiver %d has %v", i, got)
			}
		}
		sendFill(t, q, 1, 2)
		push := goPush(q, nil, 2)
		synctest.Wait()
		if n := q.HaltSome(5); n != 1 {
			t.Errorf("HaltSome of 5 is %d, want the 1 that is left", n)
		}
		synctest.Wait()
		if len(push) > 0 || q.Closed() {
			t.Errorf("HaltSome woke a sender (%v) or closed (%v)", len(push) > 0, q.Closed())
		}
		for _, want := range []received{{0, Halted}, {1, OK}, {2, OK}, {0, Empty}} {
			if m, s := r[1].TryRecv(); s != want.s || m != want.m {
				t.Errorf("TryRecv is %d, %v, want %v", m, s, want)
			}
			synctest.Wait()
		}
		sendWant(t, push, OK)
		sendIdle(t, q)
	})
}

// Case 13: a receiver that is cancelled takes nothing, and does not stand in the
// way of the next. One that was chosen before has the message and returns it.
func TestR3CancelledReceiverPassesOn(t *testing.T) {
	for chosen := range 2 {
		for range 200 {
			synctest.Test(t, func(t *testing.T) {
				q, r := sendQueue(Policy{}, 2)
				done := make(chan struct{})
				first := goRecv(r[0], done)
				synctest.Wait()
				second := goRecv(r[1], nil)
				synctest.Wait()
				want := received{1, OK}
				if chosen == 1 {
					q.Offer(1, nil)
					close(done)
				} else {
					close(done)
					synctest.Wait()
					q.Offer(1, nil)
					want = received{0, Canceled}
				}
				if got := <-first; got != want {
					t.Errorf("the cancelled receiver has %v, want %v", got, want)
				}
				if chosen == 1 {
					q.Offer(2, nil)
					want = received{2, OK}
				} else {
					want = received{1, OK}
				}
				if got := <-second; got != want {
					t.Errorf("the next receiver has %v, want %v", got, want)
				}
				sendIdle(t, q)
			})
		}
	}
}
