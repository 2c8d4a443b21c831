package actor_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// askMsg is a question in the way that is recommended: the reply is embedded.
type askMsg struct {
	actor.Reply[int]
	n int
}

func (m askMsg) to(r actor.Reply[int]) askMsg { m.Reply = r; return m }

// askAny is askMsg for actors with messages of any kind.
func askAny(r actor.Reply[int]) any { return askMsg{Reply: r} }

// askDouble is a body that answers with twice the number.
func askDouble(ctx context.Context, in *actor.Inbox[askMsg]) error {
	return in.Serve(ctx, func(_ context.Context, m askMsg) error {
		m.Answer(2*m.n, nil)
		return nil
	})
}

// askForeign is a Sender that is not of the package: it passes ctx on.
type askForeign[M any] struct{ to actor.Sender[M] }

func (f askForeign[M]) Send(ctx context.Context, m M) error {
	type key struct{}
	return f.to.Send(context.WithValue(ctx, key{}, "passed on"), m)
}

func (f askForeign[M]) TrySend(m M) error { return f.to.TrySend(m) }

func askSame[M any](m M) M { return m }

// askWays are the senders through which an actor may be asked.
var askWays = map[string]func(*actor.Address[any]) actor.Sender[any]{
	"address": func(a *actor.Address[any]) actor.Sender[any] { return a },
	"Map":     func(a *actor.Address[any]) actor.Sender[any] { return actor.Map(a, askSame[any]) },
	"foreign": func(a *actor.Address[any]) actor.Sender[any] { return askForeign[any]{a} },
	"foreign of Map of foreign": func(a *actor.Address[any]) actor.Sender[any] {
		return askForeign[any]{actor.Map(askForeign[any]{a}, askSame[any])}
	},
	"Map of foreign of Map": func(a *actor.Address[any]) actor.Sender[any] {
		return actor.Map(askForeign[any]{actor.Map(a, askSame[any])}, askSame[any])
	},
}

// askShapes are the ways to put a reply into a message.
var askShapes = map[string]func(actor.Reply[int]) any{
	"embedded":    askAny,
	"named field": func(r actor.Reply[int]) any { return struct{ back actor.Reply[int] }{r} },
	"pointer":     func(r actor.Reply[int]) any { return &askMsg{Reply: r} },
	"nested":      func(r actor.Reply[int]) any { return map[string][]actor.Reply[int]{"": {r}} },
	"closure":     func(r actor.Reply[int]) any { return func() { r.Answer(1, nil) } },
	"left out":    func(actor.Reply[int]) any { return "a question without a reply" },
}

var errAskBoom = errors.New("boom")

// askEnds are the ways in which a process ends that has taken a question, and
// the cause that the asker must find.
var askEnds = map[string]struct {
	end   func(in *actor.Inbox[any]) error
	cause error
}{
	"return nil":    {func(*actor.Inbox[any]) error { return nil }, nil},
	"return error":  {func(*actor.Inbox[any]) error { return errAskBoom }, errAskBoom},
	"panic":         {func(*actor.Inbox[any]) error { panic(errAskBoom) }, errAskBoom},
	"panic closed":  {func(*actor.Inbox[any]) error { panic(actor.ErrClosed) }, nil},
	"Goexit":        {func(*actor.Inbox[any]) error { runtime.Goexit(); return nil }, actor.ErrGoexit},
	"next question": {func(in *actor.Inbox[any]) error { in.Close(); _, err := in.TryRecv(); return err }, nil},
	"abort": {func(in *actor.Inbox[any]) error {
		in.Address().SendAfter(time.Second, "wake")
		_, err := in.Recv(context.Background()) // the test aborts meanwhile
		return err
	}, actor.ErrAborted},
}

// askWantNoReply checks the error of an ask that cannot be answered any more.
func askWantNoReply(t *testing.T, err error, cause error, words ...string) {
	t.Helper()
	if !errors.Is(err, actor.ErrNoReply) {
		t.Errorf("error is %v, want ErrNoReply", err)
		return
	}
	if errors.Is(err, actor.ErrClosed) {
		t.Errorf("%v matches ErrClosed: the question was accepted", err)
	}
	if cause != nil && !errors.Is(err, cause) {
		t.Errorf("%v does not match its cause %v", err, cause)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("text %q does not have %q", err, w)
		}
	}
}

