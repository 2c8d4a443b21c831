package actor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// Cases 6, 10 and 11.
func TestR1OrderOfAnswers(t *testing.T) {
	captureLogs(t) // of the abort right after a halt
	type pool = *actor.Pool[int, actor.None]
	for _, c := range []struct {
		name string
		msgs []int
		do   func(pool)
		want []string // "waits" is "empty" for TryRecv
	}{
		{"open", nil, func(pool) {}, []string{"waits"}},
		{"messages", []int{1, 2}, func(pool) {}, []string{"1", "2", "waits"}},
		{"closed", nil, func(p pool) { p.Close() }, []string{"closed", "closed"}},
		{"messages, closed", []int{1, 2}, func(p pool) { p.Close() }, []string{"1", "2", "closed", "closed"}},
		{"messages, halted", []int{1, 2}, func(p pool) { p.Halt() }, []string{"halted", "1", "2", "closed"}},
		{"messages, halted, closed", []int{1}, func(p pool) { p.Halt(); p.Close() }, []string{"halted", "1", "closed"}},
		{"messages, closed, halted", []int{1}, func(p pool) { p.Close(); p.Halt() }, []string{"halted", "1", "closed"}},
		{"messages, one halted", []int{1, 2}, func(p pool) { p.HaltSome(1) }, []string{"halted", "1", "2", "waits"}},
		{"one halted, closed", nil, func(p pool) { p.HaltSome(1); p.Close() }, []string{"halted", "closed"}},
		{"messages, aborted", []int{1}, func(p pool) { p.Abort() }, []string{"unwinds"}},
		{"messages, halted, aborted", []int{1}, func(p pool) { p.Halt(); p.Abort() }, []string{"unwinds"}},
	} {
		for _, way := range append(slices.Clone(rxWays), rxWay{"TryRecv", rxTryRecv}) {
			t.Run(c.name+"/"+way.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					pool, addr, p := rxPool(t, actor.Config{}, 1)
					rxSend(t, addr, c.msgs...)
					c.do(pool)
					for i, want := range c.want {
						if want == "waits" && way.name == "TryRecv" {
							want = "empty"
						}
						rxWant(t, fmt.Sprint("answer ", i), p[0].does(way.recv), want)
					}
				})
			})
		}
	}
}

// Case 38: a halt comes before what is queued, and after the message in hand.
func TestR1HaltLeavesTheMessageInHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var left list[int]
		pool, addr, p := rxPool(t, actor.Config{Undelivered: left.addAny}, 1)
		rxSend(t, addr, 1, 2, 3)
		work := p[0].does(func(ctx context.Context, in *actor.Inbox[int]) string {
			m, _ := in.Recv(ctx)
			time.Sleep(time.Minute)
			return fmt.Sprint(m, ctx.Err())
		})
		pool.Halt()
		rxWant(t, "work under way", work, "waits")
		time.Sleep(time.Hour)
		rxWant(t, "work under way", work, "1 <nil>")
		rxWant(t, "next receive", p[0].does(rxRecv), "halted")
		p[0].quit()
		if got := left.get(); !slices.Equal(got, []int{2, 3}) {
			t.Errorf("undelivered %v, want [2 3]", got)
		}
	})
}

// Case 8: every process is told, once, however often and in whatever way it is halted.
func TestR2EveryProcessIsToldOnce(t *testing.T) {
	for _, way := range rxWays {
		t.Run(way.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pool, addr, p := rxPool(t, actor.Config{}, 4)
				rxWant(t, "message", p[0].starts(way.recv), "waits")
				pool.HaltSome(1)
				pool.Halt()
				addr.Halt()
				pool.HaltSome(4)
				// Process 0 has been told while it waited.
				for i, p := range p[1:] {
					rxWant(t, fmt.Sprint("process ", i), p.does(way.recv), "halted")
				}
				pool.Halt()
				pool.HaltSome(4)
				for i, p := range p {
					rxWant(t, fmt.Sprint("process ", i, " again"), p.does(way.recv), "closed")
				}
			})
		})
	}
}

func TestR2ReceivesGoOnAfterAHalt(t *testing.T) {
	for _, way := range rxWays {
		t.Run(way.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pool, addr, p := rxPool(t, actor.Config{}, 1)
				pool.HaltSome(1)
				rxWant(t, "first", p[0].does(way.recv), "halted")
				o := p[0].does(way.recv)
				rxWant(t, "second", o, "waits")
				rxSend(t, addr, 1)
				rxWant(t, "second", o, "1")
				o = p[0].does(way.recv)
				pool.Halt()
				rxWant(t, "third", o, "closed")
			})
		})
	}
}

