package actor_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// errorsRun runs body as an actor of one process with a small inbox.
func errorsRun(t *testing.T, name string, body func(context.Context, *actor.Inbox[askMsg]) error) (*actor.Child[askMsg, actor.None], *actor.Address[askMsg]) {
	return actor.Spawn(t.Context(), actor.Config{Name: name, Capacity: actor.Bounded(1), AbortTimer: -1, Undelivered: func(any) {}}, body)
}

// errorsEnded returns a context that has ended.
func errorsEnded() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// errorsInside returns the error that f gets inside a process.
func errorsInside(f func(context.Context, *actor.Inbox[askMsg]) error) func(*testing.T, string) (error, actor.ID) {
	return func(t *testing.T, name string) (got error, _ actor.ID) {
		child, _ := errorsRun(t, name, func(ctx context.Context, in *actor.Inbox[askMsg]) error {
			got = f(ctx, in)
			return nil
		})
		<-child.Done()
		return got, child.ID()
	}
}

// errorsExit returns the exit of a process.
func errorsExit(body func(context.Context, *actor.Inbox[askMsg]) error, tell func(*actor.Child[askMsg, actor.None])) func(*testing.T, string) (error, actor.ID) {
	return func(t *testing.T, name string) (error, actor.ID) {
		child, _ := errorsRun(t, name, body)
		synctest.Wait()
		if tell != nil {
			tell(child)
		}
		_, err := child.Wait(context.Background())
		return err, child.ID()
	}
}

// errorsOf returns the error of a call on an actor with a full inbox that is
// open, closed or ended, and whose process does not look at it.
func errorsOf(state string, f func(*actor.Child[askMsg, actor.None], *actor.Address[askMsg]) error) func(*testing.T, string) (error, actor.ID) {
	return func(t *testing.T, name string) (error, actor.ID) {
		release := make(chan struct{})
		child, addr := errorsRun(t, name, until[askMsg](release))
		addr.TrySend(askMsg{})
		switch state {
		case "closed":
			child.Close()
		case "ended":
			close(release)
			<-child.Done()
		}
		err := f(child, addr)
		if state != "ended" {
			close(release)
		}
		<-child.Done()
		return err, child.ID()
	}
}

