package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// keyMsg is a message for a key's actor.
type keyMsg struct {
	actor.Reply[string]
	From int // who sends
	N    int // its how-manieth to this key
	Do   string
}

// ask makes the message of a question.
func (m keyMsg) ask(r actor.Reply[string]) keyMsg {
	m.Reply = r
	return m
}

// keepers hosts keys on some nodes, and notes what happens to them.
type keepers struct {
	t       testing.TB
	mu      sync.Mutex
	live    map[string]string // by key: the node whose actor runs
	fences  map[string]uint64
	starts  map[string]int
	got     map[string]map[int][]int // by key and sender
	total   int
	release chan struct{} // ends "hang"
}

func newKeepers(t testing.TB) *keepers {
	return &keepers{
		t: t, live: map[string]string{}, fences: map[string]uint64{}, starts: map[string]int{},
		got: map[string]map[int][]int{}, release: make(chan struct{}),
	}
}

// actor is a key's actor on a node.
func (k *keepers) actor(n *cluster.Node, key string, cfg actor.Config, idle time.Duration) cluster.Actor[keyMsg] {
	return cluster.Actor[keyMsg]{Config: cfg, Idle: idle, Run: func(ctx context.Context, in *actor.Inbox[keyMsg]) error {
		k.begin(n, key, cluster.Fence(ctx))
		defer k.end(key)
		return in.Serve(ctx, func(ctx context.Context, m keyMsg) error { return k.handle(n, key, m) })
	}}
}

func (k *keepers) begin(n *cluster.Node, key string, fence uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if other := k.live[key]; other != "" {
		k.t.Errorf("key %s runs on %s and on %s", key, other, n.ID())
	}
	if fence == 0 || fence < k.fences[key] {
		k.t.Errorf("key %s has fence %d after %d", key, fence, k.fences[key])
	}
	k.live[key], k.fences[key] = n.ID(), fence
	k.starts[key]++
}

func (k *keepers) end(key string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.live, key)
}

func (k *keepers) handle(n *cluster.Node, key string, m keyMsg) error {
	switch m.Do {
	case "hang":
		<-k.release
	case "panic":
		panic("as told")
	case "fail":
		return errors.New("as told")
	}
	k.mu.Lock()
	if k.got[key] == nil {
		k.got[key] = map[int][]int{}
	}
	k.got[key][m.From] = append(k.got[key][m.From], m.N)
	k.total++
	k.mu.Unlock()
	m.Answer(n.ID()+" "+key, nil)
	return nil
}

// host lets a node host the keys of "user".
func (k *keepers) host(n *cluster.Node, cfg actor.Config, idle time.Duration) {
	k.t.Helper()
	err := cluster.Keyed(n, "user", func(key string) cluster.Actor[keyMsg] { return k.actor(n, key, cfg, idle) })
	if err != nil {
		k.t.Fatal(err)
	}
}

// received returns what a key's actors have got of a sender.
func (k *keepers) received(key string, from int) []int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.got[key][from])
}

func (k *keepers) where(key string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.live[key]
}

func keyedServer(t testing.TB) *embedded.Server {
	return start(t, embedded.Config{JetStream: true})
}

func ask(ctx context.Context, to actor.Sender[keyMsg], m keyMsg) (string, error) {
	return actor.Ask(ctx, to, m.ask)
}

// Each key has one actor, on one of the nodes, and all nodes reach it.
func TestKeyed(t *testing.T) {
	s := keyedServer(t)
	k := newKeepers(t)
	var nodes []*cluster.Node
	for i := range 3 {
		n := join(t, s, cluster.Config{Name: fmt.Sprint("n", i)})
		k.host(n, actor.Config{}, 0)
		nodes = append(nodes, n)
	}
	outside := join(t, s, cluster.Config{Name: "outside"})
	ctx := within(t, 20*time.Second)
	used := map[string]int{}
	for i := range 200 {
		key := fmt.Sprintf("u-%d.>* %c", i, rune(i)) // any text
		var first string
		for j, n := range append(nodes, outside) {
			got, err := ask(ctx, cluster.Lookup[keyMsg](n, "user").Key(key), keyMsg{From: j, N: 1})
			if err != nil {
				t.Fatal(err)
			}
			if first == "" {
				first = got
			}
			if got != first || !strings.HasSuffix(got, " "+key) {
				t.Errorf("key %q is answered by %q and by %q", key, first, got)
			}
		}
		used[k.where(key)]++
		if k.starts[key] != 1 {
			t.Errorf("key %q was started %d times", key, k.starts[key])
		}
	}
	for _, n := range nodes {
		if used[n.ID()] < 20 {
			t.Errorf("node %s has %d of 200 keys", n.ID(), used[n.ID()])
		}
	}
}

