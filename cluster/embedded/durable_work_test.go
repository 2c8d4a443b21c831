package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// parcel is a message whose order matters to those with the same key.
type parcel struct {
	Key string
	N   int
}

func (p parcel) OrderKey() string { return p.Key }

// Messages, those set aside, and the attempts made outlive every node and server.
func TestDurableRestart(t *testing.T) {
	t.Parallel()
	cfg := embedded.Config{JetStream: true, Store: t.TempDir()}
	inbox := cluster.DurableConfig{Attempts: 2, Backoff: time.Millisecond, AckWait: time.Second}
	s := start(t, cfg)
	n := join(t, s, cluster.Config{Name: "one"})
	d := open[note](t, n, "notes", inbox)
	for i := range 100 {
		if err := d.Send(t.Context(), note{i}); err != nil {
			t.Fatal(err)
		}
	}
	var done effects
	hang := make(chan struct{})
	child := d.Spawn(t.Context(), actor.Config{Name: "notes"}, 2, func(ctx context.Context, m note) error {
		switch m.N {
		case 10:
			return errors.New("never")
		case 20:
			close(hang)
			<-ctx.Done()
			return ctx.Err()
		}
		done.add(m.N)
		return nil
	})
	<-hang
	eventually(t, "one is set aside", func() bool { return n.Stats().SetAside == 1 })
	child.Abort()
	if _, err := child.Wait(within(t, 5*time.Second)); !errors.Is(err, actor.ErrAborted) {
		t.Errorf("it ends with %v", err)
	}
	n.Close()
	s.Close()

	s = start(t, cfg)
	n = join(t, s, cluster.Config{Name: "two"})
	d = open[note](t, n, "notes", inbox)
	for a, err := range d.Aside(t.Context()) {
		if err != nil || a.Msg.N != 10 || a.Reason != "never" || a.Attempts != 2 {
			t.Errorf("set aside: %+v, %v", a, err)
		}
	}
	handle(t, d, 2, func(ctx context.Context, m note) error {
		done.add(m.N)
		return nil
	})
	eventually(t, "all others are handled", func() bool { return done.count() == 99 })
	if done.times[10] != 0 {
		t.Error("what was set aside is handled")
	}
}

// A handler that takes longer than AckWait keeps its message, and those behind it
// wait with it.
func TestDurableSlow(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true})
	n := join(t, s, cluster.Config{Name: "one"})
	d := open[note](t, n, "notes", cluster.DurableConfig{AckWait: 2 * time.Second})
	for i := range 3 {
		if err := d.Send(t.Context(), note{i}); err != nil {
			t.Fatal(err)
		}
	}
	var done effects
	handle(t, d, 1, func(ctx context.Context, m note) error {
		if m.N == 0 {
			select {
			case <-time.After(5 * time.Second):
			case <-ctx.Done():
			}
		}
		done.add(m.N)
		return nil
	})
	eventually(t, "all are handled", func() bool { return done.count() == 3 })
	if st := n.Stats(); st.Redelivered != 0 || len(done.order) != 3 {
		t.Errorf("%d were handed out again, handled %v", st.Redelivered, done.order)
	}
}

// A halted actor finishes what is in hand and gives back the rest, which another
// node gets at once; an aborted one leaves it all until AckWait is over.
func TestDurableEnds(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"halt", "close", "drain the node", "close the node", "abort"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			s := start(t, embedded.Config{JetStream: true})
			first, second := join(t, s, cluster.Config{Name: "first"}), join(t, s, cluster.Config{Name: "second"})
			wait := 20 * time.Second // longer than the test may take
			if how == "abort" {
				wait = 3 * time.Second
			}
			cfg := cluster.DurableConfig{AckWait: wait}
			d := open[note](t, first, "notes", cfg)
			for i := range 100 {
				if err := d.Send(t.Context(), note{i}); err != nil {
					t.Fatal(err)
				}
			}
			begun, release := make(chan struct{}), make(chan struct{})
			var once sync.Once
			var turn atomic.Int32
			var done effects
			child := d.Spawn(context.Background(), actor.Config{Name: "first", AbortTimer: time.Minute}, 2, func(ctx context.Context, m note) error {
				if turn.Add(1) <= 20 {
					done.add(m.N)
					return nil
				}
				once.Do(func() { close(begun) })
				select {
				case <-release:
				case <-ctx.Done():
					return ctx.Err()
				}
				done.add(m.N)
				return nil
			})
			<-begun
			switch how {
			case "halt":
				child.Halt()
			case "close":
				child.Close()
			case "drain the node":
				go first.Drain(context.Background())
			case "close the node":
				go first.Close()
			case "abort":
				child.Abort()
			}
			if how != "abort" {
				eventually(t, "nothing more is fetched", func() bool { return done.count() == 20 })
				close(release)
			}
			_, err := child.Wait(within(t, 10*time.Second))
			switch {
			case how == "abort" && !errors.Is(err, actor.ErrAborted), strings.HasSuffix(how, "node") && !errors.Is(err, cluster.ErrNodeClosed),
				(how == "halt" || how == "close") && err != nil:
				t.Errorf("it ends with %v", err)
			}
			if failed := first.Stats().Failed; failed != 0 { // an abort is no failure
				t.Errorf("%d have failed", failed)
			}
			other := open[note](t, second, "notes", cfg)
			handle(t, other, 2, func(_ context.Context, m note) error {
				done.add(m.N)
				return nil
			})
			eventually(t, "all are handled", func() bool { return done.count() == 100 })
			for n, k := range done.times {
				if k != 1 {
					t.Errorf("%d was handled %d times", n, k)
				}
			}
			t.Logf("%d were handed out again", second.Stats().Redelivered)
		})
	}
}

