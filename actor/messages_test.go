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
)

// rxLoop receives with Messages until that ends, and says what came and why it
// ended.
func rxLoop(ctx context.Context, in *actor.Inbox[int]) string {
	var all []int
	for m := range in.Messages(ctx) {
		all = append(all, m)
	}
	return fmt.Sprint(all, " ", rxSay(nil, in.Err()))
}

// rxServe is rxLoop with Serve; it also says what Serve returned.
func rxServe(ctx context.Context, in *actor.Inbox[int]) string {
	var all []int
	err := in.Serve(ctx, func(got context.Context, m int) error {
		if got != ctx {
			return errors.New("another context than Serve was given")
		}
		all = append(all, m)
		return nil
	})
	return fmt.Sprint(all, " ", rxSay(nil, in.Err()), " ", rxSay(nil, err))
}

// Case 21.
func TestR8MessagesAndServeEnd(t *testing.T) {
	type pool = *actor.Pool[int, actor.None]
	for _, c := range []struct {
		name  string
		end   func(pool, context.CancelFunc)
		why   string
		serve string // what Serve returns
		left  []int  // of 3 and 4, queued together with the end
	}{
		{"close", func(p pool, _ context.CancelFunc) { p.Close() }, "closed", "<nil>", nil},
		{"halt", func(p pool, _ context.CancelFunc) { p.Halt() }, "halted", "<nil>", []int{3, 4}},
		{"halt some", func(p pool, _ context.CancelFunc) { p.HaltSome(1) }, "halted", "<nil>", []int{3, 4}},
		{"ctx", func(_ pool, cancel context.CancelFunc) { cancel() }, "canceled", "canceled", nil},
	} {
		for _, loop := range []rxWay{{"Messages", rxLoop}, {"Serve", rxServe}} {
			t.Run(c.name+"/"+loop.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var left list[int]
					pool, addr, p := rxPool(t, actor.Config{Undelivered: left.addAny}, 1)
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					busy := make(chan struct{})
					o := p[0].does(func(_ context.Context, in *actor.Inbox[int]) string {
						<-busy
						return loop.recv(ctx, in)
					})
					rxSend(t, addr, 3, 4)
					c.end(pool, cancel)
					close(busy)
					want := "[3 4] " + c.why
					if c.left != nil {
						want = "[] " + c.why
					}
					if loop.name == "Serve" {
						want += " " + c.serve
					}
					rxWant(t, "loop with messages at its end", o, want)
					p[0].quit()
					if got := left.get(); !slices.Equal(got, c.left) {
						t.Errorf("undelivered %v, want %v", got, c.left)
					}
				})
				synctest.Test(t, func(t *testing.T) {
					pool, addr, p := rxPool(t, actor.Config{}, 1)
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					o := p[0].does(rxWith(ctx, loop.recv))
					rxSend(t, addr, 1)
					synctest.Wait()
					rxSend(t, addr, 2)
					rxWant(t, "loop before its end", o, "waits")
					c.end(pool, cancel)
					want := "[1 2] " + c.why
					if loop.name == "Serve" {
						want += " " + c.serve
					}
					rxWant(t, "waiting loop", o, want)
				})
			})
		}
	}
}

// Err speaks of the last loop only, and an end that is no end of the actor
// lets the next loop go on.
func TestR8ErrIsOfTheLastLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, addr, p := rxPool(t, actor.Config{}, 1)
		why := func(_ context.Context, in *actor.Inbox[int]) string { return rxSay(nil, in.Err()) }
		breaks := func(ctx context.Context, in *actor.Inbox[int]) string {
			for m := range in.Messages(ctx) {
				return fmt.Sprint(m)
			}
			return "no message"
		}
		rxWant(t, "Err before the first loop", p[0].does(why), "<nil>")
		rxSend(t, addr, 1, 2, 3)
		pool.HaltSome(1)
		rxWant(t, "loop", p[0].does(rxLoop), "[] halted")
		rxWant(t, "Err", p[0].does(why), "halted")
		rxWant(t, "loop with break", p[0].does(breaks), "1")
		rxWant(t, "Err after a break", p[0].does(why), "<nil>")
		rxWant(t, "another receive", p[0].does(rxRecv), "2")
		rxWant(t, "Err after a receive", p[0].does(why), "<nil>")
		pool.Close()
		rxWant(t, "loop", p[0].does(rxLoop), "[3] closed")
		rxWant(t, "Err", p[0].does(why), "closed")
		rxWant(t, "Serve", p[0].does(rxServe), "[] closed <nil>")
	})
}

