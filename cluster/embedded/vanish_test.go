package embedded_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// A beat that does not speak of an actor, as while its node does not know whether it
// has the lease, costs nothing when the next one does.
func TestOneBeatWithout(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{})
	cfg := cluster.Config{Beat: 100 * time.Millisecond, Lost: 2 * time.Second}
	a, b := join(t, s, cfg), join(t, s, cfg)
	asked, goOn := make(chan struct{}), make(chan struct{})
	_, addr := spawn(t, actor.Config{}, func(_ context.Context, m where) error {
		close(asked)
		<-goOn
		m.Answer(spot{}, nil)
		return nil
	})
	if err := cluster.Expose(t.Context(), a, "x", addr); err != nil {
		t.Fatal(err)
	}
	outcome := make(chan error, 1)
	go func() {
		_, err := actor.Ask(within(t, 20*time.Second), cluster.Lookup[where](b, "x"), askWhere)
		outcome <- err
	}()
	<-asked
	var beats atomic.Int32
	control := "tinyactor.node." + a.ID() + ".ctl"
	nc := connect(t, s)
	if _, err := nc.Subscribe("tinyactor.beat", func(m *nats.Msg) {
		if m.Reply == control {
			beats.Add(1)
		}
	}); err != nil {
		t.Fatal(err)
	}
	frame := append([]byte{1, 1, byte(len(a.ID()))}, a.ID()...) // a beat without flags and names
	if err := errors.Join(nc.PublishRequest("tinyactor.beat", control, append(frame, 0, 0)), nc.Flush()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "many beats", func() bool { return beats.Load() > 8 })
	close(goOn)
	if err := <-outcome; err != nil {
		t.Errorf("an Ask that was under way: %v", err)
	}
}
