package contest

import "fmt"

// pingPong is two actors that send each other a number, which both count up.
// An operation is a message and one back.
func pingPong(r *Run) error { return handOn(r, 2, 2*r.N) }

// handOn is n actors in a circle that hand on a number, until it has been
// received as often as hops says.
func handOn(r *Run, n, hops int) error {
	boxes := make([]Mailbox, n)
	out := newOutcome()
	last := int64(hops) - 1
	for i := range boxes {
		expect := int64(i)
		boxes[i] = r.Spawn(Options{}, handler(func(m Msg) {
			switch {
			case m.V != expect:
				out.finish(fmt.Errorf("%d instead of %d", m.V, expect))
			case m.V == last:
				out.finish(nil)
			default:
				expect += int64(n)
				boxes[(i+1)%n].Send(Msg{m.V + 1})
			}
		}))
	}
	r.Start()
	boxes[0].Send(Msg{0})
	if err := out.wait(r); err != nil {
		return err
	}
	stopAll(boxes)
	return nil
}

func stopAll(boxes []Mailbox) {
	for _, b := range boxes {
		b.Stop()
	}
}
