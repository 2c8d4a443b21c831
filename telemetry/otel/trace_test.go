package otel_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"tinyactor/actor"
	"tinyactor/telemetry/otel"
)

// job is a message that carries its sender's context along.
type job struct {
	ctx context.Context
	do  func(context.Context) error
}

func (j job) Context() context.Context { return j.ctx }

// question is a message that is asked.
type question struct {
	actor.Reply[int]
	do func(context.Context, question) error
}

func (q question) to(r actor.Reply[int]) question { q.Reply = r; return q }

func do(ctx context.Context, j job) error { return j.do(ctx) }

func answer(ctx context.Context, q question) error { return q.do(ctx, q) }

// spans has what is traced.
type spans struct {
	*sdk.TracerProvider
	*tracetest.SpanRecorder
}

func record(options ...sdk.TracerProviderOption) spans {
	r := tracetest.NewSpanRecorder()
	return spans{sdk.NewTracerProvider(append(options, sdk.WithSpanProcessor(r))...), r}
}

// one returns the only ended span of a name.
func (s spans) one(t *testing.T, name string) sdk.ReadOnlySpan {
	t.Helper()
	var found []sdk.ReadOnlySpan
	for _, span := range s.Ended() {
		if span.Name() == name {
			found = append(found, span)
		}
	}
	if len(found) != 1 {
		t.Fatalf("there are %d spans %q among %d", len(found), name, len(s.Ended()))
	}
	return found[0]
}

// serve spawns an actor whose messages are handled in spans.
func serve[M any](ctx context.Context, tp trace.TracerProvider, name string, handle func(context.Context, M) error) (*actor.Child[M, actor.None], *actor.Address[M]) {
	return actor.Spawn(ctx, actor.Config{Name: name}, func(ctx context.Context, in *actor.Inbox[M]) error {
		return in.Serve(ctx, otel.Handler(tp, name, handle))
	})
}

func drain[M any](t *testing.T, child *actor.Child[M, actor.None]) error {
	t.Helper()
	_, err := child.Drain(t.Context())
	return err
}

// An ask from one actor that leads to an ask of another is one trace, in which
// each span is the child of the one that waits for it.
func TestAsksAreOneTrace(t *testing.T) {
	s := record()
	back, backAddr := serve(t.Context(), s, "back", func(_ context.Context, q question) error {
		q.Answer(42, nil)
		return nil
	})
	front, frontAddr := serve(t.Context(), s, "front", func(ctx context.Context, q question) error {
		q.Answer(actor.Ask(ctx, backAddr, question{}.to))
		return nil
	})
	ctx, root := s.Tracer("test").Start(t.Context(), "request")
	if n, err := actor.Ask(ctx, frontAddr, question{}.to); n != 42 || err != nil {
		t.Errorf("the answer is %d, %v", n, err)
	}
	root.End()
	drain(t, front)
	drain(t, back)

	request, first, second := s.one(t, "request"), s.one(t, "process front"), s.one(t, "process back")
	for _, x := range []struct{ child, parent sdk.ReadOnlySpan }{{first, request}, {second, first}} {
		if x.child.Parent().SpanID() != x.parent.SpanContext().SpanID() || x.child.SpanContext().TraceID() != request.SpanContext().TraceID() {
			t.Errorf("%s is not a child of %s", x.child.Name(), x.parent.Name())
		}
		if len(x.child.Links()) != 0 {
			t.Errorf("%s has links: %v", x.child.Name(), x.child.Links())
		}
	}
}

