package main

import (
	"maps"
	"testing"
)

func TestCountWords(t *testing.T) {
	for text, want := range map[string]map[string]int{
		"":                         {},
		" ,.\n":                    {},
		"To be, or not to be.":     {"to": 2, "be": 2, "or": 1, "not": 1},
		"Éa éA x1-x1":              {"éa": 2, "x1": 2},
		"one":                      {"one": 1},
		"\u0660\u0661 und\u00a0ja": {"\u0660\u0661": 1, "und": 1, "ja": 1},
	} {
		if got := countWords(text); !maps.Equal(got, want) {
			t.Errorf("%q has %v, want %v", text, got, want)
		}
	}
}

func TestDemoText(t *testing.T) {
	seen := make(map[string]bool)
	for n := range uint64(vocabulary) {
		word := demoWord(n)
		if seen[word] || len(countWords(word)) != 1 {
			t.Fatalf("word %d, %q, is there twice or is none", n, word)
		}
		seen[word] = true
	}
	for n := range int64(100) {
		text := demoText(n)
		if text != demoText(n) || text == demoText(n+1) || len(text) > maxText || text == "" {
			t.Errorf("text %d is wrong: %q", n, text)
		}
	}
}
