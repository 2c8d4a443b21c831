package browser_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"tinyactor/observer"
	"tinyactor/tests/browser"
)

// The page is usable with 10,000 actors: it is there soon, sorts and searches within
// a second, and does not stand still.
func TestTenThousandActors(t *testing.T) {
	if testing.Short() { // not parallel to others: it takes times
		t.Skip("-short")
	}
	if chrome == nil {
		t.Skip("there is no browser")
	}
	const actors = 10_000
	crowd := browser.NewCrowd(observer.Options{Every: 500 * time.Millisecond}, actors)
	defer crowd.Close()
	p := open(t, serve(t, crowd.Observer), "#/table?sort=queue")
	p.wait(`document.querySelectorAll('#actors tbody tr[data-id]').length === 50`)
	t.Logf("the first rows are there after %.0f ms", js[float64](p, `performance.now()`))
	p.wait(`document.querySelector('#count').innerText.includes('of 10.1k')`) // the groups, too
	if queue := p.rows("#actors", "queue"); !sorted(queue, false) || queue[0] == "0" {
		t.Errorf("sorted by the queue: %v", queue)
	}

	// took is how long it takes until the screen shows what an action leads to.
	took := func(what, action, until string) {
		t.Helper()
		ms, err := chromedp.Run(p.ctx, chromedp.Evaluate[float64](`new Promise((resolve) => {
			const start = performance.now();
			`+action+`;
			const look = () => (`+until+`) ? requestAnimationFrame(() => resolve(performance.now() - start)) : requestAnimationFrame(look);
			look();
		})`, chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %.0f ms", what, ms)
		if ms > 1000 {
			t.Errorf("%s takes %.0f ms", what, ms)
		}
	}
	for _, column := range []string{"name", "high", "age", "name"} {
		took("sorting by "+column, `document.querySelector('#actors th[data-column=`+column+`] button').click()`,
			`document.querySelector('#actors th[data-column=`+column+`]').ariaSort`)
	}
	took("searching", `const search = document.querySelector('#search'); search.value = 'group-042/actor-4217'; search.dispatchEvent(new Event('input', {bubbles: true}))`,
		`document.querySelectorAll('#actors tbody tr[data-id]').length === 1`)
	took("no search", `const search = document.querySelector('#search'); search.value = ''; search.dispatchEvent(new Event('input', {bubbles: true}))`,
		`document.querySelectorAll('#actors tbody tr[data-id]').length === 50`)
	took("the tree", `location.hash = '#/tree'`, `document.querySelectorAll('#tree tbody tr[data-id]').length > 10`)
	took("unfolding all", `document.querySelector('#unfold').click()`, `document.querySelectorAll('#tree tbody tr[data-id]').length > 100`)

	stood, err := chromedp.Run(p.ctx, chromedp.Evaluate[float64](`new Promise((resolve) => {
		const start = performance.now();
		let last = start, longest = 0;
		const frame = (now) => {
			longest = Math.max(longest, now - last);
			last = now;
			now - start < 2000 ? requestAnimationFrame(frame) : resolve(longest);
		};
		requestAnimationFrame(frame);
	})`, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the longest that it stood still in two seconds: %.0f ms", stood)
	if stood > 1000 {
		t.Errorf("it stood still for %.0f ms", stood)
	}
}
