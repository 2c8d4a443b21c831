package actor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/internal/hold"
)

var errHeld = errors.New("crash")

// ends is a body that keeps what it receives, and ends with an error at a
// negative message.
func ends(l *list[int]) func(context.Context, *actor.Inbox[int]) error {
	return func(ctx context.Context, in *actor.Inbox[int]) error {
		return in.Serve(ctx, func(_ context.Context, m int) error {
			if m < 0 {
				return errHeld
			}
			l.add(m)
			return nil
		})
	}
}

// sendAll sends messages that must be accepted.
func sendAll(t *testing.T, a *actor.Address[int], msgs ...int) {
	t.Helper()
	for _, m := range msgs {
		if err := a.SendNow(m); err != nil {
			t.Errorf("send %d: %v", m, err)
		}
	}
}

// C2, C5, S2, X1: the address is there before the first process and stays; what
// is sent while there is none waits, in order; a process that takes the place of
// another has its index.
func TestC5X1HeldChannelOutlivesItsProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got list[int]
		k := newKeeper(t, actor.Config{Name: "held"}, ends(&got))
		id := k.addr.ID()
		sendAll(t, k.addr, 1, 2)
		synctest.Wait()
		if n := k.addr.Len(); n != 2 || k.addr.Processes() != 0 {
			t.Errorf("before the first process: %d messages, %d processes", n, k.addr.Processes())
		}
		k.start(3, 1)
		k.want("started 3.1")
		sendAll(t, k.addr, -1, 3, 4)
		k.want("exited 3.1: crash, was started")
		if n := k.addr.Len(); n != 2 || k.addr.Closed() {
			t.Errorf("after a crash: %d messages, closed: %v", n, k.addr.Closed())
		}
		sendAll(t, k.addr, 5)
		k.start(3, 2)
		k.want("started 3.2")
		if all := got.get(); !slices.Equal(all, []int{1, 2, 3, 4, 5}) || k.addr.ID() != id {
			t.Errorf("received %v", all)
		}
		select {
		case <-k.addr.Done():
			t.Error("Done is closed")
		default:
		}
		k.close()
		k.want("exited 3.2: <nil>, was started; closed")
		if err := k.addr.Wait(t.Context()); err != nil {
			t.Errorf("Wait: %v", err)
		}
	})
}

// H1: Halt asks those that live, and closes nothing; Inbox.Close does nothing.
func TestH1HaltOfAHeldActor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper(t, actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
			in.Close()
			_, err := in.Recv(ctx)
			return fmt.Errorf("%d: %w", in.Index(), err)
		})
		k.start(0, 1)
		k.start(1, 1)
		synctest.Wait()
		k.hold.Channel.Halt(1)
		k.want("exited 1.1: 1: actor: halted")
		k.addr.Halt()
		k.want("exited 0.1: 0: actor: halted")
		sendAll(t, k.addr, 7)
		k.start(0, 2)
		k.want("exited 0.2: 0: %!w(<nil>)")
	})
}

// S3, X6: at Close what nobody received goes to Undelivered, also if no process
// lives, and then the actor has ended. X2: the exit is the last one.
func TestS3X2HeldChannelIsClosedWithoutAProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var left, got list[int]
		k := newKeeper(t, actor.Config{Undelivered: left.addAny}, ends(&got))
		sendAll(t, k.addr, -1, 1, 2)
		k.start(0, 1)
		k.want("started 0.1; exited 0.1: crash, was started")
		k.close()
		if err := k.addr.SendNow(3); !errors.Is(err, actor.ErrClosed) {
			t.Errorf("a send after Close: %v", err)
		}
		k.close()
		k.want("exited 0.0: <nil>; closed")
		if err := k.addr.Wait(t.Context()); err != errHeld {
			t.Errorf("Wait: %v", err)
		}
		if all := left.get(); !slices.Equal(all, []int{1, 2}) || len(got.get()) != 0 {
			t.Errorf("handed back %v, received %v", all, got.get())
		}
	})
}

// A1, A4: an abort is of the processes that live, not of the channel; a stuck
// one never receives again, and another can take its place.
func TestA1A4AbortOfAHeldProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		captureLogs(t)
		release := make(chan struct{})
		var got list[string]
		var left list[int]
		k := newKeeper(t, actor.Config{Name: "held", Undelivered: left.addAny}, func(ctx context.Context, in *actor.Inbox[int]) error {
			name := fmt.Sprint(in.Index())
			for m := range in.Messages(ctx) {
				if m < 0 {
					defer func() { // the inbox unwinds
						_, err := in.TryRecv()
						got.add(fmt.Sprint("received after the abort ", err))
					}()
					<-release
					in.TryRecv()
				}
				got.add(fmt.Sprint(name, ":", m))
			}
			return in.Err()
		})
		sendAll(t, k.addr, -1, 1)
		k.start(0, 1)
		synctest.Wait()
		k.start(1, 1)
		synctest.Wait()
		k.hold.Channel.Abort(0)
		k.hold.Channel.Abort(0)
		time.Sleep(actor.StuckAfter)
		k.want("stuck 0.1")
		k.hold.Channel.Abort(1)
		k.want("exited 1.1: actor " + `"held" (#` + fmt.Sprint(k.addr.ID()) + "): aborted")
		sendAll(t, k.addr, 2, 3)
		time.Sleep(actor.StuckAfter)
		if n := k.addr.Len(); n != 2 || len(left.get()) != 0 {
			t.Errorf("%d messages wait, handed back: %v", n, left.get())
		}
		k.start(0, 2)
		synctest.Wait()
		close(release)
		k.want("released 0.1")
		if all := got.get(); !slices.Equal(all, []string{"1:1", "0:2", "0:3"}) {
			t.Errorf("received %q", all)
		}
		k.close()
		k.want("exited 0.2: <nil>; closed")
	})
}

