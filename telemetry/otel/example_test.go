package otel_test

import (
	"context"
	"fmt"
	"log"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"tinyactor/actor"
	"tinyactor/observer"
	"tinyactor/telemetry/otel"
)

func ExampleRegister() {
	reader := metric.NewManualReader() // in a program, one that exports
	provider := metric.NewMeterProvider(metric.WithReader(reader))

	o := observer.New(observer.Options{})
	unregister, err := otel.Register(provider, o, otel.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer unregister()

	ctx := o.Watch(context.Background()) // all actors below it are seen
	child, addr := actor.Spawn(ctx, actor.Config{Name: "worker-1"}, func(ctx context.Context, in *actor.Inbox[string]) error {
		return in.Serve(ctx, func(context.Context, string) error { return nil })
	})
	addr.Send(ctx, "hello")

	var metrics metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &metrics); err != nil {
		log.Fatal(err)
	}
	for _, m := range metrics.ScopeMetrics[0].Metrics {
		if m.Name == "messaging.client.sent.messages" {
			for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
				template, _ := p.Attributes.Value("messaging.destination.template")
				fmt.Println(template.AsString(), p.Value)
			}
		}
	}
	child.Drain(ctx)
	// Output: worker-* 1
}

// price is asked for.
type price struct {
	actor.Reply[int]
	item string
}

func (p price) to(r actor.Reply[int]) price { p.Reply = r; return p }

// sold is sent, and carries its sender's context along.
type sold struct {
	ctx  context.Context
	item string
}

func (s sold) Context() context.Context { return s.ctx }

func ExampleHandler() {
	exporter := tracetest.NewInMemoryExporter() // in a program, one that exports
	provider := sdk.NewTracerProvider(sdk.WithSyncer(exporter))

	ctx := context.Background()
	stats, sales := actor.Spawn(ctx, actor.Config{Name: "stats"}, func(ctx context.Context, in *actor.Inbox[sold]) error {
		return in.Serve(ctx, otel.Handler(provider, "stats", func(_ context.Context, s sold) error {
			return nil
		}))
	})
	shop, prices := actor.Spawn(ctx, actor.Config{Name: "shop"}, func(ctx context.Context, in *actor.Inbox[price]) error {
		return in.Serve(ctx, otel.Handler(provider, "shop", func(ctx context.Context, p price) error {
			p.Answer(42, nil)
			return sales.Send(ctx, sold{ctx, p.item}) // ctx has the span in which the price was asked for
		}))
	})

	request, span := provider.Tracer("example").Start(ctx, "request")
	n, err := actor.Ask(request, prices, price{item: "towel"}.to)
	span.End()
	fmt.Println(n, err)
	shop.Drain(ctx)
	stats.Drain(ctx)

	names := make(map[string]string)
	for _, s := range exporter.GetSpans() {
		names[s.SpanContext.SpanID().String()] = s.Name
	}
	for _, s := range exporter.GetSpans() {
		switch {
		case s.Parent.IsValid():
			fmt.Printf("%s, below %s\n", s.Name, names[s.Parent.SpanID().String()])
		case len(s.Links) > 0:
			fmt.Printf("%s, linked to %s\n", s.Name, names[s.Links[0].SpanContext.SpanID().String()])
		}
	}
	// Unordered output:
	// 42 <nil>
	// process shop, below request
	// process stats, linked to process shop
}
