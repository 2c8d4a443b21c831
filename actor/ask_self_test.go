package actor_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// A process that asks its own actor, which has no other, hears at once that
// this cannot work. Nothing is sent. In a pool another process may answer.
func TestX5SelfAskFailsAtOnce(t *testing.T) {
	for way, via := range askWays {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				body := func(ctx context.Context, in *actor.Inbox[any]) (error, error) {
					if in.Index() > 0 {
						m, err := in.Recv(ctx)
						if err == nil {
							m.(askMsg).Answer(5, nil)
						}
						return nil, err
					}
					derived, cancel := context.WithTimeout(ctx, time.Minute)
					defer cancel()
					v, err := actor.Ask(derived, via(in.Address()), askAny)
					if err == nil && v != 5 {
						t.Errorf("answer is %d, want 5", v)
					}
					if n := in.Len(); n != 0 {
						t.Errorf("%d messages were sent, want none", n)
					}
					return err, nil
				}
				start := time.Now()
				single, _ := actor.SpawnValue(t.Context(), actor.Config{Name: "narcissus"}, body)
				said, _ := single.Wait(t.Context())
				askWantNoReply(t, said, nil, `"narcissus"`)
				pool, _ := actor.SpawnPool(t.Context(), actor.Config{}, 2, body)
				exits, _ := pool.Wait(t.Context())
				for _, e := range exits {
					if e.Value != nil {
						t.Errorf("process %d of the pool: %v", e.Index, e.Value)
					}
				}
				if d := time.Since(start); d != 0 {
					t.Errorf("it took %v", d)
				}
			})
		})
	}
}

// A process of a pool that asks its own pool, and is then left alone, would wait
// for itself.
func TestX5SelfAskFailsWhenTheOthersLeave(t *testing.T) {
	captureLogs(t)
	for way, via := range askWays {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pool, _ := actor.SpawnPool(t.Context(), actor.Config{Name: "leaving"}, 3,
					func(ctx context.Context, in *actor.Inbox[any]) (error, error) {
						if in.Index() > 0 {
							time.Sleep(time.Duration(in.Index()) * time.Second)
							return nil, nil
						}
						start := time.Now()
						_, err := actor.Ask(ctx, via(in.Address()), askAny)
						if d := time.Since(start); d != 2*time.Second {
							t.Errorf("the ask ended after %v, want 2s", d)
						}
						return err, nil
					})
				exits, _ := pool.Wait(t.Context())
				for _, e := range exits {
					if e.Index == 0 {
						askWantNoReply(t, e.Value, nil, `"leaving"`)
					}
				}
			})
		})
	}
}

// Reply.Context has what the asker's context has.
func TestX5ReplyContextIsTheAskers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		taken := make(chan askMsg)
		child, addr := actor.Spawn(t.Context(), actor.Config{}, askLending(taken))
		cause := errors.New("the asker's cause")
		values := context.WithValue(t.Context(), key{}, "value")
		cancelable, cancel := context.WithCancelCause(values)
		ctx, stop := context.WithTimeout(cancelable, time.Minute)
		defer stop()
		asked := make(chan error)
		go func() {
			_, err := actor.Ask(ctx, addr, askMsg{}.to)
			asked <- err
		}()
		got := (<-taken).Context()
		derived, stopDerived := context.WithCancel(got)
		defer stopDerived()
		if v := got.Value(key{}); v != "value" {
			t.Errorf("value is %v", v)
		}
		want, _ := ctx.Deadline()
		if d, ok := got.Deadline(); !ok || !d.Equal(want) {
			t.Errorf("deadline is %v, want %v", d, want)
		}
		if got.Err() != nil {
			t.Errorf("it has ended: %v", got.Err())
		}
		cancel(cause)
		<-got.Done()
		<-derived.Done()
		if got.Err() != context.Canceled || context.Cause(got) != cause || context.Cause(derived) != cause {
			t.Errorf("ended with %v, causes %v and %v", got.Err(), context.Cause(got), context.Cause(derived))
		}
		if err := <-asked; !errors.Is(err, context.Canceled) {
			t.Errorf("the ask ended with %v", err)
		}
		child.Stop(t.Context())
	})
}