func TestKeyedRefuses(t *testing.T) {
	s := keyedServer(t)
	here := join(t, s, cluster.Config{Name: "here"})
	there := join(t, s, cluster.Config{Name: "there"})
	k := newKeepers(t)
	k.host(there, actor.Config{}, 0)
	make := func(string) cluster.Actor[keyMsg] { return cluster.Actor[keyMsg]{} }
	if err := cluster.Keyed(there, "user", make); err == nil || !strings.Contains(err.Error(), `"user"`) {
		t.Errorf("Keyed twice: %v", err)
	}
	_, addr := spawn(t, actor.Config{}, func(context.Context, keyMsg) error { return nil })
	if err := cluster.Expose(t.Context(), there, "user", addr); err == nil {
		t.Error("a keyed name is exposed as well")
	}
	wantErr(t, cluster.Keyed(there, "a*", make), cluster.ErrBadName)
	expose(t, there, "plain", addr)

	user := cluster.Lookup[keyMsg](here, "user")
	ctx := within(t, 10*time.Second)
	eventually(t, "the names are found", func() bool {
		plain := cluster.Lookup[keyMsg](here, "plain")
		return plain.Send(ctx, keyMsg{}) == nil && user.Key("k").Send(ctx, keyMsg{}) == nil
	})
	wantErr(t, user.Key("").Send(ctx, keyMsg{}), cluster.ErrBadName, "empty", `"user"`)
	wantErr(t, user.Key(strings.Repeat("x", 257)).Send(ctx, keyMsg{}), cluster.ErrBadName, "257")
	if err := user.Key(strings.Repeat("x", 256)).Send(ctx, keyMsg{}); err != nil {
		t.Errorf("a key of 256 bytes: %v", err)
	}
	wantErr(t, user.Send(ctx, keyMsg{}), cluster.ErrMismatch, "Remote.Key", there.ID())
	wantErr(t, user.TrySend(keyMsg{}), cluster.ErrMismatch)
	wantErr(t, cluster.Lookup[keyMsg](here, "plain").Key("k").Send(ctx, keyMsg{}), cluster.ErrMismatch, "not keyed", there.ID())
	wantErr(t, cluster.Lookup[int](here, "user").Key("k").Send(ctx, 1), cluster.ErrMismatch, "keyMsg")
	wantErr(t, cluster.Lookup[keyMsg](here, "nobody").Key("k").Send(ctx, keyMsg{}), cluster.ErrNotFound)
	if err := there.Close(); err != nil {
		t.Error(err)
	}
	wantErr(t, cluster.Keyed(there, "late", make), cluster.ErrNodeClosed)
}

