package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// demoClients is how many clients post files. Each waits for its answers.
	demoClients = 8
	// demoPeriod is how often the demo's service writes a snapshot, at least.
	demoPeriod = 100 * time.Millisecond
)

// A demo has clients that post files to a service, and others that make trouble
// meanwhile.
type demo struct {
	settings
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
// up, and if some trouble did not come about.
func (p program) demonstrate(ctx, abort context.Context, set settings, dir string, length time.Duration) error {
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
	d := &demo{settings: set, files: sources.files, flood: flood, length: length, seen: newRecord()}
	left, err := d.run(ctx, abort, p)
	if err != nil {
		return err
	}
	fmt.Fprintln(p.stdout, d.seen)
	if err := d.check(left); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "the counts of %d texts with %d different words, and the last snapshot, are those of the sequential count\n", len(left.texts), len(left.total))
	return nil
}

// run starts the service, drives it, and ends it.
func (d *demo) run(ctx, abort context.Context, p program) (left books, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return books{}, err
	}
	serving, signal := context.WithCancel(ctx)
	defer signal()
	s, err := newService(context.Background(), d.settings, p.count)
	if err != nil {
		return books{}, errors.Join(err, l.Close())
	}
	served := make(chan error, 1)
	go func() {
		var err error
		left, err = serve(serving, abort, l, s, p.stdout)
		served <- err
	}()
	d.base = "http://" + l.Addr().String()
	driven := d.drive(ctx)
	signal()
	return left, errors.Join(driven, <-served)
}

// drive has the clients post files, in turn and over and over, until each has
// been posted once and all trouble is over. It ends early when ctx ends and
// when an answer is not as it should be, and returns the reason.
func (d *demo) drive(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	transport := &http.Transport{MaxIdleConnsPerHost: demoClients + floodPosts}
	defer transport.CloseIdleConnections()
	d.http = http.Client{Transport: transport, Timeout: 30 * time.Second}

	start := time.Now()
	var trouble, clients sync.WaitGroup
	for _, t := range []struct {
		period time.Duration
		make   func(context.Context) error
	}{
		{500 * time.Millisecond, d.alone("workers", d.crash("worker"))},
		{time.Second, d.alone("store", d.crash("store"))},
		{time.Second, d.floodQueue},
		{time.Second, d.alone(taskName, func(ctx context.Context) error { return errors.Join(d.disturbTask(ctx), d.crashTask(ctx)) })},
		{100 * time.Millisecond, d.askForStats},
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
	for range demoClients {
		clients.Go(func() {
			if err := d.postFiles(ctx, over); err != nil {
				cancel(err)
			}
		})
	}
	clients.Wait()
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
