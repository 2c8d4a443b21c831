package embedded_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// Work goes where there is room: an actor that does nothing gets what its inbox
// takes, and the others all the rest.
func TestPoolByCapacity(t *testing.T) {
	s := start(t, embedded.Config{})
	here := join(t, s, cluster.Config{Name: "here"})
	var counts [3]atomic.Int64
	stuck := make(chan struct{})
	defer close(stuck)
	for i := range counts {
		_, addr := spawn(t, actor.Config{Capacity: actor.Bounded(8)}, func(context.Context, int) error {
			counts[i].Add(1)
			if i == 0 {
				<-stuck
			}
			return nil
		})
		expose(t, join(t, s, cluster.Config{Name: fmt.Sprint("n", i)}), "work", addr)
	}
	work := cluster.Lookup[int](here, "work")
	eventually(t, "all are found", func() bool { return len(work.Nodes()) == 3 })
	const total = 3000
	for n := range total {
		if err := work.Send(within(t, 10*time.Second), n); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all are received", func() bool { return counts[1].Load()+counts[2].Load() >= total-9 })
	if n := counts[0].Load(); n > 1 {
		t.Errorf("the stuck actor has received %d", n)
	}
	for _, i := range []int{1, 2} {
		if n := counts[i].Load(); n < total/10 {
			t.Errorf("node %d has received %d of %d", i, n, total)
		}
	}
	// Two are full: what waits goes to the one that gets room.
	if err := work.TrySend(0); err != nil {
		t.Errorf("TrySend while two nodes have room: %v", err)
	}
}

// Of two that have room, the one that has more is sent to.
func TestPoolPrefersRoom(t *testing.T) {
	s := start(t, embedded.Config{})
	here := join(t, s, cluster.Config{Name: "here"})
	stuck := make(chan struct{})
	defer close(stuck)
	var inboxes [2]*actor.Address[int]
	for i := range inboxes {
		_, inboxes[i] = spawn(t, actor.Config{Capacity: actor.Bounded(100), Undelivered: func(any) {}}, func(context.Context, int) error {
			<-stuck
			return nil
		})
		for n := range 1 + 50*i {
			if err := inboxes[i].Send(t.Context(), n); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, "the first is received", func() bool { return inboxes[i].Len() == 50*i })
		expose(t, join(t, s, cluster.Config{Name: fmt.Sprint("n", i)}), "work", inboxes[i])
	}
	work := cluster.Lookup[int](here, "work")
	eventually(t, "all are found", func() bool { return len(work.Nodes()) == 2 })
	for n := range 40 {
		if err := work.Send(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := inboxes[0].Len(), inboxes[1].Len(); a != 40 || b != 50 {
		t.Errorf("the inboxes have %d and %d messages, want 40 and 50", a, b)
	}
}

// A draining node takes nothing more, and answers what it was asked.
func TestDrain(t *testing.T) {
	s := start(t, embedded.Config{})
	here := join(t, s, cluster.Config{Name: "here"})
	var nodes [2]*cluster.Node
	var counts [2]atomic.Int64
	release := make(chan struct{})
	for i := range nodes {
		_, addr := spawn(t, actor.Config{Capacity: actor.Bounded(8)}, func(_ context.Context, m item) error {
			counts[i].Add(1)
			if m.N < 0 {
				<-release
			}
			m.Answer(m.N, nil)
			return nil
		})
		nodes[i] = join(t, s, cluster.Config{Name: fmt.Sprint("n", i)})
		expose(t, nodes[i], "work", addr)
		expose(t, nodes[i], fmt.Sprint("work.", i), addr)
	}
	work := cluster.Lookup[item](here, "work")
	eventually(t, "all are found", func() bool { return len(work.Nodes()) == 2 })
	answer := make(chan error, 1)
	go func() {
		_, err := actor.Ask(t.Context(), cluster.Lookup[item](here, "work.0"), func(r actor.Reply[int]) item { return item{r, -1} })
		answer <- err
	}()
	eventually(t, "it is asked", func() bool { return counts[0].Load() == 1 })
	drained := make(chan error, 1)
	go func() { drained <- nodes[0].Drain(within(t, 10*time.Second)) }()
	eventually(t, "it is out of the pool", func() bool { return len(work.Nodes()) == 1 })
	for n := range 100 {
		if err := work.Send(t.Context(), item{N: n}); err != nil {
			t.Fatal(err)
		}
	}
	if n := counts[0].Load(); n != 1 {
		t.Errorf("the draining node has received %d messages", n-1)
	}
	select {
	case err := <-drained:
		t.Errorf("Drain returns %v before the answer", err)
	default:
	}
	close(release)
	if err := <-answer; err != nil {
		t.Errorf("the ask: %v", err)
	}
	if err := <-drained; err != nil {
		t.Errorf("Drain: %v", err)
	}
}

// slow is JSON that decodes the number 1 when it may.
type slow struct {
	cluster.JSON
	decodes, may chan struct{}
}

func (c slow) Unmarshal(data []byte, v any) error {
	if string(data) == "1" {
		close(c.decodes)
		<-c.may
	}
	return c.JSON.Unmarshal(data, v)
}

// An actor is not exposed again while a message is about to come by its exposure
// before: what comes by the next would overtake that.
func TestExposeAgain(t *testing.T) {
	codec := slow{decodes: make(chan struct{}), may: make(chan struct{})}
	here, there, _ := two(t, cluster.Config{}, cluster.Config{Codec: codec})
	_, addr := spawn(t, actor.Config{}, func(context.Context, int) error { return nil })
	ctx, withdraw := context.WithCancel(t.Context())
	defer withdraw()
	if err := cluster.Expose(ctx, there, "x", addr); err != nil {
		t.Fatal(err)
	}
	to := cluster.Lookup[int](here, "x")
	if err := to.Async().Send(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	<-codec.decodes
	withdraw()
	time.AfterFunc(300*time.Millisecond, func() { close(codec.may) })
	eventually(t, "it is exposed again", func() bool { return cluster.Expose(t.Context(), there, "x", addr) == nil })
	select {
	case <-codec.may:
	default:
		t.Error("it is too early")
	}
	if err := to.Send(within(t, 10*time.Second), 2); err != nil {
		t.Error(err)
	}
}
