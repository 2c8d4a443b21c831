package mailbox

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
)

// slowDrains are the ways in which others take what a receiver had taken ahead.
var slowDrains = map[string]func(q *Queue[int]) []int{
	"Take": sendQueued,
	"Tickets and Take": func(q *Queue[int]) []int {
		q.Tickets()
		return sendQueued(q)
	},
	"Recv of another": func(q *Queue[int]) (all []int) {
		late := new(Receiver[int])
		q.Join(late)
		for q.Len() > 0 {
			m, _ := late.Recv(nil)
			all = append(all, m)
		}
		return all
	},
}

// A receiver that has claimed a message, and is slow to read it, finds it: no
// slot of that chunk is used again, whatever others do at the queue meanwhile.
func TestS3SlowReaderFindsItsMessage(t *testing.T) {
	for _, n := range []int{6, 8, 30, 700} { // in one chunk, partly and wholly, and in several
		for _, before := range []int{0, n} { // that many have grown the chunks
			for _, ticket := range []any{nil, "ticket"} {
				for name, drain := range slowDrains {
					t.Run(fmt.Sprintf("%d messages after %d, %v, %s", n, before, ticket, name), func(t *testing.T) {
						testSlowReader(t, n, before, ticket, drain)
					})
				}
			}
		}
	}
}

func testSlowReader(t *testing.T, n, before int, ticket any, drain func(q *Queue[int]) []int) {
	q, seats := sendQueue(Policy{}, 1)
	r := seats[0]
	for range before {
		q.Offer(0, ticket)
	}
	sendQueued(q)
	for m := range n {
		q.Offer(m, ticket)
	}
	aheadWant(t, r, (*Receiver[int]).TryRecv, 0, 1)
	at, ok := r.lease.one() // Recv, as far as its claim
	if !ok {
		t.Fatal("the receiver has taken nothing ahead")
	}
	if got := drain(q); !slices.Equal(got, seqInts(2, n)) {
		t.Fatalf("the queue has %v, want 2 to %d", got, n-1)
	}
	another := ticket
	if ticket != nil {
		another = "another"
	}
	for range 3 {
		for m := range n {
			q.Offer(1000+m, another)
		}
		sendQueued(q)
	}
	sendFill(t, q, 1000, 1000+n)
	if m, x := r.chunk.take(at); m != 1 || x != ticket { // the rest of Recv
		t.Errorf("the claimed message is %d, %v, want 1, %v", m, x, ticket)
	}
	if got := sendQueued(q); !slices.Equal(got, seqInts(1000, 1000+n)) {
		t.Errorf("the queue has %v, want 1000 to %d", got, 999+n)
	}
}

// Messages of every size keep their order: large ones stand alone in their
// chunks, and of those without a size only the number is known.
func TestS2MessagesOfEverySize(t *testing.T) {
	t.Run("pointer", func(t *testing.T) {
		testSizes(t, func(id int) *int { return &id }, func(m *int) int { return *m })
	})
	t.Run("1 KiB", func(t *testing.T) {
		testSizes(t, func(id int) [128]int { return [128]int{id, 127: id} }, func(m [128]int) int { return m[127] })
	})
	t.Run("10 KiB", func(t *testing.T) {
		testSizes(t, func(id int) [1280]int { return [1280]int{id, 1279: id} }, func(m [1280]int) int { return m[1279] })
	})
	t.Run("nothing", func(t *testing.T) {
		testSizes(t, func(int) struct{} { return struct{}{} }, nil)
	})
}

