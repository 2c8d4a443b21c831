package main

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// texts are texts on which counting and cutting may go wrong.
var texts = map[string]string{
	"one word":         "word",
	"one long word":    strings.Repeat("word", 100),
	"no word":          " \n\t.,;\x00",
	"words":            "The cat and the dog, and THE bird.",
	"separators first": "  a b",
	"separators last":  "a b  ",
	"numbers":          "3 times 4 is 12; x1 x2 ½",
	"two-byte letters": "Äpfel äpfel ÄPFEL Σίσυφος",
	"combining marks":  "cafe\u0301 CAFE\u0301",
	"wide separators":  "一\u3000二\u3000三、四。五",
	"invalid UTF-8":    "a\xffb \xe4\xb8 c\xe4 d\xc3",
	"cut-off rune":     "word \xe4\xb8",
	"Go":               "func (m get) to(r actor.Reply[string]) msg { m.Reply = r; return m }",
}

func TestCountWords(t *testing.T) {
	got := countWords("The cat, the CAT & 2 dogs\n")
	want := map[string]int{"the": 2, "cat": 2, "2": 1, "dogs": 1}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// The two counts share the definition of a word, so on every text they must
// agree, and the text's pieces must add up to the text.
func TestCountsAgree(t *testing.T) {
	for name, text := range texts {
		t.Run(name, func(t *testing.T) { checkCounts(t, text) })
	}
}

func FuzzCountsAgree(f *testing.F) {
	for _, text := range texts {
		f.Add(text)
	}
	f.Fuzz(checkCounts)
}

func checkCounts(t *testing.T, text string) {
	path := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	want, err := sequentialCount(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := countWords(text); !maps.Equal(got, want) {
		t.Errorf("countWords gives %v, the sequential count %v", got, want)
	}
	if text == "" {
		return
	}
	for _, size := range []int{1, 2, 3, 7, 1000} {
		for _, limit := range []int{1, 2, 5, 1000} {
			checkSplit(t, text, want, size, limit)
		}
	}
}

func checkSplit(t *testing.T, text string, want map[string]int, size, limit int) {
	t.Helper()
	pieces := split(text, size, limit)
	if len(pieces) == 0 || len(pieces) > limit {
		t.Errorf("split(%q, %d, %d) gives %d pieces", text, size, limit, len(pieces))
	}
	if joined := strings.Join(pieces, ""); joined != text {
		t.Errorf("split(%q, %d, %d) gives %q, which are not the text", text, size, limit, pieces)
	}
	sum := make(map[string]int)
	for i, piece := range pieces {
		if i < len(pieces)-1 && len(piece) < size {
			t.Errorf("split(%q, %d, %d) gives %q, in which piece %d is too short", text, size, limit, pieces, i)
		}
		if utf8.ValidString(text) && !utf8.ValidString(piece) {
			t.Errorf("split(%q, %d, %d) gives %q, in which piece %d has half a rune", text, size, limit, pieces, i)
		}
		add(sum, countWords(piece))
	}
	if !maps.Equal(sum, want) {
		t.Errorf("split(%q, %d, %d) gives %q, whose words are %v; want %v", text, size, limit, pieces, sum, want)
	}
}

// A word that reaches over the end of a piece makes the piece longer.
func TestSplitKeepsWords(t *testing.T) {
	got := split("alpha beta gamma", 3, 100)
	want := []string{"alpha", " beta", " gamma"}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("got %q, want %q", got, want)
	}
}
