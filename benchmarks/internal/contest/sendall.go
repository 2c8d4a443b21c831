package contest

// sendAll is tell with Batch messages at once, on both sides. An operation is
// still one message.
func sendAll(r *Run) error { return tell(Options{Batch: true})(r) }
