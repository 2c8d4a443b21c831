package embedded_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// two returns two nodes on one server.
func two(t testing.TB, here, there cluster.Config) (*cluster.Node, *cluster.Node, *embedded.Server) {
	t.Helper()
	s := start(t, embedded.Config{})
	here.Name, there.Name = "here", "there"
	return join(t, s, here), join(t, s, there), s
}

func expose[M any](t testing.TB, n *cluster.Node, name string, to *actor.Address[M]) {
	t.Helper()
	if err := cluster.Expose(t.Context(), n, name, to); err != nil {
		t.Fatal(err)
	}
}

// wantErr checks an error by errors.Is and by what it says.
func wantErr(t testing.TB, err, want error, says ...string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
		return
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%q does not say %q", err, s)
		}
	}
}

func TestNotFound(t *testing.T) {
	here, there, _ := two(t, cluster.Config{Find: 50 * time.Millisecond}, cluster.Config{})
	to := cluster.Lookup[int](here, "nobody")
	wantErr(t, to.Send(t.Context(), 1), cluster.ErrNotFound, `"nobody"`)
	wantErr(t, to.TrySend(1), cluster.ErrNotFound)
	_, err := actor.Ask(t.Context(), cluster.Lookup[item](here, "nobody"), func(r actor.Reply[int]) item { return item{Reply: r} })
	wantErr(t, err, cluster.ErrNotFound)
	wantErr(t, cluster.Lookup[int](here, "a.*").Send(t.Context(), 1), cluster.ErrBadName, `"a.*"`)

	_, addr := spawn(t, actor.Config{}, func(context.Context, int) error { return nil })
	wantErr(t, cluster.Expose(t.Context(), there, "a b", addr), cluster.ErrBadName)
	ctx, cancel := context.WithCancel(t.Context())
	if err := cluster.Expose(ctx, there, "nobody", addr); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Expose(ctx, there, "nobody", addr); err == nil {
		t.Error("a node exposes a name twice")
	}
	eventually(t, "it is found", func() bool { return to.Send(t.Context(), 1) == nil })
	cancel()
	eventually(t, "it is found no more", func() bool { return errors.Is(to.Send(t.Context(), 1), cluster.ErrNotFound) })
	if err := cluster.Expose(t.Context(), there, "nobody", addr); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is found again", func() bool { return to.Send(t.Context(), 1) == nil })
}

func TestJoinRefuses(t *testing.T) {
	s := start(t, embedded.Config{})
	nc := connect(t, s)
	for what, cfg := range map[string]cluster.Config{
		`"a.>"`: {Name: "a.>"}, `"x y"`: {Cluster: "x y"}, "Config.Window": {Window: -1}, "Config.MaxSize": {MaxSize: 1 << 30}, "Config.Beat": {Beat: 4},
		"Config.Lost": {Beat: 2 * time.Second}, "Config.Find": {Find: -1}, "Config.Lease": {Lease: time.Second}, "Config.Replicas": {Replicas: 6},
	} {
		if n, err := cluster.Join(t.Context(), nc, cfg); err == nil {
			n.Close()
			t.Errorf("Join takes a wrong %s", what)
		} else if !strings.Contains(err.Error(), what) {
			t.Errorf("%q does not name %s", err, what)
		}
	}
	s = start(t, embedded.Config{Adjust: func(o *server.Options) { o.MaxPayload = 16 << 10 }})
	if n, err := cluster.Join(t.Context(), connect(t, s), cluster.Config{}); err == nil || !strings.Contains(err.Error(), "max_payload") {
		t.Errorf("where the server takes 16 KiB at once: %v, %v", n, err)
	}
}

