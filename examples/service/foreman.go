package main

import (
	"context"
	"sync"
	"sync/atomic"
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

// A roster says which workers are on duty: those with the lowest numbers.
type roster struct {
	min, max int
	working  atomic.Int64 // those on duty, and those that have a piece in hand though their duty is over

	mu      sync.Mutex
	staff   int                  // how many are on duty
	off     []context.CancelFunc // by number: ends the duty of a worker
	changed chan struct{}        // closed when staff has grown
}

func newRoster(min, max int) *roster {
	return &roster{min: min, max: max, staff: min, off: make([]context.CancelFunc, max), changed: make(chan struct{})}
}

// report gives the worker of that number a context that ends with its duty, or
// nil if it is off duty, and a channel that is closed when it should ask again.
func (r *roster) report(ctx context.Context, number int) (duty context.Context, changed <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if number >= r.staff {
		return nil, r.changed
	}
	duty, r.off[number] = context.WithCancel(ctx) // which ends when the worker does
	return duty, nil
}

// set says how many are on duty from now on.
func (r *roster) set(staff int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if staff > r.staff {
		close(r.changed)
		r.changed = make(chan struct{})
	}
	for _, off := range r.off[staff:] {
		if off != nil {
			off()
		}
	}
	r.staff = staff
}

// size returns how many workers are on duty.
func (r *roster) size() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.staff
}

// A foreman compares the roster of the workers with their queue.
type foreman struct{ *workers }

// oversee is the foreman's body.
func (f foreman) oversee(_ context.Context, in *actor.Inbox[actor.None]) error {
	ticks := time.NewTicker(foremanPeriod)
	defer ticks.Stop()
	quiet := 0 // looks in a row at an empty queue
	for {
		select {
		case <-ticks.C:
		case <-in.Halting():
			return nil
		}
		waiting := f.child.Address().Len()
		if waiting > 0 {
			quiet = 0
			f.grow((waiting + piecesPerHire - 1) / piecesPerHire)
		} else if quiet++; quiet >= quietPeriods {
			quiet = 0
			f.shrink()
		}
	}
}

// grow calls n workers, or fewer if that are too many.
func (f foreman) grow(n int) {
	f.roster.set(min(f.roster.size()+n, f.roster.max))
}

// shrink lets one worker go, but not while another is on its way out.
func (f foreman) shrink() {
	staff := f.roster.size()
	if staff > f.roster.min && int(f.roster.working.Load()) == staff {
		f.roster.set(staff - 1)
	}
}
