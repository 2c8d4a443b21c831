package actor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// askLending is a body that gives away what it receives.
func askLending[M any](to chan<- M) func(context.Context, *actor.Inbox[M]) error {
	return func(ctx context.Context, in *actor.Inbox[M]) error {
		for m := range in.Messages(ctx) {
			to <- m
		}
		return in.Err()
	}
}

func TestX5AskReturnsTheAnswer(t *testing.T) {
	child, addr := actor.Spawn(t.Context(), actor.Config{}, askDouble)
	if v, err := actor.Ask(t.Context(), addr, askMsg{n: 21}.to); v != 42 || err != nil {
		t.Errorf("answer is %d, %v, want 42", v, err)
	}
	m := actor.Map(addr, func(n string) askMsg { return askMsg{n: len(n)} })
	if err := m.Send(t.Context(), "abc"); err != nil { // the zero Reply answers nobody
		t.Error(err)
	}
	if err := m.TrySend("abc"); err != nil {
		t.Error(err)
	}
	if _, err := child.Drain(t.Context()); err != nil {
		t.Error(err)
	}
}

// An error given to Answer reaches the asker as it is, the value too.
func TestX5AnswersErrorIsReturnedAsItIs(t *testing.T) {
	for _, want := range []error{errAskBoom, actor.ErrClosed, context.Canceled} {
		child, addr := actor.Spawn(t.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[askMsg]) error {
			m, err := in.Recv(ctx)
			m.Answer(3, want)
			return err
		})
		if v, err := actor.Ask(t.Context(), addr, askMsg{}.to); v != 3 || err != want {
			t.Errorf("got %d, %v, want 3 and %v itself", v, err, want)
		}
		<-child.Done()
	}
}

// Case 50. The asker's context ends the ask, and a late answer reaches nobody,
// least of all the next ask.
func TestX5LateAnswerReachesNobody(t *testing.T) {
	for way, via := range askWays {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				taken := make(chan any, 2)
				child, addr := actor.Spawn(t.Context(), actor.Config{Name: "slow"}, askLending(taken))
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				start := time.Now()
				_, err := actor.Ask(ctx, via(addr), askAny)
				if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, actor.ErrNoReply) {
					t.Errorf("error is %v, want the deadline's", err)
				}
				if !strings.Contains(err.Error(), `"slow"`) {
					t.Errorf("%q does not name the actor", err)
				}
				if d := time.Since(start); d != time.Second {
					t.Errorf("the ask took %v, want 1s", d)
				}
				late := (<-taken).(askMsg)
				next := make(chan int)
				go func() {
					v, _ := actor.Ask(t.Context(), via(addr), askAny)
					next <- v
				}()
				synctest.Wait()
				if late.Answer(1, nil) {
					t.Error("an answer after the deadline was taken")
				}
				if !(<-taken).(askMsg).Answer(2, nil) {
					t.Error("the next ask was not answered")
				}
				if v := <-next; v != 2 {
					t.Errorf("the next ask got %d, want 2", v)
				}
				child.Stop(t.Context())
			})
		})
	}
}

// An answer that was given wins over a context that has ended.
func TestX5AnswerWinsOverTheEndedContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		child, addr := actor.Spawn(t.Context(), actor.Config{}, askDouble)
		for range 100 { // a select with both ready would choose either
			ctx, cancel := context.WithCancel(t.Context())
			v, err := actor.Ask(ctx, askForeign[askMsg]{askThen[askMsg]{addr, func() { synctest.Wait(); cancel() }}}, askMsg{n: 4}.to)
			if v != 8 || err != nil {
				t.Fatalf("got %d, %v, want 8", v, err)
			}
		}
		child.Stop(t.Context())
	})
}

// askThen is a Sender that does something after each Send.
type askThen[M any] struct {
	actor.Sender[M]
	then func()
}

func (s askThen[M]) Send(ctx context.Context, m M) error {
	err := s.Sender.Send(ctx, m)
	s.then()
	return err
}

func TestX5OnlyTheFirstAnswerCounts(t *testing.T) {
	var zero actor.Reply[string]
	if zero.Answer("", nil) {
		t.Error("the zero Reply took an answer")
	}
	if zero.Context() == nil || zero.Context().Err() != nil {
		t.Error("the zero Reply has no living context")
	}
	answers := make(chan [2]bool, 1)
	child, addr := actor.Spawn(t.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[askMsg]) error {
		m, err := in.Recv(ctx)
		answers <- [2]bool{m.Answer(1, nil), m.Answer(2, errAskBoom)}
		return err
	})
	if v, err := actor.Ask(t.Context(), addr, askMsg{}.to); v != 1 || err != nil {
		t.Errorf("got %d, %v, want the first answer, 1", v, err)
	}
	if got := <-answers; got != [2]bool{true, false} {
		t.Errorf("Answer said %v, want true for the first alone", got)
	}
	<-child.Done()
}

