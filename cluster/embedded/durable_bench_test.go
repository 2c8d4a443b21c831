package embedded_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// feed has so many goroutines send the numbers from 1 to b.N.
func feed(b *testing.B, senders int, send func(n int) error) {
	var all sync.WaitGroup
	var next atomic.Int64
	for range senders {
		all.Go(func() {
			for {
				n := int(next.Add(1))
				if n > b.N {
					return
				}
				if err := send(n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

// BenchmarkDurable stores messages in a file and handles them meanwhile, each with
// its own acknowledgement: with nats.go alone, and with a durable inbox. Raw with
// ids gives each message one to recognise repetitions by, as a durable inbox does.
func BenchmarkDurable(b *testing.B) {
	type way struct {
		name    string
		senders int
		sync    bool
		ids     bool
	}
	count := func(b *testing.B, got *tally, senders, n int) {
		if senders == 1 {
			got.take(b, n)
		} else {
			got.sum.Add(int64(n))
		}
	}
	raw := func(w way) func(*testing.B) {
		return func(b *testing.B) {
			s := start(b, embedded.Config{JetStream: true})
			out, err := jetstream.New(connect(b, s), jetstream.WithPublishAsyncMaxPending(4096))
			if err != nil {
				b.Fatal(err)
			}
			in, err := jetstream.New(connect(b, s))
			if err != nil {
				b.Fatal(err)
			}
			st, err := in.CreateStream(b.Context(), jetstream.StreamConfig{Name: "raw", Subjects: []string{"raw"}, Retention: jetstream.WorkQueuePolicy})
			if err != nil {
				b.Fatal(err)
			}
			c, err := st.CreateConsumer(b.Context(), jetstream.ConsumerConfig{Durable: "raw", AckPolicy: jetstream.AckExplicitPolicy})
			if err != nil {
				b.Fatal(err)
			}
			var got tally
			consuming, err := c.Consume(func(m jetstream.Msg) {
				var v word
				if err := json.Unmarshal(m.Data(), &v); err != nil {
					b.Error(err)
				}
				count(b, &got, w.senders, v.N)
				m.Ack()
			})
			if err != nil {
				b.Fatal(err)
			}
			defer consuming.Stop()
			b.ResetTimer()
			feed(b, w.senders, func(n int) error {
				data, err := json.Marshal(newWord(n))
				if err != nil {
					return err
				}
				m := &nats.Msg{Subject: "raw", Data: data}
				if w.ids {
					m.Header = nats.Header{"Nats-Msg-Id": {fmt.Sprint("some-twenty-bytes-", n)}}
				}
				if w.sync {
					_, err = out.PublishMsg(b.Context(), m)
				} else {
					_, err = out.PublishMsgAsync(m)
				}
				return err
			})
			<-out.PublishAsyncComplete()
			got.expect(b, b.N)
			rate(b)
		}
	}
	durable := func(w way) func(*testing.B) {
		return func(b *testing.B) {
			s := start(b, embedded.Config{JetStream: true})
			here, there := join(b, s, cluster.Config{Name: "here"}), join(b, s, cluster.Config{Name: "there"})
			out := open[word](b, here, "words", cluster.DurableConfig{})
			in := open[word](b, there, "words", cluster.DurableConfig{})
			var got tally
			handle(b, in, 1, func(_ context.Context, v word) error {
				count(b, &got, w.senders, v.N)
				return nil
			})
			var to actor.Sender[word] = out
			if !w.sync {
				to = out.Async()
			}
			b.ResetTimer()
			feed(b, w.senders, func(n int) error { return to.Send(b.Context(), newWord(n)) })
			got.expect(b, b.N)
			rate(b)
		}
	}
	for _, w := range []way{{"async", 1, false, false}, {"senders=1", 1, true, false}, {"senders=64", 64, true, false}} {
		b.Run(w.name+"/raw", raw(w))
		with := w
		with.ids = true
		b.Run(w.name+"/raw+ids", raw(with))
		b.Run(w.name+"/durable", durable(w))
	}
}
