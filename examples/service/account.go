package main

import "fmt"

// A pieceID says which piece of which post of which text.
type pieceID struct {
	Text   string `json:"text"`
	Post   int    `json:"post"`
	Piece  int    `json:"piece"`  // its place in the text, from 1
	Pieces int    `json:"pieces"` // how many the post has
}

func (id pieceID) String() string {
	return fmt.Sprintf("piece %d of %d of post %d of %q", id.Piece, id.Pieces, id.Post, id.Text)
}

// An account says what became of the pieces that were accepted.
type account struct {
	accepted   int // taken by the pool's inbox
	processed  int // counted by a worker, and the count has arrived
	handedBack int // given back by the pool, uncounted
	crashed    int // in the hand of a worker that panicked
}

// open returns how many accepted pieces have not come back yet.
func (a account) open() int { return a.accepted - a.processed - a.handedBack - a.crashed }

func (a account) String() string {
	return fmt.Sprintf("accepted=%d processed=%d handed back=%d crashed=%d", a.accepted, a.processed, a.handedBack, a.crashed)
}

// books are what the store leaves behind when it ends.
type books struct {
	account account
	posts   map[string]int            // which post of each text was counted, 0 if none was
	texts   map[string]map[string]int // the words of each text
	total   map[string]int            // the words of all texts
}
