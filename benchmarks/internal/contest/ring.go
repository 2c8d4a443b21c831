package contest

// ring is n actors in a circle that hand on a number, which each counts up. An
// operation is one hop.
func ring(n int) func(r *Run) error {
	return func(r *Run) error { return handOn(r, n, r.N) }
}
