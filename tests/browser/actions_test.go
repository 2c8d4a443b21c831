package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/chromedp/chromedp"

	"tinyactor/observer"
)

// Without the option the page has no buttons, and the server refuses.
func TestActionsAreRefusedWithoutTheOption(t *testing.T) {
	long(t)
	s := scene(t, observer.Options{}, 0)
	server := serve(t, s.Observer)
	mailer := id(&page{T: t}, s.Observer, "shop/mailer")
	p := open(t, server, fmt.Sprintf("#/actor/%d", mailer))
	p.live()
	p.wait(`document.querySelector('#detail h2')?.innerText === 'mailer'`)
	if n := js[int](p, `document.querySelectorAll('[data-action]').length`); n != 0 {
		t.Errorf("there are %d buttons", n)
	}
	p.expected()
	for _, verb := range []string{"halt", "abort", "restart"} {
		status, err := chromedp.Run(p.ctx, chromedp.Evaluate[int](fmt.Sprintf(`fetch('actors/%d/%s', {method: 'POST'}).then((r) => r.status)`, mailer, verb), chromedp.EvalAwaitPromise))
		if err != nil || status != http.StatusForbidden {
			t.Errorf("%s: status %d, %v", verb, status, err)
		}
	}
	p.wait(`document.querySelector('#detail h2').innerText === 'mailer' && !document.querySelector('#detail').innerText.includes('has ended')`)
}

// With the option they work, after a question.
func TestActionsWork(t *testing.T) {
	long(t)
	s := scene(t, observer.Options{Actions: true}, 0)
	server := serve(t, s.Observer)
	customers, mailer := id(&page{T: t}, s.Observer, "customers"), id(&page{T: t}, s.Observer, "shop/mailer")
	p := open(t, server, fmt.Sprintf("#/actor/%d", mailer))
	p.live()

	p.click(`#detail [data-action=restart]`)
	p.wait(`document.querySelector('#confirm').open && document.querySelector('#question').innerText.includes('mailer')`)
	p.click(`#confirm [value=no]`)
	p.wait(`!document.querySelector('#confirm').open`)
	if n := server.answers(fmt.Sprintf("POST /actors/%d/restart 204", mailer)); n != 0 {
		t.Errorf("the answer was no, and %d restarts were asked for", n)
	}
	p.click(`#detail [data-action=restart]`)
	p.click(`#confirm [value=yes]`)
	p.wait(`document.querySelector('#detail .actions').innerText.includes('done')`)
	p.wait(`document.querySelector('#detail .latest li[data-kind=exited]')`)
	p.wait(`document.querySelector('#detail .latest li[data-kind=spawned]')`)

	p.do(chromedp.Navigate(server.URL + mount + fmt.Sprintf("/#/actor/%d", customers)))
	p.wait(`document.querySelector('#detail h2')?.innerText === 'customers'`)
	p.click(`#detail [data-action=abort]`)
	p.wait(`document.querySelector('#confirm').open`)
	p.click(`#confirm [value=yes]`)
	p.wait(`document.querySelector('#detail').innerText.includes('has ended')`)
	p.wait(`document.querySelector('#detail [data-action=abort]').disabled`)
	p.wait(`!%s`, row("#tree", "customers"))
}

// A page of somebody else that the browser shows cannot act on actors.
func TestActionsOfAnotherOriginAreRefused(t *testing.T) {
	long(t)
	s := scene(t, observer.Options{Actions: true}, 0)
	target := serve(t, s.Observer)
	mailer := id(&page{T: t}, s.Observer, "shop/mailer")
	other := &server{Server: httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<!doctype html><title>Somebody else</title><link rel="icon" href="data:,">`)
	}))}
	defer other.Close()
	p := open(t, other, "")
	u, err := url.Parse(target.URL)
	if err != nil {
		t.Fatal(err)
	}
	p.also = u.Host
	p.expected()
	p.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`fetch('%s%s/actors/%d/halt', {method: 'POST', mode: 'no-cors'}).then(() => 0, () => 0)`, target.URL, mount, mailer), chromedp.EvalAwaitPromise))
	if n := target.answers(fmt.Sprintf("POST /actors/%d/halt 403", mailer)); n != 1 {
		t.Errorf("%d requests were refused, of %q", n, target.asked)
	}
}
