package actor_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// An error that ends Serve also answers the question in hand, as it is. One that
// was received earlier and kept has no answer: it ends with the process.
func TestR8ServeAnswersWhatIsInHand(t *testing.T) {
	for name, e := range map[string]struct {
		handle func(in *actor.Inbox[askMsg], m askMsg) error // of the second question
		body   error                                         // what Serve returns
		first  error                                         // the cause that the first asker finds
		second error                                         // what the second asker gets, nil for ErrNoReply
	}{
		"error": {func(*actor.Inbox[askMsg], askMsg) error { return errAskBoom }, errAskBoom, errAskBoom, errAskBoom},
		"error after an answer": {func(_ *actor.Inbox[askMsg], m askMsg) error {
			m.Answer(0, context.Canceled)
			return errAskBoom
		}, errAskBoom, errAskBoom, context.Canceled},
		"ErrHalted": {func(*actor.Inbox[askMsg], askMsg) error { return actor.ErrHalted }, nil, nil, nil},
		"error after a further receive": {func(in *actor.Inbox[askMsg], _ askMsg) error {
			in.TryRecv() // finds nothing: now nothing is in hand
			return errAskBoom
		}, errAskBoom, errAskBoom, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var kept askMsg
				child, addr := actor.Spawn(t.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[askMsg]) error {
					return in.Serve(ctx, func(_ context.Context, m askMsg) error {
						if m.n == 0 {
							kept = m
							return nil
						}
						return e.handle(in, m)
					})
				})
				var errs [2]error
				for n := range errs {
					go func() { _, errs[n] = actor.Ask(t.Context(), addr, askMsg{n: n}.to) }()
					synctest.Wait()
				}
				if _, err := child.Wait(t.Context()); err != e.body {
					t.Errorf("exit is %v, want %v", err, e.body)
				}
				askWantNoReply(t, errs[0], e.first)
				if e.second == nil {
					askWantNoReply(t, errs[1], e.first)
				} else if errs[1] != e.second {
					t.Errorf("the asker in hand got %v, want %v itself", errs[1], e.second)
				}
				if kept.Answer(1, nil) {
					t.Error("a late answer was taken")
				}
			})
		})
	}
}

// A question that is queued when the process is halted is left: Serve returns,
// and its asker hears that nobody received it.
func TestX5AskEndsWhenServeIsHalted(t *testing.T) {
	captureLogs(t)
	synctest.Test(t, func(t *testing.T) {
		child, addr := actor.Spawn(t.Context(), actor.Config{Name: "served"}, func(ctx context.Context, in *actor.Inbox[askMsg]) error {
			return in.Serve(ctx, func(_ context.Context, m askMsg) error {
				time.Sleep(time.Second)
				m.Answer(m.n, nil)
				return nil
			})
		})
		var errs [2]error
		for n := range errs {
			go func() { _, errs[n] = actor.Ask(t.Context(), addr, askMsg{n: n}.to) }()
			synctest.Wait()
		}
		if _, err := child.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if errs[0] != nil {
			t.Errorf("the question in hand was not answered: %v", errs[0])
		}
		askWantNoReply(t, errs[1], nil, `"served"`)
	})
}

// The end of a process that has nothing to do with the question does not end
// the ask: neither one that took a message without, nor the one before it in
// the same seat of the queue.
func TestX5AskBelongsToItsMessageAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, addr := actor.SpawnPool(t.Context(), actor.Config{}, 1, actor.NoValue(
			func(ctx context.Context, in *actor.Inbox[any]) error {
				for m := range in.Messages(ctx) {
					switch m := m.(type) {
					case string:
						return nil // with the messages before and after it unasked
					case askMsg:
						time.Sleep(time.Minute)
						m.Answer(m.n, nil)
					}
				}
				return in.Err()
			}))
		go addr.Send(t.Context(), askMsg{})
		synctest.Wait()
		addr.Send(t.Context(), "first end")
		results := make(chan error, 2)
		for n := range 2 {
			go func() {
				v, err := actor.Ask(t.Context(), addr, func(r actor.Reply[int]) any { return askMsg{r, n} })
				if v != n {
					t.Errorf("asker %d got %d", n, v)
				}
				results <- err
			}()
			synctest.Wait()
			addr.Send(t.Context(), 17)
		}
		if err := pool.Spawn(actor.NoValue(func(ctx context.Context, in *actor.Inbox[any]) error {
			time.Sleep(2 * time.Minute) // the other has ended by then
			for m := range in.Messages(ctx) {
				if m, ok := m.(askMsg); ok {
					m.Answer(m.n, nil)
				}
			}
			return in.Err()
		})); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		pool.Stop(t.Context())
	})
}

// Answers, deadlines and the end of the process race: whatever comes first, the
// ask ends, and Answer says true exactly for the asker who got it.
func TestX5AnswerTellsWhetherTheAskerGotIt(t *testing.T) {
	const rounds = 2000
	said := make(chan bool, rounds)
	child, addr := actor.Spawn(t.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[askMsg]) error {
		for m := range in.Messages(ctx) {
			go func() { said <- m.Answer(m.n, nil) }()
		}
		return in.Err()
	})
	got := 0
	for n := range rounds {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		v, err := actor.Ask(ctx, askForeign[askMsg]{addr}, askMsg{n: n}.to)
		switch {
		case err == nil && v == n:
			got++
		case !errors.Is(err, context.Canceled) || v != 0:
			t.Fatalf("asker %d got %d, %v", n, v, err)
		}
	}
	told := 0
	for range rounds {
		if <-said {
			told++
		}
	}
	if got != told {
		t.Errorf("%d askers got their answer, Answer said so %d times", got, told)
	}
	child.Stop(t.Context())
}

// Map converts on the sender's goroutine, before any wait.
func TestX5MapConvertsBeforeItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var got list[int]
		child, addr := actor.Spawn(t.Context(), actor.Config{Capacity: actor.Bounded(1)}, func(ctx context.Context, in *actor.Inbox[int]) error {
			<-release
			return keep(&got)(ctx, in)
		})
		converted := 0
		to := actor.Map(addr, func(s string) int { converted++; return len(s) })
		if err := to.TrySend("four"); err != nil {
			t.Error(err)
		}
		if err := to.TrySend("no room"); !errors.Is(err, actor.ErrFull) {
			t.Errorf("TrySend to a full actor: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := to.Send(ctx, "waits"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Send to a full actor: %v", err)
		}
		if converted != 3 {
			t.Errorf("converted %d times, want 3", converted)
		}
		close(release)
		child.Drain(t.Context())
		if err := to.Send(t.Context(), "late"); !errors.Is(err, actor.ErrClosed) {
			t.Errorf("Send to an ended actor: %v", err)
		}
		if all := got.get(); len(all) != 1 || all[0] != 4 {
			t.Errorf("received %v, want [4]", all)
		}
	})
}
