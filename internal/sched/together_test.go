package sched

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// Those who come while something is made share the next, and it is kept for nobody.
func TestTogether(t *testing.T) {
	var all Together[*int]
	made := 0
	begun, goOn := make(chan struct{}), make(chan struct{})
	produce := func() *int {
		made++
		if made == 1 {
			close(begun)
			<-goOn
		}
		n := made
		return &n
	}
	var first *int
	var callers sync.WaitGroup
	callers.Go(func() { first = all.Get(produce) })
	<-begun
	const many = 1000
	var got [many]*int
	for i := range got {
		callers.Go(func() { got[i] = all.Get(produce) })
	}
	for all.wanted.Load() <= many {
		runtime.Gosched()
	}
	close(goOn)
	callers.Wait()
	if *first != 1 || made != 2 {
		t.Errorf("the first got number %d, and %d were made for %d others", *first, made-1, many)
	}
	for _, p := range got {
		if p != got[0] || *p != 2 {
			t.Fatalf("one of those who came meanwhile got number %d", *p)
		}
	}
	if all.latest != nil {
		t.Error("it is kept")
	}
}

// However they come, each gets what was made after it came.
func TestTogetherIsFresh(t *testing.T) {
	var all Together[int64]
	var now atomic.Int64
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 1000 {
				came := now.Add(1)
				if got := all.Get(func() int64 { return now.Add(1) }); got < came {
					t.Errorf("who came at %d got what was made at %d", came, got)
				}
			}
		})
	}
	callers.Wait()
}
