package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
	"tinyactor/observer"
)

// nodeEnv is set for a process that is a node. Its value is a nodeConfig.
const nodeEnv = "TINYACTOR_EXAMPLE_NODE"

// nodeConfig is what a node is told by the process that starts it.
type nodeConfig struct {
	Name   string
	Route  string   // the address of its server for the other servers
	Routes []string // those of all
	Store  string   // the folder of its server

	// Replicas is how many servers have a copy of everything that must survive.
	// With three, any one may be gone.
	Replicas int
}

// inboxName is the name of the durable inbox in which texts wait.
const inboxName = "texts"

// A text waits in the inbox until it is counted.
type text struct {
	ID   string
	Body string
}

// MessageID has the inbox take a text once that is posted twice within two minutes,
// at the same node or another. After that the totals still know it.
func (t text) MessageID() string { return t.ID }

// nodeMain is the main function of a process that is a node. It says on its
// standard output where it listens, and ends in order when its standard input
// does: by the will of the process that has started it, or because that is gone.
func nodeMain(config string) error {
	signal.Ignore(os.Interrupt) // a terminal sends it to all; whoever has started this one decides
	var cfg nodeConfig
	if err := json.Unmarshal([]byte(config), &cfg); err != nil {
		return err
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, nil)).With("process", cfg.Name))
	ctx, end := context.WithCancel(context.Background())
	go func() {
		defer end()
		io.Copy(io.Discard, os.Stdin) //nolint:errcheck // any end is one
	}()
	err := runNode(ctx, cfg, os.Stdout)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil // it was told to end before it had begun
	}
	return err
}

// service is what a node does.
type service struct {
	inbox   *cluster.Durable[text]
	totals  *cluster.Remote[totalsMsg]
	watch   *observer.Observer
	leaving context.Context //nolint:containedctx // it ends when the node is to end
}

// starting is how long a node may take until it is one of the cluster, and the
// storage is there: its servers first have to find each other, and to elect.
const starting = 30 * time.Second

// ending is how long a node takes at most to end in order.
const ending = 10 * time.Second

// runNode is a node, until ctx ends.
func runNode(ctx context.Context, cfg nodeConfig, out io.Writer) error {
	server, err := embedded.Start(embedded.Config{
		Name: cfg.Name, Route: cfg.Route, Routes: cfg.Routes, JetStream: true, Store: cfg.Store,
	})
	if err != nil {
		return err
	}
	defer server.Close()
	nc, err := server.Connect()
	if err != nil {
		return err
	}
	defer nc.Close()
	begin, cancel := context.WithTimeout(ctx, starting)
	defer cancel()
	node, err := cluster.Join(begin, nc, cluster.Config{
		Name: cfg.Name, Cluster: "words", Replicas: cfg.Replicas,
		Undelivered: func(string, any, error) {}, // all that is sent is asked, and who has asked hears of it
	})
	if err != nil {
		return err
	}
	return errors.Join(serveWords(ctx, begin, node, cfg, out), node.Close())
}

// serveWords is the service on a node, until ctx ends; begin bounds its beginning.
func serveWords(ctx, begin context.Context, node *cluster.Node, cfg nodeConfig, out io.Writer) error {
	inbox, err := cluster.OpenDurable[text](begin, node, inboxName, cluster.DurableConfig{
		MaxMessages: 1000,            // then those who post wait
		AckWait:     5 * time.Second, // a node that says nothing for so long is taken for dead, and its texts are counted elsewhere
	})
	if err != nil {
		return err
	}
	js, err := jetstream.New(node.Conn(), jetstream.WithDefaultTimeout(2*time.Second))
	if err != nil {
		return err
	}
	s := &service{inbox: inbox, totals: cluster.Lookup[totalsMsg](node, totalsName), watch: observer.New(observer.Options{}), leaving: ctx}
	actors := s.watch.Watch(context.WithoutCancel(ctx)) // they are ended below, in order
	totals, err := cluster.Singleton(actors, node, totalsName, keepTotals(cfg.Name, js, cfg.Replicas))
	if err != nil {
		return err
	}
	workers := s.inbox.Spawn(actors, actor.Config{Name: "workers"}, 2, s.count)

	served := serve(ctx, s.handler(), out)
	stop, cancel := context.WithTimeout(context.Background(), ending)
	defer cancel()
	_, err1 := totals.Stop(stop)  // they begin on another node
	_, err2 := workers.Stop(stop) // what they have not begun is counted elsewhere
	if err := errors.Join(err1, err2, node.Drain(stop)); err != nil {
		// Where all nodes end at once, nobody is left to hand over to. Nothing is
		// lost by that: texts are in the inbox until their counts are in the journal.
		slog.Warn("the node has not ended in order", "err", err)
	}
	return served
}

// askAgain is how long a worker waits before it asks once more.
const askAgain = 100 * time.Millisecond

// count handles a text of the inbox. Once it returns nil, the text is out of the
// inbox; until then it is kept there and given to another node if this one dies.
// So it may come here when it was counted, and an answer that does not come says
// nothing: asking again is right both times, as the totals know what they have.
func (s *service) count(ctx context.Context, t text) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.leaving, cancel)() // the text stays in the inbox
	words := countWords(t.Body)
	for {
		_, err := actor.Ask(ctx, s.totals, add{ID: t.ID, Words: words}.to)
		if err == nil {
			return nil
		}
		select { // the totals are on their way to another node
		case <-time.After(askAgain):
		case <-ctx.Done():
			return err
		}
	}
}

// serve answers requests until ctx ends, and then those that have come.
func serve(ctx context.Context, handler http.Handler, out io.Writer) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	fmt.Fprintf(out, "http://%s\n", l.Addr())
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.Background(), ending/2)
	defer cancel()
	if server.Shutdown(stop) != nil {
		server.Close() // a page that is open stays so
	}
	return nil
}
