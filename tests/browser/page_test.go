package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"tinyactor/observer"
	"tinyactor/tests/browser"
)

// patience is how long something may take that must come.
const patience = 30 * time.Second

// chrome is the browser of all tests; nil if there is none.
var chrome context.Context

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	path, err := browser.Find()
	if err == nil {
		var stop func()
		if chrome, stop, err = browser.Start(path); err == nil {
			defer stop()
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		if os.Getenv("CI") == "true" {
			return 1
		}
	}
	return m.Run()
}

// server serves the page of an observer as a program would, and counts what is
// asked for.
type server struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string // "GET /stream 200", in the order in which they were answered
}

// mount is where the page is.
const mount = "/debug/actors"

func serve(t *testing.T, o *observer.Observer, change ...func(*http.Server)) *server {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(mount+"/", http.StripPrefix(mount, o.Handler()))
	s := new(server)
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &answer{w, http.StatusOK}
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.asked = append(s.asked, fmt.Sprintf("%s %s %d", r.Method, strings.TrimPrefix(r.URL.Path, mount), seen.status))
		}()
		mux.ServeHTTP(seen, r)
	}))
	for _, f := range change {
		f(s.Config)
	}
	s.Start()
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

// answers counts the requests that were answered so.
func (s *server) answers(what string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.asked {
		if a == what {
			n++
		}
	}
	return n
}

// answer remembers a status.
type answer struct {
	http.ResponseWriter
	status int
}

func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// needsBrowser leaves a test out where there is none; with CI=true that is a failure
// of them all.
func needsBrowser(t *testing.T) {
	t.Helper()
	if chrome == nil {
		t.Skip("there is no browser")
	}
}

// scene starts a program that is gone when the test ends.
func scene(t *testing.T, options observer.Options, carts int) *browser.Scene {
	t.Helper()
	needsBrowser(t)
	if options.Every == 0 {
		options.Every = 200 * time.Millisecond
	}
	s, err := browser.NewScene(options, carts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// page is a tab that shows the page. When the test ends it fails if anything went
// wrong in it: an exception, an error on the console, something that the
// Content-Security-Policy has blocked, or a request to somewhere else.
type page struct {
	*testing.T
	ctx  context.Context
	host string
	also string // another host that requests may go to

	mu     sync.Mutex
	wrong  []string
	failed []string // requests that failed or were refused
	lossy  bool     // failed ones are expected
}

// open opens a page of a server in a tab of its own.
func open(t *testing.T, s *server, fragment string, before ...chromedp.Action[chromedp.Void]) *page {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(chrome)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	p := &page{T: t, ctx: ctx, host: u.Host}
	t.Cleanup(func() {
		closeTab()
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, w := range p.wrong {
			t.Error("in the browser: ", w)
		}
		if len(p.failed) > 0 && !p.lossy {
			t.Errorf("requests failed: %s", strings.Join(p.failed, "; "))
		}
	})
	if err := chromedp.Listen(ctx, p.heard); err != nil {
		t.Fatal(err)
	}
	p.do(before...)
	p.do(chromedp.Navigate(s.URL + mount + "/" + fragment))
	return p
}

// heard takes note of an event of the tab.
func (p *page) heard(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	note := func(format string, args ...any) { p.wrong = append(p.wrong, fmt.Sprintf(format, args...)) }
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		note("exception: %s", e.ExceptionDetails.Exception.Description)
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" || e.Type == "assert" {
			note("console.%s", e.Type)
			for _, arg := range e.Args {
				note("\t%s%s", arg.Value, arg.Description)
			}
		}
	case *log.EventEntryAdded:
		switch {
		case e.Entry.Source == "network":
			p.failed = append(p.failed, e.Entry.Text+" "+e.Entry.URL)
		case e.Entry.Level == "error" || e.Entry.Level == "warning":
			note("%s: %s", e.Entry.Source, e.Entry.Text)
		}
	case *network.EventRequestWillBeSent:
		if u, err := url.Parse(e.Request.URL); err != nil || u.Host != p.host && u.Host != p.also && u.Scheme != "data" {
			note("request to %s", e.Request.URL)
		}
	}
}

