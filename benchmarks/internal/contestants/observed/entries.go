// Package observed is tinyactor as a contestant, seen by an observer: what does
// it cost the actors? That is told by the same actors unseen, in the same program:
// in one with other packages they are up to a tenth faster or slower.
package observed

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"

	"tinyactor/actor"
	"tinyactor/benchmarks/internal/contest"
	"tinyactor/benchmarks/internal/contestants/tiny"
	"tinyactor/observer"
	"tinyactor/telemetry/otel"
	actorprom "tinyactor/telemetry/prometheus"
)

// every is the time between two scrapes: much less than usual, so that some
// fall into a measurement.
const every = 100 * time.Millisecond

// Entries are the ways to look at actors that are measured.
var Entries = []contest.Entry{
	{Name: "unobserved", New: unobserved, Enters: looked},
	{Name: "observed", New: under(nobody), Enters: looked},
	{Name: "observed-viewer", New: under(viewer), Enters: looked},
	{Name: "observed-prometheus", New: under(scraped), Enters: looked},
	{Name: "observed-otel", New: under(read), Enters: looked},
	{Name: "traced-unsampled", New: traced(trace.NeverSample()), Enters: contest.In("tell")},
	{Name: "traced-sampled", New: traced(trace.AlwaysSample()), Enters: contest.In("tell")},
}

// looked are the workloads in which sending, receiving and asking are nearly all
// there is.
var looked = contest.In("tell", "fan-in-8", "ping-pong", "ask-1")

func unobserved(ctx context.Context) contest.Contestant { return tiny.New(ctx, actor.Unbounded()) }

// under makes actors that an observer sees, at which look has somebody look.
func under(look func(context.Context, *observer.Observer)) func(context.Context) contest.Contestant {
	return func(ctx context.Context) contest.Contestant {
		o := observer.New(observer.Options{Every: every})
		look(ctx, o)
		return tiny.New(o.Watch(ctx), actor.Unbounded())
	}
}

// nobody looks.
func nobody(context.Context, *observer.Observer) {}

// viewer has one browser's worth of page open.
func viewer(ctx context.Context, o *observer.Observer) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	server := &http.Server{Handler: o.Handler()}
	go func() { _ = server.Serve(l) }()
	context.AfterFunc(ctx, func() { _ = server.Close() })
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+l.Addr().String()+"/stream", nil)
	must(err)
	answer, err := http.DefaultClient.Do(request)
	must(err)
	go func() {
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	}()
}

// scraped has Prometheus' registry read.
func scraped(ctx context.Context, o *observer.Observer) {
	r := prometheus.NewRegistry()
	r.MustRegister(actorprom.New(o, actorprom.Options{}))
	repeat(ctx, func() {
		_, err := r.Gather()
		must(err)
	})
}

// read has OpenTelemetry's metrics read.
func read(ctx context.Context, o *observer.Observer) {
	reader := metric.NewManualReader()
	_, err := otel.Register(metric.NewMeterProvider(metric.WithReader(reader)), o, otel.Options{})
	must(err)
	repeat(ctx, func() {
		var all metricdata.ResourceMetrics
		must(reader.Collect(context.WithoutCancel(ctx), &all))
	})
}

// repeat calls f now, and then regularly until ctx ends.
func repeat(ctx context.Context, f func()) {
	f()
	go func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				f()
			case <-ctx.Done():
				return
			}
		}
	}()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
