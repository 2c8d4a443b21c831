package actor_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// Case 28. A halt does not end the context of a process, nor does a close or
// its owner's end; its exit and an abort do.
func TestO2ContextLivesUntilTheEnd(t *testing.T) {
	captureLogs(t)
	for name, stop := range map[string]func(*actor.Child[int, error], context.CancelFunc){
		"Halt":        func(c *actor.Child[int, error], _ context.CancelFunc) { c.Halt() },
		"HaltSome":    func(c *actor.Child[int, error], _ context.CancelFunc) { c.Pool().HaltSome(1) },
		"Close":       func(c *actor.Child[int, error], _ context.CancelFunc) { c.Close() },
		"Drop":        func(c *actor.Child[int, error], _ context.CancelFunc) { c.Drop() },
		"owner's end": func(_ *actor.Child[int, error], cancel context.CancelFunc) { cancel() },
		"nothing":     func(*actor.Child[int, error], context.CancelFunc) {},
	} {
		for _, abort := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", abort", false: ""}[abort], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					owner, cancel := context.WithCancelCause(context.Background())
					defer cancel(nil)
					var own context.Context
					gate := make(chan struct{})
					child, _ := actor.SpawnValue(owner, actor.Config{AbortTimer: time.Hour},
						func(ctx context.Context, in *actor.Inbox[int]) (error, error) {
							own = ctx
							<-gate
							return ctx.Err(), nil
						})
					synctest.Wait()
					stop(child, func() { cancel(errLife) })
					time.Sleep(time.Minute)
					if own.Err() != nil || lifeOver(own.Done()) || context.Cause(own) != nil {
						t.Errorf("the context has ended: %v", context.Cause(own))
					}
					if _, has := own.Deadline(); has {
						t.Error("the context has a deadline")
					}
					var want error
					cause := context.Canceled
					if abort {
						want, cause = context.Canceled, actor.ErrAborted
						child.Abort()
						if own.Err() != context.Canceled || context.Cause(own) != actor.ErrAborted {
							t.Errorf("after Abort the context's error is %v, its cause %v", own.Err(), context.Cause(own))
						}
					}
					close(gate)
					if during, err := child.Wait(context.Background()); during != want || err != nil {
						t.Errorf("the body saw %v and ended with %v", during, err)
					}
					if !lifeOver(own.Done()) || own.Err() != context.Canceled || context.Cause(own) != cause {
						t.Errorf("after the end the error is %v, the cause %v; want %v", own.Err(), context.Cause(own), cause)
					}
				})
			})
		}
	}
}

// What is derived from a process's context ends with it, for the same cause,
// whether the context was looked at before its end or not.
func TestO2DerivedContexts(t *testing.T) {
	captureLogs(t)
	for _, end := range []string{"exit", "abort"} {
		for _, d := range lifeDerived {
			if d.deaf {
				continue
			}
			t.Run(end+" "+d.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var own context.Context
					gate := make(chan struct{})
					child, _ := actor.Spawn(context.Background(), actor.Config{}, func(ctx context.Context, _ *actor.Inbox[int]) error {
						own = ctx
						<-gate
						return nil
					})
					synctest.Wait()
					derived, cancel := d.derive(own)
					if cancel != nil {
						defer cancel()
					}
					called := make(chan struct{})
					context.AfterFunc(derived, func() { close(called) })
					if derived.Err() != nil || lifeOver(called) {
						t.Error("the derived context has ended already")
					}
					want := context.Canceled
					if end == "abort" {
						want = actor.ErrAborted
						child.Abort()
						synctest.Wait()
						if !lifeOver(called) {
							t.Error("AfterFunc was not called at the abort")
						}
					}
					close(gate)
					<-child.Done()
					synctest.Wait()
					if !lifeOver(derived.Done()) || derived.Err() != context.Canceled || context.Cause(derived) != want || !lifeOver(called) {
						t.Errorf("error %v, cause %v, AfterFunc called: %v; want cause %v", derived.Err(), context.Cause(derived), lifeOver(called), want)
					}
					later, cancelLater := d.derive(own)
					if cancelLater != nil {
						defer cancelLater()
					}
					if later.Err() != context.Canceled || context.Cause(later) != want {
						t.Errorf("derived after the end: error %v, cause %v", later.Err(), context.Cause(later))
					}
				})
			})
		}
	}
}

// Who asks for nothing before the end gets an ended context all the same.
func TestO2ContextThatNobodyLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, abort := range []bool{false, true} {
			own := make(chan context.Context, 1)
			child, _ := actor.Spawn(context.Background(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
				own <- ctx
				return lifeObey(ctx, in)
			})
			ctx, want := <-own, context.Canceled
			if abort {
				want = actor.ErrAborted
				child.Abort()
			} else {
				child.Halt()
			}
			<-child.Done()
			if ctx.Err() != context.Canceled || context.Cause(ctx) != want || !lifeOver(ctx.Done()) {
				t.Errorf("error %v, cause %v, want %v", ctx.Err(), context.Cause(ctx), want)
			}
		}
	})
}

