package browser_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"tinyactor/actor"
	"tinyactor/observer"
)

// Every actor has a row in the tree, below its parent, and the numbers in it change.
func TestRowsAppearAndChange(t *testing.T) {
	s := scene(t, observer.Options{}, 3)
	p := open(t, serve(t, s.Observer), "")
	p.live()
	want := []string{
		"shop", "inventory", "pricing", "rates", "discounts", "packers", "carts", "cart-1", "cart-2", "cart-3",
		"imports", "reader", "parser", "loader", "left", "right", "mailer", "customers",
	}
	names := js[[]string](p, `[...document.querySelectorAll('#tree tbody tr[data-id] a.name')].map((a) => a.innerText.trim())`)
	slices.Sort(want)
	slices.Sort(names)
	if !slices.Equal(names, want) {
		t.Errorf("the tree has %v, want %v", names, want)
	}
	if level := js[string](p, row("#tree", "/pricing/rates")+`.getAttribute('aria-level')`); level != "3" {
		t.Errorf("rates are on level %s, want 3", level)
	}

	packers := row("#tree", "shop/packers")
	p.wait(`%s.querySelector('td[data-column=rate]').innerText.trim() > '0'`, packers)
	rate := js[string](p, packers+`.querySelector('td[data-column=rate]').innerText`)
	p.wait(`%s.querySelector('td[data-column=rate]').innerText !== %s`, packers, quote(rate))
	for _, spark := range []string{"rate", "length"} { // lines that go up and down, and move
		line := packers + `.querySelector('.spark.` + spark + ` path').getAttribute('d')`
		p.wait(`%s.split('L').length > 2`, line)
		p.wait(`%s !== %s`, line, quote(js[string](p, line)))
	}
	p.wait(`document.querySelector('footer').innerText.includes('exposes names of actors, types of messages, and texts and stacks of panics')`)
	// They wait for room; if one of them waits for an answer just then, that is said.
	p.wait(`%s.dataset.state.startsWith('waiting for ')`, row("#tree", "customers"))
	p.wait(`Number(document.querySelector('#totals [data-total=actors] .value').innerText) === 18`)

	// The detail view shows more of one of them, as a link leads to it.
	p.follow(packers, "a.name")
	p.wait(`document.querySelector('#detail h2').innerText === 'packers'`)
	p.wait(`/^4 busy of 4|^3 busy of 4/.test(document.querySelector('#detail [data-field=processes] dd').innerText)`)
	p.wait(`document.querySelectorAll('#detail .chart canvas').length === 2`)
	received := `Number(document.querySelector('#detail [data-part=messages] tr[data-row=total]').cells[2].innerText.replace(/\D/g, ''))`
	before := js[int](p, received)
	p.wait(`%s > %d`, received, before)
	p.wait(`document.querySelector('#detail [data-part=waiting]').innerText.includes('customers')`)
	p.wait(`/^\d+ now, 64 at its longest$/.test(document.querySelector('#detail [data-field=queue] dd').innerText)`)
	p.wait(`document.querySelector('#detail [data-field=restarts] dd').innerText === '0 in all, 0 within 5.0\u202fs; the supervisor allows 50 to all its children'`)
	p.follow(row("#tree", "customers"), "a.name")
	p.wait(`/process \d: for (room in packers|an answer of inventory), for /.test(document.querySelector('#detail').innerText)`)
}

// A crash shows up with its panic and its stack, in the log and in the numbers, and
// stays after the restart.
func TestCrashShowsUpWithItsStack(t *testing.T) {
	s := scene(t, observer.Options{}, 0)
	p := open(t, serve(t, s.Observer), "")
	p.live()
	if err := s.Crash("the relay is down"); err != nil {
		t.Fatal(err)
	}
	p.wait(`%s.querySelector('td[data-column=restarts]').innerText.trim() === '1'`, row("#tree", "shop/mailer"))
	p.wait(`document.querySelector('#totals [data-total=panics] .value').innerText === '1'`)

	p.follow(row("#tree", "shop/mailer"), "a.name")
	p.wait(`document.querySelector('#detail [data-part=panic] .value').innerText === 'the relay is down'`)
	p.wait(`document.querySelector('#detail [data-part=panic] .stack').innerText.includes('browser.sendMail')`)
	p.wait(`document.querySelector('#detail [data-part=exit]').innerText.includes('the relay is down')`)

	p.click(`nav a[data-view=events]`)
	panicked := `#events li[data-kind=panicked]`
	p.wait(`document.querySelector(%s)?.innerText.includes('shop/mailer')`, quote(panicked))
	p.click(panicked + ` summary`)
	p.wait(`document.querySelector(%s).innerText.includes('browser.sendMail')`, quote(panicked+` pre`))
	p.wait(`document.querySelector('#events li[data-kind=restarting]')?.innerText.includes('attempt 1')`)

	// By kind.
	p.choose("#kinds", "panicked")
	p.wait(`[...document.querySelectorAll('#events li')].every((li) => li.dataset.kind === 'panicked')`)
}

