package embedded_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// Messages that were given no ID are not taken for one another.
func TestDurableEmptyID(t *testing.T) {
	t.Parallel()
	n := join(t, start(t, embedded.Config{JetStream: true}), cluster.Config{})
	d := open[job](t, n, "jobs", cluster.DurableConfig{})
	for i := range 3 {
		if err := d.Send(within(t, 5*time.Second), job{N: i}); err != nil {
			t.Fatal(err)
		}
	}
	var done effects
	handle(t, d, 1, func(_ context.Context, j job) error {
		done.add(j.N)
		return nil
	})
	eventually(t, "all three handled", func() bool { return done.count() == 3 })
}

// An inbox that is opened again and again costs the node no more than one.
func TestDurableOpenedAgain(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true})
	n := join(t, s, cluster.Config{})
	if err := open[job](t, n, "jobs", cluster.DurableConfig{}).Send(within(t, 5*time.Second), job{N: -1}); err != nil {
		t.Fatal(err)
	}
	before := s.Server().NumSubscriptions()
	for i := range 5 {
		if err := open[job](t, n, "jobs", cluster.DurableConfig{}).Send(within(t, 5*time.Second), job{N: i}); err != nil {
			t.Fatal(err)
		}
	}
	if after := s.Server().NumSubscriptions(); after != before {
		t.Errorf("%d subscriptions, and %d after the first", after, before)
	}
}

// blob has the size that it is given.
type blob struct{ S string }

func blobOf(size int) blob { return blob{strings.Repeat("x", size)} }

// What an empty inbox has no room for is refused, and does not hold up what is
// behind it; what it just has room for is stored.
func TestDurableNeverRoom(t *testing.T) {
	t.Parallel()
	n := join(t, start(t, embedded.Config{JetStream: true}), cluster.Config{})
	d := open[blob](t, n, "blobs", cluster.DurableConfig{MaxBytes: 2000})
	size, ctx := 2000, within(t, 20*time.Second)
	for ; ; size-- {
		err := d.Send(ctx, blobOf(size))
		if err == nil {
			break
		}
		if !errors.Is(err, cluster.ErrTooLarge) {
			t.Fatalf("a message of %d bytes, in an empty inbox of 2000: %v", size, err)
		}
	}
	if size < 1700 {
		t.Errorf("the largest that is stored has %d bytes", size)
	}
}

// A message that is as large as can be is set aside with what there is room for of
// the reason, after the attempts that it has.
func TestDurableLargeAside(t *testing.T) {
	t.Parallel()
	n := join(t, start(t, embedded.Config{JetStream: true}), cluster.Config{})
	d := open[blob](t, n, "blobs", cluster.DurableConfig{Attempts: 1, Backoff: time.Millisecond})
	size := int(n.Conn().MaxPayload()) - 4<<10 - len(`{"S":""}`) - 1
	if err := d.Send(within(t, 5*time.Second), blobOf(size)); err != nil {
		t.Fatal(err)
	}
	var calls atomic.Int32
	handle(t, d, 1, func(context.Context, blob) error {
		calls.Add(1)
		return errors.New(strings.Repeat("because ", 2000))
	})
	eventually(t, "it is set aside", func() bool { return n.Stats().SetAside == 1 })
	for a, err := range d.Aside(within(t, 5*time.Second)) {
		if err != nil || a.Err != nil || len(a.Msg.S) != size || a.Attempts != 1 || !strings.HasPrefix(a.Reason, "because because ") {
			t.Errorf("set aside: %d bytes after %d attempts (%.40q), %v, %v", len(a.Msg.S), a.Attempts, a.Reason, a.Err, err)
		}
	}
	if calls.Load() != 1 {
		t.Errorf("handled %d times, 1 was allowed", calls.Load())
	}
}

// keyedBlob has a key, and so a consumer for each partition.
type keyedBlob struct{ K string }

func (b keyedBlob) OrderKey() string { return b.K }

// Without a server, handlers stop soon all the same, however many consumers they have.
func TestDurableStopsAlone(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true})
	n, err := cluster.Join(t.Context(), connect(t, s), cluster.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close() // which says that there is no server
	d := open[keyedBlob](t, n, "blobs", cluster.DurableConfig{})
	c := d.Spawn(context.WithoutCancel(t.Context()), actor.Config{}, 2, func(context.Context, keyedBlob) error { return nil })
	eventually(t, "consumers", func() bool {
		return d.Send(within(t, 5*time.Second), keyedBlob{"k"}) == nil && n.Stats().Handled > 0
	})
	s.Close()
	eventually(t, "disconnected", func() bool { return !n.Conn().IsConnected() })
	begun := time.Now()
	if _, err := c.Stop(within(t, 20*time.Second)); err != nil || spent(begun, time.Now()) > 5*time.Second {
		t.Errorf("stopped after %v: %v", spent(begun, time.Now()), err)
	}
}

// A message of which several copies were refused, as there is no room, was
// certainly not stored, also if the answers come late and together.
func TestDurableLateRefusals(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true, Listen: "127.0.0.1:0"})
	n, v := joinBy(t, s, cluster.Config{Logger: slog.New(slog.DiscardHandler), Lost: 10 * time.Second})
	d := open[note](t, n, "notes", cluster.DurableConfig{MaxMessages: 1})
	if err := d.Send(within(t, 5*time.Second), note{1}); err != nil {
		t.Fatal(err)
	}
	var copies atomic.Int32
	if _, err := connect(t, s).Subscribe("tinyactor.durable.notes.*", func(*nats.Msg) { copies.Add(1) }); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	outcome := make(chan error, 1)
	v.closed.Lock()
	go func() { outcome <- d.Send(ctx, note{2}) }()
	eventually(t, "a second copy", func() bool { return copies.Load() == 2 })
	v.closed.Unlock()
	eventually(t, "it tries again", func() bool { return copies.Load() > 3 })
	cancel()
	if err := <-outcome; !errors.Is(err, context.Canceled) || errors.Is(err, cluster.ErrUnknown) {
		t.Errorf("a message for which there was no room: %v", err)
	}
}

