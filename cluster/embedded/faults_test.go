package embedded_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tinyactor/actor"
	"tinyactor/cluster"
)

var faultRounds = flag.Int("faults.n", 1, "rounds of TestFaults: in each a node is killed, one frozen, one drained")

// ledger is the account of every message by its number.
type ledger struct {
	mu       sync.Mutex
	said     map[int]error // what Send or Ask returned
	reported map[int]error // what Config.Undelivered got
	slowest  time.Duration // of the asks
	twice    int           // reported twice
	next     atomic.Int64
	flying   atomic.Int64
}

func newLedger() *ledger { return &ledger{said: map[int]error{}, reported: map[int]error{}} }

func (l *ledger) note(n int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said[n] = err
}

func (l *ledger) report(_ string, msg any, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := msg.(item).N
	if l.reported[n] != nil {
		l.twice++
	}
	l.reported[n] = err
}

// load is senders that send to a pool without pause.
type load struct {
	t     testing.TB
	work  *cluster.Remote[item]
	nodes int
	books *ledger
	stop  func() // and waits for them
}

// load begins to send, once there are so many nodes in the pool.
func (l *ledger) load(t testing.TB, node *cluster.Node, nodes int) *load {
	t.Helper()
	work := cluster.Lookup[item](node, "work")
	ctx, cancel := context.WithCancel(t.Context())
	var senders sync.WaitGroup
	stop := func() {
		cancel()
		senders.Wait()
	}
	load := &load{t, work, nodes, l, stop}
	load.full()
	sender := func(send func(n int) error) {
		senders.Go(func() {
			pace := time.NewTicker(time.Millisecond)
			defer pace.Stop()
			for ctx.Err() == nil {
				<-pace.C
				for range 10 {
					n := int(l.next.Add(1))
					l.flying.Add(1)
					l.note(n, send(n))
					l.flying.Add(-1)
				}
			}
		})
	}
	for range 4 {
		sender(func(n int) error { return work.Send(context.Background(), item{N: n}) })
	}
	for range 2 {
		sender(func(n int) error { return work.Async().Send(context.Background(), item{N: n}) })
	}
	for range 4 {
		sender(func(n int) error {
			begun := time.Now()
			v, err := actor.Ask(context.Background(), work, func(r actor.Reply[int]) item { return item{r, n} })
			took := spent(begun, time.Now())
			l.mu.Lock()
			l.slowest = max(l.slowest, took)
			l.mu.Unlock()
			if err == nil && v != 2*n {
				t.Errorf("Ask of %d was answered with %d", n, v)
			}
			return err
		})
	}
	return load
}

// gone waits until a child is out of the pool.
func (l *load) gone(what string, c *child) {
	l.t.Helper()
	l.t.Logf("%s: %d calls under way", what, l.books.flying.Load())
	id := c.id
	begun := time.Now()
	eventually(l.t, what+": the node is out of the pool", func() bool { return !slices.Contains(l.work.Nodes(), id) })
	l.t.Logf("%s: out of the pool after %v", what, time.Since(begun).Round(time.Millisecond))
}

// settle ends the load and the nodes, and checks that each message is accounted for.
func (l *load) settle(node *cluster.Node, children []*child) {
	l.stop()
	for _, c := range children {
		c.drain()
	}
	if err := node.Drain(within(l.t, 10*time.Second)); err != nil {
		l.t.Error(err)
	}
	l.books.check(l.t, children)
}

// full waits until all nodes are in the pool.
func (l *load) full() {
	l.t.Helper()
	eventually(l.t, "all nodes in the pool", func() bool { return len(l.work.Nodes()) == l.nodes })
}