// Every error says which actor it is about and what happened, once, and matches
// its sentinel.
func TestE4ErrorsNameTheActor(t *testing.T) {
	captureLogs(t)
	type child = *actor.Child[askMsg, actor.None]
	type address = *actor.Address[askMsg]
	second := func(_ int, err error) error { return err }
	for what, c := range map[string]struct {
		get  func(*testing.T, string) (error, actor.ID)
		is   error
		text string // after the actor's name
	}{
		"Send":               {errorsOf("closed", func(_ child, a address) error { return a.Send(t.Context(), askMsg{}) }), actor.ErrClosed, ": send: closed"},
		"Send after the end": {errorsOf("ended", func(_ child, a address) error { return a.Send(t.Context(), askMsg{}) }), actor.ErrClosed, ": send: closed"},
		"Send, ctx":          {errorsOf("", func(_ child, a address) error { return a.Send(errorsEnded(), askMsg{}) }), context.Canceled, ": send: context canceled"},
		"TrySend":            {errorsOf("", func(_ child, a address) error { return a.TrySend(askMsg{}) }), actor.ErrFull, ": send: inbox full"},
		"TrySend, closed":    {errorsOf("closed", func(_ child, a address) error { return a.TrySend(askMsg{}) }), actor.ErrClosed, ": send: closed"},
		"SendNow":            {errorsOf("", func(_ child, a address) error { return a.SendNow(askMsg{}) }), actor.ErrFull, ": send: inbox full"},
		"SendNow, closed":    {errorsOf("closed", func(_ child, a address) error { return a.SendNow(askMsg{}) }), actor.ErrClosed, ": send: closed"},
		"SendAll":            {errorsOf("", func(_ child, a address) error { return second(a.SendAll(errorsEnded(), make([]askMsg, 2))) }), context.Canceled, ": send: context canceled"},
		"SendAll, closed":    {errorsOf("closed", func(_ child, a address) error { return second(a.SendAll(t.Context(), make([]askMsg, 2))) }), actor.ErrClosed, ": send: closed"},
		"Map":                {errorsOf("closed", func(_ child, a address) error { return actor.Map(a, askSame[askMsg]).TrySend(askMsg{}) }), actor.ErrClosed, ": send: closed"},
		"Ask, closed":        {errorsOf("closed", func(_ child, a address) error { return second(actor.Ask(t.Context(), a, askMsg{}.to)) }), actor.ErrClosed, ": send: closed"},
		"Ask, ctx in Send":   {errorsOf("", func(_ child, a address) error { return second(actor.Ask(errorsEnded(), a, askMsg{}.to)) }), context.Canceled, ": send: context canceled"},
		"Address.Wait":       {errorsOf("", func(_ child, a address) error { return a.Wait(errorsEnded()) }), context.Canceled, ": wait: context canceled"},
		"Child.Wait": {errorsOf("", func(c child, _ address) error { _, err := c.Wait(errorsEnded()); return err }),
			context.Canceled, ": wait: context canceled"},
		"Pool.Wait": {errorsOf("", func(c child, _ address) error { _, err := c.Pool().Wait(errorsEnded()); return err }),
			context.Canceled, ": wait: context canceled"},
		"Pool.Spawn": {errorsOf("ended", func(c child, _ address) error { return c.Pool().Spawn(actor.NoValue(askDouble)) }),
			actor.ErrClosed, ": spawn: closed"},
		"Stop": {errorsOf("", func(c child, _ address) error { _, err := c.Stop(errorsEnded()); return err }),
			actor.ErrStuck, ": process 0 is stuck"},

		"Send to itself": {errorsInside(func(ctx context.Context, in *actor.Inbox[askMsg]) error {
			in.Address().Send(ctx, askMsg{})
			return in.Address().Send(ctx, askMsg{})
		}), actor.ErrFull, ": send to itself: inbox full"},
		"Ask itself": {errorsInside(func(ctx context.Context, in *actor.Inbox[askMsg]) error {
			return second(actor.Ask(ctx, in.Address(), askMsg{}.to))
		}), actor.ErrNoReply, ": ask: no reply: "},
		"Recv": {errorsInside(func(ctx context.Context, in *actor.Inbox[askMsg]) error {
			_, err := in.Recv(errorsEnded())
			return err
		}), context.Canceled, ": receive: context canceled"},
		"RecvBatch": {errorsInside(func(ctx context.Context, in *actor.Inbox[askMsg]) error {
			return second(in.RecvBatch(errorsEnded(), make([]askMsg, 1), 0))
		}), context.Canceled, ": receive: context canceled"},
		"Messages": {errorsInside(func(ctx context.Context, in *actor.Inbox[askMsg]) error {
			for range in.Messages(errorsEnded()) {
			}
			return in.Err()
		}), context.Canceled, ": receive: context canceled"},
		"Serve": {errorsInside(func(ctx context.Context, in *actor.Inbox[askMsg]) error {
			return in.Serve(errorsEnded(), func(context.Context, askMsg) error { return nil })
		}), context.Canceled, ": receive: context canceled"},

		"panic":  {errorsExit(func(context.Context, *actor.Inbox[askMsg]) error { panic(errAskBoom) }, nil), errAskBoom, ": panic: boom"},
		"Goexit": {errorsExit(func(context.Context, *actor.Inbox[askMsg]) error { runtime.Goexit(); return nil }, nil), actor.ErrGoexit, ": body called runtime.Goexit"},
		"abort":  {errorsExit(askDouble, func(c child) { c.Abort() }), actor.ErrAborted, ": aborted"},
		"panic in an abort": {errorsExit(func(ctx context.Context, _ *actor.Inbox[askMsg]) error { <-ctx.Done(); panic(errAskBoom) },
			func(c child) { c.Abort() }), actor.ErrAborted, ": aborted"},

		"Ask, ctx": {func(t *testing.T, name string) (error, actor.ID) {
			c, a := errorsRun(t, name, askLending(make(chan askMsg, 1)))
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err := second(actor.Ask(ctx, a, askMsg{}.to))
			c.Stop(t.Context())
			return err, c.ID()
		}, context.DeadlineExceeded, ": ask: context deadline exceeded"},
		"Ask, ended": {func(t *testing.T, name string) (error, actor.ID) {
			c, a := errorsRun(t, name, func(ctx context.Context, in *actor.Inbox[askMsg]) error { in.Recv(ctx); return errAskBoom })
			return second(actor.Ask(t.Context(), a, askMsg{}.to)), c.ID()
		}, actor.ErrNoReply, ": ask: no reply: "},
		"Ask, left": {func(t *testing.T, name string) (error, actor.ID) {
			c, a := errorsRun(t, name, func(context.Context, *actor.Inbox[askMsg]) error { time.Sleep(time.Second); return nil })
			return second(actor.Ask(t.Context(), a, askMsg{}.to)), c.ID()
		}, actor.ErrNoReply, ": ask: no reply: "},
		"Ask, stuck": {func(t *testing.T, name string) (error, actor.ID) {
			release := make(chan struct{})
			c, a := errorsRun(t, name, until[askMsg](release))
			time.AfterFunc(time.Second, func() { c.Abort() })
			err := second(actor.Ask(t.Context(), a, askMsg{}.to))
			close(release)
			<-c.Done()
			return err, c.ID()
		}, actor.ErrNoReply, ": ask: no reply: "},
	} {
		for _, name := range []string{"", "named"} {
			t.Run(what+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					err, id := c.get(t, name)
					if !errors.Is(err, c.is) {
						t.Fatalf("got %v, want %v", err, c.is)
					}
					who := fmt.Sprintf("actor #%d", id)
					if name != "" {
						who = fmt.Sprintf("actor %q (#%d)", name, id)
					}
					if !strings.Contains(err.Error(), who+c.text) {
						t.Errorf("the text is %q, want %q in it", err, who+c.text)
					}
				})
			})
		}
	}
}

