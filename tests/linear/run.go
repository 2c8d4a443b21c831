package linear

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anishathalye/porcupine"
)

const (
	batchSize = 1000             // histories that are run before they are checked
	hangTime  = 2 * time.Minute  // how long a batch may take to run
	checkTime = 20 * time.Second // how long porcupine may take for one history
	mostFound = 3                // after so many violations a run ends
)

// Config says what to run.
type Config struct {
	Histories int
	Procs     int    // GOMAXPROCS while the clients run
	Seed      uint64 // of the plans; what the scheduler does is up to it
	Fault     *Fault // nil: the mailbox as it is
}

// Report is what a run has found.
type Report struct {
	Histories  int
	Operations int
	Least      int // operations of the shortest history
	Most       int
	Overlaps   int // histories in which three operations were open at one time
	Unknown    int // histories for which porcupine took too long
	Violations []*Violation
	answers    [kinds][len(statusNames)]int
	Ran, Took  time.Duration // while clients ran, and in all
}

// Run runs histories and checks them. It ends early when it has found some
// violations.
func Run(cfg Config) Report {
	begin := time.Now()
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	rep := Report{Least: mostOps}
	size := batchSize
	if cfg.Fault != nil {
		size /= 10 // it is in most of them
	}
	for rep.Histories < cfg.Histories && len(rep.Violations) < mostFound {
		batch := make([]*history, min(size, cfg.Histories-rep.Histories))
		stuck := new(atomic.Bool)
		for i := range batch {
			batch[i] = newHistory(cfg, uint64(rep.Histories+i), stuck)
		}
		runtime.GOMAXPROCS(cfg.Procs)
		start := time.Now()
		hung := play(batch)
		rep.Ran += time.Since(start)
		if hung != nil {
			rep.Violations = append(rep.Violations, hung.hang(cfg))
			break // its goroutines are still there
		}
		runtime.GOMAXPROCS(before)
		rep.check(cfg, batch)
	}
	rep.Took = time.Since(begin)
	return rep
}

// play runs histories one after the other, and returns one that does not end.
func play(batch []*history) (hung *history) {
	var clients sync.WaitGroup
	for c := range mostClients {
		clients.Go(func() {
			for _, h := range batch {
				if c < len(h.clients) {
					h.client(c)
				}
			}
		})
	}
	ended := make(chan struct{})
	go func() {
		clients.Wait()
		close(ended)
	}()
	timeout := time.NewTimer(hangTime)
	defer timeout.Stop()
	select {
	case <-ended:
		return nil
	case <-timeout.C:
		i := slices.IndexFunc(batch, func(h *history) bool { return int(h.finished.Load()) < len(h.clients) })
		return batch[max(i, 0)]
	}
}

// check judges the histories of a batch and adds them to the report.
func (rep *Report) check(cfg Config, batch []*history) {
	results := make([]porcupine.CheckResult, len(batch))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(batch); i = int(next.Add(1)) - 1 {
				h := batch[i]
				h.close()
				h.prepare()
				results[i] = porcupine.CheckOperationsTimeout(h.start.model(), h.operations(), checkTime)
			}
		})
	}
	workers.Wait()
	for i, h := range batch {
		rep.add(h)
		switch {
		case results[i] == porcupine.Unknown:
			rep.Unknown++
		case results[i] == porcupine.Illegal, h.sleeper != "":
			rep.Violations = append(rep.Violations, h.violation(cfg))
		}
	}
}

// add counts a history.
func (rep *Report) add(h *history) {
	n := 0
	for c := range h.clients {
		n += len(h.logs[c])
		for i := range h.logs[c] {
			op := &h.logs[c][i]
			rep.answers[op.Kind][op.Status]++
		}
	}
	rep.Histories++
	rep.Operations += n
	rep.Least, rep.Most = min(rep.Least, n), max(rep.Most, n)
	if h.overlap() >= 3 {
		rep.Overlaps++
	}
}
