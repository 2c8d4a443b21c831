package observer

import (
	"time"
	"weak"

	"tinyactor/internal/inspect"
)

// entry is what is kept of an actor. It does not keep the actor.
type entry struct {
	id    uint64
	actor weak.Pointer[inspect.Actor]
	since time.Time

	// What follows is guarded by Observer.mu.
	gone   bool // counts are final
	counts counts
	rate   meter
	still  stillness

	// From the events, so that it is there after restarts.
	exit     *Exit
	panicked *Panic
	panics   int
	restarts restartLog
}

// born makes the entry of a new actor.
func (o *Observer) born(a *inspect.Actor) {
	now := time.Now()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.entries[a.ID] != nil {
		return
	}
	o.entries[a.ID] = &entry{id: a.ID, actor: weak.Make(a), since: now, rate: meter{at: now}}
}

// lookup returns the entry and the actor of an id, or nil.
func (o *Observer) lookup(id uint64) (*entry, *inspect.Actor) {
	o.mu.Lock()
	defer o.mu.Unlock()
	e := o.entries[id]
	if e == nil {
		return nil, nil
	}
	return e, e.actor.Value()
}

// living is an entry and its actor, for as long as somebody looks at it.
type living struct {
	*entry
	*inspect.Actor
}

// living returns all actors that are there; some may have ended.
func (o *Observer) living() []living {
	o.mu.Lock()
	all := make([]living, 0, len(o.entries))
	for id, e := range o.entries {
		if a := e.actor.Value(); a != nil {
			all = append(all, living{e, a})
		} else {
			delete(o.entries, id)
		}
	}
	o.mu.Unlock()
	return all
}

// counts are how many messages an actor has had so far.
type counts struct{ accepted, received, undelivered uint64 }

// length is how many are in the queue.
func (c counts) length() int { return int(c.accepted - c.received - c.undelivered) }

// account brings the counts of an actor up to date, unless the reading is older
// than they are: looks come at the same time as its end. What was received may go
// back, by what an aborted process gives back; the other two cannot. The reading of
// an actor that has ended is the last word, whatever was read before. mu is held.
func (o *Observer) account(e *entry, r inspect.Reading) {
	now := counts{
		accepted:    r.Received + r.Undelivered + uint64(r.Length),
		received:    r.Received,
		undelivered: r.Undelivered,
	}
	older := now.accepted < e.counts.accepted || now.undelivered < e.counts.undelivered
	if e.gone || older && !r.Ended {
		return
	}
	// Differences below 0 wrap around, and sums with them wrap back.
	o.total.accepted += now.accepted - e.counts.accepted
	o.total.received += now.received - e.counts.received
	o.total.undelivered += now.undelivered - e.counts.undelivered
	e.counts, e.gone = now, r.Ended
}

// leastInterval is how much time must have passed for a rate to say something.
const leastInterval = 500 * time.Millisecond

// meter makes rates of counts.
type meter struct {
	at   time.Time
	base counts
	rate Rates
}

// read returns the rates since the look before. A look that comes too early for
// that returns what that one did.
func (m *meter) read(now time.Time, c counts) Rates {
	if d := now.Sub(m.at); d >= leastInterval {
		per := func(n, before uint64) float64 { return max(0, float64(int64(n-before))) / d.Seconds() }
		m.rate = Rates{
			Accepted:    per(c.accepted, m.base.accepted),
			Received:    per(c.received, m.base.received),
			Undelivered: per(c.undelivered, m.base.undelivered),
		}
		m.at, m.base = now, c
	}
	return m.rate
}

// stillness tells for how long looks have seen an actor busy with the same message.
type stillness struct {
	received uint64
	since    time.Time
}

// look returns when a look first saw the actor as it is now, busy since it had
// received so many messages; nil if this is the first.
func (s *stillness) look(now time.Time, busy bool, received uint64) *time.Time {
	switch {
	case now.Before(s.since): // a later look was faster
	case !busy || received == 0:
		*s = stillness{}
	case s.since.IsZero() || s.received != received:
		*s = stillness{received, now}
	default:
		since := s.since
		return &since
	}
	return nil
}
