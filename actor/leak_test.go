package actor_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// leakServer is state that knows the actor it has spawned, as most state does.
type leakServer struct {
	cfg   actor.Config
	addr  *actor.Address[int]
	child *actor.Child[int, actor.None]
}

func (s *leakServer) run(ctx context.Context, in *actor.Inbox[int]) error {
	s.child, s.addr = actor.Spawn(ctx, s.cfg, leakWait)
	return leakWait(ctx, in)
}

func leakWait(ctx context.Context, in *actor.Inbox[int]) error {
	_, err := in.Recv(ctx)
	return err
}

// leakUntil collects garbage until done, for ten seconds at most.
func leakUntil(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%s are still there", what)
		}
		runtime.GC()
	}
}

// What an ended actor knew is freed, also if that knows the actor: the cleanup
// of an address must not keep what the address can be reached from.
func TestH3EndedActorsAreFreed(t *testing.T) {
	const n = 20
	for name, use := range map[string]func(*leakServer){
		"state of a parent": func(s *leakServer) {
			child, _ := actor.Spawn(context.Background(), actor.Config{}, s.run)
			_, _ = child.Stop(context.Background())
		},
		"Undelivered": func(s *leakServer) {
			s.cfg.Undelivered = func(any) { s.addr.Halt() }
			s.child, s.addr = actor.Spawn(context.Background(), s.cfg, leakWait)
			_, _ = s.child.Stop(context.Background())
		},
	} {
		t.Run(name, func(t *testing.T) {
			freed := new(atomic.Int32)
			for range n {
				s := new(leakServer)
				runtime.AddCleanup(s, func(freed *atomic.Int32) { freed.Add(1) }, freed)
				use(s)
			}
			// The last one may be kept by what this goroutine's stack still shows.
			leakUntil(t, "ended actors", func() bool { return freed.Load() >= n-1 })
		})
	}
}

// A detached child that only the state of its ended parent knows is closed.
func TestH3DetachedChildOfAnEndedParentIsClosed(t *testing.T) {
	const n = 20
	ended := new(atomic.Int32)
	for range n {
		s := &leakServer{cfg: actor.Config{Detached: true}}
		parent, _ := actor.Spawn(context.Background(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
			s.child, s.addr = actor.Spawn(ctx, s.cfg, func(ctx context.Context, in *actor.Inbox[int]) error {
				defer ended.Add(1)
				return leakWait(ctx, in)
			})
			return leakWait(ctx, in)
		})
		_, _ = parent.Stop(context.Background())
	}
	leakUntil(t, "unreachable actors", func() bool { return ended.Load() >= n-1 })
}

// A parent does not answer for the stuck processes of an actor that is no longer
// its child.
func TestA4DetachedActorIsNotNamed(t *testing.T) {
	captureLogs(t)
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		parent, _ := actor.Spawn(context.Background(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
			pool, _ := actor.SpawnPool(ctx, actor.Config{}, 1, actor.NoValue(until[int](hang)))
			pool.Abort()
			time.Sleep(actor.StuckAfter / 2)
			late := func(context.Context, *actor.Inbox[int]) error { time.Sleep(actor.StuckAfter); return nil }
			if err := pool.Spawn(actor.NoValue(late)); err != nil {
				t.Error(err)
			}
			time.Sleep(3 * actor.StuckAfter / 4) // the first process is stuck now, the second is not
			pool.Detach()
			return leakWait(ctx, in)
		})
		time.Sleep(time.Minute)
		if _, err := parent.Stop(context.Background()); err != nil {
			t.Errorf("Stop of the former owner says: %v", err)
		}
		close(hang)
	})
}
