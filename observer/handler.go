package observer

import (
	"context"
	"errors"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// Handler returns what serves the page that shows the actors, and what the page
// asks for. It is mounted on a server of the program's own, under any path:
//
//	mux.Handle("/debug/actors/", http.StripPrefix("/debug/actors", o.Handler()))
//
// Whoever reaches it reads the names of actors, the types of messages, the texts
// of panics and the stacks of goroutines, and with Options.Actions ends actors:
// mount it behind the authentication that the program has, or on a listener that
// only its operators reach. What Options.Redact blanks is not sent. Requests that
// change something are refused if a browser sends them for a page of another origin.
//
// All viewers of a Handler share its looks, one each Options.Every, and nothing is
// looked at while there is none; no goroutine but those of the requests runs. A
// viewer's connection outlives the server's WriteTimeout, ends with
// [http.Server.Shutdown], and ends if it takes nothing for ten seconds.
func (o *Observer) Handler() http.Handler { return newHandler(o, o.opts) }

// source is what a handler shows: an Observer.
type source interface {
	Snapshot() Snapshot
	stack(id uint64) (string, error)
	trace() (trace []byte, recorded time.Time, ok bool)
	act(ctx context.Context, id uint64, verb string) error
}

// handler serves what a source shows.
type handler struct {
	source  source
	actions bool
	feed    *feed
	servers servers
}

func newHandler(s source, o Options) http.Handler {
	h := &handler{source: s, actions: o.Actions, feed: newFeed(s, o.Every, o.Viewers)}
	return guard(h)
}

// ServeHTTP finds what a path stands for. An http.ServeMux would redirect what is
// not a clean path to an absolute one, without the prefix that was stripped.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// From the first request on, and not only with a stream: one that came while the
	// server is being shut down would learn of it too late.
	h.servers.ended(r.Context())

	if r.Method == http.MethodPost && !h.actions {
		refuse(w, http.StatusForbidden, "Actions are off: Options.Actions turns them on.")
		return
	}
	if r.URL.Path == "" && redirect(w, r) {
		return
	}
	at := strings.TrimPrefix(r.URL.Path, "/")
	method, serve := http.MethodGet, http.HandlerFunc(nil)
	switch segments := strings.Split(at, "/"); {
	case at == "snapshot.json":
		serve = h.snapshot
	case at == "stream":
		serve = h.stream
	case at == "trace":
		serve = h.trace
	case len(segments) == 3 && segments[0] == "actors":
		method, serve = h.actor(segments[1], segments[2])
	default:
		serve = static(at)
	}
	switch {
	case serve == nil:
		refuse(w, http.StatusNotFound, "There is nothing at this path: is the handler mounted with http.StripPrefix?")
	case r.Method == method, r.Method == http.MethodHead && method == http.MethodGet:
		serve(w, r)
	case method == http.MethodGet:
		w.Header().Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, "This path can only be read.")
	default:
		w.Header().Set("Allow", method)
		refuse(w, http.StatusMethodNotAllowed, "This path takes nothing but a "+method+".")
	}
}

// redirect leads from the mount point without its last slash, where relative
// URLs would go astray, to the one with it. The prefix that was stripped is not
// known, so the answer is relative, too: to the last segment that the client knows.
func redirect(w http.ResponseWriter, r *http.Request) bool {
	known, query, _ := strings.Cut(r.RequestURI, "?")
	if known == "" || strings.HasSuffix(known, "/") {
		return false // the slash was stripped with the prefix
	}
	to := "./" + path.Base(known) + "/"
	if query != "" {
		to += "?" + query
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusTemporaryRedirect)
	return true
}

// actor returns what serves the path actors/id/what, and by which method.
func (h *handler) actor(id, what string) (method string, serve http.HandlerFunc) {
	switch what {
	case "stack":
		return http.MethodGet, withID(id, h.stack)
	case "halt", "abort", "restart":
		return http.MethodPost, withID(id, func(w http.ResponseWriter, r *http.Request, id uint64) {
			h.act(w, r, id, what)
		})
	default:
		return http.MethodGet, nil
	}
}

// withID gives serve an actor's id, if it is written as this package writes it.
func withID(text string, serve func(http.ResponseWriter, *http.Request, uint64)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.ParseUint(text, 10, 64)
		if err != nil || id == 0 || strconv.FormatUint(id, 10) != text {
			refuse(w, http.StatusBadRequest, "The id of an actor is a number from 1 on.")
			return
		}
		serve(w, r, id)
	}
}

func (h *handler) snapshot(w http.ResponseWriter, _ *http.Request) {
	text := encode(h.source.Snapshot())
	w.Header().Set("Content-Type", "application/json")
	send(w, text)
}

func (h *handler) stack(w http.ResponseWriter, _ *http.Request, id uint64) {
	text, err := h.source.stack(id)
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	send(w, []byte(text))
}

func (h *handler) trace(w http.ResponseWriter, _ *http.Request) {
	trace, recorded, ok := h.source.trace()
	if !ok {
		refuse(w, http.StatusNotFound, "No trace has been recorded: one is when an actor panics or is stuck, if Options.Trace is set.")
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", `attachment; filename="`+recorded.UTC().Format("20060102T150405Z")+`.trace"`)
	w.Header().Set("Last-Modified", recorded.UTC().Format(http.TimeFormat))
	send(w, trace)
}

func (h *handler) act(w http.ResponseWriter, r *http.Request, id uint64, verb string) {
	// A restart may take longer than the server's WriteTimeout, and must not be left
	// half done because whoever asked for it has gone.
	newPacedWriter(w).extend(longestRestart)
	if err := h.source.act(context.WithoutCancel(r.Context()), id, verb); err != nil {
		fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// fail answers with what an error of the source means.
func fail(w http.ResponseWriter, err error) {
	code := http.StatusInternalServerError
	switch {
	case errors.Is(err, errUnknown):
		code = http.StatusNotFound
	case errors.Is(err, errTooOften):
		code = http.StatusTooManyRequests
		w.Header().Set("Retry-After", "1")
	case errors.Is(err, errStillStopping):
		code = http.StatusAccepted
	case errors.Is(err, errNotApplicable):
		code = http.StatusConflict
	}
	text := strings.TrimPrefix(err.Error(), "observer: ")
	refuse(w, code, strings.ToUpper(text[:1])+text[1:]+".")
}

// refuse answers with one sentence.
func refuse(w http.ResponseWriter, code int, sentence string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, sentence+"\n") // whoever is gone needs no answer
}

// send answers with a text of any size.
func send(w http.ResponseWriter, text []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	_ = newPacedWriter(w).write(text) // as above
}
