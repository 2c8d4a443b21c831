package observer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tinyactor/internal/inspect"
	"tinyactor/supervisor"
)

// longestRestart bounds how long somebody who restarts a child waits for that.
// The restart goes on: a child that is only stopped is not what was asked for.
const longestRestart = 10 * time.Second

// errStillStopping says that a restart goes on.
var errStillStopping = errors.New("observer: it is still stopping, and is started again when it has stopped")

// act halts, aborts or restarts an actor.
func (o *Observer) act(ctx context.Context, id uint64, verb string) error {
	_, a := o.lookup(id)
	if a == nil {
		return errUnknown
	}
	var err error
	switch verb {
	case "halt":
		a.Halt()
	case "abort":
		if !a.Abort() {
			err = fmt.Errorf("%w: it has ended, or was aborted before", errNotApplicable)
		}
	case "restart":
		err = o.restart(ctx, a)
	default:
		err = fmt.Errorf("%w: there is no action %q", errNotApplicable, verb)
	}
	if err == nil {
		o.logger().Info("observer: an actor was told from the page to "+verb, "actor", o.redact.text(TextName, a.Name), "id", id)
	}
	return err
}

// restart has the supervisor of a worker stop it and start it again.
func (o *Observer) restart(ctx context.Context, a *inspect.Actor) error {
	r := a.Read()
	var above *supervision
	if _, up := o.lookup(r.Parent); r.Supervised && up != nil {
		reading := up.Read()
		above = supervisionOf(&reading)
	}
	switch {
	case !r.Supervised:
		return fmt.Errorf("%w: it has no supervisor that could start it again", errNotApplicable)
	case above == nil:
		return fmt.Errorf("%w: its supervisor is not running, or not watched", errNotApplicable)
	}
	info, ok := above.Which(a.Name)
	switch {
	case !ok:
		return fmt.Errorf("%w: its supervisor knows it by no name; abort it, and it is started again if it is permanent", errNotApplicable)
	case info.Restart == supervisor.Temporary:
		return fmt.Errorf("%w: a temporary child is removed when it is stopped", errNotApplicable)
	}
	done := make(chan error, 1)
	go func() { // for as long as the child's abort timer lets it stop
		ctx := context.WithoutCancel(ctx)
		err := above.Terminate(ctx, a.Name)
		if err == nil {
			err = above.Restart(ctx, a.Name)
		}
		if err != nil {
			reason, _ := o.reason(err)
			err = fmt.Errorf("%w: %s", errNotApplicable, reason)
		}
		done <- err
	}()
	timeout := time.NewTimer(longestRestart)
	defer timeout.Stop()
	select {
	case err := <-done:
		return err
	case <-timeout.C:
		return errStillStopping
	}
}
