package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"tinyactor/actor"
)

var (
	errFull     = errors.New("the queue is full, try again later")
	errStopping = errors.New("the service is stopping")
	errUnknown  = errors.New("no text has this name")
)

// An account says what became of the pieces that were accepted.
type account struct {
	accepted   int // taken by the pool's inbox
	processed  int // counted by a worker, and the count has arrived
	handedBack int // given back by the pool, uncounted
}

// open returns how many accepted pieces have not come back yet.
func (a account) open() int { return a.accepted - a.processed - a.handedBack }

func (a account) String() string {
	return fmt.Sprintf("accepted=%d processed=%d handed back=%d", a.accepted, a.processed, a.handedBack)
}

// books are what the store leaves behind when it ends.
type books struct {
	account account
	texts   map[string]map[string]int // the words of each text
	total   map[string]int            // the words of all texts
}

// A store is the state of the actor that admits texts, collects the counts of
// their pieces and answers questions. It is the only one that sends to the
// workers, and only its own goroutine touches it.
//
// Posting a name again replaces the counts of the text with that name. The
// old ones stand until every piece of the new text has been counted, so
// nobody sees half a text. When posts of one name overlap, the one that was
// admitted last wins, in whichever order their pieces are counted.
type store struct {
	self     *actor.Address[request]
	workers  *actor.Address[piece]
	room     int // how many pieces may be open at once, at most the capacity of workers
	stopping bool
	account  account
	posts    int // posts admitted so far; the number of a post is its place among them
	texts    map[string]*text
	total    map[string]int
}

type text struct {
	counts map[string]int // of the latest post that was counted to its end
	post   int            // the number of that post, 0 if there is none yet
	drafts map[int]*draft // the posts of which pieces are open, by number
}

// A draft is a post that is still being counted.
type draft struct {
	open   int // pieces that have not come back
	torn   bool
	counts map[string]int
}

// startStore starts the store in front of workers. Its exit value is the
// books.
func startStore(owner context.Context, workers *actor.Address[piece], room int) (*actor.Child[request, books], *actor.Address[request]) {
	return actor.SpawnValue(owner, actor.Config{Name: "store"}, func(ctx context.Context, in *actor.Inbox[request]) (books, error) {
		s := &store{
			self:    in.Address(),
			workers: workers,
			room:    room,
			texts:   make(map[string]*text),
			total:   make(map[string]int),
		}
		err := in.Serve(ctx, func(_ context.Context, r request) error {
			r.apply(s)
			return nil
		})
		return s.books(), err
	})
}

// A request is a message to the store: it knows what to do with its state.
type request interface{ apply(s *store) }

// post asks to admit a text that was cut into pieces.
type post struct {
	actor.Reply[receipt]
	text   string
	pieces []string
}

// A receipt says that a text was admitted.
type receipt struct {
	Name   string `json:"name"`
	Post   int    `json:"post"`   // counts all posts; of two with one name the higher wins
	Pieces int    `json:"pieces"` // into how many pieces it was cut
}

func (m post) to(r actor.Reply[receipt]) request { m.Reply = r; return m }

// apply admits a text whole or not at all. All open pieces have been admitted
// here and are told back here, so the room that is seen cannot be taken by
// anybody else before the pieces are sent.
func (m post) apply(s *store) {
	switch {
	case s.stopping:
		m.Answer(receipt{}, errStopping)
	case s.account.open()+len(m.pieces) > s.room:
		m.Answer(receipt{}, errFull)
	default:
		m.Answer(s.admit(m.text, m.pieces))
	}
}

func (s *store) admit(name string, pieces []string) (receipt, error) {
	s.posts++
	for _, body := range pieces {
		if err := s.workers.TrySend(piece{text: name, post: s.posts, body: body, store: s.self}); err != nil {
			// There is room, so the pool has been torn down under us. What it
			// had taken is on the account and comes back; no text waits for it.
			return receipt{}, fmt.Errorf("%w: %w", errStopping, err)
		}
		s.account.accepted++
	}
	t := s.texts[name]
	if t == nil {
		t = &text{drafts: make(map[int]*draft)}
		s.texts[name] = t
	}
	t.drafts[s.posts] = &draft{open: len(pieces), counts: make(map[string]int)}
	return receipt{Name: name, Post: s.posts, Pieces: len(pieces)}, nil
}

// counted brings the count of one piece.
type counted struct {
	text   string
	post   int
	counts map[string]int
}

func (m counted) apply(s *store) {
	s.account.processed++
	s.cameBack(m.text, m.post, m.counts, false)
}

// returned brings the news that no worker has received a piece.
type returned struct {
	text string
	post int
}

func (m returned) apply(s *store) {
	s.account.handedBack++
	s.cameBack(m.text, m.post, nil, true)
}

// cameBack adds a piece to its draft, and the draft to the books if it was its
// last piece and all have been counted.
func (s *store) cameBack(name string, number int, counts map[string]int, torn bool) {
	t := s.texts[name]
	if t == nil || t.drafts[number] == nil {
		return // the post was not admitted as a whole
	}
	d := t.drafts[number]
	d.open--
	d.torn = d.torn || torn
	add(d.counts, counts)
	if d.open > 0 {
		return
	}
	delete(t.drafts, number)
	if d.torn || number < t.post {
		return
	}
	for word, n := range t.counts {
		if s.total[word] -= n; s.total[word] == 0 {
			delete(s.total, word)
		}
	}
	add(s.total, d.counts)
	t.counts, t.post = d.counts, number
}

func add(to, counts map[string]int) {
	for word, n := range counts {
		to[word] += n
	}
}

// lookUp asks for what is known about one text.
type lookUp struct {
	actor.Reply[textInfo]
	text string
}

// A textInfo describes a text. Words and Distinct are those of the latest post
// that was counted to its end, whose number is Post: 0 if there is none yet.
type textInfo struct {
	Name     string `json:"name"`
	Post     int    `json:"post"`
	Words    int    `json:"words"`
	Distinct int    `json:"distinct"`
	Pending  int    `json:"pending"` // pieces of later posts still to be counted
}

func (m lookUp) to(r actor.Reply[textInfo]) request { m.Reply = r; return m }

func (m lookUp) apply(s *store) {
	t := s.texts[m.text]
	if t == nil {
		m.Answer(textInfo{}, errUnknown)
		return
	}
	info := textInfo{Name: m.text, Post: t.post, Distinct: len(t.counts)}
	for _, n := range t.counts {
		info.Words += n
	}
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

// stopAdmitting makes the store refuse what is posted after it. Once it is
// answered, no piece is sent any more.
type stopAdmitting struct{ actor.Reply[actor.None] }

func (m stopAdmitting) to(r actor.Reply[actor.None]) request { m.Reply = r; return m }

func (m stopAdmitting) apply(s *store) {
	s.stopping = true
	m.Answer(actor.None{}, nil)
}

func (s *store) books() books {
	b := books{account: s.account, texts: make(map[string]map[string]int), total: s.total}
	for name, t := range s.texts {
		b.texts[name] = t.counts
	}
	return b
}
