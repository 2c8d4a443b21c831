package main

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// A record is what the demo's clients have been told.
type record struct {
	took time.Duration // how long they have driven the service

	mu        sync.Mutex
	posts     map[string]map[int]admission // that were admitted, by text and number
	crashes   map[pieceID]int              // how often POST /crash has told of each piece
	crashed   map[string]int               // how often what has crashed, by the child's name
	restarts  map[string]int               // that the last GET /stats has told of
	refused   int                          // posts
	stops     int                          // of the task
	format    format                       // that the task writes
	workers   int                          // the most that were seen
	latencies []time.Duration              // of all requests
}

// An admission is a post that was admitted.
type admission struct {
	turn    int  // of the demo, whose mark it has
	pieces  int  // of which it has so many
	counted bool // it was waited for, and was counted
	failed  int  // it was waited for, and has failed because of this piece
}

func newRecord() *record {
	return &record{posts: make(map[string]map[int]admission), crashes: make(map[pieceID]int), crashed: make(map[string]int), format: asJSON}
}

func (r *record) note(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

func (r *record) admit(name string, post int, a admission) {
	r.note(func() {
		if r.posts[name] == nil {
			r.posts[name] = make(map[int]admission)
		}
		r.posts[name][post] = a
	})
}

func (r *record) refuse()                  { r.note(func() { r.refused++ }) }
func (r *record) stop()                    { r.note(func() { r.stops++ }) }
func (r *record) use(f format)             { r.note(func() { r.format = f }) }
func (r *record) crashTask()               { r.note(func() { r.crashed[taskName]++ }) }
func (r *record) answered(d time.Duration) { r.note(func() { r.latencies = append(r.latencies, d) }) }

// crash notes that a worker or the store has crashed on a piece.
func (r *record) crash(what string, id pieceID) {
	r.note(func() {
		r.crashes[id]++
		r.crashed[map[string]string{"worker": "workers", "store": "store"}[what]]++
	})
}

// figures notes what GET /stats has told.
func (r *record) figures(s stats) {
	r.note(func() { r.workers, r.restarts = max(r.workers, s.Staff), s.Restarts })
}

// begin forgets what had crashed before.
func (r *record) begin() {
	r.note(func() { r.crashed = maps.Clone(r.restarts) })
}

// ends returns how often a child has crashed, and was restarted because of that.
func (r *record) ends(child string) (crashed, restarts int) {
	r.note(func() { crashed, restarts = r.crashed[child], r.restarts[child] })
	return crashed, restarts
}

func (r *record) refusals() (n int) {
	r.note(func() { n = r.refused })
	return n
}

// admitted returns how many posts were admitted and how many pieces they have.
func (r *record) admitted() (posts, pieces int) {
	for _, of := range r.posts {
		posts += len(of)
		for _, a := range of {
			pieces += a.pieces
		}
	}
	return posts, pieces
}

// String describes the record of a demo that is over.
func (r *record) String() string {
	slices.Sort(r.latencies)
	posts, _ := r.admitted()
	return fmt.Sprintf("%d posts admitted, %d refused; %d pieces crashed, the task stopped %d times, up to %d workers\n"+
		"restarts: %d of workers, %d of the store, %d of the task\n%.0f requests/s, p50 %v, p99 %v",
		posts, r.refused, len(r.crashes), r.stops, r.workers, r.restarts["workers"], r.restarts["store"], r.restarts[taskName],
		float64(len(r.latencies))/r.took.Seconds(), r.percentile(50), r.percentile(99))
}

// percentile is one of the sorted latencies.
func (r *record) percentile(p int) time.Duration {
	if len(r.latencies) == 0 {
		return 0
	}
	return r.latencies[(len(r.latencies)-1)*p/100].Round(time.Microsecond)
}
