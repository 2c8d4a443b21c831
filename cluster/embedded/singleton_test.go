package embedded_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// where asks a singleton on which node it runs, and under which number.
type where struct{ actor.Reply[spot] }

type spot struct {
	Node  string
	Fence uint64
}

func askWhere(r actor.Reply[spot]) where { return where{r} }

// tellWhere is the body of a singleton that answers that.
func tellWhere(node *cluster.Node) func(context.Context, *actor.Inbox[where]) error {
	return func(ctx context.Context, in *actor.Inbox[where]) error {
		return in.Serve(ctx, func(ctx context.Context, m where) error {
			m.Answer(spot{node.ID(), cluster.Fence(ctx)}, nil)
			return nil
		})
	}
}

// find asks until somebody answers who is not in the place given.
func find(t testing.TB, from *cluster.Node, name string, not spot) (at spot) {
	t.Helper()
	to := cluster.Lookup[where](from, name)
	eventually(t, name+" runs elsewhere", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		var err error
		at, err = actor.Ask(ctx, to, askWhere)
		return err == nil && at.Node != not.Node
	})
	if at.Fence <= not.Fence {
		t.Errorf("%s runs on %s with fencing number %d, before with %d on %s", name, at.Node, at.Fence, not.Fence, not.Node)
	}
	return at
}

// elect starts a singleton for a test.
func elect[M any](t testing.TB, n *cluster.Node, name string, body func(context.Context, *actor.Inbox[M]) error) *actor.Child[actor.None, actor.None] {
	t.Helper()
	c, err := cluster.Singleton(t.Context(), n, name, body)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// log is what a node logs.
type log struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(b)
}

func (l *log) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.all.String(), text)
}

func (l *log) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// It moves when its candidate is stopped and when its node is drained or closed,
// and who sends to it does not notice.
func TestSingletonMoves(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true})
	nodes := map[string]*cluster.Node{}
	children := map[string]*actor.Child[actor.None, actor.None]{}
	for range 4 {
		n := join(t, s, cluster.Config{})
		nodes[n.ID()], children[n.ID()] = n, elect(t, n, "boss", tellWhere(n))
	}
	asker := join(t, s, cluster.Config{Name: "asker"})
	at := find(t, asker, "boss", spot{})
	beats, err := asker.Conn().SubscribeSync("tinyactor.beat")
	if err != nil {
		t.Fatal(err)
	}
	boss := cluster.Lookup[where](asker, "boss")
	ctx, stop := context.WithCancel(t.Context())
	var senders sync.WaitGroup
	senders.Go(func() {
		for ctx.Err() == nil {
			if err := boss.Send(ctx, where{}); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
	})
	for _, c := range []struct {
		hint, how string
		end       func() error
	}{
		{"lease.singleton.boss", "Stop", func() error {
			_, err := children[at.Node].Stop(within(t, 5*time.Second))
			return err
		}},
		{"session.", "Drain", func() error { return nodes[at.Node].Drain(within(t, 5*time.Second)) }},
		{"session.", "Close", func() error { return nodes[at.Node].Close() }},
	} {
		begun := time.Now()
		if err := c.end(); err != nil {
			t.Errorf("%s: %v", c.how, err)
		}
		hinted := within(t, 10*time.Second)
		for { // who waits is told, and need not look
			m, err := beats.NextMsgWithContext(hinted)
			if err != nil {
				t.Fatalf("after %s no hint about %s: %v", c.how, c.hint, err)
			}
			if bytes.Contains(m.Data, []byte(c.hint)) {
				break
			}
		}
		select {
		case <-children[at.Node].Done():
		default:
			t.Errorf("after %s the candidate is still there", c.how)
		}
		at = find(t, asker, "boss", at)
		if took := spent(begun, time.Now()); took > time.Second {
			t.Errorf("after %s it moved within %v", c.how, took)
		}
	}
	stop()
	senders.Wait()
}

// register is a store that refuses those who are not the newest.
type register struct {
	mu      sync.Mutex
	largest uint64
	refused []uint64
}