// A full key makes its own senders wait, and no others.
func TestKeyedFull(t *testing.T) {
	s := keyedServer(t)
	here := join(t, s, cluster.Config{Name: "here", Window: 16})
	there := join(t, s, cluster.Config{Name: "there", Window: 16})
	k := newKeepers(t)
	k.host(there, actor.Config{Capacity: actor.Bounded(2)}, 0)
	user := cluster.Lookup[keyMsg](here, "user")
	ctx := within(t, 20*time.Second)
	full := user.Key("full")
	if err := full.Send(ctx, keyMsg{Do: "hang", N: 1}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it hangs", func() bool { return k.where("full") != "" && full.TrySend(keyMsg{From: 9}) != nil })
	wantErr(t, full.TrySend(keyMsg{From: 9}), actor.ErrFull)
	sent := make(chan error, 8)
	for range 8 {
		go func() { sent <- full.Send(ctx, keyMsg{From: 1}) }()
	}
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	begun := time.Now()
	wantErr(t, full.Send(short, keyMsg{From: 2}), context.DeadlineExceeded)
	if took := spent(begun, time.Now()); took > 400*time.Millisecond {
		t.Errorf("a Send that is called back takes %v", took)
	}
	_, err := ask(short, full, keyMsg{From: 2})
	wantErr(t, err, context.DeadlineExceeded)
	for i := range 1000 { // far more than the window
		if err := user.Key(fmt.Sprint("k", i%50)).Send(ctx, keyMsg{From: 3, N: i}); err != nil {
			t.Fatal(err)
		}
	}
	wantErr(t, full.TrySend(keyMsg{From: 2}), actor.ErrFull)
	select {
	case err := <-sent:
		t.Errorf("a Send to a full key returns %v", err)
	default:
	}
	close(k.release)
	for range 8 {
		if err := <-sent; err != nil {
			t.Error(err)
		}
	}
	if _, err := ask(ctx, full, keyMsg{From: 4}); err != nil {
		t.Error(err)
	}
	if n := len(k.received("full", 1)); n != 8 {
		t.Errorf("%d of 8 messages were received", n)
	}
	if n := len(k.received("full", 2)); n != 0 {
		t.Errorf("%d messages were received that the sender was told were not", n)
	}
}

// An actor that ends is started anew by the next message.
func TestKeyedRestart(t *testing.T) {
	s := keyedServer(t)
	here, there := join(t, s, cluster.Config{Name: "here"}), join(t, s, cluster.Config{Name: "there"})
	k := newKeepers(t)
	var left atomic.Int64
	k.host(there, actor.Config{Undelivered: func(msg any) {
		if msg.(keyMsg).From > 0 {
			left.Add(1)
		}
	}}, -1)
	to := cluster.Lookup[keyMsg](here, "user").Key("k")
	ctx := within(t, 20*time.Second)
	const rounds = 50
	accepted := 0
	for i := range rounds {
		do := []string{"panic", "fail"}[i%2]
		for _, m := range []keyMsg{{From: 1, N: i}, {Do: do}, {From: 2, N: i}} {
			if err := to.Send(ctx, m); err != nil {
				t.Fatal(err)
			}
		}
		accepted += 2
	}
	eventually(t, "all is dealt with", func() bool { _, err := ask(ctx, to, keyMsg{}); return err == nil })
	_, err := ask(ctx, to, keyMsg{Do: "panic"})
	wantErr(t, err, actor.ErrNoReply)
	if p, ok := errors.AsType[*actor.PanicError](err); !ok || p.Value != "as told" {
		t.Errorf("the asker is told %v", err)
	}
	if _, err := ask(ctx, to, keyMsg{From: 3}); err != nil {
		t.Error(err)
	}
	if n := len(k.received("k", 1)) + len(k.received("k", 2)) + int(left.Load()); n != accepted {
		t.Errorf("of %d messages %d were received or left", accepted, n)
	}
	if k.starts["k"] < 3 {
		t.Errorf("it was started %d times", k.starts["k"])
	}
}

// Where there is no KV store, the sender learns that.
func TestKeyedWithoutStore(t *testing.T) {
	t.Parallel()
	cfg := cluster.Config{Beat: 50 * time.Millisecond, Lost: 200 * time.Millisecond, Lease: 500 * time.Millisecond}
	here, there, _ := two(t, cfg, cfg)
	k := newKeepers(t)
	k.host(there, actor.Config{}, 0)
	err := cluster.Lookup[keyMsg](here, "user").Key("k").Send(within(t, 10*time.Second), keyMsg{})
	if err == nil || errors.Is(err, context.DeadlineExceeded) && !strings.Contains(err.Error(), there.ID()) {
		t.Errorf("without JetStream: %v", err)
	} else {
		t.Log(err)
	}
}
