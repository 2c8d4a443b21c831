package mailbox

import "reflect"

// idleBytes is what a queue without messages may keep for the next ones.
const idleBytes = 16 << 10

// ring is a double-ended queue in a slice whose length is a power of two. It
// grows as needed, and forgets every value that leaves it.
type ring[M any] struct {
	slots []M
	head  int // index of the oldest
	n     int
	size  uintptr // of a slot; set with slots
}

func (r *ring[M]) push(m M) {
	r.grow()
	r.slots[(r.head+r.n)&(len(r.slots)-1)] = m
	r.n++
}

// pushFront makes m the oldest.
func (r *ring[M]) pushFront(m M) {
	r.grow()
	r.head = (r.head - 1) & (len(r.slots) - 1)
	r.slots[r.head] = m
	r.n++
}

// pop takes the oldest; there must be one.
func (r *ring[M]) pop() M {
	var zero M
	m := r.slots[r.head]
	r.slots[r.head] = zero
	r.head = (r.head + 1) & (len(r.slots) - 1)
	r.n--
	return m
}

// grow makes room for one more.
func (r *ring[M]) grow() {
	if r.n < len(r.slots) {
		return
	}
	slots := make([]M, max(4, 2*len(r.slots)))
	k := copy(slots, r.slots[r.head:])
	copy(slots[k:], r.slots[:r.head])
	r.slots, r.head, r.size = slots, 0, reflect.TypeFor[M]().Size()
}

// trim gives memory back if the ring is empty and keeps more than an idle queue may.
func (r *ring[M]) trim() {
	if r.n == 0 && len(r.slots) > 4 && uintptr(len(r.slots))*r.size > idleBytes {
		r.slots, r.head = nil, 0
	}
}
