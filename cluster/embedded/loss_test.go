package embedded_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// lose has the server lose some percent of what is published to a subject.
func lose(t testing.TB, s *embedded.Server, subject string, percent uint8) {
	t.Helper()
	account, err := s.Server().LookupAccount("$G")
	if err == nil {
		err = account.AddWeightedMappings(subject, server.NewMapDest(subject, 100-percent))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// lossy is two nodes under load, between which the network loses packets.
type lossy struct {
	t       *testing.T
	server  *embedded.Server
	here    *cluster.Node
	there   []*cluster.Node
	books   *ledger
	mu      sync.Mutex
	handled map[int]int
}

func newLossy(t *testing.T, nodes int) *lossy {
	l := &lossy{t: t, server: start(t, embedded.Config{}), books: newLedger(), handled: map[int]int{}}
	l.here = join(t, l.server, cluster.Config{Name: "here", Beat: 50 * time.Millisecond, Lost: 2 * time.Second, Undelivered: l.books.report})
	for range nodes {
		n := join(t, l.server, cluster.Config{Name: "there", Beat: 50 * time.Millisecond, Lost: 2 * time.Second})
		_, addr := spawn(t, actor.Config{Capacity: actor.Bounded(64)}, func(_ context.Context, m item) error {
			l.mu.Lock()
			l.handled[m.N]++
			l.mu.Unlock()
			m.Answer(2*m.N, nil)
			return nil
		})
		expose(t, n, "work", addr)
		l.there = append(l.there, n)
	}
	work := cluster.Lookup[item](l.here, "work")
	eventually(t, "all are found", func() bool { return len(work.Nodes()) == nodes })
	return l
}

// load sends in three ways, and then drains.
func (l *lossy) load(each int) {
	l.t.Helper()
	work := cluster.Lookup[item](l.here, "work")
	ctx := within(l.t, 20*time.Second)
	var senders sync.WaitGroup
	for i := range 9 {
		senders.Go(func() {
			for range each {
				n := int(l.books.next.Add(1))
				var err error
				switch i % 3 {
				case 0:
					err = work.Send(ctx, item{N: n})
				case 1:
					err = work.Async().Send(ctx, item{N: n})
				case 2:
					var v int
					if v, err = actor.Ask(ctx, work, func(r actor.Reply[int]) item { return item{r, n} }); err == nil && v != 2*n {
						l.t.Errorf("Ask of %d was answered with %d", n, v)
					}
				}
				l.books.note(n, err)
			}
		})
	}
	senders.Wait()
	if err := l.here.Drain(ctx); err != nil {
		l.t.Error(err)
	}
}

// check returns how many were accepted, how many were not, and of how many the
// answer was lost.
func (l *lossy) check() (delivered, back, unanswered int) {
	l.t.Helper()
	eventually(l.t, "what the actors have accepted is handled", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		left := 0
		for _, n := range l.there {
			left += int(n.Stats().Received)
		}
		for _, n := range l.handled {
			left -= n
		}
		return left == 0
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	for n := 1; n <= int(l.books.next.Load()); n++ {
		err, was := l.books.said[n], l.handled[n]
		if err == nil {
			err = l.books.reported[n]
		}
		switch {
		case err == nil && was == 1:
			delivered++
		case errors.Is(err, cluster.ErrNotDelivered) && was == 0:
			back++
		case errors.Is(err, cluster.ErrUnknown) && errors.Is(err, actor.ErrNoReply) && was == 1:
			unanswered++
		default:
			l.t.Errorf("message %d: said %v, reported %v, handled %d times", n, l.books.said[n], l.books.reported[n], was)
		}
	}
	return delivered, back, unanswered
}

// Packets of messages that the network loses are noticed by their numbers: what
// was in them certainly did not arrive, is counted, and is sent again, or handed
// back where the order of its sender could suffer.
func TestLostPackets(t *testing.T) {
	t.Parallel()
	l := newLossy(t, 1)
	lose(t, l.server, "tinyactor.node."+l.there[0].ID()+".in.work", 20)
	l.load(300)
	delivered, back, _ := l.check()
	here, there := l.here.Stats(), l.there[0].Stats()
	if there.Missing == 0 || here.HandedBack != there.Missing || back == 0 || here.Unknown > 0 {
		t.Errorf("%d delivered and %d handed back; the sender counts %+v, the receiver %+v", delivered, back, here, there)
	}
	if len(l.books.said) != delivered+back || int(here.Undelivered) != back {
		t.Errorf("%d of %d are handed back, %d are counted", back, len(l.books.said), here.Undelivered)
	}
	t.Logf("%d delivered, %d handed back, %d missing", delivered, back, there.Missing)
}

// The same to a pool.
func TestLostPacketsPool(t *testing.T) {
	t.Parallel()
	l := newLossy(t, 2)
	lose(t, l.server, "tinyactor.node."+l.there[0].ID()+".in.work", 20)
	l.load(300)
	l.check()
	if n := l.there[0].Stats().Missing; n == 0 {
		t.Error("nothing is missing")
	}
}

// What the nodes tell each other beside the messages may be lost as well: the
// next frame makes that good. Of a lost answer the asker is told.
func TestLostWords(t *testing.T) {
	t.Parallel()
	l := newLossy(t, 1)
	for _, n := range append(l.there, l.here) {
		lose(t, l.server, "tinyactor.node."+n.ID()+".ctl", 20)
	}
	lose(t, l.server, "tinyactor.beat", 20)
	l.load(100)
	delivered, back, unanswered := l.check()
	if back > 0 || unanswered == 0 || int(l.here.Stats().Unknown) != unanswered {
		t.Errorf("%d delivered, %d handed back, %d answers lost; %+v", delivered, back, unanswered, l.here.Stats())
	}
	t.Logf("%d delivered, %d answers lost", delivered, unanswered)
}

// A network that takes no bytes holds up a Send beyond its ctx as long as
// nats.FlusherTimeout says, and not longer.
func TestSendStuck(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{Listen: "127.0.0.1:0"})
	here, v := joinBy(t, s, cluster.Config{Logger: slog.New(slog.DiscardHandler)}, nats.MaxReconnects(-1), nats.FlusherTimeout(time.Second))
	_, addr := spawn(t, actor.Config{}, func(context.Context, string) error { return nil })
	expose(t, join(t, s, cluster.Config{}), "x", addr)
	to := cluster.Lookup[string](here, "x")
	eventually(t, "it is found", func() bool { return len(to.Nodes()) == 1 })
	v.stuck.Lock()
	t.Cleanup(v.stuck.Unlock)
	since := time.Now()
	text := strings.Repeat("x", 900_000) // thirty of which no socket buffers
	var all sync.WaitGroup
	for range 30 {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := to.Send(ctx, text); err == nil {
				t.Error("accepted, though nothing got through")
			}
		})
	}
	all.Wait()
	if took := spent(since, time.Now()); took > 5*time.Second {
		t.Errorf("they have returned after %v", took)
	}
}
