package observer

import (
	"errors"
	"net/http"
	"time"
)

const (
	// heartbeat is how long a viewer is left without a word, so that it and what
	// is in between know that the connection lives; and the server, that the viewer does.
	heartbeat = 5 * time.Second

	// beat is that word: an event, since a page does not hear of comments.
	beat = "event: beat\ndata: 0\n\n"

	// reconnect is what browsers do by themselves after so many milliseconds.
	reconnect = "retry: 1000\n"
)

// stream sends a viewer what there is, and then what changes, until it leaves,
// stops taking it, or the server is shut down.
func (h *handler) stream(w http.ResponseWriter, r *http.Request) {
	ended := h.servers.ended(r.Context())
	select {
	case <-ended:
		refuse(w, http.StatusServiceUnavailable, "The server is shutting down.")
		return
	default:
	}
	if !h.feed.enter() {
		w.Header().Set("Retry-After", "5")
		refuse(w, http.StatusServiceUnavailable, "Too many are looking already: Options.Viewers is the limit.")
		return
	}
	defer h.feed.leave()

	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold it back
	out := newPacedWriter(w)
	if err := out.start(); errors.Is(err, http.ErrNotSupported) {
		w.Header().Del("X-Accel-Buffering")
		refuse(w, http.StatusInternalServerError, "What the handler is wrapped in cannot flush, so there is no stream through it.")
		return
	}
	defer out.extend(0) // for net/http, to end the answer
	if r.Method == http.MethodHead {
		return
	}
	if out.write([]byte(reconnect)) != nil {
		return
	}
	var seen uint64
	for {
		events, now, due := h.feed.after(seen)
		if len(events) == 0 {
			events = [][]byte{[]byte(beat)}
		}
		if out.write(events...) != nil {
			return
		}
		seen = now
		select {
		case <-time.After(min(time.Until(due), heartbeat)):
		case <-r.Context().Done():
			return
		case <-ended:
			return
		}
	}
}
