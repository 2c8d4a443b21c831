package linear

import (
	"testing"

	"tinyactor/internal/mailbox"
)

// logged returns a history of the given operations, with the clock after the last.
func logged(clients int, ops ...Op) *history {
	h := &history{plan: &plan{clients: make([][]step, clients)}}
	for _, op := range ops {
		h.note(op)
		h.clock.Store(max(h.clock.Load(), op.Return))
	}
	return h
}

// Three operations are open at one time only if each two of them overlap, and
// the parts of a call are one.
func TestOverlap(t *testing.T) {
	for _, c := range []struct {
		what string
		ops  []Op
		want int
	}{
		{"one after the other", []Op{{Call: 1, Return: 2}, {Client: 1, Call: 3, Return: 4}}, 1},
		{"a chain", []Op{{Call: 1, Return: 3}, {Client: 1, Call: 2, Return: 5}, {Client: 2, Call: 4, Return: 6}}, 2},
		{"three", []Op{{Call: 1, Return: 4}, {Client: 1, Call: 2, Return: 5}, {Client: 2, Call: 3, Return: 6}}, 3},
		{"three parts", []Op{{Part: 1, Call: 1, Return: 3}, {Part: 2, Call: 1, Return: 3}, {Client: 1, Call: 2, Return: 4}}, 2},
	} {
		if got := logged(3, c.ops...).overlap(); got != c.want {
			t.Errorf("%s: %d, want %d", c.what, got, c.want)
		}
	}
}

// A send knows the messages that left the queue later than its own, and no others.
func TestOrder(t *testing.T) {
	h := logged(3,
		Op{Kind: Put, Client: 0, Msg: 1},
		Op{Kind: Put, Client: 0, Msg: 2},
		Op{Kind: Put, Client: 0, Msg: 3 | ticketed},
		Op{Kind: Put, Client: 0, Msg: 4},
		Op{Kind: Recv, Client: 1, Msg: 2, Call: 1, Return: 3},
		Op{Kind: Recv, Client: 2, Msg: 1, Call: 2, Return: 4},
		Op{Kind: RecvBatch, Client: 1, Part: 1, Msg: 3 | ticketed, Call: 5, Return: 6},
		Op{Kind: RecvBatch, Client: 1, Part: 2, Msg: 4, Call: 5, Return: 6},
		Op{Kind: Recv, Client: 2, Status: mailbox.Closed, Call: 7, Return: 8},
	)
	h.order()
	for i, want := range []set{0b11000, 0b11000, 0b10000, 0} {
		if op := &h.logs[0][i]; op.later != want {
			t.Errorf("after %v: %b, want %b", op, op.later, want)
		}
	}
}

// The seed and the number that a violation names give the same programs again.
func TestPlan(t *testing.T) {
	program := func(seed, number uint64) string { return (&history{plan: newPlan(seed, number)}).program() }
	for number := range uint64(100) {
		if a, b := program(1, number), program(1, number); a != b {
			t.Fatalf("number %d is once\n%vand once\n%v", number, a, b)
		}
		if a := program(1, number); a == program(2, number) || a == program(1, number+1) {
			t.Fatalf("number %d is like another:\n%v", number, a)
		}
	}
}
