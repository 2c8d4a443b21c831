package supervisor

// insert puts a child at the end of the list.
func (m *machine) insert(id int, p plan) *child {
	c := &child{id: id, plan: p}
	if c.processes == 1 {
		c.numbers = c.single[:]
	} else {
		c.numbers = make([]number, c.processes)
	}
	if c.prev = m.last; c.prev != nil {
		c.prev.next = c
	} else {
		m.first = c
	}
	m.last = c
	m.byID[id] = c
	if m.byName != nil {
		m.byName[p.name] = c
	}
	m.figures.Specs++
	if p.supervisor {
		m.figures.Supervisors++
	} else {
		m.figures.Workers++
	}
	return c
}

// remove takes a child that was closed off the list.
func (m *machine) remove(c *child) {
	for i := range c.numbers { // those that have not ended are somebody else's now
		m.vacate(c, &c.numbers[i])
	}
	m.undoom(c)
	m.notNew(c)
	m.stopTimer(&c.timer)
	if m.waitingFrom == c {
		m.waitingFrom = c.next
	}
	if m.doomedFrom == c {
		m.doomedFrom = c.prev
	}
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		m.first = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	} else {
		m.last = c.prev
	}
	delete(m.byID, c.id)
	if m.byName != nil && m.byName[c.name] == c {
		delete(m.byName, c.name)
	}
	m.figures.Specs--
	if c.supervisor {
		m.figures.Supervisors--
	} else {
		m.figures.Workers--
	}
	m.haunt(c)
	m.note(noteRemoved, c, all)
	m.stopped(c)
}

// haunt remembers the stuck processes of a child that is no more.
func (m *machine) haunt(c *child) {
	var ghosts []int
	for i := range c.numbers {
		if k := c.numbers[i].stuck; k > 0 {
			if ghosts == nil {
				ghosts = make([]int, len(c.numbers))
			}
			ghosts[i] = k
		}
	}
	if ghosts != nil {
		m.ghosts[c.id] = ghosts
	}
}