// However the message is written and sent, and however the process ends that
// took it: its asker hears of the end.
func TestX5AskEndsWithTheProcessThatTookIt(t *testing.T) {
	captureLogs(t)
	for way, via := range askWays {
		for shape, msg := range askShapes {
			for name, e := range askEnds {
				t.Run(way+"/"+shape+"/"+name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						var kept any // the actor's state keeps the question
						child, addr := actor.Spawn(t.Context(), actor.Config{Name: "deaf"},
							func(ctx context.Context, in *actor.Inbox[any]) error {
								m, err := in.Recv(ctx)
								if err != nil {
									return err
								}
								kept = m
								return e.end(in)
							})
						if name == "abort" {
							time.AfterFunc(time.Millisecond, func() { child.Abort() })
						}
						_, err := actor.Ask(context.Background(), via(addr), msg)
						askWantNoReply(t, err, e.cause, `"deaf"`)
						<-child.Done()
						runtime.KeepAlive(kept)
					})
				})
			}
		}
	}
}

// In a pool an ask ends with the process that took it, while the others go on;
// a question that no process took ends with the actor.
func TestX5AskEndsInAPool(t *testing.T) {
	captureLogs(t)
	for way, via := range askWays {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				type crash struct{ actor.Reply[int] }
				pool, addr := actor.SpawnPool(t.Context(), actor.Config{Name: "crew"}, 2,
					actor.NoValue(func(ctx context.Context, in *actor.Inbox[any]) error {
						for m := range in.Messages(ctx) {
							switch m := m.(type) {
							case crash:
								panic(errAskBoom)
							case askMsg:
								time.Sleep(time.Hour)
								m.Answer(7, nil)
							}
						}
						return in.Err()
					}))
				to := via(addr)
				_, err := actor.Ask(t.Context(), to, func(r actor.Reply[int]) any { return crash{r} })
				askWantNoReply(t, err, errAskBoom, `"crew"`)
				if pool.Processes() != 1 {
					t.Errorf("%d processes live, want the other one", pool.Processes())
				}

				got := make(chan int)
				go func() {
					v, err := actor.Ask(t.Context(), to, askAny)
					if err != nil {
						t.Errorf("asking the process that is left: %v", err)
					}
					got <- v
				}()
				synctest.Wait()
				left := make(chan error)
				go func() {
					_, err := actor.Ask(t.Context(), to, askAny)
					left <- err
				}()
				synctest.Wait()
				pool.Halt() // the process still answers what it has in hand
				if v := <-got; v != 7 {
					t.Errorf("answer is %d, want 7", v)
				}
				askWantNoReply(t, <-left, nil, `"crew"`)
				<-pool.Done()
			})
		})
	}
}

// A question that is still queued, or still waits for room, when the actor ends.
func TestX5AskEndsWithTheChannel(t *testing.T) {
	captureLogs(t)
	for way, via := range askWays {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				child, addr := actor.Spawn(t.Context(), actor.Config{Name: "busy", Capacity: actor.Bounded(1)}, until[any](release))
				ask := func() <-chan error {
					result := make(chan error, 1)
					go func() {
						_, err := actor.Ask(context.Background(), via(addr), askAny)
						result <- err
					}()
					synctest.Wait()
					return result
				}
				queued, waiting := ask(), ask()
				child.Close()
				if err := <-waiting; !errors.Is(err, actor.ErrClosed) || errors.Is(err, actor.ErrNoReply) {
					t.Errorf("a question that was not accepted: %v, want ErrClosed alone", err)
				}
				close(release)
				askWantNoReply(t, <-queued, nil, `"busy"`)
				<-child.Done()
				if err := <-ask(); !errors.Is(err, actor.ErrClosed) || errors.Is(err, actor.ErrNoReply) {
					t.Errorf("asking an actor that has ended: %v, want ErrClosed alone", err)
				}
			})
		})
	}
}

