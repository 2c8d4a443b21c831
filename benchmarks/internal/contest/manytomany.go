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
	id   int
	all  *peers
	rng  *rand.Rand
	out  []int64 // by peer, how many messages were sent to it
	in   []int64 // by peer, how many have come
	left int     // pings
}

// peers are all of them.
type peers struct {
	boxes []Mailbox
	peers []*peer
	busy  atomic.Int64 // those with pings left
	*outcome
}

func (p *peer) send(to int, kind int64) {
	m := message(p.id, p.out[to])
	p.out[to]++
	m.V |= kind
	p.all.boxes[to].Send(m)
}

// ping sends the next ping to any other peer.
func (p *peer) ping() {
	n := len(p.out)
	p.send((p.id+1+p.rng.IntN(n-1))%n, 0)
}

func (p *peer) take(m Msg) {
	kind := m.V & pongBit
	m.V &^= pongBit
	from := m.sender()
	if m.seq() != p.in[from] {
		p.all.finish(fmt.Errorf("to %d: %v instead of number %d", p.id, m, p.in[from]))
		return
	}
	p.in[from]++
	switch {
	case from == len(p.out): // the start
		p.ping()
	case kind == 0:
		p.send(from, pongBit)
	default:
		if p.left--; p.left > 0 {
			p.ping()
		} else if p.all.busy.Add(-1) == 0 {
			p.all.finish(nil)
		}
	}
}

// manyToMany is n actors that each send a ping to any other, wait for its pong,
// and send the next. An operation is one message.
func manyToMany(n int) func(r *Run) error {
	return func(r *Run) error {
		all := &peers{outcome: newOutcome()}
		all.busy.Store(int64(n))
		for i := range n {
			p := &peer{
				id: i, all: all, rng: rand.New(rand.NewPCG(1, uint64(i))),
				out: make([]int64, n), in: make([]int64, n+1), left: r.N / 2 / n,
			}
			all.peers = append(all.peers, p)
			all.boxes = append(all.boxes, r.Spawn(Options{}, handler(p.take)))
		}
		r.Start()
		for _, b := range all.boxes {
			b.Send(message(n, 0))
		}
		if err := all.wait(r); err != nil {
			return err
		}
		stopAll(all.boxes)
		return all.check()
	}
}

// check reports whether all that was sent has come.
func (all *peers) check() error {
	for _, p := range all.peers {
		for _, q := range all.peers {
			if p.out[q.id] != q.in[p.id] {
				return fmt.Errorf("%d messages from %d to %d instead of %d", q.in[p.id], p.id, q.id, p.out[q.id])
			}
		}
	}
	return nil
}
