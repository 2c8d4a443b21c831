package main

import (
	"cmp"
	"maps"
	"slices"

	"tinyactor/actor"
)

// lookUp asks for what is known about one text.
type lookUp struct {
	actor.Reply[textInfo]
	text string
}

// A textInfo describes a text. Words and Distinct are those of the latest post
// that was counted to its end, whose number is Post: 0 if there is none yet.
type textInfo struct {
	Name     string   `json:"name"`
	Post     int      `json:"post"`
	Words    int      `json:"words"`
	Distinct int      `json:"distinct"`
	Pending  int      `json:"pending"`          // pieces of later posts that have not come back
	Failed   *failure `json:"failed,omitempty"` // the latest of the later posts that have failed
}

func (m lookUp) to(r actor.Reply[textInfo]) request { m.Reply = r; return m }

func (m lookUp) apply(s *store) {
	t := s.texts[m.text]
	if t == nil {
		m.Answer(textInfo{}, errUnknown)
		return
	}
	info := textInfo{Name: m.text, Post: t.post, Words: sum(t.counts), Distinct: len(t.counts), Failed: t.failed}
	for number, d := range t.drafts {
		if number > t.post {
			info.Pending += d.open
		}
	}
	m.Answer(info, nil)
}

// topWords asks for the n most frequent words of all texts.
type topWords struct {
	actor.Reply[ranking]
	n int
}

// A ranking has the most frequent words, equally frequent ones by the
// alphabet.
type ranking struct {
	Texts    int         `json:"texts"`    // how many names have been admitted
	Distinct int         `json:"distinct"` // how many words there are
	Words    []wordCount `json:"words"`
}

type wordCount struct {
	Word  string `json:"word"`
	Count int    `json:"count"`
}

func (m topWords) to(r actor.Reply[ranking]) request { m.Reply = r; return m }

func (m topWords) apply(s *store) {
	m.Answer(ranking{Texts: len(s.texts), Distinct: len(s.total), Words: top(s.total, m.n)}, nil)
}

// top keeps the best n found so far in order, because sorting all words to see
// ten of them would keep everybody else waiting.
func top(total map[string]int, n int) []wordCount {
	better := func(a, b wordCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Word, b.Word))
	}
	best := make([]wordCount, 0, min(n, len(total))+1)
	for word, count := range total {
		w := wordCount{Word: word, Count: count}
		if len(best) == n && better(w, best[n-1]) > 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(best, w, better)
		best = slices.Insert(best, at, w)
		best = best[:min(n, len(best))]
	}
	return best
}

// totals asks for the words of all texts, as a map that the asker may keep.
type totals struct{ actor.Reply[map[string]int] }

func (m totals) to(r actor.Reply[map[string]int]) request { m.Reply = r; return m }

func (m totals) apply(s *store) { m.Answer(maps.Clone(s.total), nil) }

// inspect asks for the store's own figures.
type inspect struct{ actor.Reply[storeInfo] }

type storeInfo struct {
	account  account
	refused  int
	stopping bool
}

func (m inspect) to(r actor.Reply[storeInfo]) request { m.Reply = r; return m }

func (m inspect) apply(s *store) {
	m.Answer(storeInfo{account: s.account, refused: s.refused, stopping: s.stopping}, nil)
}
