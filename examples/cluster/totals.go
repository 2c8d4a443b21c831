package main

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"tinyactor/actor"
	"tinyactor/cluster"
)

// totalsName is the name of the singleton that keeps the totals.
const totalsName = "totals"

// totalsMsg is what the totals take: an add, a look or a list.
type totalsMsg interface{ answer(t *totals) }

func init() { cluster.Register[totalsMsg](totalsName, add{}, look{}, list{}) }

// add counts a text, unless that has been done. The answer comes when it is in
// the journal.
type add struct {
	actor.Reply[actor.None]
	ID    string
	Words map[string]int
}

func (a add) to(r actor.Reply[actor.None]) totalsMsg { a.Reply = r; return a }
func (a add) answer(*totals)                         { a.Answer(actor.None{}, nil) }

// look asks for the totals. A holder that has just been replaced, and does not know
// it yet, says what was so a moment ago; to add, it would have to write.
type look struct{ actor.Reply[counts] }

func (l look) to(r actor.Reply[counts]) totalsMsg { l.Reply = r; return l }
func (l look) answer(t *totals)                   { l.Answer(t.counts(), nil) }

// list asks for the words that follow a word in the order of the alphabet, a page
// of them: what travels has a limit, 1 MB, and the words have none.
type list struct {
	actor.Reply[[]wordCount]
	After string
}

func (l list) to(r actor.Reply[[]wordCount]) totalsMsg { l.Reply = r; return l }
func (l list) answer(t *totals)                        { l.Answer(t.page(l.After), nil) }

// counts are the totals.
type counts struct {
	Node      string      `json:"node"`  // that keeps them
	Fence     uint64      `json:"fence"` // the number under which it does
	Texts     int         `json:"texts"`
	Words     int         `json:"words"`
	Different int         `json:"different"`
	Again     int         `json:"again"` // texts that came to this node once more, and were not counted again
	Top       []wordCount `json:"top"`
}

type wordCount struct {
	Word  string `json:"word"`
	Count int    `json:"count"`
}

// totals are the sums over all texts, and which texts these are. They are in one
// process's memory, and in the journal.
type totals struct {
	node  string
	fence uint64
	texts map[string]bool
	words map[string]int
	sum   int
	again int
}

// atOnce is how many messages are worked off with one record: so few that the
// words of texts of maxText bytes are less than a record may be large, 1 MB.
const atOnce = 8

// keepTotals returns the body of the singleton. It runs on one node at a time. If
// that dies, another runs it, which reads the journal and goes on: what had been
// answered is in there; who got no answer asks again, and if the text is in there
// after all, it is not counted again.
//
// Any error ends the body, and with it the memory that may be wrong: what the
// journal says, the next one will know.
func keepTotals(node string, js jetstream.JetStream, replicas int) func(context.Context, *actor.Inbox[totalsMsg]) error {
	return func(ctx context.Context, in *actor.Inbox[totalsMsg]) error {
		t := &totals{node: node, fence: cluster.Fence(ctx), texts: make(map[string]bool), words: make(map[string]int)}
		j, err := openJournal(ctx, js, replicas, t.fence, t.apply)
		if err != nil {
			return err
		}
		batch := make([]totalsMsg, atOnce)
		for {
			n, err := in.RecvBatch(ctx, batch, 0)
			if err != nil {
				return err
			}
			if r := t.collect(batch[:n]); len(r.Texts) > 0 {
				if err := j.append(ctx, r); err != nil {
					return err // and the asks in hand end without an answer
				}
				t.apply(r)
			}
			for _, m := range batch[:n] {
				m.answer(t)
			}
		}
	}
}

// collect makes a record of the texts that were not counted before.
func (t *totals) collect(batch []totalsMsg) record {
	r := record{Words: make(map[string]int)}
	for _, m := range batch {
		a, ok := m.(add)
		if !ok {
			continue
		}
		if t.texts[a.ID] || slices.Contains(r.Texts, a.ID) {
			t.again++
			continue
		}
		r.Texts = append(r.Texts, a.ID)
		for word, n := range a.Words {
			r.Words[word] += n
		}
	}
	return r
}

// apply adds what is in the journal.
func (t *totals) apply(r record) {
	for _, id := range r.Texts {
		t.texts[id] = true
	}
	for word, n := range r.Words {
		t.words[word] += n
		t.sum += n
	}
}

const (
	topWords  = 10        // that are in counts
	pageWords = 1000      // that are in a page at most
	pageBytes = 256 << 10 // after which no more words are added to a page
)

func (t *totals) counts() counts {
	top := make([]wordCount, 0, len(t.words))
	for word, n := range t.words {
		top = append(top, wordCount{word, n})
	}
	slices.SortFunc(top, func(a, b wordCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Word, b.Word))
	})
	return counts{
		Node: t.node, Fence: t.fence, Texts: len(t.texts), Words: t.sum, Different: len(t.words),
		Again: t.again, Top: top[:min(topWords, len(top))],
	}
}

func (t *totals) page(after string) []wordCount {
	words := slices.Sorted(maps.Keys(t.words))
	from, found := slices.BinarySearch(words, after)
	if found {
		from++
	}
	var page []wordCount
	size := 0
	for _, word := range words[from:min(from+pageWords, len(words))] {
		page = append(page, wordCount{word, t.words[word]})
		if size += len(word); size > pageBytes {
			break
		}
	}
	return page
}
