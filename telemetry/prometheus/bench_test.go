package prometheus_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tinyactor/actor"
	"tinyactor/observer"
	actorprom "tinyactor/telemetry/prometheus"
)

func newRegistry(o *observer.Observer) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(actorprom.New(o, actorprom.Options{}))
	return r
}

// receive is what the actors of the tests do.
func receive(ctx context.Context, in *actor.Inbox[int]) error {
	return in.Serve(ctx, func(context.Context, int) error { return nil })
}

// BenchmarkSend is a message from one goroutine to an actor: unobserved, with a
// collector that nobody scrapes, and with one that is scraped a hundred times as
// often as Prometheus does.
func BenchmarkSend(b *testing.B) {
	send := func(ctx context.Context, b *testing.B) {
		child, addr := actor.Spawn(ctx, actor.Config{Name: "worker-1", Capacity: actor.Bounded(1024)}, receive)
		for b.Loop() {
			addr.Send(ctx, 1)
		}
		child.Drain(ctx)
	}
	b.Run("unobserved", func(b *testing.B) { send(b.Context(), b) })
	b.Run("idle", func(b *testing.B) {
		o := observer.New(observer.Options{})
		newRegistry(o)
		send(o.Watch(b.Context()), b)
	})
	b.Run("scraped", func(b *testing.B) {
		o := observer.New(observer.Options{})
		r := newRegistry(o)
		var scraping sync.WaitGroup
		defer scraping.Wait()
		ctx, cancel := context.WithCancel(b.Context())
		defer cancel()
		scraping.Go(func() {
			for tick := time.Tick(100 * time.Millisecond); ; {
				select {
				case <-tick:
					r.Gather()
				case <-ctx.Done():
					return
				}
			}
		})
		send(o.Watch(b.Context()), b)
	})
}

// BenchmarkScrape is a scrape of so many actors with a hundred labels.
func BenchmarkScrape(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			o := observer.New(observer.Options{})
			r := newRegistry(o)
			ctx, cancel := context.WithCancel(o.Watch(b.Context()))
			defer cancel()
			addresses := make([]*actor.Address[int], n)
			for i := range n {
				name := fmt.Sprintf("%c%c-%d", 'a'+i/10%10, 'a'+i%10, i)
				_, addr := actor.Spawn(ctx, actor.Config{Name: name}, receive)
				addr.Send(ctx, 1)
				addresses[i] = addr
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Gather(); err != nil {
					b.Fatal(err)
				}
			}
			runtime.KeepAlive(addresses) // whom nobody can reach ends
		})
	}
}
