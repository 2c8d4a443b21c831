package prometheus

import (
	"sync"
	"time"

	"tinyactor/observer"
)

// fake is an observer whose snapshots the test makes up.
type fake struct {
	mu    sync.Mutex
	snap  observer.Snapshot
	ended func(observer.Actor)
}

func (f *fake) Ended(told func(observer.Actor)) (stop func()) {
	f.ended = told
	return func() {}
}

func (f *fake) Snapshot() observer.Snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.snap
}

// look is the moment of the made up snapshots.
var look = time.Unix(1_000_000, 0)

// worker returns an actor in which every number is another one.
func worker(id uint64, name string) observer.Actor {
	hand := look.Add(-1500 * time.Millisecond)
	a := observer.Actor{
		ID: id, Name: name,
		Accepted: 100, Received: 90, Undelivered: 3,
		Restarts:  observer.Restarts{Total: 5},
		Panics:    4,
		Processes: observer.Processes{Total: 11, Busy: 8, Stuck: 1},
		Queue:     observer.Queue{Length: 7, High: 17, Limit: 64},
		Waiting:   &observer.Waiting{Count: 2},
		HandSince: &hand,
		Handling:  observer.Latency{Count: 3, Sum: 20 * time.Second},
	}
	a.Handling.Octaves[0], a.Handling.Octaves[10], a.Handling.Octaves[25] = 1, 1, 1
	return a
}
