package main

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// A format is how a snapshot is written.
type format string

const (
	asJSON format = "json" // one object, {"word":count,…}
	asCSV  format = "csv"  // a line word,count for each word, below a headline
)

var formats = []format{asJSON, asCSV}

// writeSnapshot writes a temporary file beside the file and renames it, so that
// whoever opens the file sees a whole snapshot or the one before.
func writeSnapshot(file string, f format, counts map[string]int) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(temp.Name())
		}
	}()
	out := bufio.NewWriter(temp)
	err = cmp.Or(encode(out, f, counts), out.Flush(), temp.Sync())
	// Some systems rename no file that is open.
	if err = cmp.Or(err, temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), file)
}

func encode(out io.Writer, f format, counts map[string]int) error {
	if f == asJSON {
		return json.NewEncoder(out).Encode(counts)
	}
	lines := csv.NewWriter(out)
	// An error stays with the writer until the end.
	_ = lines.Write([]string{"word", "count"})
	for _, word := range slices.Sorted(maps.Keys(counts)) {
		_ = lines.Write([]string{word, strconv.Itoa(counts[word])})
	}
	lines.Flush()
	return lines.Error()
}
