package mailbox

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// aheadWays are the ways to receive one message.
var aheadWays = map[string]func(r *Receiver[int]) (int, Status){
	"Recv":           func(r *Receiver[int]) (int, Status) { return r.Recv(nil) },
	"Recv with done": func(r *Receiver[int]) (int, Status) { return r.Recv(make(chan struct{})) },
	"TryRecv":        (*Receiver[int]).TryRecv,
	"RecvBatch": func(r *Receiver[int]) (int, Status) {
		dst := make([]int, 1)
		_, s := r.RecvBatch(nil, dst, 0)
		return dst[0], s
	},
}

// eachAheadWay calls f in a bubble for each way to receive, with a queue of the
// messages 0 to n-1 of which its only receiver has received taken and has some
// ahead, so that it could receive the next without the lock.
func eachAheadWay(t *testing.T, p Policy, n, taken int, f func(t *testing.T, q *Queue[int], r *Receiver[int], recv func(r *Receiver[int]) (int, Status))) {
	for name, recv := range aheadWays {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q, seats := sendQueue(p, 1)
				sendFill(t, q, 0, n)
				aheadWant(t, seats[0], recv, 0, taken)
				if head, limit := unpack(seats[0].lease.word.Load()); head >= limit {
					t.Fatalf("after %d of %d messages the receiver has none ahead: this tests nothing", taken, n)
				}
				f(t, q, seats[0], recv)
				sendIdle(t, q)
			})
		})
	}
}

// aheadWant receives the messages from..to-1.
func aheadWant(t *testing.T, r *Receiver[int], recv func(r *Receiver[int]) (int, Status), from, to int) {
	t.Helper()
	for want := from; want < to; want++ {
		if m, s := recv(r); m != want || s != OK {
			t.Fatalf("a receive is %d, %v, want %d", m, s, want)
		}
	}
}

// aheadTells receives once and wants no message but s.
func aheadTells(t *testing.T, what string, r *Receiver[int], recv func(r *Receiver[int]) (int, Status), want Status) {
	t.Helper()
	if m, s := recv(r); s != want {
		t.Errorf("%s is %d, %v, want %v", what, m, s, want)
	}
}

// seqInts returns from..to-1.
func seqInts(from, to int) (all []int) {
	for ; from < to; from++ {
		all = append(all, from)
	}
	return all
}

// A receiver that can receive without the lock hears of a halt at the very next
// receive, and of the messages after that.
func TestR1HaltEndsALease(t *testing.T) {
	for what, halt := range map[string]func(q *Queue[int]){
		"Halt":     func(q *Queue[int]) { q.Halt() },
		"HaltSome": func(q *Queue[int]) { q.HaltSome(1) },
	} {
		t.Run(what, func(t *testing.T) {
			eachAheadWay(t, Policy{}, 10, 2, func(t *testing.T, q *Queue[int], r *Receiver[int], recv func(r *Receiver[int]) (int, Status)) {
				halt(q)
				aheadTells(t, "the receive after the halt", r, recv, Halted)
				aheadWant(t, r, recv, 2, 5)
				if n := q.Len(); n != 5 {
					t.Errorf("Len is %d, want 5", n)
				}
				if head, limit := unpack(r.lease.word.Load()); head >= limit {
					t.Error("a halt of which the receiver knows ends its lease for ever")
				}
				aheadWant(t, r, recv, 5, 10)
			})
		})
	}
}

// An abort comes before every message, also before those taken ahead, which
// stay in the queue in their order.
func TestR1AbortEndsALease(t *testing.T) {
	for what, abort := range map[string]func(q *Queue[int]){
		"Abort":       (*Queue[int]).Abort,
		"MarkAborted": (*Queue[int]).MarkAborted,
	} {
		t.Run(what, func(t *testing.T) {
			eachAheadWay(t, Policy{}, 300, 2, func(t *testing.T, q *Queue[int], r *Receiver[int], recv func(r *Receiver[int]) (int, Status)) {
				abort(q)
				for range 3 {
					aheadTells(t, "a receive after the abort", r, recv, Aborted)
				}
				if n := q.Len(); n != 298 {
					t.Errorf("Len is %d, want 298", n)
				}
				if got := sendQueued(q); !slices.Equal(got, seqInts(2, 300)) {
					t.Errorf("the queue has %v, want 2 to 299", got)
				}
			})
		})
	}
}

