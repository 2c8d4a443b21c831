package actortest_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/actortest"
)

type (
	message = actortest.Message
	address = *actor.Address[message]
	sender  = actor.Sender[message]
)

// envelope is a message of another type, for Map.
type envelope struct{ m message }

func wrap(m message) envelope   { return envelope{m} }
func unwrap(e envelope) message { return e.m }

// good are the senders that must pass.
var good = map[string]func(to address) sender{
	"Address": func(to address) sender { return to },
	"Map": func(to address) sender {
		return actor.Map(actor.Map(to, unwrap), wrap)
	},
	"own": func(to address) sender { return &through{to: to} },
	"Map of own": func(to address) sender {
		return actor.Map(actor.Map(sender(&through{to: to}), unwrap), wrap)
	},
}

func TestSender(t *testing.T) {
	for name, newSender := range good {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T) { actortest.TestSender(t, newSender) })
		})
	}
}

// through is a Sender that is not of package actor. A function that is not nil
// stands for the method.
type through struct {
	to      address
	send    func(ctx context.Context, to address, m message) error
	trySend func(to address, m message) error
}

func (s *through) Send(ctx context.Context, m message) error {
	if s.send != nil {
		return s.send(ctx, s.to, m)
	}
	return s.to.Send(ctx, m)
}

func (s *through) TrySend(m message) error {
	if s.trySend != nil {
		return s.trySend(s.to, m)
	}
	return s.to.TrySend(m)
}

