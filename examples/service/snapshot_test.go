package main

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// A snapshot in each format has the counts, whatever the words are, and leaves
// no other file behind.
func TestWriteSnapshot(t *testing.T) {
	counts := map[string]int{"the": 2, "Ünïcödé": 1, "1,2": 3, `say "x"`: 4, "a\nb": 5}
	for _, f := range formats {
		for _, counts := range []map[string]int{{}, counts} {
			file := filepath.Join(t.TempDir(), "snapshot")
			for range 2 { // the second replaces the first
				if err := writeSnapshot(file, f, counts); err != nil {
					t.Fatal(err)
				}
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := readSnapshot(text, f); err != nil || !maps.Equal(got, counts) {
				t.Errorf("%s: got %v, %v; want %v", f, got, err, counts)
			}
			onlyFile(t, file)
		}
	}
}

// A snapshot that cannot be written leaves nothing behind.
func TestWriteSnapshotFails(t *testing.T) {
	if err := writeSnapshot(filepath.Join(t.TempDir(), "no", "folder"), asJSON, nil); err == nil {
		t.Error("a file in no folder is no error")
	}
	folder := filepath.Join(t.TempDir(), "folder")
	if err := os.MkdirAll(filepath.Join(folder, "full"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := writeSnapshot(folder, asJSON, nil); err == nil {
		t.Error("to replace a folder is no error")
	}
	onlyFile(t, folder)
}

// onlyFile checks that nothing stands beside a file.
func onlyFile(t *testing.T, file string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Name() != filepath.Base(file) {
			t.Errorf("%s stands beside %s", entry.Name(), file)
		}
	}
}

func TestReadSnapshot(t *testing.T) {
	for text, f := range map[string]format{
		"":                       asCSV,
		"the,2\n":                asCSV,
		"word,count\nthe,many\n": asCSV,
		"word,count\nthe\n":      asCSV,
		"[1]":                    asJSON,
		"word,count\n":           asJSON,
	} {
		if words, err := readSnapshot([]byte(text), f); err == nil {
			t.Errorf("%q in %s is %v", text, f, words)
		}
	}
}
