package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"
)

const (
	floodPosts = 32 // that come at once
	floodWaves = 50 // that are tried until a post is refused
)

// crash returns a function that has a worker or the store crash, and checks that
// the post about whose piece it had a message in hand has failed and nothing else
// has happened to its text.
func (d *demo) crash(what string) func(context.Context) error {
	return func(ctx context.Context) error {
		var id pieceID
		if err := d.must(ctx, http.MethodPost, "/crash?what="+what, &id); err != nil {
			return err
		}
		d.seen.crash(what, id)
		got, err := d.lookUp(ctx, id.Text)
		if err != nil {
			return err
		}
		// A later post may have been counted, or have failed, in the meantime.
		if got.Post == id.Post || got.Post < id.Post && (got.Failed == nil || got.Failed.Post < id.Post) {
			return fmt.Errorf("%v has crashed, and its text is %+v", id, got)
		}
		return nil
	}
}

// alone returns a function that has a child crash, as f does, while no other one
// does, and waits for its restart. A child that crashes while it is being stopped
// with those after one that has crashed is started again with them, and that
// restart is not its own: the figures could not be compared.
func (d *demo) alone(child string, f func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		d.crashing.Lock()
		defer d.crashing.Unlock()
		if err := f(ctx); err != nil {
			return err
		}
		for deadline := time.Now().Add(10 * time.Second); ; {
			if err := d.askForStats(ctx); err != nil {
				return err
			}
			switch crashed, restarts := d.seen.ends(child); {
			case restarts == crashed:
				return nil
			case restarts > crashed, time.Now().After(deadline):
				return fmt.Errorf("%s has crashed %d times, and was restarted %d times", child, crashed, restarts)
			}
			if err := pause(ctx, 5*time.Millisecond); err != nil {
				return err
			}
		}
	}
}

// floodQueue posts many texts at once, so that some are refused.
func (d *demo) floodQueue(ctx context.Context) error {
	for range floodWaves {
		var (
			posts sync.WaitGroup
			errs  [floodPosts]error
		)
		for i := range errs {
			posts.Go(func() { _, errs[i] = d.post(ctx, &d.flood, false) })
		}
		posts.Wait()
		if err := errors.Join(errs[:]...); err != nil {
			return err
		}
		if d.seen.refusals() > 0 {
			return nil
		}
	}
	return nil // check complains
}

// disturbTask stops the task, starts it with another format, and changes the
// format while it runs, and checks that it does what it is told.
func (d *demo) disturbTask(ctx context.Context) error {
	var stopped, later, running, changed taskInfo
	if err := d.must(ctx, http.MethodPost, "/tasks/snapshot/stop", &stopped); err != nil {
		return err
	}
	if err := pause(ctx, 2*d.period); err != nil {
		return err
	}
	if err := d.get(ctx, "/tasks/snapshot", &later); err != nil {
		return err
	}
	if stopped.Running || later != stopped {
		return fmt.Errorf("the task was stopped: %+v, and later %+v", stopped, later)
	}
	d.seen.stop()

	if err := d.must(ctx, http.MethodPost, "/tasks/snapshot/start", &running); err != nil {
		return err
	}
	if running.Written == stopped.Written {
		if err := d.awaitSnapshot(ctx, &running); err != nil {
			return err
		}
	}

	other := asCSV
	if running.Format == asCSV {
		other = asJSON
	}
	if err := d.must(ctx, http.MethodPost, "/tasks/snapshot?format="+string(other), &changed); err != nil {
		return err
	}
	if !changed.Running || changed.Format != other || changed.Written <= running.Written {
		return fmt.Errorf("the task should write %s: %+v, and before %+v", other, changed, running)
	}
	d.seen.use(other)
	text, err := os.ReadFile(d.snapshot)
	if err != nil {
		return err
	}
	_, err = readSnapshot(text, other)
	return err
}

// crashTask has the task crash, and checks that it comes back.
func (d *demo) crashTask(ctx context.Context) error {
	var info taskInfo
	if err := d.must(ctx, http.MethodPost, "/crash?what=task", &info); err != nil {
		return err
	}
	d.seen.crashTask()
	return d.awaitSnapshot(ctx, &info)
}

// awaitSnapshot waits until the task, which must be running, has written one more
// than info says.
func (d *demo) awaitSnapshot(ctx context.Context, info *taskInfo) error {
	before := info.Written
	for deadline := time.Now().Add(10 * time.Second); info.Written == before; {
		if err := pause(ctx, d.period/4); err != nil {
			return err
		}
		if err := d.get(ctx, "/tasks/snapshot", info); err != nil {
			return err
		}
		if !info.Running || time.Now().After(deadline) {
			return fmt.Errorf("the task was started, and has written nothing: %+v", *info)
		}
	}
	return nil
}

// askForStats checks what is always true of the figures.
func (d *demo) askForStats(ctx context.Context) error {
	var health struct{ Status string }
	if err := d.get(ctx, "/healthz", &health); err != nil {
		return err
	}
	var got stats
	if err := d.get(ctx, "/stats", &got); err != nil {
		return err
	}
	back := got.Processed + got.HandedBack + got.Crashed
	if health.Status != "ok" || got.Accepted != back+got.Open || got.Open < 0 || got.Open > d.queue ||
		got.HandedBack != 0 || got.Staff < d.workersMin || got.Staff > d.workersMax {
		return fmt.Errorf("the figures do not add up: %+v, %+v", got, health)
	}
	d.seen.figures(got)
	return nil
}
