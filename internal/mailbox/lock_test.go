package mailbox

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// lockOp is something that somebody does at a queue whose only receiver waits by
// the lock's state alone, and what must come of it.
type lockOp struct {
	name string
	do   func(t *testing.T, q *Queue[int], r *Receiver[int])
	want received // how the wait ends, unless it goes on
	on   bool     // it does
	left []int    // what is in the queue then
}

func lockWant[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

var lockOps = []lockOp{
	{"Len", func(t *testing.T, q *Queue[int], _ *Receiver[int]) { lockWant(t, "Len", q.Len(), 0) }, received{}, true, nil},
	{"Closed", func(t *testing.T, q *Queue[int], _ *Receiver[int]) { lockWant(t, "Closed", q.Closed(), false) }, received{}, true, nil},
	{"Halted", func(t *testing.T, _ *Queue[int], r *Receiver[int]) {
		at, deaf := r.Halted()
		lockWant(t, "Halted", at.IsZero() && !deaf, true)
	}, received{}, true, nil},
	{"Tickets", func(t *testing.T, q *Queue[int], _ *Receiver[int]) { lockWant(t, "Tickets", len(q.Tickets()), 0) }, received{}, true, nil},
	{"Take", func(t *testing.T, q *Queue[int], _ *Receiver[int]) {
		_, _, ok := q.Take()
		lockWant(t, "Take", ok, false)
	}, received{}, true, nil},
	{"tryLock", func(t *testing.T, q *Queue[int], _ *Receiver[int]) {
		lockWant(t, "tryLock", q.tryLock(), true)
		lockWant(t, "tryLock of who has it", q.tryLock(), false)
		q.unlock()
	}, received{}, true, nil},
	{"Join", func(_ *testing.T, q *Queue[int], _ *Receiver[int]) { q.Join(new(Receiver[int])) }, received{}, true, nil},
	{"Join and Leave", func(_ *testing.T, q *Queue[int], _ *Receiver[int]) {
		late := new(Receiver[int])
		q.Join(late)
		q.Leave(late)
	}, received{}, true, nil},
	{"Ready of another", func(_ *testing.T, q *Queue[int], _ *Receiver[int]) {
		late := new(Receiver[int])
		q.Join(late)
		late.Ready()
	}, received{}, true, nil},
	{"a receive of another", func(t *testing.T, q *Queue[int], _ *Receiver[int]) {
		late := new(Receiver[int])
		q.Join(late)
		_, s := late.TryRecv()
		lockWant(t, "TryRecv", s, Empty)
	}, received{}, true, nil},

	{"Put", func(t *testing.T, q *Queue[int], _ *Receiver[int]) { lockWant(t, "Put", q.Put(5), OK) }, received{5, OK}, false, nil},
	{"Put twice", func(t *testing.T, q *Queue[int], _ *Receiver[int]) {
		lockWant(t, "Put", q.Put(5), OK)
		lockWant(t, "Put", q.Put(6), OK)
	}, received{5, OK}, false, []int{6}},
	{"Offer", func(t *testing.T, q *Queue[int], _ *Receiver[int]) { lockWant(t, "Offer", q.Offer(5, nil), OK) }, received{5, OK}, false, nil},
	{"Offer with a ticket", func(t *testing.T, q *Queue[int], _ *Receiver[int]) { lockWant(t, "Offer", q.Offer(5, "five"), OK) }, received{5, OK}, false, nil},
	{"Force", func(t *testing.T, q *Queue[int], _ *Receiver[int]) { lockWant(t, "Force", q.Force(5), OK) }, received{5, OK}, false, nil},
	{"Push", func(t *testing.T, q *Queue[int], _ *Receiver[int]) { lockWant(t, "Push", q.Push(nil, 5, nil), OK) }, received{5, OK}, false, nil},
	{"Push with a ticket", func(t *testing.T, q *Queue[int], _ *Receiver[int]) {
		lockWant(t, "Push", q.Push(make(chan struct{}), 5, "five"), OK)
	}, received{5, OK}, false, nil},
	{"OfferAll", func(t *testing.T, q *Queue[int], _ *Receiver[int]) {
		n, s := q.OfferAll([]int{5, 6, 7})
		lockWant(t, "OfferAll", n, 3)
		lockWant(t, "OfferAll", s, OK)
	}, received{5, OK}, false, []int{6, 7}},
	{"what another gives back", func(_ *testing.T, q *Queue[int], _ *Receiver[int]) {
		late := new(Receiver[int])
		q.Join(late)
		late.putFront(chunkOf([]int{5, 6}, nil))
		q.Leave(late)
	}, received{5, OK}, false, []int{6}},

	{"Close", func(t *testing.T, q *Queue[int], _ *Receiver[int]) { lockWant(t, "Close", q.Close(), true) }, received{0, Closed}, false, nil},
	{"Halt", func(t *testing.T, q *Queue[int], _ *Receiver[int]) { lockWant(t, "Halt", q.Halt(), true) }, received{0, Halted}, false, nil},
	{"Halt of the receiver", func(_ *testing.T, _ *Queue[int], r *Receiver[int]) { r.Halt() }, received{0, Halted}, false, nil},
	{"HaltSome", func(t *testing.T, q *Queue[int], _ *Receiver[int]) { lockWant(t, "HaltSome", q.HaltSome(3), 1) }, received{0, Halted}, false, nil},
	{"HaltSome of none", func(t *testing.T, q *Queue[int], _ *Receiver[int]) { lockWant(t, "HaltSome", q.HaltSome(0), 0) }, received{}, true, nil},
	{"Abort", func(_ *testing.T, q *Queue[int], _ *Receiver[int]) { q.Abort() }, received{0, Aborted}, false, nil},
	{"Abort of the receiver", func(_ *testing.T, _ *Queue[int], r *Receiver[int]) { r.Abort() }, received{0, Aborted}, false, nil},
	{"a message and a halt", func(_ *testing.T, q *Queue[int], _ *Receiver[int]) { q.Put(5); q.Halt() }, received{5, OK}, false, nil},
	{"a message and a close", func(_ *testing.T, q *Queue[int], _ *Receiver[int]) { q.Put(5); q.Close() }, received{5, OK}, false, nil},
	{"a mark and an abort", func(_ *testing.T, q *Queue[int], _ *Receiver[int]) { q.MarkAborted(); q.Abort() }, received{0, Aborted}, false, nil},
	{"a mark and a message", func(_ *testing.T, q *Queue[int], _ *Receiver[int]) { q.MarkAborted(); q.Put(5) }, received{0, Aborted}, false, []int{5}},
	{"Leave", func(_ *testing.T, q *Queue[int], r *Receiver[int]) { q.Leave(r) }, received{0, Closed}, false, nil},
	{"Leave while there is another", func(_ *testing.T, q *Queue[int], r *Receiver[int]) {
		q.Join(new(Receiver[int]))
		q.Leave(r)
	}, received{0, Closed}, false, nil},
}

// lockAtRest returns a queue and its receiver, which has waited and has got
// messages that were handed to it and that were queued.
func lockAtRest(t *testing.T, p Policy) (*Queue[int], *Receiver[int]) {
	q, seats := sendQueue(p, 1)
	r := seats[0]
	first := goRecv(r, nil)
	synctest.Wait()
	q.Put(1)
	lockWant(t, "the first receive", <-first, received{1, OK})
	q.Put(2)
	m, s := r.Recv(nil)
	lockWant(t, "the second receive", received{m, s}, received{2, OK})
	if s := q.mu.state.Load(); s != calm || q.quota == 0 {
		t.Fatalf("at rest the lock is in state %d, want %d, and the quota is %d: this tests nothing", s, calm, q.quota)
	}
	return q, r
}

// lockHeld checks the tickets of what was received.
func lockHeld(t *testing.T, op lockOp, r *Receiver[int]) {
	t.Helper()
	var want []Held
	if strings.Contains(op.name, "ticket") {
		want = []Held{{0, "five"}}
	}
	if got := r.Held(); !slices.Equal(got, want) {
		t.Errorf("the receive holds %v, want %v", got, want)
	}
}

// A receiver that waits stands in no line if the lock's state says that it
// waits. Everything that takes the lock finds it nevertheless.
func TestR4WhoWaitsByTheStateIsFound(t *testing.T) {
	for _, op := range lockOps {
		for name, p := range map[string]Policy{"": {}, ", bounded": {Limit: 3}, ", backpressure": {Start: 2, Base: time.Hour, Factor: 1}} {
			t.Run(op.name+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					q, r := lockAtRest(t, p)
					c := goRecv(r, nil)
					synctest.Wait()
					if s := q.mu.state.Load(); s != awaited {
						t.Fatalf("a receiver that waits alone has left the lock in state %d, want %d: this tests nothing", s, awaited)
					}
					op.do(t, q, r)
					synctest.Wait()
					if op.on {
						if len(c) > 0 {
							t.Fatalf("the wait has ended: %v", <-c)
						}
						if s := q.Put(9); s != OK {
							t.Errorf("Put is %v", s)
						}
						op.want = received{9, OK}
					}
					synctest.Wait()
					if len(c) == 0 {
						q.Abort()
						t.Fatalf("the receiver still waits, want %v", op.want)
					}
					lockWant(t, "the receive", <-c, op.want)
					lockHeld(t, op, r)
					if got := sendQueued(q); !slices.Equal(got, op.left) {
						t.Errorf("the queue has %v, want %v", got, op.left)
					}
					sendIdle(t, q)
				})
			})
		}
	}
}

