package embedded_test

import (
	"context"
	"errors"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"tinyactor/actor"
	"tinyactor/cluster"
)

// Whatever moment an asker gives up at, what it has asked is not asked for ever.
func TestAskerGivesUpEarly(t *testing.T) {
	here, there, _ := two(t, cluster.Config{}, cluster.Config{})
	var came, ended atomic.Int64
	_, addr := spawn(t, actor.Config{Capacity: actor.Unbounded()}, func(_ context.Context, m item) error {
		came.Add(1)
		context.AfterFunc(m.Context(), func() { ended.Add(1) })
		return nil
	})
	expose(t, there, "x", addr)
	to := cluster.Lookup[item](here, "x")
	eventually(t, "it is found", func() bool { return len(to.Nodes()) == 1 })
	for i := range 2000 {
		ctx, cancel := context.WithCancel(t.Context())
		if i%2 == 0 {
			cancel()
		} else {
			go cancel()
		}
		_, err := actor.Ask(ctx, to, func(r actor.Reply[int]) item { return item{r, i} })
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if err := here.Drain(within(t, 10*time.Second)); err != nil {
		t.Error(err)
	}
	eventually(t, "each handler's context has ended", func() bool {
		return there.Stats().Received == uint64(ended.Load()) && came.Load() == ended.Load()
	})
}

// deaf is JSON that decodes items when it may.
type deaf struct {
	cluster.JSON
	decodes chan struct{}
	may     chan struct{}
}

func (c deaf) Unmarshal(data []byte, v any) error {
	if reflect.TypeOf(v) == reflect.TypeFor[*item]() {
		c.decodes <- struct{}{}
		<-c.may
	}
	return c.JSON.Unmarshal(data, v)
}

// An asker may give up while what it asks is decoded.
func TestAskerGivesUpDecoding(t *testing.T) {
	codec, called := deaf{decodes: make(chan struct{}, 1), may: make(chan struct{})}, make(chan struct{})
	here, there := relayed(t, cluster.Config{}, cluster.Config{Codec: codec}, func(m *nats.Msg) bool {
		if m.Data[1] == frameCancel {
			close(called)
		}
		return false
	})
	var came atomic.Int64
	_, addr := spawn(t, actor.Config{}, func(context.Context, item) error {
		came.Add(1)
		return nil
	})
	_, other := spawn(t, actor.Config{}, func(context.Context, int) error { return nil })
	expose(t, there, "x", addr)
	expose(t, there, "other", other)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-codec.decodes
		cancel()
	}()
	_, err := actor.Ask(ctx, cluster.Lookup[item](here, "x"), func(r actor.Reply[int]) item { return item{Reply: r} })
	wantErr(t, err, context.Canceled)
	<-called
	if err := cluster.Lookup[int](here, "other").Send(t.Context(), 1); err != nil { // what left before has come
		t.Fatal(err)
	}
	close(codec.may)
	if err := there.Drain(within(t, 10*time.Second)); err != nil {
		t.Error(err)
	}
	if n := came.Load(); n != 0 {
		t.Error("what nobody asks any more was handled")
	}
}

// Who passes a question on does not wait for room when nobody asks it any more.
func TestForwardedAskGivesUp(t *testing.T) {
	here, there, _ := two(t, cluster.Config{}, cluster.Config{})
	release, forwarding, forwarded := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	defer close(release)
	_, far := spawn(t, actor.Config{Capacity: actor.Bounded(1), Undelivered: func(any) {}}, func(context.Context, item) error {
		<-release
		return nil
	})
	expose(t, there, "far", far)
	to := cluster.Lookup[item](here, "far")
	for n := range 2 { // one in hand
		if err := to.Send(t.Context(), item{N: n}); err != nil {
			t.Fatal(err)
		}
	}
	_, near := spawn(t, actor.Config{}, func(ctx context.Context, m item) error {
		close(forwarding)
		forwarded <- to.Send(ctx, m)
		return nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-forwarding
		cancel()
	}()
	_, err := actor.Ask(ctx, near, func(r actor.Reply[int]) item { return item{r, 2} })
	wantErr(t, err, context.Canceled)
	select {
	case err := <-forwarded:
		wantErr(t, err, context.Canceled, `"far"`)
	case <-time.After(10 * time.Second):
		t.Error("it waits")
	}
}
