package actor_test

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"tinyactor/actor"
)

// reachGC collects garbage until the test ends.
func reachGC(t *testing.T) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-quit:
				return
			default:
				runtime.GC()
			}
		}
	}()
	t.Cleanup(func() { close(quit); <-done })
}

// Sends that wait on the last reference are accepted, however long they wait.
func TestH3ASendThatWaitsHoldsItsAddress(t *testing.T) {
	sends := map[string]func(a *actor.Address[int]) error{
		"Send":            func(a *actor.Address[int]) error { return a.Send(context.Background(), 1) },
		"Send with a ctx": func(a *actor.Address[int]) error { return a.Send(t.Context(), 1) },
		"SendAll": func(a *actor.Address[int]) error {
			_, err := a.SendAll(context.Background(), []int{1, 2, 3})
			return err
		},
		"Send through Map": func(a *actor.Address[int]) error {
			return actor.Map(a, func(int) int { return 1 }).Send(t.Context(), 1)
		},
		"Send through a Sender": func(a *actor.Address[int]) error { return actor.Sender[int](a).Send(t.Context(), 1) },
	}
	for name, send := range sends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gate, life := make(chan struct{}), make(chan error, 1)
			sent := make(chan error, 1)
			reachFull(t, gate, life, func(a *actor.Address[int]) { sent <- send(a) })
			reachRounds(t)
			close(gate)
			if err := <-sent; err != nil {
				t.Errorf("the send that waited: %v", err)
			}
			reachUntil(t, "ended", func() bool { return len(life) > 0 })
		})
	}
}

// reachFull spawns an actor whose inbox is full until gate is closed, and gives
// its only reference to a goroutine that calls use.
//
//go:noinline
func reachFull(t *testing.T, gate <-chan struct{}, ended chan<- error, use func(*actor.Address[int])) {
	_, a := actor.Spawn(context.Background(), actor.Config{Capacity: actor.Bounded(1)},
		func(ctx context.Context, in *actor.Inbox[int]) error {
			<-gate
			err := keep(new(list[int]))(ctx, in)
			ended <- err
			return nil
		})
	if err := a.TrySend(0); err != nil {
		t.Error(err)
	}
	go use(a)
}

// A wait on the last reference keeps the actor open: it does not bring about
// the end that it waits for.
func TestH3AWaitHoldsItsActor(t *testing.T) {
	exits := func(ctx context.Context, p *actor.Pool[any, actor.None]) {
		for range p.Exits(ctx) {
		}
	}
	waits := map[string]func(ctx context.Context, c *reachChild, a *reachAddress){
		"Address.Wait": func(ctx context.Context, _ *reachChild, a *reachAddress) { a.Wait(ctx) },
		"Child.Wait":   func(ctx context.Context, c *reachChild, _ *reachAddress) { c.Wait(ctx) },
		"Pool.Wait":    func(ctx context.Context, c *reachChild, _ *reachAddress) { c.Pool().Wait(ctx) },
		"Pool.Exits":   func(ctx context.Context, c *reachChild, _ *reachAddress) { exits(ctx, c.Pool()) },
		"Ask": func(ctx context.Context, _ *reachChild, a *reachAddress) {
			actor.Ask(ctx, a, func(r actor.Reply[int]) any { return 0 })
		},
	}
	for name, wait := range waits {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			child, addr, life := reachSpawn(actor.Config{})
			returned := make(chan struct{})
			go func(c *reachChild, a *reachAddress) {
				defer close(returned)
				wait(ctx, c, a)
			}(child, addr)
			reachRounds(t)
			if life.over() {
				t.Errorf("closed while somebody waited for it: %v", <-life.ended)
			}
			cancel()
			<-returned
			reachUntil(t, "ended", life.over)
		})
	}
}

// reachCalls are calls that do not wait, each on the last reference to an open
// actor of one process with an empty inbox.
var reachCalls = []struct {
	name string
	call func(c *reachChild, a *reachAddress) bool // false: it was cut off
	ends error                                     // what the inbox must say then; nil: it does not matter
}{
	{"Address.TrySend", func(_ *reachChild, a *reachAddress) bool { return a.TrySend(1) == nil }, actor.ErrClosed},
	{"Address.SendNow", func(_ *reachChild, a *reachAddress) bool { return a.SendNow(1) == nil }, actor.ErrClosed},
	{"Address.Send", func(_ *reachChild, a *reachAddress) bool { return a.Send(context.Background(), 1) == nil }, actor.ErrClosed},
	{"Address.SendAll", func(_ *reachChild, a *reachAddress) bool {
		n, err := a.SendAll(context.Background(), []any{1, 2})
		return n == 2 && err == nil
	}, actor.ErrClosed},
	{"Address.Closed", func(_ *reachChild, a *reachAddress) bool { return !a.Closed() }, actor.ErrClosed},
	{"Address.Processes", func(_ *reachChild, a *reachAddress) bool { return a.Processes() == 1 }, actor.ErrClosed},
	{"Address.Halt", func(_ *reachChild, a *reachAddress) bool { a.Halt(); return true }, actor.ErrHalted},
	{"Child.Halt", func(c *reachChild, _ *reachAddress) bool { c.Halt(); return true }, actor.ErrHalted},
	{"Child.Close", func(c *reachChild, _ *reachAddress) bool { return c.Close() }, actor.ErrClosed},
	{"Child.Abort", func(c *reachChild, _ *reachAddress) bool { return c.Abort() }, nil},
	{"Child.Processes", func(c *reachChild, _ *reachAddress) bool { return c.Processes() == 1 }, actor.ErrClosed},
	{"Child.Stop", func(c *reachChild, _ *reachAddress) bool { _, err := c.Stop(context.Background()); return err == nil }, actor.ErrHalted},
	{"Child.Drain", func(c *reachChild, _ *reachAddress) bool { _, err := c.Drain(context.Background()); return err == nil }, actor.ErrClosed},
	{"Pool.Halt", func(c *reachChild, _ *reachAddress) bool { c.Pool().Halt(); return true }, actor.ErrHalted},
	{"Pool.HaltSome", func(c *reachChild, _ *reachAddress) bool { c.Pool().HaltSome(1); return true }, actor.ErrHalted},
	{"Pool.Close", func(c *reachChild, _ *reachAddress) bool { return c.Pool().Close() }, actor.ErrClosed},
	{"Pool.Abort", func(c *reachChild, _ *reachAddress) bool { return c.Pool().Abort() }, nil},
	{"Pool.Spawn", func(c *reachChild, _ *reachAddress) bool {
		return c.Pool().Spawn(actor.NoValue(keep(new(list[any])))) == nil
	}, actor.ErrClosed},
	{"Pool.Stop", func(c *reachChild, _ *reachAddress) bool {
		_, err := c.Pool().Stop(context.Background())
		return err == nil
	}, actor.ErrHalted},
	{"Watch", func(_ *reachChild, a *reachAddress) bool { return a.Watch(a, func(error) any { return 0 })() }, actor.ErrClosed},
	{"SendAfter", func(_ *reachChild, a *reachAddress) bool { return a.SendAfter(time.Hour, 1)() }, actor.ErrClosed},
	{"SendEvery", func(_ *reachChild, a *reachAddress) bool { return a.SendEvery(time.Hour, 1)() }, actor.ErrClosed},
}

