package main

import (
	"strings"
	"unicode"
)

// wordRune is the definition of a word, for the service and for the
// sequential count that checks it: a word is a longest run of runes that are
// ok, and is compared by its folded runes. Everything else, invalid UTF-8
// included, separates words.
func wordRune(r rune) (folded rune, ok bool) {
	if unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) {
		return unicode.ToLower(r), true
	}
	return 0, false
}

// countWords returns how often each word is in text. The result holds no part
// of text, so that a count that is kept does not keep a request's body.
func countWords(text string) map[string]int {
	separates := func(r rune) bool {
		_, ok := wordRune(r)
		return !ok
	}
	fold := func(r rune) rune {
		folded, _ := wordRune(r)
		return folded
	}
	counts := make(map[string]int)
	for word := range strings.FieldsFuncSeq(text, separates) {
		word = strings.Map(fold, word)
		n, known := counts[word]
		if !known {
			word = strings.Clone(word)
		}
		counts[word] = n + 1
	}
	return counts
}

// split cuts a text that is not empty into at most limit pieces, which put
// together are the text. Each but the last has at least size bytes; none
// begins or ends within a word, so the sum of their counts is the text's
// count.
func split(text string, size, limit int) []string {
	size = max(size, (len(text)+limit-1)/limit)
	pieces := make([]string, 0, len(text)/size+1)
	start := 0
	for i, r := range text {
		if i-start < size {
			continue
		}
		if _, within := wordRune(r); !within {
			pieces = append(pieces, text[start:i])
			start = i
		}
	}
	return append(pieces, text[start:])
}
