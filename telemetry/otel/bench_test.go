package otel_test

import (
	"context"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"tinyactor/actor"
	"tinyactor/telemetry/otel"
)

// BenchmarkHandle is what the wrapper adds to a call of the function that handles a message.
func BenchmarkHandle(b *testing.B) {
	unsampled := sdk.NewTracerProvider(sdk.WithSampler(sdk.ParentBased(sdk.NeverSample())))
	sampled := sdk.NewTracerProvider()
	for _, c := range []struct {
		name string
		tp   trace.TracerProvider
	}{
		{"noop", noop.NewTracerProvider()},
		{"unsampled", unsampled},
		{"sampled", sampled},
	} {
		b.Run(c.name, func(b *testing.B) {
			ctx, span := c.tp.Tracer("bench").Start(b.Context(), "sender")
			defer span.End()
			j := job{ctx: ctx}
			handle := otel.Handler(c.tp, "worker-1", func(context.Context, job) error { return nil })
			b.ReportAllocs()
			for b.Loop() {
				handle(b.Context(), j)
			}
		})
	}
	b.Run("no context", func(b *testing.B) {
		handle := otel.Handler(sampled, "worker-1", func(context.Context, int) error { return nil })
		b.ReportAllocs()
		for b.Loop() {
			handle(b.Context(), 1)
		}
	})
}

// BenchmarkSend is a message with a context from one goroutine to an actor.
func BenchmarkSend(b *testing.B) {
	ok := func(context.Context, job) error { return nil }
	unsampled := sdk.NewTracerProvider(sdk.WithSampler(sdk.ParentBased(sdk.NeverSample())))
	sampled := sdk.NewTracerProvider()
	for _, c := range []struct {
		name   string
		tp     trace.TracerProvider
		handle func(context.Context, job) error
	}{
		{"untraced", sampled, ok},
		{"unsampled", unsampled, otel.Handler(unsampled, "worker-1", ok)},
		{"sampled", sampled, otel.Handler(sampled, "worker-1", ok)},
	} {
		b.Run(c.name, func(b *testing.B) {
			ctx, span := c.tp.Tracer("bench").Start(b.Context(), "sender")
			defer span.End()
			child, addr := actor.Spawn(b.Context(), actor.Config{Capacity: actor.Bounded(1024)}, func(ctx context.Context, in *actor.Inbox[job]) error {
				return in.Serve(ctx, c.handle)
			})
			for b.Loop() {
				addr.Send(ctx, job{ctx: ctx})
			}
			child.Drain(b.Context())
		})
	}
}