func TestTooLarge(t *testing.T) {
	here, there, _ := two(t, cluster.Config{}, cluster.Config{MaxSize: 1000})
	got := make(chan int, 10)
	_, addr := spawn(t, actor.Config{}, func(_ context.Context, s string) error {
		got <- len(s)
		return nil
	})
	expose(t, there, "text", addr)
	expose(t, here, "text.here", addr)
	to := cluster.Lookup[string](here, "text")
	wantErr(t, to.Send(t.Context(), strings.Repeat("x", 2<<20)), cluster.ErrTooLarge, "string", "2097")
	wantErr(t, to.Send(t.Context(), strings.Repeat("x", 2000)), cluster.ErrTooLarge, "takes 1000")
	if n := there.Stats().TooLarge; n != 1 {
		t.Errorf("the receiver has counted %d", n)
	}
	for _, n := range []int{900, 900_000} { // the second fills a frame
		name := map[int]string{900: "text", 900_000: "text.here"}[n]
		if err := cluster.Lookup[string](here, name).Send(t.Context(), strings.Repeat("x", n)); err != nil {
			t.Error(err)
		} else if m := <-got; m != n {
			t.Errorf("%d bytes came as %d", n, m)
		}
	}
}

func TestTypeMismatch(t *testing.T) {
	here, there, _ := two(t, cluster.Config{}, cluster.Config{})
	_, addr := spawn(t, actor.Config{}, func(context.Context, string) error { return nil })
	expose(t, there, "text", addr)
	to := cluster.Lookup[int](here, "text")
	wantErr(t, to.Send(t.Context(), 1), cluster.ErrMismatch, "takes a string", "sends a int", there.ID(), here.ID())
	wantErr(t, to.TrySend(1), cluster.ErrMismatch)
	if a, b := here.Stats().Mismatch, there.Stats().Mismatch; a == 0 || b == 0 {
		t.Errorf("counted: %d at the sender, %d at the receiver", a, b)
	}
	if err := cluster.Lookup[string](here, "text").Send(t.Context(), "x"); err != nil {
		t.Errorf("the right type beside it: %v", err)
	}
}

// Two programs whose types have one name and are different.
type narrow struct{ N int }
type wide struct{ N string }

func TestDoesNotDecode(t *testing.T) {
	here, there, _ := two(t, cluster.Config{Codec: renamed{}}, cluster.Config{})
	_, addr := spawn(t, actor.Config{}, func(context.Context, narrow) error { return nil })
	expose(t, there, "narrow", addr)
	to := cluster.Lookup[narrow](here, "narrow")
	wantErr(t, to.Send(t.Context(), narrow{1}), cluster.ErrMismatch, "narrow", "does not decode")
	if n := there.Stats().Mismatch; n != 1 {
		t.Errorf("the receiver has counted %d", n)
	}
}

// moody is a message whose own error one of these is, where it is decoded.
type moody struct {
	actor.Reply[moody]
	Err int
}

var moods = []error{nil, actor.ErrClosed, actor.ErrFull, cluster.ErrNotDelivered, context.Canceled}

func (m *moody) UnmarshalJSON(data []byte) error {
	var plain struct{ Err int }
	err := json.Unmarshal(data, &plain)
	m.Err = plain.Err
	return errors.Join(err, moods[m.Err])
}

// What a message says when it is decoded is not taken for what its actor does.
func TestDoesNotDecodeItself(t *testing.T) {
	here, there, _ := two(t, cluster.Config{}, cluster.Config{})
	_, addr := spawn(t, actor.Config{}, func(_ context.Context, m moody) error {
		m.Answer(moody{Err: 1}, nil)
		return nil
	})
	expose(t, there, "moody", addr)
	to := cluster.Lookup[moody](here, "moody")
	for i, mood := range moods[1:] {
		err := to.Send(within(t, 10*time.Second), moody{Err: i + 1})
		wantErr(t, err, cluster.ErrMismatch, mood.Error())
		if errors.Is(err, mood) {
			t.Errorf("%v matches %v", err, mood)
		}
	}
	_, err := actor.Ask(within(t, 10*time.Second), to, func(r actor.Reply[moody]) moody { return moody{Reply: r} })
	wantErr(t, err, actor.ErrNoReply, "does not decode")
	if errors.Is(err, actor.ErrClosed) {
		t.Errorf("%v says that the question may be repeated", err)
	}
}

