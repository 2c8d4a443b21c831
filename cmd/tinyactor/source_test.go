package main

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// serve serves h at the path that an observer would be mounted at.
func serve(t *testing.T, h http.HandlerFunc) (address string) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/actors/snapshot.json", h)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + "/debug/actors"
}

// snapshots serves what it is given.
func snapshots(snapshot any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(snapshot)
	}
}

func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestAddresses(t *testing.T) {
	const get = "http://h:1/debug/actors/snapshot.json"
	for _, address := range []string{
		"http://h:1/debug/actors", "http://h:1/debug/actors/", "http://h:1/debug/actors//", "h:1/debug/actors",
		"http://u:p@h:1/debug/actors/", "http://h:1/debug/actors/#top", get,
	} {
		s, err := newSource(address, nil)
		if err != nil || s.get != get || s.base != "http://h:1/debug/actors" {
			t.Errorf("%s: %+v, %v", address, s, err)
		}
	}
	for address, want := range map[string]string{
		"localhost":                "http://localhost/snapshot.json",
		"https://h":                "https://h/snapshot.json",
		"https://[::1]:8443/a%20b": "https://[::1]:8443/a%20b/snapshot.json",
		"http://h/a?token=1":       "http://h/a/snapshot.json?token=1",
	} {
		if s, err := newSource(address, nil); err != nil || s.get != want {
			t.Errorf("%s: %+v, %v", address, s, err)
		}
	}
	for _, address := range []string{"", "ftp://h/", "http://", "http:///x", "http://h:port/", "http://u:secret@h:x", "::"} {
		if _, err := newSource(address, nil); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestCredentials: what the user gave reaches the server, and not the screen.
func TestCredentials(t *testing.T) {
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		switch {
		case user == "ada" && password == "s3cret", r.Header.Get("Authorization") == "Bearer s3cret":
			snapshots(sample())(w, r)
		case r.Header.Get("X-Tenant") != "":
			http.Error(w, "no", http.StatusForbidden)
		default:
			http.Error(w, "who?", http.StatusUnauthorized)
		}
	})
	try := func(address string, headers ...string) string {
		var o options
		o.header = http.Header{}
		for _, h := range headers {
			if err := o.addHeader(h); err != nil {
				t.Fatal(err)
			}
		}
		s, err := newSource(address, o.header)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(s.base+s.host, "s3cret") {
			t.Errorf("what is shown is %s, %s", s.base, s.host)
		}
		if _, err = s.snapshot(t.Context()); err != nil {
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("a password in %q", err)
			}
			return err.Error()
		}
		return ""
	}
	with := func(user string) string { return strings.Replace(address, "://", "://"+user+"@", 1) }
	ask := " wants to know who asks (401 Unauthorized): write user:password@ before the host in the address, or give -H 'Authorization: …'"
	if got := try(address); got != address+ask {
		t.Errorf("without: %s", got)
	}
	if got := try(with("ada:s3cret")); got != "" {
		t.Errorf("with user and password: %s", got)
	}
	if got := try(address, "authorization: Bearer s3cret"); got != "" {
		t.Errorf("with a header: %s", got)
	}
	if got := try(with("bob:s3cret"), "Authorization: Bearer s3cret"); got != "" {
		t.Errorf("the header does not win: %s", got)
	}
	if got := try(with("ada:s3crets")); !strings.Contains(got, "refuses these credentials (401 Unauthorized): check the user") {
		t.Errorf("with a wrong password: %s", got)
	}
	if got := try(address, "X-Tenant: a"); !strings.Contains(got, "(403 Forbidden): write user:password@") {
		t.Errorf("403: %s", got)
	}
}

