package cluster

import "time"

// absences is which nodes are lost, to decide whether others may have what they
// held. A node that has only begun to listen, has slept, or does not hear itself
// knows nothing of that. Guarded by Node.mu.
type absences struct {
	since map[string]*absence
	ears  time.Time // since when this node listens
}

type absence struct {
	at    time.Time
	told  bool // those who wait for leases
	lives bool // it has written, though it was not heard
}

// listen begins to listen.
func (a *absences) listen(now time.Time) {
	a.since, a.ears = make(map[string]*absence), now
}

// doubt has those who are lost be lost once more before that counts: this node was
// perhaps cut off itself until now, and does not hear yet who is there.
func (n *Node) doubt() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.absences.ears = time.Now()
	for _, a := range n.absences.since {
		a.at, a.told = n.absences.ears.Add(n.cfg.Lost), false
	}
}

// note takes down that a node is lost, or will be.
func (a *absences) note(id string, at time.Time) { a.since[id] = &absence{at: at} }

// alive notes that a node lives, perhaps without being heard. What it holds is
// taken only when it has not renewed that, until it is heard and lost once more.
func (n *Node) alive(id string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if id != "" && n.peers[id] == nil {
		n.absences.since[id] = &absence{at: time.Now(), told: true, lives: true}
	}
}

// absent reports whether a node is lost for so long that what it held may be
// given to others: the one Beat is for the node to have noticed too that it is
// cut off, and for this one to have noticed that it is.
func (n *Node) absent(id string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.peers[id] != nil || n.peers[n.id] == nil {
		return false
	}
	since := n.absences.ears.Add(n.cfg.Lost)
	if a := n.absences.since[id]; a != nil {
		if a.lives {
			return false
		}
		since = a.at
	}
	return time.Since(since) >= n.cfg.Beat
}

// news reports, once for each, whether a node has become absent. n.mu is held.
func (n *Node) news(now time.Time) (any bool) {
	for id, a := range n.absences.since {
		if !a.told && now.Sub(a.at) >= n.cfg.Beat {
			a.told, any = true, true
		}
		if now.Sub(a.at) > time.Hour && !a.lives { // it is no less absent for being forgotten
			delete(n.absences.since, id)
		}
	}
	return any
}

// heardOf returns how many nodes this one hears, itself included.
func (n *Node) heardOf() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.peers[n.id] == nil {
		return len(n.peers) + 1
	}
	return len(n.peers)
}
