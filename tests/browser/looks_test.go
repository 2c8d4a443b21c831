package browser_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"tinyactor/observer"
	"tinyactor/tests/browser"
)

// views are all that the page shows, by fragment.
func views(p *page, s *browser.Scene) []string {
	return []string{"#/tree", "#/table", "#/graph", "#/events", fmt.Sprintf("#/actor/%d", id(p, s.Observer, "shop/mailer"))}
}

// show leads to a view, and waits until it is there.
func (p *page) show(fragment string) {
	p.Helper()
	p.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`location.hash = '%s'`, fragment)))
	p.wait(`location.hash.startsWith('%s')`, fragment)
	if strings.HasPrefix(fragment, "#/actor") {
		p.wait(`document.querySelector('#detail h2')`)
	} else {
		p.wait(`!document.querySelector('section[data-view=%s]').hidden`, strings.TrimPrefix(fragment, "#/"))
	}
}

// eventful starts a program of which each view has something to show.
func eventful(t *testing.T) (*browser.Scene, *server) {
	t.Helper()
	s := scene(t, observer.Options{Actions: true}, 3)
	if err := s.Crash("the relay is down"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Knot())
	return s, serve(t, s.Observer)
}

// scheme is what the system says of light and dark.
func scheme(name string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (none chromedp.Void, err error) {
		_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
		})
		return none, err
	}
}

// pale lists texts that can hardly be read: WCAG 2 asks for a contrast of 4.5.
// What says nothing, as a zero, may be paler, and what cannot be used.
const pale = `(() => {
	const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
	const over = (colors) => { // what is seen when these are painted one above the other
		canvas.clearRect(0, 0, 1, 1);
		for (const color of colors) { canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); }
		return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
	};
	const luminance = (rgb) => {
		const [r, g, b] = rgb.map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const found = new Map();
	for (const e of document.querySelectorAll('body *')) {
		const own = [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim() !== '');
		if (!own || !e.checkVisibility({opacityProperty: true, visibilityProperty: true}) || e.closest('.nothing, :disabled, option, svg, .unseen, .skip')) continue;
		const grounds = [];
		for (let a = e; a; a = a.parentElement) grounds.unshift(getComputedStyle(a).backgroundColor);
		const ground = over(['white', ...grounds]);
		const [l, m] = [luminance(over(['rgb(' + ground + ')', getComputedStyle(e).color])), luminance(ground)].sort((a, b) => b - a);
		const contrast = (l + 0.05) / (m + 0.05);
		if (contrast < 4.5) found.set(e.tagName + '.' + e.className, contrast.toFixed(1) + ': ' + e.textContent.trim().slice(0, 40));
	}
	return [...found].map(([k, v]) => k + ' ' + v);
})()`

const brightness = `(() => {
	const canvas = new OffscreenCanvas(1, 1).getContext('2d');
	canvas.fillStyle = getComputedStyle(document.body).backgroundColor;
	canvas.fillRect(0, 0, 1, 1);
	return Math.max(...[...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3));
})()`

// The page is dark where the system is, unless one chooses otherwise, and can be
// read in both.
func TestDarkAndLight(t *testing.T) {
	long(t)
	s, server := eventful(t)
	p := open(t, server, "", scheme("dark"))
	p.live()
	p.wait(`document.querySelectorAll('#deadlocks p').length === 2`)
	for _, name := range []string{"dark", "light"} {
		p.do(scheme(name))
		if b := js[int](p, brightness); (b < 80) != (name == "dark") {
			t.Errorf("%s: the ground has a brightness of %d", name, b)
		}
		for _, view := range views(p, s) {
			p.show(view)
			if found := js[[]string](p, pale); len(found) > 0 {
				t.Errorf("%s, %s: these are pale:\n%s", name, view, strings.Join(found, "\n"))
			}
		}
	}
	// The system says light; whoever looks wants it dark, also the next time.
	for range 3 {
		if js[string](p, `document.documentElement.dataset.theme ?? ''`) == "dark" {
			break
		}
		p.click(`#theme`)
	}
	p.wait(`document.documentElement.dataset.theme === 'dark' && %s < 80`, brightness)
	p.do(chromedp.Reload())
	p.live()
	p.wait(`document.documentElement.dataset.theme === 'dark' && %s < 80`, brightness)
}