// The zero Address, Child and Pool are of an actor that has ended, and say so.
func TestE4ErrorsOfZeroValues(t *testing.T) {
	addr, child, pool := new(actor.Address[askMsg]), new(actor.Child[askMsg, int]), new(actor.Pool[askMsg, int])
	_, ask := actor.Ask(t.Context(), addr, askMsg{}.to)
	_, all := addr.SendAll(t.Context(), make([]askMsg, 1))
	_, wait := child.Wait(t.Context())
	_, stop := child.Stop(t.Context())
	for what, err := range map[string]error{
		"Send":       addr.Send(t.Context(), askMsg{}),
		"TrySend":    addr.TrySend(askMsg{}),
		"SendNow":    addr.SendNow(askMsg{}),
		"SendAll":    all,
		"Ask":        ask,
		"Child.Wait": wait,
		"Child.Stop": stop,
		"Pool.Spawn": pool.Spawn(func(context.Context, *actor.Inbox[askMsg]) (int, error) { return 0, nil }),
	} {
		if !errors.Is(err, actor.ErrClosed) || !strings.Contains(fmt.Sprint(err), "zero value") {
			t.Errorf("%s: %v, want ErrClosed that says zero value", what, err)
		}
	}
}

// What an inbox says about itself is bare, to be compared and returned.
func TestE4InboxErrorsAreBare(t *testing.T) {
	child, _ := actor.Spawn(t.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
		if _, err := in.TryRecv(); err != actor.ErrEmpty {
			t.Errorf("TryRecv of an empty inbox: %v", err)
		}
		in.Address().Halt()
		if _, err := in.Recv(ctx); err != actor.ErrHalted {
			t.Errorf("Recv of a halted process: %v", err)
		}
		_, err := in.Recv(ctx)
		if err != actor.ErrClosed {
			t.Errorf("Recv of a closed inbox: %v", err)
		}
		return err
	})
	if _, err := child.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

// A PanicError gives its value, its stack, and what the value wraps.
func TestE4PanicError(t *testing.T) {
	captureLogs(t)
	for _, value := range []any{errAskBoom, "a text", 17, nil} {
		child, _ := actor.Spawn(t.Context(), actor.Config{}, func(context.Context, *actor.Inbox[int]) error { panic(value) })
		_, err := child.Wait(t.Context())
		p, ok := errors.AsType[*actor.PanicError](err)
		if !ok || !strings.Contains(string(p.Stack), "errors_test.go") {
			t.Fatalf("panic(%v): %#v", value, err)
		}
		if _, isNil := p.Value.(*runtime.PanicNilError); p.Value != value && !(value == nil && isNil) {
			t.Errorf("panic(%v): the value is %v", value, p.Value)
		}
		if want := "panic: " + fmt.Sprint(p.Value); p.Error() != want || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("panic(%v): the texts are %q and %q", value, p, err)
		}
		if inner, _ := value.(error); inner != nil && !errors.Is(err, inner) {
			t.Errorf("panic(%v) does not match its value", value)
		}
	}
	child, _ := actor.Spawn(t.Context(), actor.Config{}, func(context.Context, *actor.Inbox[int]) error {
		return fmt.Errorf("not reached: %d", []int{}[len(t.Name())])
	})
	_, err := child.Wait(t.Context())
	if _, ok := errors.AsType[runtime.Error](err); !ok {
		t.Errorf("%v is no runtime.Error", err)
	}
}

// Every sentinel has a comment that begins with its name and goes on after it
// has said when the error comes: with what to do then.
func TestE4SentinelsAreDocumented(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "errors.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for _, name := range v.Names {
			doc := strings.Join(strings.Fields(v.Doc.Text()), " ")
			clauses := strings.Split(strings.NewReplacer(": ", ". ", "; ", ". ").Replace(doc), ". ")
			if !strings.HasPrefix(doc, name.Name+" ") || len(clauses) < 2 {
				t.Errorf("%s has the comment %q: when does it come, and what is to be done then?", name, doc)
			}
			found++
		}
		return true
	})
	if found != 8 {
		t.Errorf("errors.go has %d sentinels, want 8", found)
	}
}
