package remote

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"tinyactor/benchmarks/internal/contest"
)

// raw is NATS's client with nothing on top: one subscription for each mailbox,
// without a bound, and nobody who waits.
type raw struct {
	*servers
	ctx   context.Context //nolint:containedctx // that of the whole run
	async bool            // what is stored is waited for at the end only
	ids   string          // what is stored has an ID that begins with this
}

// rawBox is a subscription at the far end, and its subject.
type rawBox struct {
	*raw
	subject string
	sub     *nats.Subscription
	over    chan struct{} // closed when last has come
}

// listen subscribes, and waits until the near server knows.
func (c *raw) listen(handle func(*nats.Msg, word)) *rawBox {
	c.boxes++
	b := &rawBox{raw: c, subject: "box." + strconv.Itoa(c.boxes), over: make(chan struct{})}
	var err error
	b.sub, err = c.in.Subscribe(b.subject, func(m *nats.Msg) {
		if len(m.Data) == 0 {
			must(m.Respond(nil)) // to who waits below
			return
		}
		handle(m, decode(m.Data))
	})
	must(err)
	must(b.sub.SetPendingLimits(-1, -1)) // else it drops what it does not take in time
	must(c.in.Flush())
	until("the subscription is known", func() bool {
		_, err := c.out.Request(b.subject, nil, time.Second)
		return err == nil
	})
	return b
}

func (c *raw) Spawn(o contest.Options, receivers ...*contest.Receiver) contest.Mailbox {
	if o.Durable {
		return c.spawnStored(receivers[0])
	}
	var b *rawBox
	b = c.listen(func(_ *nats.Msg, w word) {
		if w.msg() == last {
			close(b.over)
			return
		}
		receivers[0].Take(w.msg())
	})
	return b
}

func (b *rawBox) Send(m contest.Msg) { must(b.out.Publish(b.subject, encode(newWord(m)))) }

func (b *rawBox) Feed(m contest.Msg, n int) { feed(b, m, n) }

func (b *rawBox) Stop() {
	b.Send(last)
	<-b.over
	must(b.sub.Unsubscribe())
}

type rawServer struct{ *rawBox }

func (c *raw) Serve(r *contest.Receiver) contest.Server {
	return rawServer{c.listen(func(m *nats.Msg, w word) {
		r.Take(w.msg())
		w.N = contest.Answer(w.msg())
		must(m.Respond(encode(w)))
	})}
}

func (s rawServer) Ask(ctx context.Context, m contest.Msg) (int64, error) {
	answer, err := s.out.RequestWithContext(ctx, s.subject, encode(newWord(m)))
	if err != nil {
		return 0, err
	}
	return decode(answer.Data).N, nil
}

func (s rawServer) Stop() { must(s.sub.Unsubscribe()) }

func encode(w word) []byte {
	data, err := json.Marshal(w)
	must(err)
	return data
}

func decode(data []byte) (w word) {
	must(json.Unmarshal(data, &w))
	return w
}
