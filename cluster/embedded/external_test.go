package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"tinyactor/actor"
	"tinyactor/actortest"
	"tinyactor/cluster"
)

// Most tests run a server inside of a process. These run one as a process of its
// own: the program of nats-server's module, as it is installed elsewhere.

// natsServer builds it, once.
var natsServer = sync.OnceValues(func() (path string, err error) {
	if builtServer, err = os.MkdirTemp("", "tinyactor-nats-server-"); err != nil {
		return "", err
	}
	path = builtServer + "/nats-server"
	out, err := exec.Command("go", "build", "-o", path, "github.com/nats-io/nats-server/v2").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("go build nats-server: %w\n%s", err, out)
	}
	return path, err
})

// builtServer is the folder that TestMain removes.
var builtServer string

// external is a nats-server that is a process.
type external struct {
	t      testing.TB
	listen string
	args   []string

	cmd   *exec.Cmd
	stdin io.Closer
	log   string
}

// serve starts one with these arguments, beside those that say where it listens.
func serve(t testing.TB, args ...string) *external {
	t.Helper()
	s := &external{t: t, listen: free(t, 1)[0], args: args, log: t.TempDir() + "/log"}
	s.run()
	t.Cleanup(s.kill)
	return s
}

// run starts it, or starts it again, and waits until it takes connections. A
// shell is above it, and kills it when this process ends, however it does.
func (s *external) run() {
	s.t.Helper()
	path, err := natsServer()
	if err != nil {
		s.t.Fatal(err)
	}
	host, port, _ := strings.Cut(s.listen, ":")
	args := append([]string{"-c", `"$@" </dev/null & read line; kill -9 $!; wait`, "sh", path, "-a", host, "-p", port, "-l", s.log}, s.args...)
	s.cmd = exec.Command("sh", args...)
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	defer func() {
		if log, err := os.ReadFile(s.log); s.t.Failed() {
			s.t.Logf("the server's log: %v\n%s", err, log)
		}
	}()
	eventually(s.t, "the server takes connections", func() bool {
		nc, err := nats.Connect(s.url())
		if errors.Is(err, nats.ErrNoServers) {
			return false
		}
		if err == nil {
			nc.Close()
		}
		return true
	})
}

// kill ends it as kill -9 does.
func (s *external) kill() {
	s.stdin.Close()
	s.cmd.Wait() // it was killed
}

func (s *external) url() string { return "nats://" + s.listen }

// node joins by it.
func (s *external) node(cfg cluster.Config) *cluster.Node {
	s.t.Helper()
	nc, err := nats.Connect(s.url(), nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond), nats.ReconnectJitter(0, 0))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(nc.Close)
	cfg.Logger = slog.New(slog.DiscardHandler)
	n, err := cluster.Join(s.t.Context(), nc, cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { n.Close() })
	return n
}

// By an external server a remote address keeps the same promises.
func TestExternalSender(t *testing.T) {
	t.Parallel()
	s := serve(t)
	here, there := s.node(cluster.Config{Name: "here"}), s.node(cluster.Config{Name: "there"})
	var number atomic.Int64
	actortest.TestSender(t, func(to *actor.Address[actortest.Message]) actor.Sender[actortest.Message] {
		name := fmt.Sprint("conformance-", number.Add(1))
		expose(t, there, name, to)
		sender := cluster.Lookup[actortest.Message](here, name)
		eventually(t, "it is found", func() bool { return len(sender.Nodes()) == 1 })
		return sender
	})
}

// Nodes that are processes of their own, with one external server: a pool under
// load of which one is killed and one drained, watched.
func TestExternalPool(t *testing.T) {
	t.Parallel()
	s := serve(t)
	var children []*child
	for _, name := range []string{"a", "b", "c"} {
		c := &child{t: t, cfg: childConfig{Name: name, URL: s.url(), Log: t.TempDir() + "/" + name}}
		c.run()
		t.Cleanup(c.kill)
		children = append(children, c)
	}
	books := newLedger()
	node := s.node(cluster.Config{Name: "parent", Undelivered: books.report})
	w := watcher(t)
	w.watch(node, "mortal")
	l := books.load(t, node, 3)
	children[0].kill()
	l.gone("kill -9", children[0])
	wantErr(t, w.next(children[0].id), cluster.ErrNodeLost)
	children[0].run()
	l.full()
	children[1].drain()
	l.gone("drain", children[1])
	wantErr(t, w.next(children[1].id), cluster.ErrNodeClosed)
	children[1].run()
	l.full()
	l.settle(node, children)
}

// What is kept in an external server outlives its death: singletons, keyed actors
// and a durable inbox go on once it is back.
func TestExternalStore(t *testing.T) {
	t.Parallel()
	s := serve(t, "-js", "-sd", t.TempDir())
	nodes := []*cluster.Node{s.node(patient(cluster.Config{Name: "a"})), s.node(patient(cluster.Config{Name: "b"}))}
	keys := newKeepers(t)
	for _, n := range nodes {
		if _, err := cluster.Singleton(t.Context(), n, "boss", tellWhere(n)); err != nil {
			t.Fatal(err)
		}
		keys.host(n, actor.Config{}, 0)
	}
	here := s.node(patient(cluster.Config{Name: "here"}))
	at := find(t, here, "boss", spot{})
	user := cluster.Lookup[keyMsg](here, "user").Key("k")
	if _, err := ask(within(t, 10*time.Second), user, keyMsg{}); err != nil {
		t.Error(err)
	}
	d := open[note](t, here, "notes", cluster.DurableConfig{})
	for n := range 100 {
		if err := d.Send(within(t, 10*time.Second), note{n}); err != nil {
			t.Fatal(err)
		}
	}
	s.kill()
	s.run()
	var done effects
	handle(t, open[note](t, nodes[0], "notes", cluster.DurableConfig{}), 4, func(_ context.Context, m note) error {
		done.add(m.N)
		return nil
	})
	eventually(t, "all are handled", func() bool { return done.count() == 100 })
	if err := d.Send(within(t, 10*time.Second), note{100}); err != nil {
		t.Error(err)
	}
	eventually(t, "the next is too", func() bool { return done.count() == 101 })
	ctx := within(t, 10*time.Second)
	if now := find(t, here, "boss", spot{}); now != at {
		t.Errorf("the singleton is at %v; it was at %v, whose lease has not ended", now, at)
	}
	eventually(t, "the key's actor answers", func() bool {
		_, err := ask(ctx, user, keyMsg{})
		return err == nil
	})
}
