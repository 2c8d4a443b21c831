package mailbox

import (
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// sendQueue returns a queue that n receivers have joined.
func sendQueue(p Policy, n int) (*Queue[int], []*Receiver[int]) {
	q := new(Queue[int])
	q.Init(p)
	seats := make([]*Receiver[int], n)
	for i := range seats {
		seats[i] = new(Receiver[int])
		q.Join(seats[i])
	}
	return q, seats
}

// received is the result of a receive.
type received struct {
	m int
	s Status
}

// goPush runs Push on a goroutine of its own.
func goPush(q *Queue[int], done <-chan struct{}, m int) <-chan Status {
	c := make(chan Status, 1)
	go func() { c <- q.Push(done, m, nil) }()
	return c
}

// goRecv runs Recv on a goroutine of its own.
func goRecv(r *Receiver[int], done <-chan struct{}) <-chan received {
	c := make(chan received, 1)
	go func() {
		m, s := r.Recv(done)
		c <- received{m, s}
	}()
	return c
}

// sendFill puts the messages from..to-1 in.
func sendFill(t *testing.T, q *Queue[int], from, to int) {
	t.Helper()
	for m := from; m < to; m++ {
		if s := q.Force(m); s != OK {
			t.Fatalf("Force(%d) is %v", m, s)
		}
	}
}

// sendQueued takes out what is in the queue.
func sendQueued(q *Queue[int]) []int {
	var all []int
	for {
		m, _, ok := q.Take()
		if !ok {
			return all
		}
		all = append(all, m)
	}
}

// sendIdle fails if a queue at which nobody waits has kept something of those
// who did: a place in a line, a token, a message.
func sendIdle(t *testing.T, q *Queue[int]) {
	t.Helper()
	q.lock()
	defer q.unlock()
	if !q.idle.empty() || !q.senders.empty() || !q.delayed.empty() {
		t.Error("somebody stands in a line, but nobody waits")
	}
	for p := q.seats.first; p != nil; p = p.next {
		if r := p.of; len(r.wake) > 0 || r.hand != 0 || r.ticket != nil || r.place.in {
			t.Errorf("a receiver that does not wait has %d tokens, message %d, ticket %v", len(r.wake), r.hand, r.ticket)
		}
	}
	kept := 0
	for p := q.records.first; p != nil; p = p.next {
		kept++
		if s := p.of; len(s.wake) > 0 || s.msg != 0 || s.ticket != nil || s.place != *p {
			t.Errorf("a spare record has %d tokens, message %d, ticket %v", len(s.wake), s.msg, s.ticket)
		}
	}
	if kept > keptSenders || kept != q.kept {
		t.Errorf("%d spare records of senders, and %d counted, want at most %d", kept, q.kept, keptSenders)
	}
}

// sendWant fails if the result of a Push is not there or is another one.
func sendWant(t *testing.T, c <-chan Status, want Status) {
	t.Helper()
	select {
	case s := <-c:
		if s != want {
			t.Errorf("Push is %v, want %v", s, want)
		}
	default:
		t.Errorf("Push has not returned, want %v", want)
	}
}

// Case 16.
func TestS4QueueGivesRoomInOrderOfWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit, waiters = 2, 10
		q, r := sendQueue(Policy{Limit: limit}, 1)
		sendFill(t, q, 0, limit)
		var waits []<-chan Status
		for i := range waiters {
			waits = append(waits, goPush(q, nil, limit+i))
			synctest.Wait()
		}
		for i := range limit + waiters {
			if s := q.Offer(-1, nil); i <= waiters && s != Full {
				t.Fatalf("Offer behind %d waiters is %v, want Full", waiters-i, s)
			}
			if s := q.Force(-1); i <= waiters && s != Full {
				t.Fatalf("Force behind %d waiters is %v, want Full", waiters-i, s)
			}
			if i > waiters {
				break // there is room, and the -1 is in
			}
			if m, s := r[0].TryRecv(); m != i || s != OK {
				t.Fatalf("TryRecv is %d, %v, want %d", m, s, i)
			}
			synctest.Wait()
			for k, c := range waits {
				if returned := len(c) > 0; returned != (k <= i) {
					t.Fatalf("after %d receives: sender %d has returned: %v", i+1, k, returned)
				}
			}
			if n, want := q.Len(), min(limit, limit+waiters-i-1); n != want {
				t.Fatalf("after %d receives: %d messages, want %d", i+1, n, want)
			}
		}
		for _, c := range waits {
			sendWant(t, c, OK)
		}
		sendIdle(t, q)
	})
}

func TestS4CancelledWaiterLeavesNoMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, _ := sendQueue(Policy{Limit: 1}, 1)
		sendFill(t, q, 0, 1)
		done := make(chan struct{})
		var waits []<-chan Status
		for i := 1; i <= 5; i++ {
			cancel := done
			if i%2 == 0 {
				cancel = nil
			}
			waits = append(waits, goPush(q, cancel, i))
			synctest.Wait()
		}
		close(done) // the first, one in the middle and the last
		synctest.Wait()
		for i, c := range waits {
			if i%2 == 0 {
				sendWant(t, c, Canceled)
			} else if len(c) > 0 {
				t.Errorf("sender %d has returned", i+1)
			}
		}
		var got []int
		for range 3 {
			m, _, _ := q.Take()
			got = append(got, m)
			synctest.Wait()
		}
		if want := []int{0, 2, 4}; !slices.Equal(got, want) || q.Len() != 0 {
			t.Errorf("took %v and left %d, want %v", got, q.Len(), want)
		}
		sendWant(t, waits[1], OK)
		sendWant(t, waits[3], OK)
		sendIdle(t, q)
	})
}

// A waiter that is cancelled after it was chosen must not lose the room: the
// room has its message by then, so it says OK. Whichever of the two it sees
// first, the others still get theirs.
func TestS4WaiterCancelledAfterItWasChosen(t *testing.T) {
	for range 300 {
		synctest.Test(t, func(t *testing.T) {
			q, _ := sendQueue(Policy{Limit: 1}, 1)
			sendFill(t, q, 0, 1)
			done := make(chan struct{})
			first := goPush(q, done, 1)
			synctest.Wait()
			second := goPush(q, nil, 2)
			synctest.Wait()
			q.Take()    // chooses the first
			close(done) // and cancels it
			synctest.Wait()
			sendWant(t, first, OK)
			m, _, ok := q.Take()
			if m != 1 || !ok {
				t.Errorf("Take is %d, %v, want 1", m, ok)
			}
			synctest.Wait()
			sendWant(t, second, OK)
			if m, _, ok := q.Take(); m != 2 || !ok {
				t.Errorf("Take is %d, %v, want 2", m, ok)
			}
			sendIdle(t, q)
		})
	}
}

// The other way round: cancelled first, the sender may still be chosen, but what
// it says is what happened, and the room is somebody's.
func TestS4WaiterChosenAfterItWasCancelled(t *testing.T) {
	for range 300 {
		synctest.Test(t, func(t *testing.T) {
			q, _ := sendQueue(Policy{Limit: 1}, 1)
			sendFill(t, q, 0, 1)
			done := make(chan struct{})
			first := goPush(q, done, 1)
			synctest.Wait()
			second := goPush(q, nil, 2)
			synctest.Wait()
			close(done)
			q.Take()
			synctest.Wait()
			want := []int{2}
			if s := <-first; s == OK {
				want = []int{1, 2}
			} else if s != Canceled {
				t.Errorf("the first Push is %v", s)
			}
			var got []int
			for q.Len() > 0 {
				m, _, _ := q.Take()
				got = append(got, m)
				synctest.Wait()
			}
			if !slices.Equal(got, want) {
				t.Errorf("the queue had %v, want %v", got, want)
			}
			sendWant(t, second, OK)
			sendIdle(t, q)
		})
	}
}

