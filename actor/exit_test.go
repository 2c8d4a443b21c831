package actor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

var errLife = errors.New("life")

// lifePanic panics from a function of its own, to be found in stacks.
//
//go:noinline
func lifePanic(v any) { panic(v) }

// Cases 26, 27 and 42. How a body may end, and what Wait makes of it.
func TestX2Exits(t *testing.T) {
	captureLogs(t)
	var closed actor.Address[int] // the zero Address has ended
	sendErr := closed.TrySend(1)
	tests := []struct {
		name  string
		body  func() (int, error)
		value int
		is    error  // matched by the exit; nil: the exit is nil
		exact bool   // the exit is is itself
		panic any    // the value of a PanicError
		stack string // in its stack
	}{
		{name: "value", body: func() (int, error) { return 7, nil }, value: 7},
		{name: "error", body: func() (int, error) { return 7, errLife }, value: 7, is: errLife, exact: true},
		{name: "ErrHalted", body: func() (int, error) { return 7, actor.ErrHalted }, value: 7},
		{name: "ErrClosed", body: func() (int, error) { return 7, actor.ErrClosed }, value: 7},
		{name: "wrapped ErrHalted", body: func() (int, error) { return 7, fmt.Errorf("w: %w", actor.ErrHalted) }, value: 7, is: actor.ErrHalted},
		{name: "joined ErrClosed", body: func() (int, error) { return 7, errors.Join(actor.ErrClosed) }, value: 7, is: actor.ErrClosed},
		{name: "ErrClosed of a send", body: func() (int, error) { return 7, sendErr }, value: 7, is: sendErr, exact: true},
		{name: "ErrAborted without an abort", body: func() (int, error) { return 7, actor.ErrAborted }, value: 7, is: actor.ErrAborted, exact: true},
		{name: "Goexit", body: func() (int, error) { runtime.Goexit(); return 7, nil }, is: actor.ErrGoexit},
		{name: "FailNow", body: func() (int, error) { new(testing.T).FailNow(); return 7, nil }, is: actor.ErrGoexit},
		{name: "Goexit in a deferred call", body: func() (int, error) { defer runtime.Goexit(); return 7, nil }, is: actor.ErrGoexit},
		{name: "Goexit while panicking", body: func() (int, error) { defer runtime.Goexit(); panic(1) }, is: actor.ErrGoexit},
		{name: "panic", body: func() (int, error) { lifePanic("text"); return 7, nil }, panic: "text", stack: "lifePanic("},
		{name: "panic with an error", body: func() (int, error) { panic(errLife) }, is: errLife, panic: errLife},
		{name: "panic in a deferred call", body: func() (int, error) { defer lifePanic(2); return 7, nil }, panic: 2, stack: "lifePanic("},
		{name: "panic while panicking", body: func() (int, error) { defer lifePanic("second"); panic("first") }, panic: "second", stack: "lifePanic("},
		{name: "panic after a recovered panic", body: func() (int, error) {
			func() {
				defer func() { _ = recover() }()
				panic("first")
			}()
			lifePanic("second")
			return 7, nil
		}, panic: "second", stack: "lifePanic("},
		{name: "panic again in recover", body: func() (int, error) {
			defer func() { lifePanic(recover()) }()
			panic("again")
		}, panic: "again", stack: "lifePanic("},
		{name: "recovered", body: func() (v int, err error) {
			defer func() { v, err = 3, fmt.Errorf("%v: %w", recover(), errLife) }()
			panic("x")
		}, value: 3, is: errLife},
		{name: "panic in a Goexit", body: func() (int, error) {
			defer lifePanic("exiting")
			runtime.Goexit()
			return 7, nil
		}, panic: "exiting", stack: "lifePanic("},
		{name: "panic that hides a Goexit", body: func() (int, error) {
			defer func() { _ = recover() }()
			defer panic("hidden")
			runtime.Goexit()
			return 7, nil
		}, is: actor.ErrGoexit},
		{name: "ErrHalted panicked", body: func() (int, error) { panic(actor.ErrHalted) }, is: actor.ErrHalted, panic: actor.ErrHalted},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			child, addr := actor.SpawnValue(context.Background(), actor.Config{Name: "end"},
				func(context.Context, *actor.Inbox[int]) (int, error) { return tt.body() })
			value, err := child.Wait(context.Background())
			if value != tt.value {
				t.Errorf("the value is %d, want %d", value, tt.value)
			}
			var p *actor.PanicError
			if errors.As(err, &p) != (tt.panic != nil) {
				t.Fatalf("exit is %v", err)
			}
			if p != nil {
				if p.Value != tt.panic || !strings.Contains(string(p.Stack), "goroutine ") || !strings.Contains(string(p.Stack), tt.stack) {
					t.Errorf("the panic's value is %v, want %v; its stack:\n%s", p.Value, tt.panic, p.Stack)
				}
				if !strings.Contains(err.Error(), fmt.Sprint(tt.panic)) || !strings.Contains(err.Error(), `"end"`) {
					t.Errorf("the error says %v", err)
				}
			}
			switch {
			case tt.exact && err != tt.is, tt.is != nil && !errors.Is(err, tt.is), tt.is == nil && p == nil && err != nil:
				t.Errorf("exit is %v, want %v", err, tt.is)
			}
			if again := addr.Wait(context.Background()); again != err {
				t.Errorf("Address.Wait gives %v", again)
			}
			if child.Processes() != 0 || !addr.Closed() {
				t.Error("the actor has not ended")
			}
		})
	}
}