// What the handler does with Reply.Context is not done by the asker: it is not
// refused as the asker's own Send and Ask would be, and what it spawns is not
// the asker's child.
func TestX5ReplyContextDoesNotActAsTheAsker(t *testing.T) {
	captureLogs(t)
	for way, via := range askWays {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asker *actor.Address[any]
				var grandchild *actor.Child[any, actor.None]
				release := make(chan struct{})
				helper, helperAddr := actor.Spawn(t.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[any]) error {
					m, err := in.Recv(ctx)
					if err != nil {
						return err
					}
					rctx, cancel := context.WithTimeout(m.(askMsg).Context(), time.Second)
					defer cancel()
					if _, err := actor.Ask(rctx, asker, askAny); !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("asking the asker: %v, want a wait", err)
					}
					rctx, cancel = context.WithTimeout(m.(askMsg).Context(), time.Second)
					defer cancel()
					if err := asker.Send(rctx, "room for one"); !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("sending to the asker: %v, want a wait", err)
					}
					grandchild, _ = actor.Spawn(m.(askMsg).Context(), actor.Config{}, until[any](release))
					m.(askMsg).Answer(1, nil)
					_, err = in.Recv(ctx)
					return err
				})
				start := make(chan struct{})
				child, addr := actor.Spawn(t.Context(), actor.Config{Capacity: actor.Bounded(1)}, func(ctx context.Context, in *actor.Inbox[any]) error {
					<-start
					_, err := actor.Ask(ctx, via(helperAddr), askAny)
					return err
				})
				asker = addr
				close(start)
				if _, err := child.Wait(t.Context()); err != nil {
					t.Error(err)
				}
				select {
				case <-grandchild.Done():
					t.Error("the asker waited for what its helper spawned")
				default:
				}
				close(release)
				<-grandchild.Done()
				helper.Stop(t.Context())
			})
		})
	}
}

// What happens while an actor is asked through a foreign Sender is not part of
// the ask, although it happens with the ask's context: neither what an actor
// spawned meanwhile sends, nor what somebody sends who is asked meanwhile.
func TestX5AskIsNotInherited(t *testing.T) {
	for name, meanwhile := range map[string]func(t *testing.T, ctx context.Context, send func(context.Context)){
		"Spawn": func(t *testing.T, ctx context.Context, send func(context.Context)) {
			owned, _ := actor.Spawn(ctx, actor.Config{}, func(ctx context.Context, _ *actor.Inbox[any]) error {
				derived, cancel := context.WithCancel(ctx)
				defer cancel()
				send(derived)
				return nil
			})
			<-owned.Done()
		},
		"Ask": func(t *testing.T, ctx context.Context, send func(context.Context)) {
			child, addr := actor.Spawn(t.Context(), actor.Config{}, func(_ context.Context, in *actor.Inbox[askMsg]) error {
				m, err := in.Recv(context.Background())
				send(m.Context())
				m.Answer(1, nil)
				return err
			})
			if _, err := actor.Ask(ctx, addr, askMsg{}.to); err != nil {
				t.Error(err)
			}
			<-child.Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sink, sinkAddr := actor.Spawn(t.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[any]) error {
					_, err := in.Recv(ctx)
					return err // and so ends what it has received, were it an ask
				})
				child, addr := actor.Spawn(t.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[any]) error {
					m, err := in.Recv(ctx)
					if err == nil && !m.(askMsg).Answer(6, nil) {
						t.Error("the ask was ended by somebody else")
					}
					return err
				})
				to := askFirst{addr, func(ctx context.Context) {
					meanwhile(t, ctx, func(ctx context.Context) {
						if err := sinkAddr.Send(ctx, "no question"); err != nil {
							t.Error(err)
						}
					})
					<-sink.Done()
				}}
				if v, err := actor.Ask(t.Context(), to, askAny); v != 6 || err != nil {
					t.Errorf("got %d, %v, want 6", v, err)
				}
				<-child.Done()
			})
		})
	}
}

// askFirst is a foreign Sender that does something with its context first.
type askFirst struct {
	actor.Sender[any]
	first func(context.Context)
}

func (s askFirst) Send(ctx context.Context, m any) error {
	s.first(ctx)
	return s.Sender.Send(ctx, m)
}
