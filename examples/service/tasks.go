package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tinyactor/actor"
)

var errNotWritten = errors.New("no snapshot was written")

// tasks is the state of the actor that keeps the service's periodic task, which
// writes snapshots. The task is an actor of its own: stopping it ends that
// actor, and starting it makes a new one, which goes on where the old one was.
// That actor is a child of this one, so it cannot be left running.
type tasks struct {
	file    string
	period  time.Duration
	store   *actor.Address[request]
	child   *actor.Child[errand, snapshots] // the latest snapshot actor
	address *actor.Address[errand]
	state   snapshots // as the latest one that has ended left it
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

// A command has the actor run a function that does something to the task, and
// is answered with what the task is then.
type command struct {
	actor.Reply[taskInfo]
	run func(t *tasks, ctx context.Context) error
}

func (m command) to(r actor.Reply[taskInfo]) command { m.Reply = r; return m }

// startTasks starts the actor, and with it the task. When it is drained it stops
// the task and writes a last snapshot, whether the task was running or not,
// because nobody can ask for the counts after that.
func startTasks(owner context.Context, set settings, store *actor.Address[request]) (*actor.Child[command, actor.None], *actor.Address[command]) {
	return actor.Spawn(owner, actor.Config{Name: "tasks"}, func(ctx context.Context, in *actor.Inbox[command]) error {
		t := &tasks{file: set.snapshot, period: set.period, store: store, state: snapshots{format: asJSON}}
		if err := t.start(ctx); err != nil {
			return err
		}
		err := in.Serve(ctx, func(ctx context.Context, c command) error {
			err := c.run(t, ctx)
			info := t.info(ctx)
			c.Answer(info, err)
			return nil
		})
		if in.Err() != actor.ErrClosed {
			return err
		}
		if err := t.stop(ctx); err != nil {
			return err
		}
		return t.state.write(ctx, t.file, t.store)
	})
}

// running reports whether there is a task that has not ended.
func (t *tasks) running() bool {
	if t.child == nil {
		return false
	}
	select {
	case <-t.child.Done():
		return false
	default:
		return true
	}
}

// start starts the task if it is not running.
func (t *tasks) start(ctx context.Context) error {
	if t.running() {
		return nil
	}
	t.child, t.address = startSnapshots(ctx, t.file, t.period, t.store, t.state)
	return nil
}

// stop ends the task, after the snapshot that it is writing, if it is running.
func (t *tasks) stop(ctx context.Context) error {
	if !t.running() {
		return nil
	}
	state, err := t.child.Stop(ctx)
	if err != nil {
		return fmt.Errorf("stopping the task: %w", err)
	}
	t.state = state
	return nil
}

// setFormat has a task that is running write in another format from now on,
// and one snapshot at once. One that is stopped will when it is started.
func (t *tasks) setFormat(ctx context.Context, f format) error {
	if !t.running() {
		t.state.format = f
		return nil
	}
	_, err := actor.Ask(ctx, t.address, errand{run: func(ctx context.Context, s *snapshots) error {
		s.format = f
		return s.write(ctx, t.file, t.store)
	}}.to)
	if err != nil {
		return fmt.Errorf("the format is %s now, and %w: %w", f, errNotWritten, err)
	}
	return nil
}

// look does nothing, for who only wants to see.
func (t *tasks) look(context.Context) error { return nil }

func (t *tasks) info(ctx context.Context) taskInfo {
	info := taskInfo{Task: "snapshot", File: t.file}
	state := t.state
	if t.running() {
		if now, err := actor.Ask(ctx, t.address, errand{}.to); err == nil {
			info.Running, state = true, now
		}
	}
	info.Format, info.Written = state.format, state.written
	if state.err != nil {
		info.Error = state.err.Error()
	}
	return info
}
