package actor_test

import (
	"testing"

	"tinyactor/actor"
	"tinyactor/internal/zero"
)

// Every method of a zero value answers, with an error if it can, or panics with
// a text that says what is wrong: none of them hangs. The pool has no exits, and
// Wait and its like say so without an error.
func TestC1ZeroValuesAnswer(t *testing.T) {
	ref := new(actor.Address[int])
	zero.Methods(t, new(actor.Address[int]), []string{"Wait"}, ref)
	zero.Methods(t, new(actor.Inbox[int]), []string{"Err", "Serve"}, ref)
	zero.Methods(t, new(actor.Child[int, int]), nil, ref)
	zero.Methods(t, new(actor.Pool[int, int]), []string{"Wait", "Stop", "Drain"}, ref)
	zero.Methods(t, new(actor.Reply[int]), nil)
	zero.Methods(t, new(actor.PanicError), []string{"Unwrap"})
	zero.Methods(t, new(actor.Capacity), nil)
}
