package contest

import "sync"

// outcome is how something ends that several actors do together: all is well,
// or the first thing that was wrong. Actors go on for a while after that.
type outcome struct {
	once sync.Once
	done chan struct{}
	err  error // once done is closed
}

func newOutcome() *outcome { return &outcome{done: make(chan struct{})} }

// finish ends it, unless it has ended.
func (o *outcome) finish(err error) {
	o.once.Do(func() {
		o.err = err
		close(o.done)
	})
}

// wait waits for the outcome, until End, and returns the error.
func (o *outcome) wait(r *Run) error {
	err := r.wait(o.done)
	r.End()
	if err == nil {
		err = o.err
	}
	return err
}