// rxHaltRace halts a pool once ready says so, and checks that each process is
// told once, and of the close after that.
func rxHaltRace(t *testing.T, processes int, recv rxStep, ready func(attempts int64) bool) {
	t.Helper()
	var attempts atomic.Int64
	pool, addr := actor.SpawnPool(context.Background(), actor.Config{}, processes,
		actor.NoValue(func(ctx context.Context, in *actor.Inbox[int]) error {
			for halts := 0; ; {
				attempts.Add(1)
				switch answer := recv(ctx, in); {
				case answer == "halted":
					if halts++; halts > 1 {
						return errors.New("halted twice")
					}
				case answer == "closed" && halts == 0:
					return errors.New("closed before halted")
				case answer == "closed":
					return nil
				}
			}
		}))
	for !ready(attempts.Load()) {
		runtime.Gosched()
	}
	go func() { _ = addr.SendNow(1) }()
	addr.Halt()
	if _, err := pool.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// Case 22: whatever the interleaving, nobody sees the close of a halt before
// the halt.
func TestR2HaltRacesWithReceive(t *testing.T) {
	for _, way := range rxWays {
		t.Run(way.name, func(t *testing.T) {
			for range 150 {
				rxHaltRace(t, 3, way.recv, func(attempts int64) bool { return attempts >= 3 })
			}
		})
	}
	// So many contend for the inbox that whoever lets go of it for a moment,
	// in the middle of a halt, loses it.
	t.Run("TryRecv", func(t *testing.T) {
		for i := range int64(30) {
			rxHaltRace(t, 8, rxTryRecv, func(attempts int64) bool { return attempts > 5000+i })
		}
	})
}

func TestR3ContextEndsTheWait(t *testing.T) {
	ends := []struct {
		name string
		with func(context.Context) (context.Context, context.CancelFunc)
		want string
	}{
		{"cancel", func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(time.Second, cancel)
			return ctx, cancel
		}, "canceled"},
		{"deadline", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Second)
		}, "too late"},
		{"ended before", func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx, cancel
		}, "canceled"},
	}
	for _, way := range rxWays {
		if way.name == "Ready" {
			continue // knows no context
		}
		for _, end := range ends {
			t.Run(way.name+"/"+end.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					_, addr, p := rxPool(t, actor.Config{}, 1)
					recv := func(ctx context.Context, in *actor.Inbox[int]) string {
						ctx, cancel := end.with(ctx) // also one derived from the process's
						defer cancel()
						return way.recv(ctx, in)
					}
					o := p[0].does(recv)
					time.Sleep(2 * time.Second)
					rxWant(t, "receive", o, end.want)
					rxSend(t, addr, 1, 2)
					rxWant(t, "next receive", p[0].does(rxRecv), "1")
					rxWant(t, "a receive that need not wait", p[0].does(recv), "2")
				})
			})
		}
	}
}

// Case 13: who has left the line of waiting processes gets nothing, and takes
// nothing with it.
func TestR3CanceledReceiveLeavesTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, addr, p := rxPool(t, actor.Config{}, 3)
		ctx, cancel := context.WithCancel(t.Context())
		var waits [3]*rxOutcome
		for i, with := range []context.Context{context.Background(), ctx, context.Background()} {
			waits[i] = p[i].does(rxWith(with, rxRecv))
		}
		cancel()
		rxWant(t, "the canceled one", waits[1], "canceled")
		rxSend(t, addr, 1, 2, 3)
		rxWant(t, "the first", waits[0], "1")
		rxWant(t, "the last", waits[2], "2")
		rxWant(t, "the canceled one again", p[1].does(rxTryRecv), "3")
	})
}

// Case 13, at the same moment: a message is given to a process whose context
// ends. It is the process's or still there, never gone.
func TestR3MessageAndContextTogether(t *testing.T) {
	for _, way := range rxWays[:3] {
		t.Run(way.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, addr, p := rxPool(t, actor.Config{}, 2)
				together := func(i int) {
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					first := p[0].does(rxWith(ctx, way.recv))
					second := p[1].does(rxTryRecv)
					if i%2 == 0 {
						second = p[1].does(rxRecv)
					}
					if i%3 == 0 { // the message may come before the receiver, awake, has left the line
						cancel()
					} else if i%3 == 1 {
						go cancel()
					}
					rxSend(t, addr, i)
					cancel()
					synctest.Wait()
					switch {
					case first.text() == "canceled" && second.text() == "waits":
						t.Fatalf("message %d is lost", i)
					case first.text() == "canceled" && second.text() == "empty":
						second = p[1].does(rxTryRecv)
						fallthrough
					case first.text() == "canceled":
						rxWant(t, "the other process", second, fmt.Sprint(i))
					default:
						rxWant(t, "the first process", first, fmt.Sprint(i))
						if second.text() == "waits" {
							rxSend(t, addr, -i)
							rxWant(t, "the other process", second, fmt.Sprint(-i))
						}
					}
				}
				for i := range 300 {
					together(i)
				}
			})
		})
	}
}

func TestR9EndlessReceivingPanics(t *testing.T) {
	serve := func(ctx context.Context, in *actor.Inbox[int]) string {
		if err := in.Serve(ctx, func(context.Context, int) error { return nil }); err != nil {
			return err.Error()
		}
		return rxSay(nil, in.Err())
	}
	for _, way := range append(slices.Clone(rxWays), rxWay{"TryRecv", rxTryRecv}, rxWay{"Serve", serve}) {
		t.Run(way.name, func(t *testing.T) {
			logs := captureLogs(t)
			synctest.Test(t, func(t *testing.T) {
				var ends [2]int
				pool, addr := actor.SpawnPool(t.Context(), actor.Config{}, 2,
					actor.NoValue(func(ctx context.Context, in *actor.Inbox[int]) error {
						for in.Index() == 0 || ends[1] < 900 {
							if way.recv(ctx, in) == "closed" {
								ends[in.Index()]++
							}
						}
						return nil
					}))
				rxSend(t, addr, 1)
				pool.Halt()
				exits, _ := pool.Wait(t.Context())
				for _, e := range exits {
					panicked := new(actor.PanicError)
					switch {
					case e.Index == 1:
						if e.Err != nil {
							t.Errorf("the process that gave up in time: %v", e.Err)
						}
					case !errors.As(e.Err, &panicked):
						t.Errorf("exit %v, want a panic", e.Err)
					case !strings.Contains(panicked.Error(), "must return"):
						t.Errorf("the panic gives no advice: %v", panicked)
					}
				}
				// The first ErrClosed and 999 more.
				if ends[0] != 1000 {
					t.Errorf("panic at receive %d after ErrClosed, want 1000", ends[0])
				}
			})
			if len(logs.lines("panicked")) != 1 {
				t.Errorf("log: %q", logs.lines(""))
			}
		})
	}
}
