package mailbox

import (
	"math/rand/v2"
	"testing"
	"unsafe"
)

// chunks calls f for every chunk that the queue or its holder keeps.
func (q *Queue[M]) chunks(f func(c *chunk[M])) {
	q.lock()
	defer q.unlock()
	for c := q.first; c != nil; c = c.next {
		f(c)
	}
	for c := q.spare; c != nil; c = c.next {
		f(c)
	}
	for p := q.seats.first; p != nil; p = p.next {
		if c := p.of.chunk; c != nil && q.holder == p.of {
			f(c)
		}
	}
}

// S10: what has left the queue is not kept by it, wherever it stood, nor is its
// ticket.
func TestS10QueueForgetsWhatLeaves(t *testing.T) {
	for seats := range 3 {
		q := new(Queue[*int])
		q.Init(Policy{})
		var rs []*Receiver[*int]
		for range seats {
			rs = append(rs, new(Receiver[*int]))
			q.Join(rs[len(rs)-1])
		}
		rnd := rand.New(rand.NewPCG(uint64(seats), 1))
		for op := range 5000 {
			switch k := rnd.IntN(8); {
			case k < 3:
				q.Offer(new(int), nil)
			case k < 4:
				q.Offer(new(int), op)
			case k < 5:
				q.Take()
			case seats > 0 && k < 7:
				rs[rnd.IntN(seats)].TryRecv()
			case seats > 0:
				rs[rnd.IntN(seats)].RecvBatch(nil, make([]*int, min(1+rnd.IntN(4), max(1, q.Len()))), 0)
			}
			if seats > 0 && q.Len() == 0 {
				q.Offer(new(int), nil) // RecvBatch does not wait
			}
			kept, tickets := 0, 0
			q.chunks(func(c *chunk[*int]) {
				for i, p := range c.slots {
					if p != nil {
						kept++
					} else if c.tickets != nil && c.tickets[i] != nil {
						tickets++
					}
				}
			})
			if kept != q.Len() || tickets > 0 {
				t.Fatalf("%d seats: the queue keeps %d messages, %d are in, and %d tickets of others", seats, kept, q.Len(), tickets)
			}
		}
	}
}

func TestS10IdleQueueKeepsLittle(t *testing.T) {
	t.Run("8 bytes", func(t *testing.T) { testIdle[uint64](t) })
	t.Run("64 bytes", func(t *testing.T) { testIdle[[64]byte](t) })
	t.Run("600 bytes", func(t *testing.T) { testIdle[[600]byte](t) })
	t.Run("4 KiB", func(t *testing.T) { testIdle[[4 << 10]byte](t) })
	t.Run("64 KiB", func(t *testing.T) { testIdle[[64 << 10]byte](t) })
	t.Run("nothing", func(t *testing.T) { testIdle[struct{}](t) })
}

func testIdle[M any](t *testing.T) {
	const limit = 16 << 10
	var zero M
	bytes := int(unsafe.Sizeof(zero))
	for _, n := range []int{1, 4, 5, 9, 300, 3000} {
		if n*bytes > 8<<20 {
			continue
		}
		for _, ticket := range []any{nil, 1} {
			for seats := range 3 {
				q, r := new(Queue[M]), new(Receiver[M])
				q.Init(Policy{})
				for range seats {
					r = new(Receiver[M])
					q.Join(r)
				}
				for range 3 {
					for range n {
						q.Offer(zero, ticket)
					}
					for range n {
						if seats == 0 {
							q.Take()
						} else if _, s := r.TryRecv(); s != OK {
							t.Fatalf("TryRecv is %v", s)
						}
					}
					slots, kept := 0, 0
					q.chunks(func(c *chunk[M]) {
						slots += len(c.slots)
						kept += bytes*len(c.slots) + 16*len(c.tickets)
					})
					if slots > 4 && kept > limit {
						t.Errorf("%d seats, after %d messages an empty queue keeps %d slots of %d bytes, %d in all", seats, n, slots, bytes, kept)
					}
				}
			}
		}
	}
}
