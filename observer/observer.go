package observer

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"tinyactor/actor"
	"tinyactor/internal/inspect"
)

// Observer sees the actors below the contexts that its Watch returned. It is safe
// for concurrent use.
type Observer struct {
	opts    Options
	redact  redactor
	program Program // what of it does not change
	flight  flight  // records what the program does
	dumps   throttle

	// looking lets one look at a time. Actors are asked with it held, and never
	// with mu: they call Born under a lock of theirs.
	looking sync.Mutex
	watch   deadlockWatch
	alarm   alarm

	mu       sync.Mutex
	entries  map[uint64]*entry
	ring     ring
	total    counts // of all actors, also those that have ended
	rate     meter
	restarts int
	panics   int
	ended    []*func(Actor) // whom Ended has told to tell
}

// New returns an observer that sees nothing yet: see [Observer.Watch]. It panics
// if one of the options makes no sense. An observer need not be closed, unless it
// has Options.Trace.
func New(opts Options) *Observer {
	for _, o := range []struct {
		name  string
		value int64
	}{
		{"Events", int64(opts.Events)},
		{"Every", int64(opts.Every)},
		{"Viewers", int64(opts.Viewers)},
		{"Trace", int64(opts.Trace)},
	} {
		if o.value < 0 {
			panic(fmt.Sprintf("observer: New: Options.%s is %d, must not be negative", o.name, o.value))
		}
	}
	opts.Samples = max(orDefault(opts.Samples, DefaultSamples), 0)
	opts.Events = orDefault(opts.Events, DefaultEvents)
	opts.Every = orDefault(opts.Every, DefaultEvery)
	opts.Viewers = orDefault(opts.Viewers, DefaultViewers)

	now := time.Now()
	o := &Observer{
		opts:    opts,
		redact:  opts.Redact,
		program: thisProgram(now),
		entries: make(map[uint64]*entry),
		ring:    ring{limit: opts.Events},
		rate:    meter{at: now},
	}
	if opts.Trace > 0 {
		o.flight.start(opts.Trace, o.logger())
	}
	return o
}

// logger is where deadlocks and actions are told.
func (o *Observer) logger() *slog.Logger {
	if o.opts.Logger != nil {
		return o.opts.Logger
	}
	return slog.Default()
}

// orDefault replaces an option that is zero.
func orDefault[T comparable](value, byDefault T) T {
	var zero T
	if value == zero {
		return byDefault
	}
	return value
}

// Close ends the recording that Options.Trace began. Everything else goes on; an
// observer that nobody refers to any more is collected with its actors.
func (o *Observer) Close() { o.flight.stop() }

// watchKey is the key of a context below which an observer watches.
type watchKey struct{ o *Observer }

// Watch returns a context below which the observer sees every actor: those
// spawned with it, and all of their descendants. Several contexts may be watched;
// an actor below two of them is seen once.
func (o *Observer) Watch(ctx context.Context) context.Context {
	if ctx.Value(watchKey{o}) != nil {
		return ctx
	}
	return actor.WithObserver(context.WithValue(ctx, watchKey{o}, true), (*sink)(o))
}

// sink is the side of an Observer that actors see.
type sink Observer

var _ interface {
	actor.Observer
	inspect.Watcher
} = (*sink)(nil)

// Samples is how many messages per second and process are timed.
func (s *sink) Samples() int { return s.opts.Samples }

// Born takes note of a new actor.
func (s *sink) Born(a *inspect.Actor) { (*Observer)(s).born(a) }

// Observe takes note of an event.
func (s *sink) Observe(e actor.Event) { (*Observer)(s).observe(e) }

// thisProgram is what does not change of a Program.
func thisProgram(now time.Time) Program {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return Program{Name: filepath.Base(os.Args[0]), PID: os.Getpid(), Host: host, Go: runtime.Version(), Started: now}
}
