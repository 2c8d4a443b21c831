package actor

import (
	"context"
	"runtime"
	"testing"
	"time"
)

// cleanupTarget spawns an actor, gives its only reference to a goroutine that
// calls use once it may, and returns the actor's core.
//
//go:noinline
func cleanupTarget(use func(*Child[int, None], *Address[int]), may <-chan struct{}, done chan<- struct{}) *channel[int] {
	child, addr := Spawn(context.Background(), Config{Undelivered: func(any) {}}, func(ctx context.Context, in *Inbox[int]) error {
		_, err := in.Recv(ctx)
		return err
	})
	ch := addr.ch
	go func(c *Child[int, None], a *Address[int]) {
		defer close(done)
		<-may
		use(c, a)
	}(child, addr)
	return ch
}

// A method that waits for the actor's lock on the last reference has to keep
// the address alive, or the actor could be closed before the method has done
// what it is for.
func TestH3AMethodUnderWayKeepsItsAddress(t *testing.T) {
	ctx := context.Background()
	calls := map[string]func(*Child[int, None], *Address[int]){
		"Address.Halt":      func(_ *Child[int, None], a *Address[int]) { a.Halt() },
		"Address.Done":      func(_ *Child[int, None], a *Address[int]) { a.Done() },
		"Address.Processes": func(_ *Child[int, None], a *Address[int]) { a.Processes() },
		"Child.Halt":        func(c *Child[int, None], _ *Address[int]) { c.Halt() },
		"Child.Close":       func(c *Child[int, None], _ *Address[int]) { c.Close() },
		"Child.Abort":       func(c *Child[int, None], _ *Address[int]) { c.Abort() },
		"Child.Drop":        func(c *Child[int, None], _ *Address[int]) { c.Drop() },
		"Child.Attach":      func(c *Child[int, None], _ *Address[int]) { c.Attach(time.Hour) },
		"Child.Detach":      func(c *Child[int, None], _ *Address[int]) { c.Detach() },
		"Child.Done":        func(c *Child[int, None], _ *Address[int]) { c.Done() },
		"Child.Processes":   func(c *Child[int, None], _ *Address[int]) { c.Processes() },
		"Child.Stop":        func(c *Child[int, None], _ *Address[int]) { c.Stop(ctx) },
		"Child.Drain":       func(c *Child[int, None], _ *Address[int]) { c.Drain(ctx) },
		"Pool.Halt":         func(c *Child[int, None], _ *Address[int]) { c.Pool().Halt() },
		"Pool.HaltSome":     func(c *Child[int, None], _ *Address[int]) { c.Pool().HaltSome(1) },
		"Pool.Close":        func(c *Child[int, None], _ *Address[int]) { c.Pool().Close() },
		"Pool.Abort":        func(c *Child[int, None], _ *Address[int]) { c.Pool().Abort() },
		"Pool.Drop":         func(c *Child[int, None], _ *Address[int]) { c.Pool().Drop() },
		"Pool.Attach":       func(c *Child[int, None], _ *Address[int]) { c.Pool().Attach(time.Hour) },
		"Pool.Detach":       func(c *Child[int, None], _ *Address[int]) { c.Pool().Detach() },
		"Pool.Done":         func(c *Child[int, None], _ *Address[int]) { c.Pool().Done() },
		"Pool.Processes":    func(c *Child[int, None], _ *Address[int]) { c.Pool().Processes() },
		"Pool.Spawn": func(c *Child[int, None], _ *Address[int]) {
			c.Pool().Spawn(NoValue(func(context.Context, *Inbox[int]) error { return nil }))
		},
		"Pool.Stop":  func(c *Child[int, None], _ *Address[int]) { c.Pool().Stop(ctx) },
		"Pool.Drain": func(c *Child[int, None], _ *Address[int]) { c.Pool().Drain(ctx) },
	}
	for name, call := range calls {
		may, done := make(chan struct{}), make(chan struct{})
		ch := cleanupTarget(call, may, done)
		ch.mu.Lock()
		close(may)
		for range 2 {
			runtime.Gosched()
			runtime.GC()
		}
		kept := ch.hasAddress()
		ch.mu.Unlock()
		<-done
		if !kept {
			t.Errorf("%s: the address was collected while the method was under way", name)
		}
		ch.core.halt()
		<-ch.doneChan()
	}
}

// A cleanup that comes late, when the process has asked for its address again,
// closes nothing.
func TestH3ALateCleanupSeesTheNewerAddress(t *testing.T) {
	child, addr := Spawn(context.Background(), Config{}, func(ctx context.Context, in *Inbox[int]) error {
		_, err := in.Recv(ctx)
		return err
	})
	unreachable(addr.actor().beacon) // as if it were of an address before this one
	if addr.Closed() {
		t.Error("closed although an address is in use")
	}
	child.Halt()
	<-child.Done()
}

// The actor is the owner's of its address: two requests give the same pointer
// while one is in use, and a new one may follow when it is not.
func TestH3OneAddressAtATime(t *testing.T) {
	_, addr := Spawn(context.Background(), Config{}, func(ctx context.Context, in *Inbox[int]) error {
		_, err := in.Recv(ctx)
		return err
	})
	ch := addr.ch
	if ch.addr() != addr {
		t.Error("a second address beside one that is in use")
	}
	done := addr.Done()
	for end := time.Now().Add(20 * time.Second); ; runtime.GC() {
		select {
		case <-done:
			return
		default:
		}
		if time.Now().After(end) {
			t.Fatal("not closed after its address was collected")
		}
	}
}
