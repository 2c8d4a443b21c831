package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

var (
	errFull     = errors.New("the queue is full, try again later")
	errStopping = errors.New("the service is stopping")
	errUnknown  = errors.New("no text has this name")
)

// A failure says why a post was not counted: because of one of its pieces. The
// post has failed as a whole then.
type failure struct {
	pieceID
	Reason string `json:"reason"`
}

func (f *failure) Error() string {
	return fmt.Sprintf("%v: %s; nothing of this post counts, and the text is as it was before", f.pieceID, f.Reason)
}

// A store is the state of the actor that admits texts, collects the counts of
// their pieces and answers questions. It is the only one that sends to the
// workers, and only its own goroutine touches it.
//
// Posting a name again replaces the counts of the text with that name. The
// old ones stand until every piece of the new text has been counted, so
// nobody sees half a text. When posts of one name overlap, the one that was
// admitted last wins, in whichever order their pieces are counted.
//
// A post of which a worker had a piece in hand when it panicked, or of which a
// piece was handed back, has failed as a whole: none of its pieces count, and
// what the name had before stands. Whoever waits for the post is told at once,
// and who asks for the text sees the failure until a later post is counted.
//
// The state outlives the store's process, as its inbox does: it is what all
// others work for. Only one process at a time touches it, and each message is
// applied to it as a whole or, if the process crashes on it, not at all.
type store struct {
	child   *supervisor.Worker[request]
	address *actor.Address[request]
	workers *actor.Address[piece]
	crashes crashes

	room     int // how many pieces may be open at once, at most the capacity of workers
	stopping bool
	account  account
	refused  int // posts for which there was no room
	posts    int // posts admitted so far; the number of a post is its place among them
	texts    map[string]*text
	total    map[string]int
	waits    map[uint64]*wait          // the posts that are waited for, by ticket
	waiters  []actor.Reply[actor.None] // told when no piece is open

	mu   sync.Mutex
	late []request // news that came when the store had ended
}

type text struct {
	counts map[string]int // of the latest post that was counted to its end
	post   int            // the number of that post, 0 if there is none yet
	failed *failure       // of the latest later post that has failed
	drafts map[int]*draft // the posts of which pieces are open, by number
}

// A draft is a post that is still being counted.
type draft struct {
	open   int // pieces that have not come back
	failed bool
	counts map[string]int
	wait   *wait // nil if nobody waits for the post
}

// newStore makes the store, which admits pieces until so many are open.
func newStore(room int) *store {
	s := &store{
		crashes: make(crashes),
		room:    room,
		texts:   make(map[string]*text),
		total:   make(map[string]int),
		waits:   make(map[uint64]*wait),
	}
	s.child = &supervisor.Worker[request]{
		Name:        "store",
		Run:         s.run,
		Drain:       true,
		OnCrash:     s.crashedOn,
		Undelivered: s.keep,
	}
	s.address = s.child.Address()
	return s
}

// run is the body of the store.
func (s *store) run(ctx context.Context, in *actor.Inbox[request]) error {
	return in.Serve(ctx, func(_ context.Context, r request) error {
		if m, is := r.(counted); is {
			s.crashes.obey("the count of " + m.String())
		}
		r.apply(s)
		return nil
	})
}

// crashedOn is about the message that the store's process had in hand when it
// crashed: if it was a count, that is lost, as if the worker had crashed. An asker
// is told by the library.
func (s *store) crashedOn(r request, cause error) {
	m, is := r.(counted)
	if !is {
		return
	}
	crashed{m.pieceID}.apply(s) // nobody else does anything with the store now
	if o, is := byOrder(cause); is {
		o.told <- m.pieceID
	}
}

// tell brings news of a piece. It does not wait: the store admits no more pieces
// than it has room for news, and news must not be lost because the worker's ctx
// has ended by an abort.
func (s *store) tell(news request) {
	if s.address.SendNow(news) != nil {
		s.keep(news)
	}
}

// keep keeps news that come, or have not been received, when the store has ended.
func (s *store) keep(r request) {
	switch r.(type) {
	case counted, crashed, returned:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.late = append(s.late, r)
	}
}

// A request is a message to the store: it knows what to do with its state.
type request interface{ apply(s *store) }

// post asks to admit a text that was cut into pieces. It is answered when the
// text is admitted. With a ticket, await can ask what became of it, until forget
// comes.
type post struct {
	actor.Reply[receipt]
	text   string
	pieces []string
	ticket uint64 // 0 if nobody waits
}

// A receipt says that a text was admitted and, if one has waited for that, what
// was counted.
type receipt struct {
	Name     string `json:"name"`
	Post     int    `json:"post"`   // counts all posts; of two with one name the higher wins
	Pieces   int    `json:"pieces"` // into how many pieces it was cut
	Words    int    `json:"words,omitzero"`
	Distinct int    `json:"distinct,omitzero"`
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
		s.refused++
		m.Answer(receipt{}, errFull)
	default:
		m.Answer(s.admit(m.text, m.pieces, m.ticket))
	}
}

