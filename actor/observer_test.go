package actor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// obsEvents is an observer that keeps what it is told.
type obsEvents struct{ list[actor.Event] }

func (o *obsEvents) Observe(e actor.Event) { o.add(e) }

// kind returns the events of one kind.
func (o *obsEvents) kind(k actor.EventKind) []actor.Event {
	return slices.DeleteFunc(o.get(), func(e actor.Event) bool { return e.Kind != k })
}

// story is the events of one actor, each as its kind, process and count.
func (o *obsEvents) story(id actor.ID) string {
	var s []string
	for _, e := range o.get() {
		if e.ID == id {
			s = append(s, fmt.Sprint(e.Kind, " ", e.Process, " ", e.Count))
		}
	}
	return strings.Join(s, "; ")
}

// obsWaitForAbort is a body that does not look at its inbox.
//
//go:noinline
func obsWaitForAbort(ctx context.Context, in *actor.Inbox[int]) error {
	<-ctx.Done()
	return nil
}

// Every kind of event, in the order in which it happened.
func TestX3ObserverHearsWhatHappens(t *testing.T) {
	release := make(chan struct{}) // of the stuck body; made anew in its bubble
	for name, c := range map[string]struct {
		n    int
		body func(ctx context.Context, in *actor.Inbox[int]) error
		end  func(p *actor.Pool[int, actor.None])
		want string
		err  error               // in exited and ended
		more func(e actor.Event) // what else is in the events
	}{
		"Stop": {
			body: keep(new(list[int])),
			end:  func(p *actor.Pool[int, actor.None]) { p.Stop(context.Background()) },
			want: "spawned 0 0; halted -1 0; exited 0 0; ended -1 0",
		},
		"Drain": {
			body: keep(new(list[int])),
			end:  func(p *actor.Pool[int, actor.None]) { p.Drain(context.Background()) },
			want: "spawned 0 0; closed -1 0; exited 0 0; ended -1 0",
		},
		"return with leftovers": {
			body: func(ctx context.Context, in *actor.Inbox[int]) error {
				in.Recv(ctx)
				time.Sleep(time.Second)
				return errAskBoom
			},
			end: func(p *actor.Pool[int, actor.None]) {
				for n := range 4 {
					p.Address().TrySend(n)
				}
			},
			want: "spawned 0 0; closed -1 0; undelivered -1 3; exited 0 0; ended -1 0",
			err:  errAskBoom,
			more: func(e actor.Event) {
				if e.Kind == actor.EventUndelivered && e.Type != "int" {
					t.Errorf("the type of what is undelivered is %q", e.Type)
				}
			},
		},
		"panic": {
			body: func(ctx context.Context, in *actor.Inbox[int]) error { panic(errAskBoom) },
			want: "spawned 0 0; panicked 0 0; closed -1 0; exited 0 0; ended -1 0",
			err:  errAskBoom,
			more: func(e actor.Event) {
				if e.Kind == actor.EventPanicked && (!errors.Is(e.Err, errAskBoom) || !strings.Contains(e.Stack, "observer_test.go")) {
					t.Errorf("the panic is told as %v at %s", e.Err, e.Stack)
				}
			},
		},
		"abort": {
			body: keep(new(list[int])),
			end:  func(p *actor.Pool[int, actor.None]) { p.Abort() },
			want: "spawned 0 0; aborted -1 0; exited 0 0; ended -1 0",
			err:  actor.ErrAborted,
		},
		"abort after an ignored halt": {
			body: obsWaitForAbort,
			end:  func(p *actor.Pool[int, actor.None]) { p.Halt(); synctest.Wait(); p.Abort() },
			want: "spawned 0 0; halted -1 0; aborted -1 0; ignored halt 0 0; exited 0 0; ended -1 0",
			more: func(e actor.Event) {
				if e.Kind == actor.EventIgnoredHalt && !strings.Contains(e.Stack, "obsWaitForAbort") {
					t.Errorf("the ignored halt was told with stack %q", e.Stack)
				}
			},
		},
		"stuck": {
			body: func(ctx context.Context, in *actor.Inbox[int]) error { <-release; return errAskBoom },
			end: func(p *actor.Pool[int, actor.None]) {
				p.Abort()
				time.Sleep(actor.StuckAfter)
				synctest.Wait()
				close(release)
			},
			want: "spawned 0 0; aborted -1 0; stuck 0 0; exited 0 0; released 0 0; ended -1 0",
			err:  errAskBoom,
			more: func(e actor.Event) {
				if e.Kind == actor.EventStuck && (!errors.Is(e.Err, actor.ErrStuck) || !strings.Contains(e.Stack, "observer_test.go")) {
					t.Errorf("the stuck process is told as %v at %s", e.Err, e.Stack)
				}
				if e.Kind == actor.EventReleased && !errors.Is(e.Err, errAskBoom) {
					t.Errorf("the late end is told as %v", e.Err)
				}
			},
		},
		"pool": {
			n:    2,
			body: keep(new(list[int])),
			end: func(p *actor.Pool[int, actor.None]) {
				p.Spawn(actor.NoValue(keep(new(list[int]))))
				synctest.Wait()
				p.HaltSome(2)
				synctest.Wait()
				p.HaltSome(5)
			},
			want: "spawned 0 0; spawned 1 0; spawned 2 0; halted -1 2; exited . 0; exited . 0; halted -1 1; closed -1 0; exited . 0; ended -1 0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			captureLogs(t)
			synctest.Test(t, func(t *testing.T) {
				release = make(chan struct{})
				var o obsEvents
				pool, _ := actor.SpawnPool(actor.WithObserver(t.Context(), &o), actor.Config{Name: "watched"}, max(1, c.n), actor.NoValue(c.body))
				synctest.Wait()
				start := time.Now()
				if c.end != nil {
					c.end(pool)
				}
				<-pool.Done()
				synctest.Wait()
				got := o.story(pool.ID())
				if c.n > 0 { // the processes end in any order
					for i := range 3 {
						got = strings.Replace(got, fmt.Sprintf("exited %d", i), "exited .", 1)
					}
				}
				if got != c.want {
					t.Errorf("observed %s\nwant     %s", got, c.want)
				}
				for _, e := range o.get() {
					if e.Name != "watched" || e.ID != pool.ID() || e.Parent != 0 || e.Time.IsZero() || e.Time.Sub(start) > time.Minute {
						t.Errorf("the event is not complete: %+v", e)
					}
					if (e.Kind == actor.EventExited || e.Kind == actor.EventEnded) && !errors.Is(e.Err, c.err) {
						t.Errorf("%s with %v, want %v", e.Kind, e.Err, c.err)
					}
					if c.more != nil {
						c.more(e)
					}
				}
			})
		})
	}
}

