package contest

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
)

// pongBit tells an answer from a question.
const pongBit = 1 << 62

// peer is one of the actors of manyToMany. Each pair of them numbers what the
// one has sent to the other.
type peer struct {
	id    int
	boxes []Mailbox
	rng   *rand.Rand
	out   []int64 // by peer, how many messages were sent to it
	in    []int64 // by peer, how many have come
	left  int     // pings
	ready func()  // called when the last pong has come
	wrong error
}

func (p *peer) send(to int, kind int64) {
	m := message(p.id, p.out[to])
	p.out[to]++
	m.V |= kind
	p.boxes[to].Send(m)
}

// ping sends the next ping to any other peer.
func (p *peer) ping() {
	n := len(p.boxes)
	p.send((p.id+1+p.rng.IntN(n-1))%n, 0)
}

func (p *peer) take(m Msg) {
	kind := m.V & pongBit
	m.V &^= pongBit
	from := m.sender()
	if m.seq() != p.in[from] && p.wrong == nil {
		p.wrong = fmt.Errorf("to %d: %v instead of number %d", p.id, m, p.in[from])
	}
	p.in[from]++
	switch {
	case from == len(p.boxes): // the start
		p.ping()
	case kind == 0:
		p.send(from, pongBit)
	default:
		if p.left--; p.left > 0 {
			p.ping()
		} else {
			p.ready()
		}
	}
}

// manyToMany is n actors that each send a ping to any other, wait for its pong,
// and send the next. An operation is one message.
func manyToMany(n int) func(r *Run) error {
	return func(r *Run) error {
		boxes := make([]Mailbox, n)
		peers := make([]*peer, n)
		done := make(chan struct{})
		var busy atomic.Int64
		busy.Store(int64(n))
		for i := range peers {
			peers[i] = &peer{
				id: i, boxes: boxes, rng: rand.New(rand.NewPCG(1, uint64(i))),
				out: make([]int64, n), in: make([]int64, n+1), left: r.N / 2 / n,
				ready: func() {
					if busy.Add(-1) == 0 {
						close(done)
					}
				},
			}
			boxes[i] = r.Spawn(Options{}, handler(peers[i].take))
		}
		r.Start()
		for _, b := range boxes {
			b.Send(message(n, 0))
		}
		err := r.wait(done)
		r.End()
		if err != nil {
			return err
		}
		stopAll(boxes)
		return checkPeers(peers)
	}
}

func checkPeers(peers []*peer) error {
	for _, p := range peers {
		if p.wrong != nil {
			return p.wrong
		}
		for _, q := range peers {
			if p.out[q.id] != q.in[p.id] {
				return fmt.Errorf("%d messages from %d to %d instead of %d", q.in[p.id], p.id, q.id, p.out[q.id])
			}
		}
	}
	return nil
}