// A4: with only stuck processes left after Close, what waits is handed back and
// the holder hears that nobody waits any more; Done stays open until they end.
func TestA4HeldChannelClosedBehindAStuckProcess(t *testing.T) {
	for _, when := range []string{"before", "after"} {
		t.Run("closed "+when, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				captureLogs(t)
				release := make(chan struct{})
				var left list[int]
				k := newKeeper(t, actor.Config{Undelivered: left.addAny}, until[int](release))
				k.start(0, 1)
				sendAll(t, k.addr, 1, 2)
				synctest.Wait()
				if when == "before" {
					k.close()
				}
				k.hold.Channel.Abort(-1)
				time.Sleep(actor.StuckAfter)
				if when == "before" {
					k.want("stuck 0.1; closed")
				} else {
					k.want("stuck 0.1")
					k.close()
					k.want("exited 0.0: <nil>; closed")
				}
				if all := left.get(); !slices.Equal(all, []int{1, 2}) {
					t.Errorf("handed back %v", all)
				}
				select {
				case <-k.addr.Done():
					t.Error("Done is closed")
				default:
				}
				close(release)
				k.want("released 0.1")
				<-k.addr.Done()
			})
		})
	}
}

// X4: Start under a holder that has ended or was aborted.
func TestX4StartUnderAnEndedHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper(t, actor.Config{Name: "held"}, func(ctx context.Context, in *actor.Inbox[int]) error {
			_, err := in.Recv(ctx)
			return err
		})
		release := make(chan struct{})
		ready := make(chan context.Context, 1)
		parent, _ := actor.Spawn(context.Background(), actor.Config{}, func(ctx context.Context, _ *actor.Inbox[int]) error {
			ready <- ctx
			<-release
			return nil
		})
		k.ctx = <-ready
		parent.Abort()
		k.start(0, 1)
		k.want("exited 0.1: actor " + `"held" (#` + fmt.Sprint(k.addr.ID()) + "): aborted")
		close(release)
		<-parent.Done()
		k.start(0, 2)
		k.want("exited 0.2: actor " + `"held" (#` + fmt.Sprint(k.addr.ID()) + "): aborted")
	})
}

// The same under a holder whose body has returned, and which waits for another
// child.
func TestX4StartUnderAHolderThatEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper(t, actor.Config{Name: "held"}, func(ctx context.Context, in *actor.Inbox[int]) error {
			_, err := in.Recv(ctx)
			return fmt.Errorf("received %w", err)
		})
		release := make(chan struct{})
		ready := make(chan context.Context, 1)
		parent, _ := actor.Spawn(context.Background(), actor.Config{}, func(ctx context.Context, _ *actor.Inbox[int]) error {
			actor.Spawn(ctx, actor.Config{AbortTimer: time.Hour}, until[int](release))
			ready <- ctx
			return nil
		})
		k.ctx = <-ready
		synctest.Wait()
		k.start(0, 1)
		k.want("exited 0.1: received actor: halted")
		close(release)
		<-parent.Done()
	})
}

// O3: the holder's end waits for held processes that live, and only for them.
func TestO3HoldersEndWaitsForWhatLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got list[int]
		k := newKeeper(t, actor.Config{}, ends(&got))
		parents := make(chan *actor.Child[int, actor.None], 1)
		for i := range 3 { // a held actor may change its parent
			ready := make(chan context.Context, 1)
			parent, _ := actor.Spawn(context.Background(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
				ready <- ctx
				_, err := in.Recv(ctx)
				return err
			})
			k.ctx = <-ready
			k.start(0, i+1)
			k.want(fmt.Sprintf("started 0.%d", i+1))
			parents <- parent
			go func() { (<-parents).Stop(context.Background()) }()
			k.want(fmt.Sprintf("exited 0.%d: <nil>, was started", i+1)) // halted by its end
			select {
			case <-parent.Done():
			default:
				t.Fatal("the parent has not ended")
			}
		}
	})
}

// A supervisor's own process is not stuck while what is below it takes its time,
// and Close runs its body once more.
func TestHeldSupervisorIsNeverStuckItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		k := newKeeper(t, actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
			runs++
			if in.Address().Closed() {
				return nil
			}
			<-ctx.Done()
			time.Sleep(time.Hour)
			return errHeld
		}, func(h *hold.Hold) { h.Supervisor = true })
		k.start(0, 1)
		synctest.Wait()
		k.hold.Channel.Abort(-1)
		time.Sleep(time.Minute)
		k.want("")
		time.Sleep(time.Hour)
		k.want("exited 0.1: crash")
		k.close()
		k.want("exited 0.0: <nil>; closed")
		if runs != 2 {
			t.Errorf("the body ran %d times", runs)
		}
	})
}