// A close takes nothing away: what was sent before it is received, and then it is told.
func TestH2CloseLeavesWhatWasTakenAhead(t *testing.T) {
	eachAheadWay(t, Policy{}, 30, 2, func(t *testing.T, q *Queue[int], r *Receiver[int], recv func(r *Receiver[int]) (int, Status)) {
		q.Close()
		aheadWant(t, r, recv, 2, 30)
		aheadTells(t, "the receive of what is not there", r, recv, Closed)
	})
}

// What one process has taken ahead is everybody's as soon as there is another,
// and again its own when that has left.
func TestR5WhatWasTakenAheadGoesBackWhenAnotherJoins(t *testing.T) {
	eachAheadWay(t, Policy{}, 40, 2, func(t *testing.T, q *Queue[int], r *Receiver[int], recv func(r *Receiver[int]) (int, Status)) {
		late := new(Receiver[int])
		q.Join(late)
		for m := 2; m < 20; m += 2 {
			aheadWant(t, late, recv, m, m+1)
			aheadWant(t, r, recv, m+1, m+2)
			if n := q.Len(); n != 38-m {
				t.Fatalf("Len is %d, want %d", n, 38-m)
			}
		}
		q.Leave(late)
		aheadWant(t, r, recv, 20, 22)
		if head, limit := unpack(r.lease.word.Load()); head >= limit {
			t.Error("the one that is alone again takes nothing ahead")
		}
		aheadWant(t, r, recv, 22, 40)
	})
}

// What a process has taken ahead when it ends goes back (X1), before what came later.
func TestR5WhatWasTakenAheadGoesBackAtTheEnd(t *testing.T) {
	for _, joins := range []string{"before", "after"} {
		t.Run(joins, func(t *testing.T) {
			eachAheadWay(t, Policy{}, 40, 2, func(t *testing.T, q *Queue[int], r *Receiver[int], recv func(r *Receiver[int]) (int, Status)) {
				late := new(Receiver[int])
				if joins == "before" {
					q.Join(late)
				}
				q.Leave(r)
				if n := q.Len(); n != 38 {
					t.Errorf("Len is %d, want 38", n)
				}
				aheadTells(t, "the receive of who has left", r, recv, Closed)
				if joins == "after" {
					q.Join(late)
				}
				aheadWant(t, late, recv, 2, 40)
			})
		})
	}
}

// Who watches is told of every message, also of those it had taken ahead: each
// token allows one receive, and that puts in the next.
func TestR6ReadyEndsALease(t *testing.T) {
	eachAheadWay(t, Policy{}, 30, 2, func(t *testing.T, q *Queue[int], r *Receiver[int], recv func(r *Receiver[int]) (int, Status)) {
		ready := r.Ready()
		for m := 2; m < 30; m++ {
			select {
			case <-ready:
				aheadWant(t, r, recv, m, m+1)
			default:
				t.Fatalf("no token, but %d messages", 30-m)
			}
		}
		select {
		case <-ready:
			t.Error("a token, but no message")
		default:
		}
		q.Put(1)
		select {
		case <-ready:
		default:
			t.Error("a message came without a token")
		}
		r.TryRecv()
	})
}

