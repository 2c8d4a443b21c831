package observer

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"tinyactor/actor"
)

// crowd spawns actors that have worked. The test ends when they are gone, so that
// they are in nobody else's goroutine dump.
func crowd(tb testing.TB, ctx context.Context, n int) []*actor.Address[int] {
	all := make([]*actor.Address[int], n)
	for i := range all {
		var child *actor.Child[int, actor.None]
		child, all[i] = actor.Spawn(ctx, actor.Config{Name: fmt.Sprintf("actor-%d", i)}, receive)
		tb.Cleanup(func() { <-child.Done() })
		for range 3 {
			if err := all[i].Send(tb.Context(), 1); err != nil {
				tb.Fatal(err)
			}
		}
	}
	return all
}

// BenchmarkSnapshot is one look at all actors.
func BenchmarkSnapshot(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			o := New(Options{})
			all := crowd(b, o.Watch(b.Context()), n)
			defer runtime.KeepAlive(all)
			b.ReportAllocs()
			for b.Loop() {
				if s := o.Snapshot(); len(s.Actors) != n {
					b.Fatalf("there are %d actors", len(s.Actors))
				}
			}
		})
	}
}

// BenchmarkCheck is a look for deadlocks among so many actors.
func BenchmarkCheck(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			o := New(Options{})
			all := crowd(b, o.Watch(b.Context()), n)
			defer runtime.KeepAlive(all)
			b.ReportAllocs()
			for b.Loop() {
				o.check()
			}
		})
	}
}

// A look takes the same for each actor, however many there are, and all are in
// it. BenchmarkSnapshot says how long; this compares what takes about as long, so
// that a slow or a busy machine changes nothing.
func TestSnapshotOfManyActors(t *testing.T) {
	const few, many = 500, 10_000
	perActor := func(n int) func() time.Duration {
		o := New(Options{})
		all := crowd(t, o.Watch(t.Context()), n)
		t.Cleanup(func() { runtime.KeepAlive(all) })
		return func() time.Duration {
			start := time.Now()
			for range many / n {
				if s := o.Snapshot(); len(s.Actors) != n || s.Totals.Actors != n {
					t.Fatalf("there are %d actors", len(s.Actors))
				}
			}
			return time.Since(start) / many
		}
	}
	ofFew, ofMany := perActor(few), perActor(many)
	small, large := time.Hour, time.Hour
	for range 7 { // in turn, and the best of each: what else the machine does meets both
		small, large = min(small, ofFew()), min(large, ofMany())
	}
	t.Logf("%v per actor of %d, %v of %d", small, few, large, many)
	if large > 5*small {
		t.Errorf("a look takes %v for each of %d actors, and %v for each of %d", large, many, small, few)
	}
}
