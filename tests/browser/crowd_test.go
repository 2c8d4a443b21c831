package browser_test

import (
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"

	"tinyactor/observer"
	"tinyactor/tests/browser"
)

// worked is for how long a processor has worked for the page's script, its style,
// layout and painting: how long that takes on a machine that does nothing else.
func (p *page) worked() time.Duration {
	p.Helper()
	if _, err := chromedp.Call(p.ctx, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks}); err != nil {
		p.Fatal(err)
	}
	all, err := chromedp.Call(p.ctx, performance.GetMetrics, cdp.Empty{})
	if err != nil {
		p.Fatal(err)
	}
	for _, m := range all.Metrics {
		if m.Name == "TaskDuration" {
			return time.Duration(m.Value * float64(time.Second))
		}
	}
	p.Fatalf("the browser does not tell how long it has worked: %v", all.Metrics)
	return 0
}

// The page is usable with 10,000 actors: it sorts and searches within a second,
// and rests most of the time.
func TestTenThousandActors(t *testing.T) {
	long(t)
	needsBrowser(t)
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

	// takes measures what it takes until the screen shows what an action leads to.
	takes := func(what, action, until string) {
		t.Helper()
		before := p.worked()
		if err := chromedp.Do(p.ctx, chromedp.Evaluate[chromedp.Void](`new Promise((resolve) => {
			`+action+`;
			const look = () => (`+until+`) ? requestAnimationFrame(() => resolve()) : requestAnimationFrame(look);
			look();
		})`, chromedp.EvalAwaitPromise)); err != nil {
			t.Fatal(err)
		}
		took := p.worked() - before
		t.Logf("%s: %v", what, took)
		if took > time.Second {
			t.Errorf("%s takes %v", what, took)
		}
	}
	for _, column := range []string{"name", "high", "age", "name"} {
		takes("sorting by "+column, `document.querySelector('#actors th[data-column=`+column+`] button').click()`,
			`document.querySelector('#actors th[data-column=`+column+`]').ariaSort`)
	}
	takes("searching", `const search = document.querySelector('#search'); search.value = 'group-042/actor-4217'; search.dispatchEvent(new Event('input', {bubbles: true}))`,
		`document.querySelectorAll('#actors tbody tr[data-id]').length === 1`)
	takes("no search", `const search = document.querySelector('#search'); search.value = ''; search.dispatchEvent(new Event('input', {bubbles: true}))`,
		`document.querySelectorAll('#actors tbody tr[data-id]').length === 50`)
	takes("the tree", `location.hash = '#/tree'`, `document.querySelectorAll('#tree tbody tr[data-id]').length > 10`)
	takes("unfolding all", `document.querySelector('#unfold').click()`, `document.querySelectorAll('#tree tbody tr[data-id]').length > 100`)

	const looking = 2 * time.Second // and it shows what changes
	before := p.worked()
	p.do(chromedp.Sleep(looking))
	busy := p.worked() - before
	t.Logf("in %v it works for %v", looking, busy)
	if busy > looking*4/5 {
		t.Errorf("in %v it works for %v", looking, busy)
	}
}
