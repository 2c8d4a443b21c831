package embedded_test

import (
	"context"
	"runtime"
	"testing"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// What is not exposed costs nothing, and a name one subscription and two
// goroutines on its node, whoever sends to it. Not parallel: it counts the
// process's goroutines.
func TestCost(t *testing.T) {
	s := start(t, embedded.Config{})
	here, there := join(t, s, cluster.Config{Name: "here"}), join(t, s, cluster.Config{Name: "there"})
	const actors, names = 100, 10
	counts := func() (subscriptions uint32, goroutines int) {
		return s.Server().NumSubscriptions(), runtime.NumGoroutine()
	}
	settled := func(what string, subscriptions uint32, goroutines int) {
		t.Helper()
		eventually(t, what, func() bool {
			gotS, gotG := counts()
			return gotS == subscriptions && gotG <= goroutines
		})
	}
	eventually(t, "both know each other", func() bool { return len(here.Peers()) == 2 && len(there.Peers()) == 2 })
	subscriptions, goroutines := counts()

	var addrs []*actor.Address[int]
	for range actors {
		_, addr := spawn(t, actor.Config{}, func(context.Context, int) error { return nil })
		if err := addr.Send(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		addrs = append(addrs, addr)
	}
	settled("an actor has its own goroutine and nothing else", subscriptions, goroutines+actors)

	ctx, withdraw := context.WithCancel(t.Context())
	for i, addr := range addrs[:names] {
		name := "name-" + string(rune('a'+i))
		if err := cluster.Expose(ctx, there, name, addr); err != nil {
			t.Fatal(err)
		}
		to := cluster.Lookup[int](here, name)
		eventually(t, "it is found", func() bool { return to.Send(t.Context(), 1) == nil })
	}
	settled("names have a subscription and two goroutines each", subscriptions+names, goroutines+actors+2*names)
	withdraw()
	settled("all of that is gone", subscriptions, goroutines+actors)
}
