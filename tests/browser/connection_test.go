package browser_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
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
	var l net.Listener
	for deadline := time.Now().Add(patience); l == nil; { // some connection may have been given its port meanwhile
		var err error
		if l, err = net.Listen("tcp", at); err != nil && time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	after.Listener.Close()
	after.Listener = l
	after.Start()
	defer after.Close()
	defer after.CloseClientConnections()
	p.live()
	p.wait(`document.querySelectorAll('#tree tbody tr[data-id]').length === 16 && !%s`, row("#tree", "carts/cart-3"))
}

// The stream outlives the server's WriteTimeout. A server sets that deadline for
// each request; here it is for the streams alone, since other answers may take
// longer on a machine that has much else to do.
func TestOutlivesWriteTimeout(t *testing.T) {
	long(t)
	s := scene(t, observer.Options{}, 0)
	server := serve(t, s.Observer, func(s *http.Server) {
		next := s.Handler
		s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/stream") {
				if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
					t.Error(err)
				}
			}
			next.ServeHTTP(w, r)
		})
	})
	p := open(t, server, "")
	p.live()
	ended := server.answers("GET /stream 200")
	p.do(chromedp.Sleep(1500 * time.Millisecond)) // five times as long
	p.live()
	p.changes(received)
	if n := server.answers("GET /stream 200") - ended; n != 0 {
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

// Looks that are far apart are no silence: the page stays connected.
func TestLooksFarApart(t *testing.T) {
	long(t)
	s := scene(t, observer.Options{Every: time.Minute}, 0)
	server := serve(t, s.Observer)
	for try := 1; ; try++ {
		before := server.answers("GET /stream 200")
		p := open(t, server, "")
		p.expected()
		p.live()
		// The page takes ten seconds without a word for the end. Whether the machine
		// stood still meanwhile is asked where the words come from, and where they go.
		pauses := make(chan time.Duration, 1)
		const watched = 12 * time.Second
		go func() {
			var longest time.Duration
			for start, last := time.Now(), time.Now(); last.Sub(start) < watched; {
				time.Sleep(100 * time.Millisecond)
				now := time.Now()
				longest = max(longest, now.Sub(last))
				last = now
			}
			pauses <- longest
		}()
		stood, err := chromedp.Run(p.ctx, chromedp.Evaluate[float64](fmt.Sprintf(`new Promise((resolve) => {
			const start = performance.now();
			let last = start, longest = 0;
			const timer = setInterval(() => {
				const now = performance.now();
				longest = Math.max(longest, now - last);
				last = now;
				if (now - start > %d) { clearInterval(timer); resolve(longest); }
			}, 100);
		})`, watched.Milliseconds()), chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		longest := max(<-pauses, time.Duration(stood)*time.Millisecond)
		switch n := server.answers("GET /stream 200") - before; {
		case n == 0:
			p.state("live")
			return
		case longest < 2*time.Second:
			t.Fatalf("%d streams have ended, and the machine never stood still for longer than %v", n, longest)
		case try == 3:
			t.Fatalf("nothing can be told: the machine stands still all the time, the last time for %v", longest)
		}
		p.do(chromedp.Navigate("about:blank"))
	}
}

// foreign makes a stream that of another version: what it tells has other names.
type foreign struct{ http.ResponseWriter }

func (f foreign) Write(text []byte) (int, error) {
	changed := strings.NewReplacer(`"schema":1,`, `"schema":2,`, `"program":`, `"programme":`, `"totals":`, `"sums":`).Replace(string(text))
	_, err := f.ResponseWriter.Write([]byte(changed))
	return len(text), err
}

func (f foreign) Unwrap() http.ResponseWriter { return f.ResponseWriter }

// A page that was open while the program was replaced by one with a newer schema
// says what to do.
func TestAnotherSchema(t *testing.T) {
	long(t)
	s := scene(t, observer.Options{}, 0)
	p := open(t, serve(t, s.Observer, func(server *http.Server) {
		next := server.Handler
		server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/stream") {
				w = foreign{w}
			}
			next.ServeHTTP(w, r)
		})
	}), "")
	p.wait(`document.querySelector('#status').innerText.includes('reload the page')`)
}

// held is what a proxy does that holds an answer back, but for its header.
type held struct {
	http.ResponseWriter
	until <-chan struct{}
}

func (h held) Write(text []byte) (int, error) {
	<-h.until
	return h.ResponseWriter.Write(text)
}

func (h held) Unwrap() http.ResponseWriter { return h.ResponseWriter }

// Whoever looks through a proxy that holds the stream back is told what it may be.
func TestProxyThatHoldsBack(t *testing.T) {
	long(t)
	s := scene(t, observer.Options{}, 0)
	until := make(chan struct{})
	letGo := sync.OnceFunc(func() { close(until) })
	server := serve(t, s.Observer, func(server *http.Server) {
		next := server.Handler
		server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/stream") {
				w = held{w, until}
			}
			next.ServeHTTP(w, r)
		})
	})
	t.Cleanup(letGo) // before the server waits for the end of the stream
	p := open(t, server, "")
	p.expected()
	p.wait(`/^connecting: .*a proxy holds it back/.test(document.querySelector('#status').innerText)`)
	letGo()
	p.live()
	p.changes(received)
}