// A call with the asker's context and the span of the handler: its parent is the
// handler's span, its deadline the asker's.
func TestCallsThatEndWithTheAsker(t *testing.T) {
	s := record()
	child, addr := serve(t.Context(), s, "front", func(ctx context.Context, q question) error {
		ctx = trace.ContextWithSpan(q.Context(), trace.SpanFromContext(ctx))
		_, call := s.Tracer("test").Start(ctx, "call")
		call.End()
		if _, ok := ctx.Deadline(); !ok {
			t.Error("the call has no deadline")
		}
		q.Answer(1, nil)
		return nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ctx, root := s.Tracer("test").Start(ctx, "request")
	actor.Ask(ctx, addr, question{}.to)
	root.End()
	drain(t, child)
	if s.one(t, "call").Parent().SpanID() != s.one(t, "process front").SpanContext().SpanID() {
		t.Error("the call is not a child of the handler's span")
	}
}

// A message that is sent begins a trace of its own, linked to the sender's span.
func TestSendsAreLinked(t *testing.T) {
	s := record()
	spawning, spawn := s.Tracer("test").Start(t.Context(), "spawn") // the process's context has this span
	child, addr := serve(spawning, s, "worker", do)
	ctx, send := s.Tracer("test").Start(t.Context(), "sender")
	addr.Send(ctx, job{ctx: ctx, do: func(context.Context) error { return nil }})
	send.End()
	drain(t, child)
	spawn.End()

	sender, worker := s.one(t, "sender"), s.one(t, "process worker")
	if worker.Parent().IsValid() || worker.SpanContext().TraceID() == sender.SpanContext().TraceID() {
		t.Errorf("the span is in trace %v below %v", worker.SpanContext().TraceID(), worker.Parent().SpanID())
	}
	if links := worker.Links(); len(links) != 1 || !links[0].SpanContext.Equal(sender.SpanContext()) {
		t.Errorf("the span has the links %v", links)
	}
}

func TestAttributes(t *testing.T) {
	s := record()
	for _, name := range []string{"cache", "worker-7", "", "\xff"} {
		child, addr := serve(t.Context(), s, name, do)
		addr.Send(t.Context(), job{ctx: t.Context(), do: func(context.Context) error { return nil }})
		drain(t, child)
	}
	common := []attribute.KeyValue{
		attribute.String("messaging.system", "tinyactor"),
		attribute.String("messaging.operation.name", "process"),
		attribute.String("messaging.operation.type", "process"),
	}
	for span, more := range map[string][]attribute.KeyValue{
		"process cache": {attribute.String("messaging.destination.name", "cache")},
		"process worker-*": {
			attribute.String("messaging.destination.name", "worker-7"),
			attribute.String("messaging.destination.template", "worker-*"),
		},
		"process \uFFFD": {attribute.String("messaging.destination.name", "\uFFFD")},
		"process #*":     {attribute.String("messaging.destination.template", "#*")},
	} {
		x := s.one(t, span)
		want := attribute.NewSet(append(more, common...)...)
		if got := attribute.NewSet(x.Attributes()...); !got.Equals(&want) {
			t.Errorf("%s has %v", span, got.Encoded(attribute.DefaultEncoder()))
		}
		if x.SpanKind() != trace.SpanKindConsumer || x.Status().Code != codes.Unset {
			t.Errorf("%s is a %v with %v", span, x.SpanKind(), x.Status())
		}
		if x.InstrumentationScope().Name != "tinyactor/telemetry/otel" || x.InstrumentationScope().SchemaURL == "" {
			t.Errorf("the scope is %+v", x.InstrumentationScope())
		}
	}
}

// What is not asked from within a span, and what is sent without one, is a root
// without a link; what has no context is handled without a span.
func TestWithoutASpan(t *testing.T) {
	s := record()
	ok := func(context.Context) error { return nil }
	a, jobs := serve(t.Context(), s, "jobs", do)
	jobs.Send(t.Context(), job{do: ok}) // its context is nil
	jobs.Send(t.Context(), job{ctx: t.Context(), do: ok})
	drain(t, a)
	b, questions := serve(t.Context(), s, "questions", func(_ context.Context, q question) error { q.Answer(1, nil); return nil })
	actor.Ask(t.Context(), questions, question{}.to)
	questions.Send(t.Context(), question{}) // nobody asks
	drain(t, b)
	c, numbers := serve(t.Context(), s, "numbers", func(ctx context.Context, _ int) error {
		if trace.SpanContextFromContext(ctx).IsValid() {
			t.Error("there is a span for a message without a context")
		}
		return nil
	})
	numbers.Send(t.Context(), 1)
	drain(t, c)

	if len(s.Ended()) != 4 {
		t.Errorf("%d spans, want 4", len(s.Ended()))
	}
	for _, x := range s.Ended() {
		if x.Parent().IsValid() || len(x.Links()) != 0 {
			t.Errorf("%s is below %v with the links %v", x.Name(), x.Parent(), x.Links())
		}
	}
}

type contextKey struct{}

// The handler's context is that of the process: its values, no deadline of the
// asker, and cancelled by an abort.
func TestTheContextIsTheProcess(t *testing.T) {
	s := record()
	handling := make(chan struct{})
	causes := make(chan error, 1)
	child, addr := serve(context.WithValue(t.Context(), contextKey{}, "the process's"), s, "worker", answer)
	ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), contextKey{}, "the asker's"), time.Hour)
	defer cancel()
	ctx, span := s.Tracer("test").Start(ctx, "request")
	defer span.End()
	q := question{do: func(ctx context.Context, _ question) error {
		if v := ctx.Value(contextKey{}); v != "the process's" {
			t.Errorf("the value is %v", v)
		}
		if d, ok := ctx.Deadline(); ok {
			t.Errorf("there is a deadline, %v", d)
		}
		close(handling)
		<-ctx.Done()
		causes <- context.Cause(ctx)
		return nil
	}}
	go func() { <-handling; child.Abort() }()
	if _, err := actor.Ask(ctx, addr, q.to); !errors.Is(err, actor.ErrNoReply) {
		t.Errorf("the ask ends with %v", err)
	}
	if cause := <-causes; !errors.Is(cause, actor.ErrAborted) {
		t.Errorf("the context ends with %v", cause)
	}
}