func (r *register) write(fence uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if fence < r.largest {
		r.refused = append(r.refused, fence)
		return false
	}
	r.largest = fence
	return true
}

// A holder whose session is ended by another node is aborted, and its ctx says
// why. While it is stuck it is not begun again on its node, and a store refuses it.
func TestSingletonLost(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true})
	var logged log
	n := join(t, s, cluster.Config{Lease: 6 * time.Second, Logger: logged.logger()})
	var store register
	cause := make(chan error, 1)
	free := make(chan struct{})
	release := sync.OnceFunc(func() { close(free) })
	defer release()
	terms := make(chan uint64, 2)
	elect(t, n, "boss", func(ctx context.Context, in *actor.Inbox[where]) error {
		fence := cluster.Fence(ctx)
		terms <- fence
		if !store.write(fence) {
			t.Errorf("number %d is refused", fence)
		}
		<-in.Halting()
		if ctx.Err() == nil {
			return nil
		}
		cause <- context.Cause(ctx)
		<-free // stuck
		store.write(fence)
		return nil
	})
	first := <-terms
	ctx, stop := context.WithCancel(t.Context())
	var sender sync.WaitGroup
	boss := cluster.Lookup[where](join(t, s, cluster.Config{}), "boss")
	sender.Go(func() { // who sends does not hear that it is closed: it moves
		for ctx.Err() == nil {
			if err := boss.Send(ctx, where{}); errors.Is(err, actor.ErrClosed) {
				t.Errorf("Send: %v", err)
			}
		}
	})
	defer sender.Wait()
	defer stop()
	steal(t, s)
	since := time.Now()
	err := <-cause
	if took := spent(since, time.Now()); took > 3*time.Second {
		t.Errorf("that it has lost the lease it finds out after %v", took)
	}
	if !errors.Is(err, cluster.ErrLeaseLost) || !errors.Is(err, actor.ErrAborted) {
		t.Errorf("the cause is %v", err)
	}
	rival := join(t, s, cluster.Config{Name: "rival", Lease: 6 * time.Second})
	elect(t, rival, "boss", func(ctx context.Context, in *actor.Inbox[where]) error {
		store.write(cluster.Fence(ctx))
		return tellWhere(rival)(ctx, in)
	})
	asker := join(t, s, cluster.Config{})
	at := find(t, asker, "boss", spot{Node: n.ID(), Fence: first})
	if at.Node != rival.ID() {
		t.Errorf("it runs on %s", at.Node)
	}
	eventually(t, "the node says that it is stuck", func() bool { return logged.has("is stuck") })
	release()
	eventually(t, "the store has refused the old one", func() bool {
		store.mu.Lock()
		defer store.mu.Unlock()
		return len(store.refused) == 1 && store.refused[0] == first
	})
	if err := rival.Close(); err != nil {
		t.Error(err)
	}
	if second := <-terms; second <= at.Fence { // it is a candidate again
		t.Errorf("number %d after %d", second, at.Fence)
	}
}

// steal ends all sessions, as a node does that takes the others for dead.
func steal(t testing.TB, s *embedded.Server) {
	t.Helper()
	js, err := jetstream.New(connect(t, s))
	if err != nil {
		t.Fatal(err)
	}
	ctx := within(t, 5*time.Second)
	kv, err := js.KeyValue(ctx, "tinyactor-leases")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := kv.ListKeysFiltered(ctx, "session.>")
	if err != nil {
		t.Fatal(err)
	}
	for key := range keys.Keys() {
		if _, err := kv.PutString(ctx, key, `{"state":"ended"}`); err != nil {
			t.Fatal(err)
		}
	}
}