// renamed is JSON, of a program whose types are others.
type renamed struct{ cluster.JSON }

func (c renamed) Marshal(v any) ([]byte, error) {
	if _, ok := v.(narrow); ok {
		v = wide{"one"}
	}
	return c.JSON.Marshal(v)
}

type gob struct{ cluster.JSON }

func (gob) Name() string { return "gob" }

func TestCodecMismatch(t *testing.T) {
	here, there, _ := two(t, cluster.Config{Codec: gob{}}, cluster.Config{})
	_, addr := spawn(t, actor.Config{}, func(context.Context, string) error { return nil })
	expose(t, there, "text", addr)
	wantErr(t, cluster.Lookup[string](here, "text").Send(t.Context(), "x"), cluster.ErrMismatch, "json", "gob")
}

// An old and a new node see each other, and say so.
func TestWireVersion(t *testing.T) {
	here, _, s := two(t, cluster.Config{Find: 50 * time.Millisecond}, cluster.Config{})
	nc := connect(t, s)
	answered, err := nc.SubscribeSync("tinyactor.node.future-1.ctl")
	if err != nil {
		t.Fatal(err)
	}
	nc.Flush()
	nc.PublishRequest("tinyactor.beat", "tinyactor.node.future-1.ctl", []byte{2, 1, 'x'})
	eventually(t, "the beat is counted", func() bool { return here.Stats().Version == 1 })
	wantErr(t, cluster.Lookup[string](here, "new").Send(t.Context(), "x"), cluster.ErrNotFound, "future-1", "version 2")
	// An open frame of the future is answered in a way that it can read.
	nc.PublishRequest("tinyactor.node."+here.ID()+".ctl", "tinyactor.node.future-1.ctl", []byte{2, 2, 1, 2, 3, 4, 5, 6, 7, 8, 'x'})
	m, err := answered.NextMsg(5 * time.Second)
	if err != nil || m.Data[0] != 1 || !strings.Contains(string(m.Data), "speaks wire version 2") {
		t.Errorf("got %v, %v", m, err)
	}
}

