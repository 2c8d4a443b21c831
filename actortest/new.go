package actortest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tinyactor/actor"
)

// New returns a context that owns the actors of a test. It is that of a process
// which stands above them. New does not wait.
//
// A cleanup of t ends the context, which stops every actor attached to it, and
// waits until they and all below them have ended. As always with cleanups, what
// was registered after New comes before it and still finds the actors alive, and
// what was registered before New, for something that they use, comes after it.
//
// Actors that have not ended after [actor.DefaultAbortTimer] are aborted. What
// is left [actor.StuckAfter] later makes the test fail with its name, and with
// the stack if it is stuck. Detached actors were not told to stop, so they are
// left unless the test has stopped them; a second more is for those that it has
// just told to. The check knows all actors spawned with the context or below it.
// Outside of a bubble it takes a goroutine dump, which is some 100 µs in a program
// of few goroutines.
func New(t testing.TB) context.Context {
	t.Helper()
	return newOwner(t, actor.DefaultAbortTimer, actor.DefaultAbortTimer+2*actor.StuckAfter)
}

// newOwner is New with the time until what still runs is aborted, and that until
// what is still left is named.
func newOwner(t testing.TB, abort, bound time.Duration) context.Context {
	left := &leftovers{actors: make(map[actor.ID]*leftover)}
	ctxs := make(chan context.Context, 1)
	root, _ := actor.Spawn(
		actor.WithObserver(context.WithoutCancel(t.Context()), left),
		actor.Config{Name: t.Name(), AbortTimer: abort},
		func(ctx context.Context, in *actor.Inbox[actor.None]) error {
			ctxs <- ctx
			_, err := in.Recv(ctx)
			return err
		})
	ctx := <-ctxs
	t.Cleanup(func() {
		t.Helper()
		bounded, cancel := context.WithTimeout(context.Background(), bound)
		defer cancel()
		// Who is stuck is in left too, beside those that a Stop does not reach.
		_, _ = root.Stop(context.Background())
		settle(bounded)
		if names := left.wait(bounded); len(names) > 0 {
			t.Errorf("actortest: left after the test:\n%s", strings.Join(names, "\n"))
		}
	})
	return ctx
}

// leftovers is the observer that knows which actors have not ended.
type leftovers struct {
	mu     sync.Mutex
	actors map[actor.ID]*leftover
	news   chan struct{} // made on demand, closed at the next event
}

// leftover is what is known of an actor that has not ended.
type leftover struct {
	who       string
	told      actor.EventKind // closed, halted or aborted; "" if none of them
	processes int
	stuck     map[int]error // by index of the process
}

// Observe makes leftovers an [actor.Observer].
func (l *leftovers) Observe(e actor.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.actors[e.ID]
	if a == nil {
		if e.Kind != actor.EventSpawned {
			return
		}
		a = &leftover{who: who(e), stuck: make(map[int]error)}
		l.actors[e.ID] = a
	}
	switch e.Kind {
	case actor.EventSpawned:
		a.processes++
	case actor.EventClosed, actor.EventHalted, actor.EventAborted:
		if e.Count == 0 { // else it is about some processes of a pool
			a.told = e.Kind
		}
	case actor.EventExited:
		a.processes--
		delete(a.stuck, e.Process)
	case actor.EventStuck:
		a.stuck[e.Process] = e.Err
	case actor.EventEnded:
		delete(l.actors, e.ID)
	}
	if l.news != nil {
		close(l.news)
		l.news = nil
	}
}

// who names an actor as its errors do.
func who(e actor.Event) string {
	if e.Name == "" {
		return fmt.Sprintf("actor #%d", e.ID)
	}
	return fmt.Sprintf("actor %q (#%d)", e.Name, e.ID)
}

// until waits until what f says of the actors is true, or until ctx ends.
func (l *leftovers) until(ctx context.Context, f func(actors map[actor.ID]*leftover) bool) {
	for {
		l.mu.Lock()
		if f(l.actors) {
			l.mu.Unlock()
			return
		}
		if l.news == nil {
			l.news = make(chan struct{})
		}
		news := l.news
		l.mu.Unlock()
		select {
		case <-news:
		case <-ctx.Done():
			return
		}
	}
}

// settle waits until what has happened so far has come to the observers, or
// until ctx ends. Before, an actor that was spawned detached as the last act of
// a test is not known.
func settle(ctx context.Context) {
	if quiet() {
		return
	}
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for tries := 0; telling(); tries++ {
		if tries < 10 {
			runtime.Gosched() // it takes some microseconds
			continue
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return
		}
	}
}

// telling reports whether package actor is about to tell an observer something.
// It has a goroutine for that as long as it is, and there is no other sign of it
// than that goroutine in a dump.
func telling() bool {
	dump := make([]byte, 64<<10)
	n := runtime.Stack(dump, true)
	for n == len(dump) && n < dumpLimit {
		dump = make([]byte, 4*n)
		n = runtime.Stack(dump, true)
	}
	return bytes.Contains(dump[:n], []byte("tinyactor/actor.(*bulletin).bring"))
}

// dumpLimit is how much of a goroutine dump is looked at.
const dumpLimit = 16 << 20

// wait waits until every actor has ended or is stuck, or until ctx ends, and
// names those that have not ended.
func (l *leftovers) wait(ctx context.Context) (names []string) {
	l.until(ctx, func(actors map[actor.ID]*leftover) bool {
		for _, a := range actors {
			if len(a.stuck) < a.processes {
				return false
			}
		}
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(l.actors)) {
		names = append(names, l.actors[id].names()...)
	}
	return names
}

// names says what is left of an actor.
func (a *leftover) names() (names []string) {
	for _, p := range slices.Sorted(maps.Keys(a.stuck)) {
		names = append(names, a.stuck[p].Error())
	}
	switch {
	case len(a.stuck) == a.processes:
	case a.told == "":
		names = append(names, a.who+": still runs and was not told to stop; if it is detached, the test must stop it")
	default:
		names = append(names, fmt.Sprintf("%s: still runs and is %s", a.who, a.told))
	}
	return names
}