// What cannot leave while there is no connection does not leave later, when the
// servers have forgotten the ID and would store it once more.
func TestDurableReconnects(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true, Listen: "127.0.0.1:0"})
	n, v := joinBy(t, s, cluster.Config{Logger: slog.New(slog.DiscardHandler)})
	cfg := cluster.DurableConfig{Dedup: 2 * time.Second}
	d := open[job](t, n, "jobs", cfg)
	other := open[job](t, join(t, s, cluster.Config{}), "jobs", cfg)
	js := manage(t, s)
	sent := make(chan error, 1)
	v.closed.Lock()
	go func() { sent <- d.Send(t.Context(), job{ID: "once"}) }()
	eventually(t, "it is stored", func() bool { return inStream(t, js, "tinyactor=jobs") == 1 })
	v.cut()
	if err := other.Send(t.Context(), job{ID: "later"}); err != nil {
		t.Fatal(err)
	}
	if err := <-sent; !errors.Is(err, cluster.ErrUnknown) {
		t.Errorf("without an answer: %v", err)
	}
	eventually(t, "the IDs are forgotten", func() bool {
		if err := other.Send(t.Context(), job{ID: "later"}); err != nil {
			t.Fatal(err)
		}
		return inStream(t, js, "tinyactor=jobs") == 3
	})
	v.closed.Unlock()
	if err := d.Send(within(t, 20*time.Second), job{ID: "end"}); err != nil { // behind all copies
		t.Fatal(err)
	}
	if got := inStream(t, js, "tinyactor=jobs"); got != 4 {
		t.Errorf("%d are stored, want 4", got)
	}
}

// What the server does not allow, an inbox and its workers say, and do not wait for good.
func TestDurableDenied(t *testing.T) {
	t.Parallel()
	denied := map[string]string{
		"opener": "$JS.API.STREAM.INFO.>", "maker": "$JS.API.CONSUMER.CREATE.>",
		"taker": "$JS.API.CONSUMER.MSG.NEXT.>", "sayer": "$JS.ACK.>", "looker": "$JS.API.STREAM.MSG.GET.>",
	}
	s := start(t, embedded.Config{JetStream: true, Adjust: func(o *server.Options) {
		o.Users = []*server.User{{Username: "all"}}
		for user, subject := range denied {
			o.Users = append(o.Users, &server.User{Username: user, Permissions: &server.Permissions{Publish: &server.SubjectPermission{Deny: []string{subject}}}})
		}
	}})
	join := func(user string) *cluster.Node {
		nc, err := s.Connect(nats.UserInfo(user, ""), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		n, err := cluster.Join(t.Context(), nc, cluster.Config{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { n.Close() })
		return n
	}
	d := open[note](t, join("all"), "notes", cluster.DurableConfig{})
	if err := d.Send(t.Context(), note{1}); err != nil {
		t.Fatal(err)
	}
	ctx := within(t, 10*time.Second)
	_, err := cluster.OpenDurable[note](ctx, join("opener"), "notes", cluster.DurableConfig{})
	wantErr(t, err, nats.ErrPermissionViolation, `"notes"`, "STREAM.INFO")
	for _, err := range open[note](t, join("looker"), "notes", cluster.DurableConfig{}).Aside(ctx) {
		wantErr(t, err, nats.ErrPermissionViolation, `"notes"`, "MSG.GET")
	}
	for _, user := range []string{"maker", "taker", "sayer"} {
		d := open[note](t, join(user), "notes", cluster.DurableConfig{})
		_, err := d.Spawn(context.WithoutCancel(t.Context()), actor.Config{}, 1, func(context.Context, note) error { return nil }).Wait(ctx)
		wantErr(t, err, nats.ErrPermissionViolation, `"notes"`, strings.TrimSuffix(denied[user], ">"))
	}
}

// After a reconnect, messages come at once: what was asked for before is forgotten.
func TestDurableAsksAgain(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true, Listen: "127.0.0.1:0"})
	n, v := joinBy(t, s, cluster.Config{Logger: slog.New(slog.DiscardHandler)}, nats.ReconnectWait(time.Millisecond))
	got := make(chan int, 1)
	handle(t, open[note](t, n, "notes", cluster.DurableConfig{}), 1, func(_ context.Context, m note) error {
		got <- m.N
		return nil
	})
	d := open[note](t, join(t, s, cluster.Config{}), "notes", cluster.DurableConfig{})
	for i := range 2 {
		if err := d.Send(within(t, 5*time.Second), note{i}); err != nil {
			t.Fatal(err)
		}
		select {
		case <-got:
		case <-time.After(5 * time.Second): // when the servers would forget it anyway
			t.Fatal("nothing comes after a reconnect")
		}
		if i == 0 {
			v.cut()
			eventually(t, "the connection is there again", func() bool { return n.Conn().Stats().Reconnects == 1 && n.Conn().IsConnected() })
		}
	}
}
