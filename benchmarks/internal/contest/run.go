package contest

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// A Workload is something that contestants are compared by.
type Workload struct {
	Name  string
	Title string // in the table
	// Fixed is the number of operations, for what depends on it. It is 0 where
	// the number is chosen so that a run takes some time.
	Fixed int
	// Step divides the number of operations.
	Step int
	// Procs is GOMAXPROCS: 0 is what it is anyway, and -n is n times that.
	Procs int
	// Own is a workload that only this library and its baselines enter.
	Own bool
	// Supervised is a workload that only contestants with supervisors enter.
	Supervised bool
	// Remote is a workload between machines, which only contestants enter that
	// send over a network.
	Remote bool
	// Cold is a workload that is measured without a warm-up.
	Cold bool
	// Lasts is how long a part of it takes that is not counted in operations.
	Lasts time.Duration
	// Once is a workload that is run once and not in each round.
	Once bool
	// run does N operations, measured from Start to End.
	run func(r *Run) error
}

// A Value is one thing that a run has measured.
type Value struct {
	Row   string  `json:"row"` // of the table: the workload's name, and maybe a slash and what it is
	Unit  string  `json:"unit"`
	Value float64 `json:"value"`
	// What one operation needs besides. Zero where Measured is false.
	Measured bool    `json:"measured"`
	Allocs   float64 `json:"allocs"`
	Bytes    float64 `json:"bytes"`
	CPU      float64 `json:"cpu_ns"`
	N        int     `json:"n"`
}

// A Run is one run of a workload by a contestant.
type Run struct {
	Contestant
	N        int           // operations
	Time     time.Duration // as Lasts
	Patience time.Duration // how long a run may take before it counts as hung

	name     string
	from, to usage
	values   []Value
}

// usage is what the process has used so far.
type usage struct {
	at      time.Time
	cpu     time.Duration
	mallocs uint64
	bytes   uint64
}

func (u *usage) memory() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	u.mallocs, u.bytes = m.Mallocs, m.TotalAlloc
}

// Start begins the measurement.
func (r *Run) Start() {
	r.from.memory()
	r.from.cpu = cpuTime()
	r.from.at = time.Now()
}

// End ends it.
func (r *Run) End() {
	r.to.at = time.Now()
	r.to.cpu = cpuTime()
	r.to.memory()
}

// elapsed is how long the measurement took.
func (r *Run) elapsed() time.Duration { return r.to.at.Sub(r.from.at) }

// report notes a value that is not the time of an operation, in a row that is
// called like the workload with a suffix.
func (r *Run) report(suffix, unit string, value float64) {
	r.values = append(r.values, Value{Row: r.name + suffix, Unit: unit, Value: value, N: r.N})
}

// perOp notes the time of an operation.
func (r *Run) perOp(suffix string) {
	n := float64(r.N)
	r.values = append(r.values, Value{
		Row:      r.name + suffix,
		Unit:     "ns",
		Value:    float64(r.elapsed()) / n,
		Measured: true,
		Allocs:   float64(r.to.mallocs-r.from.mallocs) / n,
		Bytes:    float64(r.to.bytes-r.from.bytes) / n,
		CPU:      float64(r.to.cpu-r.from.cpu) / n,
		N:        r.N,
	})
}

var errHung = errors.New("a message is missing: nothing goes on")

// wait waits until done is closed, or something comes out of it.
func (r *Run) wait(done <-chan struct{}) error {
	timeout := time.NewTimer(r.Patience)
	defer timeout.Stop()
	select {
	case <-done:
		return nil
	case <-timeout.C:
		return errHung
	}
}

// together runs f on n goroutines that begin at the same time, and then last. It
// measures until that returns.
func (r *Run) together(n int, f func(i int), last func()) {
	var ready, wg sync.WaitGroup
	begin := make(chan struct{})
	ready.Add(n)
	for i := range n {
		wg.Go(func() {
			ready.Done()
			<-begin
			f(i)
		})
	}
	ready.Wait()
	r.Start()
	close(begin)
	wg.Wait()
	last()
	r.End()
}

// Do runs the workload once, with n operations.
func (w *Workload) Do(c Contestant, n int, d, patience time.Duration) ([]Value, error) {
	r := &Run{Contestant: c, N: n, Time: d, Patience: patience, name: w.Name}
	if err := w.run(r); err != nil {
		return nil, fmt.Errorf("%s: %w", w.Name, err)
	}
	if len(r.values) == 0 {
		r.perOp("")
	}
	return r.values, nil
}

// Measure warms up, and then runs the workload with as many operations as fit
// into about d, or with n if n is not 0.
func (w *Workload) Measure(c Contestant, n int, d, patience time.Duration) ([]Value, error) {
	w.setProcs()
	switch {
	case n != 0:
		// The caller knows.
	case w.Cold:
		n = w.Fixed
	case w.Fixed != 0:
		n = w.Fixed
		if _, err := w.Do(c, w.round(n/10), w.Lasts/10, patience); err != nil {
			return nil, err
		}
	default:
		var err error
		if n, err = w.calibrate(c, d, patience); err != nil {
			return nil, err
		}
	}
	runtime.GC()
	return w.Do(c, w.round(n), w.Lasts, patience)
}

// setProcs sets GOMAXPROCS.
func (w *Workload) setProcs() {
	switch {
	case w.Procs < 0:
		runtime.GOMAXPROCS(-w.Procs * runtime.GOMAXPROCS(0))
	case w.Procs > 0:
		runtime.GOMAXPROCS(w.Procs)
	}
}

// round makes n a multiple of Step that is not 0.
func (w *Workload) round(n int) int {
	step := max(w.Step, 1)
	return max(n/step, 1) * step
}

// calibrate returns how many operations take about d. The runs that it needs
// for that are the warm-up.
func (w *Workload) calibrate(c Contestant, d, patience time.Duration) (int, error) {
	for n := w.round(1000); ; {
		r := &Run{Contestant: c, N: n, Patience: patience}
		if err := w.run(r); err != nil {
			return 0, fmt.Errorf("%s: %w", w.Name, err)
		}
		took := max(r.elapsed(), time.Microsecond)
		fits := int(float64(n) * float64(d) / float64(took))
		if took >= d/8 {
			return fits, nil
		}
		n = w.round(min(fits/4, 10*n) + 1)
	}
}
