package soak

import (
	"math/bits"
	"sync/atomic"
)

// An id names one message: the epoch that it belongs to, and its number there.
// The zero id is that of ticks, which are all the same message.
type id uint64

func (m id) epoch() uint64  { return uint64(m) >> 32 }
func (m id) number() uint64 { return uint64(m) & (1<<32 - 1) }

// A fate is what became of an accepted message.
type fate int

// The fates.
const (
	received   fate = iota // by a process that went on with it
	handedBack             // to Undelivered
	crashed                // in hand: to OnCrash
	fates      int  = iota
)

// perEpoch is how many messages an epoch may have: what bounds the memory.
const perEpoch = 1 << 24

// ledger keeps the account of every message of one epoch: a bit when it is
// accepted, a bit when its fate is known. An epoch may be closed when all that
// was accepted has its fate; the next one takes its place.
type ledger struct {
	epoch    atomic.Uint64
	next     atomic.Uint64
	accepted bitmap
	settled  bitmap

	// Of all epochs.
	messages   atomic.Int64
	became     [fates]atomic.Int64
	ticks      atomic.Int64
	duplicated atomic.Int64
	lost       int64 // accepted, and no fate
	unsent     int64 // a fate, and never accepted
}

func newLedger() *ledger {
	l := &ledger{accepted: make(bitmap, perEpoch/64), settled: make(bitmap, perEpoch/64)}
	l.epoch.Store(1)
	return l
}

// issue returns a new id, or false if the epoch has no more.
func (l *ledger) issue() (id, bool) {
	n := l.next.Add(1)
	return id(l.epoch.Load()<<32 | n), n < perEpoch
}

// full reports whether there are no more ids.
func (l *ledger) full() bool { return l.next.Load() >= perEpoch-1 }

// accept notes that a send of the message returned nil.
func (l *ledger) accept(m id) {
	if !l.accepted.set(m.number()) {
		l.duplicated.Add(1) // the harness's fault
	}
	l.messages.Add(1)
}

// settle notes what became of a message.
func (l *ledger) settle(m id, f fate) {
	switch {
	case m == 0:
		l.ticks.Add(1)
		return
	case m.epoch() != l.epoch.Load(): // whose messages all had their fate
		l.duplicated.Add(1)
	case !l.settled.set(m.number()):
		l.duplicated.Add(1)
	}
	l.became[f].Add(1)
}

// hasFate reports whether it is known what became of a message.
func (l *ledger) hasFate(m id) bool { return l.settled.has(m.number()) }

// open is how many messages were accepted and have no fate, and how many have
// one and were not accepted. Senders and receivers must be at rest for that.
func (l *ledger) open() (lost, unsent int64) {
	for i := range l.accepted[:min(l.next.Load(), perEpoch-1)/64+1] {
		a, s := l.accepted[i].Load(), l.settled[i].Load()
		lost += int64(bits.OnesCount64(a &^ s))
		unsent += int64(bits.OnesCount64(s &^ a))
	}
	return lost, unsent
}

// turn closes the epoch and opens the next one.
func (l *ledger) turn() {
	lost, unsent := l.open()
	l.lost += lost
	l.unsent += unsent
	l.accepted.clear()
	l.settled.clear()
	l.epoch.Add(1)
	l.next.Store(0)
}

// bitmap is a set of numbers.
type bitmap []atomic.Uint64

// set adds a number and reports whether it was not there.
func (b bitmap) set(n uint64) bool { return b[n/64].Or(1<<(n%64))&(1<<(n%64)) == 0 }

func (b bitmap) has(n uint64) bool { return b[n/64].Load()&(1<<(n%64)) != 0 }

func (b bitmap) clear() {
	for i := range b {
		b[i].Store(0)
	}
}
