package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"tinyactor/observer"
)

// demoPeriod is how often the demo's service writes a snapshot, at least.
const demoPeriod = 100 * time.Millisecond

// A pace is how hard a demo drives its service.
type pace struct {
	clients                          int           // that post files; each waits for its answers
	rest                             time.Duration // of a client, between two posts
	worker, store, flood, task, stat time.Duration // from one trouble of a kind to the next
}

var (
	hard   = pace{clients: 8, worker: 500 * time.Millisecond, store: time.Second, flood: time.Second, task: time.Second, stat: 100 * time.Millisecond}
	gentle = pace{2, 20 * time.Millisecond, 7 * time.Second, 31 * time.Second, 13 * time.Second, 23 * time.Second, time.Second}
)

// A demo has clients that post files to a service, and others that make trouble
// meanwhile.
type demo struct {
	settings
	pace
	files  []source
	flood  source
	length time.Duration

	base string       // the service's URL
	http http.Client  // of all clients
	next atomic.Int64 // how many files the clients have taken, in turn
	turn atomic.Int64 // how many posts were made
	seen *record

	crashing sync.Mutex // one child at a time
}

// demonstrate runs the service on a free port, drives it for at least the given
// length, ends it as a signal would, and checks everything that was answered
// and what is left in the books. It returns an error if anything does not add
// up, and if some trouble did not come about. Then it goes on until ctx ends, if
// keep is true.
func (p program) demonstrate(ctx, abort context.Context, set settings, dir string, length time.Duration, keep bool) error {
	temp, err := os.MkdirTemp("", "tinyactor-demo")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	set.allowCrash = true
	set.snapshot = filepath.Join(temp, "snapshot")
	set.period = min(set.period, demoPeriod)

	sources, err := readSources(dir, set.maxBytes)
	if err != nil {
		return err
	}
	flood, err := writeFlood(temp, set)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%v below %s\n", sources, dir)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	o := newObserver(set)
	d := &demo{settings: set, pace: hard, files: sources.files, flood: flood, length: length, base: "http://" + l.Addr().String(), seen: newRecord()}
	left, err := p.drive(ctx, abort, l, o, set, d.drive)
	if err != nil {
		return err
	}
	fmt.Fprintln(p.stdout, d.seen)
	if err := d.check(left); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "the counts of %d texts with %d different words, and the last snapshot, are those of the sequential count\n", len(left.texts), len(left.total))
	if !keep {
		return nil
	}
	fmt.Fprintln(p.stdout, "going on until interrupted")
	if l, err = net.Listen("tcp", l.Addr().String()); err != nil {
		return err
	}
	_, err = p.drive(ctx, abort, l, o, set, d.goOn)
	return err
}

// drive serves a service on l while f drives it, and ends it when f has returned.
// If it ends before, so does f's context.
func (p program) drive(ctx, abort context.Context, l net.Listener, o *observer.Observer, set settings, f func(context.Context) error) (left books, err error) {
	ctx, signal := context.WithCancel(ctx)
	defer signal()
	served := make(chan error, 1)
	go func() {
		defer signal()
		var err error
		left, err = p.serve(ctx, abort, l, o, set)
		served <- err
	}()
	driven := f(ctx)
	signal()
	return left, errors.Join(driven, <-served)
}

// goOn drives another service as the demo has driven one, but gently, until ctx
// ends. It says what is not as it should be and does not end because of it:
// whoever looks at the page of the actors may have done that.
func (d *demo) goOn(ctx context.Context) error {
	for ctx.Err() == nil {
		// A record takes room, and so each minute has one of its own.
		part := &demo{settings: d.settings, pace: gentle, files: d.files, flood: d.flood, length: time.Minute, base: d.base, seen: newRecord()}
		if err := part.drive(ctx); err != nil && ctx.Err() == nil {
			slog.Warn("the demonstration goes on", "error", err)
			_ = pause(ctx, time.Second)
		}
	}
	return nil
}

// drive has the clients post files, in turn and over and over, until each has
// been posted once and all trouble is over. It ends early when ctx ends and
// when an answer is not as it should be, and returns the reason.
func (d *demo) drive(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	transport := &http.Transport{MaxIdleConnsPerHost: d.clients + floodPosts}
	defer transport.CloseIdleConnections()
	d.http = http.Client{Transport: transport, Timeout: 30 * time.Second}

	if err := d.askForStats(ctx); err != nil {
		return err
	}
	d.seen.begin()
	start := time.Now()
	var trouble, posting sync.WaitGroup
	for _, t := range []struct {
		period time.Duration
		make   func(context.Context) error
	}{
		{d.pace.worker, d.alone("workers", d.crash("worker"))},
		{d.pace.store, d.alone("store", d.crash("store"))},
		{d.pace.flood, d.floodQueue},
		{d.pace.task, d.alone(taskName, func(ctx context.Context) error { return errors.Join(d.disturbTask(ctx), d.crashTask(ctx)) })},
		{d.pace.stat, d.askForStats},
	} {
		trouble.Go(func() {
			if err := repeat(ctx, t.period, d.length, t.make); err != nil {
				cancel(err)
			}
		})
	}
	over := make(chan struct{})
	go func() {
		trouble.Wait()
		close(over)
	}()
	for range d.clients {
		posting.Go(func() {
			if err := d.postFiles(ctx, over); err != nil {
				cancel(err)
			}
		})
	}
	posting.Wait()
	<-over
	d.seen.took = time.Since(start)
	if ctx.Err() == nil {
		return d.askForStats(ctx) // with all restarts
	}
	return context.Cause(ctx)
}

// repeat calls f at once, and each time a period has passed, for the length
// given or until ctx ends.
func repeat(ctx context.Context, period, length time.Duration, f func(context.Context) error) error {
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for start := time.Now(); ; {
		if err := f(ctx); err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if time.Since(start) >= length {
			return nil
		}
	}
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
