package contest

import "fmt"

// pingPong is two actors that send each other a number, which both count up.
// An operation is a message and one back.
func pingPong(r *Run) error {
	var ping, pong Mailbox
	var wrong error
	done := make(chan struct{})
	last := int64(2*r.N) - 1
	expect := func(next int64, to *Mailbox) func(Msg) {
		return func(m Msg) {
			if m.V != next {
				wrong = fmt.Errorf("%d instead of %d", m.V, next)
				m.V = last
			}
			if m.V >= last {
				close(done)
				return
			}
			next += 2
			(*to).Send(Msg{m.V + 1})
		}
	}
	ping = r.Spawn(Options{}, handler(expect(0, &pong)))
	pong = r.Spawn(Options{}, handler(expect(1, &ping)))
	r.Start()
	ping.Send(Msg{0})
	err := r.wait(done)
	r.End()
	if err != nil {
		return err
	}
	ping.Stop()
	pong.Stop()
	return wrong
}
