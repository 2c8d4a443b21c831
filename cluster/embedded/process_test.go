package embedded_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// The tests with several nodes run this test binary once more for each: as a
// process of its own, which a test can kill and freeze.

const childEnv = "TINYACTOR_CLUSTER_TEST_CHILD"

func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		if err := childMain(text); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
		return
	}
	go machine.watch() // as long as the process lives
	code := m.Run()
	if builtServer != "" {
		os.RemoveAll(builtServer)
	}
	os.Exit(code)
}

// childConfig is what a child is told.
type childConfig struct {
	Name   string
	Route  string
	Routes []string
	URL    string // of an external server; then none is run here
	Log    string // the file for the numbers of the items that were handled
	Window int
	Listen string
	Store  string // the folder for JetStream; none runs if it is empty
	Diary  string // the file for what the singleton does; there is none if it is empty
	Inbox  string // the folder for the effects of durable inboxes; there are none if it is empty
	Keys   string // the file for what the actors of keys do; there are none if it is empty
}

// item is the work that children do: a number, which they note.
type item struct {
	actor.Reply[int]
	N int
}

// connect connects to the child's own server, or to the external one.
func (cfg childConfig) connect() (nc *nats.Conn, leave func(), err error) {
	if cfg.URL != "" {
		nc, err = nats.Connect(cfg.URL, nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond))
		return nc, nc.Close, err
	}
	s, err := embedded.Start(embedded.Config{
		Name: cfg.Name, Route: cfg.Route, Routes: cfg.Routes, Listen: cfg.Listen, JetStream: cfg.Store != "", Store: cfg.Store,
	})
	if err != nil {
		return nil, nil, err
	}
	nc, err = s.Connect()
	return nc, func() {
		nc.Close()
		s.Close()
	}, err
}

// childMain exposes actors until it is told to drain, by a line on its standard
// input, or that ends.
func childMain(text string) error {
	var cfg childConfig
	if err := json.Unmarshal([]byte(text), &cfg); err != nil {
		return err
	}
	nc, leave, err := cfg.connect()
	if err != nil {
		return err
	}
	defer leave()
	ctx := context.Background()
	node, err := cluster.Join(ctx, nc, cluster.Config{Name: cfg.Name, Window: cfg.Window, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	log, err := os.OpenFile(cfg.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	worker, work := actor.Spawn(ctx, actor.Config{Name: "work", Capacity: actor.Bounded(64)}, func(ctx context.Context, in *actor.Inbox[item]) error {
		count := 0
		return in.Serve(ctx, func(_ context.Context, m item) error {
			if m.N < 0 { // it hangs
				time.Sleep(time.Hour)
			}
			if count++; count%4 == 0 {
				time.Sleep(time.Millisecond) // so that there is something in the inbox when it is killed
			}
			_, err := log.WriteString(strconv.Itoa(m.N) + "\n") // one write, which outlives the process
			m.Answer(2*m.N, err)
			return nil
		})
	})
	shopper, shop := actor.Spawn(ctx, actor.Config{Name: "shop"}, func(ctx context.Context, in *actor.Inbox[shopMsg]) error {
		state := &shopState{stock: map[string]int{}}
		return in.Serve(ctx, func(_ context.Context, m shopMsg) error {
			m.apply(state)
			return nil
		})
	})
	if err := errors.Join(cluster.Expose(ctx, node, "work", work), cluster.Expose(ctx, node, "shop."+cfg.Name, shop), exposeMortals(ctx, node)); err != nil {
		return err
	}
	if cfg.Inbox != "" {
		if err := handleJobs(ctx, node, cfg.Inbox); err != nil {
			return err
		}
	}
	if cfg.Diary != "" {
		if _, err := cluster.Singleton(ctx, node, "diarist", keepDiary(node, cfg.Diary)); err != nil {
			return err
		}
	}
	if cfg.Keys != "" {
		if err := hostKeys(node, cfg.Keys, log); err != nil {
			return err
		}
	}
	fmt.Println("ready", node.ID())
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err // whoever has started it is gone
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	err = node.Drain(ctx)
	_, err1 := worker.Drain(ctx)
	_, err2 := shopper.Drain(ctx)
	if err := errors.Join(err, err1, err2); err != nil {
		return err
	}
	fmt.Println("drained", node.Stats().Received)
	return nil
}

// child is a process with a node.
type child struct {
	t     testing.TB
	cfg   childConfig
	netns string // the network namespace it is in, if not in this one
	id    string // of its node
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Reader
}

// run starts a child, or starts it again, and waits until its node has joined.
func (c *child) run() {
	c.t.Helper()
	c.launch()
	c.await()
}

// launch starts it.
func (c *child) launch() {
	c.t.Helper()
	text, err := json.Marshal(c.cfg)
	if err != nil {
		c.t.Fatal(err)
	}
	c.cmd = exec.Command(os.Args[0])
	if c.netns != "" {
		c.cmd = exec.Command("ip", "netns", "exec", c.netns, os.Args[0])
	}
	c.cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	c.cmd.Stderr = os.Stderr
	in, err := c.cmd.StdinPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	c.stdin, c.out = in, bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
}

// await waits until its node has joined.
func (c *child) await() {
	c.t.Helper()
	line, err := c.out.ReadString('\n')
	if err != nil {
		c.t.Fatalf("child %s: %v", c.cfg.Name, err)
	}
	c.id = strings.TrimSpace(strings.TrimPrefix(line, "ready "))
}

// kill ends it as kill -9 does.
func (c *child) kill() {
	c.cmd.Process.Kill()
	c.cmd.Wait()
	c.stdin.Close()
}

func (c *child) signal(s syscall.Signal) {
	c.t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		c.t.Fatal(err)
	}
}

// drain has it drain and end.
func (c *child) drain() {
	c.t.Helper()
	fmt.Fprintln(c.stdin)
	line, err := c.out.ReadString('\n')
	if err == nil {
		err = c.cmd.Wait()
	}
	if err != nil || !strings.HasPrefix(line, "drained") {
		c.t.Errorf("child %s drains: %q, %v", c.cfg.Name, line, err)
	}
}

// handled returns the numbers that it has noted, in all its lives.
func (c *child) handled() (all []int) {
	c.t.Helper()
	text, err := os.ReadFile(c.cfg.Log)
	if err != nil {
		c.t.Fatal(err)
	}
	for word := range strings.FieldsSeq(string(text)) {
		n, err := strconv.Atoi(word)
		if err != nil {
			c.t.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}

// free returns n addresses on which nobody listens. On Linux, where all of 127.0.0.0/8
// is this machine, they are on one that is nobody else's: in the time until somebody
// does listen there, and while a child is dead, no other program is given the port,
// not for a connection that it makes either.
func free(t testing.TB, n int) (all []string) {
	t.Helper()
	host := "127.0.0.1"
	if runtime.GOOS == "linux" {
		host = fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254))
	}
	for range n {
		l, err := net.Listen("tcp", host+":0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		all = append(all, l.Addr().String())
	}
	return all
}

// processes starts a server here and n children, each with a server of its own,
// all in one cluster.
func processes(t testing.TB, n int) (*embedded.Server, []*child) {
	t.Helper()
	routes := free(t, n+1)
	s := start(t, embedded.Config{Name: "parent", Route: routes[n], Routes: routes})
	var children []*child
	for i := range n {
		name := string(rune('a' + i))
		c := &child{t: t, cfg: childConfig{Name: name, Route: routes[i], Routes: routes, Log: t.TempDir() + "/" + name}}
		c.run()
		t.Cleanup(c.kill)
		children = append(children, c)
	}
	return s, children
}