var errBoom = errors.New("boom")

func TestErrorsAndPanics(t *testing.T) {
	for name, c := range map[string]struct {
		do        func(context.Context) error
		exit      func(error) bool
		status    codes.Code
		text      string
		errorType string
		exception string // type, message
	}{
		"error": {
			do:     func(context.Context) error { return fmt.Errorf("no: %w", errBoom) },
			exit:   func(err error) bool { return errors.Is(err, errBoom) },
			status: codes.Error, text: "no: boom", errorType: "*errors.errorString", exception: "*fmt.wrapError: no: boom",
		},
		"halted": {do: func(context.Context) error { return actor.ErrHalted }, exit: func(err error) bool { return err == nil }},
		"closed": {do: func(context.Context) error { return actor.ErrClosed }, exit: func(err error) bool { return err == nil }},
		"wrapped closed": {
			do:     func(context.Context) error { return fmt.Errorf("send: %w", actor.ErrClosed) },
			exit:   func(err error) bool { return errors.Is(err, actor.ErrClosed) },
			status: codes.Error, text: "send: " + actor.ErrClosed.Error(), errorType: "*errors.errorString", exception: "*fmt.wrapError: send: " + actor.ErrClosed.Error(),
		},
		"panic": {
			do: panics,
			exit: func(err error) bool {
				p, ok := errors.AsType[*actor.PanicError](err)
				return ok && p.Value == 7 && strings.Contains(string(p.Stack), "otel_test.panics")
			},
			status: codes.Error, text: "panic: 7", errorType: "panic", exception: "int: 7",
		},
		"odd text": {
			do:     func(context.Context) error { return errors.New("not \xff UTF-8") },
			exit:   func(err error) bool { return strings.Contains(err.Error(), "\xff") },
			status: codes.Error, text: "not \uFFFD UTF-8", errorType: "*errors.errorString", exception: "*errors.errorString: not \uFFFD UTF-8",
		},
		"odd panic": {
			do:     func(context.Context) error { panic("\xff") },
			exit:   func(err error) bool { return errors.As(err, new(*actor.PanicError)) },
			status: codes.Error, text: "panic: \uFFFD", errorType: "panic", exception: "string: \uFFFD",
		},
		"goexit": {
			do:     func(context.Context) error { runtime.Goexit(); return nil },
			exit:   func(err error) bool { return errors.Is(err, actor.ErrGoexit) },
			status: codes.Error, text: "ended by runtime.Goexit, as an abort does", errorType: "goexit",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := record()
			child, addr := serve(t.Context(), s, "worker", do)
			addr.Send(t.Context(), job{ctx: t.Context(), do: c.do})
			if _, err := child.Wait(t.Context()); !c.exit(err) {
				t.Errorf("the process ends with %v", err)
			}
			x := s.one(t, "process worker")
			if x.Status().Code != c.status || x.Status().Description != c.text {
				t.Errorf("the status is %+v", x.Status())
			}
			if v := attributeOf(x.Attributes(), "error.type"); v != c.errorType {
				t.Errorf("error.type is %q", v)
			}
			switch events := x.Events(); {
			case c.exception == "" && len(events) > 0:
				t.Errorf("events %v", events)
			case c.exception != "":
				if len(events) != 1 || events[0].Name != "exception" {
					t.Fatalf("events %v", events)
				}
				a := events[0].Attributes
				if e := attributeOf(a, "exception.type") + ": " + attributeOf(a, "exception.message"); e != c.exception {
					t.Errorf("the exception is %s", e)
				}
				if name == "panic" && !strings.Contains(attributeOf(a, "exception.stacktrace"), "otel_test.panics") {
					t.Errorf("the stack is %s", attributeOf(a, "exception.stacktrace"))
				}
			}
		})
	}
}

