package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// A refusal is the answer to a request that was not granted.
type refusal struct {
	Error  string   `json:"error"`
	Failed *failure `json:"failed,omitempty"` // the piece because of which a post has failed
}

// answer writes what an actor has answered.
func answer(w http.ResponseWriter, status int, value any, err error) {
	var failed *failure
	switch {
	case err == nil:
		reply(w, status, value)
	case errors.As(err, &failed):
		reply(w, http.StatusInternalServerError, refusal{Error: err.Error(), Failed: failed})
	case errors.Is(err, errUnknown):
		fail(w, http.StatusNotFound, "%v", err)
	case errors.Is(err, errFull):
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusTooManyRequests, "%v", err)
	case errors.Is(err, errNotWritten):
		fail(w, http.StatusInternalServerError, "%v", err)
	default:
		// The service is stopping, or the client has gone and reads this no more.
		fail(w, http.StatusServiceUnavailable, "%v", err)
	}
}

func fail(w http.ResponseWriter, status int, format string, args ...any) {
	reply(w, status, refusal{Error: fmt.Sprintf(format, args...)})
}

func reply(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// An error here is the client's connection, of which net/http takes care.
	_ = json.NewEncoder(w).Encode(value)
}
