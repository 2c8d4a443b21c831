package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// A source is a file that the demo posts over and over. Each time it appends
// another word, the mark of that post, so that the counts that a text is left
// with tell which of its posts they are of.
type source struct {
	name  string         // the text's name: the path below the folder, with slashes
	body  []byte         // the file
	want  map[string]int // the sequential count
	words int            // the sum of want
}

// mark is the word that the post with the given number of the demo's has
// besides those of its file.
func mark(turn int) string { return fmt.Sprintf("turn%dofthedemo", turn) }

// maxMark is the room that a mark and the line before it need.
const maxMark = 32

// marked is what is posted at a turn.
func (s *source) marked(turn int) []byte {
	return fmt.Appendf(bytes.Clone(s.body), "\n%s", mark(turn))
}

// sources are the files of a folder.
type sources struct {
	files   []source
	bytes   int
	leftOut int // files that the service refuses: empty ones and too large ones
}

func (s sources) String() string {
	return fmt.Sprintf("%d files of %d bytes (%d empty or too large ones left out)", len(s.files), s.bytes, s.leftOut)
}

// readSources reads the *.go and *.md files below dir, and has each counted by
// the sequential count. The folder .git is passed over: it may hold branches
// whose names end so.
func readSources(dir string, maxBytes int64) (sources, error) {
	var found sources
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && entry.Name() == ".git" {
			return filepath.SkipDir
		}
		if ext := filepath.Ext(path); !entry.Type().IsRegular() || ext != ".go" && ext != ".md" {
			return nil
		}
		file, err := readSource(dir, path)
		if err != nil {
			return err
		}
		if size := len(file.body); size == 0 || int64(size)+maxMark > maxBytes {
			found.leftOut++
			return nil
		}
		found.files = append(found.files, file)
		found.bytes += len(file.body)
		return nil
	})
	if err == nil && len(found.files) == 0 {
		err = fmt.Errorf("there is no *.go or *.md file to post below %s", dir)
	}
	return found, err
}

func readSource(dir, path string) (source, error) {
	name, err := filepath.Rel(dir, path)
	if err != nil {
		return source{}, err
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return source{}, err
	}
	want, err := sequentialCount(path)
	if err != nil {
		return source{}, err
	}
	file := source{name: filepath.ToSlash(name), body: body, want: want}
	for _, n := range want {
		file.words += n
	}
	return file, nil
}

// writeFlood writes a file whose posts fill the queue, as fast as four of them
// come, and reads it as the demo reads the others.
func writeFlood(dir string, set settings) (source, error) {
	const line = "what comes faster than it can be counted is refused\n"
	size := min(int64(max(1, set.queue/4))*pieceBytes, set.maxBytes-maxMark)
	path := filepath.Join(dir, "flood")
	if err := os.WriteFile(path, bytes.Repeat([]byte(line), int(max(1, size/int64(len(line))))), 0o666); err != nil {
		return source{}, err
	}
	return readSource(dir, path)
}