// Events that came too fast for the page are not missing without a word.
func TestMissedEventsAreSaid(t *testing.T) {
	long(t)
	s := scene(t, observer.Options{Events: 1}, 0) // a crash is several
	p := open(t, serve(t, s.Observer), "#/events")
	p.live()
	p.wait(`document.querySelectorAll('#events li').length === 1`)
	if js[bool](p, `document.querySelector('#count').innerText.includes('too fast')`) {
		t.Error("events are missed before there is one")
	}
	if err := s.Crash("the relay is down"); err != nil {
		t.Fatal(err)
	}
	p.wait(`/^\d+ events; [1-9]\d* between them came too fast/.test(document.querySelector('#count').innerText)`)
}

// Texts of the program are texts in the page, whatever is in them.
func TestNothingInATextIsMarkup(t *testing.T) {
	long(t)
	const evil = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`
	s := scene(t, observer.Options{}, 0)
	p := open(t, serve(t, s.Observer), "#/events")
	p.live()
	if err := s.Crash(evil); err != nil {
		t.Fatal(err)
	}
	p.wait(`document.querySelector('#events li[data-kind=panicked]')?.innerText.includes(%s)`, quote(evil))
	p.do(chromedp.Navigate(js[string](p, "location.href.split('#')[0]") + fmt.Sprintf("#/actor/%d", id(p, s.Observer, "shop/mailer"))))
	p.wait(`document.querySelector('#detail [data-part=panic] .value')?.innerText.includes(%s)`, quote(evil))
	p.wait(`document.querySelectorAll('img, body script').length === 0 && document.title !== 'owned'`)
}

// sorted reports whether numbers stand in that order.
func sorted(texts []string, up bool) bool {
	numbers := make([]float64, len(texts))
	for i, text := range texts {
		numbers[i], _ = strconv.ParseFloat(strings.ReplaceAll(strings.Fields(text + " 0")[0], ",", ""), 64)
	}
	if up {
		return slices.IsSorted(numbers)
	}
	return slices.IsSortedFunc(numbers, func(a, b float64) int { return int(b - a) })
}

// The table is sorted by a click on a heading, and the other way round by another.
func TestSorting(t *testing.T) {
	long(t)
	s := scene(t, observer.Options{}, 30)
	p := open(t, serve(t, s.Observer), "#/table")
	p.live()
	heading := func(column string) string { return `#actors th[data-column=` + column + `]` }

	p.click(heading("name") + ` button`)
	p.wait(`document.querySelector(%s).getAttribute('aria-sort') === 'ascending'`, quote(heading("name")))
	if names := p.rows("#actors", "name"); !slices.IsSorted(names) || len(names) != 45 {
		t.Errorf("sorted by name: %v", names)
	}
	p.click(heading("name") + ` button`)
	p.wait(`document.querySelector(%s).getAttribute('aria-sort') === 'descending'`, quote(heading("name")))
	names := p.rows("#actors", "name")
	if slices.Reverse(names); !slices.IsSorted(names) {
		t.Errorf("sorted by name, backwards: %v", names)
	}

	p.click(heading("high") + ` button`)
	p.wait(`document.querySelector(%s).getAttribute('aria-sort') === 'descending' && !document.querySelector(%s).hasAttribute('aria-sort')`,
		quote(heading("high")), quote(heading("name")))
	if high := p.rows("#actors", "high"); !sorted(high, false) || high[0] == "0" {
		t.Errorf("sorted by the longest queue: %v", high)
	}

	// The top of it.
	p.choose("#top", "25")
	p.wait(`document.querySelectorAll('#actors tbody tr[data-id]').length === 25`)
	p.wait(`/25 of 45/.test(document.querySelector('#count').innerText)`)
}

