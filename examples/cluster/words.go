package main

import (
	"strings"
	"unicode"
)

// countWords returns how often each word is in a text. Words are what stands
// between anything but letters and digits, in small letters.
func countWords(text string) map[string]int {
	counts := make(map[string]int)
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		counts[strings.ToLower(word)]++
	}
	return counts
}
