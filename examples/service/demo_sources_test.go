package main

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
	got, err := readSources(dir, 100+maxMark)
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
	if _, err := readSources(t.TempDir(), 100+maxMark); err == nil {
		t.Error("a folder without files is no error")
	}
}

// What the demo floods with fills a quarter of the queue, and is no larger than
// a text may be.
func TestWriteFlood(t *testing.T) {
	for _, set := range []settings{
		{queue: 256, maxBytes: 1 << 20},
		{queue: 256, maxBytes: 10_000},
		{queue: 1, maxBytes: 1 << 20},
	} {
		flood, err := writeFlood(t.TempDir(), set)
		if err != nil {
			t.Fatal(err)
		}
		text := flood.marked(1_000_000_000)
		if int64(len(text)) > set.maxBytes {
			t.Errorf("with %+v it has %d bytes", set, len(text))
		}
		if want := max(1, set.queue/4) * pieceBytes; len(text) > want+maxMark || int64(want)+maxMark < set.maxBytes && len(text) < want*9/10 {
			t.Errorf("with %+v it has %d bytes, want about %d", set, len(text), want)
		}
		if got := sum(countWords(string(text))); got != flood.words+1 {
			t.Errorf("with %+v it has %d words and the mark, want %d and the mark", set, got, flood.words)
		}
	}
}
