package main

import (
	"context"
	"errors"

	"tinyactor/actor"
)

// crashes are orders to panic, each with a channel for an answer. There is no
// buffer: an order is taken by a process that has a message in hand, or by
// nobody.
type crashes chan chan<- pieceID

// order makes a process panic that has a message about a piece in hand, and
// returns the piece when that was reported. It waits until ctx ends.
func (c crashes) order(ctx context.Context) (pieceID, error) {
	told := make(chan pieceID, 1) // whoever is told does not wait
	select {
	case c <- told:
		return <-told, nil
	case <-ctx.Done():
		return pieceID{}, ctx.Err()
	}
}

// obey panics if that was ordered.
func (c crashes) obey(about string) {
	select {
	case told := <-c:
		panic(ordered{about, told})
	default:
	}
}

// ordered is the value of a panic that somebody asked for.
type ordered struct {
	about string
	told  chan<- pieceID // may be nil
}

func (o ordered) String() string { return "ordered to crash on " + o.about }

// byOrder returns the order because of which a process has ended, if any.
func byOrder(err error) (ordered, bool) {
	var panicked *actor.PanicError
	if !errors.As(err, &panicked) {
		return ordered{}, false
	}
	o, is := panicked.Value.(ordered)
	return o, is
}

// quiet is an observer that passes on what an operator should see: not the
// crashes and changes that were ordered, of which whoever has ordered one is told,
// and not that a restart went well, which the figures show.
type quiet struct {
	actor.Observer
	ended chan struct{} // closed when it was told of the end of the tree
}

// Logs says the same as the observer inside does.
func (*quiet) Logs(actor.EventKind) bool { return true }

func (q *quiet) Observe(e actor.Event) {
	switch e.Kind {
	case actor.EventRestarted, actor.EventReplaced:
		return
	case actor.EventPanicked, actor.EventRestarting:
		if _, is := byOrder(e.Err); is {
			return
		}
	case actor.EventEnded:
		if e.Name == treeName {
			close(q.ended)
		}
	default:
	}
	q.Observer.Observe(e)
}
