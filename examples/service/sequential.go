package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strings"
)

// sequentialCount counts the words of a file in the plainest way there is: one
// rune after the other, read from the file itself. The demo compares the
// service with it, so it shares no code with the service but wordRune, the
// definition of a word.
func sequentialCount(path string) (map[string]int, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()

	counts := make(map[string]int)
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			counts[word.String()]++
			word.Reset()
		}
	}
	for in := bufio.NewReader(file); ; {
		r, _, err := in.ReadRune()
		if errors.Is(err, io.EOF) {
			end()
			return counts, nil
		}
		if err != nil {
			return nil, err
		}
		if folded, ok := wordRune(r); ok {
			word.WriteRune(folded)
		} else {
			end()
		}
	}
}
