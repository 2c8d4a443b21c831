package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
	"unicode/utf8"

	"tinyactor/actor"
)

// Limits of what is posted.
const (
	maxID   = 200      // bytes
	maxText = 32 << 10 // bytes
)

// patience is how long a request waits: for room in the inbox, or while the inbox
// or the totals move because a node has died.
const patience = 5 * time.Second

// handler answers requests. All nodes answer the same.
func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /texts", s.postText)
	mux.HandleFunc("GET /counts", func(w http.ResponseWriter, r *http.Request) {
		ask(s, w, r, look{}.to)
	})
	mux.HandleFunc("GET /words", func(w http.ResponseWriter, r *http.Request) {
		ask(s, w, r, list{After: r.URL.Query().Get("after")}.to)
	})
	mux.Handle("/debug/actors/", http.StripPrefix("/debug/actors", s.watch.Handler()))
	return mux
}

// postText puts a text into the inbox. 202 means that most nodes have it, and that
// it will be counted once. 503 means that this is not known: the same text with the
// same id may be posted again, here or at any other node.
func (s *service) postText(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("id")
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxText))
	switch _, tooLarge := errors.AsType[*http.MaxBytesError](err); {
	case tooLarge:
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	case err != nil:
		return // whoever has asked is gone
	case id == "" || len(id) > maxID || !utf8.ValidString(id) || !utf8.Valid(body):
		http.Error(w, "want /texts?id=…, of at most 200 bytes, and all in UTF-8", http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	if err := s.inbox.Send(ctx, text{id, string(body)}); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// ask answers with what the totals say, on whatever node they are.
func ask[R any](s *service, w http.ResponseWriter, r *http.Request, msg func(actor.Reply[R]) totalsMsg) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	answer, err := actor.Ask(ctx, s.totals, msg)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(answer) //nolint:errcheck // whoever has asked is gone
}
