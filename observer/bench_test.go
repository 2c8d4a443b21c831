package observer

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"tinyactor/actor"
)

// crowd spawns actors that have worked.
func crowd(tb testing.TB, ctx context.Context, n int) []*actor.Address[int] {
	all := make([]*actor.Address[int], n)
	for i := range all {
		_, all[i] = actor.Spawn(ctx, actor.Config{Name: fmt.Sprintf("actor-%d", i)}, receive)
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

// A look at ten thousand actors takes some milliseconds: BenchmarkSnapshot says
// how many. Here it has ten times what it may need, on any machine.
func TestSnapshotOfManyActors(t *testing.T) {
	const n = 10_000
	o := New(Options{})
	all := crowd(t, o.Watch(t.Context()), n)
	defer runtime.KeepAlive(all)
	best := time.Hour
	for range 5 {
		start := time.Now()
		if s := o.Snapshot(); len(s.Actors) != n || s.Totals.Actors != n {
			t.Fatalf("there are %d actors", len(s.Actors))
		}
		best = min(best, time.Since(start))
	}
	if best > 500*time.Millisecond {
		t.Errorf("a look takes %v", best)
	}
}