// Branches of the tree fold and unfold, one by one and all at once.
func TestFolding(t *testing.T) {
	long(t)
	s := scene(t, observer.Options{}, 2)
	p := open(t, serve(t, s.Observer), "")
	p.live()
	imports := row("#tree", "shop/imports")
	p.wait(`%s.getAttribute('aria-expanded') === 'true' && %s`, imports, row("#tree", "/imports/reader"))
	p.follow(imports, ".twisty")
	p.wait(`%s.getAttribute('aria-expanded') === 'false' && !%s && %s`, imports, row("#tree", "/imports/reader"), row("#tree", "/pricing/rates"))
	p.wait(`%s.innerText.includes('5 below')`, imports)
	p.follow(imports, ".twisty")
	p.wait(`%s`, row("#tree", "/imports/reader"))

	p.click(`#fold`)
	p.wait(`document.querySelectorAll('#tree tbody tr[data-id]').length === 2`) // the shop and its customers
	p.click(`#unfold`)
	p.wait(`document.querySelectorAll('#tree tbody tr[data-id]').length === 17`)
}

// The search shows who fits, by any of its words, in the tree with those above.
func TestSearch(t *testing.T) {
	long(t)
	s := scene(t, observer.Options{}, 20)
	p := open(t, serve(t, s.Observer), "")
	p.live()
	p.slash() // leads there
	p.typed("cart-1")
	p.wait(`document.querySelector('#search').value === 'cart-1'`)
	p.wait(`document.querySelectorAll('#tree tbody tr[data-id]').length === 13`) // 1, 10 to 19, carts and shop
	p.click(`nav a[data-view=table]`)
	p.wait(`document.querySelectorAll('#actors tbody tr[data-id]').length === 11`)
	p.wait(`document.querySelector('#search').value === 'cart-1'`)
	p.slash() // and selects what is there
	p.typed("waiting shop/left")
	p.wait(`!document.querySelector('#empty').hidden && document.querySelectorAll('#actors tbody tr[data-id]').length === 0`)
}

// An actor is called by its name, also if that has slashes in it or would turn it
// around, and can be read however deep in the tree it is. The number of an actor is found, but not in others.
func TestOddNames(t *testing.T) {
	long(t)
	s := scene(t, observer.Options{}, 0)
	ctx, end := context.WithCancel(s.Observer.Watch(t.Context()))
	defer end()
	var ids []actor.ID
	var below func(ctx context.Context, names []string)
	ready := make(chan struct{})
	below = func(ctx context.Context, names []string) {
		if len(names) == 0 {
			close(ready)
			return
		}
		actor.Spawn(ctx, actor.Config{Name: names[0]}, func(ctx context.Context, in *actor.Inbox[actor.None]) error {
			ids = append(ids, in.Address().ID()) // one after the other
			below(ctx, names[1:])
			<-in.Halting()
			return nil
		})
	}
	below(ctx, append([]string{"GET /users/42", "", "a/", "\u202eevil"}, slices.Repeat([]string{"deep"}, 30)...))
	<-ready

	p := open(t, serve(t, s.Observer), "")
	p.live()
	for i, want := range []string{"GET /users/42", fmt.Sprintf("#%d", ids[1]), "a/", `\u202eevil`} {
		own := fmt.Sprintf(`document.querySelector('%%s tr[data-id="%d"] .name .own').innerText`, ids[i])
		p.click(`nav a[data-view=tree]`)
		p.wait(own+` === %s`, "#tree", quote(want))
		p.click(`nav a[data-view=table]`)
		p.wait(own+` === %s`, "#actors", quote(want))
	}
	p.wait(`document.querySelector('#actors tr[data-id="%d"] a.name').textContent === 'GET /users/42/#%d/a/'`, ids[2], ids[1])
	p.click(`nav a[data-view=tree]`)
	p.follow(fmt.Sprintf(`document.querySelector('#tree tr[data-id="%d"]')`, ids[len(ids)-1]), "a.name") // less room
	p.wait(`document.querySelector('#detail h2').innerText === 'deep'`)
	if wide := js[float64](p, fmt.Sprintf(`document.querySelector('#tree tr[data-id="%d"] .own').getBoundingClientRect().width`, ids[len(ids)-1])); wide < 20 {
		t.Errorf("of the name of the deepest actor %.0f pixels can be seen", wide)
	}
	p.typed(kb.Escape)

	p.slash()
	p.typed("#1") // the supervisor is the first of the program or not, but #10 and the others are not
	p.click(`nav a[data-view=table]`)
	p.wait(`[...document.querySelectorAll('#actors tbody tr[data-id]')].every((tr) => /#1(?!\d)/.test(tr.querySelector('a.name').title + ' #' + tr.dataset.id))`)
}