// Case 19.
func TestH3NoMethodIsCutOffOnTheLastReference(t *testing.T) {
	reachGC(t)
	const rounds = 20
	for _, c := range reachCalls {
		var lives []*reachLife
		for range rounds {
			child, addr, life := reachSpawn(actor.Config{})
			if !c.call(child, addr) {
				t.Errorf("%s: cut off", c.name)
			}
			lives = append(lives, life)
		}
		for _, l := range lives {
			if c.ends == nil {
				continue
			}
			if err := <-l.ended; err != c.ends {
				t.Errorf("%s: the inbox said %v, want %v", c.name, err, c.ends)
			}
		}
	}
}

// Drop, Attach and Detach on the last reference do what they do to a held one.
func TestH3OwnersMethodsOnTheLastReference(t *testing.T) {
	t.Parallel()
	reachGC(t)
	for range 20 {
		child, _, life := reachSpawn(actor.Config{})
		child.Detach()
		child.Drop() // nothing: it is detached
		child.Attach(time.Hour)
		child.Drop()
		if err := <-life.ended; err != actor.ErrHalted {
			t.Fatalf("the inbox said %v, want ErrHalted: dropped before it was closed", err)
		}
	}
}

// reachExempt are methods that need not keep their receiver alive, and why.
var reachExempt = map[string]string{
	"ID": "never changes", "Name": "never changes", "String": "never changes", "Capacity": "never changes",
	"Address": "the result holds it", "Pool": "the result holds it",
	"SendAfter": "the timer holds it", "SendEvery": "the timer holds it", "Watch": "the delivery holds it",
	"Child.Stop": "in stop", "Child.Drain": "in stop", "Pool.Stop": "in stop", "Pool.Drain": "in stop",
}

// A method that forgets its runtime.KeepAlive is cut off too rarely for a test
// to see it, so this looks at the source.
func TestH3EveryMethodKeepsItsReceiverAlive(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil {
				continue
			}
			typ, recv := reachReceiver(f)
			if !slices.Contains([]string{"Address", "Child", "Pool"}, typ) || !f.Name.IsExported() && f.Name.Name != "stop" && f.Name.Name != "ask" {
				continue
			}
			seen++
			if reachExempt[f.Name.Name] == "" && reachExempt[typ+"."+f.Name.Name] == "" && !reachKeeps(f, recv) {
				t.Errorf("%s.%s has no runtime.KeepAlive(%s)", typ, f.Name.Name, recv)
			}
		}
	}
	if seen < 40 {
		t.Errorf("looked at %d methods only: the test looks at the wrong place", seen)
	}
}

// reachReceiver returns the name of a method's receiver type and receiver.
func reachReceiver(f *ast.FuncDecl) (typ, recv string) {
	ast.Inspect(f.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && typ == "" {
			typ = id.Name
		}
		return true
	})
	if names := f.Recv.List[0].Names; len(names) > 0 {
		recv = names[0].Name
	}
	return typ, recv
}

// reachKeeps reports whether f calls runtime.KeepAlive(recv).
func reachKeeps(f *ast.FuncDecl, recv string) (keeps bool) {
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && len(call.Args) == 1 {
			fun, _ := call.Fun.(*ast.SelectorExpr)
			arg, _ := call.Args[0].(*ast.Ident)
			keeps = keeps || fun != nil && fun.Sel.Name == "KeepAlive" && arg != nil && arg.Name == recv
		}
		return true
	})
	return keeps
}

// The zero Address, a nil one, and their like are actors that have ended.
func TestH3NothingToReachBehindTheZeroAddress(t *testing.T) {
	t.Parallel()
	for _, a := range []*actor.Address[int]{nil, new(actor.Address[int])} {
		if err := a.Send(t.Context(), 1); !errors.Is(err, actor.ErrClosed) {
			t.Errorf("Send: %v, want ErrClosed", err)
		}
		<-a.Done()
	}
}
