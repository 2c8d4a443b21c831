package observer

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// The files of the page are of the right type, are asked for again, and sent only
// if they have changed.
func TestStatic(t *testing.T) {
	server := serve(t, newFakeSource(0), Options{})
	for at, file := range assets() {
		if file.kind == "" {
			t.Errorf("%s is of no known type", at)
		}
		address := server.URL + "/actors/" + at
		response := fetch(t, server.Client(), address, http.StatusOK)
		if got := body(t, response); got != string(file.text) {
			t.Errorf("%s is sent as something else", at)
		}
		if got := response.Header.Get("Content-Type"); got != file.kind {
			t.Errorf("%s is of type %s, want %s", at, got, file.kind)
		}
		if got := response.Header.Get("Cache-Control"); got != "no-cache" {
			t.Errorf("%s: Cache-Control: %s", at, got)
		}
		again := request(t, server.Client(), http.MethodGet, address, http.StatusNotModified, "If-None-Match", response.Header.Get("ETag"))
		if n, _ := io.Copy(io.Discard, again.Body); n != 0 {
			t.Errorf("%s is sent again", at)
		}
		request(t, server.Client(), http.MethodGet, address, http.StatusOK, "If-None-Match", `"other"`)
	}
}

// What is written by hand stays small enough to be read in one go, and no build is
// needed to make it smaller. The chart library is not counted.
func TestPageSize(t *testing.T) {
	size := 0
	for at, file := range assets() {
		if !strings.HasPrefix(at, "uplot/") {
			size += len(file.text)
		}
	}
	if size == 0 || size >= 120_000 {
		t.Errorf("the page is of %d bytes, must be below 120,000", size)
	}
}
