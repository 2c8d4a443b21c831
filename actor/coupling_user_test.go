package actor_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"tinyactor/actor"
)

// rxProbe finds out whether a user's function runs under one of the library's
// locks: it takes them all, on another goroutine, and waits for that.
type rxProbe struct {
	t *testing.T

	mu     sync.Mutex
	locks  []func() // each takes some locks
	called map[string]bool
}

func newRxProbe(t *testing.T) *rxProbe { return &rxProbe{t: t, called: make(map[string]bool)} }

// covers adds the locks of an actor.
func (p *rxProbe) covers(addr *actor.Address[int]) {
	p.also(func() { addr.Len(); addr.Processes(); addr.Done() })
}

func (p *rxProbe) also(lock func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.locks = append(p.locks, lock)
}

// check is called by the user's function that where names. It does not wait for
// ever, so that whoever holds a lock lets go of it and the test fails by itself.
func (p *rxProbe) check(where string, more ...func()) {
	p.mu.Lock()
	locks := slices.Concat(p.locks, more)
	p.called[where] = true
	p.mu.Unlock()
	free := make(chan struct{})
	go func() {
		for _, lock := range locks {
			lock()
		}
		close(free)
	}()
	select {
	case <-free:
	case <-time.After(5 * time.Second):
		p.t.Errorf("%s is called under a lock", where)
	}
}

// wants checks that the functions were called at all.
func (p *rxProbe) wants(wheres ...string) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, where := range wheres {
		if !p.called[where] {
			p.t.Errorf("%s was not called", where)
		}
	}
}

// rxProbeContext is a user's context.
type rxProbeContext struct {
	context.Context
	p *rxProbe
}

func (c rxProbeContext) Deadline() (time.Time, bool) {
	c.p.check("Context.Deadline")
	return c.Context.Deadline()
}
func (c rxProbeContext) Done() <-chan struct{} { c.p.check("Context.Done"); return c.Context.Done() }
func (c rxProbeContext) Err() error            { c.p.check("Context.Err"); return c.Context.Err() }
func (c rxProbeContext) Value(key any) any     { c.p.check("Context.Value"); return c.Context.Value(key) }

// rxProbeError is a user's error, and the value of a user's panic.
type rxProbeError struct{ p *rxProbe }

func (e *rxProbeError) Error() string { e.p.check("error.Error"); return "broken" }
func (e *rxProbeError) Is(error) bool { e.p.check("error.Is"); return false }
func (e *rxProbeError) Unwrap() error { e.p.check("error.Unwrap"); return nil }

// rxProbeObserver checks itself at every event.
type rxProbeObserver struct {
	p    *rxProbe
	once sync.Once
	tell func() // makes the actor tell something
	end  chan struct{}
}

func (o *rxProbeObserver) LogsPanics() bool { o.p.check("Observer.LogsPanics"); return false }
func (o *rxProbeObserver) Observe(e actor.Event) {
	o.p.check("Observer.Observe")
	o.once.Do(func() { o.p.check("Observer.Observe that makes another event", o.tell) })
	if e.Kind == actor.EventEnded {
		close(o.end)
	}
}

// rxProbeHandler is a log handler.
type rxProbeHandler struct {
	slog.Handler
	p *rxProbe
}

func (h rxProbeHandler) Handle(context.Context, slog.Record) error {
	h.p.check("slog.Handler.Handle")
	return nil
}

