package actor

import (
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"tinyactor/internal/sched"
)

// reach is how an actor finds its address without keeping it alive, so that the
// garbage collector can tell when nobody can reach the actor any more.
type reach[M any] struct {
	capacity capacityKind
	address  sched.Weak[Address[M]] // guarded by core.mu
}

// beacon is how the cleanup of an address finds the actor. An actor that has
// ended takes it in: it can then be collected together with an address that it
// knows itself, by its owner's context or by what it returned. One that still
// runs is kept by its goroutines.
type beacon struct{ core sched.Pointer[core] }

// addr returns the actor's address: the one that is in use, or a new one if
// the last has been collected.
func (ch *channel[M]) addr() *Address[M] {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if a := ch.address.Value(); a != nil {
		return a
	}
	a := &Address[M]{ch: ch}
	ch.address = sched.MakeWeak(a)
	if !ch.bubbled && !ch.finished && ch.held == nil { // a held channel is closed by who holds it
		if ch.beacon == nil {
			ch.beacon = new(beacon)
			ch.beacon.core.Store(&ch.core)
		}
		sched.AddCleanup(a, unreachable, ch.beacon)
	}
	return a
}

// hasAddress reports whether an address is in use. core.mu is held.
func (ch *channel[M]) hasAddress() bool { return ch.address.Value() != nil }

// messageType names M, for logs.
func (ch *channel[M]) messageType() string { return reflect.TypeFor[M]().String() }

// capacityText names the capacity, for who looks.
func (ch *channel[M]) capacityText() string { return Capacity{ch.capacity, ch.Policy()}.String() }

// unreachable closes the actor after an address was collected, unless a newer
// one is in use.
func unreachable(b *beacon) {
	c := b.core.Load()
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.queue.hasAddress() {
		c.closeLocked()
	}
}

// inBubble reports whether the caller runs in a testing/synctest bubble. A
// cleanup runs outside of it, and whoever touches a bubble's channel from
// outside ends the program.
func inBubble() bool {
	if !testing.Testing() {
		return false
	}
	if now := time.Now(); now != now.Round(0) {
		return false // a bubble's clock has no monotonic part
	}
	var line [128]byte
	first, _, _ := strings.Cut(string(line[:runtime.Stack(line[:], false)]), "\n")
	return strings.Contains(first, "synctest bubble")
}