// On a phone, and on the narrowest screen that counts for WCAG 2, nothing has to be
// scrolled sideways but what is wide by itself and scrolls alone.
func TestPhone(t *testing.T) {
	long(t)
	s, server := eventful(t)
	for _, width := range []int{390, 320} {
		p := open(t, server, "", chromedp.EmulateViewport(int64(width), 800, chromedp.EmulateMobile, chromedp.EmulateScale(2)))
		p.live()
		p.wait(`document.querySelectorAll('#deadlocks p').length === 2`)
		for _, view := range views(p, s) {
			p.show(view)
			if wide := js[int](p, `document.documentElement.scrollWidth`); wide > width {
				t.Errorf("%s is %d pixels wide on a screen of %d; what sticks out: %v", view, wide, width, js[[]string](p, sticksOut))
			}
		}
		p.show("#/tree")
		p.wait(`%s.getBoundingClientRect().right <= innerWidth`, row("#tree", "shop/mailer")+`.querySelector('td[data-column=state]')`)
		if small := js[[]string](p, small); len(small) > 0 {
			t.Errorf("too small for a thumb: %v", small)
		}
	}
}

const (
	sticksOut = `[...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.drawing, pre, #totals'))
		.map((e) => e.tagName + '.' + e.className).slice(0, 8)`

	// What one taps must have 24 pixels each way: WCAG 2.2.
	small = `[...document.querySelectorAll('button, nav a, select, input')].filter((e) => e.checkVisibility()).map((e) => [e, e.getBoundingClientRect()])
		.filter(([, r]) => r.width < 24 || r.height < 24).map(([e, r]) => (e.id || e.innerText) + ' ' + r.width + 'x' + r.height)`
)

// Beside the detail view, names in the tree and in the table can still be read.
func TestDetailBesideTheTree(t *testing.T) {
	long(t)
	s, server := eventful(t)
	p := open(t, server, fmt.Sprintf("#/actor/%d", id(&page{T: t}, s.Observer, "shop/mailer")))
	p.live()
	p.wait(`document.querySelectorAll('#deadlocks p').length === 2`)
	for _, view := range []struct{ name, table string }{{"tree", "#tree"}, {"table", "#actors"}} {
		p.click(`nav a[data-view=` + view.name + `]`)
		p.follow(row(view.table, "shop/mailer"), "a.name")
		p.wait(`!document.querySelector('#detail').hidden && %s`, row(view.table, "shop/inventory"))
		if wide := js[float64](p, row(view.table, "shop/inventory")+`.querySelector('a.name').getBoundingClientRect().width`); wide < 60 {
			t.Errorf("in the %s there are %.0f pixels for inventory", view.name, wide)
		}
		if out := js[int](p, `document.querySelector('.list').scrollWidth - document.querySelector('.list').clientWidth`); out > 0 {
			t.Errorf("of the %s %d pixels stick out", view.name, out)
		}
		p.typed(kb.Escape)
	}
}

// Everything can be reached with the keyboard, in a sensible order, and seen.
func TestKeyboard(t *testing.T) {
	long(t)
	_, server := eventful(t)
	p := open(t, server, "")
	p.live()
	p.wait(`document.querySelectorAll('#tree tbody tr[data-id]').length > 10`)
	focused := func() string {
		return js[string](p, `document.activeElement.id || document.activeElement.dataset.view || document.activeElement.dataset.id || document.activeElement.className || document.activeElement.tagName`)
	}
	var order []string
	for range 40 {
		p.typed(kb.Tab)
		order = append(order, focused())
		if js[bool](p, `document.activeElement.closest('#tree tbody') !== null`) {
			break
		}
		if outline := js[string](p, `getComputedStyle(document.activeElement).outlineStyle`); outline == "none" {
			t.Errorf("%s has the focus, and nobody sees it", order[len(order)-1])
		}
	}
	for _, want := range []string{"skip", "pause", "theme", "tree", "table", "graph", "events", "search", "fold", "unfold"} {
		if !strings.Contains(" "+strings.Join(order, " ")+" ", " "+want+" ") {
			t.Errorf("the tab key does not lead to %s: %v", want, order)
		}
	}
	name := `document.activeElement.querySelector('a.name')?.title`
	p.wait(`%s`, name)
	p.typed(kb.Home)
	p.wait(`%s === 'shop'`, name)
	p.typed(kb.ArrowDown)
	p.wait(`%s === 'shop/inventory'`, name)
	p.typed(kb.ArrowDown)
	p.wait(`%s === 'shop/pricing'`, name)
	p.typed(kb.ArrowLeft) // folds it
	p.wait(`document.activeElement.getAttribute('aria-expanded') === 'false'`)
	p.typed(kb.ArrowRight)
	p.wait(`document.activeElement.getAttribute('aria-expanded') === 'true'`)
	p.typed(kb.ArrowRight) // goes to its first child
	p.wait(`%s === 'shop/pricing/rates'`, name)
	p.changes(received) // the focus stays when rows are drawn anew
	p.wait(`%s === 'shop/pricing/rates'`, name)
	p.typed(kb.ArrowLeft)
	p.wait(`%s === 'shop/pricing'`, name)
	p.typed(kb.Enter)
	p.wait(`document.querySelector('#detail h2')?.innerText === 'pricing' && document.activeElement.closest('#detail')`)
	p.typed(kb.Escape)
	p.wait(`document.querySelector('#detail').hidden`)
}

