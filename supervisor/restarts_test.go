package supervisor_test

import (
	"context"
	"flag"
	"runtime"
	"testing"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

var restarts = flag.Int("restarts", 200_000, "how many restarts TestRestartsLeaveNothing makes")

// Many restarts leave heap and goroutines as they were: of a worker alone, of a
// group, and of a supervisor with its children.
func TestRestartsLeaveNothing(t *testing.T) {
	n := *restarts
	if testing.Short() || raceEnabled {
		n = min(n, 10_000)
	}
	received := make(chan int)
	run := func(ctx context.Context, in *actor.Inbox[int]) error {
		for m := range in.Messages(ctx) {
			if m < 0 {
				return errCrash
			}
			received <- m
		}
		return in.Err()
	}
	worker := func(name string) *supervisor.Worker[int] { return &supervisor.Worker[int]{Name: name, Run: run} }
	alone, first, deep := worker("alone"), worker("first"), worker("deep")
	s := start(t, &supervisor.Spec{Name: "root", Limit: often, Children: []supervisor.Child{
		alone,
		&supervisor.Spec{Name: "group", Strategy: supervisor.OneForAll, Limit: often, Children: []supervisor.Child{first, idler("second")}},
		&supervisor.Spec{Name: "deep", Limit: supervisor.Limit{Restarts: -1}, Children: []supervisor.Child{deep, idler("beside")}},
	}})
	crash := func(n int) {
		for i := range n {
			w := []*supervisor.Worker[int]{alone, alone, first, deep}[i%4]
			w.Address().SendNow(-1)
			w.Address().SendNow(i)
			if <-received != i {
				t.Fatal("a message is lost")
			}
		}
	}
	measure := func() (heap uint64, goroutines int) {
		for range 100 { // what has ended needs a moment to be gone
			runtime.Gosched()
		}
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc, runtime.NumGoroutine()
	}
	crash(1000)
	heap, goroutines := measure()
	crash(n)
	heapAfter, goroutinesAfter := measure()
	t.Logf("%d restarts: heap %d -> %d KiB, goroutines %d -> %d", n, heap/1024, heapAfter/1024, goroutines, goroutinesAfter)
	if heapAfter > heap+256*1024 {
		t.Error("the heap has grown")
	}
	if goroutinesAfter > goroutines+2 {
		t.Error("there are more goroutines")
	}
	stop(t, s)
}
