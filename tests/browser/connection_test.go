package browser_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"tinyactor/observer"
)

// When the server drops the stream, the page says so, comes back by itself, and
// goes on.
func TestReconnects(t *testing.T) {
	s := scene(t, observer.Options{}, 0)
	server := serve(t, s.Observer)
	p := open(t, server, "")
	p.live()
	p.expected()
	server.CloseClientConnections()
	p.state("reconnecting", "disconnected")
	p.live()
	p.changes(received)
}

// When the program is started anew, the page shows the new one and nothing of the
// old one.
func TestFollowsARestartOfTheProgram(t *testing.T) {
	long(t)
	before := serve(t, scene(t, observer.Options{}, 3).Observer)
	p := open(t, before, "")
	p.live()
	p.wait(`%s`, row("#tree", "carts/cart-3"))
	p.expected()
	at := before.Listener.Addr().String()
	before.CloseClientConnections()
	before.Close()
	p.state("reconnecting", "disconnected")
	p.wait(`document.querySelector('#status').innerText.trim() !== 'live'`)
	p.wait(`%s`, row("#tree", "carts/cart-3")) // what was known last stays to be read

	s := scene(t, observer.Options{}, 1)
	after := httptest.NewUnstartedServer(http.StripPrefix(mount, s.Observer.Handler()))
	l, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	after.Listener.Close()
	after.Listener = l
	after.Start()
	defer after.Close()
	defer after.CloseClientConnections()
	p.live()
	p.wait(`document.querySelectorAll('#tree tbody tr[data-id]').length === 16 && !%s`, row("#tree", "carts/cart-3"))
}

// The stream outlives the server's WriteTimeout and ReadTimeout.
func TestOutlivesWriteTimeout(t *testing.T) {
	long(t)
	s := scene(t, observer.Options{}, 0)
	server := serve(t, s.Observer, func(s *http.Server) {
		s.WriteTimeout = 300 * time.Millisecond
		s.ReadTimeout = 300 * time.Millisecond
	})
	p := open(t, server, "")
	p.live()
	p.do(chromedp.Sleep(1500 * time.Millisecond)) // the time that the timeouts have
	p.live()
	p.changes(received)
	if n := server.answers("GET /stream 200"); n != 0 {
		t.Errorf("%d streams have ended", n)
	}
}

// Who looks does not hold up the end of the server, and is told.
func TestShutdownEndsTheStream(t *testing.T) {
	long(t)
	s := scene(t, observer.Options{}, 0)
	server := serve(t, s.Observer)
	p := open(t, server, "")
	p.live()
	p.expected()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := server.Config.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	p.state("reconnecting", "disconnected")
}

// One viewer too many is told so, and comes in when another has left.
func TestTooManyViewers(t *testing.T) {
	long(t)
	s := scene(t, observer.Options{Viewers: 1}, 0)
	server := serve(t, s.Observer)
	first := open(t, server, "")
	first.live()
	second := open(t, server, "")
	second.expected()
	second.state("disconnected")
	second.wait(`document.body.innerText.includes('Too many')`)
	first.do(chromedp.Navigate("about:blank"))
	second.live()
	second.changes(received)
}

// A paused page stands still, and is up to date when it goes on.
func TestPause(t *testing.T) {
	long(t)
	s := scene(t, observer.Options{}, 0)
	p := open(t, serve(t, s.Observer), "")
	p.live()
	p.changes(received)
	p.click(`#pause`)
	p.wait(`document.querySelector('#pause').ariaPressed === 'true'`)
	before := js[string](p, `document.querySelector('#main').innerText`)
	p.do(chromedp.Sleep(500 * time.Millisecond)) // two looks
	if after := js[string](p, `document.querySelector('#main').innerText`); after != before {
		t.Errorf("it was paused, and has changed from\n%s\nto\n%s", before, after)
	}
	p.click(`#pause`)
	p.changes(received)
}
