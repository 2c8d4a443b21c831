package embedded_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// valve is a TCP proxy that can hold back what one end says.
type valve struct {
	listener net.Listener
	closed   sync.RWMutex // locked: nothing passes to the client
	stuck    sync.RWMutex // locked: nothing passes to the server

	mu      sync.Mutex
	clients []net.Conn
}

// cut breaks the connections that there are.
func (v *valve) cut() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range v.clients {
		c.Close()
	}
	v.clients = nil
}

func newValve(t testing.TB, to string) *valve {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	v := &valve{listener: l}
	var all sync.WaitGroup
	t.Cleanup(all.Wait)
	t.Cleanup(func() { l.Close() })
	all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				client.Close()
				return
			}
			v.mu.Lock()
			v.clients = append(v.clients, client)
			v.mu.Unlock()
			all.Go(func() { pass(server, client, &v.stuck) })
			all.Go(func() { pass(client, server, &v.closed) })
		}
	})
	return v
}

// pass copies from one end to the other, while nobody holds it.
func pass(to, from net.Conn, held *sync.RWMutex) {
	defer to.Close()
	for buf := make([]byte, 1<<16); ; {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		held.RLock()
		_, err = to.Write(buf[:n])
		held.RUnlock()
		if err != nil {
			return
		}
	}
}

// joinBy is join over a connection through a valve.
func joinBy(t testing.TB, s *embedded.Server, cfg cluster.Config, opts ...nats.Option) (*cluster.Node, *valve) {
	t.Helper()
	v := newValve(t, s.Server().Addr().String())
	nc, err := nats.Connect(v.listener.Addr().String(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	n, err := cluster.Join(t.Context(), nc, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n, v
}

// manage returns JetStream as the tests see it, beside the nodes.
func manage(t testing.TB, s *embedded.Server) jetstream.JetStream {
	js, err := jetstream.New(connect(t, s))
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// inStream returns how many messages a stream has.
func inStream(t testing.TB, js jetstream.JetStream, name string) uint64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	st, err := js.Stream(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	return st.CachedInfo().State.Msgs
}

// If the server's answer does not come, the message is sent again, and stored once.
// Who does not wait for that learns that the outcome is unknown.
func TestDurableLostAnswer(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true, Listen: "127.0.0.1:0"})
	n, v := joinBy(t, s, cluster.Config{Name: "one"})
	d := open[note](t, n, "notes", cluster.DurableConfig{})
	var copies atomic.Int64
	nc := connect(t, s)
	if _, err := nc.Subscribe("tinyactor.durable.notes.*", func(*nats.Msg) { copies.Add(1) }); err != nil {
		t.Fatal(err)
	}
	nc.Flush()

	brief := open[note](t, n, "brief", cluster.DurableConfig{Dedup: 500 * time.Millisecond})
	v.closed.Lock()
	sent := make(chan error)
	go func() { sent <- d.Send(t.Context(), note{1}) }()
	// Longer than the servers know an ID, nothing is sent again.
	if err := brief.Send(t.Context(), note{1}); !errors.Is(err, cluster.ErrUnknown) {
		t.Errorf("for longer than Dedup: %v", err)
	}
	eventually(t, "it is sent again", func() bool { return copies.Load() >= 2 })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := d.Send(ctx, note{2}); !errors.Is(err, cluster.ErrUnknown) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without an answer: %v", err)
	}
	v.closed.Unlock()
	if err := <-sent; err != nil {
		t.Error(err)
	}
	js := manage(t, s)
	if got := inStream(t, js, "tinyactor=notes"); got != 2 {
		t.Errorf("%d are stored, want 2", got)
	}
	if got := inStream(t, js, "tinyactor=brief"); got != 1 {
		t.Errorf("%d are stored in brief, want 1", got)
	}
}

// While no server keeps the stream, a Send waits; it knows that nothing is stored.
func TestDurableNobody(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true})
	n := join(t, s, cluster.Config{Name: "one"})
	d := open[note](t, n, "notes", cluster.DurableConfig{})
	js := manage(t, s)
	if err := js.DeleteStream(t.Context(), "tinyactor=notes"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := d.Send(ctx, note{1}); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, cluster.ErrUnknown) {
		t.Errorf("nobody keeps it: %v", err)
	}
	sent := make(chan error)
	go func() { sent <- d.Send(t.Context(), note{2}) }()
	open[note](t, n, "notes", cluster.DurableConfig{}) // it is there again
	if err := <-sent; err != nil {
		t.Error(err)
	}
	if got := inStream(t, js, "tinyactor=notes"); got != 1 {
		t.Errorf("%d are stored, want 1", got)
	}
}