// A node whose store is away for longer than Config.Lease gives up by itself, and
// not before; it carries on when the store is back.
func TestSingletonExpires(t *testing.T) {
	t.Parallel()
	s, away := distant(t)
	const lease = 2500 * time.Millisecond
	n := join(t, s, cluster.Config{Lease: lease})
	join(t, s, cluster.Config{}) // so that it is not alone
	begun, lost := make(chan uint64, 2), make(chan error, 2)
	c := elect(t, n, "boss", func(ctx context.Context, in *actor.Inbox[where]) error {
		begun <- cluster.Fence(ctx)
		<-in.Halting()
		lost <- context.Cause(ctx)
		return nil
	})
	first := <-begun
	since := time.Now()
	away.Store(true)
	err := <-lost
	if took := spent(since, time.Now()); time.Since(since) < lease*3/5 || took > lease+time.Second || !errors.Is(err, cluster.ErrLeaseLost) {
		t.Errorf("lost after %v: %v", took, err)
	}
	away.Store(false)
	since = time.Now()
	if second := <-begun; second <= first {
		t.Errorf("number %d after %d", second, first)
	}
	if took := spent(since, time.Now()); took > lease {
		t.Errorf("begun again after %v, as if the old session had to expire", took)
	}
	if _, err := c.Stop(within(t, 5*time.Second)); err != nil {
		t.Error(err)
	}
}

// A body that returns nil is not begun again on its node; one that fails is, after
// a pause, and another node is quicker.
func TestSingletonEnds(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true})
	var logged log
	n := join(t, s, cluster.Config{Logger: logged.logger()})
	ends := make(chan func() error, 3)
	ends <- func() error { return errors.New("no paper") }
	ends <- func() error { panic("no ink") }
	ends <- func() error { return nil }
	times := make(chan time.Time, 3)
	c := elect(t, n, "boss", func(ctx context.Context, in *actor.Inbox[where]) error {
		times <- time.Now()
		return (<-ends)()
	})
	ctx := within(t, 10*time.Second)
	if _, err := c.Wait(ctx); err != nil {
		t.Errorf("it gave up with %v", err)
	}
	at := [3]time.Time{<-times, <-times, <-times}
	if one, two := at[1].Sub(at[0]), at[2].Sub(at[1]); one < 100*time.Millisecond || two < 200*time.Millisecond {
		t.Errorf("it was begun again after %v and %v", one, two)
	}
	if !logged.has("no paper") || !logged.has("no ink") {
		t.Error("the failures are not logged")
	}
	second := join(t, s, cluster.Config{})
	elect(t, second, "boss", tellWhere(second)) // the lease is free
	find(t, second, "boss", spot{Node: n.ID()})
	c = elect(t, n, "boss", tellWhere(n)) // as is the name
	if _, err := c.Stop(ctx); err != nil {
		t.Errorf("Stop of one that waits: %v", err)
	}
}

// A body that does not end keeps the lease, though its candidate was aborted.
func TestSingletonStuck(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true})
	n, second := join(t, s, cluster.Config{}), join(t, s, cluster.Config{})
	begun, free := make(chan uint64, 1), make(chan struct{})
	c := elect(t, n, "boss", func(ctx context.Context, in *actor.Inbox[where]) error {
		begun <- cluster.Fence(ctx)
		<-free
		return nil
	})
	fence := <-begun
	next := make(chan uint64, 1)
	elect(t, second, "boss", func(ctx context.Context, in *actor.Inbox[where]) error {
		next <- cluster.Fence(ctx)
		<-in.Halting()
		return nil
	})
	if _, err := c.Stop(within(t, 100*time.Millisecond)); !errors.Is(err, actor.ErrStuck) {
		t.Errorf("Stop: %v", err)
	}
	select {
	case <-next:
		t.Error("another one begins while it is stuck")
	default:
	}
	close(free)
	freed := time.Now()
	if after := <-next; after <= fence {
		t.Errorf("number %d after %d", after, fence)
	}
	if took := spent(freed, time.Now()); took > 2*time.Second {
		t.Errorf("when it has ended at last, somebody takes over after %v", took)
	}
}

