package cluster

import (
	"errors"
	"fmt"
	"strings"
)

// What a send says, beside package actor's errors.
var (
	// ErrUnknown comes when a message has left and nothing can be learnt of it
	// any more: the node died or froze, or the connection broke. It may or may
	// not have been accepted: repeat it only if that does no harm.
	ErrUnknown = errors.New("cluster: outcome unknown")

	// ErrNodeLost comes, beside ErrUnknown or in an End, when the reason is that
	// no beat of the node was heard for Config.Lost.
	ErrNodeLost = errors.New("cluster: node lost")

	// ErrNotFound comes when no living node exposes the name. The message was
	// not sent: try later.
	ErrNotFound = errors.New("cluster: no node exposes the name")

	// ErrNotDelivered comes when a message certainly did not reach the actor,
	// for a reason that is the network's or the other node's. It may be repeated.
	ErrNotDelivered = errors.New("cluster: not delivered")

	// ErrMismatch comes when the two ends do not speak of the same thing: the
	// wire version, the message type or the codec is another, or the message
	// does not decode. Mend the program that is behind.
	ErrMismatch = errors.New("cluster: mismatch")

	// ErrTooLarge comes when an encoded message or answer is larger than
	// Config.MaxSize, or than a durable inbox can ever have room for: it was not
	// sent, or not taken. And when a node would expose more names than a beat of
	// the size that the server takes can tell: of 1 MiB, some 20,000.
	ErrTooLarge = errors.New("cluster: message too large")

	// ErrUnregistered comes when a message has an interface type, or a type in
	// it, that Register was not told of. It was not sent.
	ErrUnregistered = errors.New("cluster: type not registered")

	// ErrNodeClosed comes from everything that is done with a node that was
	// closed, and from what would begin something on one that is being drained:
	// its Sends and Asks go on. Beside ErrUnknown or in an End, it is about the
	// other node.
	ErrNodeClosed = errors.New("cluster: node closed")

	// ErrLeaseLost comes, beside actor.ErrAborted, as the cause of the context of
	// a singleton or a keyed actor that was aborted because its node may not run
	// it any more: the lease could not be renewed, or another node was given it.
	ErrLeaseLost = errors.New("cluster: lease lost")

	// ErrLevel comes when a durable inbox is opened with a Level that the servers
	// do not give, as far as is said.
	ErrLevel = errors.New("cluster: level not available")

	// ErrBadName comes when a name is not made of letters, digits, -, _ and
	// single dots between them, or is longer than 128 bytes; or when a key is
	// empty, or longer than 256 bytes.
	ErrBadName = errors.New("cluster: bad name")
)

// lostError is what becomes of a message when the link under it broke.
type lostError struct {
	who    string
	causes []error // the first says what is known of the message
}

func (e *lostError) Error() string {
	parts := []string{e.who}
	for _, c := range e.causes {
		parts = append(parts, c.Error())
	}
	return strings.Join(parts, ": ")
}

func (e *lostError) Unwrap() []error { return e.causes }

// named says what an error is about. It returns nil for nil.
func named(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("cluster: %q: %w", name, err)
}
