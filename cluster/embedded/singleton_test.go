package embedded_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// where asks a singleton on which node it runs, and under which number.
type where struct{ actor.Reply[spot] }

type spot struct {
	Node  string
	Fence uint64
}

func askWhere(r actor.Reply[spot]) where { return where{r} }

// tellWhere is the body of a singleton that answers that.
func tellWhere(node *cluster.Node) func(context.Context, *actor.Inbox[where]) error {
	return func(ctx context.Context, in *actor.Inbox[where]) error {
		return in.Serve(ctx, func(ctx context.Context, m where) error {
			m.Answer(spot{node.ID(), cluster.Fence(ctx)}, nil)
			return nil
		})
	}
}

// find asks until somebody answers who is not in the place given.
func find(t testing.TB, from *cluster.Node, name string, not spot) (at spot) {
	t.Helper()
	to := cluster.Lookup[where](from, name)
	eventually(t, name+" runs elsewhere", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		var err error
		at, err = actor.Ask(ctx, to, askWhere)
		return err == nil && at.Node != not.Node
	})
	if at.Fence <= not.Fence {
		t.Errorf("%s runs on %s with fencing number %d, before with %d on %s", name, at.Node, at.Fence, not.Fence, not.Node)
	}
	return at
}

func TestSingletonMoves(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true})
	var nodes []*cluster.Node
	var children []*actor.Child[actor.None, actor.None]
	for range 3 {
		n := join(t, s, cluster.Config{})
		c, err := cluster.Singleton(t.Context(), n, "boss", tellWhere(n))
		if err != nil {
			t.Fatal(err)
		}
		nodes, children = append(nodes, n), append(children, c)
	}
	asker := join(t, s, cluster.Config{Name: "asker"})
	at := find(t, asker, "boss", spot{})
	gone := map[string]bool{}
	place := func() int {
		for i, n := range nodes {
			if n.ID() == at.Node && !gone[at.Node] {
				return i
			}
		}
		t.Fatalf("it runs on %s", at.Node)
		return 0
	}
	begun := time.Now()
	i := place()
	if _, err := children[i].Stop(within(t, 5*time.Second)); err != nil {
		t.Error(err)
	}
	gone[at.Node] = true
	at = find(t, asker, "boss", at)
	t.Logf("after Stop it has moved within %v", time.Since(begun))
	begun = time.Now()
	i = place()
	if err := nodes[i].Drain(within(t, 5*time.Second)); err != nil {
		t.Error(err)
	}
	gone[at.Node] = true
	at = find(t, asker, "boss", at)
	t.Logf("after Drain it has moved within %v", time.Since(begun))
	i = place()
	if err := nodes[i].Close(); err != nil {
		t.Error(err)
	}
	if _, err := children[i].Wait(within(t, time.Second)); err != nil && !errors.Is(err, actor.ErrAborted) {
		t.Error(err)
	}
}