// An ask ends with its message's fate however the message came into the queue:
// at once, after a wait for room, delayed by backpressure, among messages that
// do not ask.
func TestX5AskEndsHoweverItWasQueued(t *testing.T) {
	captureLogs(t)
	const asks, taken = 9, 5
	for _, capacity := range []actor.Capacity{actor.Bounded(1), actor.Bounded(4), actor.Unbounded(), actor.Backpressure(2, time.Millisecond, 1)} {
		for way, via := range askWays {
			t.Run(capacity.String()+"/"+way, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					child, addr := actor.Spawn(t.Context(), actor.Config{Capacity: capacity}, func(ctx context.Context, in *actor.Inbox[any]) error {
						time.Sleep(time.Second)
						for n := 0; n < taken; {
							m, err := in.Recv(ctx)
							if err != nil {
								return err
							}
							if m, ok := m.(askMsg); ok {
								if n++; n%2 == 0 {
									m.Answer(m.n, nil)
								}
							}
						}
						time.Sleep(time.Second) // the rest comes into the queue, as far as there is room
						return errAskBoom
					})
					results := make(chan error, asks)
					for n := range asks {
						go addr.Send(t.Context(), "no question")
						time.Sleep(time.Microsecond)
						go func() {
							v, err := actor.Ask(t.Context(), via(addr), func(r actor.Reply[int]) any { return askMsg{r, n} })
							if err == nil && v != n {
								t.Errorf("asker %d got the answer %d", n, v)
							}
							results <- err
						}()
						time.Sleep(time.Microsecond)
					}
					count := map[error]int{}
					for range asks {
						switch err := <-results; {
						case err == nil:
							count[nil]++
						case errors.Is(err, actor.ErrClosed):
							count[actor.ErrClosed]++ // it still waited for room
						case errors.Is(err, errAskBoom):
							askWantNoReply(t, err, errAskBoom)
							count[errAskBoom]++
						default:
							askWantNoReply(t, err, nil)
							count[actor.ErrNoReply]++
						}
					}
					if count[nil] != taken/2 || count[errAskBoom] != taken-taken/2 || count[actor.ErrNoReply] == 0 && addr.Capacity() != actor.Bounded(1) {
						t.Errorf("the asks ended %v", count)
					}
					<-child.Done()
				})
			})
		}
	}
}

// The askers in and behind a stuck process hear at once that it is stuck.
func TestX5AskEndsBehindAStuckProcess(t *testing.T) {
	captureLogs(t)
	for way, via := range askWays {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				var late actor.Reply[int]
				child, addr := actor.Spawn(t.Context(), actor.Config{Name: "rock"},
					func(ctx context.Context, in *actor.Inbox[any]) error {
						m, _ := in.Recv(ctx)
						late = m.(askMsg).Reply
						<-release
						return nil
					})
				results := make(chan error, 3)
				for range 3 {
					go func() {
						_, err := actor.Ask(context.Background(), via(addr), askAny)
						results <- err
					}()
				}
				synctest.Wait()
				start := time.Now()
				child.Abort()
				for range 3 {
					askWantNoReply(t, <-results, actor.ErrStuck, `"rock"`)
				}
				if d := time.Since(start); d != actor.StuckAfter {
					t.Errorf("the askers heard of it %v after the abort, want %v", d, actor.StuckAfter)
				}
				close(release)
				<-child.Done()
				if late.Answer(1, nil) {
					t.Error("an ask that has failed took an answer")
				}
			})
		})
	}
}

// What a batch had taken, and what an aborted batch gives back, is asked too.
func TestX5AskEndsInABatch(t *testing.T) {
	captureLogs(t)
	for name, e := range map[string]struct {
		size int
		back int
	}{"taken": {3, 0}, "given back": {4, 3}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var back list[any]
				child, addr := actor.Spawn(t.Context(), actor.Config{Undelivered: back.addAny},
					func(ctx context.Context, in *actor.Inbox[any]) error {
						_, err := in.RecvBatch(ctx, make([]any, e.size), time.Hour)
						return errors.Join(err, errAskBoom)
					})
				results := make(chan error, 3)
				for range 3 {
					go func() {
						_, err := actor.Ask(t.Context(), addr, askAny)
						results <- err
					}()
				}
				synctest.Wait()
				child.Abort()
				for range 3 {
					askWantNoReply(t, <-results, nil)
				}
				<-child.Done()
				if n := len(back.get()); n != e.back {
					t.Errorf("%d messages undelivered, want %d", n, e.back)
				}
			})
		})
	}
}

// An ask ends before the process waits for its children, who may well be the
// askers, and before Undelivered runs.
func TestX5AskEndsBeforeTheProcessWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var fromChild error
		parent, _ := actor.Spawn(t.Context(), actor.Config{Name: "parent"},
			func(ctx context.Context, in *actor.Inbox[any]) error {
				up := in.Address()
				actor.Spawn(ctx, actor.Config{AbortTimer: time.Hour}, func(context.Context, *actor.Inbox[any]) error {
					_, fromChild = actor.Ask(context.Background(), up, askAny)
					<-release
					return nil
				})
				_, err := in.Recv(ctx)
				return err
			})
		synctest.Wait()
		askWantNoReply(t, fromChild, nil, `"parent"`)
		select {
		case <-parent.Done():
			t.Error("the parent did not wait for its child")
		default:
		}
		close(release)
		<-parent.Done()
	})
}