// A message with an ID is stored once within Dedup, whoever sends it, also after
// the server was restarted; and again after it.
func TestDurableDedup(t *testing.T) {
	t.Parallel()
	store := t.TempDir()
	cfg := embedded.Config{JetStream: true, Store: store}
	s := start(t, cfg)
	n := join(t, s, cluster.Config{Name: "one"})
	const dedup = 2 * time.Second
	d := open[job](t, n, "jobs", cluster.DurableConfig{Dedup: dedup})
	begun := time.Now()
	long := strings.Repeat("x", 300) + "\r\n" // goes into no header as it is
	for _, id := range []string{"a", "b", "a", "a", long, long} {
		if err := d.Send(t.Context(), job{ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	if got := inStream(t, manage(t, s), "tinyactor=jobs"); got != 3 && time.Since(begun) < dedup {
		t.Fatalf("%d are stored, want 3", got)
	}
	n.Close()
	s.Close()
	s = start(t, cfg)
	n = join(t, s, cluster.Config{Name: "two"})
	d = open[job](t, n, "jobs", cluster.DurableConfig{Dedup: dedup})
	if err := d.Send(t.Context(), job{ID: "b"}); err != nil {
		t.Fatal(err)
	}
	got := inStream(t, manage(t, s), "tinyactor=jobs")
	if got != 3 && time.Since(begun) < dedup {
		t.Errorf("%d are stored after a restart, want 3", got)
	}
	eventually(t, "the ID is forgotten", func() bool {
		if err := d.Send(t.Context(), job{ID: "a"}); err != nil {
			t.Fatal(err)
		}
		return inStream(t, manage(t, s), "tinyactor=jobs") == got+1
	})
	if took := time.Since(begun); took < dedup {
		t.Errorf("the ID is forgotten after %v", took)
	}
}

// At the size limit TrySend says ErrFull; Send waits for room, in order, until its
// ctx ends. What was not stored then is not.
func TestDurableFull(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true})
	n := join(t, s, cluster.Config{Name: "one"})
	d := open[note](t, n, "notes", cluster.DurableConfig{MaxMessages: 3})
	for i := range 3 {
		if err := d.TrySend(note{i}); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.TrySend(note{-1}); !errors.Is(err, actor.ErrFull) {
		t.Errorf("TrySend: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := d.Send(ctx, note{-2}); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, cluster.ErrUnknown) {
		t.Errorf("Send: %v", err)
	}
	if err := d.TrySend(note{-1}); !errors.Is(err, actor.ErrFull) {
		t.Errorf("TrySend while nobody waits any more: %v", err)
	}
	// One goroutine's, and Async's, wait and go in in order.
	sent := make(chan error, 2)
	go func() {
		var err error
		for i := range 20 {
			err = errors.Join(err, d.Send(t.Context(), note{3 + i}))
		}
		sent <- err
	}()
	var done effects
	handle(t, d, 1, func(_ context.Context, m note) error {
		done.add(m.N)
		return nil
	})
	if err := <-sent; err != nil {
		t.Error(err)
	}
	eventually(t, "all are handled", func() bool { return done.count() == 23 })
	for i, n := range done.order {
		if i != n {
			t.Fatalf("handled %v", done.order)
		}
	}
}

// MaxBytes is a limit too.
func TestDurableFullOfBytes(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true})
	n := join(t, s, cluster.Config{Name: "one"})
	d := open[job](t, n, "jobs", cluster.DurableConfig{MaxBytes: 10_000})
	var err error
	stored := 0
	for err == nil && stored < 100 {
		err = d.TrySend(job{ID: fmt.Sprint(stored, strings.Repeat("x", 900))})
		stored++
	}
	if !errors.Is(err, actor.ErrFull) || stored < 4 || stored > 10 {
		t.Errorf("after %d: %v", stored, err)
	}
}

type asks struct {
	actor.Reply[int]
	N int
}

// What cannot be stored is refused before it leaves.
func TestDurableRefuses(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true})
	n := join(t, s, cluster.Config{Name: "one", MaxSize: 1000})
	jobs := open[job](t, n, "jobs", cluster.DurableConfig{})
	if err := jobs.Send(t.Context(), job{ID: strings.Repeat("x", 1000)}); !errors.Is(err, cluster.ErrTooLarge) || !strings.Contains(err.Error(), `"jobs"`) {
		t.Errorf("too large: %v", err)
	}
	asking := open[asks](t, n, "asks", cluster.DurableConfig{})
	if _, err := actor.Ask(t.Context(), asking, func(r actor.Reply[int]) asks { return asks{r, 1} }); err == nil || !strings.Contains(err.Error(), "Reply") {
		t.Errorf("with a Reply: %v", err)
	}
	if err := asking.Send(t.Context(), asks{N: 1}); err != nil {
		t.Errorf("with nobody who waits: %v", err)
	}
	if _, err := cluster.OpenDurable[unregistered](t.Context(), n, "some", cluster.DurableConfig{}); !errors.Is(err, cluster.ErrUnregistered) {
		t.Errorf("an interface that is not registered: %v", err)
	}
	for field, cfg := range map[string]cluster.DurableConfig{
		"Level is Level(9)": {Level: 9}, "MaxMessages is -1": {MaxMessages: -1}, "MaxBytes is -1": {MaxBytes: -1},
		"Dedup is 1ms": {Dedup: time.Millisecond}, "AckWait is -1s": {AckWait: -time.Second}, "Attempts is -1": {Attempts: -1},
		"Backoff is -1s": {Backoff: -time.Second}, "Partitions is 257": {Partitions: 257}, "Partitions is 2": {Partitions: 2},
	} {
		if _, err := cluster.OpenDurable[job](t.Context(), n, "some", cfg); err == nil || !strings.Contains(err.Error(), "DurableConfig."+field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	func() {
		defer func() {
			if v := fmt.Sprint(recover()); !strings.Contains(v, `"jobs": Spawn without a function`) {
				t.Errorf("Spawn without a function: %s", v)
			}
		}()
		jobs.Spawn(t.Context(), actor.Config{}, 1, nil)
	}()
	if _, err := cluster.OpenDurable[job](t.Context(), n, "some.*", cluster.DurableConfig{}); !errors.Is(err, cluster.ErrBadName) {
		t.Errorf("a name with a wildcard: %v", err)
	}
}

type unregistered interface{ unregistered() }

// Messages of an interface type are stored and come back as what they were.
func TestDurableVariants(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true})
	n := join(t, s, cluster.Config{Name: "one"})
	d := open[command](t, n, "commands", cluster.DurableConfig{})
	for _, c := range []command{begin{1}, end{"now"}} {
		if err := d.Send(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	got := make(chan command, 2)
	handle(t, d, 1, func(_ context.Context, c command) error {
		got <- c
		return nil
	})
	if a, b := <-got, <-got; a != (begin{1}) || b != (end{"now"}) {
		t.Errorf("%#v, %#v", a, b)
	}
}

type command interface{ command() }
type begin struct{ N int }
type end struct{ When string }

func (begin) command() {}
func (end) command()   {}

func init() { cluster.Register[command]("test.command", begin{}, end{}) }

// Who opens an inbox with other settings than it has is told which.
func TestDurableMismatch(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true})
	n := join(t, s, cluster.Config{Name: "one"})
	open[note](t, n, "notes", cluster.DurableConfig{})
	open[note](t, n, "notes", cluster.DurableConfig{Attempts: 9, Backoff: time.Minute}) // each node's own
	open[parcel](t, n, "parcels", cluster.DurableConfig{})
	other := func(what string, open func(ctx context.Context) error) {
		t.Helper()
		err := open(within(t, 5*time.Second))
		if !errors.Is(err, cluster.ErrMismatch) || !strings.Contains(err.Error(), what) {
			t.Errorf("another %s: %v", what, err)
		}
	}
	for what, cfg := range map[string]cluster.DurableConfig{
		"MaxMessages": {MaxMessages: 10}, "MaxBytes": {MaxBytes: 1000}, "Dedup": {Dedup: time.Minute}, "AckWait": {AckWait: time.Second},
	} {
		other(what, func(ctx context.Context) error {
			_, err := cluster.OpenDurable[note](ctx, n, "notes", cfg)
			return err
		})
	}
	other("message type", func(ctx context.Context) error {
		_, err := cluster.OpenDurable[job](ctx, n, "notes", cluster.DurableConfig{})
		return err
	})
	other("Partitions", func(ctx context.Context) error {
		_, err := cluster.OpenDurable[parcel](ctx, n, "parcels", cluster.DurableConfig{Partitions: 3})
		return err
	})
	synced := join(t, s, cluster.Config{Name: "synced", SyncAlways: true})
	other("Level", func(ctx context.Context) error {
		_, err := cluster.OpenDurable[note](ctx, synced, "notes", cluster.DurableConfig{Level: cluster.PowerLoss})
		return err
	})
	coded := join(t, s, cluster.Config{Name: "coded", Codec: otherCodec{}})
	other("codec", func(ctx context.Context) error {
		_, err := cluster.OpenDurable[note](ctx, coded, "notes", cluster.DurableConfig{})
		return err
	})
	js := manage(t, s)
	for what, change := range map[string]func(*jetstream.StreamConfig){
		"discard policy": func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardOld },
		"maximum age":    func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour },
		"per subject":    func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 1 },
	} {
		open[note](t, n, "changed", cluster.DurableConfig{})
		st, err := js.Stream(t.Context(), "tinyactor=changed")
		if err != nil {
			t.Fatal(err)
		}
		cfg := st.CachedInfo().Config
		change(&cfg)
		if _, err := js.UpdateStream(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		other(what, func(ctx context.Context) error {
			_, err := cluster.OpenDurable[note](ctx, n, "changed", cluster.DurableConfig{})
			return err
		})
		if err := js.DeleteStream(t.Context(), "tinyactor=changed"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := cluster.OpenDurable[note](t.Context(), n, "safe", cluster.DurableConfig{Level: cluster.PowerLoss}); !errors.Is(err, cluster.ErrLevel) {
		t.Errorf("PowerLoss where nobody says that the servers sync: %v", err)
	}
	if d, err := cluster.OpenDurable[note](t.Context(), synced, "safe", cluster.DurableConfig{Level: cluster.PowerLoss}); err != nil || d.TrySend(note{1}) != nil {
		t.Errorf("PowerLoss where somebody does: %v", err)
	}
}

type otherCodec struct{ cluster.JSON }

func (otherCodec) Name() string { return "other" }

// What Async has not stored when the node ends is reported, each message once.
func TestDurableAsync(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true, Listen: "127.0.0.1:0"})
	var mu sync.Mutex
	reported := make(map[int]error)
	n, v := joinBy(t, s, cluster.Config{Name: "one", Undelivered: func(name string, msg any, err error) {
		mu.Lock()
		defer mu.Unlock()
		if k := msg.(note).N; name == "notes" && reported[k] == nil {
			reported[k] = err
			return
		}
		t.Errorf("%s: %v reported: %v", name, msg, err)
	}})
	d := open[note](t, n, "notes", cluster.DurableConfig{})
	async := d.Async()
	for i := range 1000 {
		if err := async.Send(t.Context(), note{i}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all are stored", func() bool { return n.Stats().Stored == 1000 })
	v.closed.Lock()
	for i := range 10 {
		if err := async.Send(t.Context(), note{1000 + i}); err != nil {
			t.Fatal(err)
		}
	}
	js := manage(t, s)
	eventually(t, "they are stored, and nobody knows", func() bool { return inStream(t, js, "tinyactor=notes") == 1010 })
	go func() { // so that Close can end
		eventually(t, "the first is reported", func() bool { mu.Lock(); defer mu.Unlock(); return len(reported) == 10 })
		v.closed.Unlock()
	}()
	n.Close()
	for i := range 10 {
		if err := reported[1000+i]; !errors.Is(err, cluster.ErrUnknown) || !errors.Is(err, cluster.ErrNodeClosed) {
			t.Errorf("%d: %v", 1000+i, err)
		}
	}
	if err := d.Send(t.Context(), note{}); !errors.Is(err, cluster.ErrNodeClosed) {
		t.Errorf("after the end: %v", err)
	}
	if len(reported) != 10 {
		t.Errorf("%d are reported", len(reported))
	}
}

// Sends that wait end with their node; Drain waits until what is sent is stored.
func TestDurableSendEnds(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true, Listen: "127.0.0.1:0"})
	n, _ := joinBy(t, s, cluster.Config{Name: "one"})
	d := open[note](t, n, "notes", cluster.DurableConfig{MaxMessages: 1})
	if err := d.Send(t.Context(), note{1}); err != nil {
		t.Fatal(err)
	}
	var copies atomic.Int32
	spy := connect(t, s)
	if _, err := spy.Subscribe("tinyactor.durable.notes.*", func(*nats.Msg) { copies.Add(1) }); err != nil {
		t.Fatal(err)
	}
	spy.Flush()
	first, second := make(chan error, 1), make(chan error, 1)
	go func() { first <- d.Send(t.Context(), note{2}) }()
	eventually(t, "the first that waits tries again", func() bool { return copies.Load() >= 2 })
	go func() { second <- d.Send(t.Context(), note{3}) }()
	more := copies.Load() + 3 // one of them may be of the second, which waits behind it then
	eventually(t, "and again", func() bool { return copies.Load() >= more })
	n.Close()
	if err := <-first; !errors.Is(err, cluster.ErrNodeClosed) { // it may have been trying
		t.Errorf("the first Send that waits: %v", err)
	}
	if err := <-second; !errors.Is(err, cluster.ErrNodeClosed) || errors.Is(err, cluster.ErrUnknown) {
		t.Errorf("the second Send that waits: %v", err)
	}
	var v *valve
	unlock := sync.OnceFunc(func() { v.closed.Unlock() })
	n, v = joinBy(t, s, cluster.Config{Name: "late", Undelivered: func(string, any, error) { unlock() }})
	d = open[note](t, n, "late", cluster.DurableConfig{})
	v.closed.Lock()
	defer unlock()
	if err := d.Async().Send(t.Context(), note{1}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := n.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) { // only then may the message go on
		t.Errorf("Drain with a message on its way: %v", err)
	}
	n = join(t, s, cluster.Config{Name: "two"})
	d = open[note](t, n, "more", cluster.DurableConfig{})
	for i := range 500 {
		if err := d.Async().Send(t.Context(), note{i}); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Drain(within(t, 10*time.Second)); err != nil {
		t.Error(err)
	}
	if got := inStream(t, manage(t, s), "tinyactor=more"); got != 500 || n.Stats().Undelivered != 0 {
		t.Errorf("after Drain %d are stored, %d undelivered", got, n.Stats().Undelivered)
	}
}

// What was refused because the inbox was full goes in later in the order sent.
func TestDurableFullOrder(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true})
	n := join(t, s, cluster.Config{Name: "one"})
	d := open[note](t, n, "notes", cluster.DurableConfig{MaxMessages: 3})
	copies, err := connect(t, s).SubscribeSync("tinyactor.durable.notes.*")
	if err != nil {
		t.Fatal(err)
	}
	sent := make(chan error)
	go func() { // those that are on their way when the first is refused, and some that wait
		var err error
		for i := range 30 {
			err = errors.Join(err, d.Async().Send(t.Context(), note{i}))
		}
		sent <- err
	}()
	js := manage(t, s)
	eventually(t, "it is full", func() bool { return inStream(t, js, "tinyactor=notes") == 3 })
	for again := 0; again < 4; { // until only the first of them tries again: the others wait
		m, err := copies.NextMsg(10 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if again++; !bytes.Contains(m.Data, []byte(`"N":3}`)) {
			again = 0
		}
	}
	if err := d.TrySend(note{-1}); !errors.Is(err, actor.ErrFull) { // behind those that wait
		t.Errorf("TrySend: %v", err)
	}
	st, err := js.Stream(t.Context(), "tinyactor=notes")
	if err != nil {
		t.Fatal(err)
	}
	cfg := st.CachedInfo().Config
	cfg.MaxMsgs = -1
	if _, err := js.UpdateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	eventually(t, "all are stored", func() bool { return inStream(t, js, "tinyactor=notes") == 30 })
	var done effects
	handle(t, d, 1, func(_ context.Context, m note) error {
		done.add(m.N)
		return nil
	})
	eventually(t, "all are handled", func() bool { return done.count() == 30 })
	for i, n := range done.order {
		if i != n {
			t.Fatalf("handled %v", done.order)
		}
	}
}
