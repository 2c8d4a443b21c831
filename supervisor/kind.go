package supervisor

import (
	"errors"

	"tinyactor/actor"
)

// kindOf says what kind of exit a process had that ended with err. started: it
// had called Started.
func kindOf(err error, started bool) exitKind {
	if err == nil {
		return exitNormal
	}
	return kindOfError(err, started)
}

func kindOfError(err error, started bool) exitKind {
	var panicked *actor.PanicError
	switch {
	case errors.As(err, &panicked), // whatever was given to panic
		errors.Is(err, actor.ErrAborted),
		errors.Is(err, actor.ErrGoexit),
		errors.Is(err, actor.ErrStuck),
		errors.Is(err, actor.ErrNoReply): // somebody else ended, with whatever cause
		return exitFailed
	case errors.Is(err, ErrIgnore) && !started:
		return exitIgnored
	case errors.Is(err, ErrShutdown), errors.Is(err, actor.ErrHalted):
		return exitShutdown
	}
	return exitFailed
}

// kind is what a supervisor's end is to its own supervisor.
func (r reason) kind() exitKind {
	switch r {
	case reasonStopped:
		return exitNormal
	case reasonStartFailed, reasonLimit, reasonAuto:
		return exitShutdown
	default: // aborted, or a stuck process: as a crash
		return exitFailed
	}
}
