package observer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// serve serves what a source shows below /actors/.
func serve(t *testing.T, s source, o Options) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.StripPrefix("/actors", newHandler(s, o)))
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	return server
}

// The handler works below any prefix, however it is stripped, and knows none.
func TestPrefixes(t *testing.T) {
	for _, c := range []struct{ pattern, strip, mount string }{
		{"/", "", "/"},
		{"/debug/actors/", "/debug/actors", "/debug/actors/"},
		{"/debug/actors/", "/debug/actors/", "/debug/actors/"}, // with the slash, too
		{"/a/{tenant}/actors/", "/a/b c/actors", "/a/b%20c/actors/"},
	} {
		mux := http.NewServeMux()
		mux.Handle(c.pattern, http.StripPrefix(c.strip, newHandler(newFakeSource(2), Options{})))
		server := httptest.NewServer(mux)
		defer server.Close()
		defer server.CloseClientConnections()
		mount := server.URL + c.mount
		page := body(t, fetch(t, server.Client(), mount, http.StatusOK))
		if !strings.Contains(page, "<html") {
			t.Errorf("%s is not the page but %.100q", mount, page)
		}
		var s Snapshot
		if err := json.Unmarshal([]byte(body(t, fetch(t, server.Client(), mount+"snapshot.json", http.StatusOK))), &s); err != nil || len(s.Actors) != 2 {
			t.Errorf("%ssnapshot.json: %d actors, %v", mount, len(s.Actors), err)
		}
		if err := newViewer(fetch(t, server.Client(), mount+"stream", http.StatusOK).Body).next(); err != nil {
			t.Errorf("%sstream: %v", mount, err)
		}
		for at := range assets() {
			fetch(t, server.Client(), mount+at, http.StatusOK)
		}
	}
}

// The path of the mount point without its last slash leads to the one with it,
// also if a proxy has changed what stands before it.
func TestMissingSlash(t *testing.T) {
	h := http.StripPrefix("/debug/actors", newHandler(newFakeSource(0), Options{}))
	mux := http.NewServeMux()
	mux.Handle("/debug/actors", h)
	mux.Handle("/debug/actors/", h)
	server := httptest.NewServer(http.StripPrefix("/outside", mux))
	defer server.Close()
	response := fetch(t, server.Client(), server.URL+"/outside/debug/actors?theme=dark", http.StatusOK)
	if got := response.Request.URL.RequestURI(); got != "/outside/debug/actors/?theme=dark" {
		t.Errorf("it leads to %s", got)
	}
	for _, uri := range []string{"/debug/actors", "//evil.example", "/http:evil", `/\evil.example`, "/a/..", "/%2e%2e", "/a%0d%0ab", "http://own.example/x"} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "http://own.example/", nil)
		r.RequestURI, r.URL.Path = uri, ""
		newHandler(newFakeSource(0), Options{}).ServeHTTP(w, r)
		to, err := url.Parse(w.Header().Get("Location"))
		if w.Code != http.StatusTemporaryRedirect || err != nil || to.IsAbs() || to.Host != "" || !strings.HasPrefix(to.Path, "./") {
			t.Errorf("%s: %d to %q, want a relative path", uri, w.Code, w.Header().Get("Location"))
		}
	}
}

