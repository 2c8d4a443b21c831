package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"tinyactor/actor"
)

const (
	maxName  = 1024 // bytes
	maxWords = 1000 // that one may ask for
)

const paths = "/texts?name=…, /texts/{name}, /words?n=…, /tasks/snapshot, /crash, /stats, /healthz and " + actorsPath

// handler routes the requests. Everything is answered in JSON, errors too.
func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	for _, route := range []struct {
		method, path string
		handle       http.HandlerFunc
	}{
		{"POST", "/texts", s.postText},
		{"GET", "/texts/{name...}", s.getText},
		{"GET", "/words", s.getWords},
		{"GET", "/tasks/{task}", s.getTask},
		{"POST", "/tasks/{task}", s.changeTask},
		{"POST", "/tasks/{task}/{action}", s.controlTask},
		{"POST", "/crash", s.postCrash},
		{"GET", "/stats", s.getStats},
		{"GET", "/healthz", s.getHealth},
	} {
		mux.HandleFunc(route.method+" "+route.path, route.handle)
	}
	for path, allowed := range map[string]string{
		"/texts":                 "POST",
		"/texts/{name...}":       "GET, HEAD",
		"/words":                 "GET, HEAD",
		"/tasks/{task}":          "GET, HEAD, POST",
		"/tasks/{task}/{action}": "POST",
		"/crash":                 "POST",
		"/stats":                 "GET, HEAD",
		"/healthz":               "GET, HEAD",
	} {
		mux.HandleFunc(path, only(allowed))
	}
	mux.HandleFunc("/", noSuchPath)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.underWay.Add(1)
		defer s.underWay.Add(-1)
		if _, err := url.ParseQuery(r.URL.RawQuery); err != nil {
			fail(w, http.StatusBadRequest, "the query must be of the form a=b&c=d: %v", err)
			return
		}
		if p := r.URL.Path; p != "/" && path.Clean(p) != strings.TrimSuffix(p, "/") {
			noSuchPath(w, r) // the mux would answer with a page that redirects
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func noSuchPath(w http.ResponseWriter, r *http.Request) {
	fail(w, http.StatusNotFound, "there is no %s; there are %s", r.URL.Path, paths)
}

// only answers requests for a path that exists by a method that does not.
func only(allowed string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allowed)
		fail(w, http.StatusMethodNotAllowed, "the method is %s and must be %s", r.Method, allowed)
	}
}

// postText admits the body as the text of the given name. The answer comes when
// the text is admitted, which is before it has been counted, or with wait=true
// when it has been counted or has failed. A text whose client does not wait for
// the answer, or goes away, is counted all the same.
func (s *service) postText(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	name := query.Get("name")
	if !validName(name) {
		fail(w, http.StatusBadRequest, "the name is %q and must be a path in UTF-8 of 1 to %d bytes, without empty parts, \".\" and \"..\": POST /texts?name=…", name, maxName)
		return
	}
	wait := false
	if query.Has("wait") {
		var err error
		if wait, err = strconv.ParseBool(query.Get("wait")); err != nil {
			fail(w, http.StatusBadRequest, "wait is %q and must be true or false", query.Get("wait"))
			return
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.maxBytes))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		fail(w, http.StatusRequestEntityTooLarge, "the text is too large and must have at most %d bytes", tooLarge.Limit)
		return
	}
	if err != nil {
		fail(w, http.StatusBadRequest, "reading the text: %v", err)
		return
	}
	if len(body) == 0 {
		fail(w, http.StatusBadRequest, "the text is empty and must have 1 to %d bytes", s.maxBytes)
		return
	}
	status := http.StatusAccepted
	if wait {
		status = http.StatusOK
	}
	var ticket uint64
	if wait {
		ticket = s.tickets.Add(1)
		defer func() { _ = s.store.address.SendNow(forget{ticket}) }() // a store that has ended has forgotten all
	}
	got, err := actor.Ask(r.Context(), s.store.address, post{text: name, pieces: s.split(string(body)), ticket: ticket}.to)
	if err == nil && wait {
		got, err = askAgain(r.Context(), s.store.address, await{ticket: ticket}.to)
	}
	answer(w, status, got, err)
}

// validName reports whether GET /texts/{name} can ask for a text of that name.
func validName(name string) bool {
	return name != "" && len(name) <= maxName && utf8.ValidString(name) && path.Clean("/"+name) == "/"+name
}

func (s *service) getText(w http.ResponseWriter, r *http.Request) {
	ask(w, r, s.store.address, lookUp{text: r.PathValue("name")}.to)
}

func (s *service) getWords(w http.ResponseWriter, r *http.Request) {
	n := 10
	if query := r.URL.Query(); query.Has("n") {
		var err error
		n, err = strconv.Atoi(query.Get("n"))
		if err != nil || n < 1 || n > maxWords {
			fail(w, http.StatusBadRequest, "n is %q and must be a number from 1 to %d", query.Get("n"), maxWords)
			return
		}
	}
	ask(w, r, s.store.address, topWords{n: n}.to)
}

// ask answers a request with what an actor says.
func ask[M, R any](w http.ResponseWriter, r *http.Request, to *actor.Address[M], msg func(actor.Reply[R]) M) {
	value, err := actor.Ask[M](r.Context(), to, msg)
	answer(w, http.StatusOK, value, err)
}

// askFor asks for one of several figures that make up an answer.
func askFor[M, R any](ctx context.Context, to *actor.Address[M], msg func(actor.Reply[R]) M, value *R) (err error) {
	*value, err = actor.Ask[M](ctx, to, msg)
	return err
}
