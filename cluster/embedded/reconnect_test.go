package embedded_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// The one server goes and comes back, under load. The nodes find each other again,
// and what was under way is accounted for.
func TestServerRestarts(t *testing.T) {
	t.Parallel()
	listen := free(t, 1)[0]
	var s *embedded.Server
	run := func() {
		var err error
		if s, err = embedded.Start(embedded.Config{Listen: listen}); err != nil {
			t.Fatal(err)
		}
	}
	run()
	defer func() { s.Close() }()
	restarts(t, "nats://"+listen, func() { s.Close() }, run)
}

// The same with one that is killed.
func TestExternalServerRestarts(t *testing.T) {
	t.Parallel()
	s := serve(t)
	restarts(t, s.url(), s.kill, s.run)
}

func restarts(t *testing.T, url string, end, run func()) {
	books := newLedger()
	node := func(name string) *cluster.Node {
		nc, err := nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond), nats.ReconnectJitter(0, 0))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		n, err := cluster.Join(t.Context(), nc, cluster.Config{
			Name: name, Beat: 100 * time.Millisecond, Lost: 400 * time.Millisecond, Find: 100 * time.Millisecond,
			Undelivered: books.report, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { n.Close() })
		return n
	}
	here, there := node("here"), node("there")
	var mu sync.Mutex
	handled := make(map[int]int)
	_, addr := spawn(t, actor.Config{Capacity: actor.Bounded(64)}, func(_ context.Context, m item) error {
		mu.Lock()
		handled[m.N]++
		mu.Unlock()
		m.Answer(m.N, nil)
		return nil
	})
	expose(t, there, "work", addr)
	work := cluster.Lookup[item](here, "work")
	eventually(t, "it is found", func() bool { return len(work.Nodes()) == 1 })

	var stop atomic.Bool
	var senders sync.WaitGroup
	for i := range 6 {
		senders.Go(func() {
			for !stop.Load() {
				n := int(books.next.Add(1))
				var err error
				switch i % 3 {
				case 0:
					err = work.Send(context.Background(), item{N: n})
				case 1:
					err = work.Async().Send(context.Background(), item{N: n})
				case 2:
					_, err = actor.Ask(context.Background(), work, func(r actor.Reply[int]) item { return item{r, n} })
				}
				books.note(n, err)
			}
		})
	}
	works := func() bool {
		before := here.Stats().Accepted
		eventually(t, "messages are accepted", func() bool { return here.Stats().Accepted > before+100 })
		return true
	}
	for range 2 {
		works()
		end()
		eventually(t, "the nodes are lost to each other", func() bool { return len(work.Nodes()) == 0 })
		run()
		eventually(t, "they have found each other", func() bool { return len(work.Nodes()) == 1 })
	}
	works()
	stop.Store(true)
	senders.Wait()
	if err := here.Drain(within(t, 10*time.Second)); err != nil {
		t.Error(err)
	}
	eventually(t, "what the actor has accepted is handled", func() bool {
		mu.Lock()
		defer mu.Unlock()
		left := int(there.Stats().Received)
		for _, n := range handled {
			left -= n
		}
		return left == 0
	})
	mu.Lock()
	defer mu.Unlock()
	unknown, refused := 0, 0
	for n := 1; n <= int(books.next.Load()); n++ {
		err, was := books.said[n], handled[n]
		if err == nil {
			err = books.reported[n]
		}
		maybe := errors.Is(err, cluster.ErrUnknown) || errors.Is(err, actor.ErrNoReply)
		switch {
		case maybe && was <= 1:
			unknown++
		case err == nil && was == 1:
		case err != nil && was == 0:
			refused++
		default:
			t.Errorf("message %d: said %v, reported %v, handled %d times", n, books.said[n], books.reported[n], was)
		}
	}
	t.Logf("%d messages, %d refused, %d unknown; %+v", books.next.Load(), refused, unknown, there.Stats())
}