// Everything says to browsers what they may do with it, also refusals.
func TestHeaders(t *testing.T) {
	server := serve(t, newFakeSource(1), Options{Viewers: 1})
	want := map[string]string{
		"Content-Security-Policy":      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		"Cross-Origin-Resource-Policy": "same-origin",
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Cache-Control":                "no-store",
	}
	for _, c := range []struct {
		method, path string
		status       int
		kind         string
	}{
		{"GET", "/", 200, "text/html"},
		{"GET", "/snapshot.json", 200, "application/json"},
		{"HEAD", "/snapshot.json", 200, "application/json"},
		{"HEAD", "/stream", 200, "text/event-stream"},
		{"GET", "/stream", 200, "text/event-stream"},
		{"GET", "/stream", 503, "text/plain"}, // the one before goes on
		{"GET", "/actors/1/stack", 200, "text/plain"},
		{"GET", "/trace", 404, "text/plain"},
		{"GET", "/no/such", 404, "text/plain"},
		{"GET", "//", 404, "text/plain"},
		{"GET", "/../snapshot.json", 404, "text/plain"},
		{"GET", "/static/index.html", 404, "text/plain"},
		{"GET", "/uplot", 404, "text/plain"},
		{"GET", "/actors/1", 404, "text/plain"},
		{"GET", "/actors/1/kill", 404, "text/plain"},
		{"POST", "/actors/1/kill", 403, "text/plain"},
		{"GET", "/actors/x/stack", 400, "text/plain"},
		{"POST", "/actors/1/halt", 403, "text/plain"},
		{"POST", "/stream", 403, "text/plain"},
		{"PUT", "/stream", 405, "text/plain"},
		{"GET", "/actors/1/halt", 405, "text/plain"},
	} {
		response := request(t, server.Client(), c.method, server.URL+"/actors"+c.path, c.status)
		for name, value := range want {
			if got := response.Header.Get(name); got != value && (c.path != "/" || name != "Cache-Control") {
				t.Errorf("%s %s: %s: %q, want %q", c.method, c.path, name, got, value)
			}
		}
		if kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type")); kind != c.kind {
			t.Errorf("%s %s is of type %q (%v), want %q", c.method, c.path, kind, err, c.kind)
		}
		if response.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s %s may be read by other origins", c.method, c.path)
		}
		if c.status >= 400 && c.method != "HEAD" {
			sentence := body(t, response)
			if strings.Count(sentence, "\n") != 1 || !strings.HasSuffix(sentence, ".\n") && !strings.HasSuffix(sentence, "?\n") {
				t.Errorf("%s %s says %q, want a sentence", c.method, c.path, sentence)
			}
		}
		if c.status == 200 && c.path == "/stream" && response.Header.Get("X-Accel-Buffering") != "no" {
			t.Error("nginx would buffer the stream")
		}
	}
}

func TestMethods(t *testing.T) {
	server := serve(t, newFakeSource(1), Options{Actions: true})
	for path, allowed := range map[string][]string{
		"/":                 {"GET", "HEAD"},
		"/app.js":           {"GET", "HEAD"},
		"/snapshot.json":    {"GET", "HEAD"},
		"/stream":           {"GET", "HEAD"},
		"/trace":            {"GET", "HEAD"},
		"/actors/1/stack":   {"GET", "HEAD"},
		"/actors/1/halt":    {"POST"},
		"/actors/1/abort":   {"POST"},
		"/actors/1/restart": {"POST"},
	} {
		if strings.HasSuffix(path, ".js") && assets()["app.js"].text == nil {
			continue
		}
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"} {
			if slices.Contains(allowed, method) {
				continue
			}
			response := request(t, server.Client(), method, server.URL+"/actors"+path, http.StatusMethodNotAllowed)
			if got := response.Header.Get("Allow"); got != strings.Join(allowed, ", ") {
				t.Errorf("%s %s: Allow: %s, want %v", method, path, got, allowed)
			}
		}
	}
}

