package cluster

import (
	"context"
	"errors"
	"fmt"

	"tinyactor/actor"
)

// sentinels are the errors that stay what they are on their way. Their places
// are their numbers on the wire: new ones go to the end.
var sentinels = []error{
	actor.ErrClosed, actor.ErrFull, actor.ErrNoReply, actor.ErrHalted, actor.ErrEmpty,
	actor.ErrAborted, actor.ErrGoexit, actor.ErrStuck,
	context.Canceled, context.DeadlineExceeded,
	ErrUnknown, ErrNodeLost, ErrNotFound, ErrNotDelivered, ErrMismatch, ErrTooLarge, ErrUnregistered, ErrNodeClosed, ErrBadName,
	errCanceled, ErrLeaseLost, ErrLevel,
}

// errCanceled is the outcome of a message that was called back in time.
var errCanceled = errors.New("cluster: canceled")

// errMoved is the outcome of a message that came where an actor was, or is not
// known to be any more: it is sent where it is now.
var errMoved = fmt.Errorf("%w: the actor moves to another node", ErrNotDelivered)

// remoteError is an error of another node: its text, and which of the sentinels
// it matched there.
type remoteError struct {
	text  string
	is    uint64 // bits by the places in sentinels
	panic *actor.PanicError
}

func (e *remoteError) Error() string { return e.text }

// Is reports what errors.Is has said of the original.
func (e *remoteError) Is(target error) bool {
	for i, s := range sentinels {
		if s == target {
			return e.is&(1<<i) != 0
		}
	}
	return false
}

// As finds the *actor.PanicError, whose Value is the text of the original's.
func (e *remoteError) As(target any) bool {
	p, ok := target.(**actor.PanicError)
	if ok = ok && e.panic != nil; ok {
		*p = e.panic
	}
	return ok
}

// appendError encodes an error, or nil. Of one whose methods panic it says that.
func appendError(dst []byte, err error) (b []byte) {
	defer func() {
		if v := recover(); v != nil {
			b = appendString(appendUint(append(dst, 1), 0), fmt.Sprintf("cluster: the methods of an error of type %T panic", err))
		}
	}()
	if err == nil {
		return append(dst, 0)
	}
	var is uint64
	for i, s := range sentinels {
		if errors.Is(err, s) {
			is |= 1 << i
		}
	}
	p, panicked := errors.AsType[*actor.PanicError](err)
	form := byte(1)
	if panicked {
		form = 2
	}
	dst = appendString(appendUint(append(dst, form), is), clip(err.Error()))
	if panicked {
		dst = appendString(appendString(dst, clip(fmt.Sprint(p.Value))), clip(string(p.Stack)))
	}
	return dst
}

// maxText is how much of an error's text and of a stack travels.
const maxText = 16 << 10

func clip(s string) string {
	if len(s) > maxText {
		return s[:maxText] + "…"
	}
	return s
}

func (r *reader) error() error {
	form := r.byte()
	if form == 0 {
		return nil
	}
	e := &remoteError{is: r.uint(), text: r.string()}
	if form == 2 {
		e.panic = &actor.PanicError{Value: r.string(), Stack: []byte(r.string())}
	}
	return e
}