// TestFaults sends without pause to a pool on three nodes, each a process of its
// own, while these are killed, frozen and drained. Then every message must be
// accounted for by its number.
func TestFaults(t *testing.T) {
	t.Parallel()
	s, children := processes(t, 3)
	books := newLedger()
	node := join(t, s, cluster.Config{Name: "parent", Undelivered: books.report})
	l := books.load(t, node, 3)
	for range *faultRounds {
		children[0].kill()
		l.gone("kill -9", children[0])
		children[0].run()
		l.full()
		children[1].signal(syscall.SIGSTOP)
		l.gone("SIGSTOP", children[1])
		children[1].signal(syscall.SIGCONT)
		l.full()
		children[2].drain()
		l.gone("drain", children[2])
		children[2].run()
		l.full()
	}
	l.settle(node, children)
	t.Logf("stats: %+v", node.Stats())
}

// What a killed node's actor had accepted is reported: what was in its inbox, and
// what it had in hand; not what it had dealt with.
func TestKilledInbox(t *testing.T) {
	t.Parallel()
	s, children := processes(t, 1)
	books := newLedger()
	node := join(t, s, cluster.Config{Name: "parent", Undelivered: books.report})
	work := cluster.Lookup[item](node, "work")
	ctx := within(t, 10*time.Second)
	for _, n := range []int{1, 2, 3, 4, 5, -1, 6, 7, 8} { // it hangs at -1
		if err := work.Send(ctx, item{N: n}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "it has come to -1", func() bool { return len(children[0].handled()) == 5 })
	if err := work.Async().Send(ctx, item{N: 9}); err != nil { // with its acknowledgement comes how far the actor is
		t.Fatal(err)
	}
	if err := work.Send(ctx, item{N: 10}); err != nil {
		t.Fatal(err)
	}
	children[0].kill()
	eventually(t, "the node is lost", func() bool { return len(node.Peers()) == 1 })
	if err := node.Drain(ctx); err != nil {
		t.Error(err)
	}
	for n := -1; n <= 10; n++ {
		err := books.reported[n]
		if n == 5 { // it is done with, but perhaps that has not been told
			continue
		}
		if want := n < 0 || n > 5; want != (err != nil) || err != nil && !(errors.Is(err, cluster.ErrUnknown) && errors.Is(err, cluster.ErrNodeLost)) {
			t.Errorf("message %d: reported %v", n, err)
		}
	}
}

// check compares what the senders know with what the children have noted.
func (l *ledger) check(t testing.TB, children []*child) {
	l.mu.Lock()
	defer l.mu.Unlock()
	handled := make(map[int]int)
	for _, c := range children {
		for _, n := range c.handled() {
			handled[n]++
		}
	}
	var delivered, back, unknown, wrong int
	bad := func(n int, what string) {
		if wrong++; wrong <= 10 {
			t.Errorf("message %d %s: said %v, reported %v, handled %d times", n, what, l.said[n], l.reported[n], handled[n])
		}
	}
	for n := 1; n <= int(l.next.Load()); n++ {
		err, was := l.said[n], handled[n]
		if err == nil {
			err = l.reported[n]
		} else if l.reported[n] != nil {
			bad(n, "is reported, though its sender was told")
		}
		switch {
		case was > 1:
			bad(n, "was handled more than once")
		case err == nil && was == 1:
			delivered++
		case err == nil:
			bad(n, "was lost silently")
		case errors.Is(err, cluster.ErrUnknown), errors.Is(err, actor.ErrNoReply):
			unknown++
		case was == 1:
			bad(n, "was handled, though the error says that it was not")
		default:
			back++
		}
	}
	if l.twice > 0 {
		t.Errorf("%d messages were reported twice", l.twice)
	}
	if l.slowest > 3*time.Second {
		t.Errorf("an Ask took %v", l.slowest)
	}
	fmt.Printf("%d messages: %d delivered, %d handed back, %d unknown; the slowest Ask took %v\n",
		l.next.Load(), delivered, back, unknown, l.slowest.Round(time.Millisecond))
	if unknown == 0 {
		t.Error("nothing was unknown: have the nodes been killed at all?")
	}
}
