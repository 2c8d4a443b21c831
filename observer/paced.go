package observer

import (
	"net/http"
	"slices"
	"time"
)

const (
	pace     = 10 * time.Second // how long a client may take for a piece
	paceSize = 64 << 10         // bytes of a piece
)

// pacedWriter writes as long as the client takes something, instead of as long as
// the server's timeouts allow, which are made for short answers. A client that
// takes nothing is given up soon.
type pacedWriter struct {
	to      http.ResponseWriter
	control *http.ResponseController
}

func newPacedWriter(w http.ResponseWriter) pacedWriter {
	return pacedWriter{w, http.NewResponseController(w)}
}

// start begins an answer that goes on while there is a client.
func (p pacedWriter) start() error {
	p.extend(0)
	return p.control.Flush()
}

// write writes texts and sees to it that they are sent.
func (p pacedWriter) write(texts ...[]byte) error {
	for _, text := range texts {
		for piece := range slices.Chunk(text, paceSize) {
			p.extend(0)
			if _, err := p.to.Write(piece); err != nil {
				return err
			}
		}
	}
	if err := p.control.Flush(); err != nil {
		return err
	}
	// HTTP/2 ends a stream when its deadline passes, whether something is written or not.
	_ = p.control.SetWriteDeadline(time.Time{})
	return nil
}

// extend leaves the handler so much time to make an answer, and the client as long
// as for a piece to take it. Where deadlines cannot be set, the server's stay.
func (p pacedWriter) extend(d time.Duration) {
	_ = p.control.SetWriteDeadline(time.Now().Add(d + pace))
}
