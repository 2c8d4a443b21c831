package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestCompare has the demonstration look at totals that are right, and at some that
// are not.
func TestCompare(t *testing.T) {
	for _, c := range []struct {
		what  string
		texts []int64
		wrong string // what the error says
	}{
		{"right", []int64{1, 2, 3}, ""},
		{"a text is missing", []int64{1, 3}, "2 texts"},
		{"a text was counted twice", []int64{1, 2, 2, 3}, "4 texts"},
		{"another text was counted", []int64{1, 2, 4}, "differ from the sequential count"},
	} {
		all := &totals{words: map[string]int{}, texts: map[string]bool{}}
		for i, n := range c.texts {
			all.apply(record{Texts: []string{string(rune('a' + i))}, Words: countWords(demoText(n))})
		}
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			json.NewEncoder(w).Encode(all.page(r.URL.Query().Get("after")))
		}))
		var out strings.Builder
		d := demonstration{nodes: &nodes{all: []*process{{url: server.URL}}}, out: &out}
		d.posted.Store(3)
		err := d.compare(t.Context(), all.counts())
		server.Close()
		switch {
		case c.wrong == "" && (err != nil || !strings.Contains(out.String(), "all counts are")):
			t.Errorf("%s: %v, %q", c.what, err, out.String())
		case c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong) || out.Len() > 0):
			t.Errorf("%s: %v, want %q", c.what, err, c.wrong)
		}
	}
}

// TestPost has a node that takes a text at the third try only, and one that never
// will.
func TestPost(t *testing.T) {
	tries := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch tries++; {
		case r.URL.Query().Get("id") == "2":
			w.WriteHeader(http.StatusBadRequest)
		case tries == 1:
			panic(http.ErrAbortHandler) // cuts the connection
		case tries == 2:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			w.WriteHeader(http.StatusAccepted)
		}
	}))
	defer server.Close()
	d := demonstration{nodes: &nodes{all: []*process{{url: server.URL}}}}
	if err := d.post(t.Context(), 1); err != nil || tries != 3 || d.repeated.Load() != 1 {
		t.Errorf("after %d tries: %v", tries, err)
	}
	if err := d.post(t.Context(), 2); err == nil || tries != 4 {
		t.Errorf("after %d tries: %v", tries-3, err)
	}
}