// testSizes sends and receives in all ways, beside a model. message makes one,
// id tells which it is.
func testSizes[M any](t *testing.T, message func(id int) M, id func(m M) int) {
	for seed := range uint64(6) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		q, r := new(Queue[M]), new(Receiver[M])
		q.Init(Policy{Limit: 150})
		q.Join(r)
		var model []int
		next := 0
		check := func(op int, ms []M, s Status) {
			t.Helper()
			if s != OK || len(ms) > len(model) {
				t.Fatalf("seed %d, op %d: %d messages, %v, want some of %v", seed, op, len(ms), s, model)
			}
			for i, m := range ms {
				if id != nil && id(m) != model[i] {
					t.Fatalf("seed %d, op %d: message %d, want %d", seed, op, id(m), model[i])
				}
			}
			model = model[len(ms):]
			if n := q.Len(); n != len(model) {
				t.Fatalf("seed %d, op %d: Len is %d, want %d", seed, op, n, len(model))
			}
		}
		for op := range 600 {
			if grow := op/100%2 == 0; len(model) == 0 || len(model) < 140 && rnd.IntN(4) < 3 == grow {
				ms := make([]M, 1+rnd.IntN(4))
				for i := range ms {
					ms[i] = message(next + i)
				}
				switch rnd.IntN(3) {
				case 0:
					ms = ms[:1]
					q.Put(ms[0])
				case 1:
					ms = ms[:1]
					q.Offer(ms[0], ms[0])
				case 2:
					q.OfferAll(ms)
				}
				for range ms {
					model = append(model, next)
					next++
				}
				continue
			}
			switch rnd.IntN(5) {
			case 0:
				m, s := r.Recv(nil)
				check(op, []M{m}, s)
			case 1:
				m, s := r.TryRecv()
				check(op, []M{m}, s)
			case 2, 3:
				dst := make([]M, 1+rnd.IntN(9))
				n, s := r.RecvBatch(nil, dst, 0)
				check(op, dst[:n], s)
			case 4:
				if m, _, ok := q.Take(); ok {
					check(op, []M{m}, OK)
				}
			}
		}
	}
}

// The first chunk is small, and each next one twice as large, up to a bound: an
// actor with little to do costs little, one with much allocates rarely.
func TestChunksGrow(t *testing.T) {
	grown := func(n int, ticket any) (slots []int) {
		q, _ := sendQueue(Policy{}, 0)
		for m := range n {
			q.Offer(m, ticket)
		}
		q.chunks(func(c *chunk[int]) { slots = append(slots, len(c.slots)) })
		return slots
	}
	if got, want := grown(8, nil), []int{8}; !slices.Equal(got, want) {
		t.Errorf("8 messages are in chunks of %v slots, want %v", got, want)
	}
	if got, want := grown(1000, nil), []int{8, 16, 32, 64, 128, 256, 256, 256}; !slices.Equal(got, want) {
		t.Errorf("1000 messages are in chunks of %v slots, want %v", got, want)
	}
	if got, want := grown(400, 1), []int{8, 16, 32, 64, 128, idleBytes / 4 / (16 + bits.UintSize/8)}; !slices.Equal(got, want) {
		t.Errorf("400 messages with tickets are in chunks of %v slots, want %v", got, want)
	}
}

// In the long run nothing is allocated, as long as not more messages wait than
// an idle queue may keep slots for.
func TestS10ChunksAreUsedAgain(t *testing.T) {
	ticket := any("ticket")
	put := func(q *Queue[int], m int) { q.Put(m) }
	ask := func(q *Queue[int], m int) { q.Offer(m, ticket) }
	recv := func(rs []*Receiver[int], i int) int {
		rs[i%len(rs)].Recv(nil)
		return 1
	}
	dst := make([]int, 64)
	batch := func(rs []*Receiver[int], i int) int {
		n, _ := rs[i%len(rs)].RecvBatch(nil, dst, 0)
		return n
	}
	for _, c := range []struct {
		name      string
		policy    Policy
		receivers int
		send      func(q *Queue[int], m int)
		recv      func(rs []*Receiver[int], i int) int
	}{
		{"alone", Policy{}, 1, put, recv},
		{"a pool of two", Policy{}, 2, put, recv},
		{"bounded", Policy{Limit: 400}, 1, put, recv},
		{"backpressure", Policy{Start: 1000, Base: 1, Factor: 1}, 1, put, recv},
		{"batch", Policy{}, 1, put, batch},
		{"batches of a pool", Policy{}, 2, put, batch},
		{"with tickets", Policy{}, 1, ask, recv},
		{"a pool with tickets", Policy{}, 2, ask, recv},
		{"batches with tickets", Policy{Limit: 400}, 1, ask, batch},
	} {
		for _, burst := range []int{1, 5, 30, 300} {
			t.Run(fmt.Sprintf("%s, %d at once", c.name, burst), func(t *testing.T) {
				q, rs := sendQueue(c.policy, c.receivers)
				round := func(n int) {
					for range 20 {
						for m := range n {
							c.send(q, m)
						}
						for i := 0; q.Len() > 0; i++ {
							c.recv(rs, i)
						}
					}
				}
				round(300) // it has been full before
				round(burst)
				if n := testing.AllocsPerRun(5, func() { round(burst) }); n > 0 {
					t.Errorf("%v allocations in 20 rounds of %d messages", n, burst)
				}
			})
		}
	}
}
