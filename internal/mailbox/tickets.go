package mailbox

// A ticket is an opaque value that a sender puts beside its message, for the
// receiver of that message alone. Few messages have one, so the queue keeps
// them apart, by the number of their message, and the others pay nothing.

// stub is one ticket and the number of the message it belongs to.
type stub struct {
	seq    uint64
	ticket any
}

// Held is the ticket of one received message.
type Held struct {
	At     int // index of the message in what was received
	Ticket any
}

// tickets keeps stubs in the order of their messages.
type tickets struct {
	ring[stub]
}

// add puts the ticket of the newest message in.
func (t *tickets) add(seq uint64, ticket any) {
	if ticket != nil {
		t.push(stub{seq, ticket})
	}
}

// of takes the ticket of the oldest message out, nil if it has none.
func (t *tickets) of(seq uint64) any {
	if t.n == 0 || t.slots[t.head].seq != seq {
		return nil
	}
	return t.pop().ticket
}

// all returns the tickets that are in, without taking them out.
func (t *tickets) all() []any {
	all := make([]any, 0, t.n)
	for i := range t.n {
		all = append(all, t.slots[(t.head+i)&(len(t.slots)-1)].ticket)
	}
	return all
}