func TestE2HandlersRunWithoutLocks(t *testing.T) {
	p := newRxProbe(t)
	ctx := rxProbeContext{context.Background(), p}
	steps := make(chan func(context.Context, *actor.Inbox[int]))
	_, addr := actor.Spawn(context.Background(), actor.Config{
		Capacity:    actor.Bounded(1),
		Undelivered: func(any) { p.check("Undelivered") },
	}, func(ctx context.Context, in *actor.Inbox[int]) error {
		p.also(func() { _ = ctx.Err() })
		for step := range steps {
			step(ctx, in)
		}
		return nil
	})
	p.covers(addr)
	send := func() {
		t.Helper()
		if err := addr.Send(ctx, 1); err != nil {
			t.Error(err)
		}
	}

	steps <- func(_ context.Context, in *actor.Inbox[int]) {
		for range in.Messages(ctx) {
			p.check("the body of a Messages loop")
			break
		}
		_ = in.Serve(ctx, func(context.Context, int) error { p.check("the handler of Serve"); return actor.ErrHalted })
	}
	send()
	send()

	watched, made := make(chan struct{}), make(chan struct{})
	other, _ := actor.Spawn(context.Background(), actor.Config{}, until[string](watched))
	var stop func() bool
	stop = addr.Watch(other, func(error) int {
		defer close(made)
		p.also(func() { stop() }) // so that nothing is sent
		p.check("the function of Watch")
		return 1
	})
	close(watched)
	<-made

	send() // waits until the loops have taken the first two, and fills the inbox
	short, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if err := addr.Send(rxProbeContext{short, p}, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Send to a full inbox: %v, want DeadlineExceeded", err)
	}
	steps <- func(ctx context.Context, in *actor.Inbox[int]) { _, _ = in.Recv(ctx); _, _ = in.Recv(ctx) }
	mapped := actor.Map(addr, func(int) int { p.check("the function of Map"); return 1 })
	asked := make(chan error)
	go func() {
		_, err := actor.Ask(ctx, mapped, func(actor.Reply[int]) int { p.check("the function of Ask"); return 1 })
		asked <- err
	}()
	steps <- func(context.Context, *actor.Inbox[int]) {} // the question has been received
	send()                                               // is left
	close(steps)
	if err := <-asked; !errors.Is(err, actor.ErrNoReply) {
		t.Errorf("Ask: %v, want ErrNoReply", err)
	}
	_ = addr.Wait(ctx)
	p.wants("Undelivered", "the body of a Messages loop", "the handler of Serve", "the function of Map",
		"the function of Ask", "the function of Watch", "Context.Done", "Context.Err", "Context.Value")
}

// What the library does with an owner's context and with the errors and panics
// of a body may call methods of the user's.
func TestE2ContextsAndErrorsAreAskedWithoutLocks(t *testing.T) {
	for _, torn := range []bool{false, true} {
		for _, panics := range []bool{false, true} {
			t.Run(fmt.Sprintf("aborted %v, panics %v", torn, panics), func(t *testing.T) {
				p := newRxProbe(t)
				setLogHandler(t, rxProbeHandler{slog.Default().Handler(), p})
				base, cancel := context.WithCancelCause(context.Background())
				o := &rxProbeObserver{p: p, end: make(chan struct{})}
				var parent *actor.Child[int, actor.None]
				var root *actor.Address[int]
				spawned := make(chan struct{})
				o.tell = func() {
					<-spawned
					parent.Close()
				}
				parent, root = actor.Spawn(actor.WithObserver(rxProbeContext{base, p}, o), actor.Config{},
					func(ctx context.Context, in *actor.Inbox[int]) error {
						child, addr := actor.Spawn(rxProbeContext{ctx, p}, actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
							p.also(func() { _ = ctx.Err() })
							<-in.Halting()
							if panics {
								panic(&rxProbeError{p})
							}
							return &rxProbeError{p}
						})
						p.covers(addr)
						child.Attach(time.Hour)
						child.Detach()
						child.Attach(time.Hour)
						<-in.Halting()
						return nil
					})
				close(spawned)
				p.covers(root)
				if torn {
					parent.Abort()
				} else {
					cancel(&rxProbeError{p})
				}
				_, _ = parent.Wait(context.Background())
				<-o.end
				p.wants("Context.Done", "Context.Err", "Context.Value",
					"Observer.LogsPanics", "Observer.Observe", "Observer.Observe that makes another event")
				if panics {
					p.wants("slog.Handler.Handle", "error.Error")
				}
				cancel(nil)
			})
		}
	}
}
