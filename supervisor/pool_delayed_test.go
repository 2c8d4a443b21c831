package supervisor

import (
	"testing"
	"time"
)

// A child has not ended as long as one of its processes waits for its restart,
// though no other is left.
func TestRule13AChildWithADelayedProcessIsNotOver(t *testing.T) {
	s := run(t, &Spec{Limit: Limit{Restarts: 9}, Children: children(work("p", processes(2), transient, backoff(Backoff{Min: time.Second})))}, `
		start             -> start p.0, start p.1, started
		exit p.0 crash    -> arm restart p.0 1s
		exit p.1          ->
	`)
	if got := s.m.info(s.m.first).State; got != Restarting {
		t.Errorf("the child is %v, want %v", got, Restarting)
	}
	s.play(`
		timer restart p.0 -> start p.0
		exit p.0          ->
	`)
	if got := s.m.info(s.m.first).State; got != Stopped {
		t.Errorf("at the end the child is %v, want %v", got, Stopped)
	}
}
