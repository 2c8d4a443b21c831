// Package copies copies what must not be copied. A test checks that go vet says
// so at each line that ends with "copy", and at no other.
package copies

import "tinyactor/actor"

type holder struct {
	address *actor.Address[int]
	ref     actor.Ref
}

func address(actor.Address[int])         {} // copy
func child(actor.Child[int, actor.None]) {} // copy
func pool(actor.Pool[int, actor.None])   {} // copy
func inbox(actor.Inbox[int])             {} // copy

func assign(a *actor.Address[int], c *actor.Child[int, actor.None], p *actor.Pool[int, actor.None], in *actor.Inbox[int]) {
	a2 := *a   // copy
	c2 := *c   // copy
	p2 := *p   // copy
	in2 := *in // copy
	h := holder{a, c}
	h2 := h
	use(&a2, &c2, &p2, &in2, h2)
}

func use(...any) {}