// What happens between two receives is seen by the next one, which would wait by
// the state alone if nothing had happened.
func TestR4WhatComesBeforeAWaitIsSeen(t *testing.T) {
	for _, op := range lockOps {
		t.Run(op.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q, r := lockAtRest(t, Policy{})
				op.do(t, q, r)
				switch op.name { // a message comes after what a receiver is told
				case "a message and a halt":
					op.want, op.left = received{0, Halted}, []int{5}
				}
				c := goRecv(r, nil)
				synctest.Wait()
				if op.on {
					if len(c) > 0 {
						t.Fatalf("the receiver does not wait: %v", <-c)
					}
					q.Put(9)
					op.want = received{9, OK}
					synctest.Wait()
				}
				if len(c) == 0 {
					q.Abort()
					t.Fatalf("the receiver waits, want %v", op.want)
				}
				lockWant(t, "the receive", <-c, op.want)
				lockHeld(t, op, r)
				if got := sendQueued(q); !slices.Equal(got, op.left) {
					t.Errorf("the queue has %v, want %v", got, op.left)
				}
				sendIdle(t, q)
			})
		})
	}
}

// Who has left while others receive is told so, whatever the lock's state says
// about the others.
func TestR1WhoHasLeftDoesNotWait(t *testing.T) {
	for _, way := range []string{"Recv", "Recv with done"} {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q, seats := sendQueue(Policy{}, 1)
				r := seats[0]
				first := goRecv(r, nil)
				synctest.Wait()
				q.Put(1)
				<-first
				q.Join(new(Receiver[int]))
				q.Leave(r)
				lockWant(t, "the state", q.mu.state.Load(), calm)
				var done chan struct{}
				if way != "Recv" {
					done = make(chan struct{})
				}
				c := goRecv(r, done)
				synctest.Wait()
				if len(c) == 0 {
					t.Error("a receiver that has left waits")
					q.Abort()
					return
				}
				lockWant(t, "the receive", <-c, received{0, Closed})
			})
		})
	}
}
