package soak

import (
	"context"
	"time"
)

// look looks at everything, again and again, as a page does that is open. There
// is no deadlock to be seen, and no actor with another number of messages than it
// has accepted.
func (s *soak) look(ctx context.Context) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		snap := s.eye.Snapshot()
		for _, d := range snap.Deadlocks {
			s.fail("a deadlock is seen where there is none: %s", d.Text)
		}
		for _, a := range snap.Actors {
			if a.Accepted < a.Received+a.Undelivered {
				s.fail("%s has accepted %d messages, and of them %d were received and %d handed back", a.Path, a.Accepted, a.Received, a.Undelivered)
			}
		}
	}
}

// compare compares what the observer has counted with the ledger, when everything
// has ended. The observer hears of an end a little later, and counts more than the
// ledger has: ticks and what Watch sends.
func (s *soak) compare() {
	late := time.Now().Add(settling)
	for {
		t := s.eye.Snapshot().Totals
		if t.Actors == 0 && t.Accepted == t.Received+t.Undelivered && t.Accepted >= uint64(s.ledger.messages.Load()) {
			return
		}
		if time.Now().After(late) {
			s.fail("the observer has counted otherwise than the ledger, which has %d accepted: %+v", s.ledger.messages.Load(), t)
			return
		}
		time.Sleep(10 * time.Millisecond) // events are on their way
	}
}
