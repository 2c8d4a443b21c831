package otel

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"tinyactor/actor"
	"tinyactor/internal/inspect"
	"tinyactor/internal/tally"
)

// Handler returns a function for Inbox.Serve that handles each message that has a
// method Context() context.Context in a span of its own, "process" and the name
// of the actor in which digits and ids are replaced by a star. A message that
// has none is handled without. Who receives in another way calls it for each
// message, also of a batch.
//
// What the span belongs to is in the message's context:
//
//   - Of an ask, that is of a message whose context is the one of an actor.Reply in it,
//     best embedded, it is the child of the span in which the asker asks: the asker
//     waits for it.
//   - Of any other, it is the root of a new trace, linked to the span in which
//     the message was made: that may have ended long since. The sampler decides
//     anew, and sees the link.
//   - If there is no span in the message's context, it is a root without a link.
//
// The context that handle gets is the one that the returned function is given, so
// that of the process, with the new span in it. It has no deadline of the asker. For a
// call that is to end with the asker, put the span into the asker's context:
//
//	ctx := trace.ContextWithSpan(m.Context(), trace.SpanFromContext(ctx))
//
// An error that handle returns makes the span an error, unless it is
// actor.ErrHalted or actor.ErrClosed, with which a process ends in order. So does
// a panic, which goes on. An error given to Reply.Answer does not: whether
// it is one is for the asker to say.
//
// To send a context along with a message that is not an ask, put it in:
//
//	type job struct {
//		ctx context.Context
//		…
//	}
//
//	func (j job) Context() context.Context { return j.ctx }
//
//	jobs.Send(ctx, job{ctx: ctx})
//
// Handler panics if tp or handle is nil.
func Handler[M any](tp trace.TracerProvider, name string, handle func(context.Context, M) error) func(context.Context, M) error {
	switch {
	case tp == nil:
		panic("otel: Handler: the tracer provider is nil")
	case handle == nil:
		panic("otel: Handler: handle is nil")
	}
	t := newTracer(tp, name)
	return func(ctx context.Context, m M) error {
		c, ok := any(m).(contexter)
		if !ok {
			return handle(ctx, m)
		}
		ctx, span := t.start(ctx, c.Context())
		returned := false
		defer unwind(span, &returned)
		err := handle(ctx, m)
		returned = true
		if err != nil && err != actor.ErrHalted && err != actor.ErrClosed {
			failed(span, err)
		}
		span.End()
		return err
	}
}

// contexter is a message that has a context.
type contexter interface{ Context() context.Context }

// tracer starts the spans of one actor.
type tracer struct {
	trace.Tracer
	name        string
	child, root []trace.SpanStartOption
}

func newTracer(tp trace.TracerProvider, name string) *tracer {
	name = valid(name)
	template := cmp.Or(tally.Mask(name), tally.Unnamed)
	attributes := []attribute.KeyValue{
		system,
		semconv.MessagingOperationName("process"),
		semconv.MessagingOperationTypeProcess,
	}
	if name != "" {
		attributes = append(attributes, semconv.MessagingDestinationName(name))
	}
	if template != name {
		attributes = append(attributes, semconv.MessagingDestinationTemplate(template))
	}
	child := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(attributes...)}
	return &tracer{
		Tracer: tp.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL)),
		name:   "process " + template,
		child:  child,
		root:   append(slices.Clip(child), trace.WithNewRoot()),
	}
}

// start starts the span of a message with the context from, and returns ctx with
// it. What span ctx has already is that in which the actor was spawned, and the
// parent of none.
func (t *tracer) start(ctx, from context.Context) (context.Context, trace.Span) {
	by := trace.SpanContextFromContext(from)
	if !by.IsValid() {
		return t.Start(ctx, t.name, t.root...)
	}
	if from.Value(inspect.AskKey{}) == from {
		return t.Start(trace.ContextWithSpan(ctx, trace.SpanFromContext(from)), t.name, t.child...)
	}
	return t.Start(ctx, t.name, append(slices.Clip(t.root), trace.WithLinks(trace.Link{SpanContext: by}))...)
}

// unwind ends the span of a handle that has not returned: it panics, or its
// goroutine ends, as that of an aborted process does in the inbox.
func unwind(span trace.Span, returned *bool) {
	if *returned {
		return
	}
	v := recover()
	if v == nil {
		fail(span, "ended by runtime.Goexit, as an abort does", semconv.ErrorTypeKey.String("goexit"))
		span.End()
		return
	}
	if span.IsRecording() {
		text := fmt.Sprint(v)
		exception(span, v, text, semconv.ExceptionStacktrace(string(debug.Stack())))
		fail(span, "panic: "+text, semconv.ErrorTypeKey.String("panic"))
	}
	span.End()
	panic(v) // its stack is still there, below this call
}

// failed makes the span an error, for err. A method of err may panic; without the
// span nobody would have called it here.
func failed(span trace.Span, err error) {
	if !span.IsRecording() {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			fail(span, fmt.Sprintf("a method of the error panics: %v", v), semconv.ErrorTypeKey.String(fmt.Sprintf("%T", err)))
		}
	}()
	text := err.Error()
	exception(span, err, text)
	fail(span, text, semconv.ErrorType(err))
}

// exception adds the event that tells of an error, or of what a panic had.
func exception(span trace.Span, what any, text string, more ...attribute.KeyValue) {
	span.AddEvent(semconv.ExceptionEventName, trace.WithAttributes(append(more,
		semconv.ExceptionType(fmt.Sprintf("%T", what)), semconv.ExceptionMessage(valid(text)))...))
}

func fail(span trace.Span, text string, errorType attribute.KeyValue) {
	span.SetStatus(codes.Error, valid(text))
	span.SetAttributes(errorType)
}

// valid returns a text as OTLP takes it. For one that is not UTF-8 an exporter
// drops all the spans that it is about to send.
func valid(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }
