package actor

import (
	"errors"
	"fmt"
)

// What a send says.
var (
	// ErrClosed comes from a send when the actor takes no more messages: the
	// message was not accepted, and no later one will be. It comes from a
	// receive when the inbox is closed and empty: return.
	ErrClosed = errors.New("actor: closed")

	// ErrFull comes from a send that would have to wait but must not: TrySend
	// and SendNow never wait, and a process cannot wait for room in its own
	// inbox. The message was not accepted: try later, or drop it.
	ErrFull = errors.New("actor: inbox full")

	// ErrNoReply comes from Ask when the question was accepted and no answer
	// can come any more. Whether it had an effect is unknown. The error also
	// matches its cause, a *PanicError for instance, but never ErrClosed.
	ErrNoReply = errors.New("actor: no reply")
)

// What a receive says.
var (
	// ErrHalted comes once from a receive of a process that was asked to stop:
	// finish and return. Later receives go on as if nothing had happened.
	ErrHalted = errors.New("actor: halted")

	// ErrEmpty comes from TryRecv when there is nothing to receive now: do
	// something else, and try again when Ready says so.
	ErrEmpty = errors.New("actor: inbox empty")
)

// What the end of a process says.
var (
	// ErrAborted comes as the exit of a process that was torn down, and as the
	// cause of its context's end. What the process had in hand is in an unknown
	// state: repeat it, or report it.
	ErrAborted = errors.New("actor: aborted")

	// ErrGoexit comes as the exit of a process whose body called
	// runtime.Goexit, as testing.T.FailNow does: return from the body instead.
	ErrGoexit = errors.New("actor: body called runtime.Goexit")

	// ErrStuck comes from Stop and Drain when a process was aborted and its
	// body has not ended within StuckAfter. A goroutine cannot be killed: the
	// error's text says which process it is and where it hangs. Mend the body:
	// what it waits for belongs beside ctx.Done() in a select.
	ErrStuck = errors.New("actor: stuck")
)

// PanicError is the exit of a process whose body panicked.
type PanicError struct {
	Value any    // what was given to panic
	Stack []byte // of the goroutine, taken while it panicked
}

// Error returns the value's text, without the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns Value if it is an error, as a [runtime.Error] is.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// opError says which actor and what happened before the cause.
type opError struct {
	who   string
	op    string
	cause error
}

func (e *opError) Error() string {
	text := e.cause.Error()
	switch e.cause {
	case ErrClosed:
		text = "closed"
	case ErrFull:
		text = "inbox full"
	case ErrAborted:
		text = "aborted"
	case ErrGoexit:
		text = "body called runtime.Goexit"
	}
	if e.op == "" {
		return e.who + ": " + text
	}
	return e.who + ": " + e.op + ": " + text
}

func (e *opError) Unwrap() error { return e.cause }

// noReplyError is ErrNoReply and what is behind it. It has no Unwrap, because
// it must not match ErrClosed, whatever its cause.
type noReplyError struct {
	who   string
	why   string
	cause error // may be nil
}

func (e *noReplyError) Error() string {
	text := e.who + ": ask: no reply: " + e.why
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

func (e *noReplyError) Is(target error) bool {
	return target == ErrNoReply || target != ErrClosed && errors.Is(e.cause, target)
}

func (e *noReplyError) As(target any) bool {
	return e.cause != nil && errors.As(e.cause, target)
}

// stuckError is ErrStuck with the account of one process.
type stuckError struct{ text string }

func (e *stuckError) Error() string        { return e.text }
func (e *stuckError) Is(target error) bool { return target == ErrStuck }