// do runs actions.
func (p *page) do(actions ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.Fatal(err)
	}
}

// js evaluates an expression.
func js[T any](p *page, expression string) T {
	p.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.Fatalf("%s: %v", expression, err)
	}
	return value
}

// wait waits until an expression is true, and has what it needs for that.
func (p *page) wait(expression string, args ...any) {
	p.Helper()
	expression = fmt.Sprintf(expression, args...)
	for deadline := time.Now().Add(patience); ; {
		if js[bool](p, "(() => { try { return Boolean("+expression+"); } catch { return false; } })()") {
			return
		}
		if time.Now().After(deadline) {
			p.Fatalf("it is not true in %v that %s; the page says\n%.2000s", patience, expression, js[string](p, "document.body.innerText"))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// live waits until the page shows what the server tells.
func (p *page) live() {
	p.Helper()
	p.state("live")
}

// click clicks on what a selector finds.
func (p *page) click(selector string) {
	p.Helper()
	p.wait(`document.querySelector(%s)`, quote(selector))
	p.do(chromedp.Click(chromedp.CSS(selector)))
}

// typed types into what has the focus.
func (p *page) typed(keys string) {
	p.Helper()
	p.do(chromedp.KeyEvent(keys))
}

// slash presses a key that the page may take for itself. KeyEvent would send the
// character even if the page does.
func (p *page) slash() {
	p.Helper()
	for _, press := range []input.DispatchKeyEventParams{
		{Type: "keyDown", Key: "/", Code: "Slash", Text: "/", WindowsVirtualKeyCode: 191},
		{Type: "keyUp", Key: "/", Code: "Slash", WindowsVirtualKeyCode: 191},
	} {
		if _, err := chromedp.Call(p.ctx, input.DispatchKeyEvent, press); err != nil {
			p.Fatal(err)
		}
	}
}

// follow clicks on a link in a row, wherever that is on the screen.
func (p *page) follow(row, selector string) {
	p.Helper()
	p.wait(`%s`, row)
	p.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`%s.querySelector('%s').dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))`, row, selector)))
}

// choose chooses an option.
func (p *page) choose(list, value string) {
	p.Helper()
	p.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`{
		const list = document.querySelector('%s');
		list.value = '%s';
		list.dispatchEvent(new Event('change', {bubbles: true}));
	}`, list, value)))
}

// state waits until the connection is in one of the states.
func (p *page) state(states ...string) {
	p.Helper()
	list, err := json.Marshal(states)
	if err != nil {
		p.Fatal(err)
	}
	p.wait(`%s.includes(document.querySelector('#status')?.dataset.state)`, list)
}

// changes waits until the text of what a selector finds is another.
func (p *page) changes(selector string) {
	p.Helper()
	text := fmt.Sprintf(`document.querySelector(%s).innerText`, quote(selector))
	p.wait(`%s !== %s`, text, quote(js[string](p, text)))
}

// received is the number in the header that changes all the time.
const received = `#totals [data-total=rate] .value`

// rows returns the texts of a column, from top to bottom.
func (p *page) rows(table, column string) []string {
	p.Helper()
	return js[[]string](p, fmt.Sprintf(`[...document.querySelectorAll('%s tbody tr[data-id] td[data-column=%s]')].map((td) => td.textContent.trim())`, table, column))
}

// expected says that requests may fail or be refused from here on.
func (p *page) expected() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lossy = true
}

// row is an expression for the row of an actor in the tree or the table.
func row(table, name string) string {
	return fmt.Sprintf(`[...document.querySelectorAll('%s tbody tr[data-id]')].find((tr) => tr.querySelector('a.name').title.endsWith(%s))`, table, quote(name))
}

// id returns the id of an actor by its path.
func id(p *page, o *observer.Observer, path string) uint64 {
	p.Helper()
	for _, a := range o.Snapshot().Actors {
		if a.Path == path {
			return a.ID
		}
	}
	p.Fatalf("there is no actor %s", path)
	return 0
}

// long marks a test that -short leaves out.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short")
	}
	t.Parallel()
}

func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(quoted)
}
