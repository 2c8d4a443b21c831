package embedded_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// ends is an actor that notes what its watches tell.
type ends struct {
	t     testing.TB
	addr  *actor.Address[cluster.End]
	child *actor.Child[cluster.End, actor.None]

	mu  sync.Mutex
	all []cluster.End
}

func watcher(t testing.TB) *ends {
	w := &ends{t: t}
	w.child, w.addr = spawn(t, actor.Config{Name: "watcher"}, func(_ context.Context, e cluster.End) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.all = append(w.all, e)
		return nil
	})
	return w
}

func same(e cluster.End) cluster.End { return e }

// watch begins a watch of a name.
func (w *ends) watch(n *cluster.Node, name string) (stop func() bool) {
	w.t.Helper()
	stop, err := cluster.Watch(n, name, w.addr, same)
	if err != nil {
		w.t.Fatal(err)
	}
	return stop
}

func (w *ends) told() []cluster.End {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.all)
}

// next waits for the next end, which is the only one, and checks of which node
// it is.
func (w *ends) next(node string) error {
	w.t.Helper()
	eventually(w.t, "an end is told", func() bool { return len(w.told()) > 0 })
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.all) != 1 || w.all[0].Node != node {
		w.t.Errorf("told %v, want one of node %s", w.all, node)
	}
	err := w.all[0].Err
	w.all = nil
	return err
}

// none checks that nothing was told, once all that the two nodes have said before
// has been heard.
func (w *ends) none(n, of *cluster.Node) {
	w.t.Helper()
	_, addr := spawn(w.t, actor.Config{}, func(context.Context, int) error { return nil })
	expose(w.t, of, "marker", addr)
	eventually(w.t, "the marker is seen", func() bool { return cluster.Lookup[int](n, "marker").Send(context.Background(), 1) == nil })
	if all := w.told(); len(all) != 0 {
		w.t.Errorf("told %v", all)
	}
}

// fate is how an actor shall end.
type fate string

var errFate = errors.New("a fate of its own")

func (f fate) meet() error {
	switch f {
	case "panic":
		panic("met its fate")
	case "error":
		return fmt.Errorf("it was %w: %w", errFate, actor.ErrFull)
	case "halt":
		return actor.ErrHalted
	}
	return nil
}

// mortal is an actor that ends as it is told.
func mortal(t testing.TB) (*actor.Child[fate, actor.None], *actor.Address[fate]) {
	return spawn(t, actor.Config{Name: "mortal"}, func(_ context.Context, f fate) error { return f.meet() })
}

// seen waits until a node has heard that another exposes a name.
func seen(t testing.TB, n *cluster.Node, name string, nodes int) *cluster.Remote[fate] {
	t.Helper()
	r := cluster.Lookup[fate](n, name)
	eventually(t, "it is exposed", func() bool { return len(r.Nodes()) == nodes })
	return r
}

func checkFate(t testing.TB, f fate, err error) {
	t.Helper()
	switch f {
	case "halt":
		if err != nil {
			t.Errorf("a normal end is told as %v", err)
		}
	case "error":
		if !errors.Is(err, actor.ErrFull) || err.Error() != "it was a fate of its own: actor: inbox full" {
			t.Errorf("an error is told as %v", err)
		}
	case "panic":
		p, ok := errors.AsType[*actor.PanicError](err)
		if !ok || p.Value != "met its fate" || !strings.Contains(string(p.Stack), "fate.meet") {
			t.Errorf("a panic is told as %v", err)
		}
	}
}