// Records of senders are reused. None may carry a token or a message from one
// wait into the next, however the wait ended.
func TestS4NoTokenIsLeftBehind(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 2))
			policy := Policy{Limit: 2}
			if seed%2 == 1 {
				policy = Policy{Start: 1, Base: time.Millisecond, Factor: 1}
			}
			q, _ := sendQueue(policy, 0)
			var accepted, got []int
			for round := range 20 {
				done := make(chan struct{})
				var waits []<-chan Status
				for i := range keptSenders + 5 {
					cancel := done
					if rnd.IntN(2) == 0 {
						cancel = nil
					}
					waits = append(waits, goPush(q, cancel, 100*round+i+1))
				}
				if rnd.IntN(2) == 0 {
					synctest.Wait()
				}
				for range rnd.IntN(4) {
					if m, _, ok := q.Take(); ok {
						got = append(got, m)
					}
				}
				close(done)
				for range waits {
					time.Sleep(MaxDelay)
					synctest.Wait()
					got = append(got, sendQueued(q)...)
				}
				synctest.Wait()
				for i, c := range waits {
					switch s := <-c; s {
					case OK:
						accepted = append(accepted, 100*round+i+1)
					case Canceled:
					default:
						t.Errorf("Push is %v", s)
					}
				}
				sendIdle(t, q)
			}
			slices.Sort(got)
			if !slices.Equal(got, accepted) {
				t.Errorf("accepted %v,\ntaken    %v", accepted, got)
			}
		})
	}
}

// Case 3.
func TestS1CloseWakesEveryWaiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		empty, seats := sendQueue(Policy{}, 10)
		full, _ := sendQueue(Policy{Limit: 1}, 1)
		sendFill(t, full, 0, 1)
		slow, _ := sendQueue(Policy{Start: 1, Base: time.Hour, Factor: 1}, 1)
		sendFill(t, slow, 0, 1)

		var recvs []<-chan received
		var pushes []<-chan Status
		never := make(chan struct{})
		for i, r := range seats {
			cancel := never
			if i%2 == 0 {
				cancel = nil
			}
			recvs = append(recvs, goRecv(r, cancel))
			pushes = append(pushes, goPush(full, cancel, i+1), goPush(slow, cancel, i+1))
		}
		synctest.Wait()
		start := time.Now()
		for _, q := range []*Queue[int]{empty, full, slow} {
			if !q.Close() {
				t.Error("the first Close is false")
			}
			if q.Close() {
				t.Error("the second Close is true")
			}
		}
		synctest.Wait()
		for _, c := range recvs {
			if len(c) == 0 {
				t.Error("a receiver still waits")
			} else if got := <-c; got.s != Closed {
				t.Errorf("Recv is %v", got)
			}
		}
		for _, c := range pushes {
			sendWant(t, c, Closed)
		}
		if d := time.Since(start); d != 0 {
			t.Errorf("that took %v", d)
		}
		for _, q := range []*Queue[int]{full, slow} {
			if n := q.Len(); n != 1 {
				t.Errorf("%d messages are in, want 1", n)
			}
			for what, s := range map[string]Status{"Push": q.Push(nil, 1, nil), "Offer": q.Offer(1, nil), "Force": q.Force(1)} {
				if s != Closed {
					t.Errorf("%s after Close is %v", what, s)
				}
			}
			if n, s := q.OfferAll([]int{1, 2}); n != 0 || s != Closed {
				t.Errorf("OfferAll after Close is %d, %v", n, s)
			}
			if got := sendQueued(q); !slices.Equal(got, []int{0}) {
				t.Errorf("the queue had %v, want [0]", got)
			}
		}
		sendIdle(t, empty)
		sendIdle(t, full)
		sendIdle(t, slow)
	})
}

// Case 20. If both sleep, the bubble panics.
func TestS4SenderAndReceiverNeverSleepBoth(t *testing.T) {
	for _, done := range []bool{false, true} {
		var late atomic.Bool // a slow machine does fewer rounds
		time.AfterFunc(500*time.Millisecond, func() { late.Store(true) })
		rounds := 0
		synctest.Test(t, func(t *testing.T) {
			q, r := sendQueue(Policy{Limit: 1}, 1)
			var never chan struct{}
			if done {
				never = make(chan struct{})
			}
			go func() {
				for i := range 500_000 {
					if s := q.Push(never, i, nil); s != OK {
						t.Errorf("Push is %v", s)
					}
					if late.Load() {
						break
					}
				}
				q.Close()
			}()
			for ; ; rounds++ {
				m, s := r[0].Recv(never)
				if s == Closed {
					break
				}
				if m != rounds || s != OK {
					t.Fatalf("Recv is %d, %v, want %d", m, s, rounds)
				}
			}
			sendIdle(t, q)
		})
		if rounds < 1000 {
			t.Errorf("only %d rounds", rounds)
		}
		t.Logf("%d rounds", rounds)
	}
}
