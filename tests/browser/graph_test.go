package browser_test

import (
	"fmt"
	"slices"
	"testing"

	"tinyactor/observer"
)

// Actors that wait for each other in a circle are named and painted, and nobody
// else is; when they wait no more, that is gone.
func TestCyclesArePainted(t *testing.T) {
	long(t)
	s := scene(t, observer.Options{}, 0)
	p := open(t, serve(t, s.Observer), "#/graph")
	p.live()
	p.wait(`document.querySelector('#graph .edge')`) // of the customers
	p.wait(`document.querySelectorAll('#graph .cycle').length === 0 && document.querySelectorAll('#deadlocks p').length === 0`)

	untie := s.Knot()
	defer untie()
	p.wait(`document.querySelectorAll('#deadlocks p').length === 2`)
	p.wait(`document.querySelector('#deadlocks').innerText.includes('answer') && document.querySelector('#deadlocks').innerText.includes('room')`)
	p.wait(`document.querySelectorAll('#graph .node.cycle').length === 5 && document.querySelectorAll('#graph .edge.cycle').length === 5`)
	var want []string
	for _, name := range []string{"reader", "parser", "loader", "left", "right"} {
		want = append(want, fmt.Sprint(id(p, s.Observer, "shop/imports/"+name)))
	}
	painted := js[[]string](p, `[...document.querySelectorAll('#graph .node.cycle')].map((n) => n.dataset.id)`)
	slices.Sort(want)
	slices.Sort(painted)
	if !slices.Equal(painted, want) {
		t.Errorf("painted are %v, want %v", painted, want)
	}
	// Painted is: in another colour than the others.
	stroke := func(selector string) string {
		return js[string](p, `getComputedStyle(document.querySelector('`+selector+`')).stroke`)
	}
	if cycle, other := stroke(`#graph .edge.cycle path, #graph path.edge.cycle`), stroke(`#graph .edge:not(.cycle) path, #graph path.edge:not(.cycle)`); cycle == other {
		t.Errorf("an edge of a cycle is %s as others are", cycle)
	}
	// The same as text, for who cannot see it.
	p.wait(`document.querySelector('#waits').innerText.includes('reader') && document.querySelector('#waits').innerText.includes('parser')`)
	p.click(`nav a[data-view=tree]`)
	p.wait(`%s.hasAttribute('data-deadlock')`, row("#tree", "/imports/reader"))

	untie()
	p.wait(`document.querySelectorAll('#deadlocks p').length === 0`)
	p.click(`nav a[data-view=graph]`)
	p.wait(`document.querySelectorAll('#graph .cycle').length === 0`)
}
