package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Codec turns messages into bytes and back. Both ends of a name must use codecs
// of the same Name. It must be safe for concurrent use. Its errors match no
// sentinel when they go on to whoever sends or receives: what errors.Is says there
// is about the actor, or its node.
type Codec interface {
	// Name goes over the wire, so that two ends with different codecs say so
	// instead of reading nonsense.
	Name() string
	Marshal(v any) ([]byte, error)
	// Unmarshal gets a pointer to the zero value of the type that was
	// marshalled. It must not keep data.
	Unmarshal(data []byte, v any) error
}

// JSON is the codec of a zero Config: encoding/json. A message's unexported
// fields do not travel.
type JSON struct{}

// Name returns "json".
func (JSON) Name() string { return "json" }

// Marshal is json.Marshal.
func (JSON) Marshal(v any) ([]byte, error) { return json.Marshal(v) }

// Unmarshal is json.Unmarshal.
func (JSON) Unmarshal(data []byte, v any) error { return json.Unmarshal(data, v) }

// guarded is a Codec whose panics, and those of the methods of types that it
// calls, are errors: most of what is encoded is encoded on a node's goroutines,
// and nobody's message may end the program.
type guarded struct{ Codec }

func (g guarded) Marshal(v any) (data []byte, err error) {
	defer recovered(&err)
	data, err = g.Codec.Marshal(v)
	return data, hidden(err)
}

func (g guarded) Unmarshal(data []byte, v any) (err error) {
	defer recovered(&err)
	return hidden(g.Codec.Unmarshal(data, v))
}

// codecError matches no sentinel: if the method of a message that decodes itself
// returns actor.ErrClosed, the actor that it is for is not closed.
type codecError struct{ error }

func (e *codecError) As(target any) bool { return errors.As(e.error, target) }

func hidden(err error) error {
	if err == nil {
		return nil
	}
	return &codecError{err}
}

func recovered(err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("cluster: the codec panicked: %v", v)
	}
}
