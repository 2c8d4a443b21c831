package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// taskName is the name of the only task there is.
const taskName = "snapshot"

var errNotWritten = errors.New("no snapshot was written")

// A task is the service's periodic task, which writes snapshots. It is a child
// of the tree: to stop and to start it is done by the supervisor, and to change
// what it does gives it another body while it runs.
type task struct {
	file   string
	period time.Duration
	store  *actor.Address[request]
	child  *supervisor.Worker[errand]
	tree   *supervisor.Supervisor

	stopped  atomic.Bool // by an operator: then a restart of the tree does not start it
	changing sync.Mutex  // held by who changes the format

	mu      sync.Mutex
	format  format
	written int
	err     error // why the latest snapshot was not written
}

// A taskInfo describes the task.
type taskInfo struct {
	Task    string `json:"task"`
	Running bool   `json:"running"`
	Format  format `json:"format"`
	File    string `json:"file"`
	Written int    `json:"written"`         // snapshots so far
	Error   string `json:"error,omitempty"` // why the latest was not written
}

// An errand has the task write a snapshot at once, or crash.
type errand struct {
	actor.Reply[actor.None]
	crash bool
}

func (m errand) to(r actor.Reply[actor.None]) errand { m.Reply = r; return m }

func newTask(set settings, store *actor.Address[request]) *task {
	t := &task{file: set.snapshot, period: set.period, store: store, format: asJSON}
	t.child = &supervisor.Worker[errand]{Name: taskName, Run: t.writes(asJSON)}
	return t
}

// writes returns the body of a task that writes a snapshot in one format each
// period, and when it is sent for one.
func (t *task) writes(f format) func(context.Context, *actor.Inbox[errand]) error {
	return func(ctx context.Context, in *actor.Inbox[errand]) error {
		if t.stopped.Load() {
			return supervisor.ErrIgnore
		}
		// When the store is being restarted the task is stopped before, and must
		// not wait for the store's answer then.
		ctx, cancel := untilHalt(ctx, in.Halting())
		defer cancel()
		ticks := time.NewTicker(t.period)
		defer ticks.Stop()
		for ready := in.Ready(); ; {
			select {
			case <-ticks.C:
				if err := t.write(ctx, f); err != nil && ctx.Err() == nil {
					slog.Warn("no snapshot was written", "error", err) // the next may be
				}
				continue
			case <-ready:
			}
			e, err := in.TryRecv()
			switch {
			case errors.Is(err, actor.ErrEmpty):
				continue
			case err != nil:
				return err
			case e.crash:
				panic(ordered{about: "an errand"})
			}
			err = t.write(ctx, f)
			if ctx.Err() != nil {
				return nil // without an answer: the errand is sent again
			}
			e.Answer(actor.None{}, err)
		}
	}
}

// untilHalt returns a context that ends at the latest when a process is halted.
func untilHalt(ctx context.Context, halting <-chan struct{}) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-halting:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// write asks the store for the counts and writes them to the file.
func (t *task) write(ctx context.Context, f format) error {
	counts, err := actor.Ask(ctx, t.store, totals{}.to)
	if err == nil {
		err = writeSnapshot(t.file, f, counts)
	} else if ctx.Err() != nil {
		return err // it was interrupted
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err = err; err == nil {
		t.written++
	}
	return err
}

// start starts the task if it was stopped.
func (t *task) start(ctx context.Context) error {
	t.stopped.Store(false)
	err := t.tree.Restart(ctx, taskName)
	if errors.Is(err, supervisor.ErrRunning) || errors.Is(err, supervisor.ErrRestarting) {
		return nil
	}
	return err
}

// stop ends the task until it is started. One that waits for the store gives
// that up.
func (t *task) stop(ctx context.Context) error {
	t.stopped.Store(true)
	return t.tree.Terminate(ctx, taskName)
}

// setFormat has a task that is running write in another format from now on,
// and one snapshot at once. One that is stopped will when it is started.
func (t *task) setFormat(ctx context.Context, f format) error {
	t.changing.Lock()
	defer t.changing.Unlock()
	if err := t.child.Replace(ctx, t.writes(f)); err != nil {
		return err
	}
	t.mu.Lock()
	t.format = f
	t.mu.Unlock()
	if t.stopped.Load() {
		return nil
	}
	err := actor.ErrNoReply
	for panicked := (*actor.PanicError)(nil); errors.Is(err, actor.ErrNoReply) && !errors.As(err, &panicked); {
		_, err = actor.Ask(ctx, t.child.Address(), errand{}.to) // again if the task was restarted meanwhile
	}
	if err != nil {
		return fmt.Errorf("the format is %s now, and %w: %w", f, errNotWritten, err)
	}
	return nil
}

// crash makes the task panic, and returns nil when it has.
func (t *task) crash(ctx context.Context) error {
	if t.stopped.Load() {
		return errors.New("the task is stopped")
	}
	_, err := actor.Ask(ctx, t.child.Address(), errand{crash: true}.to)
	if _, is := byOrder(err); is {
		return nil
	}
	return err
}

func (t *task) info() taskInfo {
	t.mu.Lock()
	defer t.mu.Unlock()
	info := taskInfo{Task: taskName, Running: !t.stopped.Load(), Format: t.format, File: t.file, Written: t.written}
	if t.err != nil {
		info.Error = t.err.Error()
	}
	return info
}
