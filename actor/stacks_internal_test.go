package actor

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"unsafe"
)

// hung returns the processes of actors that do nothing until the test ends.
func hung(t *testing.T, n int) []*process {
	var procs []*process
	var running sync.WaitGroup
	for range n {
		running.Add(1)
		child, _ := Spawn(t.Context(), Config{}, func(_ context.Context, in *Inbox[int]) error {
			running.Done()
			<-in.Halting()
			return nil
		})
		t.Cleanup(func() { <-child.Done() })
		procs = append(procs, child.actor().procs[0])
	}
	running.Wait()
	return procs
}

// Many who look for processes at the same time share a dump: each would stop the
// whole program for its own.
func TestA4SearchesShareADump(t *testing.T) {
	const many = 100
	procs := hung(t, 3)
	found := make([]map[*process]string, many)
	var all sync.WaitGroup
	searches.dumping.Lock()
	for i := range found {
		all.Go(func() { found[i] = findStacks([]*process{procs[0], procs[1+i%2]}) })
	}
	for waiting := 0; waiting < many; runtime.Gosched() {
		searches.mu.Lock()
		waiting = len(searches.waiting)
		searches.mu.Unlock()
	}
	searches.dumping.Unlock()
	all.Wait()
	for i, stacks := range found {
		if len(stacks) != 2 || !strings.Contains(stacks[procs[0]], "runBody") || !strings.Contains(stacks[procs[1+i%2]], "runBody") {
			t.Fatalf("search %d has found %v", i, stacks)
		}
		if unsafe.StringData(stacks[procs[0]]) != unsafe.StringData(found[0][procs[0]]) {
			t.Fatalf("search %d has found what another dump shows", i)
		}
	}
	// A later one has a dump of its own: the process may have gone on.
	if later := findStacks(procs[:1]); unsafe.StringData(later[procs[0]]) == unsafe.StringData(found[0][procs[0]]) {
		t.Error("a later search has found what an earlier dump shows")
	}
}

// What is kept of a dump is a stack, not the whole dump: the report of a stuck
// process may be kept for ever.
func TestA4AStackDoesNotKeepTheDump(t *testing.T) {
	const others = 5000
	end := make(chan struct{})
	var waiting, ended sync.WaitGroup
	waiting.Add(others)
	for range others {
		ended.Go(func() { waiting.Done(); <-end })
	}
	defer ended.Wait()
	defer close(end)
	waiting.Wait()
	procs := hung(t, 1)
	size := len(dump())
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	var kept []map[*process]string
	for range 20 {
		kept = append(kept, findStacks(procs))
	}
	if grown := int(heap()) - int(before); size < 500_000 || grown > size {
		t.Errorf("20 stacks of dumps of %d bytes keep %d bytes", size, grown)
	}
	runtime.KeepAlive(kept)
}

// An abort of very many actors that do not heed it ends in good time, and all are
// reported with their stacks.
func TestA4ManyAreStuckAtOnce(t *testing.T) {
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(slog.DiscardHandler))
	const many = 2000
	release := make(chan struct{})
	var all []*Child[int, None]
	for range many {
		child, _ := Spawn(context.Background(), Config{}, func(context.Context, *Inbox[int]) error {
			<-release
			return nil
		})
		all = append(all, child)
	}
	for _, c := range all {
		c.Abort()
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range all {
		if _, err := c.Stop(ended); !errors.Is(err, ErrStuck) || !strings.Contains(err.Error(), "TestA4ManyAreStuckAtOnce") {
			t.Fatalf("Stop gives %v", err)
		}
	}
	close(release)
	for _, c := range all {
		<-c.Done()
	}
}