//go:noinline
func panics(context.Context) error { panic(7) }

func attributeOf(all []attribute.KeyValue, key attribute.Key) string {
	for _, a := range all {
		if a.Key == key {
			return a.Value.AsString()
		}
	}
	return ""
}

// Nothing is recorded where the asker's trace is not.
func TestAsksOfUnsampledTraces(t *testing.T) {
	s := record(sdk.WithSampler(sdk.ParentBased(sdk.NeverSample())))
	child, addr := serve(t.Context(), s, "worker", func(ctx context.Context, q question) error {
		q.Answer(1, nil)
		panic("nobody records it")
	})
	ctx, root := s.Tracer("test").Start(t.Context(), "request")
	actor.Ask(ctx, addr, question{}.to)
	root.End()
	child.Wait(t.Context())
	if n := len(s.Ended()); n != 0 {
		t.Errorf("%d spans", n)
	}
}

// What is sent from a handler with a context that is derived from the asker's, or by
// an actor that was spawned with it, is sent: nobody waits for it.
func TestSendsOfAskedHandlers(t *testing.T) {
	for name, send := range map[string]func(ctx context.Context, q question, jobs *actor.Address[job]) error{
		"without the asker's end": func(ctx context.Context, q question, jobs *actor.Address[job]) error {
			return jobs.Send(ctx, job{context.WithoutCancel(q.Context()), nothing})
		},
		"with the handler's span": func(ctx context.Context, q question, jobs *actor.Address[job]) error {
			return jobs.Send(ctx, job{trace.ContextWithSpan(q.Context(), trace.SpanFromContext(ctx)), nothing})
		},
		"spawned": func(ctx context.Context, q question, jobs *actor.Address[job]) error {
			child, _ := actor.Spawn(q.Context(), actor.Config{}, func(ctx context.Context, _ *actor.Inbox[int]) error {
				return jobs.Send(ctx, job{ctx, nothing})
			})
			_, err := child.Wait(ctx)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := record()
			worker, jobs := serve(t.Context(), s, "worker", do)
			front, questions := serve(t.Context(), s, "front", func(ctx context.Context, q question) error {
				q.Answer(1, send(ctx, q, jobs))
				return nil
			})
			ctx, root := s.Tracer("test").Start(t.Context(), "request")
			if _, err := actor.Ask(ctx, questions, question{}.to); err != nil {
				t.Error(err)
			}
			root.End()
			drain(t, front)
			drain(t, worker)
			x := s.one(t, "process worker")
			if x.Parent().IsValid() || len(x.Links()) != 1 || x.Links()[0].SpanContext.TraceID() != root.SpanContext().TraceID() {
				t.Errorf("the span is below %v, with the links %v", x.Parent().SpanID(), x.Links())
			}
		})
	}
}

// Who passes the question on still has the asker wait: the span is the asker's child.
func TestAsksThatArePassedOn(t *testing.T) {
	s := record()
	back, backAddr := serve(t.Context(), s, "back", func(_ context.Context, q question) error { q.Answer(42, nil); return nil })
	front, frontAddr := serve(t.Context(), s, "front", func(ctx context.Context, q question) error { return backAddr.Send(ctx, q) })
	ctx, root := s.Tracer("test").Start(t.Context(), "request")
	if n, err := actor.Ask(ctx, frontAddr, question{}.to); n != 42 || err != nil {
		t.Errorf("the answer is %d, %v", n, err)
	}
	root.End()
	drain(t, front)
	drain(t, back)
	for _, name := range []string{"process front", "process back"} {
		if s.one(t, name).Parent().SpanID() != root.SpanContext().SpanID() {
			t.Errorf("%s is not the child of the asker's span", name)
		}
	}
}

// The processes of a pool, which take their messages in batches: a span for each.
func TestBatchesOfAPool(t *testing.T) {
	s := record()
	handle := otel.Handler(s, "worker", do)
	pool, addr := actor.SpawnPool(t.Context(), actor.Config{Name: "worker"}, 3, actor.NoValue(func(ctx context.Context, in *actor.Inbox[job]) error {
		batch := make([]job, 8)
		for {
			n, err := in.RecvBatch(ctx, batch, 0)
			if err != nil {
				return err
			}
			for _, j := range batch[:n] {
				if err := handle(ctx, j); err != nil {
					return err
				}
			}
		}
	}))
	const sent = 50
	want := make(map[trace.SpanID]int)
	for range sent {
		ctx, span := s.Tracer("test").Start(t.Context(), "sender")
		want[span.SpanContext().SpanID()]++
		addr.Send(ctx, job{ctx, nothing})
		span.End()
	}
	if _, err := pool.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	for _, x := range s.Ended() {
		if x.Name() == "process worker" && len(x.Links()) == 1 {
			want[x.Links()[0].SpanContext.SpanID()]--
		}
	}
	for sender, n := range want {
		if n != 0 {
			t.Errorf("sender %v: %d too few", sender, n)
		}
	}
	if n := len(s.Ended()); n != 2*sent {
		t.Errorf("%d spans, want %d", n, 2*sent)
	}
}

