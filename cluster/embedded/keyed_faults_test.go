package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// hostKeys hosts the keys of "keys". What their actors do goes to a file that
// several processes share, one line for each, and the numbers they handle to log.
func hostKeys(node *cluster.Node, path string, log *os.File) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return cluster.Keyed(node, "keys", func(key string) cluster.Actor[item] {
		return cluster.Actor[item]{
			Config: actor.Config{Capacity: actor.Bounded(8)},
			Idle:   300 * time.Millisecond,
			Run: func(ctx context.Context, in *actor.Inbox[item]) error {
				note := func(what string, n int) error { // one write, which outlives the process
					_, err := fmt.Fprintf(file, "%d %s %s %d %s %d\n", time.Now().UnixNano(), node.ID(), key, cluster.Fence(ctx), what, n)
					return err
				}
				if err := note("start", 0); err != nil {
					return err
				}
				defer note("stop", 0)
				return in.Serve(ctx, func(_ context.Context, m item) error {
					if m.N%8 == 0 {
						time.Sleep(time.Millisecond) // so that there is something in the inbox when it is killed
					}
					_, err := log.WriteString(strconv.Itoa(m.N) + "\n")
					err = errors.Join(err, note("item", m.N))
					m.Answer(2*m.N, err)
					return nil
				})
			},
		}
	})
}

// deed is a line of that file.
type deed struct {
	at    time.Time
	node  string
	key   string
	fence uint64
	what  string
	n     int
}

func deeds(t testing.TB, path string) (all []deed) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var d deed
		var at int64
		if _, err := fmt.Sscanf(line, "%d %s %s %d %s %d\n", &at, &d.node, &d.key, &d.fence, &d.what, &d.n); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		d.at = time.Unix(0, at)
		all = append(all, d)
	}
	return all
}

// run is one life of a key's actor.
type run struct {
	node       string
	fence      uint64
	start, end time.Time
}

