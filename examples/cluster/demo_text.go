package main

import (
	"math/rand/v2"
	"strings"
)

const (
	vocabulary = 5000 // words that the texts are made of
	longest    = 400  // words of a text
)

// demoText returns the n-th text of a demonstration, the same each time: words of
// which few are frequent and many are rare, as in a language.
func demoText(n int64) string {
	source := rand.New(rand.NewPCG(1, uint64(n)))
	words := rand.NewZipf(source, 1.2, 8, vocabulary-1)
	var b strings.Builder
	for range 1 + source.IntN(longest) {
		b.WriteString(demoWord(words.Uint64()))
		b.WriteString([]string{" ", ", ", ".\n"}[source.IntN(3)])
	}
	return b.String()
}

// demoWord returns the n-th word of the vocabulary.
func demoWord(n uint64) string {
	const consonants, vowels = "bdfgklmnprstvz", "aeiou"
	var b strings.Builder
	for n++; n > 0; n /= uint64(len(consonants) * len(vowels)) {
		b.WriteByte(consonants[n%uint64(len(consonants))])
		b.WriteByte(vowels[n/uint64(len(consonants))%uint64(len(vowels))])
	}
	return b.String()
}
