package actortest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"tinyactor/actor"
)

// Probe spawns an actor that records the messages it gets, and returns the
// record. Its inbox is unbounded: no sender waits. It answers nothing by itself,
// but the test may: the asker waits until the message's Reply is answered, or
// the probe stopped. A cleanup of t stops it. Probe does not wait.
func Probe[M any](t testing.TB) *Recorder[M] {
	r := &Recorder[M]{t: t, catchUp: make(chan chan struct{})}
	cfg := actor.Config{
		Name:     "probe of " + t.Name(),
		Capacity: actor.Unbounded(),
		Detached: true,
		Undelivered: func(msg any) {
			m, _ := msg.(M) // a nil of an interface type is no M
			r.add(m)
		},
	}
	child, addr := actor.Spawn(context.WithoutCancel(t.Context()), cfg, r.run)
	r.address = addr
	t.Cleanup(func() {
		_, _ = child.Stop(context.Background()) // it stops at once
	})
	return r
}

// Recorder is what a probe has got. Its methods may be called as soon as it is
// made, and after the probe was stopped too. Those that may fail the test must
// be called on the goroutine that runs it.
type Recorder[M any] struct {
	t       testing.TB
	address *actor.Address[M]
	catchUp chan chan struct{} // asks the probe to receive all there is, then to close the channel
	next    int                // what Next returns

	mu   sync.Mutex
	got  []M
	news chan struct{} // made on demand, closed with the next message
}

// run is the body of the probe.
func (r *Recorder[M]) run(_ context.Context, in *actor.Inbox[M]) error {
	ready := in.Ready()
	for {
		var caughtUp chan struct{}
		select {
		case <-ready:
		case caughtUp = <-r.catchUp:
		}
		for {
			m, err := in.TryRecv()
			if err == actor.ErrEmpty {
				break
			}
			if err != nil {
				return err // halted: Undelivered records the rest
			}
			r.add(m)
		}
		if caughtUp != nil {
			close(caughtUp)
		}
	}
}

// add records a message.
func (r *Recorder[M]) add(m M) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, m)
	if r.news != nil {
		close(r.news)
		r.news = nil
	}
}

// look returns what was recorded so far, and a channel that is closed when there
// is more.
func (r *Recorder[M]) look() (got []M, more <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.news == nil {
		r.news = make(chan struct{})
	}
	return slices.Clone(r.got), r.news
}

// Address returns where to send to.
func (r *Recorder[M]) Address() *actor.Address[M] { return r.address }

// Got returns all messages so far, the oldest first. All that were sent when Got
// is called are there: those whose Send has returned. It waits for nothing but
// that.
func (r *Recorder[M]) Got() []M {
	caughtUp := make(chan struct{})
	select {
	case r.catchUp <- caughtUp:
		select {
		case <-caughtUp:
		case <-r.address.Done():
		}
	case <-r.address.Done():
	}
	got, _ := r.look()
	return got
}

// Wait waits until the condition is true of all messages so far, the oldest
// first, and returns them. It calls the condition at once and after each new
// message. If it is not true within ten seconds, or when the probe has ended, the
// test fails with the messages that came.
func (r *Recorder[M]) Wait(until func(got []M) bool) []M {
	r.t.Helper()
	got, why := r.wait(until)
	if why != "" {
		r.t.Fatalf("actortest: Wait: %s, and what it waits for is not so; messages: %s", why, list(got))
	}
	return got
}

// Next waits for the message after the one that Next has returned before, the
// first one at the first call. If there is none within ten seconds, or when the
// probe has ended, the test fails.
func (r *Recorder[M]) Next() M {
	r.t.Helper()
	got, why := r.wait(func(got []M) bool { return len(got) > r.next })
	if why != "" {
		r.t.Fatalf("actortest: Next: %s, and there is no further message; messages: %s", why, list(got))
	}
	m := got[r.next]
	r.next++
	return m
}

// wait waits for a condition. If it does not become true, why says why nobody
// waits any longer.
func (r *Recorder[M]) wait(until func([]M) bool) (got []M, why string) {
	over := time.NewTimer(patience)
	defer over.Stop()
	done := r.address.Done()
	for {
		got, more := r.look()
		switch {
		case until(slices.Clone(got)): // it may sort them
			return got, ""
		case why != "":
			return got, why
		}
		select {
		case <-more:
		case <-done:
			why = "the probe has ended" // nothing comes after this, but look again
		case <-over.C:
			why = fmt.Sprintf("%v have passed", patience)
		}
	}
}

// list prints messages, but not thousands of them.
func list[M any](got []M) string {
	const most = 100
	if n := len(got); n > most {
		return fmt.Sprintf("%+v, which are the last of %d", got[n-most:], n)
	}
	return fmt.Sprintf("%+v", got)
}