// Descendants inherit the observers, whatever context they are spawned with,
// and WithObserver puts one beside those already there, for its context alone.
func TestX3ObserversAreInherited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all, left, right, none obsEvents
		root := actor.WithObserver(t.Context(), &all)
		for range 2 { // enough that a shared slice would have room to spare
			root = actor.WithObserver(root, new(obsEvents))
		}
		_ = actor.WithObserver(root, &none) // nothing is spawned with it
		release := make(chan struct{})
		leaf := func(ctx context.Context, in *actor.Inbox[int]) error { <-release; return nil }
		ids := make(chan actor.ID, 3)
		branch := func(ctx context.Context, in *actor.Inbox[int]) error {
			derived, cancel := context.WithCancel(context.WithValue(ctx, new(int), 1))
			defer cancel()
			first, _ := actor.Spawn(ctx, actor.Config{}, leaf)
			second, _ := actor.Spawn(derived, actor.Config{}, leaf)
			third, _ := actor.Spawn(context.WithoutCancel(ctx), actor.Config{Detached: true}, leaf)
			ids <- first.ID()
			ids <- second.ID()
			ids <- third.ID()
			<-release
			return nil
		}
		spawned := func(observers ...*obsEvents) {
			t.Helper()
			ctx := root
			for _, o := range observers {
				ctx = actor.WithObserver(ctx, o)
			}
			child, _ := actor.Spawn(ctx, actor.Config{}, branch)
			for i := range 3 {
				id := <-ids
				synctest.Wait()
				for _, o := range append(observers, &all) {
					found := slices.DeleteFunc(o.get(), func(e actor.Event) bool { return e.ID != id })
					if len(found) != 1 || found[0].Kind != actor.EventSpawned {
						t.Errorf("of descendant %d an observer heard %v", i, found)
						continue
					}
					parent := child.ID()
					if i == 2 {
						parent = 0 // it does not belong to it any more
					}
					if found[0].Parent != parent {
						t.Errorf("the parent of descendant %d is %d, want %d", i, found[0].Parent, parent)
					}
				}
			}
		}
		spawned()
		spawned(&left)
		spawned(&right)
		spawned(&right, &left)
		other, _ := actor.Spawn(t.Context(), actor.Config{}, leaf)
		close(release)
		<-other.Done()
		synctest.Wait()
		for who, o := range map[string]struct {
			*obsEvents
			actors int
		}{"all": {&all, 16}, "left": {&left, 8}, "right": {&right, 8}, "none": {&none, 0}} {
			if n := len(o.kind(actor.EventEnded)); n != o.actors {
				t.Errorf("%s heard of the end of %d actors, want %d", who, n, o.actors)
			}
			for _, e := range o.get() {
				if e.ID == other.ID() {
					t.Errorf("%s heard of an actor that has nothing to do with it", who)
				}
			}
		}
	})
}