// Take, and who looks for tickets, find what was taken ahead; the order stays.
func TestS2TakeAndTicketsFindWhatWasTakenAhead(t *testing.T) {
	for _, asks := range []bool{true, false} {
		for name, recv := range aheadWays {
			t.Run(fmt.Sprintf("%s, asks: %v", name, asks), func(t *testing.T) {
				q, seats := sendQueue(Policy{}, 1)
				r := seats[0]
				ticket := func(m int) any {
					if asks && m%3 == 1 {
						return -m
					}
					return nil
				}
				for m := range 60 {
					q.Offer(m, ticket(m))
				}
				for m := range 60 {
					if m%8 == 6 {
						got, at, ok := q.Take()
						if got != m || at != ticket(m) || !ok {
							t.Fatalf("Take is %d, %v, %v, want %d, %v", got, at, ok, m, ticket(m))
						}
						continue
					}
					aheadWant(t, r, recv, m, m+1)
					held := r.Held()
					if want := ticket(m); want == nil && len(held) > 0 || want != nil && !slices.Equal(held, []Held{{0, want}}) {
						t.Fatalf("message %d holds %v, want %v", m, held, want)
					}
					if m%5 == 0 {
						var want []any
						for i := m + 1; i < 60; i++ {
							if x := ticket(i); x != nil {
								want = append(want, x)
							}
						}
						if got := q.Tickets(); !slices.Equal(got, want) {
							t.Fatalf("after message %d: tickets %v, want %v", m, got, want)
						}
					}
					if n := q.Len(); n != 59-m {
						t.Fatalf("Len is %d, want %d", n, 59-m)
					}
				}
			})
		}
	}
}

// A sender that waits for room gets it at the very next receive, also if that
// needed no lock before, and nobody overtakes it.
func TestS4WaitingSenderEndsALease(t *testing.T) {
	const limit = 12
	for _, batch := range []int{1, 3} {
		t.Run(fmt.Sprint("RecvBatch of ", batch), func(t *testing.T) {
			eachAheadWay(t, Policy{Limit: limit}, limit, 2, func(t *testing.T, q *Queue[int], r *Receiver[int], recv func(r *Receiver[int]) (int, Status)) {
				sendFill(t, q, limit, limit+2)
				var waits []<-chan Status
				for i := range 4 {
					waits = append(waits, goPush(q, nil, limit+2+i))
					synctest.Wait()
				}
				for i := 0; i < len(waits); i += batch {
					k := min(batch, len(waits)-i)
					if batch == 1 {
						aheadWant(t, r, recv, 2+i, 3+i)
					} else if dst := make([]int, k); true {
						if n, s := r.RecvBatch(nil, dst, 0); n != k || s != OK || dst[0] != 2+i {
							t.Fatalf("RecvBatch is %v, %d, %v", dst, n, s)
						}
					}
					if s := q.Offer(-1, nil); s != Full {
						t.Errorf("Offer is %v, want Full: the room is for those who wait", s)
					}
					if n := q.Len(); n != limit {
						t.Errorf("Len is %d, want %d", n, limit)
					}
					synctest.Wait()
					for j, c := range waits {
						if returned := len(c) > 0; returned != (j < i+k) {
							t.Fatalf("after %d receives, sender %d has returned: %v", i+k, j, returned)
						}
					}
				}
				aheadWant(t, r, recv, 2+len(waits), limit+2+len(waits))
			})
		})
	}
}

// A delay is over at the receive that brings the queue back to its mark, not
// before and not after, also if receives needed no lock.
func TestS6DelayedSenderShortensALease(t *testing.T) {
	const start = 6
	for _, p := range []Policy{{Start: start, Base: time.Hour, Factor: 1}, {Start: start, Base: time.Hour, Factor: 1, Limit: 30}} {
		for _, behind := range []int{0, 3, 9} {
			t.Run(fmt.Sprintf("limit %d, %d behind", p.Limit, behind), func(t *testing.T) {
				// The first chunk has 8 slots.
				eachAheadWay(t, p, 8+behind, 1, func(t *testing.T, q *Queue[int], r *Receiver[int], recv func(r *Receiver[int]) (int, Status)) {
					c := goPush(q, nil, 100)
					d := goPush(q, make(chan struct{}), 100)
					synctest.Wait()
					for left := 7 + behind; left > start; left-- {
						if n := q.Len(); n != left || len(c)+len(d) > 0 {
							t.Fatalf("with %d messages, want %d, %d delays are over", n, left, len(c)+len(d))
						}
						aheadWant(t, r, recv, 8+behind-left, 9+behind-left)
						synctest.Wait()
					}
					if n := q.Len(); n != start+2 {
						t.Errorf("Len is %d, want %d", n, start+2)
					}
					sendWant(t, c, OK)
					sendWant(t, d, OK)
				})
			})
		}
	}
}
