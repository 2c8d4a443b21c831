package embedded_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// wordy is a message that is refused at great length.
type wordy struct{ N int }

func (*wordy) UnmarshalJSON([]byte) error { return errors.New(strings.Repeat("no, ", 4000)) }

// Refusals of many messages at once are told, though together they are larger than
// a frame may be: also those that are still to be told when the actor ends.
func TestManyVerdicts(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{})
	receiver := join(t, s, patient(cluster.Config{Window: 4096}))
	var back, odd atomic.Int32
	var first atomic.Value // of the odd ones
	sender := join(t, s, patient(cluster.Config{Window: 4096, Undelivered: func(_ string, _ any, err error) {
		if errors.Is(err, cluster.ErrUnknown) {
			odd.Add(1)
			first.CompareAndSwap(nil, err)
		}
		back.Add(1)
	}}))
	child, addr := spawn(t, actor.Config{}, func(context.Context, wordy) error { return nil })
	if err := cluster.Expose(t.Context(), receiver, "wordy", addr); err != nil {
		t.Fatal(err)
	}
	to := cluster.Lookup[wordy](sender, "wordy")
	const many = 1500
	ctx := within(t, time.Minute)
	sent := func() (n int32) {
		for i := range many {
			err := to.Async().Send(ctx, wordy{i})
			if errors.Is(err, actor.ErrClosed) {
				return n
			}
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	n := sent()
	eventuallyIn(t, time.Minute, "all refusals told", func() bool { return back.Load() == n })
	n += sent()
	n += sent()
	child.Close()
	eventuallyIn(t, time.Minute, "all refusals told at the end", func() bool { return back.Load() == n })
	if odd.Load() > 0 || sender.Stats().Accepted > 0 {
		t.Errorf("of %d messages, which were all refused, %d are unknown (%v) and %d accepted", n, odd.Load(), first.Load(), sender.Stats().Accepted)
	}
}

// A node that withdraws an actor, and is slow in saying what came, is heard out: it
// says how much it has taken after its beats have ceased to speak of the actor.
func TestSlowFarewell(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{})
	outcomes := make(chan error, 10)
	here := join(t, s, cluster.Config{Undelivered: func(_ string, _ any, err error) { outcomes <- err }})
	nc := connect(t, s)
	told, err := nc.SubscribeSync(control("fake"))
	if err != nil {
		t.Fatal(err)
	}
	say := func(subject string, frame ...byte) {
		t.Helper()
		if err := nc.PublishRequest(subject, control("fake"), frame); err != nil {
			t.Fatal(err)
		}
	}
	beat := func(exposures ...byte) {
		say("tinyactor.beat", append(append(text([]byte{1, 1}, "fake"), 0), exposures...)...)
	}
	beat(append(text([]byte{1}, "work"), 7, 10, 0)...) // one name: exposure 7, with room for 10
	to := cluster.Lookup[note](here, "work").Async()
	const messages = 3
	var sent sync.WaitGroup
	sent.Go(func() {
		for n := range messages {
			if err := to.Send(within(t, 10*time.Second), note{n}); err != nil {
				t.Error(err)
			}
		}
	})
	var link []byte
	for link == nil {
		m, err := told.NextMsg(5 * time.Second)
		if err != nil {
			t.Fatal("no link is opened:", err)
		}
		if m.Data[1] == 2 {
			link = m.Data[2:10]
		}
	}
	state := append(append([]byte{1, 6}, link...), 0, 0, 10, 0, 10, 0, 0) // nothing has come, 10 may
	say(control(here.ID()), state...)
	sent.Wait()
	pace := time.NewTicker(20 * time.Millisecond)
	defer pace.Stop()
	for range 100 { // for longer than two beats
		<-pace.C
		beat(0)
		say(control(here.ID()), state...)
	}
	say(control(here.ID()), append(append(append([]byte{1, 8}, link...), 0, 1, 1, 0, 5), "alas!"...)...) // none was taken
	for range messages {
		if err := <-outcomes; errors.Is(err, cluster.ErrUnknown) {
			t.Errorf("what was certainly not taken: %v", err)
		}
	}
}
