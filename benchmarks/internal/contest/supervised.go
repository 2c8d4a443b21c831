package contest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// A Supervising contestant has supervisors: in its workloads, children are
// started again that fail.
type Supervising interface {
	Contestant
	// Supervise starts a supervisor that has no children yet. It starts a child
	// that panics again, at once, however often.
	Supervise() Supervisor
}

// A Supervisor keeps children.
type Supervisor interface {
	// Add starts a child that gives the receiver each message. What is sent while
	// it is down waits.
	Add(r *Receiver) Child
	// Stop stops all children, and returns when they have ended. Nothing is on
	// its way to them when it is called.
	Stop()
}

// A Child is a supervised actor.
type Child interface{ Send(m Msg) }

var errNotSupervising = errors.New("the contestant has no supervisors")

// crash is the message that a child panics on. It is of no sender.
var crash = Msg{-1}

// restart sends a child a message that it panics on, and one more, and waits
// until that has been received: by the process that was started in the place of
// the one that has panicked.
func restart(r *Run) error {
	c, ok := r.Contestant.(Supervising)
	if !ok {
		return errNotSupervising
	}
	s := c.Supervise()
	defer s.Stop()
	came, panics := make(chan Msg, 4), 0
	child := s.Add(handler(func(m Msg) {
		if m == crash {
			panics++
			panic("a crash that was ordered")
		}
		came <- m
	}))
	timeout := time.NewTimer(r.Patience)
	defer timeout.Stop()
	r.Start()
	for i := range int64(r.N) {
		child.Send(crash)
		child.Send(Msg{i})
		select {
		case m := <-came:
			if m.V != i {
				return fmt.Errorf("%d instead of %d", m.V, i)
			}
		case <-timeout.C:
			return errHung
		}
	}
	r.End()
	if panics != r.N || len(came) > 0 {
		return fmt.Errorf("%d panics instead of %d, and %d messages too many", panics, r.N, len(came))
	}
	return nil
}

// children starts N children of one supervisor, sends each a message, and stops
// them with their supervisor.
func children(r *Run) error {
	c, ok := r.Contestant.(Supervising)
	if !ok {
		return errNotSupervising
	}
	s := c.Supervise()
	got := make([]int64, r.N) // by child, only written by it
	all := make([]Child, r.N)
	var count atomic.Int64
	done := make(chan struct{})
	r.Start()
	for i := range all {
		all[i] = s.Add(handler(func(m Msg) {
			got[i] += m.V
			if count.Add(1) == int64(r.N) {
				close(done)
			}
		}))
	}
	for i, child := range all {
		child.Send(Msg{int64(i) + 1})
	}
	err := r.wait(done)
	s.Stop()
	r.End()
	if err != nil {
		return err
	}
	for i, v := range got {
		if v != int64(i)+1 {
			return fmt.Errorf("child %d got %d instead of %d", i, v, i+1)
		}
	}
	return nil
}