// What is not of a node is refused, and counted.
func TestRefusals(t *testing.T) {
	here, there, s := two(t, cluster.Config{}, cluster.Config{MaxSize: 1000})
	var n atomic.Int64
	_, addr := spawn(t, actor.Config{}, func(context.Context, int) error {
		n.Add(1)
		return nil
	})
	expose(t, there, "numbers", addr)
	if err := cluster.Lookup[int](here, "numbers").Send(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	nc := connect(t, s)
	inbox, control := "tinyactor.node."+there.ID()+".in.numbers", "tinyactor.node."+there.ID()+".ctl"
	mine := "tinyactor.node." + here.ID() + ".ctl"
	stats := there.Stats
	for _, c := range []struct {
		what, subject, reply string
		data                 []byte
		count                func(cluster.Stats) uint64
	}{
		{"no reply subject", inbox, "", []byte{1, 3}, func(s cluster.Stats) uint64 { return s.Forged }},
		{"a foreign reply subject", inbox, "$SYS.REQ.SERVER.PING", []byte{1, 3}, func(s cluster.Stats) uint64 { return s.Forged }},
		{"a wildcard for a node", control, "tinyactor.node.a_>_b.ctl", []byte{1, 3}, func(s cluster.Stats) uint64 { return s.Forged }},
		{"a beat in another's name", control, mine, append([]byte{1, 1, 5}, "other\x00\x00"...), func(s cluster.Stats) uint64 { return s.Forged }},
		{"nothing", inbox, mine, nil, func(s cluster.Stats) uint64 { return s.Version }},
		{"half a frame", inbox, mine, []byte{1, 3, 0, 0}, func(s cluster.Stats) uint64 { return s.Malformed }},
		{"an unknown kind", control, mine, []byte{1, 99}, func(s cluster.Stats) uint64 { return s.Malformed }},
		{"too much", inbox, mine, make([]byte, 100_000), func(s cluster.Stats) uint64 { return s.TooLarge }},
	} {
		before := c.count(stats())
		if err := nc.PublishMsg(&nats.Msg{Subject: c.subject, Reply: c.reply, Data: c.data}); err != nil {
			t.Fatal(c.what, err)
		}
		eventually(t, c.what+" is counted", func() bool { return c.count(stats()) == before+1 })
	}
	if err := cluster.Lookup[int](here, "numbers").Send(t.Context(), 2); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	eventually(t, "the two messages are received", func() bool { return n.Load() == 2 })
}

// The context of an asker who gives up ends at the other node too.
func TestAskerGivesUp(t *testing.T) {
	here, there, _ := two(t, cluster.Config{}, cluster.Config{})
	asked, ended := make(chan struct{}), make(chan error, 1)
	_, addr := spawn(t, actor.Config{}, func(_ context.Context, m item) error {
		close(asked)
		<-m.Context().Done()
		ended <- m.Context().Err()
		return nil
	})
	expose(t, there, "slow", addr)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	_, err := actor.Ask(ctx, cluster.Lookup[item](here, "slow"), func(r actor.Reply[int]) item { return item{Reply: r} })
	wantErr(t, err, context.Canceled)
	select {
	case err := <-ended:
		wantErr(t, err, context.Canceled)
	case <-time.After(5 * time.Second):
		t.Error("the handler's context has not ended")
	}
}

// A message that came and waits for room is called back when its sender gives up.
func TestSenderGivesUp(t *testing.T) {
	here, there, _ := two(t, cluster.Config{}, cluster.Config{})
	release, got := make(chan struct{}), make(chan int, 10)
	_, addr := spawn(t, actor.Config{Capacity: actor.Bounded(4)}, func(_ context.Context, n int) error {
		<-release
		got <- n
		return nil
	})
	expose(t, there, "slow", addr)
	to := cluster.Lookup[int](here, "slow")
	eventually(t, "it is found", func() bool { return len(to.Nodes()) == 1 })
	for n := 1; n <= 5; n++ { // it has credit, and others take the room
		if err := addr.Send(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := to.Send(ctx, 6)
	wantErr(t, err, context.DeadlineExceeded)
	if errors.Is(err, cluster.ErrUnknown) {
		t.Errorf("%v, but it was in time", err)
	}
	close(release)
	if err := to.Send(t.Context(), 7); err != nil {
		t.Error(err)
	}
	for _, want := range []int{1, 2, 3, 4, 5, 7} {
		if n := <-got; n != want {
			t.Errorf("got %d, want %d", n, want)
		}
	}
}

type grenade struct {
	actor.Reply[grenadeAnswer]
	N int
}

type grenadeAnswer struct{ N int }

func (a grenadeAnswer) MarshalJSON() ([]byte, error) {
	if a.N == 1 {
		panic("pulled")
	}
	return []byte(`{"N":7}`), nil
}

func (a *grenadeAnswer) UnmarshalJSON([]byte) error {
	panic("thrown")
}

// A type whose methods panic while it travels ends nothing but its Ask.
func TestCodecPanics(t *testing.T) {
	here, there, _ := two(t, cluster.Config{}, cluster.Config{})
	_, addr := spawn(t, actor.Config{}, func(_ context.Context, m grenade) error {
		m.Answer(grenadeAnswer{m.N}, nil)
		return nil
	})
	expose(t, there, "grenades", addr)
	to := cluster.Lookup[grenade](here, "grenades")
	for n, says := range []string{"thrown", "pulled"} {
		_, err := actor.Ask(t.Context(), to, func(r actor.Reply[grenadeAnswer]) grenade { return grenade{r, n} })
		wantErr(t, err, actor.ErrNoReply, "panicked", says)
	}
}

// A message with somebody else's Reply takes it along.
func TestForwardedReply(t *testing.T) {
	here, there, _ := two(t, cluster.Config{}, cluster.Config{})
	_, far := spawn(t, actor.Config{}, func(_ context.Context, m item) error {
		m.Answer(m.N+1, nil)
		return nil
	})
	expose(t, there, "far", far)
	to := cluster.Lookup[item](here, "far")
	_, near := spawn(t, actor.Config{}, func(ctx context.Context, m item) error { return to.Send(ctx, m) })
	v, err := actor.Ask(t.Context(), near, func(r actor.Reply[int]) item { return item{r, 41} })
	if v != 42 || err != nil {
		t.Errorf("got %v, %v", v, err)
	}
}

// What Async has taken and an actor does not get any more comes back.
func TestAsyncReports(t *testing.T) {
	var mu sync.Mutex
	back := map[int]error{}
	here, there, _ := two(t, cluster.Config{Undelivered: func(name string, msg any, err error) {
		mu.Lock()
		defer mu.Unlock()
		if back[msg.(int)] != nil {
			t.Errorf("%v comes back twice", msg)
		}
		back[msg.(int)] = err
		if msg.(int)%10 == 0 {
			panic("a report's own fault")
		}
	}}, cluster.Config{})
	var received atomic.Int64
	var undelivered atomic.Int64
	child, addr := spawn(t, actor.Config{Capacity: actor.Bounded(100), Undelivered: func(any) { undelivered.Add(1) }}, func(context.Context, int) error {
		if received.Add(1) == 500 {
			return actor.ErrHalted
		}
		return nil
	})
	expose(t, there, "numbers", addr)
	to := cluster.Lookup[int](here, "numbers").Async()
	accepted := 0
	for err := error(nil); err == nil; {
		if err = to.Send(t.Context(), accepted); err == nil {
			accepted++
		} else {
			wantErr(t, err, actor.ErrClosed)
		}
	}
	if _, err := child.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	if err := here.Drain(within(t, 10*time.Second)); err != nil { // waits for the reports
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if n := int(received.Load()+undelivered.Load()) + len(back); n != accepted {
		t.Errorf("%d accepted; %d received, %d undelivered at the actor, %d at the sender", accepted, received.Load(), undelivered.Load(), len(back))
	}
	for n, err := range back {
		if !errors.Is(err, actor.ErrClosed) || errors.Is(err, cluster.ErrUnknown) {
			t.Errorf("%d comes back with %v", n, err)
		}
	}
}

// A node that closes leaves nothing in doubt about what it was sent.
func TestClose(t *testing.T) {
	here, there, _ := two(t, cluster.Config{Find: 50 * time.Millisecond}, cluster.Config{})
	release := make(chan struct{})
	_, addr := spawn(t, actor.Config{Capacity: actor.Bounded(1)}, func(context.Context, item) error {
		<-release
		return nil
	})
	defer close(release)
	expose(t, there, "slow", addr)
	to := cluster.Lookup[item](here, "slow")
	eventually(t, "it is found", func() bool { return len(to.Nodes()) == 1 })
	ends := make(chan error, 5)
	for n := range 5 {
		go func() { ends <- to.Send(t.Context(), item{N: n}) }()
	}
	eventually(t, "the inbox is full", func() bool { return addr.Len() == 1 })
	if err := there.Close(); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if err := <-ends; errors.Is(err, cluster.ErrUnknown) {
			t.Error(err)
		}
	}
	wantErr(t, cluster.Expose(t.Context(), there, "late", addr), cluster.ErrNodeClosed)
	wantErr(t, cluster.Lookup[item](there, "slow").Send(t.Context(), item{}), cluster.ErrNodeClosed)
	wantErr(t, there.Drain(t.Context()), cluster.ErrNodeClosed)
	wantErr(t, to.Send(t.Context(), item{}), cluster.ErrNotFound)
	eventually(t, "it is no peer any more", func() bool { return len(here.Peers()) == 1 })
}
