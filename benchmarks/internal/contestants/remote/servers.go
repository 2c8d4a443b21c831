package remote

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"

	"tinyactor/benchmarks/internal/contest"
	"tinyactor/cluster/embedded"
)

// servers are two of one cluster, and a connection to each: what is sent goes
// out by the one, over the route between them, and in by the other.
type servers struct {
	near, far *embedded.Server
	out, in   *nats.Conn
	store     *store // nil until it is needed
	boxes     int    // that there have been, for their names
}

func startServers() *servers {
	const free = "127.0.0.1:0"
	near := start(embedded.Config{Name: "near", Route: free})
	far := start(embedded.Config{Name: "far", Route: free, Routes: []string{near.Server().ClusterAddr().String()}})
	return &servers{near: near, far: far, out: connect(near), in: connect(far)}
}

func start(cfg embedded.Config) *embedded.Server {
	s, err := embedded.Start(cfg)
	must(err)
	return s
}

func connect(s *embedded.Server) *nats.Conn {
	nc, err := s.Connect()
	must(err)
	return nc
}

func (s *servers) Close() error {
	s.out.Close()
	s.in.Close()
	err := errors.Join(s.near.Close(), s.far.Close())
	if s.store != nil {
		err = errors.Join(err, s.store.Close())
	}
	return err
}

// patience is how long the ends may take to find each other.
const patience = 10 * time.Second

// until asks again and again until the answer is yes.
func until(what string, is func() bool) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			panic("benchmarks: not within " + patience.String() + ": " + what)
		}
	}
}

// feed sends n messages: the first, and those that follow it.
func feed(to contest.Mailbox, m contest.Msg, n int) {
	for i := range int64(n) {
		to.Send(contest.Msg{V: m.V + i})
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
