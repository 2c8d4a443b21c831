package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// body does all that a body should not.
func (f *faultTree) body(ctx context.Context, in *actor.Inbox[int]) error {
	switch {
	case f.roll(60, "start error"):
		return errCrash
	case f.roll(60, "ignore"):
		return supervisor.ErrIgnore
	case f.roll(60, "hang at start"):
		select {
		case <-in.Halting():
		case <-ctx.Done():
		}
		return f.stopping(ctx)
	}
	supervisor.Started(ctx)
	for {
		tick, cancel := context.WithTimeout(ctx, time.Millisecond+f.ms(20))
		m, err := in.Recv(tick)
		cancel()
		switch {
		case err == nil:
			f.misbehave(ctx)
			if f.roll(40, "error") {
				return errCrash
			}
			f.fateOf(m, "handled")
			// From here on the message is not in hand: what follows must not crash.
			if _, err := in.TryRecv(); err != nil && err != actor.ErrEmpty {
				return f.stopping(ctx)
			} else if err == nil {
				return errCrash // and what has been received now goes to OnCrash
			}
		case errors.Is(err, context.DeadlineExceeded):
			f.misbehave(ctx)
			switch {
			case f.roll(60, "normal exit"):
				return nil
			case f.roll(60, "shutdown"):
				return fmt.Errorf("enough: %w", supervisor.ErrShutdown)
			case f.roll(60, "error"):
				return errCrash
			}
		default:
			return f.stopping(ctx)
		}
	}
}

// misbehave panics, or calls the supervisor.
func (f *faultTree) misbehave(ctx context.Context) {
	switch {
	case f.roll(60, "panic"):
		panic("told to")
	case f.roll(60, "Goexit"):
		runtime.Goexit()
	case f.roll(40, "call from a child"):
		f.call(ctx, supervisor.Of(ctx))
	}
}

// stopping is what a body does that was told to stop.
func (f *faultTree) stopping(ctx context.Context) error {
	if f.roll(10, "call while stopping") {
		f.call(ctx, supervisor.Of(ctx))
	}
	switch {
	case f.roll(10, "crash while stopping"):
		panic("stopping")
	case f.roll(20, "refusing to abort"):
		<-f.release
	case f.roll(10, "refusing to halt"):
		<-ctx.Done()
	}
	return nil
}

// call makes a random call, on a goroutine of its own or not, and checks that it
// ends.
func (f *faultTree) call(ctx context.Context, s *supervisor.Supervisor) {
	children := s.Children()
	s.Count()
	name := "nobody"
	if len(children) > 0 {
		name = children[f.intN(len(children))].Name
	}
	var do func(context.Context) error
	switch f.intN(7) {
	case 0:
		do = func(ctx context.Context) error { return s.Terminate(ctx, name) }
	case 1, 2:
		do = func(ctx context.Context) error { return s.Restart(ctx, name) }
	case 3:
		do = func(ctx context.Context) error { return s.Remove(ctx, name) }
	case 4:
		do = func(ctx context.Context) error { return s.Add(ctx, f.worker()) }
	case 5:
		w := f.anyWorker()
		do = func(ctx context.Context) error { return w.Replace(ctx, f.body) }
	default:
		f.mu.Lock()
		ds := f.dynamics
		f.mu.Unlock()
		if len(ds) == 0 {
			return
		}
		d := ds[f.intN(len(ds))]
		do = func(ctx context.Context) error { _, err := d.Add(ctx, 0); return err }
	}
	if f.intN(2) == 0 { // the caller does not wait longer than it likes to
		ctx, cancel := context.WithTimeout(ctx, f.ms(30))
		defer cancel()
		do(ctx)
		return
	}
	f.calls.Go(func() { do(context.WithoutCancel(ctx)) }) // it must end by itself
}
