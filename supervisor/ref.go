package supervisor

import (
	"fmt"

	"tinyactor/actor"
)

// What a Supervisor has of actor.Ref is that of its actor; the zero Supervisor
// has ended, as the zero Address has.

// ID returns the number of the supervisor's actor, 0 of the zero Supervisor.
func (s *Supervisor) ID() actor.ID { return s.ref().ID() }

// Name returns the supervisor's name.
func (s *Supervisor) Name() string { return s.ref().Name() }

// Len returns 0: nobody sends messages to a supervisor.
func (s *Supervisor) Len() int { return s.ref().Len() }

// Done returns a channel that is closed when the supervisor has ended for good.
func (s *Supervisor) Done() <-chan struct{} { return s.ref().Done() }

// Halt asks the supervisor to stop, and does not wait.
func (s *Supervisor) Halt() { s.ref().Halt() }

func (s *Supervisor) ref() actor.Ref {
	if s.Ref == nil {
		return new(actor.Address[actor.None])
	}
	return s.Ref
}

// zero is the error of a call of the zero Supervisor.
func (s *Supervisor) zero(op string) error {
	return fmt.Errorf("supervisor: %s: zero value: %w", op, ErrShuttingDown)
}