// A watch begins before the name exists, and outlives each of the actors that
// are exposed under it.
func TestWatch(t *testing.T) {
	t.Parallel()
	here, there, _ := two(t, cluster.Config{}, cluster.Config{})
	w, own := watcher(t), watcher(t)
	w.watch(here, "mortal")
	own.watch(there, "mortal") // the exposing node may watch as well
	for _, f := range []fate{"halt", "error", "panic", "halt"} {
		_, addr := mortal(t)
		expose(t, there, "mortal", addr)
		to := seen(t, here, "mortal", 1)
		if err := to.Send(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		checkFate(t, f, w.next(there.ID()))
		checkFate(t, f, own.next(there.ID()))
		eventually(t, "it is gone", func() bool { return len(to.Nodes()) == 0 })
	}
	// What ends at once is told as well.
	for range 20 {
		child, addr := mortal(t)
		expose(t, there, "mortal", addr)
		child.Abort()
		wantErr(t, w.next(there.ID()), actor.ErrAborted)
		wantErr(t, own.next(there.ID()), actor.ErrAborted)
	}
	// All errors of a pool of processes.
	pool, addr := actor.SpawnPool(t.Context(), actor.Config{}, 2, func(ctx context.Context, in *actor.Inbox[fate]) (actor.None, error) {
		return actor.None{}, in.Serve(ctx, func(_ context.Context, f fate) error { return f.meet() })
	})
	expose(t, there, "mortal", addr)
	for _, f := range []fate{"error", "panic"} {
		if err := addr.Send(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	err := w.next(there.ID())
	if _, ok := errors.AsType[*actor.PanicError](err); !ok || !errors.Is(err, actor.ErrFull) {
		t.Errorf("a pool's end is told as %v", err)
	}
	<-pool.Done()
}

// An actor that is only closed has not ended, and whoever asks is told later.
func TestWatchClosed(t *testing.T) {
	t.Parallel()
	here, there, s := two(t, cluster.Config{Beat: 20 * time.Millisecond}, cluster.Config{})
	asked, err := connect(t, s).SubscribeSync("tinyactor.node." + there.ID() + ".ctl")
	if err != nil {
		t.Fatal(err)
	}
	w := watcher(t)
	w.watch(here, "slow")
	release := make(chan struct{})
	child, addr := spawn(t, actor.Config{}, func(context.Context, int) error {
		<-release
		return errFate
	})
	expose(t, there, "slow", addr)
	to := cluster.Lookup[int](here, "slow")
	if err := to.Send(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	child.Close()
	eventually(t, "it is exposed no more", func() bool { return len(to.Nodes()) == 0 })
	for asks := 0; asks < 2; {
		m, err := asked.NextMsg(5 * time.Second)
		if err != nil {
			t.Fatal("nobody asks:", err)
		}
		if m.Data[1] == 10 {
			asks++
		}
	}
	w.none(here, there)
	close(release)
	if err := w.next(there.ID()); err == nil || err.Error() != errFate.Error() {
		t.Errorf("told %v", err)
	}
}

// An actor that is exposed no more, and lives, is not found. If it ends together
// with its exposure, its end is told.
func TestWatchWithdrawn(t *testing.T) {
	t.Parallel()
	here, there, _ := two(t, cluster.Config{}, cluster.Config{})
	w := watcher(t)
	w.watch(here, "mortal")
	_, addr := mortal(t)
	ctx, cancel := context.WithCancel(t.Context())
	if err := cluster.Expose(ctx, there, "mortal", addr); err != nil {
		t.Fatal(err)
	}
	seen(t, here, "mortal", 1)
	cancel()
	err := w.next(there.ID())
	wantErr(t, err, cluster.ErrNotFound, `"mortal"`, there.ID())
	if err := addr.Send(t.Context(), ""); err != nil {
		t.Errorf("it does not live on: %v", err)
	}
	for range 20 { // as owner and exposure often have one context
		ctx, cancel := context.WithCancel(t.Context())
		_, addr := actor.Spawn(ctx, actor.Config{}, func(ctx context.Context, in *actor.Inbox[fate]) error {
			in.Serve(ctx, func(context.Context, fate) error { return nil })
			return errFate
		})
		if err := cluster.Expose(ctx, there, "mortal", addr); err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := w.next(there.ID()); err == nil || err.Error() != errFate.Error() {
			t.Errorf("told %v", err)
		}
	}
	for range 5 { // and an actor exposes itself
		_, addr := actor.Spawn(t.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[fate]) error {
			if err := cluster.Expose(ctx, there, "mortal", in.Address()); err != nil {
				return err
			}
			return in.Serve(ctx, func(context.Context, fate) error { return errFate })
		})
		if err := addr.Send(t.Context(), ""); err != nil {
			t.Error(err)
		}
		if err := w.next(there.ID()); err == nil || err.Error() != errFate.Error() {
			t.Errorf("told %v", err)
		}
	}
}

// A node that is drained or closed says so, and how its actors had ended before.
func TestWatchNodeCloses(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{})
	here := join(t, s, cluster.Config{Name: "here"})
	w := watcher(t)
	w.watch(here, "mortal")
	for i := range 20 {
		nc := connect(t, s)
		there, err := cluster.Join(t.Context(), nc, cluster.Config{Name: "there", Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		child, addr := mortal(t)
		expose(t, there, "mortal", addr)
		seen(t, here, "mortal", 1)
		ends := i%4 == 3
		if ends {
			addr.Send(t.Context(), "error")
			<-child.Done()
		}
		if i%2 == 0 {
			err = there.Drain(within(t, 5*time.Second))
		} else {
			err = there.Close()
		}
		if err != nil {
			t.Error(err)
		}
		if err := w.next(there.ID()); ends {
			checkFate(t, "error", err)
		} else {
			wantErr(t, err, cluster.ErrNodeClosed, `"mortal"`, there.ID())
		}
		nc.Close()
	}
}

// Each actor of a pool is told of.
func TestWatchPool(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{})
	here := join(t, s, cluster.Config{Name: "here"})
	w, late := watcher(t), watcher(t)
	w.watch(here, "mortal")
	const count = 3
	for i := range count {
		n := join(t, s, cluster.Config{Name: fmt.Sprint("n", i)})
		_, addr := mortal(t)
		expose(t, n, "mortal", addr)
		if i == 1 {
			seen(t, here, "mortal", 2)
			late.watch(here, "mortal")
		}
	}
	to := seen(t, here, "mortal", count)
	for range count { // one after another, to whichever has room
		before := to.Nodes()
		if err := to.Send(t.Context(), "error"); err != nil {
			t.Fatal(err)
		}
		eventually(t, "one has ended", func() bool { return len(to.Nodes()) == len(before)-1 })
	}
	for _, w := range []*ends{w, late} {
		eventually(t, "all ends are told", func() bool { return len(w.told()) == count })
		nodes := map[string]bool{}
		for _, e := range w.told() {
			nodes[e.Node] = true
			checkFate(t, "error", e.Err)
		}
		if len(nodes) != count {
			t.Errorf("told of %v, want of each of %d", nodes, count)
		}
	}
}

// A singleton is told of where it ends, and again where it is next. Of a keyed name
// the nodes are.
func TestWatchSingleton(t *testing.T) {
	t.Parallel()
	s := keyedServer(t)
	here := join(t, s, cluster.Config{Name: "here"})
	w, hosts := watcher(t), watcher(t)
	w.watch(here, "boss")
	hosts.watch(here, "user")
	nodes := map[string]*cluster.Node{}
	for _, name := range []string{"a", "b"} {
		n := join(t, s, cluster.Config{Name: name})
		if _, err := cluster.Singleton(t.Context(), n, "boss", func(ctx context.Context, in *actor.Inbox[where]) error {
			return in.Serve(ctx, func(ctx context.Context, m where) error {
				m.Answer(spot{n.ID(), cluster.Fence(ctx)}, nil)
				return errFate
			})
		}); err != nil {
			t.Fatal(err)
		}
		nodes[n.ID()] = n
	}
	at := find(t, here, "boss", spot{})
	if err := w.next(at.Node); err == nil || err.Error() != errFate.Error() {
		t.Errorf("told %v", err)
	}
	for id, n := range nodes {
		newKeepers(t).host(n, actor.Config{}, 0)
		if _, err := ask(within(t, 10*time.Second), cluster.Lookup[keyMsg](here, "user").Key("k"), keyMsg{}); err != nil {
			t.Error(err)
		}
		if err := n.Drain(within(t, 10*time.Second)); err != nil {
			t.Error(err)
		}
		wantErr(t, hosts.next(id), cluster.ErrNodeClosed, `"user"`)
	}
}

// What Watch refuses, and how a watch ends.
func TestWatchEnds(t *testing.T) {
	t.Parallel()
	here, there, _ := two(t, cluster.Config{}, cluster.Config{})
	w := watcher(t)
	_, err := cluster.Watch(here, "a.*", w.addr, same)
	wantErr(t, err, cluster.ErrBadName, `"a.*"`)
	for what, watch := range map[string]func(){
		"no watcher":  func() { cluster.Watch[cluster.End](here, "mortal", nil, same) },
		"no function": func() { cluster.Watch(here, "mortal", w.addr, nil) },
	} {
		func() {
			defer func() {
				if v := recover(); v == nil {
					t.Errorf("%s: it does not panic", what)
				}
			}()
			watch()
		}()
	}
	die := func() {
		t.Helper()
		_, addr := mortal(t)
		expose(t, there, "mortal", addr)
		to := seen(t, here, "mortal", 1)
		if err := to.Send(t.Context(), "error"); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it is gone", func() bool { return len(to.Nodes()) == 0 })
	}
	other := watcher(t)
	other.watch(here, "mortal")
	stop := w.watch(here, "mortal")
	if !stop() || stop() {
		t.Error("stop is true once, and was not")
	}
	die()
	other.next(there.ID())
	if all := w.told(); len(all) > 0 {
		t.Errorf("told %v after stop", all)
	}

	// A Send that waits ends with stop.
	got := make(chan cluster.End)
	_, full := actor.Spawn(t.Context(), actor.Config{Capacity: actor.Bounded(1), Undelivered: func(any) {}}, func(ctx context.Context, in *actor.Inbox[cluster.End]) error {
		return in.Serve(ctx, func(ctx context.Context, e cluster.End) error {
			got <- e
			return nil
		})
	})
	making := make(chan struct{}, 10)
	stop, err = cluster.Watch(here, "mortal", full, func(e cluster.End) cluster.End {
		making <- struct{}{}
		return e
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // one is in hand, one in the inbox, one waits
		die()
		other.next(there.ID())
		<-making
	}
	if !stop() {
		t.Error("stop while a Send waits is false")
	}
	<-got
	<-got
	select {
	case e := <-got:
		t.Errorf("told %v after stop", e)
	default:
	}

	// So does a watch whose watcher ends, or whose node does. One whose function
	// panics goes on.
	count := 0
	stop, err = cluster.Watch(here, "mortal", w.addr, func(e cluster.End) cluster.End {
		if count++; count == 1 {
			panic("on the way")
		}
		return e
	})
	if err != nil {
		t.Fatal(err)
	}
	die()
	other.next(there.ID())
	die()
	w.next(there.ID())
	other.next(there.ID())
	if _, err := w.child.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the watch ends with its watcher", func() bool { return !stop() })
	stop = other.watch(here, "mortal")
	if err := here.Close(); err != nil {
		t.Error(err)
	}
	if stop() {
		t.Error("the watch has not ended with its node")
	}
	_, err = cluster.Watch(here, "mortal", other.addr, same)
	wantErr(t, err, cluster.ErrNodeClosed, `"mortal"`)
}

// A fake node, of which the beats come but not what it says beside them: it is
// asked until it answers. Nobody is told before, nor of a stale beat after that.
func TestWatchLoss(t *testing.T) {
	t.Parallel()
	here, there, s := two(t, cluster.Config{Beat: 100 * time.Millisecond, Lost: 5 * time.Second}, cluster.Config{})
	nc := connect(t, s)
	control := func(id string) string { return "tinyactor.node." + id + ".ctl" }
	heard, err := nc.SubscribeSync(control("fake"))
	if err != nil {
		t.Fatal(err)
	}
	flagged := func(flags byte, exposures ...uint64) {
		b := append([]byte{1, 1, 4}, "fake"...)
		b = append(b, flags, byte(len(exposures)))
		for _, id := range exposures {
			b = append(append(b, 6), "mortal"...)
			b = append(binary.AppendUvarint(b, id), 10, 0)
		}
		nc.PublishRequest("tinyactor.beat", control("fake"), b)
	}
	beat := func(exposures ...uint64) { flagged(0, exposures...) }
	question := func(to, from string, exposure byte) {
		nc.PublishRequest(control(to), control(from), append(append([]byte{1, 10, 6}, "mortal"...), exposure))
	}
	asked := func() {
		t.Helper()
		for {
			m, err := heard.NextMsg(5 * time.Second)
			if err != nil {
				t.Fatal("nobody asks:", err)
			}
			if m.Data[1] == 10 {
				if m.Reply != control(here.ID()) || string(m.Data[3:]) != "mortal\x07" {
					t.Errorf("asked %q by %s", m.Data, m.Reply)
				}
				return
			}
		}
	}
	w := watcher(t)
	w.watch(here, "mortal")
	beat(7)
	eventually(t, "the fake is a peer", func() bool { return len(here.Peers()) == 3 })
	beat()
	asked()
	asked() // as there was no answer
	w.none(here, there)
	farewell := append(append([]byte{1, 9, 6}, "mortal\x07\x01\x00\x05"...), "alas!"...)
	nc.PublishRequest(control(here.ID()), control("forger"), farewell)
	nc.PublishRequest(control(here.ID()), control("fake"), farewell[:12])
	nc.PublishRequest(control(here.ID()), control("fake"), farewell)
	if err := w.next("fake"); err == nil || err.Error() != "alas!" {
		t.Errorf("told %v", err)
	}
	nc.PublishRequest(control(here.ID()), control("fake"), farewell)
	beat(7) // that was late
	beat()
	beat(8)
	beat()
	nc.PublishRequest("tinyactor.beat", control("fake"), append(append([]byte{1, 9, 6}, "mortal\x08\x01\x00\x05"...), "again"...))
	if err := w.next("fake"); err == nil || err.Error() != "again" {
		t.Errorf("told %v", err)
	}

	beat(9)
	flagged(4)
	flagged(4) // it is not heard of any more: told once
	wantErr(t, w.next("fake"), cluster.ErrNodeClosed)
	w.none(there, here)

	// A real node, asked by a fake one: of an actor that is exposed nothing is
	// said, of one that has ended how, of one that never was that it is not found.
	child, addr := mortal(t)
	expose(t, there, "mortal", addr)
	question(there.ID(), "fake", 2) // 1 was the marker
	question(there.ID(), "fake", 77)
	answer := func() *nats.Msg {
		t.Helper()
		for {
			m, err := heard.NextMsg(5 * time.Second)
			if err != nil {
				t.Fatal("no answer:", err)
			}
			if m.Data[1] == 9 {
				return m
			}
		}
	}
	if m := answer(); m.Data[9] != 77 || !strings.Contains(string(m.Data), cluster.ErrNotFound.Error()) {
		t.Errorf("of one that never was: %q", m.Data)
	}
	child.Abort()
	wantErr(t, w.next(there.ID()), actor.ErrAborted)
	question(there.ID(), "fake", 2)
	if m := answer(); m.Data[9] != 2 || !strings.Contains(string(m.Data), "aborted") {
		t.Errorf("of one that was aborted: %q", m.Data)
	}
}

// exposeMortals exposes actors that end as they are told, one for each fate and
// some that live.
func exposeMortals(ctx context.Context, n *cluster.Node) error {
	for _, name := range []string{"mortal.halt", "mortal.error", "mortal.panic", "mortal"} {
		_, addr := actor.Spawn(ctx, actor.Config{Name: name}, func(ctx context.Context, in *actor.Inbox[fate]) error {
			return in.Serve(ctx, func(_ context.Context, f fate) error { return f.meet() })
		})
		if err := cluster.Expose(ctx, n, name, addr); err != nil {
			return err
		}
	}
	exposed, withdraw := context.WithCancel(ctx)
	_, addr := actor.Spawn(ctx, actor.Config{Name: "hidden"}, func(ctx context.Context, in *actor.Inbox[fate]) error {
		return in.Serve(ctx, func(context.Context, fate) error {
			withdraw()
			return nil
		})
	})
	return cluster.Expose(exposed, n, "mortal.hidden", addr)
}

// TestWatchAcrossProcesses watches actors of other processes: that end, that are
// withdrawn, and whose nodes are drained, frozen and killed.
func TestWatchAcrossProcesses(t *testing.T) {
	t.Parallel()
	s, children := processes(t, 3)
	node := join(t, s, cluster.Config{Name: "parent"})
	a, b, c := children[0], children[1], children[2]
	for _, f := range []fate{"halt", "error", "panic", "hidden"} {
		w := watcher(t)
		w.watch(node, "mortal."+string(f))
		to := seen(t, node, "mortal."+string(f), 3)
		for n := 3; n > 0; n-- {
			if err := to.Send(t.Context(), f); err != nil {
				t.Fatal(err)
			}
			eventually(t, "it is gone", func() bool { return len(to.Nodes()) == n-1 })
		}
		eventually(t, "all are told", func() bool { return len(w.told()) == 3 })
		for _, e := range w.told() {
			if f == "hidden" {
				wantErr(t, e.Err, cluster.ErrNotFound, "mortal.hidden", e.Node)
			}
			checkFate(t, f, e.Err)
		}
	}
	w := watcher(t)
	w.watch(node, "mortal")
	seen(t, node, "mortal", 3)
	b.signal(syscall.SIGSTOP)
	frozen := time.Now()
	wantErr(t, w.next(b.id), cluster.ErrNodeLost, `"mortal"`, b.id)
	t.Logf("a frozen node is told after %v", time.Since(frozen).Round(time.Millisecond))
	b.signal(syscall.SIGCONT)
	seen(t, node, "mortal", 3)

	killed := time.Now()
	a.kill()
	wantErr(t, w.next(a.id), cluster.ErrNodeLost, `"mortal"`, a.id)
	t.Logf("a killed node is told after %v", time.Since(killed).Round(time.Millisecond))
	c.drain()
	wantErr(t, w.next(c.id), cluster.ErrNodeClosed, `"mortal"`, c.id)
	b.drain() // it had come back, and was watched anew
	wantErr(t, w.next(b.id), cluster.ErrNodeClosed, `"mortal"`, b.id)
}