// A sequence may be kept and ranged over again.
func TestR8MessagesCanBeRangedOverAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, addr, p := rxPool(t, actor.Config{}, 1)
		rxSend(t, addr, 1, 2, 3)
		pool.Close()
		rxWant(t, "two loops", p[0].does(func(ctx context.Context, in *actor.Inbox[int]) string {
			all, text := in.Messages(ctx), ""
			for m := range all {
				text += fmt.Sprint(m, ", ")
				break
			}
			for m := range all {
				text += fmt.Sprint(m, " ")
			}
			return text + rxSay(nil, in.Err())
		}), "1, 2 3 closed")
	})
}

// Torn down, neither returns: deferred calls run and nothing after does.
func TestR8AbortUnwindsTheLoop(t *testing.T) {
	for _, loop := range []rxWay{{"Messages", rxLoop}, {"Serve", rxServe}} {
		synctest.Test(t, func(t *testing.T) {
			pool, addr, p := rxPool(t, actor.Config{}, 1)
			o := p[0].does(loop.recv)
			rxSend(t, addr, 1)
			pool.Abort()
			rxWant(t, loop.name, o, "unwinds")
			if err := addr.Wait(t.Context()); !errors.Is(err, actor.ErrAborted) {
				t.Errorf("%s: exit %v, want ErrAborted", loop.name, err)
			}
		})
	}
}

type rxQuestion struct {
	actor.Reply[string]
	text string
}

func (q rxQuestion) to(r actor.Reply[string]) rxQuestion { q.Reply = r; return q }

func TestR8HandlerEndsServe(t *testing.T) {
	broken := errors.New("broken")
	wrapped := fmt.Errorf("another actor: %w", actor.ErrHalted)
	for _, c := range []struct {
		name   string
		answer error // of the handler, at the third question
		exit   error
		third  error // what the third asker gets
	}{
		{"halted", actor.ErrHalted, nil, actor.ErrNoReply},
		{"error", broken, broken, broken},
		{"error that wraps ErrHalted", wrapped, wrapped, wrapped},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var why error
				var left list[rxQuestion]
				child, addr := actor.Spawn(t.Context(), actor.Config{Undelivered: left.addAny},
					func(ctx context.Context, in *actor.Inbox[rxQuestion]) error {
						defer func() { why = in.Err() }()
						return in.Serve(ctx, func(_ context.Context, q rxQuestion) error {
							switch q.text {
							case "first":
								q.Answer("yes", nil)
							case "second": // is answered by nobody
							case "third":
								time.Sleep(time.Second)
								return c.answer
							}
							return nil
						})
					})
				type reply struct {
					text string
					err  error
				}
				replies := make([]reply, 4)
				for i, text := range []string{"first", "second", "third", "fourth"} {
					go func() {
						text, err := actor.Ask(t.Context(), addr, rxQuestion{text: text}.to)
						replies[i] = reply{text, err}
					}()
					synctest.Wait()
				}
				if _, err := child.Wait(t.Context()); err != c.exit {
					t.Errorf("exit %v, want %v", err, c.exit)
				}
				synctest.Wait()
				if why != c.answer {
					t.Errorf("Err %v, want %v", why, c.answer)
				}
				if r := replies[0]; r != (reply{"yes", nil}) {
					t.Errorf("first ask: %q, %v; want yes", r.text, r.err)
				}
				for _, i := range []int{1, 3} { // not in hand any more, or never
					if r := replies[i]; !errors.Is(r.err, actor.ErrNoReply) {
						t.Errorf("ask %d: %v, want ErrNoReply", i, r.err)
					}
				}
				// The handler's error comes as it is, not as the cause of an ErrNoReply.
				if r := replies[2]; r.err != c.third && (c.third != actor.ErrNoReply || !errors.Is(r.err, c.third)) {
					t.Errorf("third ask: %v, want %v", r.err, c.third)
				}
				if n := len(left.get()); n != 1 {
					t.Errorf("%d messages undelivered, want the fourth", n)
				}
			})
		})
	}
}

// An ask that the handler has answered keeps that answer, whatever the handler
// returns.
func TestR8AnsweredAskKeepsItsAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		_, addr := actor.Spawn(t.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[rxQuestion]) error {
			return in.Serve(ctx, func(_ context.Context, q rxQuestion) error {
				q.Answer("yes", nil)
				return broken
			})
		})
		text, err := actor.Ask(t.Context(), addr, rxQuestion{}.to)
		if text != "yes" || err != nil {
			t.Errorf("%q, %v; want yes", text, err)
		}
		if err := addr.Wait(t.Context()); err != broken {
			t.Errorf("exit %v, want %v", err, broken)
		}
	})
}
