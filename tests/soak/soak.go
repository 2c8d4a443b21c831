package soak

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tinyactor/actor"
	"tinyactor/observer"
)

// Config says how long a run is. There are at least three epochs.
type Config struct {
	Duration time.Duration // of all of it
	Epoch    time.Duration // from one pause to the next
}

// What a run may need at its end beyond what it needed at its start, and how
// long what is under way at a pause may take to come to its end.
const (
	HeapMargin      = 1 << 20
	GoroutineMargin = 4
	settling        = time.Minute
)

// Report is what came of a run.
type Report struct {
	Took     time.Duration
	Epochs   int
	Messages int64 // accepted; beside them, ticks of SendEvery
	Ticks    int64

	Received   int64
	HandedBack int64
	Crashed    int64 // in hand

	Lost       int64 // accepted, and nothing became of it
	Duplicated int64 // more than one thing became of it
	Unaccepted int64 // something became of it, though its send failed

	Restarts, Replaced, Limits int64 // of processes; of supervisors that gave up
	Processes                  int64

	Samples []Sample // at the start, in the middle, at the end
	Counts  string   // what happened, and how often
	Missing []string // what never did
	Faults  []string // what else went wrong
}

// soak is a run.
type soak struct {
	cfg      Config
	ledger   *ledger
	counts   counts
	restarts restarts
	owner    context.Context //nolint:containedctx // of the trees, with the observers
	eye      *observer.Observer
	tree     atomic.Pointer[tree]
	loaded   atomic.Bool // there is load: processes crash and send messages themselves

	mu     sync.Mutex
	faults []string
}

// Run does a run. Before it returns, everything that it has started has ended.
func Run(cfg Config) Report {
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(slog.DiscardHandler)) // crashes are what a run consists of

	s := &soak{cfg: cfg, ledger: newLedger()}
	s.eye = observer.New(observer.Options{})
	s.owner = s.eye.Watch(actor.WithObserver(context.Background(), &s.restarts))
	s.tree.Store(s.newTree(s.owner))
	began := time.Now()
	r := Report{}
	for middle := false; ; {
		s.turn()
		r.Epochs++
		took := time.Since(began)
		over := took >= cfg.Duration && r.Epochs >= 3 || len(s.faults) > 0
		if first := len(r.Samples) == 0; first || over || !middle && took >= cfg.Duration/2 {
			middle = !first
			r.Samples = append(r.Samples, take(began))
		}
		if over {
			break
		}
	}
	_, _ = s.tree.Load().root.Stop(context.Background())
	s.compare()
	s.report(&r, began)
	return r
}

// turn is one epoch: load, a pause in which everything comes to its end, and the
// settlement of accounts.
func (s *soak) turn() {
	ctx, end := context.WithTimeout(s.owner, s.cfg.Epoch)
	defer end()
	var clients sync.WaitGroup
	s.loaded.Store(true)
	for _, client := range []func(context.Context){
		s.send, s.send, s.askAll, s.askAll, s.time, s.watch, s.spawn, s.spawn, s.forget, s.hang,
		s.administer, s.comeAndGo, s.uproot, s.look,
	} {
		clients.Go(func() { client(ctx) })
	}
	done := make(chan struct{})
	go func() {
		clients.Wait()
		close(done)
	}()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		<-tick.C
		s.replant()
		if s.ledger.full() {
			end()
		}
	}
	s.loaded.Store(false)
	late := time.After(settling)
	for gone := false; !gone || !s.settled(); {
		select {
		case <-tick.C:
			s.mend() // who waits for somebody who is down waits no longer
		case <-done:
			gone, done = true, nil
		case <-late:
			s.fail("%v after the load nothing has come to rest (clients have ended: %t)\n%s\n%s", settling, gone, s.restless(), stacks())
			s.ledger.turn()
			return
		}
	}
	s.ledger.turn()
}

// settled reports whether everything that was accepted has its fate, and the
// tree stands.
func (s *soak) settled() bool {
	if !s.mend() {
		return false
	}
	lost, _ := s.ledger.open()
	return lost == 0
}

func (s *soak) count(o op) { s.counts[o].Add(1) }

// fail notes what must not happen.
func (s *soak) fail(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.faults) < 10 {
		s.faults = append(s.faults, fmt.Sprintf(format, args...))
	}
}

// stacks is where all goroutines are.
func stacks() string {
	dump := make([]byte, 1<<20)
	return string(dump[:runtime.Stack(dump, true)])
}

// report fills in what the accounts say.
func (s *soak) report(r *Report, began time.Time) {
	l := s.ledger
	r.Took = time.Since(began)
	r.Messages, r.Ticks = l.messages.Load(), l.ticks.Load()
	r.Received, r.HandedBack, r.Crashed = l.became[received].Load(), l.became[handedBack].Load(), l.became[crashed].Load()
	r.Lost, r.Duplicated, r.Unaccepted = l.lost, l.duplicated.Load(), l.unsent
	r.Restarts, r.Replaced, r.Limits = s.restarts.processes.Load(), s.restarts.replaced.Load(), s.restarts.limits.Load()
	r.Processes = s.restarts.spawned.Load()
	r.Counts, r.Missing = s.counts.String(), s.counts.missing()
	r.Faults = s.faults
}

// Faulty says what is wrong with a run, or nothing.
func (r Report) Faulty() []string {
	bad := r.Faults
	check := func(ok bool, format string, args ...any) {
		if !ok {
			bad = append(bad, fmt.Sprintf(format, args...))
		}
	}
	check(r.Lost == 0, "%d messages are lost", r.Lost)
	check(r.Duplicated == 0, "%d messages are duplicated", r.Duplicated)
	check(r.Unaccepted == 0, "%d messages were refused and arrived", r.Unaccepted)
	check(r.Messages == r.Received+r.HandedBack+r.Crashed, "the account is not even")
	first := r.Samples[0]
	for _, s := range r.Samples {
		check(s.Heap <= first.Heap+HeapMargin, "the heap has grown by %d bytes", s.Heap-first.Heap)
		check(s.Goroutines <= first.Goroutines+GoroutineMargin, "there are %d goroutines more", s.Goroutines-first.Goroutines)
		check(s.Leaked <= 0, "goroutines have leaked:\n%s", s.Stacks)
	}
	return bad
}

// String is the report as a table.
func (r Report) String() string {
	var b strings.Builder
	rate := int64(float64(r.Messages) / r.Took.Seconds())
	fmt.Fprintf(&b, "%v, %d epochs: %d messages (%d per second), %d ticks\n", r.Took.Round(time.Second), r.Epochs, r.Messages, rate, r.Ticks)
	fmt.Fprintf(&b, "  received %d, handed back %d, crashed in hand %d\n", r.Received, r.HandedBack, r.Crashed)
	fmt.Fprintf(&b, "  lost %d, duplicated %d, refused and arrived %d\n", r.Lost, r.Duplicated, r.Unaccepted)
	fmt.Fprintf(&b, "  restarts %d, replaced %d, supervisors that gave up %d, processes %d\n", r.Restarts, r.Replaced, r.Limits, r.Processes)
	fmt.Fprintf(&b, "  %s\n", r.Counts)
	for i, s := range r.Samples {
		fmt.Fprintf(&b, "  %-7s %v\n", []string{"start", "middle", "end"}[min(i, 2)], s)
	}
	return b.String()
}