// Whoever keeps the Reply of a question that was not accepted answers nobody.
func TestX5AnswerToAQuestionThatWasNotAccepted(t *testing.T) {
	var kept actor.Reply[int]
	keeping := func(r actor.Reply[int]) askMsg { kept = r; return askMsg{Reply: r} }
	_, err := actor.Ask(t.Context(), new(actor.Address[askMsg]), keeping)
	if !errors.Is(err, actor.ErrClosed) || kept.Answer(1, nil) {
		t.Errorf("an answer was taken after %v", err)
	}
	func() {
		defer func() { recover() }()
		actor.Ask(t.Context(), new(actor.Address[askMsg]), func(r actor.Reply[int]) askMsg { kept = r; panic(errAskBoom) })
	}()
	if kept.Answer(1, nil) {
		t.Error("an answer was taken although the question was never made")
	}
}

// A Reply may be answered later and elsewhere, as long as the process lives.
func TestX5ReplyMayBeKept(t *testing.T) {
	taken := make(chan askMsg)
	child, addr := actor.Spawn(t.Context(), actor.Config{}, askLending(taken))
	go func() {
		first, second := <-taken, <-taken
		second.Answer(2*second.n, nil)
		first.Answer(2*first.n, nil)
	}()
	results := make(chan bool)
	for n := range 2 {
		go func() {
			v, err := actor.Ask(t.Context(), addr, askMsg{n: n}.to)
			results <- v == 2*n && err == nil
		}()
	}
	for range 2 {
		if !<-results {
			t.Error("an asker got the wrong answer")
		}
	}
	child.Stop(t.Context())
}

// ErrNoReply carries its cause for Is, As and AsType, and never matches
// ErrClosed, however deep that is in the cause.
func TestX5NoReplyCarriesItsCause(t *testing.T) {
	captureLogs(t)
	deep := fmt.Errorf("outer: %w", errors.Join(errAskBoom, fmt.Errorf("inner: %w", actor.ErrClosed)))
	child, addr := actor.Spawn(t.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[askMsg]) error {
		in.Recv(ctx)
		panic(deep)
	})
	_, err := actor.Ask(t.Context(), addr, askMsg{}.to)
	askWantNoReply(t, err, errAskBoom, "boom", "panic")
	askWantNoReply(t, fmt.Errorf("wrapped: %w", err), errAskBoom)
	var p *actor.PanicError
	if !errors.As(err, &p) || p.Value != deep {
		t.Errorf("As finds %v in %v", p, err)
	}
	if p, ok := errors.AsType[*actor.PanicError](err); !ok || p.Value != deep {
		t.Errorf("AsType finds %v in %v", p, err)
	}
	if _, ok := errors.AsType[runtime.Error](err); ok {
		t.Errorf("AsType finds a runtime.Error in %v", err)
	}
	<-child.Done()
}

// Undelivered may answer for the actor; who got no answer there hears that
// nobody received the question.
func TestX5UndeliveredMayAnswer(t *testing.T) {
	captureLogs(t)
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		child, addr := actor.Spawn(t.Context(), actor.Config{Name: "closing", Undelivered: func(msg any) {
			switch m := msg.(askMsg); m.n {
			case 0:
				m.Answer(9, nil)
			case 1:
				m.Answer(0, errAskBoom)
			case 2:
				panic("no answer from here")
			}
		}}, until[askMsg](release))
		var errs [4]error
		var values [4]int
		for n := range errs {
			go func() { values[n], errs[n] = actor.Ask(t.Context(), addr, askMsg{n: n}.to) }()
			synctest.Wait()
		}
		close(release)
		<-child.Done()
		synctest.Wait()
		if values[0] != 9 || errs[0] != nil {
			t.Errorf("the answer is %d, %v, want 9", values[0], errs[0])
		}
		if errs[1] != errAskBoom {
			t.Errorf("the answer is %v, want %v itself", errs[1], errAskBoom)
		}
		askWantNoReply(t, errs[2], nil, `"closing"`)
		askWantNoReply(t, errs[3], nil, `"closing"`)
	})
}

// An Ask costs at most two allocations beside what its message costs.
func TestX5AskAllocations(t *testing.T) {
	child, addr := actor.Spawn(t.Context(), actor.Config{}, askDouble)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	mapped := actor.Map(addr, askSame[askMsg])
	for name, to := range map[string]actor.Sender[askMsg]{"address": addr, "Map": mapped} {
		ask := func() {
			if _, err := actor.Ask(ctx, to, func(r actor.Reply[int]) askMsg { return askMsg{r, 1} }); err != nil {
				t.Error(err)
			}
		}
		if n := testing.AllocsPerRun(2000, ask); n > 2 {
			t.Errorf("%s: %v allocations per Ask, want at most 2", name, n)
		}
	}
	child.Stop(t.Context())
}
