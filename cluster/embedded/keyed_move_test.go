package embedded_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// ordered fails the test unless a key has got a sender's messages from 0 to n-1,
// each once and in order.
func (k *keepers) ordered(key string, from, n int) {
	k.t.Helper()
	got := k.received(key, from)
	for i, m := range got {
		if m != i {
			k.t.Errorf("key %s: the message at place %d of sender %d is %d", key, i, from, m)
			return
		}
	}
	if len(got) != n {
		k.t.Errorf("key %s has got %d of %d messages of sender %d", key, len(got), n, from)
	}
}

// Keys move from node to node while one goroutine sends to them without waiting:
// nothing is lost, doubled or overtaken, and no key is in two places.
func TestKeyedDrains(t *testing.T) {
	t.Parallel()
	s := keyedServer(t)
	k := newKeepers(t)
	beat := patient(cluster.Config{Beat: 100 * time.Millisecond, Undelivered: func(name string, msg any, err error) {
		t.Errorf("undelivered: %+v: %v", msg, err)
	}})
	beat.Name = "here"
	here := join(t, s, beat)
	host := func(i int) *cluster.Node {
		beat.Name = fmt.Sprint("n", i)
		n := join(t, s, beat)
		k.host(n, actor.Config{Capacity: actor.Bounded(4), Undelivered: func(m any) { t.Errorf("left: %+v", m) }}, 50*time.Millisecond)
		return n
	}
	nodes := []*cluster.Node{host(0), host(1)}
	user := cluster.Lookup[keyMsg](here, "user")
	ctx := within(t, time.Minute)
	const keys = 40
	var stop atomic.Bool
	var sent [2][keys]int
	var senders sync.WaitGroup
	for from := range 2 {
		senders.Go(func() {
			for i := 0; !stop.Load(); i++ {
				key := i % keys
				to := user.Key(fmt.Sprint("k", key))
				var err error
				if from == 0 {
					err = to.Async().Send(ctx, keyMsg{From: from, N: sent[from][key]})
				} else {
					_, err = ask(ctx, to, keyMsg{From: from, N: sent[from][key]})
				}
				if err != nil {
					t.Errorf("sender %d: %v", from, err)
					return
				}
				sent[from][key]++
			}
		})
	}
	const moves = 8
	for i := range moves {
		nodes = append(nodes, host(i+2))
		eventually(t, "the new node is found", func() bool { return len(user.Key("k").Nodes()) == 3 })
		eventually(t, "the old one has keys", func() bool { return nodes[i].Stats().Received > 0 })
		if err := nodes[i].Drain(within(t, 10*time.Second)); err != nil {
			t.Error(err)
		}
	}
	stop.Store(true)
	senders.Wait()
	if err := here.Drain(ctx); err != nil {
		t.Error(err)
	}
	total := 0
	for _, n := range nodes[moves:] {
		if err := n.Drain(ctx); err != nil { // what they have got is handled
			t.Error(err)
		}
	}
	for from := range 2 {
		for key := range keys {
			k.ordered(fmt.Sprint("k", key), from, sent[from][key])
			total += sent[from][key]
		}
	}
	st := here.Stats()
	t.Logf("%d messages, %d handed back and sent again", total, st.HandedBack)
	if st.HandedBack == 0 || st.Unknown != 0 {
		t.Errorf("stats: %+v", st)
	}
}

// A message that comes when its actor is being stopped for having nothing to do
// is neither lost nor refused.
func TestKeyedIdle(t *testing.T) {
	t.Parallel()
	s := keyedServer(t)
	k := newKeepers(t)
	here, there := join(t, s, patient(cluster.Config{Name: "here"})), join(t, s, patient(cluster.Config{Name: "there"}))
	k.host(there, actor.Config{Capacity: actor.Bounded(2), Undelivered: func(m any) { t.Errorf("left: %+v", m) }}, time.Millisecond)
	user := cluster.Lookup[keyMsg](here, "user")
	ctx := within(t, time.Minute)
	const keys, each = 64, 60
	var senders sync.WaitGroup
	for key := range keys {
		senders.Go(func() {
			to := user.Key(fmt.Sprint("k", key))
			pause := time.NewTimer(0)
			for i := range each {
				<-pause.C
				var err error
				if i%3 == 0 {
					_, err = ask(ctx, to, keyMsg{N: i})
				} else {
					err = to.Send(ctx, keyMsg{N: i})
				}
				if err != nil {
					t.Error(err)
				}
				// Around the moment when it is stopped, and a little later each time.
				pause.Reset(800*time.Microsecond + time.Duration(i*key%100)*20*time.Microsecond)
			}
		})
	}
	senders.Wait()
	starts := 0
	for key := range keys {
		name := fmt.Sprint("k", key)
		eventually(t, "it is stopped", func() bool { return k.where(name) == "" })
		k.ordered(name, 0, each)
		k.mu.Lock()
		starts += k.starts[name]
		k.mu.Unlock()
	}
	t.Logf("%d messages, %d starts", keys*each, starts)
	if starts < 2*keys {
		t.Errorf("%d keys were started only %d times", keys, starts)
	}
}

