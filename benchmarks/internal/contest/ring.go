package contest

import "fmt"

// ring is n actors in a circle that hand on a number, which each counts up. An
// operation is one hop.
func ring(n int) func(r *Run) error {
	return func(r *Run) error {
		boxes := make([]Mailbox, n)
		var wrong error
		done := make(chan struct{})
		last := int64(r.N) - 1
		for i := range boxes {
			expect := int64(i)
			boxes[i] = r.Spawn(Options{}, handler(func(m Msg) {
				if m.V != expect {
					wrong = fmt.Errorf("%d instead of %d", m.V, expect)
				}
				if wrong != nil || m.V >= last {
					close(done)
					return
				}
				expect += int64(n)
				boxes[(i+1)%n].Send(Msg{m.V + 1})
			}))
		}
		r.Start()
		boxes[0].Send(Msg{0})
		err := r.wait(done)
		r.End()
		if err != nil {
			return err
		}
		stopAll(boxes)
		return wrong
	}
}

func stopAll(boxes []Mailbox) {
	for _, b := range boxes {
		b.Stop()
	}
}
