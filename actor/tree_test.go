package actor_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// lifeForeign is a context of a type that package context does not know.
type lifeForeign struct{ context.Context }

// lifeOwnDone is a context with a Done channel of its own.
type lifeOwnDone struct {
	context.Context
	done chan struct{}
}

func (c lifeOwnDone) Done() <-chan struct{} { return c.done }

func (c lifeOwnDone) Err() error {
	if lifeOver(c.done) {
		return context.Canceled
	}
	return nil
}

type lifeKey struct{}

// What can be made of a process's context and still be of that process.
var lifeDerived = []struct {
	name   string
	derive func(ctx context.Context) (context.Context, context.CancelFunc)
	deaf   bool // it does not end with ctx
}{
	{"the context itself", func(ctx context.Context) (context.Context, context.CancelFunc) { return ctx, nil }, false},
	{"WithCancel", func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithCancel(ctx) }, false},
	{"WithTimeout", func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithTimeout(ctx, 24*time.Hour)
	}, false},
	{"WithValue", func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithValue(ctx, lifeKey{}, 1), nil
	}, false},
	{"foreign type", func(ctx context.Context) (context.Context, context.CancelFunc) { return lifeForeign{ctx}, nil }, false},
	{"foreign type below WithCancel", func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(lifeForeign{ctx})
		return lifeForeign{ctx}, cancel
	}, false},
	{"foreign type with another Done", func(ctx context.Context) (context.Context, context.CancelFunc) {
		c := lifeOwnDone{ctx, make(chan struct{})}
		return c, sync.OnceFunc(func() { close(c.done) })
	}, true},
}

// Each of them makes a child of that process: it is stopped when the process
// ends, aborted when it is aborted, and waited for.
func TestO3ContextsThatMakeAChild(t *testing.T) {
	captureLogs(t)
	for _, d := range lifeDerived {
		for _, end := range []string{"return", "halt", "abort", "cancel"} {
			t.Run(d.name+" "+end, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					gate := make(chan struct{})
					var told, cause error
					var kid *actor.Child[int, actor.None]
					var stopOwner context.CancelFunc
					root, _ := actor.Spawn(context.Background(), actor.Config{},
						func(ctx context.Context, in *actor.Inbox[int]) error {
							var owner context.Context
							owner, stopOwner = d.derive(ctx)
							kid, _ = actor.Spawn(owner, actor.Config{AbortTimer: time.Minute},
								func(ctx context.Context, in *actor.Inbox[int]) error {
									_, told = in.Recv(context.WithoutCancel(ctx))
									<-ctx.Done()
									cause = context.Cause(ctx)
									return nil
								})
							if end == "return" {
								<-gate
								return nil
							}
							return lifeObey(ctx, in)
						})
					synctest.Wait()
					start := time.Now()
					want := time.Minute // until the child's own abort timer
					switch end {
					case "return":
						close(gate)
					case "halt":
						root.Halt()
					case "abort":
						root.Abort()
						want = 0
					case "cancel":
						if stopOwner == nil {
							root.Abort()
							<-root.Done()
							return
						}
						stopOwner()
						synctest.Wait()
						if !kid.Address().Closed() || told != actor.ErrHalted || root.Address().Closed() {
							t.Error("the end of the derived context alone does not stop the child")
						}
						<-kid.Done()
						root.Halt()
					}
					<-root.Done()
					if took := time.Since(start); took != want {
						t.Errorf("the root ended after %v, want %v", took, want)
					}
					if !lifeOver(kid.Done()) {
						t.Error("the root ended before its child")
						<-kid.Done()
					}
					if end != "abort" && told != actor.ErrHalted || end == "abort" && told != nil {
						t.Errorf("the child was told %v", told)
					}
					if want > 0 && cause != actor.ErrAborted {
						t.Errorf("its context's cause is %v", cause)
					}
					if stopOwner != nil {
						stopOwner()
					}
				})
			})
		}
	}
}

// lifeBroken is a context whose methods panic from some time on.
type lifeBroken struct {
	context.Context
	broken *atomic.Bool
}

func (c lifeBroken) Err() error {
	if c.broken.Load() {
		panic("broken context")
	}
	return c.Context.Err()
}

func (c lifeBroken) Value(key any) any {
	if c.broken.Load() {
		panic("broken context")
	}
	return c.Context.Value(key)
}

// An owner's context that makes Spawn panic leaves nothing that its process
// would wait for.
func TestO3SpawnThatPanicsLeavesNothing(t *testing.T) {
	captureLogs(t)
	synctest.Test(t, func(t *testing.T) {
		broken := new(atomic.Bool)
		parent, _ := actor.Spawn(context.Background(), actor.Config{}, func(ctx context.Context, _ *actor.Inbox[int]) error {
			defer func() { _ = recover() }()
			owner := lifeBroken{ctx, broken}
			owner.Value(nil)
			broken.Store(true)
			actor.Spawn(lifeErrBroken{owner}, actor.Config{}, lifeObey)
			t.Error("Spawn did not panic")
			return nil
		})
		start := time.Now()
		if _, err := parent.Wait(lifeShort(t, time.Hour)); err != nil || time.Since(start) != 0 {
			t.Errorf("Wait took %v and gives %v", time.Since(start), err)
		}
	})
}

// lifeErrBroken is broken only where Err is concerned.
type lifeErrBroken struct{ lifeBroken }

func (c lifeErrBroken) Value(key any) any { return c.Context.Value(key) }

// A context without a cancellation makes no child: nobody stops or awaits it.
func TestO3WithoutCancelMakesNoChild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan *actor.Child[int, actor.None], 1)
		root, _ := actor.Spawn(context.Background(), actor.Config{},
			func(ctx context.Context, in *actor.Inbox[int]) error {
				kid, _ := actor.Spawn(context.WithoutCancel(ctx), actor.Config{}, lifeObey)
				free <- kid
				return lifeObey(ctx, in)
			})
		kid := <-free
		root.Abort()
		<-root.Done()
		synctest.Wait()
		if lifeOver(kid.Done()) || kid.Address().Closed() {
			t.Error("the free actor was stopped")
		}
		kid.Halt()
		<-kid.Done()
	})
}

// O3. After the root's Wait nothing is left of a tree of a thousand.
func TestO3NothingIsLeftOfATree(t *testing.T) {
	before := runtime.NumGoroutine()
	started := make(chan struct{}, 2000)
	var grow func(depth int) func(context.Context, *actor.Inbox[int]) error
	grow = func(depth int) func(context.Context, *actor.Inbox[int]) error {
		return func(ctx context.Context, in *actor.Inbox[int]) error {
			in.Address() // it must not end because nobody can reach it
			started <- struct{}{}
			if depth > 0 {
				for i := range 10 {
					owner, cancel := ctx, context.CancelFunc(func() {})
					if i%3 == 0 {
						owner, cancel = context.WithCancel(ctx)
					}
					defer cancel()
					actor.Spawn(owner, actor.Config{}, grow(depth-1))
				}
			}
			return lifeObey(ctx, in)
		}
	}
	for _, end := range []string{"halt", "abort"} {
		root, _ := actor.Spawn(context.Background(), actor.Config{}, grow(3))
		for range 1111 {
			<-started
		}
		if end == "halt" {
			root.Halt()
		} else {
			root.Abort()
		}
		root.Wait(context.Background())
		// The last steps of a goroutine that has told its end take a moment.
		for limit := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
			if time.Now().After(limit) {
				t.Fatalf("after %s there are %d goroutines, before there were %d", end, runtime.NumGoroutine(), before)
			}
		}
	}
}
