package remote

import (
	"context"
	"errors"
	"strconv"

	"github.com/nats-io/nats.go"

	"tinyactor/actor"
	"tinyactor/benchmarks/internal/contest"
	"tinyactor/cluster"
)

// nodes are two of one cluster. The actors live on the far one, with bounded
// inboxes; what is sent comes from the near one.
type nodes struct {
	*servers
	here, there   *cluster.Node
	giver, keeper *cluster.Node   // of the store; nil until it is needed
	ctx           context.Context //nolint:containedctx // that of the whole run
	async         bool
}

func join(ctx context.Context, nc *nats.Conn, name string) *cluster.Node {
	n, err := cluster.Join(ctx, nc, cluster.Config{Name: name})
	must(err)
	return n
}

func (c *nodes) Close() error {
	err := errors.Join(c.here.Close(), c.there.Close())
	if c.keeper != nil {
		err = errors.Join(err, c.giver.Close(), c.keeper.Close())
	}
	return errors.Join(err, c.servers.Close())
}

// exposed is an actor under a name of its own, as the near node sees it.
type exposed[M any] struct {
	*nodes
	child    *actor.Child[M, actor.None]
	to       *cluster.Remote[M]
	withdraw context.CancelFunc
}

// expose starts an actor, and waits until the near node has found it.
func expose[M any](c *nodes, handle func(context.Context, M) error) exposed[M] {
	c.boxes++
	name := "box." + strconv.Itoa(c.boxes)
	child, addr := actor.Spawn(c.ctx, actor.Config{Name: name, Capacity: actor.Bounded(contest.Slots)},
		func(ctx context.Context, in *actor.Inbox[M]) error { return in.Serve(ctx, handle) })
	ctx, withdraw := context.WithCancel(c.ctx)
	must(cluster.Expose(ctx, c.there, name, addr))
	to := cluster.Lookup[M](c.here, name)
	until("the name is found", func() bool { return len(to.Nodes()) == 1 })
	return exposed[M]{c, child, to, withdraw}
}

func (e exposed[M]) end() {
	_, err := e.child.Drain(e.ctx)
	must(err)
	e.withdraw()
}

type nodeBox struct {
	exposed[word]
	send actor.Sender[word]
}

func (c *nodes) Spawn(o contest.Options, receivers ...*contest.Receiver) contest.Mailbox {
	if o.Durable {
		return c.spawnStored(receivers[0])
	}
	e := expose(c, func(_ context.Context, w word) error {
		if w.msg() != last {
			receivers[0].Take(w.msg())
		}
		return nil
	})
	b := nodeBox{e, e.to}
	if c.async {
		b.send = e.to.Async()
	}
	return b
}

func (b nodeBox) Send(m contest.Msg) { must(b.send.Send(b.ctx, newWord(m))) }

func (b nodeBox) Feed(m contest.Msg, n int) { feed(b, m, n) }

func (b nodeBox) Stop() {
	must(b.to.Send(b.ctx, newWord(last))) // returns when it is accepted, and so are all before it
	b.end()
}

type question struct {
	actor.Reply[word]
	word
}

type nodeServer struct{ exposed[question] }

func (c *nodes) Serve(r *contest.Receiver) contest.Server {
	return nodeServer{expose(c, func(_ context.Context, q question) error {
		r.Take(q.msg())
		q.N = contest.Answer(q.msg())
		q.Answer(q.word, nil)
		return nil
	})}
}

func (s nodeServer) Ask(ctx context.Context, m contest.Msg) (int64, error) {
	w, err := actor.Ask(ctx, s.to, func(r actor.Reply[word]) question { return question{r, newWord(m)} })
	return w.N, err
}

func (s nodeServer) Stop() { s.end() }
