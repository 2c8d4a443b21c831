// Handle shows the two parts of an actor: the actor, which has the receiving
// end, and a handle to it with the sending end, which several senders share.
// This actor is a jukebox. It does different things for different messages, can
// be told to drop the song it plays and start another one, and is stopped by
// hand and replaced by a new one.
package main

import (
	"context"
	"errors"
	"io"
	"log"
	"os"
	"sync"
	"time"

	"tinyactor/actor"
)

// beat is the time from one bar of a song to the next.
const beat = 100 * time.Millisecond

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	out := log.New(w, "", 0)
	box, guest := newJukebox(ctx, out)

	var guests sync.WaitGroup
	for range 3 {
		guests.Go(func() { // each has a copy of the handle
			_ = guest.insert(ctx, 2) // the sum will tell
		})
	}
	guests.Wait()
	coins, err := guest.coins(ctx)
	if err != nil {
		return err
	}
	out.Printf("%d coins", coins)

	for _, song := range []string{"Blue Monday", "Yellow"} {
		if err := guest.play(ctx, song); err != nil {
			return err
		}
		time.Sleep(2*beat + beat/2)
	}
	if _, err := box.Stop(ctx); err != nil {
		return err
	}
	out.Printf("stopped; takes coins: %t", !errors.Is(guest.insert(ctx, 1), actor.ErrClosed))

	box, guest = newJukebox(ctx, out)
	coins, err = guest.coins(ctx)
	out.Printf("a new one: %d coins", coins)
	_, stopped := box.Stop(ctx)
	return errors.Join(err, stopped)
}

// A handle sends to a jukebox. It is a value to copy and hand on.
type handle struct{ to *actor.Address[message] }

func (h handle) insert(ctx context.Context, coins int) error { return h.to.Send(ctx, insert{coins}) }
func (h handle) play(ctx context.Context, song string) error { return h.to.Send(ctx, play{song}) }
func (h handle) coins(ctx context.Context) (int, error)      { return actor.Ask(ctx, h.to, count{}.to) }

// newJukebox starts a jukebox. Who has the Child owns it.
func newJukebox(ctx context.Context, out *log.Logger) (*actor.Child[message, actor.None], handle) {
	child, to := actor.Spawn(ctx, actor.Config{Name: "jukebox"},
		func(ctx context.Context, in *actor.Inbox[message]) error {
			j := jukebox{out: out}
			return in.Serve(ctx, func(ctx context.Context, m message) error { return m.apply(ctx, &j) })
		})
	return child, handle{to}
}

// A jukebox is the state of the actor. Nobody else touches it.
type jukebox struct {
	out   *log.Logger
	coins int
	song  *actor.Child[actor.None, actor.None] // nil before the first
}

// A message knows what a jukebox does with it.
type message interface {
	apply(ctx context.Context, j *jukebox) error
}

type (
	insert struct{ coins int }
	count  struct{ actor.Reply[int] }
	play   struct{ song string }
)

func (m insert) apply(_ context.Context, j *jukebox) error { j.coins += m.coins; return nil }

func (m count) to(r actor.Reply[int]) message             { m.Reply = r; return m }
func (m count) apply(_ context.Context, j *jukebox) error { m.Answer(j.coins, nil); return nil }

// apply drops what is played and starts the song as an actor below this one:
// when the jukebox ends, so does the song.
func (m play) apply(ctx context.Context, j *jukebox) error {
	if j.song != nil {
		if _, err := j.song.Stop(ctx); err != nil {
			return err
		}
	}
	j.song, _ = actor.Spawn(ctx, actor.Config{Name: m.song}, sing(m.song, j.out))
	return nil
}

// sing returns the body of an actor that plays until it is halted.
func sing(song string, out *log.Logger) func(context.Context, *actor.Inbox[actor.None]) error {
	return func(_ context.Context, in *actor.Inbox[actor.None]) error {
		defer out.Printf("%s: dropped", song)
		bars := time.NewTicker(beat)
		defer bars.Stop()
		for n := 1; ; n++ {
			select {
			case <-bars.C:
				out.Printf("%s: bar %d", song, n)
			case <-in.Halting():
				return nil
			}
		}
	}
}
