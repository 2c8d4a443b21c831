// Statemachine shows an actor that behaves differently in each of its states,
// and timers of which none outlives its state. The actor is a door that is
// locked, unlocked for a while by a code, or open, which is not to last.
package main

import (
	"context"
	"io"
	"log"
	"os"
	"time"

	"tinyactor/actor"
)

const timeout = 200 * time.Millisecond

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// run lets a visitor come who does some things in time and some not.
func run(ctx context.Context, out io.Writer) error {
	child, addr := actor.Spawn(ctx, actor.Config{Name: "door"}, newDoor(out))
	visit := []struct {
		at    time.Duration
		event event
	}{
		{100, "code"},
		{400, "push"}, // is locked again
		{500, "code"},
		{600, "push"},
		{900, "shut"},
		{1000, "code"},
		{1150, "photo"}, // takes until 1250,
		{1160, "push"},  // which waits meanwhile; then comes the tick of 1200
		{1300, "shut"},
	}
	start := time.Now()
	for _, step := range visit {
		time.Sleep(time.Until(start.Add(step.at * time.Millisecond)))
		if err := addr.Send(ctx, step.event); err != nil {
			return err
		}
	}
	_, err := child.Drain(ctx)
	return err
}

// An event is what happens to a door: a word from outside, or a tick.
type event any

// A tick says that a state has lasted too long. It knows the stay it is meant
// for, because it may already be in the inbox when that ends.
type tick struct{ stay int }

// A state is what a door does with an event.
type state func(*door, event)

// A door is the state of the actor.
type door struct {
	self      *actor.Address[event]
	out       *log.Logger
	start     time.Time
	state     state
	stay      int         // how many there were before in any state
	stopTimer func() bool // the timer of this stay
}

func newDoor(w io.Writer) func(context.Context, *actor.Inbox[event]) error {
	return func(ctx context.Context, in *actor.Inbox[event]) error {
		d := &door{self: in.Address(), out: log.New(w, "", 0), start: time.Now()}
		d.state, d.stopTimer = (*door).locked, func() bool { return false }
		for ev := range in.Messages(ctx) {
			if t, ok := ev.(tick); ok && t.stay != d.stay {
				d.say("a tick of an earlier state is ignored")
				continue
			}
			if ev == "photo" { // in any state
				time.Sleep(timeout / 2)
				d.say("photo taken")
				continue
			}
			d.state(d, ev)
		}
		return in.Err()
	}
}

// become puts the door into a state, which gets a tick after some time, if that
// is not 0.
func (d *door) become(next state, after time.Duration) {
	d.stopTimer() // false if the tick was sent before: then its number tells
	d.stay++
	d.state = next
	if after > 0 {
		d.stopTimer = d.self.SendAfter(after, tick{d.stay})
	}
}

func (d *door) locked(ev event) {
	if ev == "code" {
		d.say("unlocked")
		d.become((*door).unlocked, timeout)
		return
	}
	d.say("locked, ignores: %v", ev)
}

func (d *door) unlocked(ev event) {
	if _, ok := ev.(tick); ok {
		d.say("nobody came: locked")
		d.become((*door).locked, 0)
		return
	}
	d.say("open")
	d.become((*door).open, timeout)
}

func (d *door) open(ev event) {
	if _, ok := ev.(tick); ok {
		d.say("beep: open for too long")
		return
	}
	d.say("locked")
	d.become((*door).locked, 0)
}

func (d *door) say(format string, args ...any) {
	at := time.Since(d.start).Round(50 * time.Millisecond).Milliseconds()
	d.out.Printf("%4d ms: "+format, append([]any{at}, args...)...)
}
