package browser_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"

	"tinyactor/actor"
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

// Trouble is to be seen in the tree, also of those for whom there is no row.
func TestTroubleOfThoseThatAreNotShown(t *testing.T) {
	long(t)
	s := scene(t, observer.Options{}, 0)
	ctx, end := context.WithCancel(s.Observer.Watch(t.Context()))
	defer end()
	type addresses [2]*actor.Address[actor.Reply[int]]
	all := make(chan addresses, 2)
	var a addresses
	for i := range 60 {
		_, address := actor.Spawn(ctx, actor.Config{Name: fmt.Sprint("one-", i)}, func(ctx context.Context, in *actor.Inbox[actor.Reply[int]]) error {
			if i < 58 {
				<-in.Halting()
				return nil
			}
			_, err := actor.Ask(ctx, (<-all)[59-i], func(r actor.Reply[int]) actor.Reply[int] { return r })
			return err
		})
		a[i%2] = address
		defer runtime.KeepAlive(address)
	}
	p := open(t, serve(t, s.Observer), "")
	p.live()
	p.wait(`/^2\d more: show some$/.test(document.querySelector('#tree tr.more').innerText.trim())`)
	phone := open(t, serve(t, s.Observer), "", chromedp.EmulateViewport(390, 800, chromedp.EmulateMobile, chromedp.EmulateScale(2)))
	phone.live()
	all <- a
	all <- a
	phone.wait(`document.querySelector('#tree tr.more').innerText.includes('2 in trouble')`)
	phone.wait(`[...document.querySelectorAll('#tree tr[data-id] .own')].every((name) => name.getBoundingClientRect().width > 15)`)
	phone.wait(`document.querySelector('#tree tr.more span').getBoundingClientRect().right <= innerWidth`)
	phone.click(`#tree tr.more span`)
	phone.wait(`document.querySelectorAll('#tree tr[data-deadlock]').length === 2`)
	p.wait(`/^2\d more: show some; \S* 2 in trouble$/.test(document.querySelector('#tree tr.more').innerText.trim())`)
	p.click(`#tree tr.more td`)
	p.wait(`document.querySelectorAll('#tree tr[data-deadlock]').length === 2 && !document.querySelector('#tree tr.more')`)
}

// A drawing that changes leaves the focus where it is, and says what is so now.
func TestGraphChanges(t *testing.T) {
	long(t)
	s := scene(t, observer.Options{}, 0)
	ctx, end := context.WithCancel(s.Observer.Watch(t.Context()))
	defer end()
	slow, address := actor.Spawn(ctx, actor.Config{Name: "slow"}, func(ctx context.Context, in *actor.Inbox[actor.Reply[int]]) error {
		_, err := in.Recv(ctx)
		<-ctx.Done() // takes no note of a halt
		return err
	})
	defer slow.Abort()
	actor.Spawn(ctx, actor.Config{Name: "patient"}, func(ctx context.Context, _ *actor.Inbox[int]) error {
		_, err := actor.Ask(ctx, address, func(r actor.Reply[int]) actor.Reply[int] { return r })
		return err
	})

	p := open(t, serve(t, s.Observer), "#/graph")
	p.live()
	node := fmt.Sprintf(`document.querySelector('#graph .node[data-id="%d"]')`, slow.ID())
	p.wait(`%s?.querySelector('.sub').textContent === 'busy'`, node)
	p.do(chromedp.Evaluate[chromedp.Void](node + `.focus(); document.querySelector('#graph svg').dataset.before = ''`))
	slow.Halt()
	p.wait(`%s.querySelector('.sub').textContent === 'halted' && !document.querySelector('[data-before]')`, node)
	if focused := js[string](p, `document.activeElement.dataset.id ?? document.activeElement.id`); focused != fmt.Sprint(slow.ID()) {
		t.Errorf("the focus is on %q", focused)
	}
}

// On a phone the first thing to be seen of the drawing is the deadlock.
func TestCyclesAreSeenOnAPhone(t *testing.T) {
	long(t)
	s := scene(t, observer.Options{}, 0)
	defer s.Knot()()
	p := open(t, serve(t, s.Observer), "#/graph", chromedp.EmulateViewport(390, 800, chromedp.EmulateMobile, chromedp.EmulateScale(2)))
	p.live()
	p.wait(`document.querySelectorAll('#graph .node.cycle').length === 5 && document.querySelector('#graph .drawing').scrollWidth > innerWidth`)
	p.wait(`(() => {
		const first = document.querySelector('#graph .node.cycle').getBoundingClientRect();
		return first.left >= 0 && first.right <= innerWidth;
	})()`)
}
