package supervisor

import (
	"fmt"

	"tinyactor/actor"
)

// endError is why a supervisor has ended, if it was not stopped.
type endError struct {
	id     actor.ID
	name   string
	reason reason
	child  string
	err    error // of the child, or nil
}

func (e *endError) Error() string {
	text := ""
	switch e.reason {
	case reasonAborted:
		return fmt.Sprintf("supervisor %q: aborted", e.name)
	case reasonAuto:
		return fmt.Sprintf("supervisor %q: its significant child %q has ended", e.name, e.child)
	case reasonStartFailed:
		text = "did not start"
	case reasonLimit:
		text = "one restart too many"
	default:
		text = "is stuck"
	}
	text = fmt.Sprintf("supervisor %q: child %q: %s", e.name, e.child, text)
	if e.err != nil {
		text += ": " + e.err.Error()
	}
	return text
}

func (e *endError) Is(target error) bool {
	switch e.reason {
	case reasonLimit:
		return target == ErrShutdown || target == ErrLimitExceeded
	case reasonAuto, reasonStartFailed:
		return target == ErrShutdown
	case reasonAborted:
		return target == actor.ErrAborted
	default:
		return target == actor.ErrStuck
	}
}

func (e *endError) Unwrap() error { return e.err }