// A screen reader finds a name for everything that can be used.
func TestEverythingHasAName(t *testing.T) {
	long(t)
	s, server := eventful(t)
	p := open(t, server, "")
	p.live()
	for _, view := range views(p, s) {
		p.show(view)
		tree, err := chromedp.Call(p.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range tree.Nodes {
			if n.Ignored || n.Role == nil {
				continue
			}
			switch role := strings.Trim(string(n.Role.Value), `"`); role {
			case "button", "link", "searchbox", "textbox", "combobox", "table", "treegrid", "navigation", "complementary", "region":
				if n.Name == nil || strings.Trim(string(n.Name.Value), `"`) == "" {
					t.Errorf("%s: a %s without a name, node %d", view, role, n.BackendDOMNodeID)
				}
			}
		}
	}
}

// A tab in the background tells of a deadlock by its title.
func TestTitleInTheBackground(t *testing.T) {
	long(t)
	s := scene(t, observer.Options{}, 0)
	p := open(t, serve(t, s.Observer), "")
	p.live()
	p.wait(`document.title.endsWith('actors') && !document.title.startsWith('\u25b2')`)
	p.do(chromedp.Evaluate[chromedp.Void](`Object.defineProperty(document, 'hidden', {get: () => true})`))
	untie := s.Knot()
	p.wait(`document.title.startsWith('\u25b2')`)
	untie()
	p.wait(`!document.title.startsWith('\u25b2')`)
}

// A screen reader is told what somebody's choice has led to, and not each time that
// a number changes by itself.
func TestOnlyChoicesAreSaid(t *testing.T) {
	long(t)
	s := scene(t, observer.Options{}, 3)
	p := open(t, serve(t, s.Observer), "#/events")
	p.live()
	p.wait(`document.querySelector('#count').innerText.includes('events')`)
	count := js[string](p, `document.querySelector('#count').innerText`)
	if err := s.Crash("the relay is down"); err != nil {
		t.Fatal(err)
	}
	p.wait(`document.querySelector('#count').innerText !== %s`, quote(count))
	if js[bool](p, `document.querySelector('#count').closest('[role=status], [role=alert], [aria-live]') !== null || document.querySelector('#said').textContent !== ''`) {
		t.Error("it is said that events have come")
	}
	p.slash()
	p.typed("mailer")
	p.wait(`/^\d+ events$/.test(document.querySelector('#said').textContent)`)
}

// Keys without a modifier do something, and can be switched off for good.
func TestKeysOff(t *testing.T) {
	long(t)
	_, server := eventful(t)
	p := open(t, server, "")
	p.live()
	p.typed("p")
	p.wait(`document.body.dataset.paused === 'true'`)
	p.typed("p")
	p.wait(`document.body.dataset.paused === 'false'`)
	p.wait(`(() => {
		const [box, key] = ['#keys', '.keys kbd'].map((of) => document.querySelector(of).getBoundingClientRect());
		return box.top < key.bottom && key.top < box.bottom; // in one line
	})()`)
	p.click("#keys")
	off := func() {
		p.Helper()
		p.wait(`!document.querySelector('#keys').checked && !document.querySelector('#search').hasAttribute('aria-keyshortcuts')`)
		p.do(chromedp.Evaluate[chromedp.Void](`document.activeElement.blur()`))
		p.typed("p")
		p.slash()
		if js[bool](p, `document.body.dataset.paused === 'true' || document.activeElement.id === 'search'`) {
			p.Error("the keys do something")
		}
	}
	off()
	p.do(chromedp.Reload())
	p.live()
	off()
	p.click("#keys")
	p.do(chromedp.Evaluate[chromedp.Void](`document.activeElement.blur()`))
	p.slash()
	p.wait(`document.activeElement.id === 'search'`)
}