// An actor that owes an answer is not idle.
func TestKeyedIdleOwes(t *testing.T) {
	t.Parallel()
	s := keyedServer(t)
	here := join(t, s, cluster.Config{Name: "here"})
	var owed atomic.Pointer[keyMsg]
	ended := make(chan struct{})
	err := cluster.Keyed(here, "user", func(string) cluster.Actor[keyMsg] {
		return cluster.Actor[keyMsg]{Idle: 5 * time.Millisecond, Run: func(ctx context.Context, in *actor.Inbox[keyMsg]) error {
			defer close(ended)
			return in.Serve(ctx, func(_ context.Context, m keyMsg) error {
				owed.Store(&m)
				return nil
			})
		}}
	})
	if err != nil {
		t.Fatal(err)
	}
	answer := make(chan error, 1)
	go func() {
		_, err := ask(t.Context(), cluster.Lookup[keyMsg](here, "user").Key("k"), keyMsg{})
		answer <- err
	}()
	eventually(t, "it is asked", func() bool { return owed.Load() != nil })
	select {
	case <-ended:
		t.Error("it was stopped")
	case err := <-answer:
		t.Errorf("the ask ended with %v", err)
	case <-time.After(50 * time.Millisecond): // ten times as long as it may be idle
	}
	owed.Load().Answer("", nil)
	if err := <-answer; err != nil {
		t.Error(err)
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("it is not stopped")
	}
}

// A node that comes later gets its share of what has no actor.
func TestKeyedShare(t *testing.T) {
	t.Parallel()
	s := keyedServer(t)
	k := newKeepers(t)
	quick := cluster.Config{Name: "first", Beat: 50 * time.Millisecond, Lost: 200 * time.Millisecond}
	first := join(t, s, quick)
	k.host(first, actor.Config{}, 20*time.Millisecond)
	user := cluster.Lookup[keyMsg](first, "user")
	ctx := within(t, 20*time.Second)
	const keys = 200
	share := func(id string) (n int) {
		for i := range keys {
			got, err := ask(ctx, user.Key(fmt.Sprint("k", i)), keyMsg{})
			for errors.Is(err, cluster.ErrNodeLost) && ctx.Err() == nil { // for a machine that has much to do, they are lost soon
				got, err = ask(ctx, user.Key(fmt.Sprint("k", i)), keyMsg{})
			}
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(got, id) {
				n++
			}
		}
		return n
	}
	if n := share(first.ID()); n != keys {
		t.Errorf("the first node has %d of %d keys", n, keys)
	}
	quick.Name = "second"
	second := join(t, s, quick)
	k.host(second, actor.Config{}, 20*time.Millisecond)
	if err := user.Key("k0").Send(ctx, keyMsg{}); err != nil { // not before it is known
		t.Fatal(err)
	}
	eventually(t, "it gets its share", func() bool {
		n := share(second.ID())
		pause := time.NewTimer(300 * time.Millisecond) // the keys must idle
		<-pause.C
		return n > keys/4
	})
}

