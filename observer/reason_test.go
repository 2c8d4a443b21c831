package observer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// What is kept of an error: the text, but not the stack of a stuck process, which
// is told by itself, and not too much.
func TestReason(t *testing.T) {
	o := New(Options{})
	stuck := fmt.Errorf("it hangs: %w\nits stack", actor.ErrStuck)
	for _, test := range []struct {
		err         error
		text, value string
	}{
		{nil, "", ""},
		{errors.New("a\nb"), "a\nb", ""},
		{stuck, "it hangs: actor: stuck", ""},
		{errors.Join(stuck, errBad{}), "it hangs: actor: stuck", ""},
		{fmt.Errorf("w: %w", &actor.PanicError{Value: 7}), "w: panic: 7", "7"},
		{(*actor.PanicError)(nil), "the error's own text panics: runtime error: invalid memory address or nil pointer dereference", ""},
	} {
		if text, value := o.reason(test.err); text != test.text || value != test.value {
			t.Errorf("the reason is %q with the value %q, want %q with %q", text, value, test.text, test.value)
		}
	}
	long := strings.Repeat("ä", longestReason)
	if got, _ := o.reason(errors.New(long)); len(got) > longestReason+3 || !strings.HasPrefix(long, strings.TrimSuffix(got, "…")) {
		t.Errorf("a long reason became %d bytes", len(got))
	}
}

// Errors of which a method does not expect to be called.
type (
	errBad    struct{} // on each target but its own kind, as many are written
	errText   struct{ s *string }
	errUnwrap struct{ secret error }
	errList   struct{ secret error }
)

func (errBad) Error() string           { return "bad" }
func (errBad) Is(target error) bool    { return target.(errBad) == errBad{} }
func (e errText) Error() string        { return *e.s }
func (e errUnwrap) Error() string      { return e.secret.Error() }
func (errUnwrap) Unwrap() error        { panic("nothing to see") }
func (e errList) Error() string        { return e.secret.Error() }
func (errList) Unwrap() (errs []error) { return errs[:2] }

// An end is an end whatever the error's methods do: it is told, and counted.
func TestEndWithABadError(t *testing.T) {
	for _, bad := range []error{errBad{}, errText{}, errUnwrap{errors.New("bad")}, errList{errors.New("bad")}, errors.Join(errText{}, errBad{})} {
		t.Run(fmt.Sprintf("%T", bad), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := New(Options{})
				var told []Actor
				o.Ended(func(a Actor) { told = append(told, a) })
				_, addr := actor.Spawn(o.Watch(t.Context()), actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
					_, _ = in.Recv(ctx)
					return bad
				})
				if err := addr.Send(t.Context(), 1); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				reasons := make(map[string]string)
				for _, e := range o.after(0) {
					reasons[e.Kind] = e.Reason
				}
				for _, kind := range []string{"exited", "ended"} {
					if got := reasons[kind]; !strings.Contains(got, "bad") && !strings.Contains(got, "panics") {
						t.Errorf("the reason of %q is %q", kind, got)
					}
				}
				if len(told) != 1 || told[0].Received != 1 || entriesOf(o) != 0 {
					t.Errorf("the ended are %+v, and %d are left", told, entriesOf(o))
				}
			})
		})
	}
}

// noPanics redacts what processes panicked with and nothing else.
func noPanics(kind Text, text string) string {
	if kind == TextPanic {
		return "***"
	}
	return text
}

// An end of an actor with several processes may come from several panics.
func TestRedactManyPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New(Options{Redact: noPanics})
		numbers := make(chan string, 3)
		for _, n := range []string{"1", "12", "123"} {
			numbers <- n
		}
		pool, _ := actor.SpawnPool(o.Watch(t.Context()), actor.Config{Name: "p"}, cap(numbers), func(context.Context, *actor.Inbox[int]) (actor.None, error) {
			panic("secret-" + <-numbers)
		})
		if _, err := pool.Wait(t.Context()); err == nil {
			t.Fatal("it has not panicked")
		}
		time.Sleep(time.Second)
		events := o.after(0)
		for _, e := range events {
			if strings.Contains(e.Reason, "secret") || strings.Contains(e.Reason, "***2") {
				t.Errorf("%s: %s", e.Kind, e.Reason)
			}
		}
		if last := events[len(events)-1]; last.Kind != "ended" || strings.Count(last.Reason, "***") != cap(numbers) {
			t.Errorf("the last event is %s: %s", last.Kind, last.Reason)
		}
	})
}

// Where panics cannot be told apart, nothing is shown.
func TestRedactPanicsOutOfReach(t *testing.T) {
	o := New(Options{Redact: noPanics})
	secret := &actor.PanicError{Value: "a secret"}
	for _, err := range []error{errUnwrap{secret}, fmt.Errorf("w: %w", errList{secret})} {
		if got, _ := o.reason(err); strings.Contains(got, "secret") || got == "" {
			t.Errorf("the reason is %q", got)
		}
	}
}