func TestX2PanicNilIsAPanicError(t *testing.T) {
	captureLogs(t)
	child, _ := actor.Spawn(context.Background(), actor.Config{}, func(context.Context, *actor.Inbox[int]) error { panic(nil) })
	_, err := child.Wait(context.Background())
	var p *actor.PanicError
	var n *runtime.PanicNilError
	if !errors.As(err, &p) || !errors.As(err, &n) {
		t.Errorf("exit is %v", err)
	}
}

func TestX2RuntimeErrorsCanBeFound(t *testing.T) {
	captureLogs(t)
	var none map[int]int
	var null *actor.PanicError
	var i, zero int = 5, 0
	for name, fail := range map[string]func(){
		"nil map":     func() { none[1] = 1 },
		"nil pointer": func() { null.Value = 1 },
		"index":       func() { _ = make([]int, 3)[i] },
		"division":    func() { i /= zero },
		"conversion":  func() { _ = any(i).(string) },
		"closed channel": func() {
			c := make(chan int)
			close(c)
			close(c)
		},
	} {
		child, _ := actor.Spawn(context.Background(), actor.Config{}, func(context.Context, *actor.Inbox[int]) error { fail(); return nil })
		_, err := child.Wait(context.Background())
		var p *actor.PanicError
		var r runtime.Error
		if !errors.As(err, &p) || !errors.As(err, &r) || r != p.Value {
			t.Errorf("%s: exit is %v", name, err)
		}
	}
}

// Any number of callers, before and after the end, get the same answer.
func TestX2SameAnswerToEverybody(t *testing.T) {
	captureLogs(t)
	gate := make(chan struct{})
	child, addr := actor.SpawnValue(context.Background(), actor.Config{}, func(context.Context, *actor.Inbox[int]) (*int, error) {
		<-gate
		return new(7), errLife
	})
	var answers list[*int]
	var all sync.WaitGroup
	for i := range 30 {
		if i == 20 {
			close(gate)
		}
		all.Go(func() {
			value, err := child.Wait(context.Background())
			if err != errLife {
				t.Errorf("Wait gives %v", err)
			}
			answers.add(value)
			if err := addr.Wait(context.Background()); err != errLife {
				t.Errorf("Address.Wait gives %v", err)
			}
			exits, err := child.Pool().Wait(context.Background())
			if err != errLife || len(exits) != 1 || exits[0].Err != errLife || exits[0].Value != value {
				t.Errorf("Pool.Wait gives %v, %v", exits, err)
			}
		})
	}
	all.Wait()
	for stop := range 2 {
		f := child.Stop
		if stop == 1 {
			f = child.Drain
		}
		value, err := f(context.Background())
		if err != errLife {
			t.Errorf("Stop or Drain after the end gives %v", err)
		}
		answers.add(value)
	}
	for _, v := range answers.get() {
		if v == nil || v != answers.get()[0] {
			t.Error("two callers got different values")
		}
	}
}

// lifeLateCtx ends while it is asked for its Done channel, and not before the
// actor has.
type lifeLateCtx struct {
	context.Context
	before func()
}

func (c lifeLateCtx) Done() <-chan struct{} {
	c.before()
	done := make(chan struct{})
	close(done)
	return done
}

func (c lifeLateCtx) Err() error { return context.Canceled }

// A result that is there wins over the caller's ended ctx.
func TestX2ResultWinsOverAnEndedContext(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for range 50 {
		gate := make(chan struct{})
		child, addr := actor.SpawnValue(context.Background(), actor.Config{Name: "late"},
			func(context.Context, *actor.Inbox[int]) (int, error) { <-gate; return 7, nil })
		_, err := child.Wait(ended)
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "wait: ") || !strings.Contains(err.Error(), `"late"`) {
			t.Fatalf("Wait gives %v", err)
		}
		if exits, err := child.Pool().Wait(ended); exits != nil || !errors.Is(err, context.Canceled) {
			t.Fatalf("Pool.Wait gives %v, %v", exits, err)
		}
		// The ctx ends at the same moment as the actor, just after it.
		late := lifeLateCtx{context.Background(), sync.OnceFunc(func() { close(gate); <-addr.Done() })}
		if value, err := child.Wait(late); value != 7 || err != nil {
			t.Fatalf("with a ctx that ended later Wait gives %d, %v", value, err)
		}
		for _, wait := range []func(context.Context) (int, error){child.Wait, child.Stop, child.Drain} {
			if value, err := wait(ended); value != 7 || err != nil {
				t.Fatalf("with an ended ctx the answer is %d, %v", value, err)
			}
		}
		if err := addr.Wait(ended); err != nil {
			t.Fatalf("Address.Wait gives %v", err)
		}
		if exits, err := child.Pool().Wait(ended); len(exits) != 1 || err != nil {
			t.Fatalf("Pool.Wait gives %v, %v", exits, err)
		}
	}
}

// A Child of an actor with several processes reports the one with index 0.
func TestX2ChildReportsProcessZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := func(ctx context.Context, in *actor.Inbox[int]) (int, error) {
			time.Sleep(time.Duration(10-in.Index()) * time.Second)
			return 10 + in.Index(), nil
		}
		child, _ := actor.SpawnValue(context.Background(), actor.Config{}, body)
		for range 2 {
			if err := child.Pool().Spawn(body); err != nil {
				t.Fatal(err)
			}
		}
		if value, err := child.Wait(context.Background()); value != 10 || err != nil {
			t.Errorf("Wait gives %d, %v", value, err)
		}
		if exits, _ := child.Pool().Wait(context.Background()); len(exits) != 3 || exits[0].Index != 2 || exits[2].Value != 10 {
			t.Errorf("Pool.Wait gives %v", exits)
		}
	})
}
