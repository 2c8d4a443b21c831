package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// task is a message with an ID, and with a key that orders those that have the
// same.
type task struct {
	Key string
	N   int
}

func (t task) MessageID() string { return fmt.Sprint(t.Key, ".", t.N) }

// keyedTask is one with an order.
type keyedTask struct{ task }

func (t keyedTask) OrderKey() string { return t.Key }

// taskInbox is how all nodes of the tests with processes open both inboxes.
var taskInbox = cluster.DurableConfig{AckWait: time.Second, Backoff: 50 * time.Millisecond, Attempts: 50}

// handleJobs is what a child does with durable inboxes: each message's effect is a
// file of its ID, which is made once; and each handling is a line in a common file.
func handleJobs(ctx context.Context, node *cluster.Node, folder string) error {
	log, err := os.OpenFile(filepath.Join(folder, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	handle := func(kind string, ctx context.Context, t task) error {
		time.Sleep(time.Millisecond)
		if t.N%50 == 7 && cluster.Attempt(ctx) == 1 {
			return errors.New("not at the first attempt")
		}
		f, err := os.OpenFile(filepath.Join(folder, kind+"-"+t.MessageID()), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		switch {
		case err == nil:
			f.Close()
		case !errors.Is(err, os.ErrExist): // else it has been done before
			return err
		}
		_, err = fmt.Fprintln(log, kind, t.Key, t.N, cluster.Attempt(ctx)) // one write
		return err
	}
	within, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tasks, err1 := cluster.OpenDurable[task](within, node, "tasks", taskInbox)
	keyed, err2 := cluster.OpenDurable[keyedTask](within, node, "keyed", taskInbox)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	tasks.Spawn(ctx, actor.Config{Name: "tasks"}, 4, func(ctx context.Context, t task) error { return handle("task", ctx, t) })
	keyed.Spawn(ctx, actor.Config{Name: "keyed"}, 4, func(ctx context.Context, t keyedTask) error { return handle("keyed", ctx, t.task) })
	return nil
}

// TestFaultsDurable sends without pause to durable inboxes whose messages three
// nodes handle, each a process of its own, while these are killed, frozen and
// drained. Every message stored must be handled, each effect happen once, and the
// messages of a key be handled in order. With more than one round, the processes
// have the servers too that keep the messages.
func TestFaultsDurable(t *testing.T) {
	t.Parallel()
	t.Run("nodes", func(t *testing.T) {
		t.Parallel()
		faultsDurable(t, 1, false)
	})
	if *faultRounds > 1 {
		t.Run("servers", func(t *testing.T) {
			faultsDurable(t, *faultRounds, true)
		})
	}
}

func faultsDurable(t *testing.T, rounds int, servers bool) {
	folder := t.TempDir()
	routes := free(t, 4)
	parent := embedded.Config{Name: "parent", Listen: "127.0.0.1:0", JetStream: true, Store: t.TempDir()}
	if servers {
		parent.Route, parent.Routes = routes[3], routes
	}
	s := start(t, parent)
	var children []*child
	var starting sync.WaitGroup
	for i := range 3 {
		name := string(rune('a' + i))
		c := &child{t: t, cfg: childConfig{Name: name, Log: t.TempDir() + "/" + name, Inbox: folder, URL: s.Server().ClientURL()}}
		if servers {
			c.cfg.Route, c.cfg.Routes, c.cfg.Store, c.cfg.URL = routes[i], routes, t.TempDir(), ""
		}
		children = append(children, c)
		starting.Go(c.run) // they may need each other to begin
		t.Cleanup(c.kill)
	}
	node := join(t, s, cluster.Config{Name: "parent"})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tasks, err1 := cluster.OpenDurable[task](ctx, node, "tasks", taskInbox)
	keyed, err2 := cluster.OpenDurable[keyedTask](ctx, node, "keyed", taskInbox)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	starting.Wait()

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var senders sync.WaitGroup
	var sent, unknown atomic.Int64
	counts := make(map[string]*int)
	sender := func(kind string, send func(ctx context.Context, n int) error) {
		n := new(int)
		counts[kind] = n
		senders.Go(func() {
			pace := time.NewTicker(5 * time.Millisecond)
			defer pace.Stop()
			for ctx.Err() == nil {
				<-pace.C
				// Until it is known to be stored, it is sent again, with the same ID.
				for {
					try, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
					err := send(try, *n)
					cancel()
					if err == nil {
						break
					}
					if errors.Is(err, cluster.ErrUnknown) {
						unknown.Add(1)
					} else if !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("send: %v", err)
						return
					}
				}
				*n++
				sent.Add(1)
			}
		})
	}
	for g := range 6 {
		key := fmt.Sprint("k", g)
		sender("task "+key, func(ctx context.Context, n int) error { return tasks.Send(ctx, task{key, n}) })
		sender("keyed "+key, func(ctx context.Context, n int) error { return keyed.Send(ctx, keyedTask{task{key, n}}) })
	}
	js := manage(t, s)
	waiting := func() (n uint64) {
		for _, name := range []string{"tinyactor=tasks", "tinyactor=keyed"} {
			st, err := js.Stream(t.Context(), name)
			if err != nil { // it has no leader
				return 1
			}
			n += st.CachedInfo().State.Msgs
		}
		return n
	}
	goOn := func(what string) {
		t.Helper()
		before, begun := sent.Load(), time.Now()
		patiently(t, what+": 300 more are stored", func() bool { return sent.Load() >= before+300 })
		t.Logf("%s: 300 more are stored after %v", what, time.Since(begun).Round(time.Millisecond))
	}
	goOn("at first")
	for range rounds {
		if servers { // the server that leads the messages' stream is killed
			for who := ""; ; node.Conn().Request("$JS.API.STREAM.LEADER.STEPDOWN.tinyactor=tasks", nil, 5*time.Second) {
				who = leader(t, js, "tinyactor=tasks")
				if i := slices.IndexFunc(children, func(c *child) bool { return c.cfg.Name == who }); i >= 0 {
					children[0], children[i] = children[i], children[0]
					break
				}
			}
		}
		children[0].kill()
		goOn("kill -9")
		children[0].run()
		children[1].signal(syscall.SIGSTOP)
		goOn("SIGSTOP")
		children[1].signal(syscall.SIGCONT)
		goOn("SIGCONT")
		children[2].drain()
		goOn("drain")
		children[2].run()
	}
	stop()
	senders.Wait()
	patiently(t, "all are handled", func() bool { return waiting() == 0 })
	checkTasks(t, folder, counts)
	aside := 0
	for a, err := range tasks.Aside(t.Context()) {
		t.Errorf("set aside: %+v, %v", a, err)
		aside++
	}
	fmt.Printf("%d messages sent, %d times without knowing, %s, %d set aside\n", sent.Load(), unknown.Load(), handledTasks(t, folder), aside)
}

// leader returns which server leads a stream.
func leader(t testing.TB, js jetstream.JetStream, name string) (who string) {
	t.Helper()
	patiently(t, "a leader", func() bool {
		st, err := js.Stream(t.Context(), name)
		if err == nil {
			who = st.CachedInfo().Cluster.Leader
		}
		return who != ""
	})
	return who
}

// patiently waits for a state that may need a new leader of a stream, or two.
func patiently(t testing.TB, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	over := time.After(time.Minute)
	for !is() {
		select {
		case <-tick.C:
		case <-over:
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// handling is a line of the log.
type handling struct {
	kind       string
	n, attempt int
}

func readTasks(t *testing.T, folder string) (all []handling) {
	text, err := os.ReadFile(filepath.Join(folder, "log"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var h handling
		var key string
		if _, err := fmt.Sscan(line, &h.kind, &key, &h.n, &h.attempt); err != nil {
			t.Fatal(err)
		}
		h.kind += " " + key
		all = append(all, h)
	}
	return all
}

func handledTasks(t *testing.T, folder string) string {
	all := readTasks(t, folder)
	again := 0
	for _, h := range all {
		if h.attempt > 1 {
			again++
		}
	}
	if again == 0 {
		t.Error("nothing was handed out again: has anything failed?")
	}
	return fmt.Sprintf("%d handled, %d of them handed out again", len(all), again)
}

// checkTasks compares what was stored with what was done.
func checkTasks(t *testing.T, folder string, counts map[string]*int) {
	first := make(map[string][]int) // the order of the first handling of each
	seen := make(map[string]bool)
	for _, h := range readTasks(t, folder) {
		if id := fmt.Sprint(h.kind, h.n); !seen[id] {
			seen[id] = true
			first[h.kind] = append(first[h.kind], h.n)
		}
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	want := 1 // the log
	for kind, n := range counts {
		want += *n
		got := first[kind]
		if len(got) != *n {
			t.Errorf("%s: %d were stored, and %d handled", kind, *n, len(got))
		}
		if strings.HasPrefix(kind, "keyed") && !slices.IsSorted(got) {
			t.Errorf("%s: handled in the order %v", kind, got)
		}
	}
	if len(files) != want {
		t.Errorf("%d effects, want %d", len(files)-1, want-1)
	}
}
