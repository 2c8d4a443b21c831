package contest

// pool is one sender and n processes that take from the same mailbox.
func pool(n int) func(r *Run) error {
	return func(r *Run) error {
		shares := make([]*share, n)
		receivers := make([]*Receiver, n)
		for i := range shares {
			shares[i] = newShare(1)
			receivers[i] = handler(shares[i].take)
		}
		box := r.Spawn(Options{}, receivers...)
		r.together(1, func(int) { box.Feed(message(0, 0), r.N) }, box.Stop)
		return checkShares(shares, 1, r.N)
	}
}
