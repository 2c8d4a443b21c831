package embedded_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"tinyactor/actor"
	"tinyactor/actortest"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// A remote address keeps every promise of actor.Sender.
func TestSender(t *testing.T) {
	s := start(t, embedded.Config{})
	here, there := join(t, s, cluster.Config{Name: "here"}), join(t, s, cluster.Config{Name: "there"})
	var number atomic.Int64
	actortest.TestSender(t, func(to *actor.Address[actortest.Message]) actor.Sender[actortest.Message] {
		name := fmt.Sprint("conformance-", number.Add(1))
		if err := cluster.Expose(t.Context(), there, name, to); err != nil {
			t.Fatal(err)
		}
		sender := cluster.Lookup[actortest.Message](here, name)
		eventually(t, "it is found", func() bool { return len(sender.Nodes()) == 1 })
		return sender
	})
}