// Node.Close halts the actors and waits for them; observers of Join's ctx see them.
func TestKeyedClose(t *testing.T) {
	t.Parallel()
	s := keyedServer(t)
	here := join(t, s, cluster.Config{Name: "here"})
	var seen atomic.Int64
	ctx := actor.WithObserver(t.Context(), observer(func(e actor.Event) {
		if strings.HasPrefix(e.Name, "user/") {
			seen.Add(1)
		}
	}))
	there, err := cluster.Join(ctx, connect(t, s), cluster.Config{Name: "there"})
	if err != nil {
		t.Fatal(err)
	}
	k := newKeepers(t)
	k.host(there, actor.Config{}, 0)
	user := cluster.Lookup[keyMsg](here, "user")
	for i := range 20 {
		if err := user.Key(fmt.Sprint("k", i)).Send(ctx, keyMsg{}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the observer has seen them", func() bool { return seen.Load() >= 20 })
	begun := time.Now()
	if err := there.Close(); err != nil {
		t.Error(err)
	}
	if took := spent(begun, time.Now()); took > 2*time.Second {
		t.Errorf("Close took %v", took)
	}
	k.mu.Lock()
	if len(k.live) > 0 {
		t.Errorf("after Close there are %v", k.live)
	}
	k.mu.Unlock()
	k.host(here, actor.Config{}, 0)
	begun = time.Now()
	if _, err := ask(within(t, 10*time.Second), user.Key("k1"), keyMsg{}); err != nil {
		t.Error(err)
	} else if took := spent(begun, time.Now()); took > time.Second { // the leases were given back
		t.Errorf("the key moved after %v", took)
	}
}

type observer func(actor.Event)

func (o observer) Observe(e actor.Event) { o(e) }

// A key's actor takes an interface type, and a function that panics is an error of
// the sender.
func TestKeyedShop(t *testing.T) {
	t.Parallel()
	s := keyedServer(t)
	here, there := join(t, s, cluster.Config{Name: "here"}), join(t, s, cluster.Config{Name: "there"})
	err := cluster.Keyed(there, "shops", func(key string) cluster.Actor[shopMsg] {
		if key == "bad" {
			panic("no such shop")
		}
		return cluster.Actor[shopMsg]{Run: func(ctx context.Context, in *actor.Inbox[shopMsg]) error {
			state := &shopState{stock: map[string]int{}}
			return in.Serve(ctx, func(_ context.Context, m shopMsg) error {
				m.apply(state)
				return nil
			})
		}}
	})
	if err != nil {
		t.Fatal(err)
	}
	shops := cluster.Lookup[shopMsg](here, "shops")
	ctx := within(t, 10*time.Second)
	for key, count := range map[string]int{"a": 5, "b": 7} {
		if err := shops.Key(key).Send(ctx, restock{"tea", count}); err != nil {
			t.Fatal(err)
		}
		got, err := actor.Ask(ctx, shops.Key(key), order{Item: "tea", Count: 2}.to)
		if want := (receipt{"tea", count - 2}); got != want || err != nil {
			t.Errorf("an order in shop %s: got %v, %v, want %v", key, got, err, want)
		}
	}
	wantErr(t, shops.Key("a").Send(ctx, unknownToAll{1}), cluster.ErrUnregistered)
	err = shops.Key("bad").Send(ctx, order{})
	if err == nil || !strings.Contains(err.Error(), "no such shop") || !strings.Contains(err.Error(), there.ID()) {
		t.Errorf("a function that panics: %v", err)
	}
}

// fake is a sender that is made of bare frames.
type fake struct {
	t    testing.TB
	nc   *nats.Conn
	told *nats.Subscription
	to   *cluster.Node
	name string
}

var fakeLink = []byte{9, 8, 7, 6, 5, 4, 3, 2}

func control(id string) string { return "tinyactor.node." + id + ".ctl" }

func text(b []byte, s string) []byte { return append(append(b, byte(len(s))), s...) }

// newFake opens a link to the first name that a node has exposed.
func newFake(t testing.TB, s *embedded.Server, to *cluster.Node, name, typ string) *fake {
	f := &fake{t: t, nc: connect(t, s), to: to, name: name}
	var err error
	if f.told, err = f.nc.SubscribeSync(control("fake")); err != nil {
		t.Fatal(err)
	}
	open := append(text(append([]byte{1, 2}, fakeLink...), name), 1)
	f.publish(control(to.ID()), text(text(open, typ), "json"))
	if m := f.next(); m == nil || m[1] != 6 {
		t.Fatalf("the link is not open: %v", m)
	}
	return f
}

func (f *fake) publish(subject string, frame []byte) {
	f.t.Helper()
	if err := f.nc.PublishRequest(subject, control("fake"), frame); err != nil {
		f.t.Fatal(err)
	}
}

// next returns the next frame, or nil.
func (f *fake) next() []byte {
	m, err := f.told.NextMsg(5 * time.Second)
	if err != nil {
		return nil
	}
	return m.Data
}

// send sends a message with its flags and what belongs to them.
func (f *fake) send(n byte, head []byte, body string) {
	data := append(append([]byte{1, 3}, fakeLink...), 1) // somebody waits
	data = append(data, 0, 0, 0, 0, 0, 0, 0, n)
	f.publish("tinyactor.node."+f.to.ID()+".in."+f.name, text(append(data, head...), body))
}

// verdicts returns the number of the next state frame that has some, how many, and
// the bytes of the first.
func (f *fake) verdicts() (number, count byte, first []byte) {
	for {
		b := f.next()
		if b == nil {
			return 0, 0, nil
		}
		if b[1] == 6 && b[10] > 0 { // kind, link, number, processed, granted, done, room, verdicts
			number, b = b[10], b[11:]
			for range 4 {
				_, k := binary.Uvarint(b)
				b = b[k:]
			}
			return number, b[0], b[1:]
		}
	}
}

func (f *fake) hear(number byte) {
	f.publish(control(f.to.ID()), append(append([]byte{1, 12}, fakeLink...), number))
}

// What a state frame says beside its acknowledgement is said again until it was
// heard.
func TestVerdictsAreRepeated(t *testing.T) {
	t.Parallel()
	here, there, s := two(t, cluster.Config{}, cluster.Config{Beat: 100 * time.Millisecond})
	_, addr := spawn(t, actor.Config{}, func(context.Context, item) error { return nil })
	expose(t, there, "work", addr)
	if err := cluster.Lookup[item](here, "work").Send(t.Context(), item{}); err != nil {
		t.Fatal(err)
	}
	f := newFake(t, s, there, "work", "tinyactor/cluster/embedded_test.item")
	f.send(1, []byte{0}, "\x00no item")
	for i := byte(1); i <= 3; i++ {
		if n, count, _ := f.verdicts(); n != i || count != 1 {
			t.Fatalf("state frame %d has %d verdicts, want 1 in frame %d", n, count, i)
		}
	}
	f.hear(1)
	eventually(t, "they are heard", func() bool {
		f.publish(control(there.ID()), append(append([]byte{1, 4}, fakeLink...), 0, 0)) // it wants to know more
		for {
			b := f.next()
			if b == nil || b[1] == 6 {
				return b != nil && b[10] == 0
			}
		}
	})
}

// When a message was refused because its key is elsewhere, so is what its sender
// has sent behind it before it knew, even if the node would take it by now.
func TestKeyedTurns(t *testing.T) {
	t.Parallel()
	s := keyedServer(t)
	k := newKeepers(t)
	var nodes []*cluster.Node
	for _, name := range []string{"a", "b"} {
		n := join(t, s, cluster.Config{Name: name})
		k.host(n, actor.Config{}, 0)
		nodes = append(nodes, n)
	}
	eventually(t, "they know each other", func() bool { return len(nodes[0].Peers()) == 2 })
	f := newFake(t, s, nodes[0], "user", "tinyactor/cluster/embedded_test.keyMsg")
	const (
		keyed, insist = 4, 16
		refused       = 1
	)
	n := byte(0)
	send := func(key string, turn, flags byte) (fate byte) {
		n++
		f.send(n, append(text([]byte{flags}, key), turn), "\x00{}")
		for {
			number, count, rest := f.verdicts()
			if number == 0 {
				t.Fatal("no verdict")
			}
			f.hear(number)
			for range count {
				if rest[0] == n {
					return rest[1]
				}
				if rest[1] == refused { // and the name of a node
					rest = rest[1+rest[2]:]
				}
				rest = rest[2:]
			}
		}
	}
	key := ""
	for i := 0; key == ""; i++ { // one that the other node should have
		if name := fmt.Sprint("k", i); send(name, 0, keyed) == refused {
			key = name
		}
	}
	if fate := send(key, 0, keyed|insist); fate != refused {
		t.Errorf("behind a refused message: %d", fate)
	}
	if fate := send(key, 1, keyed|insist); fate == refused {
		t.Error("in the next turn it is refused")
	}
	eventually(t, "the key has its actor", func() bool { return k.where(key) == nodes[0].ID() })
}

// What was accepted on a node that dies is reported, but for what its keys' actors
// are known to be done with: one that hangs does not keep that of the others.
func TestKeyedReports(t *testing.T) {
	t.Parallel()
	s := keyedServer(t)
	var mu sync.Mutex
	reported := map[string]bool{}
	here := join(t, s, cluster.Config{Name: "here", Beat: 100 * time.Millisecond, Undelivered: func(_ string, msg any, err error) {
		wantErr(t, err, cluster.ErrUnknown)
		wantErr(t, err, cluster.ErrNodeLost)
		m := msg.(keyMsg)
		mu.Lock()
		defer mu.Unlock()
		reported[fmt.Sprint(m.Do, m.N)] = true
	}})
	nc := connect(t, s)
	there, err := cluster.Join(t.Context(), nc, cluster.Config{Name: "there", Beat: 100 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	k := newKeepers(t)
	k.host(there, actor.Config{AbortTimer: -1}, 0)
	t.Cleanup(func() { there.Close() })
	t.Cleanup(func() { close(k.release) })
	user := cluster.Lookup[keyMsg](here, "user")
	ctx := within(t, 10*time.Second)
	for n := range 3 {
		if err := user.Key("hangs").Send(ctx, keyMsg{Do: "hang", N: n}); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 6 {
		if err := user.Key("works").Send(ctx, keyMsg{N: n}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it is handled", func() bool { return len(k.received("works", 0)) == n+1 })
	}
	nc.Close()
	eventually(t, "the node is lost", func() bool { return len(here.Peers()) == 1 })
	if err := here.Drain(ctx); err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	for n := range 3 {
		if !reported[fmt.Sprint("hang", n)] {
			t.Errorf("message %d, which is not known to be dealt with, is not reported", n)
		}
	}
	for n := range 4 { // the fifth is done with, but perhaps that was not told
		if reported[fmt.Sprint(n)] {
			t.Errorf("message %d was dealt with, and is reported", n)
		}
	}
}
