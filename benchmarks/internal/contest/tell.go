package contest

// tell is a sender and a receiver.
func tell(o Options) func(r *Run) error { return fanIn(1, o) }