func (s *store) admit(name string, pieces []string, ticket uint64) (receipt, error) {
	s.posts++
	for i, body := range pieces {
		id := pieceID{Text: name, Post: s.posts, Piece: i + 1, Pieces: len(pieces)}
		if err := s.workers.TrySend(piece{pieceID: id, body: body}); err != nil {
			// There is room, so the workers have ended for good. What they had
			// taken is on the account and comes back; no text waits for it.
			return receipt{}, fmt.Errorf("%w: %w", errStopping, err)
		}
		s.account.accepted++
	}
	t := s.texts[name]
	if t == nil {
		t = &text{drafts: make(map[int]*draft)}
		s.texts[name] = t
	}
	d := &draft{open: len(pieces), counts: make(map[string]int)}
	t.drafts[s.posts] = d
	if ticket != 0 {
		d.wait = new(wait)
		s.waits[ticket] = d.wait
	}
	return receipt{Name: name, Post: s.posts, Pieces: len(pieces)}, nil
}

// counted brings the count of one piece.
type counted struct {
	pieceID
	counts map[string]int
}

func (m counted) apply(s *store) {
	s.account.processed++
	if d := s.cameBack(m.pieceID); d != nil {
		if !d.failed {
			add(d.counts, m.counts)
		}
		s.settle(m.pieceID, d)
	}
}

// crashed brings the news that the worker that had a piece in hand panicked.
type crashed struct{ pieceID }

func (m crashed) apply(s *store) {
	s.account.crashed++
	s.lost(m.pieceID, "the worker that counted it crashed")
}

// returned brings the news that no worker has received a piece.
type returned struct{ pieceID }

func (m returned) apply(s *store) {
	s.account.handedBack++
	s.lost(m.pieceID, "no worker counted it before the service ended")
}

// lost makes the post fail to which a piece belongs.
func (s *store) lost(id pieceID, reason string) {
	d := s.cameBack(id)
	if d == nil {
		return
	}
	if !d.failed {
		f := &failure{id, reason}
		d.failed, d.counts = true, nil
		d.wait.over(receipt{}, f)
		t := s.texts[id.Text]
		if id.Post > t.post && (t.failed == nil || id.Post > t.failed.Post) {
			t.failed = f
		}
	}
	s.settle(id, d)
}

// cameBack takes a piece that is on the account off its draft, which is nil if
// the post was not admitted as a whole.
func (s *store) cameBack(id pieceID) *draft {
	if s.account.open() == 0 {
		for _, waiter := range s.waiters {
			waiter.Answer(actor.None{}, nil)
		}
		s.waiters = nil
	}
	t := s.texts[id.Text]
	if t == nil || t.drafts[id.Post] == nil {
		return nil
	}
	t.drafts[id.Post].open--
	return t.drafts[id.Post]
}

// settle adds a draft to the books if all its pieces have come back and have
// been counted.
func (s *store) settle(id pieceID, d *draft) {
	if d.open > 0 {
		return
	}
	t := s.texts[id.Text]
	delete(t.drafts, id.Post)
	if d.failed {
		return
	}
	d.wait.over(receipt{Name: id.Text, Post: id.Post, Pieces: id.Pieces, Words: sum(d.counts), Distinct: len(d.counts)}, nil)
	if id.Post < t.post {
		return // a later post was faster, and has replaced this one
	}
	for word, n := range t.counts {
		if s.total[word] -= n; s.total[word] == 0 {
			delete(s.total, word)
		}
	}
	add(s.total, d.counts)
	t.counts, t.post = d.counts, id.Post
	if t.failed != nil && t.failed.Post < t.post {
		t.failed = nil
	}
}

func add(to, counts map[string]int) {
	for word, n := range counts {
		to[word] += n
	}
}

func sum(counts map[string]int) (all int) {
	for _, n := range counts {
		all += n
	}
	return all
}

// stopAdmitting makes the store refuse what is posted after it. Once it is
// answered, no piece is sent any more.
type stopAdmitting struct{ actor.Reply[actor.None] }

func (m stopAdmitting) to(r actor.Reply[actor.None]) request { m.Reply = r; return m }

func (m stopAdmitting) apply(s *store) {
	s.stopping = true
	m.Answer(actor.None{}, nil)
}

// allBack is answered when every piece that was accepted has come back.
type allBack struct{ actor.Reply[actor.None] }

func (m allBack) to(r actor.Reply[actor.None]) request { m.Reply = r; return m }

func (m allBack) apply(s *store) {
	if s.account.open() == 0 {
		m.Answer(actor.None{}, nil)
	} else {
		s.waiters = append(s.waiters, m.Reply)
	}
}

// books returns the books when the store has ended.
func (s *store) books() books {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, news := range s.late {
		news.apply(s)
	}
	s.late = nil
	b := books{account: s.account, posts: make(map[string]int), texts: make(map[string]map[string]int), total: s.total}
	for name, t := range s.texts {
		b.posts[name], b.texts[name] = t.post, t.counts
	}
	return b
}