func TestErrors(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := closed.Addr().String()
	closed.Close()

	secure := httptest.NewUnstartedServer(snapshots(sample()))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of what is tried below
	secure.StartTLS()
	t.Cleanup(secure.Close)
	newer := map[string]any{"schema": 7, "actors": "what it may be"}
	wrong := map[string]any{"schema": 1, "actors": 1}

	for _, c := range []struct{ name, address, want string }{
		{"nobody", nobody + "/x", "nobody listens at " + nobody + ": start the program, or correct the address"},
		{"no host", "http://tinyactor.invalid/", "there is no host tinyactor.invalid: correct the address"},
		{"404", serve(t, http.NotFound), "there is no observer at ADDRESS (404 Not Found): give the address under which the program mounts it, such as " + example},
		{
			"a page", serve(t, answer(200, "text/html; charset=utf-8", "<html>")),
			"what ADDRESS/snapshot.json sends is not a snapshot (a page): give the address under which the program mounts its observer, such as " + example,
		},
		{"text", serve(t, answer(200, "text/plain", "hello")), "what ADDRESS/snapshot.json sends is not a snapshot (not JSON): give the address"},
		{"other JSON", serve(t, answer(200, "application/json", `{"a":1}`)), "what ADDRESS/snapshot.json sends is not a snapshot (JSON without a schema): give"},
		{"a list", serve(t, answer(200, "application/json", `[]`)), "what ADDRESS/snapshot.json sends is not a snapshot (not JSON): give"},
		{"wrong types", serve(t, snapshots(wrong)), "what ADDRESS/snapshot.json sends is not a snapshot (it has other types): give"},
		{
			"schema", serve(t, snapshots(newer)),
			"the program sends snapshots of schema 7, and this command knows schema 1: build the command from the version of the library that the program uses; -json prints what comes",
		},
		{"500", serve(t, answer(500, "text/plain", "")), "ADDRESS has no snapshot now (500 Internal Server Error): try again later, or look into the program's log"},
		{"503", serve(t, answer(503, "text/plain", "")), "ADDRESS has no snapshot now (503 Service Unavailable): try again later"},
		{"429", serve(t, answer(429, "text/plain", "")), "ADDRESS has no snapshot now (429 Too Many Requests): try again later"},
		{"405", serve(t, answer(405, "text/plain", "")), "ADDRESS answers 405 Method Not Allowed: give the address"},
		{"TLS there", "http://" + secure.Listener.Addr().String(), secure.Listener.Addr().String() + " speaks TLS: write https:// instead of http://"},
		{"TLS here", strings.Replace(serve(t, snapshots(sample())), "http:", "https:", 1), " does not speak TLS: write http:// instead of https://"},
		{"certificate", secure.URL, "the certificate of " + secure.Listener.Addr().String() + " is not trusted ("},
		{"hangs", serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), " has not answered within 50ms: see whether the program hangs, or correct the address"},
		{
			"breaks off", serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "100")
				_, _ = io.WriteString(w, `{"schema":1`)
			}), " does not answer (unexpected EOF): start the program, or correct the address",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := newSource(c.address, nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.name == "hangs" {
				s.client.Timeout = 50 * time.Millisecond
			}
			_, err = s.snapshot(t.Context())
			if want := strings.ReplaceAll(c.want, "ADDRESS", s.base); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
	t.Run("interrupted", func(t *testing.T) {
		s, _ := newSource(nobody, nil)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.snapshot(ctx); err == nil || err.Error() != "interrupted before an answer came" {
			t.Errorf("got %v", err)
		}
	})
}

// TestRedirections: what the user gave is for one server.
func TestRedirections(t *testing.T) {
	var asked int
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	t.Cleanup(other.Close)
	there := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
	s, err := newSource(serve(t, http.RedirectHandler(there, http.StatusFound).ServeHTTP), http.Header{"X-Token": {"x"}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.snapshot(t.Context())
	if want := s.base + " leads to " + there + " (302 Found): give that address if the program is there"; err == nil || err.Error() != want || asked > 0 {
		t.Errorf("asked %d times; %v, want %s", asked, err, want)
	}

	moved := http.NewServeMux()
	moved.Handle("/new/snapshot.json", snapshots(sample()))
	moved.Handle("/old/", http.RedirectHandler("/new/snapshot.json", http.StatusMovedPermanently))
	moved.HandleFunc("/loop/", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) })
	server := httptest.NewServer(moved)
	t.Cleanup(server.Close)
	for path, want := range map[string]string{"/old": "", "/loop": " leads to /loop/snapshot.json (302 Found)"} {
		s, err := newSource(server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.snapshot(t.Context()); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, c := range []struct {
		from, to string
		follows  bool
	}{
		{"http://h/a", "http://h/b", true},
		{"http://h:80/a", "https://h/a", true},
		{"http://h:8080/a", "https://h:8443/a", true},
		{"https://h/a", "http://h/a", false},
		{"http://h:1/a", "http://h:2/a", false},
		{"https://h/a", "https://g/a", false},
	} {
		from, to := httptest.NewRequest("GET", c.from, nil), httptest.NewRequest("GET", c.to, nil)
		if got := sameServer(to, []*http.Request{from}) == nil; got != c.follows {
			t.Errorf("%s to %s: %v", c.from, c.to, got)
		}
	}
}
