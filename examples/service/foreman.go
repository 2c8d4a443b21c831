package main

import (
	"context"
	"time"

	"tinyactor/actor"
)

const (
	// foremanPeriod is how often the foreman looks at the queue.
	foremanPeriod = 25 * time.Millisecond
	// piecesPerHire is how many waiting pieces bring one worker more; fewer bring
	// one too.
	piecesPerHire = 4
	// quietPeriods is for how many looks in a row the queue must be empty
	// before a worker is let go.
	quietPeriods = 20
)

// A foreman is the state of the actor that decides how many workers there are.
// It alone hires and lets go, so that its staff is what it says.
type foreman struct {
	pool     *actor.Pool[piece, actor.None]
	hire     func() error
	min, max int
	staff    int // workers that live, were not asked to leave and have not panicked
	restarts int // workers hired in the place of one that panicked
	quiet    int // looks in a row at an empty queue
}

// startForeman starts the foreman of a pool of min workers.
func startForeman(owner context.Context, pool *actor.Pool[piece, actor.None], hire func() error, min, max int) (*actor.Child[order, actor.None], *actor.Address[order]) {
	cfg := actor.Config{Name: "foreman", Drain: true}
	child, address := actor.Spawn(owner, cfg, func(ctx context.Context, in *actor.Inbox[order]) error {
		f := &foreman{pool: pool, hire: hire, min: min, max: max, staff: min}
		return in.Serve(ctx, func(_ context.Context, o order) error {
			o.apply(f)
			return nil
		})
	})
	address.SendEvery(foremanPeriod, look{}) // ends with the foreman
	return child, address
}

// An order is a message to the foreman: it knows what to do with its state.
type order interface{ apply(f *foreman) }

// look makes the foreman compare the staff with the queue.
type look struct{}

func (look) apply(f *foreman) {
	waiting := f.pool.Len()
	if waiting > 0 {
		f.quiet = 0
		f.grow((waiting + piecesPerHire - 1) / piecesPerHire)
		return
	}
	if f.quiet++; f.quiet >= quietPeriods {
		f.quiet = 0
		f.shrink()
	}
}

// grow hires n workers, or fewer if that are too many.
func (f *foreman) grow(n int) {
	for range min(n, f.max-f.staff) {
		if f.hire() != nil {
			return // the pool has ended
		}
		f.staff++
	}
}

// shrink lets one worker go, but not while another is on its way out, asked or
// by a panic: HaltSome could choose a worker that has been replaced already,
// and then nobody would leave.
func (f *foreman) shrink() {
	if f.staff > f.min && f.pool.Processes() == f.staff {
		f.pool.HaltSome(1)
		f.staff--
	}
}

// replace asks for a worker in the place of one that panics. It is answered when
// that worker has been hired.
type replace struct {
	actor.Reply[actor.None]
	halting <-chan struct{} // of the one that panics
}

func (m replace) to(r actor.Reply[actor.None]) order { m.Reply = r; return m }

func (m replace) apply(f *foreman) {
	select {
	case <-m.halting:
		// It was asked to leave, and does. It is off the staff already.
		m.Answer(actor.None{}, nil)
	default:
		err := f.hire()
		if err == nil {
			f.restarts++
		}
		m.Answer(actor.None{}, err)
	}
}

// report asks for the foreman's figures.
type report struct{ actor.Reply[staffInfo] }

type staffInfo struct{ staff, restarts int }

func (m report) to(r actor.Reply[staffInfo]) order { m.Reply = r; return m }

func (m report) apply(f *foreman) {
	m.Answer(staffInfo{staff: f.staff, restarts: f.restarts}, nil)
}
