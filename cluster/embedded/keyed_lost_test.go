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
