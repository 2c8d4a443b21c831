package tally

// Known is how many actors have a label.
func (t *Tally) Known() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.labels)
}
