package observed

import (
	"context"

	sdk "go.opentelemetry.io/otel/sdk/trace"

	"tinyactor/actor"
	"tinyactor/benchmarks/internal/contest"
	"tinyactor/telemetry/otel"
)

// tracer makes actors whose handlers are traced.
type tracer struct {
	contest.Contestant                 // for what is not traced
	ctx                context.Context //nolint:containedctx // of the run, in a span
	provider           *sdk.TracerProvider
}

// traced makes actors whose messages carry a context with a span.
func traced(s sdk.Sampler) func(context.Context) contest.Contestant {
	return func(ctx context.Context) contest.Contestant {
		provider := sdk.NewTracerProvider(sdk.WithSampler(s)) // exports to nobody
		ctx, span := provider.Tracer("benchmarks").Start(ctx, "run")
		context.AfterFunc(ctx, func() { span.End() })
		return &tracer{ctx: ctx, provider: provider}
	}
}

// told is a message with a context.
type told struct {
	contest.Msg
	ctx context.Context //nolint:containedctx // the message's
}

func (m told) Context() context.Context { return m.ctx }

func (t *tracer) Spawn(_ contest.Options, receivers ...*contest.Receiver) contest.Mailbox {
	handle := otel.Handler(t.provider, "receiver", func(_ context.Context, m told) error {
		receivers[0].Take(m.Msg)
		return nil
	})
	child, addr := actor.Spawn(t.ctx, actor.Config{Capacity: actor.Unbounded()},
		func(ctx context.Context, in *actor.Inbox[told]) error { return in.Serve(ctx, handle) })
	return tracedBox{t, child, addr}
}

type tracedBox struct {
	*tracer
	child *actor.Child[told, actor.None]
	addr  *actor.Address[told]
}

func (b tracedBox) Send(m contest.Msg) { must(b.addr.Send(b.ctx, told{m, b.ctx})) }

func (b tracedBox) Feed(m contest.Msg, n int) {
	for i := range int64(n) {
		b.Send(contest.Msg{V: m.V + i})
	}
}

func (b tracedBox) Stop() {
	_, err := b.child.Drain(b.ctx)
	must(err)
}
