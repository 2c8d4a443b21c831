package contest

// fanIn is a number of senders and one receiver, which checks that each
// sender's messages are complete and in order.
func fanIn(senders int, o Options) func(r *Run) error {
	return func(r *Run) error {
		sink := tally(senders)
		box := r.Spawn(o, sink)
		each := r.N / senders
		r.together(senders, func(i int) { box.Feed(message(i, 0), each) }, box.Stop)
		return sink.check(func(int) int64 { return int64(each) })
	}
}
