package embedded_test

import (
	"context"
	"errors"
	"slices"
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

// Kinds of frames: see wire.go.
const (
	frameBeat   = 1
	frameData   = 3
	frameCancel = 5
	frameState  = 6
	frameAnswer = 7
)

// relayed returns two nodes on a server each. What they say to each other passes the
// given function, on one goroutine for each direction: it may change a frame, and
// what it says to lose is lost.
func relayed(t testing.TB, here, there cluster.Config, lose func(m *nats.Msg) bool) (*cluster.Node, *cluster.Node) {
	t.Helper()
	servers := [2]*embedded.Server{start(t, embedded.Config{}), start(t, embedded.Config{})}
	var ends [2]*nats.Conn
	for i, s := range servers {
		ends[i] = connect(t, s, nats.NoEcho())
	}
	for i, nc := range ends {
		if _, err := nc.Subscribe("tinyactor.>", func(m *nats.Msg) {
			if len(m.Data) > 2 && !lose(m) {
				ends[1-i].PublishRequest(m.Subject, m.Reply, m.Data)
			}
		}); err != nil {
			t.Fatal(err)
		}
		if err := nc.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	here.Name, there.Name = "here", "there"
	return join(t, servers[0], here), join(t, servers[1], there)
}

// distant returns a server that keeps nothing by itself: what its clients ask of the
// storage, another server answers, as long as the storage is not away.
func distant(t testing.TB) (s *embedded.Server, away *atomic.Bool) {
	t.Helper()
	s, away = start(t, embedded.Config{}), new(atomic.Bool)
	asking, storing := connect(t, s, nats.NoEcho()), connect(t, start(t, embedded.Config{JetStream: true}), nats.NoEcho())
	for _, way := range []struct {
		from, to *nats.Conn
		subjects []string
	}{
		{asking, storing, []string{"$JS.>", "$KV.>"}},
		{storing, asking, []string{"_INBOX.>"}},
	} {
		for _, subject := range way.subjects {
			if _, err := way.from.Subscribe(subject, func(m *nats.Msg) {
				if !away.Load() {
					way.to.PublishMsg(&nats.Msg{Subject: m.Subject, Reply: m.Reply, Header: m.Header, Data: m.Data})
				}
			}); err != nil {
				t.Fatal(err)
			}
		}
		if err := way.from.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	return s, away
}

// A message that was refused does not count as accepted because the frame that says
// so was lost, and the exposure has ended.
func TestEndTellsRefusals(t *testing.T) {
	t.Parallel()
	var armed atomic.Bool
	here, there := relayed(t, cluster.Config{Codec: renamed{}}, cluster.Config{}, func(m *nats.Msg) bool {
		return armed.Load() && m.Data[1] == frameState
	})
	_, addr := spawn(t, actor.Config{}, func(context.Context, narrow) error { return nil })
	ctx, withdraw := context.WithCancel(t.Context())
	if err := cluster.Expose(ctx, there, "narrow", addr); err != nil {
		t.Fatal(err)
	}
	to := cluster.Lookup[narrow](here, "narrow")
	eventually(t, "it is found", func() bool { return len(to.Nodes()) == 1 })
	armed.Store(true)
	outcome := make(chan error, 1)
	go func() { outcome <- to.Send(t.Context(), narrow{1}) }()
	eventually(t, "it is refused", func() bool { return there.Stats().Mismatch == 1 })
	withdraw()
	err := <-outcome
	wantErr(t, err, cluster.ErrNotFound)
	if errors.Is(err, cluster.ErrUnknown) || here.Stats().Accepted > 0 {
		t.Errorf("%v; %+v", err, here.Stats())
	}
}

// A node that drains waits for nobody who has nothing more to say: not if the last
// word was lost, nor if a link was never seen to be open.
func TestDrainForgotten(t *testing.T) {
	t.Parallel()
	for what, lost := range map[string]func(m *nats.Msg, draining bool) bool{
		"the last packet":   func(m *nats.Msg, _ bool) bool { return m.Data[1] == frameData && m.Data[10]&2 != 0 },
		"the first answers": func(m *nats.Msg, draining bool) bool { return m.Data[1] == frameState && !draining },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			var draining atomic.Bool
			var losses atomic.Int32
			here, there := relayed(t, cluster.Config{}, cluster.Config{}, func(m *nats.Msg) bool {
				if m.Data[1] == frameBeat && m.Data[3+m.Data[2]]&2 != 0 {
					draining.Store(true)
				}
				is := lost(m, draining.Load())
				if is {
					losses.Add(1)
				}
				return is
			})
			_, addr := spawn(t, actor.Config{}, func(context.Context, int) error { return nil })
			expose(t, there, "x", addr)
			to := cluster.Lookup[int](here, "x")
			eventually(t, "there is a link", func() bool { return losses.Load() > 0 || len(to.Nodes()) == 1 })
			if err := there.Drain(within(t, 10*time.Second)); err != nil {
				t.Error(err)
			}
			if losses.Load() == 0 {
				t.Error("nothing was lost")
			}
		})
	}
}

// A frame that acknowledges what was never sent is refused.
func TestBogusAcknowledgement(t *testing.T) {
	t.Parallel()
	var armed atomic.Bool
	here, there := relayed(t, cluster.Config{}, cluster.Config{}, func(m *nats.Msg) bool {
		if m.Data[1] == frameState && armed.CompareAndSwap(true, false) {
			m.Data = slices.Concat(m.Data[:10], []byte{1, 100, 100, 0, 100, 1, 1, 2, 0}) // and refuses the first, to move it
		}
		return false
	})
	_, addr := spawn(t, actor.Config{}, func(context.Context, int) error { return nil })
	expose(t, there, "x", addr)
	to := cluster.Lookup[int](here, "x")
	eventually(t, "it is found", func() bool { return len(to.Nodes()) == 1 })
	armed.Store(true)
	for n := range 3 {
		if err := to.Send(within(t, 10*time.Second), n); err != nil {
			t.Error(err)
		}
	}
	if n := here.Stats().Malformed; n != 1 {
		t.Errorf("%d frames are counted as malformed", n)
	}
}

// TrySend of a message that the network has lost does not wait for room when it is
// sent again.
func TestTrySendAgain(t *testing.T) {
	t.Parallel()
	var armed atomic.Bool
	lost := make(chan struct{})
	here, there := relayed(t, cluster.Config{}, cluster.Config{}, func(m *nats.Msg) bool {
		if m.Data[1] == frameData && armed.CompareAndSwap(true, false) {
			close(lost)
			return true
		}
		return false
	})
	addr := lazy(t, 4)
	expose(t, there, "x", addr)
	to := cluster.Lookup[int](here, "x")
	eventually(t, "it is found", func() bool { return len(to.Nodes()) == 1 })
	armed.Store(true)
	outcome := make(chan error, 1)
	go func() { outcome <- to.TrySend(0) }()
	<-lost
	for n := range 5 {
		if err := addr.Send(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case err := <-outcome:
		wantErr(t, err, actor.ErrFull)
	case <-time.After(10 * time.Second):
		t.Error("TrySend waits")
	}
}

// An ask that is under way when its actor is exposed no more is still cared for: its
// asker may give up, its node waits for the answer, and misses it.
func TestAskOfHidden(t *testing.T) {
	t.Parallel()
	type setup struct {
		node    *cluster.Node
		addr    *actor.Address[item]
		ended   chan error // of the handler's context
		release chan struct{}
		giveUp  context.CancelFunc
		outcome chan error
		lose    func()
		beats   atomic.Int32 // of the node
	}
	ask := func(t *testing.T) *setup {
		var losing atomic.Bool
		s := &setup{ended: make(chan error, 1), release: make(chan struct{}), outcome: make(chan error, 1)}
		here, there := relayed(t, cluster.Config{Beat: 100 * time.Millisecond}, cluster.Config{Beat: 100 * time.Millisecond}, func(m *nats.Msg) bool {
			if m.Data[1] == frameBeat && strings.Contains(m.Reply, "there-") {
				s.beats.Add(1)
			}
			return losing.Load() && m.Data[1] == frameAnswer
		})
		s.node = there
		asked := make(chan struct{})
		_, addr := spawn(t, actor.Config{}, func(_ context.Context, m item) error {
			close(asked)
			select {
			case <-m.Context().Done():
				s.ended <- m.Context().Err()
			case <-s.release:
				m.Answer(m.N+1, nil)
			}
			return nil
		})
		s.addr = addr
		ctx, withdraw := context.WithCancel(t.Context())
		if err := cluster.Expose(ctx, there, "x", addr); err != nil {
			t.Fatal(err)
		}
		to := cluster.Lookup[item](here, "x")
		var asker context.Context
		asker, s.giveUp = context.WithCancel(t.Context())
		go func() {
			_, err := actor.Ask(asker, to, func(r actor.Reply[int]) item { return item{r, 1} })
			s.outcome <- err
		}()
		<-asked
		s.lose = func() { losing.Store(true) }
		withdraw()
		eventually(t, "it is exposed no more", func() bool { return len(to.Nodes()) == 0 })
		more := s.beats.Load() + 6
		eventually(t, "and has not been for long", func() bool { return s.beats.Load() > more })
		return s
	}
	got := func(t *testing.T, what string, c chan error) error {
		t.Helper()
		select {
		case err := <-c:
			return err
		case <-time.After(10 * time.Second):
			t.Fatal("not within 10 s: " + what)
			return nil
		}
	}
	t.Run("asker gives up", func(t *testing.T) {
		t.Parallel()
		s := ask(t)
		s.giveUp()
		wantErr(t, got(t, "the handler's context ends", s.ended), context.Canceled)
	})
	t.Run("node drains", func(t *testing.T) {
		t.Parallel()
		s := ask(t)
		drained := make(chan error, 1)
		go func() { drained <- s.node.Drain(within(t, 20*time.Second)) }()
		eventually(t, "it drains", func() bool {
			return errors.Is(cluster.Expose(t.Context(), s.node, "late", s.addr), cluster.ErrNodeClosed)
		})
		close(s.release)
		if err := got(t, "the answer", s.outcome); err != nil {
			t.Error(err)
		}
		if err := got(t, "Drain", drained); err != nil {
			t.Error(err)
		}
	})
	t.Run("node closes", func(t *testing.T) {
		t.Parallel()
		s := ask(t)
		if err := s.node.Close(); err != nil {
			t.Error(err)
		}
		wantErr(t, got(t, "the handler's context ends", s.ended), context.Canceled)
		wantErr(t, got(t, "the outcome", s.outcome), cluster.ErrNodeClosed)
	})
	t.Run("answer is lost", func(t *testing.T) {
		t.Parallel()
		s := ask(t)
		s.lose()
		close(s.release)
		wantErr(t, got(t, "the outcome", s.outcome), cluster.ErrUnknown)
	})
}

// Close comes at any moment of everything, and twice: each returns when all is over,
// and nobody waits for good.
func TestCloseAmidst(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{})
	for round := range 20 {
		here, there := join(t, s, cluster.Config{}), join(t, s, cluster.Config{})
		var all sync.WaitGroup
		ready := make(chan struct{}, 4)
		for i, n := range []*cluster.Node{here, there} {
			_, addr := spawn(t, actor.Config{}, func(_ context.Context, m item) error {
				m.Answer(0, nil)
				return nil
			})
			all.Go(func() {
				for k := 0; ; k++ {
					ctx, withdraw := context.WithCancel(t.Context())
					err := cluster.Expose(ctx, n, "x", addr)
					if stop, werr := cluster.Watch(n, "y", addr, func(cluster.End) item { return item{} }); werr == nil {
						stop()
					}
					if k == round%3 {
						ready <- struct{}{}
					}
					cluster.Lookup[item](n, "x").Send(t.Context(), item{})
					withdraw()
					if errors.Is(err, cluster.ErrNodeClosed) {
						return
					}
				}
			})
			all.Go(func() {
				for k := 0; ; k++ {
					to := cluster.Lookup[item](n, "x")
					err := to.Async().Send(t.Context(), item{})
					if !errors.Is(err, cluster.ErrNodeClosed) {
						_, err = actor.Ask(t.Context(), to, func(r actor.Reply[int]) item { return item{Reply: r} })
					}
					if k == round {
						ready <- struct{}{}
					}
					if i == 0 && errors.Is(err, cluster.ErrNodeClosed) && errors.Is(to.TrySend(item{}), cluster.ErrNodeClosed) {
						return
					}
					if i == 1 && errors.Is(err, cluster.ErrNodeClosed) {
						return
					}
				}
			})
		}
		for range 2 + round%3 {
			<-ready
		}
		go func() { // the rest of it, as nobody waits any more
			for range ready {
			}
		}()
		for _, n := range []*cluster.Node{there, there, here, here} {
			all.Go(func() {
				if err := n.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		close(ready)
	}
}

// A second Close waits for the first.
func TestCloseTwice(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{})
	reporting, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var reported atomic.Bool
	here := join(t, s, cluster.Config{Undelivered: func(string, any, error) {
		once.Do(func() {
			close(reporting)
			<-release
			reported.Store(true)
		})
	}})
	_, addr := spawn(t, actor.Config{Capacity: actor.Bounded(1), Undelivered: func(any) {}}, func(context.Context, int) error {
		<-release
		return nil
	})
	expose(t, join(t, s, cluster.Config{}), "x", addr)
	to := cluster.Lookup[int](here, "x")
	eventually(t, "it is found", func() bool { return len(to.Nodes()) == 1 })
	for n := range 2 { // others take the room for which it has credit
		if err := addr.Send(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	if err := to.Async().Send(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	var closers sync.WaitGroup
	closers.Go(func() { here.Close() })
	select {
	case <-reporting:
	case <-time.After(10 * time.Second):
		t.Fatal("nothing is reported")
	}
	closers.Go(func() {
		here.Close()
		if !reported.Load() {
			t.Error("the second Close returns before the first is done")
		}
	})
	close(release)
	closers.Wait()
}
