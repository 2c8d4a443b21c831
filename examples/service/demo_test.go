package main

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writeFiles writes files into a new folder.
func writeFiles(t *testing.T, files map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestReadSources(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"a.go":           "package a",
		"docs/b.md":      "# B b",
		"docs/c.txt":     "neither",
		".ci/d.md":       "hidden, and a file all the same",
		".git/refs/x.md": "a branch",
		"empty.go":       "",
		"large.md":       strings.Repeat("x", 101),
	})
	got, err := readSources(dir, 100)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range got.files {
		names = append(names, file.name)
	}
	if want := ".ci/d.md a.go docs/b.md"; strings.Join(names, " ") != want || got.leftOut != 2 {
		t.Errorf("found %q and left out %d, want %s and 2", names, got.leftOut, want)
	}
	if b := got.files[2]; b.words != 2 || !maps.Equal(b.want, map[string]int{"b": 2}) || string(b.body) != "# B b" {
		t.Errorf("b.md is %+v", b)
	}
	if _, err := readSources(t.TempDir(), 100); err == nil {
		t.Error("a folder without files is no error")
	}
}

// The demo is a test only if it finds what is wrong.
func TestCompare(t *testing.T) {
	files := []source{
		{name: "a", want: map[string]int{"x": 1, "y": 2}},
		{name: "b", want: map[string]int{"y": 3}},
	}
	for name, spoil := range map[string]func(*books){
		"":                func(*books) {},
		"lost piece":      func(b *books) { b.account.processed-- },
		"handed back":     func(b *books) { b.account.processed--; b.account.handedBack++ },
		"piece too many":  func(b *books) { b.account.accepted++; b.account.processed++ },
		"word too many":   func(b *books) { b.texts["a"]["x"]++ },
		"lost text":       func(b *books) { delete(b.texts, "b") },
		"text too many":   func(b *books) { b.texts["c"] = nil },
		"lost word":       func(b *books) { delete(b.total, "x") },
		"word in total":   func(b *books) { b.total["z"] = 1 },
		"counted doubly":  func(b *books) { b.total["y"] += 2 },
		"other text":      func(b *books) { b.texts["a"], b.texts["b"] = b.texts["b"], b.texts["a"] },
		"nothing counted": func(b *books) { *b = books{} },
	} {
		left := books{
			account: account{accepted: 5, processed: 5},
			texts:   map[string]map[string]int{"a": {"x": 1, "y": 2}, "b": {"y": 3}},
			total:   map[string]int{"x": 1, "y": 5},
		}
		spoil(&left)
		err := compare(left, files, &load{pieces: 5})
		if (err != nil) != (name != "") {
			t.Errorf("%q: compare says %v", name, err)
		}
	}
}

// The clients refuse answers that cannot be right.
func TestDriveChecks(t *testing.T) {
	files := []source{{name: "a", body: []byte("x y"), want: map[string]int{"x": 1, "y": 1}, words: 2}}
	good := map[string]string{
		"/texts":   `{"name":"a","post":1,"pieces":1}`,
		"/texts/a": `{"name":"a","post":1,"words":2,"distinct":2}`,
		"/words":   `{"texts":1,"distinct":2,"words":[{"word":"x","count":1},{"word":"y","count":1}]}`,
	}
	for name, bad := range map[string]map[string]string{
		"good":            {},
		"other receipt":   {"/texts": `{"name":"b","post":1,"pieces":1}`},
		"no receipt":      {"/texts": `thank you`},
		"fewer words":     {"/texts/a": `{"name":"a","post":1,"words":1,"distinct":1}`},
		"not counted":     {"/texts/a": `{"name":"a"}`},
		"rising words":    {"/words": `{"texts":1,"distinct":2,"words":[{"word":"x","count":1},{"word":"y","count":2}]}`},
		"too few words":   {"/words": `{"texts":1,"distinct":2,"words":[{"word":"x","count":1}]}`},
		"server in pain":  {"/texts": ""},
		"unknown text":    {"/texts/a": ""},
		"words not there": {"/words": ""},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			text, spoiled := bad[r.URL.Path]
			if !spoiled {
				text = good[r.URL.Path]
			}
			switch {
			case text == "":
				w.WriteHeader(http.StatusInternalServerError)
			case r.Method == http.MethodPost:
				w.WriteHeader(http.StatusAccepted)
			}
			_, _ = w.Write([]byte(text))
		}))
		seen, err := drive(t.Context(), server.URL, files, time.Nanosecond)
		server.Close()
		if (err != nil) != (name != "good") {
			t.Errorf("%s: drive says %v", name, err)
		}
		if name == "good" && (seen.admitted == 0 || seen.requests() != seen.admitted+seen.questions || seen.percentile(99) < seen.percentile(50)) {
			t.Errorf("%s: the clients have seen %+v", name, seen)
		}
	}
}
