package contest

import "fmt"

// spawn starts N actors, sends each a message, stops each, and waits for its end.
func spawn(r *Run) error {
	boxes := make([]Mailbox, r.N)
	got := make([]int64, r.N) // by actor, only written by it
	r.Start()
	for i := range boxes {
		boxes[i] = r.Spawn(Options{}, handler(func(m Msg) { got[i] += m.V }))
	}
	for i, b := range boxes {
		b.Send(Msg{int64(i) + 1})
	}
	stopAll(boxes)
	r.End()
	for i, v := range got {
		if v != int64(i)+1 {
			return fmt.Errorf("actor %d got %d instead of %d", i, v, i+1)
		}
	}
	return nil
}
