package mailbox

// line is a first-come, first-served line of waiters that each may leave from
// where it stands. The links live in the waiters, so that waiting costs no
// allocation.
type line[T any] struct {
	first, last *place[T]
}

// place is one waiter's place in a line.
type place[T any] struct {
	next, prev *place[T]
	in         bool
	of         T // who stands here; set once
}

func (l *line[T]) empty() bool { return l.first == nil }

func (l *line[T]) join(p *place[T]) {
	p.in = true
	p.prev = l.last
	if l.last == nil {
		l.first = p
	} else {
		l.last.next = p
	}
	l.last = p
}

func (l *line[T]) leave(p *place[T]) {
	if p.prev == nil {
		l.first = p.next
	} else {
		p.prev.next = p.next
	}
	if p.next == nil {
		l.last = p.prev
	} else {
		p.next.prev = p.prev
	}
	p.next, p.prev, p.in = nil, nil, false
}

// take removes and returns the first, or the zero value if nobody waits.
func (l *line[T]) take() (of T, ok bool) {
	p := l.first
	if p == nil {
		return of, false
	}
	l.leave(p)
	return p.of, true
}
