package remote

import (
	"context"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"tinyactor/actor"
	"tinyactor/benchmarks/internal/contest"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// store is a server that keeps what it is sent in files, without replicas, and
// two connections to it: what is sent comes by the one and leaves by the other.
// Both of the ends that use it leave the server's other settings alone.
type store struct {
	server  *embedded.Server
	out, in *nats.Conn
}

// stored returns the store, which is there from the first time on.
func (s *servers) stored() *store {
	if s.store == nil {
		server := start(embedded.Config{Name: "store", JetStream: true})
		s.store = &store{server, connect(server), connect(server)}
	}
	return s.store
}

func (s *store) Close() error {
	s.out.Close()
	s.in.Close()
	return s.server.Close()
}

// storing is as many messages as may be on their way into the store.
const storing = 4096

// rawStore is a stream from which a message is removed when its receiver has
// acknowledged it.
type rawStore struct {
	ctx     context.Context //nolint:containedctx // that of the whole run
	js      jetstream.JetStream
	async   bool
	ids     string // the first part of the messages' IDs; none if it is empty
	name    string
	consume jetstream.ConsumeContext
	over    chan struct{}
}

func (c *raw) spawnStored(r *contest.Receiver) contest.Mailbox {
	c.boxes++
	s := c.stored()
	b := &rawStore{ctx: c.ctx, async: c.async, ids: c.ids, name: "box-" + strconv.Itoa(c.boxes), over: make(chan struct{})}
	var err error
	b.js, err = jetstream.New(s.out, jetstream.WithPublishAsyncMaxPending(storing),
		jetstream.WithPublishAsyncErrHandler(func(_ jetstream.JetStream, _ *nats.Msg, err error) { panic(err) }))
	must(err)
	stream, err := b.js.CreateStream(c.ctx, jetstream.StreamConfig{
		Name: b.name, Subjects: []string{b.name}, Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardNew,
	})
	must(err)
	_, err = stream.CreateConsumer(c.ctx, jetstream.ConsumerConfig{Durable: "all", AckPolicy: jetstream.AckExplicitPolicy})
	must(err)
	in, err := jetstream.New(s.in)
	must(err)
	consumer, err := in.Consumer(c.ctx, b.name, "all")
	must(err)
	b.consume, err = consumer.Consume(func(m jetstream.Msg) {
		w := decode(m.Data())
		if w.msg() != last {
			r.Take(w.msg())
		}
		must(m.Ack())
		if w.msg() == last {
			close(b.over)
		}
	})
	must(err)
	return b
}

func (b *rawStore) Send(m contest.Msg) {
	data := encode(newWord(m))
	var how []jetstream.PublishOpt
	if b.ids != "" {
		how = append(how, jetstream.WithMsgID(b.ids+strconv.FormatInt(m.V, 10)))
	}
	var err error
	if b.async {
		_, err = b.js.PublishAsync(b.name, data, append(how, jetstream.WithStallWait(time.Minute))...)
	} else {
		_, err = b.js.Publish(b.ctx, b.name, data, how...)
	}
	must(err)
}

func (b *rawStore) Feed(m contest.Msg, n int) { feed(b, m, n) }

func (b *rawStore) Stop() {
	b.Send(last)
	<-b.over
	<-b.js.PublishAsyncComplete()
	b.consume.Stop()
	<-b.consume.Closed()
	must(b.js.DeleteStream(b.ctx, b.name))
}

// nodeStore is a durable inbox, and an actor that handles what is in it.
type nodeStore struct {
	ctx     context.Context //nolint:containedctx // that of the whole run
	send    actor.Sender[word]
	handler *actor.Child[actor.None, actor.None]
	over    chan struct{}
}

func (c *nodes) spawnStored(r *contest.Receiver) contest.Mailbox {
	c.boxes++
	s := c.stored()
	if c.keeper == nil {
		c.giver, c.keeper = join(c.ctx, s.out, "giver"), join(c.ctx, s.in, "keeper")
	}
	b := &nodeStore{ctx: c.ctx, over: make(chan struct{})}
	name := "box-" + strconv.Itoa(c.boxes)
	to, err := cluster.OpenDurable[word](c.ctx, c.giver, name, cluster.DurableConfig{})
	must(err)
	from, err := cluster.OpenDurable[word](c.ctx, c.keeper, name, cluster.DurableConfig{})
	must(err)
	b.send = to
	if c.async {
		b.send = to.Async()
	}
	b.handler = from.Spawn(c.ctx, actor.Config{Name: name}, 1, func(_ context.Context, w word) error {
		if w.msg() == last {
			close(b.over)
		} else {
			r.Take(w.msg())
		}
		return nil
	})
	return b
}

func (b *nodeStore) Send(m contest.Msg) { must(b.send.Send(b.ctx, newWord(m))) }

func (b *nodeStore) Feed(m contest.Msg, n int) { feed(b, m, n) }

func (b *nodeStore) Stop() {
	b.Send(last)
	<-b.over
	_, err := b.handler.Stop(b.ctx)
	must(err)
}
