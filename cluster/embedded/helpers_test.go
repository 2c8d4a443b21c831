package embedded_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// start runs a server for a test.
func start(t testing.TB, cfg embedded.Config) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func connect(t testing.TB, s *embedded.Server, options ...nats.Option) *nats.Conn {
	t.Helper()
	nc, err := s.Connect(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// join makes a node for a test.
func join(t testing.TB, s *embedded.Server, cfg cluster.Config) *cluster.Node {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	n, err := cluster.Join(t.Context(), connect(t, s), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// patient is a node's configuration for a test in which none dies: on a machine that
// has much else to do, none is taken for dead either.
func patient(cfg cluster.Config) cluster.Config {
	cfg.Lost, cfg.Lease = 8*time.Second, 20*time.Second
	return cfg
}

func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits for a state.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	over := time.After(10 * time.Second)
	for !is() {
		select {
		case <-tick.C:
		case <-over:
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

// lazy spawns an actor that has room for so many messages, and until the end of the
// test is not done with the first.
func lazy(t *testing.T, room int) *actor.Address[int] {
	release := make(chan struct{})
	_, addr := spawn(t, actor.Config{Capacity: actor.Bounded(room), Undelivered: func(any) {}}, func(context.Context, int) error {
		<-release
		return nil
	})
	t.Cleanup(func() { close(release) })
	return addr
}

// machine is how the machine treats this process.
var machine stalls

// stalls are the times in which this process was kept from running, because the
// machine stood still, or had much else to do. What a promise says of seconds, it says
// of a machine that works meanwhile.
type stalls struct {
	mu  sync.Mutex
	all []stall
}

type stall struct {
	until  time.Time
	lasted time.Duration
}

// watch notes them: how much longer than asked for its own pauses take.
func (s *stalls) watch() {
	const pause, normal = 10 * time.Millisecond, time.Millisecond
	timer := time.NewTimer(pause)
	for {
		begun := time.Now()
		timer.Reset(pause)
		<-timer.C
		now := time.Now()
		if late := now.Sub(begun) - pause; late > normal {
			s.mu.Lock()
			s.all = append(s.all, stall{now, late})
			s.mu.Unlock()
		}
	}
}

// spent is how long something took, without the stalls that there were meanwhile.
func spent(from, to time.Time) time.Duration {
	machine.mu.Lock()
	defer machine.mu.Unlock()
	d := to.Sub(from)
	for _, s := range slices.Backward(machine.all) {
		if s.until.Before(from) {
			break
		}
		begun, until := s.until.Add(-s.lasted), s.until
		if begun.Before(from) {
			begun = from
		}
		if until.After(to) {
			until = to
		}
		d -= max(0, until.Sub(begun))
	}
	return d
}

// spawn starts an actor that serves until the test ends.
func spawn[M any](t testing.TB, cfg actor.Config, handle func(context.Context, M) error) (*actor.Child[M, actor.None], *actor.Address[M]) {
	t.Helper()
	child, addr := actor.Spawn(t.Context(), cfg, func(ctx context.Context, in *actor.Inbox[M]) error {
		return in.Serve(ctx, handle)
	})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		child.Stop(ctx)
	})
	return child, addr
}