// seen is a sampler that keeps what it is asked.
type seen struct {
	sdk.Sampler
	asked []sdk.SamplingParameters
}

func (s *seen) ShouldSample(p sdk.SamplingParameters) sdk.SamplingResult {
	s.asked = append(s.asked, p)
	return s.Sampler.ShouldSample(p)
}

// The sampler decides anew about what was sent, also from a trace that is not
// sampled, and sees the kind, the attributes and the link.
func TestTheSamplerDecidesAboutSends(t *testing.T) {
	s := record(sdk.WithSampler(sdk.NeverSample()))
	ctx, sender := s.Tracer("test").Start(t.Context(), "sender")
	decides := &seen{Sampler: sdk.ParentBased(sdk.AlwaysSample())}
	s = record(sdk.WithSampler(decides))
	child, addr := serve(t.Context(), s, "worker-1", do)
	addr.Send(ctx, job{ctx, nothing})
	drain(t, child)
	if links := s.one(t, "process worker-*").Links(); len(links) != 1 || !links[0].SpanContext.Equal(sender.SpanContext()) {
		t.Errorf("the links are %v", links)
	}
	p := decides.asked[0]
	if len(decides.asked) != 1 || p.Kind != trace.SpanKindConsumer || len(p.Links) != 1 ||
		attributeOf(p.Attributes, "messaging.destination.name") != "worker-1" || trace.SpanContextFromContext(p.ParentContext).IsValid() {
		t.Errorf("the sampler is asked %+v", decides.asked)
	}
}

func nothing(context.Context) error { return nil }

// An error that is the answer is no error of the handler.
func TestAnErrorAsAnswer(t *testing.T) {
	s := record()
	child, addr := serve(t.Context(), s, "worker", func(_ context.Context, q question) error { q.Answer(0, errBoom); return nil })
	if _, err := actor.Ask(t.Context(), addr, question{}.to); !errors.Is(err, errBoom) {
		t.Errorf("the answer is %v", err)
	}
	drain(t, child)
	if x := s.one(t, "process worker"); x.Status().Code != codes.Unset || len(x.Events()) != 0 {
		t.Errorf("the span has %+v, %v", x.Status(), x.Events())
	}
}

// errBad is an error whose text does not expect to be asked for.
type errBad struct{ text *string }

func (e *errBad) Error() string { return *e.text }

// The process ends with the handler's error, whatever a method of that does.
func TestErrorsWithBadMethods(t *testing.T) {
	for _, sampler := range []sdk.Sampler{sdk.AlwaysSample(), sdk.NeverSample()} {
		s := record(sdk.WithSampler(sampler))
		child, addr := serve(t.Context(), s, "worker", do)
		bad := new(errBad)
		addr.Send(t.Context(), job{t.Context(), func(context.Context) error { return bad }})
		if _, err := child.Wait(t.Context()); err != error(bad) {
			t.Errorf("the process ends with a %T", err)
		}
		if sampler.Description() == "AlwaysOffSampler" {
			continue
		}
		x := s.one(t, "process worker")
		if x.Status().Code != codes.Error || !strings.HasPrefix(x.Status().Description, "a method of the error panics: ") ||
			attributeOf(x.Attributes(), "error.type") != "*otel_test.errBad" {
			t.Errorf("the span has %+v, %v", x.Status(), x.Attributes())
		}
	}
}

func TestNil(t *testing.T) {
	for name, f := range map[string]func(){
		"the tracer provider is nil": func() { otel.Handler(nil, "a", do) },
		"handle is nil":              func() { otel.Handler[job](record(), "a", nil) },
		"the meter provider is nil":  func() { otel.Register(nil, nil, otel.Options{}) },
	} {
		func() {
			defer func() {
				if v, _ := recover().(string); !strings.Contains(v, name) {
					t.Errorf("the panic is %q, want %q", v, name)
				}
			}()
			f()
		}()
	}
}
