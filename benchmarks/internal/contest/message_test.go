package contest

import (
	"strings"
	"testing"
)

// deliveries are what may come out of a mailbox that two senders have put four
// messages each into, as sender and number.
var deliveries = []struct {
	name   string
	got    [][2]int64
	tally  string // what a tally says about it; empty: all is well
	shares string // what two receivers say that take turns
}{
	{"all", [][2]int64{{0, 0}, {1, 0}, {0, 1}, {1, 1}, {1, 2}, {0, 2}, {0, 3}, {1, 3}}, "", ""},
	{"one sender after the other", [][2]int64{{1, 0}, {1, 1}, {1, 2}, {1, 3}, {0, 0}, {0, 1}, {0, 2}, {0, 3}}, "", ""},
	{"first lost", [][2]int64{{0, 0}, {0, 1}, {1, 1}, {1, 2}, {1, 3}, {0, 2}, {0, 3}}, "message 1 of sender 1 instead of message 0", "instead of"},
	{"last lost", [][2]int64{{0, 0}, {1, 0}, {0, 1}, {1, 1}, {1, 2}, {0, 2}, {0, 3}}, "3 messages of sender 1 instead of 4", "instead of"},
	{"twice in a row", [][2]int64{{0, 0}, {1, 0}, {0, 1}, {0, 1}, {1, 1}, {1, 2}, {0, 2}, {0, 3}, {1, 3}}, "message 1 of sender 0 instead of message 2", "instead of"},
	{"twice, to one receiver", [][2]int64{{0, 0}, {1, 0}, {0, 1}, {1, 1}, {0, 1}, {1, 2}, {0, 2}, {1, 3}, {0, 3}}, "message 1 of sender 0 instead of message 2", "message 1 of sender 0 after number 1"},
	{"swapped", [][2]int64{{1, 0}, {0, 1}, {1, 1}, {1, 2}, {1, 3}, {0, 0}, {0, 2}, {0, 3}}, "message 1 of sender 0 instead of message 0", "message 0 of sender 0 after number 1"},
	{"one lost and another twice", [][2]int64{{0, 0}, {1, 0}, {0, 1}, {1, 1}, {1, 2}, {0, 2}, {0, 3}, {1, 2}}, "message 2 of sender 1 instead of message 3", "instead of"},
	{"of nobody", [][2]int64{{0, 0}, {2, 0}}, "message 0 of sender 2, of 2 senders", ""},
	{"nothing", nil, "0 messages of sender 0 instead of 4", "instead of"},
}

func TestTally(t *testing.T) {
	for _, d := range deliveries {
		t.Run(d.name, func(t *testing.T) {
			r := tally(2)
			for _, m := range d.got {
				r.Take(message(int(m[0]), m[1]))
			}
			wantError(t, r.check(func(int) int64 { return 4 }), d.tally)
		})
	}
}

func TestShares(t *testing.T) {
	for _, d := range deliveries {
		if d.name == "of nobody" {
			continue // a share panics then, which is as good
		}
		t.Run(d.name, func(t *testing.T) {
			shares := []*share{newShare(2), newShare(2)}
			for i, m := range d.got {
				shares[i%2].take(message(int(m[0]), m[1]))
			}
			wantError(t, checkShares(shares, 2, 4), d.shares)
		})
	}
}

func TestTallyKeepsTheFirstError(t *testing.T) {
	r := tally(1)
	for _, seq := range []int64{0, 2, 5, 1} {
		r.Take(message(0, seq))
	}
	wantError(t, r.check(func(int) int64 { return 4 }), "message 2 of sender 0 instead of message 1")
}

func TestMessage(t *testing.T) {
	m := message(999, seqMask)
	if m.sender() != 999 || m.seq() != seqMask {
		t.Errorf("it is %v", m)
	}
	if got := (Msg{m.V | pongBit}).sender(); got == 999 || m.V&pongBit != 0 {
		t.Errorf("the bit of a pong is a part of sender %d", got)
	}
}

// wantError fails the test unless err says want; nothing, if want is empty.
func wantError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("got the error %q, want none", err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("got the error %v, want %q", err, want)
	}
}
