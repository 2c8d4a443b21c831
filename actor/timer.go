package actor

import (
	"context"
	"fmt"
	"time"

	"tinyactor/internal/sched"
)

// SendAfter sends msg with Send, on a goroutine of its own, when d has passed;
// at once if d is not positive. stop cancels it, also while the Send waits, and
// reports whether it prevented a send that would have come. The timer ends with
// the actor, and keeps the address in use until then.
func (a *Address[M]) SendAfter(d time.Duration, msg M) (stop func() bool) {
	return a.schedule(d, 0, msg)
}

// SendEvery sends msg with Send each time d has passed, from now on and on a
// goroutine of its own. A Send that waits makes it skip ticks: there are never
// two waiting. stop cancels it, also while a Send waits, and reports whether it
// prevented a send that would have come. The timer ends with the actor, and
// keeps the address in use until then. SendEvery panics if d is not positive.
func (a *Address[M]) SendEvery(d time.Duration, msg M) (stop func() bool) {
	if d <= 0 {
		panic(fmt.Sprintf("actor: SendEvery: d is %v, must be positive", d))
	}
	return a.schedule(d, d, msg)
}

func (a *Address[M]) schedule(d, period time.Duration, msg M) (stop func() bool) {
	s := &delivery[M]{to: a, repeats: period > 0}
	due := sched.Now().Add(d)
	started := make(chan struct{})
	var t *sched.Timer
	t = sched.AfterFunc(d, func() {
		sched.Recv(started)
		if s.deliver(func() M { return msg }) {
			// The next tick that is still to come: those missed are dropped.
			late := max(0, sched.Since(due))
			due = due.Add(period * (1 + late/period))
			s.unlessOver(func() { t.Reset(due.Sub(sched.Now())) })
		}
	})
	close(started)
	s.whenOver(func() { t.Stop() })
	s.endsWith(a.actor())
	return s.stop
}

// Watch sends this actor one message, made by msg, when another actor has
// ended: with Send, on a goroutine of its own, at once if it already has. exit
// is the error of its process; for a pool, all errors joined. stop ends the
// watch, also while the Send waits, and reports whether it prevented a send that
// would have come. The watch ends with this actor. It keeps this address in use,
// not the other. Watch panics if of or msg is nil; if msg panics, that is
// recorded as a panic of this actor, and nothing is sent.
func (a *Address[M]) Watch(of Ref, msg func(exit error) M) (stop func() bool) {
	switch {
	case of == nil:
		panic("actor: Watch: of is nil")
	case msg == nil:
		panic("actor: Watch: msg is nil")
	}
	s := &delivery[M]{to: a}
	s.endsWith(a.actor())
	watched := coreOf(of)
	forget := watched.atEnd(func() {
		_, exit := watched.ended()
		sched.Go(func() { s.deliver(func() M { return msg(exit) }) })
	})
	s.whenOver(func() { forget() })
	return s.stop
}

// coreOf returns the actor behind a Ref. Other packages have types that are one
// because they embed one, and zero values of those.
func coreOf(of Ref) *core {
	defer func() {
		if recover() != nil {
			panic("actor: Watch: of is a zero value")
		}
	}()
	return of.actor()
}

// delivery is a send that comes later, once or again and again, and can be
// stopped until it is accepted.
type delivery[M any] struct {
	repeats bool

	mu       sched.Mutex
	to       *Address[M]        // nil when over: no further send comes
	quit     []func()           // to call when over
	cancel   context.CancelFunc // ends the send under way; nil if there is none
	sent     chan struct{}      // closed when that has ended
	accepted bool               // what became of the latest
}

// deliver makes a message and sends it, unless the delivery is over, and
// reports whether another send is to come.
func (d *delivery[M]) deliver(msg func() M) bool {
	m, ok := d.make(msg)
	d.mu.Lock()
	to := d.to
	if to == nil || !ok {
		d.mu.Unlock()
		return false
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	d.cancel, d.sent = cancel, make(chan struct{})
	d.mu.Unlock()

	err := to.Send(ctx, m)

	d.mu.Lock()
	d.cancel, d.accepted = nil, err == nil
	close(d.sent)
	more := d.repeats && d.accepted && d.to != nil
	d.mu.Unlock()
	if !more {
		d.end()
	}
	return more
}

// make calls the user's function for a message. If that panics or calls Goexit,
// the delivery is over.
func (d *delivery[M]) make(msg func() M) (m M, ok bool) {
	d.mu.Lock()
	to := d.to
	d.mu.Unlock()
	if to == nil {
		return m, false
	}
	defer func() {
		if !ok {
			d.end()
		}
	}()
	defer to.actor().recordRecovered("Watch")
	m = msg()
	return m, true
}

// end makes the delivery over, and does nothing if it is.
func (d *delivery[M]) end() { d.endWith(func() {}) }

// endWith is end that calls look, with the lock held, before it forgets
// anything. It reports whether the delivery was not over.
func (d *delivery[M]) endWith(look func()) bool {
	d.mu.Lock()
	if d.to == nil {
		d.mu.Unlock()
		return false
	}
	look()
	quit := d.quit
	d.to, d.quit = nil, nil
	d.mu.Unlock()
	for _, f := range quit {
		f()
	}
	return true
}

// stop ends the delivery and reports whether it prevented a send.
func (d *delivery[M]) stop() bool {
	var to *Address[M]
	var cancel context.CancelFunc
	var sent chan struct{}
	if !d.endWith(func() { to, cancel, sent = d.to, d.cancel, d.sent }) {
		return false
	}
	would := !to.Closed() // else it would have been refused
	if cancel != nil {
		cancel()
		sched.Recv(sent)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return would && (d.repeats || !d.accepted)
}

// whenOver has f called when the delivery is over, at once if it is.
func (d *delivery[M]) whenOver(f func()) {
	d.mu.Lock()
	over := d.to == nil
	if !over {
		d.quit = append(d.quit, f)
	}
	d.mu.Unlock()
	if over {
		f()
	}
}

// unlessOver calls f if the delivery is not over; then f comes before any
// function that whenOver was given.
func (d *delivery[M]) unlessOver(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.to != nil {
		f()
	}
}

// endsWith makes the delivery end with an actor.
func (d *delivery[M]) endsWith(c *core) {
	forget := c.atEnd(func() { d.end() })
	d.whenOver(func() { forget() })
}