// Nothing is done to an actor but with Options.Actions and for the page itself.
func TestActions(t *testing.T) {
	errs := map[uint64]error{
		2: errUnknown,
		3: fmt.Errorf("%w: nobody supervises it", errNotApplicable),
		4: errors.New("something else"),
	}
	same := []string{"Sec-Fetch-Site", "same-origin"}
	for _, c := range []struct {
		actions bool
		path    string
		header  []string
		status  int
	}{
		{true, "1/halt", same, 204},
		{true, "1/abort", nil, 204}, // no browser sends no such header
		{true, "18446744073709551615/restart", same, 204},
		{true, "1/halt", []string{"Sec-Fetch-Site", "none"}, 204},
		{true, "1/halt", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{true, "1/halt", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{true, "1/halt", []string{"Origin", "https://evil.example"}, 403},
		{true, "1/halt", []string{"Origin", "null"}, 403},
		{false, "1/halt", same, 403},
		{false, "1/abort", nil, 403},
		{false, "1/restart", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{true, "2/halt", same, 404},
		{true, "3/restart", same, 409},
		{true, "4/halt", same, 500},
		{true, "0/halt", same, 400},
		{true, "01/halt", same, 400},
		{true, "+1/halt", same, 400},
		{true, "-1/halt", same, 400},
		{true, "0x1/halt", same, 400},
		{true, "1_0/halt", same, 400},
		{true, "1.0/halt", same, 400},
		{true, "18446744073709551616/halt", same, 400},
		{true, "%31/halt", same, 204}, // the same path
		{true, "%201/halt", same, 400},
		{true, "/halt", same, 400},
	} {
		source := newFakeSource(1)
		source.errs = errs
		server := serve(t, source, Options{Actions: c.actions})
		response := request(t, server.Client(), http.MethodPost, server.URL+"/actors/actors/"+c.path, c.status, c.header...)
		sentence := body(t, response)
		asked := c.status != 400 && c.status != 403
		if want, _ := url.PathUnescape(c.path); asked != (len(source.acted) == 1) {
			t.Errorf("%v: asked for %q", c, source.acted)
		} else if id, verb, _ := strings.Cut(want, "/"); asked && source.acted[0] != verb+" "+id {
			t.Errorf("%v: asked for %q", c, source.acted[0])
		}
		if c.status == 409 && !strings.Contains(sentence, "nobody supervises it") {
			t.Errorf("%v: %q", c, sentence)
		}
	}
}

// Without Options.Actions nothing is posted anywhere.
func TestPostWithoutActions(t *testing.T) {
	source := newFakeSource(1)
	server := serve(t, source, Options{})
	for _, path := range []string{
		"", "/", "/app.js", "/snapshot.json", "/stream", "/trace", "/nothing", "/actors/1/stack", "/actors/1/kill",
		"/actors/1/halt", "/actors/1/abort", "/actors/1/restart", "/actors/0/halt", "/actors/x/halt", "/actors/2/halt",
	} {
		sentence := body(t, request(t, server.Client(), http.MethodPost, server.URL+"/actors"+path, http.StatusForbidden))
		if !strings.Contains(sentence, "Options.Actions") {
			t.Errorf("%s: %q", path, sentence)
		}
	}
	if len(source.acted) > 0 {
		t.Errorf("asked for %q", source.acted)
	}
}

// An action takes the time that it takes, even if the server's timeouts are short,
// and is not left half done by who asked for it.
func TestActionIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, done := newFakeSource(1), 0
		source.acting = func(ctx context.Context) error {
			select {
			case <-time.After(9 * time.Second):
				done++
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		client := servePipes(t, &http.Server{
			Handler:     newHandler(source, Options{Actions: true}),
			ReadTimeout: time.Second, WriteTimeout: time.Second,
		})
		const at = "http://pipe/actors/1/restart"
		request(t, client, http.MethodPost, at, http.StatusNoContent)
		client.Timeout = time.Second
		if _, err := client.Post(at, "", nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the client waits for its answer: %v", err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if done != 2 {
			t.Errorf("%d of 2 are done", done)
		}
	})
}

func TestStack(t *testing.T) {
	source := newFakeSource(3)
	source.dump = map[uint64]string{1: "goroutine 7 [running]:\n<main>"}
	source.errs = map[uint64]error{2: errUnknown, 3: errTooOften}
	server := serve(t, source, Options{})
	if got := body(t, fetch(t, server.Client(), server.URL+"/actors/actors/1/stack", http.StatusOK)); got != source.dump[1] {
		t.Errorf("the stack is %q", got)
	}
	fetch(t, server.Client(), server.URL+"/actors/actors/2/stack", http.StatusNotFound)
	if r := fetch(t, server.Client(), server.URL+"/actors/actors/3/stack", http.StatusTooManyRequests); r.Header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After: %q", r.Header.Get("Retry-After"))
	}
}

func TestTrace(t *testing.T) {
	source := newFakeSource(0)
	source.record = []byte(strings.Repeat("go 1.26 trace\x00", 100_000))
	server := serve(t, source, Options{})
	r := fetch(t, server.Client(), server.URL+"/actors/trace", http.StatusOK)
	if got := body(t, r); got != string(source.record) {
		t.Errorf("%d bytes, want %d", len(got), len(source.record))
	}
	if got := r.Header.Get("Content-Disposition"); got != `attachment; filename="20260102T030405Z.trace"` {
		t.Errorf("Content-Disposition: %s", got)
	}
}
