package actor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/internal/hold"
)

// S3: what a process had in hand when it crashed goes to OnCrash, whatever the
// receive and the crash; what is received = what is handled + what goes there.
func TestS3OnCrashGetsWhatIsInHand(t *testing.T) {
	receives := map[string]func(context.Context, *actor.Inbox[int], func([]int)) error{
		"Recv": func(ctx context.Context, in *actor.Inbox[int], do func([]int)) error {
			for {
				m, err := in.Recv(ctx)
				if err != nil {
					return err
				}
				do([]int{m})
			}
		},
		"TryRecv": func(ctx context.Context, in *actor.Inbox[int], do func([]int)) error {
			for {
				<-in.Ready()
				m, err := in.TryRecv()
				switch err {
				case nil:
					do([]int{m})
				case actor.ErrEmpty:
				default:
					return err
				}
			}
		},
		"RecvBatch": func(ctx context.Context, in *actor.Inbox[int], do func([]int)) error {
			for dst := make([]int, 3); ; {
				n, err := in.RecvBatch(ctx, dst, time.Millisecond)
				if err != nil {
					return err
				}
				do(dst[:n])
				clear(dst) // what was kept is not the body's slice
			}
		},
		"Messages": func(ctx context.Context, in *actor.Inbox[int], do func([]int)) error {
			for m := range in.Messages(ctx) {
				do([]int{m})
			}
			return in.Err()
		},
		"Serve": func(ctx context.Context, in *actor.Inbox[int], do func([]int)) error {
			return in.Serve(ctx, func(_ context.Context, m int) error {
				do([]int{m})
				return nil
			})
		},
	}
	for name, receive := range receives {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				captureLogs(t)
				var handled list[int]
				var crashed list[string]
				k := newKeeper(t, actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
					return receive(ctx, in, func(ms []int) {
						switch {
						case slices.Contains(ms, -1):
							panic("told to")
						case slices.Contains(ms, -2):
							runtime.Goexit()
						case slices.Contains(ms, -3):
							in.Address() // nothing that waits
							panic(errHeld)
						}
						for _, m := range ms {
							handled.add(m)
						}
					})
				}, func(h *hold.Hold) {
					h.OnCrash = func(m any, cause error) {
						crashed.add(fmt.Sprint(m))
						if cause == nil {
							t.Error("no cause")
						}
					}
				})
				for i, m := range []int{1, -1, 2, -2, 3, -3, 4} {
					sendAll(t, k.addr, m)
					if m < 0 {
						k.start(0, i)
						time.Sleep(time.Second) // the batch ends too
					}
				}
				k.start(0, 100)
				time.Sleep(time.Second)
				want := []string{"-1", "-2", "-3"}
				total := len(handled.get()) + len(crashed.get())
				if name == "RecvBatch" { // what came with the order is in hand too
					want = []string{"1", "-1", "2", "-2", "3", "-3"}
				}
				if all := crashed.get(); !slices.Equal(all, want) || total != 7 {
					t.Errorf("OnCrash got %q, %d messages were seen", all, total)
				}
			})
		})
	}
}

// A process that ends normally, or while it waits for a message, has nothing in
// hand that anybody misses.
func TestOnCrashIsForCrashesOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var crashed list[int]
		k := newKeeper(t, actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
			m, err := in.Recv(ctx)
			if err == nil && m == 1 {
				return nil
			}
			_, err = in.Recv(ctx)
			return fmt.Errorf("halted, and more: %w", err)
		}, func(h *hold.Hold) {
			h.OnCrash = func(m any, _ error) { crashed.add(m.(int)) }
		})
		sendAll(t, k.addr, 1, 2)
		k.start(0, 1)
		synctest.Wait()
		k.start(0, 2)
		synctest.Wait()
		k.hold.Channel.Halt(0)
		synctest.Wait()
		k.start(0, 3)
		synctest.Wait()
		k.hold.Channel.Abort(0) // it waits: the abort takes nothing from it
		synctest.Wait()
		if all := crashed.get(); len(all) != 0 {
			t.Errorf("OnCrash got %v", all)
		}
	})
}

// An OnCrash that panics, calls Goexit or hangs: the rest follows, or the process
// is stuck and says so.
func TestOnCrashThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		captureLogs(t)
		var crashed list[int]
		release := make(chan struct{})
		k := newKeeper(t, actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
			if _, err := in.RecvBatch(ctx, make([]int, 10), 0); err != nil {
				return err
			}
			return errHeld
		}, func(h *hold.Hold) {
			h.OnCrash = func(m any, _ error) {
				crashed.add(m.(int))
				switch m {
				case 1:
					panic("OnCrash")
				case 2:
					runtime.Goexit()
				case 3:
					<-release
				}
			}
		})
		sendAll(t, k.addr, 1, 2, 3, 4)
		k.start(0, 1)
		synctest.Wait()
		if all := crashed.get(); !slices.Equal(all, []int{1, 2, 3}) {
			t.Errorf("OnCrash got %v", all)
		}
		k.want("")
		k.hold.Channel.Abort(0)
		time.Sleep(actor.StuckAfter)
		k.want("stuck 0.1")
		close(release)
		k.want("released 0.1")
		if all := crashed.get(); !slices.Equal(all, []int{1, 2, 3, 4}) {
			t.Errorf("OnCrash got %v", all)
		}
	})
}

// Fresh: a process begins with an empty inbox; what was there is handed back
// once, and what comes later is received.
func TestFreshProcessHandsBackWhatItFinds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got, left list[int]
		k := newKeeper(t, actor.Config{Undelivered: left.addAny}, ends(&got), func(h *hold.Hold) { h.Fresh = true })
		sendAll(t, k.addr, 1, 2)
		k.start(0, 1)
		k.want("started 0.1")
		sendAll(t, k.addr, 3, -1, 4, 5)
		k.want("exited 0.1: crash, was started")
		k.start(0, 2)
		k.want("started 0.2")
		sendAll(t, k.addr, 6)
		synctest.Wait()
		if all := left.get(); !slices.Equal(all, []int{1, 2, 4, 5}) {
			t.Errorf("handed back %v", all)
		}
		if all := got.get(); !slices.Equal(all, []int{3, 6}) {
			t.Errorf("received %v", all)
		}
	})
}

// Serve says that the process is up; Started is told once; a context of nobody's
// says nothing.
func TestStartedIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper(t, actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
			p := ctx.Value(hold.ProcessKey{}).(hold.Process)
			p.Started()
			p.Started()
			up, held := p.Up()
			if held == nil || up == nil {
				t.Error("it belongs to nobody")
			} else if up, held := up.Up(); up != nil || held != nil {
				t.Error("its parent belongs to somebody")
			}
			return errors.Join(in.Serve(ctx, func(context.Context, int) error { return nil }))
		})
		k.start(0, 1)
		k.want("started 0.1")
	})
}
