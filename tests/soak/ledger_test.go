package soak

import "testing"

// Each way in which an account can be uneven is found.
func TestLedger(t *testing.T) {
	for _, test := range []struct {
		name                     string
		do                       func(*ledger, id)
		lost, unsent, duplicated int64
	}{
		{"received", func(l *ledger, m id) { l.settle(m, received); l.accept(m) }, 0, 0, 0},
		{"refused", func(*ledger, id) {}, 0, 0, 0},
		{"lost", func(l *ledger, m id) { l.accept(m) }, 1, 0, 0},
		{"received twice", func(l *ledger, m id) { l.accept(m); l.settle(m, received); l.settle(m, received) }, 0, 0, 1},
		{"received and handed back", func(l *ledger, m id) { l.accept(m); l.settle(m, received); l.settle(m, handedBack) }, 0, 0, 1},
		{"refused and received", func(l *ledger, m id) { l.settle(m, received) }, 0, 1, 0},
		{"received again in a later epoch", func(l *ledger, m id) {
			l.accept(m)
			l.settle(m, received)
			l.turn()
			l.settle(m, received)
		}, 0, 0, 1},
		{"lost in an earlier epoch", func(l *ledger, m id) { l.accept(m); l.turn(); l.turn() }, 1, 0, 0},
		{"a tick", func(l *ledger, m id) { l.settle(0, received); l.settle(0, received) }, 0, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLedger()
			for range 100 { // others, that are in order
				m, _ := l.issue()
				l.accept(m)
				l.settle(m, crashed)
			}
			m, _ := l.issue()
			test.do(l, m)
			l.turn()
			if l.lost != test.lost || l.unsent != test.unsent || l.duplicated.Load() != test.duplicated {
				t.Errorf("lost %d, refused and received %d, duplicated %d", l.lost, l.unsent, l.duplicated.Load())
			}
		})
	}
}

// An epoch has no more ids than it has bits.
func TestLedgerIsBounded(t *testing.T) {
	l := newLedger()
	l.next.Store(perEpoch - 2)
	if m, ok := l.issue(); !ok || l.accepted.has(m.number()) {
		t.Error("the last id is not there")
	}
	if _, ok := l.issue(); ok || !l.full() {
		t.Error("there is an id too many")
	}
	l.turn()
	if m, ok := l.issue(); !ok || m.epoch() != 2 || m.number() != 1 {
		t.Errorf("the next epoch begins with %x", uint64(m))
	}
}
