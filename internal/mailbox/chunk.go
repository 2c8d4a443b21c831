package mailbox

// idleBytes is what a queue without messages may keep for the next ones, unless
// it is four slots.
const idleBytes = 16 << 10

// The slots of a chunk: the first one of a queue has few, each further one twice
// as many, until four of them reach idleBytes. An idle queue keeps at most that:
// the one to put messages in, the one its receiver has, and two spares.
const (
	leastSlots = 8
	mostSlots  = 256
	keptChunks = 2 // at least
)

// chunk is a run of messages, slots[head:tail], in the order of sending.
type chunk[M any] struct {
	next    *chunk[M]
	head    int
	tail    int
	slots   []M
	tickets []any // beside slots; nil: no message here can have one
	// lent says that a receiver may still be reading the slot that it claimed
	// last, below head: slots that were used are never used again.
	lent bool
}

// firstChunk is a chunk of the least size in one allocation.
type firstChunk[M any] struct {
	chunk[M]
	array [leastSlots]M
}

// newChunk returns an empty chunk of n slots.
func newChunk[M any](n int, tickets bool) *chunk[M] {
	var c *chunk[M]
	if n == leastSlots {
		f := new(firstChunk[M])
		c = &f.chunk
		c.slots = f.array[:]
	} else {
		c = &chunk[M]{slots: make([]M, n)}
	}
	if tickets {
		c.tickets = make([]any, n)
	}
	return c
}

// chunkOf returns a chunk that holds ms and their tickets.
func chunkOf[M any](ms []M, tickets []any) *chunk[M] {
	return &chunk[M]{tail: len(ms), slots: ms, tickets: tickets, lent: true}
}

func (c *chunk[M]) empty() bool { return c.head == c.tail }

// put appends a message; there must be a slot, and one for the ticket.
func (c *chunk[M]) put(m M, ticket any) {
	c.slots[c.tail] = m
	if ticket != nil {
		c.tickets[c.tail] = ticket
	}
	c.tail++
}

// take empties slot i.
func (c *chunk[M]) take(i int) (m M, ticket any) {
	var zero M
	m, c.slots[i] = c.slots[i], zero
	if c.tickets != nil {
		ticket, c.tickets[i] = c.tickets[i], nil
	}
	return m, ticket
}

// room returns how many messages can be put in; none that have tickets if there
// is no place for those.
func (c *chunk[M]) room(ticket bool) int {
	if c == nil || ticket && c.tickets == nil {
		return 0
	}
	return len(c.slots) - c.tail
}

// size returns the slots of the next chunk after one of n, for slots of the given
// bytes.
func size(n, bytes int) int {
	most := mostSlots
	if bytes > 0 {
		most = max(1, min(mostSlots, idleBytes/4/bytes))
	}
	return min(most, max(leastSlots, 2*n))
}
