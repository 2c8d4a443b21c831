package embedded_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// endSessions ends the sessions of a node as a rival would.
func endSessions(t *testing.T, n *cluster.Node, of string) {
	t.Helper()
	js, err := jetstream.New(n.Conn())
	if err != nil {
		t.Fatal(err)
	}
	kv, err := js.KeyValue(within(t, 5*time.Second), "tinyactor-leases")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := kv.Keys(within(t, 5*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if !strings.HasPrefix(key, "session."+of+".") {
			continue
		}
		if _, err := kv.Put(within(t, 5*time.Second), key, []byte(`{"state":"ended"}`)); err != nil {
			t.Fatal(err)
		}
	}
}

// A node hosts as many names as it likes.
func TestKeyedNames(t *testing.T) {
	t.Parallel()
	n := join(t, start(t, embedded.Config{JetStream: true}), cluster.Config{})
	for _, name := range []string{"one", "two"} {
		err := cluster.Keyed(n, name, func(string) cluster.Actor[where] { return cluster.Actor[where]{Run: tellWhere(n)} })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := actor.Ask(within(t, 5*time.Second), cluster.Lookup[where](n, name).Key("k"), askWhere); err != nil {
			t.Error(err)
		}
	}
}

// When the lease is lost, the actors of its keys are aborted, not only halted, and
// learn why.
func TestKeyedLeaseLost(t *testing.T) {
	t.Parallel()
	n := join(t, start(t, embedded.Config{JetStream: true}), cluster.Config{Lease: 3 * time.Second})
	var waits atomic.Bool
	waits.Store(true)
	ends := make(chan error, 1)
	fences := make(chan uint64, 2)
	err := cluster.Keyed(n, "user", func(string) cluster.Actor[where] {
		return cluster.Actor[where]{
			Config: actor.Config{AbortTimer: time.Hour},
			Run: func(ctx context.Context, in *actor.Inbox[where]) error {
				fences <- cluster.Fence(ctx)
				return in.Serve(ctx, func(ctx context.Context, m where) error {
					m.Answer(spot{}, nil)
					if !waits.Swap(false) {
						return nil
					}
					select {
					case <-ctx.Done():
						ends <- context.Cause(ctx)
					case <-time.After(8 * time.Second):
						ends <- errors.New("its context goes on")
					}
					return nil
				})
			},
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	user := cluster.Lookup[where](n, "user").Key("k")
	if _, err := actor.Ask(within(t, 5*time.Second), user, askWhere); err != nil {
		t.Fatal(err)
	}
	endSessions(t, n, n.ID())
	if err := <-ends; !errors.Is(err, cluster.ErrLeaseLost) || !errors.Is(err, actor.ErrAborted) {
		t.Errorf("the actor's context ends with %v", err)
	}
	if _, err := actor.Ask(within(t, 5*time.Second), user, askWhere); err != nil {
		t.Errorf("under a new lease: %v", err)
	}
	if before, now := <-fences, <-fences; now <= before {
		t.Errorf("fencing number %d after %d", now, before)
	}
}

// An actor that fails before it receives anything is begun once for each message.
func TestKeyedFailsToStart(t *testing.T) {
	t.Parallel()
	n := join(t, start(t, embedded.Config{JetStream: true}), cluster.Config{})
	var runs atomic.Int32
	err := cluster.Keyed(n, "user", func(key string) cluster.Actor[where] {
		if key == "nobody" {
			return cluster.Actor[where]{}
		}
		return cluster.Actor[where]{Run: func(context.Context, *actor.Inbox[where]) error {
			runs.Add(1)
			return errors.New("it cannot load what it needs")
		}}
	})
	if err != nil {
		t.Fatal(err)
	}
	user := cluster.Lookup[where](n, "user").Key("k")
	for i := range int32(10) {
		if _, err := actor.Ask(within(t, 5*time.Second), user, askWhere); !errors.Is(err, actor.ErrNoReply) {
			t.Errorf("an actor that fails: %v", err)
		}
		if runs.Load() != i+1 {
			t.Fatalf("%d runs for %d messages", runs.Load(), i+1)
		}
	}
	_, err = actor.Ask(within(t, 5*time.Second), cluster.Lookup[where](n, "user").Key("nobody"), askWhere)
	if err == nil || !strings.Contains(err.Error(), "without Run") {
		t.Errorf("an Actor without Run: %v", err)
	}
}
