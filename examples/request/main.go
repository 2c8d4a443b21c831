// Request shows questions to an actor: a message with a Reply in it, Ask, and
// how the asker's deadline reaches what the handler does to answer.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"tinyactor/actor"
)

var errNotFound = errors.New("not found")

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	child, addr := actor.Spawn(ctx, actor.Config{Name: "store"}, serve)

	if err := addr.Send(ctx, set{key: "colour", value: "blue"}); err != nil {
		return err
	}
	value, err := actor.Ask(ctx, addr, get{key: "colour"}.to)
	fmt.Fprintf(out, "colour: %q, error: %v\n", value, err)

	// An error that the handler answers comes as it is.
	_, err = actor.Ask(ctx, addr, get{key: "shape"}.to)
	fmt.Fprintf(out, "shape: not found: %t\n", err == errNotFound)

	// The handler stops looking when nobody waits for the answer any more.
	hasty, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	_, err = actor.Ask(hasty, addr, get{key: "archive/colour"}.to)
	fmt.Fprintf(out, "archive: too late: %t\n", errors.Is(err, context.DeadlineExceeded))

	// So it is there for the next one.
	value, err = actor.Ask(ctx, addr, get{key: "colour"}.to)
	fmt.Fprintf(out, "colour: %q, error: %v\n", value, err)

	_, err = child.Drain(ctx)
	return err
}

// A message is one that the store understands: get or set.
type message interface {
	apply(ctx context.Context, s store)
}

// get asks for the value of a key. Ask(ctx, addr, get{key: k}.to) sends it.
type get struct {
	actor.Reply[string]
	key string
}

func (m get) to(r actor.Reply[string]) message { m.Reply = r; return m }

func (m get) apply(ctx context.Context, s store) {
	// The search ends when the asker's context does, or when the store is aborted.
	search, cancel := context.WithCancelCause(m.Context())
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })()
	m.Answer(s.find(search, m.key))
}

type set struct{ key, value string }

func (m set) apply(_ context.Context, s store) { s[m.key] = m.value }

// A store is the state of the actor.
type store map[string]string

// find looks a key up, and for an hour if it is in the archive.
func (s store) find(ctx context.Context, key string) (string, error) {
	if key == "archive/colour" {
		select {
		case <-time.After(time.Hour):
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
	value, ok := s[key]
	if !ok {
		return "", errNotFound
	}
	return value, nil
}

// serve is the body of the store.
func serve(ctx context.Context, in *actor.Inbox[message]) error {
	s := make(store)
	return in.Serve(ctx, func(ctx context.Context, m message) error {
		m.apply(ctx, s)
		return nil
	})
}