// broken are senders that must not pass, each with what must be said of it.
var broken = map[string]struct {
	newSender func(to address) sender
	want      string // regardless of what else is wrong
}{
	"sends on other goroutines": {func(to address) sender {
		return &through{to: to, send: func(ctx context.Context, to address, m message) error {
			go to.Send(ctx, m)
			return nil
		}}
	}, "but never came"},
	"overtakes": {func(to address) sender {
		var mu sync.Mutex
		held := make(map[int]message) // what each sender's next message overtakes
		return &through{to: to, send: func(ctx context.Context, to address, m message) error {
			mu.Lock()
			before, ok := held[m.From]
			delete(held, m.From)
			if !ok && m.N%10 == 1 {
				held[m.From] = m
				mu.Unlock()
				return nil
			}
			mu.Unlock()
			err := to.Send(ctx, m)
			if ok {
				err = errors.Join(err, to.Send(ctx, before))
			}
			return err
		}}
	}, "order: the actor got"},
	"loses one in ten": {func(to address) sender {
		return &through{to: to, send: func(ctx context.Context, to address, m message) error {
			if m.N%10 == 9 {
				return nil
			}
			return to.Send(ctx, m)
		}}
	}, "order: accepted, but never came to the actor: [0."},
	"repeats": {func(to address) sender {
		return &through{to: to, send: func(ctx context.Context, to address, m message) error {
			if rand.IntN(10) == 0 {
				_ = to.Send(ctx, m)
			}
			return to.Send(ctx, m)
		}}
	}, "order: came to the actor more than once"},
	"invents": {func(to address) sender {
		return &through{to: to, send: func(ctx context.Context, to address, m message) error {
			_ = to.Send(ctx, message{From: 99})
			return to.Send(ctx, m)
		}}
	}, "nobody had sent it: [99.0]"},
	"TrySend waits": {func(to address) sender {
		return &through{to: to, trySend: func(to address, m message) error {
			return to.Send(context.Background(), m)
		}}
	}, "full: TrySend to a full inbox has not returned within 10s"},
	"TrySend waits a little": {func(to address) sender {
		return &through{to: to, trySend: func(to address, m message) error {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			return to.Send(ctx, m)
		}}
	}, `full: TrySend to a full inbox returns "actor`},
	"TrySend ignores backpressure": {func(to address) sender {
		return &through{to: to, trySend: func(to address, m message) error { return to.SendNow(m) }}
	}, `backpressure: TrySend under backpressure returns nil, want "actor: inbox full"`},
	"TrySend drops when full": {func(to address) sender {
		return &through{to: to, trySend: func(to address, m message) error {
			if err := to.TrySend(m); !errors.Is(err, actor.ErrFull) {
				return err
			}
			return nil
		}}
	}, "full: TrySend to a full inbox returns nil"},
	"TrySend has another error for full": {func(to address) sender {
		return &through{to: to, trySend: func(to address, m message) error {
			if err := to.TrySend(m); !errors.Is(err, actor.ErrFull) {
				return err
			}
			return errors.New("busy")
		}}
	}, `full: TrySend to a full inbox returns "busy"`},
	"TrySend is always full": {func(to address) sender {
		return &through{to: to, trySend: func(address, message) error { return actor.ErrFull }}
	}, "full: TrySend to an inbox that has room returns"},
	"TrySend says full after it sent": {func(to address) sender {
		return &through{to: to, trySend: func(to address, m message) error {
			if err := to.TrySend(m); err != nil {
				return err
			}
			return actor.ErrFull
		}}
	}, "but the Sender had returned an error"},
	"Send does not wait": {func(to address) sender {
		return &through{to: to, send: func(_ context.Context, to address, m message) error { return to.TrySend(m) }}
	}, "full: Send to a full inbox that gets room returns"},
	"Send has a buffer": {func(to address) sender {
		queue := make(chan message, 100)
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			for {
				select {
				case m := <-queue:
					_ = to.Send(context.Background(), m)
				case <-to.Done():
					return
				}
			}
		}()
		return &through{to: to, send: func(ctx context.Context, _ address, m message) error {
			select {
			case queue <- m:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			case <-stopped:
				return actor.ErrClosed
			}
		}}
	}, "full: Send to a full inbox whose context ends returns nil"},
	"Send is deaf to its context": {func(to address) sender {
		return &through{to: to, send: func(ctx context.Context, to address, m message) error {
			return to.Send(context.WithoutCancel(ctx), m)
		}}
	}, "full: Send to a full inbox whose context ends has not returned"},
	"Send sends after its context's end": {func(to address) sender {
		return &through{to: to, send: func(ctx context.Context, to address, m message) error {
			result := make(chan error, 1)
			go func() { result <- to.Send(context.WithoutCancel(ctx), m) }()
			select {
			case err := <-result:
				return err
			case <-ctx.Done():
				return ctx.Err()
			}
		}}
	}, "full: came to the actor, but the Sender had returned an error: [0.5]"},
	"Send has another error for its context": {func(to address) sender {
		return &through{to: to, send: func(ctx context.Context, to address, m message) error {
			if err := to.Send(ctx, m); !errors.Is(err, context.DeadlineExceeded) {
				return err
			}
			return errors.New("too late")
		}}
	}, `full: Send to a full inbox whose context ends returns "too late"`},
	"Send hides the end": {func(to address) sender {
		return &through{to: to, send: func(ctx context.Context, to address, m message) error {
			if err := to.Send(ctx, m); !errors.Is(err, actor.ErrClosed) {
				return err
			}
			return nil
		}}
	}, "closed: Send to a closed actor returns nil"},
	"Send tries again after the end": {func(to address) sender {
		return &through{to: to, send: func(ctx context.Context, to address, m message) error {
			if err := to.Send(ctx, m); !errors.Is(err, actor.ErrClosed) {
				return err
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(11 * time.Second): // somewhat longer than the suite waits
				return actor.ErrClosed
			}
		}}
	}, "closed while Send waits: Send to a full inbox of an actor that closes has not returned"},
	"TrySend hides the end": {func(to address) sender {
		return &through{to: to, trySend: func(to address, m message) error {
			if err := to.TrySend(m); !errors.Is(err, actor.ErrClosed) {
				return err
			}
			return actor.ErrFull
		}}
	}, "closed: TrySend to a closed actor returns"},
	"Send does not pass its context on": {func(to address) sender {
		return &through{to: to, send: func(ctx context.Context, to address, m message) error {
			inner, cancel := context.WithCancel(context.Background())
			defer cancel()
			defer context.AfterFunc(ctx, cancel)()
			if err := to.Send(inner, m); !errors.Is(err, context.Canceled) {
				return err
			}
			return ctx.Err()
		}}
	}, "Ask and the process ends: Ask of a process that ends without an answer returns"},
	"Ask gets another answer": {func(to address) sender {
		return &through{to: to, send: func(ctx context.Context, to address, m message) error {
			m.Answer(7, nil)
			return to.Send(ctx, m)
		}}
	}, "Ask answered: Ask returns 7"},
	"Ask gets no error": {func(to address) sender {
		return &through{to: to, send: func(ctx context.Context, to address, m message) error {
			_, err := actor.Ask(ctx, to, func(r actor.Reply[int]) message {
				return message{Reply: r, From: m.From, N: m.N}
			})
			if m.Answer(42, nil) {
				return nil
			}
			return err
		}}
	}, `Ask answered: Ask returns nil, want the error of the answer`},
}

// TestSenderFinds checks that the suite finds what is wrong with a Sender. It is
// in a bubble, where a call that hangs costs nothing.
func TestSenderFinds(t *testing.T) {
	for name, b := range broken {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				failures := strings.Join(try(func(t testing.TB) { actortest.TestSender(t, b.newSender) }), "\n")
				contains(t, failures, b.want)
				t.Logf("found:\n%s", failures)
			})
		})
	}
}

// TestSenderFindsOutside is TestSenderFinds for what needs no patience.
func TestSenderFindsOutside(t *testing.T) {
	for _, name := range []string{"loses one in ten", "repeats", "TrySend drops when full", "Send has another error for its context"} {
		t.Run(name, func(t *testing.T) {
			failures := try(func(t testing.TB) { actortest.TestSender(t, broken[name].newSender) })
			contains(t, strings.Join(failures, "\n"), broken[name].want)
		})
	}
}
