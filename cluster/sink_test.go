package cluster

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"tinyactor/actor"
	"tinyactor/internal/remote"
)

type quiz struct{ actor.Reply[int] }

// A question that has come waits for room no longer than its name is exposed, also if
// there was room when it was looked at.
func TestAskLosesRoom(t *testing.T) {
	release := make(chan struct{})
	child, addr := actor.Spawn(t.Context(), actor.Config{Capacity: actor.Bounded(1), Undelivered: func(any) {}}, func(ctx context.Context, in *actor.Inbox[quiz]) error {
		<-release
		return actor.ErrHalted
	})
	defer func() {
		close(release)
		child.Stop(context.Background())
	}()
	look := remote.Look
	defer func() { remote.Look = look }()
	filled := make(chan struct{})
	remote.Look = func(ref any) remote.Sight {
		s := look(ref)
		for addr.TrySend(quiz{}) == nil {
		}
		close(filled)
		return s
	}
	shape, err := shapeOf(reflect.TypeFor[quiz]())
	if err != nil {
		t.Fatal(err)
	}
	e := &exposure{node: &Node{cfg: Config{Codec: JSON{}}}, shape: shape}
	e.ctx, e.cancel = context.WithCancel(t.Context())
	l := &inlet{exposure: e, asks: make(map[uint64]context.CancelFunc)}
	outcome := make(chan error, 1)
	go func() { outcome <- (&sink[quiz]{e, addr}).ask(l, incoming{n: 1, ask: true, body: []byte("\x00{}")}) }()
	<-filled
	e.cancel()
	select {
	case err := <-outcome:
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it waits")
	}
}