// TestFaultsKeyed sends without pause to hundreds of keys on three nodes, each a
// process of its own, while these are killed, frozen and drained. Every message
// must be accounted for, the messages of each sender to each key be in order, and
// no key have two actors at a time, but for a node that was frozen.
func TestFaultsKeyed(t *testing.T) {
	t.Parallel()
	listen := free(t, 1)[0]
	s := start(t, embedded.Config{Listen: listen, JetStream: true})
	path := t.TempDir() + "/keys"
	var children []*child
	for i := range 3 {
		name := string(rune('a' + i))
		c := &child{t: t, cfg: childConfig{Name: name, URL: "nats://" + listen, Log: t.TempDir() + "/" + name, Keys: path}}
		c.run()
		t.Cleanup(c.kill)
		children = append(children, c)
	}
	books := &ledger{said: map[int]error{}, reported: map[int]error{}}
	node := join(t, s, cluster.Config{Name: "parent", Undelivered: books.report})
	keys := cluster.Lookup[item](node, "keys")
	eventually(t, "all nodes found", func() bool { return len(keys.Key("k").Nodes()) == 3 })

	const many = 300
	key := func(i int) *cluster.Remote[item] { return keys.Key(fmt.Sprint("k", i%many)) }
	var mu sync.Mutex
	from := map[int]int{} // by message: its sender
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var senders sync.WaitGroup
	const all = 8
	for id := range all {
		senders.Go(func() {
			pace := time.NewTicker(time.Millisecond)
			defer pace.Stop()
			for i := 37 * id; ctx.Err() == nil; i++ {
				<-pace.C
				for range 2 {
					n := int(books.next.Add(1))
					mu.Lock()
					from[n] = id
					mu.Unlock()
					books.flying.Add(1)
					var err error
					switch id % 4 {
					case 0, 1:
						err = key(i).Send(context.Background(), item{N: n})
					case 2:
						err = key(i).Async().Send(context.Background(), item{N: n})
					case 3:
						_, err = actor.Ask(context.Background(), key(i), func(r actor.Reply[int]) item { return item{r, n} })
					}
					books.note(n, err)
					books.flying.Add(-1)
				}
			}
		})
	}
	// served waits until every key has an actor again that answers.
	served := func(what string, within time.Duration) {
		t.Helper()
		begun := time.Now()
		stats := node.Stats()
		t.Logf("%s: %d calls under way, %d messages without acknowledgement", what, books.flying.Load(), stats.Sent-stats.Accepted-min(stats.Unknown+stats.HandedBack, stats.Sent-stats.Accepted))
		var group sync.WaitGroup
		for i := range many {
			group.Go(func() {
				for {
					n := int(books.next.Add(1))
					_, err := actor.Ask(ctx, key(i), func(r actor.Reply[int]) item { return item{r, n} })
					mu.Lock()
					from[n] = all + i
					mu.Unlock()
					books.note(n, err)
					if err == nil || ctx.Err() != nil {
						return
					}
				}
			})
		}
		group.Wait()
		took := spent(begun, time.Now())
		t.Logf("%s: all keys answer after %v", what, took.Round(time.Millisecond))
		if took > within {
			t.Errorf("%s: all keys answer after %v, want %v", what, took, within)
		}
	}
	served("start", 5*time.Second)
	frozen := children[1].id
	for range *faultRounds {
		children[0].kill()
		served("kill -9", 5*time.Second)
		children[0].run()
		children[1].signal(syscall.SIGSTOP)
		served("SIGSTOP", 5*time.Second)
		children[1].signal(syscall.SIGCONT)
		eventually(t, "the frozen node is back", func() bool { return slices.Contains(keys.Key("k").Nodes(), frozen) })
		children[2].drain()
		served("drain", 5*time.Second)
		children[2].run()
	}
	stop()
	senders.Wait()
	for _, c := range children {
		c.drain()
	}
	if err := node.Drain(within(t, 10*time.Second)); err != nil {
		t.Error(err)
	}
	books.slowest = 0 // an Ask to a key waits for its node's successor
	books.check(t, children)
	stats := node.Stats()
	t.Logf("stats: %+v", stats)
	if stats.HandedBack == 0 {
		t.Error("nothing was handed back: have the keys moved at all?")
	}

	runs := map[string][]*run{}
	last := map[string]map[int]int{}
	var worst time.Duration
	for _, d := range deeds(t, path) {
		mine := runs[d.key]
		i := slices.IndexFunc(mine, func(r *run) bool {
			return r.node == d.node && r.fence == d.fence && (r == mine[len(mine)-1] || d.node == frozen)
		})
		switch d.what {
		case "start":
			if k := len(mine) - 1; k >= 0 && d.node == frozen && d.fence < mine[k].fence { // it was frozen in its start
				runs[d.key] = slices.Insert(mine, k, &run{d.node, d.fence, d.at, d.at})
				worst = max(worst, d.at.Sub(runs[d.key][k+1].start))
				continue
			}
			mine = append(mine, &run{d.node, d.fence, d.at, d.at})
			runs[d.key] = mine
			if k := len(mine) - 1; k > 0 {
				before := mine[k-1]
				if d.fence < before.fence || d.fence == before.fence && d.node != before.node {
					t.Errorf("key %s starts on %s with fence %d, after %s with %d", d.key, d.node, d.fence, before.node, before.fence)
				}
			}
			continue
		case "item":
			if last[d.key] == nil {
				last[d.key] = map[int]int{}
			}
			sender := from[d.n]
			if before := last[d.key][sender]; before > d.n && books.said[d.n] == nil && books.reported[d.n] == nil {
				t.Errorf("key %s has got %d after %d", d.key, d.n, before)
			} else {
				last[d.key][sender] = max(before, d.n)
			}
		}
		if i < 0 {
			t.Errorf("key %s: %s on %s, where another actor has begun", d.key, d.what, d.node)
			continue
		}
		if r := mine[i]; r != mine[len(mine)-1] {
			worst = max(worst, d.at.Sub(mine[i+1].start))
		}
	}
	if worst > 15*time.Second {
		t.Errorf("the frozen node has gone on for %v", worst)
	}
	lives, moved := 0, 0
	for _, mine := range runs {
		lives += len(mine)
		for i := range mine[1:] {
			if mine[i].node != mine[i+1].node {
				moved++
			}
		}
	}
	fmt.Printf("%d keys: %d actors, %d moves; the last that an actor on the frozen node did came %v after its successor had begun\n",
		len(runs), lives, moved, worst.Round(time.Millisecond))
	if moved < 3 {
		t.Error("no key has moved")
	}
}