// The values of the owner's context are found, also by grandchildren, but not
// its deadline.
func TestO2ContextCarriesItsOwnersValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key int
		owner, cancel := context.WithTimeout(context.WithValue(context.Background(), key(1), "one"), time.Second)
		defer cancel()
		var got list[any]
		look := func(ctx context.Context) {
			_, has := ctx.Deadline()
			for _, v := range []any{ctx.Value(key(1)), ctx.Value(key(2)), ctx.Value(key(3)), ctx.Value(1), has} {
				got.add(v)
			}
		}
		child, _ := actor.Spawn(owner, actor.Config{Detached: true}, func(ctx context.Context, _ *actor.Inbox[int]) error {
			look(ctx)
			time.Sleep(time.Minute) // the owner's end changes nothing
			look(ctx)
			kid, _ := actor.Spawn(context.WithValue(ctx, key(2), "two"), actor.Config{}, func(ctx context.Context, _ *actor.Inbox[int]) error {
				look(ctx)
				return nil
			})
			<-kid.Done()
			return nil
		})
		<-child.Done()
		want := []any{"one", nil, nil, nil, false, "one", nil, nil, nil, false, "one", "two", nil, nil, false}
		for i, v := range got.get() {
			if v != want[i] {
				t.Fatalf("values %v, want %v", got.get(), want)
			}
		}
		if len(got.get()) != len(want) {
			t.Fatalf("%d values", len(got.get()))
		}
	})
}

// Contexts derived from a process's cost no goroutine, nor do actors spawned with them.
func TestO2DerivedContextsCostNoGoroutine(t *testing.T) {
	own := make(chan context.Context, 1)
	child, _ := actor.Spawn(context.Background(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
		own <- ctx
		return lifeObey(ctx, in)
	})
	ctx := <-own
	before := runtime.NumGoroutine()
	var last context.Context
	for range 100 {
		derived, cancel := context.WithCancel(ctx)
		defer cancel()
		last, cancel = context.WithTimeout(context.WithValue(derived, lifeKey{}, 1), time.Hour)
		defer cancel()
		defer context.AfterFunc(last, func() {})()
	}
	if n := runtime.NumGoroutine(); n >= before+100 {
		t.Errorf("300 derived contexts made %d goroutines", n-before)
	}
	child.Abort()
	<-last.Done()
	if context.Cause(last) != actor.ErrAborted {
		t.Errorf("the cause is %v", context.Cause(last))
	}
	<-child.Done()
}

// The body's own calls end with its context: that is how an abort reaches a
// process which waits for something else than its inbox.
func TestO2AbortEndsWhatWaitsWithTheContext(t *testing.T) {
	captureLogs(t)
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		other, addr := actor.Spawn(context.Background(), actor.Config{Capacity: actor.Bounded(1)}, until[lifeAsk](release))
		if err := addr.TrySend(lifeAsk{}); err != nil {
			t.Fatal(err)
		}
		for name, wait := range map[string]func(context.Context) error{
			"Send": func(ctx context.Context) error { return addr.Send(ctx, lifeAsk{}) },
			"Ask": func(ctx context.Context) error {
				_, err := actor.Ask(ctx, addr, func(r actor.Reply[int]) lifeAsk { return lifeAsk{r, 1} })
				return err
			},
			"Wait":         func(ctx context.Context) error { _, err := other.Wait(ctx); return err },
			"Address.Wait": func(ctx context.Context) error { return addr.Wait(ctx) },
		} {
			child, _ := actor.Spawn(context.Background(), actor.Config{}, func(ctx context.Context, _ *actor.Inbox[int]) error {
				return wait(ctx)
			})
			synctest.Wait()
			child.Abort()
			synctest.Wait()
			if !lifeOver(child.Done()) {
				t.Errorf("%s goes on", name)
				continue
			}
			if _, err := child.Wait(context.Background()); !errors.Is(err, context.Canceled) || !errors.Is(err, actor.ErrAborted) {
				t.Errorf("%s: exit is %v", name, err)
			}
		}
		close(release)
		other.Stop(context.Background())
	})
}

func TestO2ContextNamesItsActor(t *testing.T) {
	child, _ := actor.SpawnValue(context.Background(), actor.Config{Name: "mill"},
		func(ctx context.Context, _ *actor.Inbox[int]) (string, error) {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			return ctx.(interface{ String() string }).String(), nil
		})
	if text, _ := child.Wait(context.Background()); !strings.Contains(text, `actor "mill"`) {
		t.Errorf("the context's text is %q", text)
	}
}