// What was accepted and not received is worked off by a drain, else reported.
func TestSingletonLeftovers(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{JetStream: true})
	for _, drain := range []bool{false, true} {
		left := make(chan error, 3)
		n := join(t, s, cluster.Config{Undelivered: func(name string, msg any, err error) {
			if _, ok := msg.(item); !ok || name != "clerk" {
				t.Errorf("undelivered: %T for %q", msg, name)
			}
			left <- err
		}})
		done := make(chan int, 3)
		going := make(chan struct{})
		elect(t, n, "clerk", func(ctx context.Context, in *actor.Inbox[item]) error {
			<-going
			return in.Serve(ctx, func(_ context.Context, m item) error {
				done <- m.N
				return nil
			})
		})
		clerk := cluster.Lookup[item](n, "clerk")
		for i := range 3 {
			eventually(t, "a message is accepted", func() bool { return clerk.Send(t.Context(), item{N: i}) == nil })
		}
		ended := make(chan error, 1)
		go func() {
			if drain {
				ended <- n.Drain(within(t, 5*time.Second))
			} else {
				ended <- n.Close()
			}
		}()
		eventually(t, "it is exposed no more", func() bool { return len(clerk.Nodes()) == 0 })
		close(going)
		if err := <-ended; err != nil {
			t.Error(err)
		}
		for range 3 {
			if drain {
				<-done
			} else if err := <-left; !errors.Is(err, cluster.ErrNotDelivered) {
				t.Errorf("undelivered: %v", err)
			}
		}
	}
}

// What cannot be a singleton is refused at once; that there is no store is not.
func TestSingletonRefused(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{})
	var logged log
	n := join(t, s, cluster.Config{Logger: logged.logger()})
	body := tellWhere(n)
	if _, err := cluster.Singleton(t.Context(), n, "a*", body); !errors.Is(err, cluster.ErrBadName) {
		t.Errorf("a bad name: %v", err)
	}
	if _, err := cluster.Singleton(t.Context(), n, "a", func(context.Context, *actor.Inbox[interface{ nobody() }]) error { return nil }); !errors.Is(err, cluster.ErrUnregistered) {
		t.Errorf("an interface that is not registered: %v", err)
	}
	_, addr := spawn(t, actor.Config{}, func(context.Context, where) error { return nil })
	if err := cluster.Expose(t.Context(), n, "a", addr); err != nil {
		t.Fatal(err)
	}
	if _, err := cluster.Singleton(t.Context(), n, "a", body); err == nil {
		t.Error("a name that is exposed is taken")
	}
	c := elect(t, n, "b", body)
	if _, err := cluster.Singleton(t.Context(), n, "b", body); err == nil {
		t.Error("a second candidate of one node is taken")
	}
	if _, err := c.Stop(within(t, 2*time.Second)); err != nil {
		t.Error(err)
	}
	elect(t, n, "b", body)
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	if _, err := cluster.Singleton(t.Context(), n, "c", body); !errors.Is(err, cluster.ErrNodeClosed) {
		t.Errorf("on a closed node: %v", err)
	}
	if cluster.Fence(t.Context()) != 0 {
		t.Error("a fencing number without a lease")
	}
}

// Nobody holds a lease in a bucket that forgets what is held.
func TestSingletonUnfit(t *testing.T) {
	t.Parallel()
	for what, cfg := range map[string]jetstream.KeyValueConfig{
		"forgets what is older than 1m0s": {TTL: time.Minute, LimitMarkerTTL: time.Minute},
		"kept in memory":                  {Storage: jetstream.MemoryStorage, LimitMarkerTTL: time.Minute},
		"no records that expire":          {},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := start(t, embedded.Config{JetStream: true})
			cfg.Bucket = "tinyactor-leases"
			if _, err := manage(t, s).CreateKeyValue(t.Context(), cfg); err != nil {
				t.Fatal(err)
			}
			var logged log
			n := join(t, s, cluster.Config{Logger: logged.logger()})
			elect(t, n, "boss", func(context.Context, *actor.Inbox[where]) error {
				t.Error("it begins")
				return nil
			})
			eventually(t, "it says why it does not begin", func() bool { return logged.has(what) })
		})
	}
}
