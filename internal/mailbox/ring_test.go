package mailbox

import (
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// ringValues returns what is in the ring, oldest first.
func ringValues[M any](r *ring[M]) []M {
	var all []M
	for i := range r.n {
		all = append(all, r.slots[(r.head+i)&(len(r.slots)-1)])
	}
	return all
}

// A ring is compared with a slice, over sequences that wrap around, grow while
// wrapped, and put values back at the front.
func TestS2RingIsADeque(t *testing.T) {
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		growing := rnd.IntN(4) // of ten operations, how many more put in than take out
		var r ring[int]
		var model []int
		for op := range 400 {
			switch k := rnd.IntN(10); {
			case k < 4+growing/2:
				r.push(op)
				model = append(model, op)
			case k < 5+growing/2:
				r.pushFront(op)
				model = slices.Insert(model, 0, op)
			case len(model) > 0:
				if got := r.pop(); got != model[0] {
					t.Fatalf("seed %d, op %d: pop is %d, want %d", seed, op, got, model[0])
				}
				model = model[1:]
			default:
				r.trim()
			}
			if r.n != len(model) || !slices.Equal(ringValues(&r), model) {
				t.Fatalf("seed %d, op %d: ring has %v, want %v", seed, op, ringValues(&r), model)
			}
		}
	}
}

// S10: what has left the ring is not kept by it, wherever it stood.
func TestS10RingForgetsWhatLeaves(t *testing.T) {
	var r ring[*int]
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		switch k := rnd.IntN(5); {
		case k < 2:
			r.push(new(int))
		case k < 3:
			r.pushFront(new(int))
		case r.n > 0:
			r.pop()
		}
		kept := 0
		for _, p := range r.slots {
			if p != nil {
				kept++
			}
		}
		if kept != r.n {
			t.Fatalf("the ring keeps %d values, %d are in", kept, r.n)
		}
	}
}

func TestS10EmptyRingKeepsLittle(t *testing.T) {
	t.Run("8 bytes", func(t *testing.T) { testTrim[uint64](t) })
	t.Run("64 bytes", func(t *testing.T) { testTrim[[64]byte](t) })
	t.Run("4 KiB", func(t *testing.T) { testTrim[[4 << 10]byte](t) })
	t.Run("64 KiB", func(t *testing.T) { testTrim[[64 << 10]byte](t) })
	t.Run("nothing", func(t *testing.T) { testTrim[struct{}](t) })
}

func testTrim[M any](t *testing.T) {
	const limit = 16 << 10
	var zero M
	size := int(unsafe.Sizeof(zero))
	for _, n := range []int{1, 4, 5, 300, 3000} {
		if n*size > 8<<20 {
			continue
		}
		var r ring[M]
		for range n {
			r.push(zero)
		}
		slots := len(r.slots)
		r.trim()
		if len(r.slots) != slots {
			t.Fatalf("a ring of %d messages was trimmed", n)
		}
		for range n {
			r.pop()
		}
		r.trim()
		if kept := len(r.slots); kept > 4 && kept*size > limit {
			t.Errorf("after %d messages an empty ring keeps %d slots of %d bytes", n, kept, size)
		}
		// Steady state allocates nothing, so what is allowed is kept.
		if allowed := slots <= 4 || slots*size <= limit; allowed && len(r.slots) != slots {
			t.Errorf("after %d messages of %d bytes the ring gave back %d slots that it may keep", n, size, slots)
		}
		r.push(zero)
		if r.pop(); r.n != 0 {
			t.Errorf("after the trim: n is %d", r.n)
		}
	}
}
