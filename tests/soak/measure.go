package soak

import (
	"bytes"
	"fmt"
	"runtime"
	"runtime/pprof"
	"time"
)

// Sample is what a run takes at one moment when it is at rest.
type Sample struct {
	After      time.Duration // since the run began
	Heap       int64         // bytes of objects that can be reached
	Goroutines int
	Leaked     int    // goroutines that nothing can ever wake; -1: this build cannot tell
	Stacks     string // of those
}

// String returns the sample as a row of the table.
func (s Sample) String() string {
	leaked := fmt.Sprint(s.Leaked)
	if s.Leaked < 0 {
		leaked = "not in this build"
	}
	return fmt.Sprintf("%7v  heap %7.2f MiB  goroutines %3d  of which leaked: %s",
		s.After.Round(time.Second), float64(s.Heap)/(1<<20), s.Goroutines, leaked)
}

// calm is how many collections in a row have to end no goroutine.
const calm = 5

// take collects garbage until no goroutine ends by it any more: actors that
// nobody can reach do, some time after a collection. Whoever calls it has seen to
// it that nothing else happens.
func take(began time.Time) Sample {
	n := runtime.NumGoroutine()
	for same := 0; same < calm; same++ {
		runtime.GC()
		time.Sleep(20 * time.Millisecond)
		if now := runtime.NumGoroutine(); now < n {
			n, same = now, 0
		}
	}
	s := Sample{Goroutines: n, Leaked: -1}
	if p := pprof.Lookup("goroutineleak"); p != nil {
		var stacks bytes.Buffer
		if err := p.WriteTo(&stacks, 1); err == nil { // which looks for them
			s.Leaked, s.Stacks = p.Count(), stacks.String()
		}
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	s.After, s.Heap = time.Since(began), int64(m.HeapAlloc)
	return s
}
