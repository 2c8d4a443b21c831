package cluster

import (
	"encoding/json"
	"fmt"
)

// Codec turns messages into bytes and back. Both ends of a name must use codecs
// of the same Name. It must be safe for concurrent use.
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
	return g.Codec.Marshal(v)
}

func (g guarded) Unmarshal(data []byte, v any) (err error) {
	defer recovered(&err)
	return g.Codec.Unmarshal(data, v)
}

func recovered(err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("cluster: the codec panicked: %v", v)
	}
}
