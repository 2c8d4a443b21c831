package embedded_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// word is what the benchmarks send: some 60 bytes of JSON.
type word struct {
	N    int
	Word string
	From string
}

type wordAsk struct {
	actor.Reply[word]
	word
}

// pair starts two servers with a route between them.
func pair(b *testing.B) (near, far *embedded.Server) {
	routes := free(b, 2)
	near = start(b, embedded.Config{Name: "near", Route: routes[0], Routes: routes})
	far = start(b, embedded.Config{Name: "far", Route: routes[1], Routes: routes})
	return near, far
}

// tally checks that what comes is in order and complete.
type tally struct {
	last, sum atomic.Int64
}

func (a *tally) take(b *testing.B, n int) {
	if n == 0 { // of settle
		return
	}
	if last := a.last.Swap(int64(n)); last >= int64(n) {
		b.Errorf("%d came after %d", n, last)
	}
	a.sum.Add(int64(n))
}

func (a *tally) expect(b *testing.B, n int) {
	want := int64(n) * int64(n+1) / 2
	over := time.Now().Add(20 * time.Second)
	for a.sum.Load() != want {
		if time.Now().After(over) {
			b.Fatalf("the sum is %d, want %d", a.sum.Load(), want)
		}
		time.Sleep(50 * time.Microsecond)
	}
}

func newWord(n int) word { return word{n, "benchmark", "a benchmark's text"} }

// BenchmarkTell sends the same JSON from one node to another: with nats.go alone,
// which drops what the receiver does not take in time, and to an actor.
func BenchmarkTell(b *testing.B) {
	near, far := pair(b)
	b.Run("raw", func(b *testing.B) {
		out, in := connect(b, near), connect(b, far)
		var got tally
		sub, err := in.Subscribe("raw", func(m *nats.Msg) {
			var w word
			if err := json.Unmarshal(m.Data, &w); err != nil {
				b.Error(err)
			}
			got.take(b, w.N)
		})
		if err != nil {
			b.Fatal(err)
		}
		sub.SetPendingLimits(-1, -1)
		settle(b, in, out, "raw")
		b.ResetTimer()
		for n := range b.N {
			data, err := json.Marshal(newWord(n + 1))
			if err != nil {
				b.Fatal(err)
			}
			if err := out.Publish("raw", data); err != nil {
				b.Fatal(err)
			}
		}
		got.expect(b, b.N)
		rate(b)
	})
	tell := func(senders int, how func(*cluster.Remote[word]) actor.Sender[word]) func(*testing.B) {
		return func(b *testing.B) {
			here, there := join(b, near, cluster.Config{Name: "here"}), join(b, far, cluster.Config{Name: "there"})
			var got tally
			_, addr := spawn(b, actor.Config{Name: "words", Capacity: actor.Bounded(1024)}, func(_ context.Context, w word) error {
				if senders == 1 {
					got.take(b, w.N)
				} else {
					got.sum.Add(int64(w.N))
				}
				return nil
			})
			if err := cluster.Expose(b.Context(), there, "words", addr); err != nil {
				b.Fatal(err)
			}
			to := cluster.Lookup[word](here, "words")
			eventually(b, "found", func() bool { return len(to.Nodes()) == 1 })
			send := how(to)
			b.ResetTimer()
			var all sync.WaitGroup
			var next atomic.Int64
			for range senders {
				all.Go(func() {
					for {
						n := int(next.Add(1))
						if n > b.N {
							return
						}
						if err := send.Send(b.Context(), newWord(n)); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
			got.expect(b, b.N)
			rate(b)
		}
	}
	b.Run("async", tell(1, (*cluster.Remote[word]).Async))
	for _, senders := range []int{1, 64, 256} {
		b.Run(fmt.Sprint("send/senders=", senders), tell(senders, func(r *cluster.Remote[word]) actor.Sender[word] { return r }))
	}
}

func rate(b *testing.B) { b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s") }

// settle waits until the far server knows the subscription.
func settle(b *testing.B, in, out *nats.Conn, subject string) {
	b.Helper()
	if err := in.Flush(); err != nil {
		b.Fatal(err)
	}
	eventually(b, "the subscription is known", func() bool {
		_, err := out.Request(subject, []byte(`{"N":0}`), 50*time.Millisecond)
		return err == nil || err == nats.ErrTimeout
	})
}

// BenchmarkAsk asks from one node to another, one question at a time.
func BenchmarkAsk(b *testing.B) {
	ctx := within(b, time.Hour) // both ask with one that can end
	near, far := pair(b)
	b.Run("raw", func(b *testing.B) {
		out, in := connect(b, near), connect(b, far)
		if _, err := in.Subscribe("ask", func(m *nats.Msg) {
			var w word
			if err := json.Unmarshal(m.Data, &w); err != nil {
				b.Error(err)
			}
			data, err := json.Marshal(w)
			if err != nil {
				b.Error(err)
			}
			m.Respond(data)
		}); err != nil {
			b.Fatal(err)
		}
		settle(b, in, out, "ask")
		b.ResetTimer()
		for n := range b.N {
			data, err := json.Marshal(newWord(n))
			if err != nil {
				b.Fatal(err)
			}
			m, err := out.RequestWithContext(ctx, "ask", data)
			if err != nil {
				b.Fatal(err)
			}
			var w word
			if err := json.Unmarshal(m.Data, &w); err != nil || w.N != n {
				b.Fatal(w, err)
			}
		}
		rate(b)
	})
	b.Run("actor", func(b *testing.B) {
		here, there := join(b, near, cluster.Config{Name: "here"}), join(b, far, cluster.Config{Name: "there"})
		_, addr := spawn(b, actor.Config{Name: "echo"}, func(_ context.Context, m wordAsk) error {
			m.Answer(m.word, nil)
			return nil
		})
		if err := cluster.Expose(b.Context(), there, "echo", addr); err != nil {
			b.Fatal(err)
		}
		to := cluster.Lookup[wordAsk](here, "echo")
		eventually(b, "found", func() bool { return len(to.Nodes()) == 1 })
		b.ResetTimer()
		for n := range b.N {
			w, err := actor.Ask(ctx, to, func(r actor.Reply[word]) wordAsk { return wordAsk{r, newWord(n)} })
			if err != nil || w.N != n {
				b.Fatal(w, err)
			}
		}
		rate(b)
	})
}