// obsFunc is an observer.
type obsFunc func(actor.Event)

func (f obsFunc) Observe(e actor.Event) { f(e) }

// An observer that is slow, hangs, panics or calls Goexit stops no actor. Each
// event reaches it and those beside it once and in order.
func TestX3BadObserverStopsNoActor(t *testing.T) {
	const want = "spawned 0 0; closed -1 0; exited 0 0; ended -1 0"
	for name, c := range map[string]struct {
		bad   func(release <-chan struct{})
		hangs bool
	}{
		"slow":      {bad: func(<-chan struct{}) { time.Sleep(time.Minute) }},
		"panic":     {bad: func(<-chan struct{}) { panic(errAskBoom) }},
		"panic nil": {bad: func(<-chan struct{}) { panic(nil) }},
		"Goexit":    {bad: func(<-chan struct{}) { runtime.Goexit() }},
		"hangs":     {bad: func(release <-chan struct{}) { <-release }, hangs: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				var before, own, after obsEvents
				ctx := actor.WithObserver(t.Context(), &before)
				ctx = actor.WithObserver(ctx, obsFunc(func(e actor.Event) { own.Observe(e); c.bad(release) }))
				ctx = actor.WithObserver(ctx, &after)
				child, addr := actor.Spawn(ctx, actor.Config{}, keep(new(list[int])))
				start := time.Now()
				addr.Send(t.Context(), 1)
				if _, err := child.Drain(t.Context()); err != nil {
					t.Error(err)
				}
				if d := time.Since(start); d != 0 {
					t.Errorf("the actor was held up for %v", d)
				}
				time.Sleep(time.Hour)
				close(release)
				synctest.Wait()
				for who, o := range map[string]*obsEvents{"before": &before, "bad": &own, "after": &after} {
					if got := o.story(child.ID()); got != want {
						t.Errorf("%s observed %s\nwant %s", who, got, want)
					}
				}
			})
		})
	}
}

// An observer may use the actors it hears of: no lock is held.
func TestX3ObserverMayUseTheActor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		children := make(chan *actor.Child[int, actor.None], 1)
		var heard list[actor.EventKind]
		o := obsFunc(func(e actor.Event) {
			c := <-children
			defer func() { children <- c }()
			heard.add(e.Kind)
			c.Len()
			c.Processes()
			c.Address().Closed()
			c.Halt()
			c.Abort()
			<-c.Done()
			c.Stop(t.Context())
		})
		child, _ := actor.Spawn(actor.WithObserver(t.Context(), o), actor.Config{}, keep(new(list[int])))
		children <- child
		<-child.Done()
		synctest.Wait()
		if kinds := heard.get(); kinds[0] != actor.EventSpawned || !slices.Contains(kinds, actor.EventEnded) {
			t.Errorf("heard of %v", kinds)
		}
		defer func() {
			if v, _ := recover().(string); !strings.Contains(v, "o is nil") {
				t.Errorf("panic is %q", v)
			}
		}()
		actor.WithObserver(t.Context(), nil)
	})
}