// A message whose handlers never came to an end, since their nodes died, is set
// aside without another try; one that ends its goroutine fails.
func TestDurableHopeless(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true})
	n := join(t, s, cluster.Config{Name: "one"})
	cfg := cluster.DurableConfig{AckWait: 500 * time.Millisecond, Attempts: 3, Backoff: time.Millisecond}
	d := open[note](t, n, "notes", cfg)
	js := manage(t, s)
	var handled atomic.Int64
	if err := d.Send(t.Context(), note{0}); err != nil {
		t.Fatal(err)
	}
	maker := handle(t, d, 1, func(context.Context, note) error { return nil })
	eventually(t, "there is a consumer", func() bool { return n.Stats().Handled == 1 })
	stop(t, maker)
	if err := d.Send(t.Context(), note{1}); err != nil {
		t.Fatal(err)
	}
	c, err := js.Consumer(t.Context(), "tinyactor=notes", "work")
	if err != nil {
		t.Fatal(err)
	}
	for range 6 { // somebody takes it and is not heard of any more
		if _, err := c.Next(jetstream.FetchMaxWait(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	child := handle(t, d, 1, func(ctx context.Context, m note) error {
		if m.N == 1 {
			handled.Add(1)
		}
		if m.N == 2 {
			runtime.Goexit()
		}
		return nil
	})
	eventually(t, "it is set aside", func() bool { return n.Stats().SetAside == 1 })
	if handled.Load() != 0 {
		t.Error("it was handled")
	}
	for a, err := range d.Aside(t.Context()) {
		if err != nil || a.Attempts != 7 || !strings.Contains(a.Reason, "6 times") {
			t.Errorf("%+v, %v", a, err)
		}
	}
	if err := d.Send(t.Context(), note{2}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "that too", func() bool { return n.Stats().SetAside == 2 })
	if err := d.Send(t.Context(), note{3}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "there still is a worker", func() bool { return n.Stats().Handled == 2 })
	stop(t, child)
}

// What does not decode is set aside at once, with the reason.
func TestDurableUndecodable(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true})
	n := join(t, s, cluster.Config{Name: "one"})
	d := open[note](t, n, "notes", cluster.DurableConfig{})
	js := manage(t, s)
	if err := d.Send(t.Context(), note{1}); err != nil {
		t.Fatal(err)
	}
	st, err := js.Stream(t.Context(), "tinyactor=notes")
	if err != nil {
		t.Fatal(err)
	}
	good, err := st.GetMsg(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	newer := append([]byte{2}, good.Data[1:]...)
	broken := append([]byte{}, good.Data[:len(good.Data)-1]...)
	other := []byte(strings.Replace(string(good.Data), "note", "mote", 1))
	codec := []byte(strings.Replace(string(good.Data), "json", "jsom", 1))
	for i, data := range [][]byte{nil, {1}, newer, broken, other, codec} {
		if _, err := js.Publish(t.Context(), "tinyactor.durable.notes.0", data, jetstream.WithMsgID(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	handle(t, d, 1, func(_ context.Context, m note) error { return nil })
	eventually(t, "all are set aside", func() bool { return n.Stats().SetAside == 6 && n.Stats().Handled == 1 })
	i := 0
	for a, err := range d.Aside(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"version 0", "no message", "version 2", "does not decode", "mote", "jsom"}[i]; !strings.Contains(a.Reason, want) || !errors.Is(a.Err, cluster.ErrMismatch) || a.Attempts != 1 {
			t.Errorf("%d: %+v, want %q", i, a, want)
		}
		i++
	}
}

// The messages of one key are handled in the order stored, one at a time, on
// whatever node, also when some fail, and while nodes come and go.
func TestDurableOrder(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true})
	const keys, each = 20, 15
	nodes := []*cluster.Node{join(t, s, cluster.Config{Name: "a"}), join(t, s, cluster.Config{Name: "b"})}
	cfg := cluster.DurableConfig{Backoff: time.Millisecond, Partitions: 4, AckWait: 5 * time.Second}
	var mu sync.Mutex
	last, busy, onNode := map[string]int{}, map[string]bool{}, map[string]int{}
	work := func(node *cluster.Node) func(context.Context, parcel) error {
		return func(ctx context.Context, p parcel) error {
			mu.Lock()
			if busy[p.Key] {
				t.Errorf("two of key %s at a time", p.Key)
			}
			busy[p.Key] = true
			mu.Unlock()
			runtime.Gosched()
			mu.Lock()
			defer mu.Unlock()
			busy[p.Key] = false
			onNode[node.ID()]++
			if p.N != last[p.Key]+1 {
				t.Errorf("of key %s, %d comes after %d", p.Key, p.N, last[p.Key])
			}
			if p.N%7 == 3 && cluster.Attempt(ctx) == 1 {
				return errors.New("once more")
			}
			last[p.Key] = p.N
			return nil
		}
	}
	var first *cluster.Durable[parcel]
	for _, n := range nodes {
		d := open[parcel](t, n, "parcels", cfg)
		if first == nil {
			first = d
		}
		handle(t, d, 3, work(n))
	}
	var senders sync.WaitGroup
	for k := range keys {
		senders.Go(func() {
			for i := range each {
				if err := first.Send(t.Context(), parcel{fmt.Sprint("k", k), i + 1}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 5 { // one more that comes and goes
		child := open[parcel](t, nodes[1], "parcels", cfg).Spawn(t.Context(), actor.Config{Name: "guest"}, 2, work(nodes[1]))
		if _, err := child.Stop(within(t, 10*time.Second)); err != nil {
			t.Error(err)
		}
	}
	senders.Wait()
	eventually(t, "all are handled", func() bool {
		mu.Lock()
		defer mu.Unlock()
		for k := range keys {
			if last[fmt.Sprint("k", k)] != each {
				return false
			}
		}
		return true
	})
	if len(onNode) != 2 {
		t.Errorf("not all nodes work: %v", onNode)
	}
}

// When the inbox is removed, who handles its messages is told.
func TestDurableRemoved(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true})
	n := join(t, s, cluster.Config{Name: "one"})
	d := open[note](t, n, "notes", cluster.DurableConfig{})
	child := d.Spawn(t.Context(), actor.Config{Name: "notes"}, 1, func(context.Context, note) error { return nil })
	if err := d.Send(t.Context(), note{1}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it works", func() bool { return n.Stats().Handled == 1 })
	if err := manage(t, s).DeleteStream(t.Context(), "tinyactor=notes"); err != nil {
		t.Fatal(err)
	}
	if _, err := child.Wait(within(t, 10*time.Second)); !errors.Is(err, jetstream.ErrStreamNotFound) || !strings.Contains(err.Error(), "notes") {
		t.Errorf("it ends with %v", err)
	}
}

// A message that ends its nodes, time and again, is set aside in the end, and no
// other one with it that was only fetched.
func TestDurablePoison(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true})
	n := join(t, s, cluster.Config{Name: "sender"})
	cfg := cluster.DurableConfig{AckWait: 500 * time.Millisecond, Attempts: 2}
	d := open[note](t, n, "notes", cfg)
	for i := range 300 {
		if err := d.Async().Send(t.Context(), note{i}); err != nil {
			t.Fatal(err)
		}
	}
	var done effects
	for life := 0; n.Stats().SetAside == 0; life++ {
		if life == 8 {
			t.Fatal("it is not set aside after 8 deaths")
		}
		died := make(chan struct{})
		var once sync.Once
		child := d.Spawn(t.Context(), actor.Config{Name: "victim"}, 1, func(ctx context.Context, m note) error {
			if m.N == 100 {
				once.Do(func() { close(died) })
				<-ctx.Done() // as if the process had died
				return ctx.Err()
			}
			done.add(m.N)
			return nil
		})
		eventually(t, "it dies, or is through", func() bool {
			select {
			case <-died:
				return true
			default:
				return n.Stats().SetAside > 0 && done.count() == 299
			}
		})
		child.Abort()
		child.Wait(within(t, 10*time.Second))
	}
	if st := n.Stats(); st.SetAside != 1 || done.count() != 299 {
		t.Errorf("%d are set aside, %d handled", st.SetAside, done.count())
	}
}
