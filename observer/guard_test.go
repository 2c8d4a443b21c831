package observer

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// status is what is answered to a request that comes to an address, for a host.
func status(to, host string, change func(*http.Request), header ...string) int {
	r := httptest.NewRequest(http.MethodGet, "http://"+host+"/snapshot.json", nil)
	if to != "" {
		var at net.Addr = &net.UnixAddr{Name: to, Net: "unix"}
		if tcp, err := net.ResolveTCPAddr("tcp", to); err == nil {
			at = tcp
		}
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, at))
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	newHandler(newFakeSource(1), Options{}).ServeHTTP(w, r)
	return w.Code
}

// A page that has its name stand for this machine gets nothing from an address
// that only this machine reaches. All others get on as they are.
func TestRebinding(t *testing.T) {
	for _, c := range []struct {
		to, host string
		header   []string
		status   int
	}{
		{"127.0.0.1:6060", "evil.example", nil, 403},
		{"127.0.0.1:6060", "evil.example:6060", nil, 403},
		{"127.0.0.9:6060", "evil.example", nil, 403},
		{"[::1]:6060", "evil.example", nil, 403},
		{"[::ffff:127.0.0.1]:6060", "evil.example", nil, 403},
		{"127.0.0.1:6060", "localhost.evil.example", nil, 403},
		{"127.0.0.1:6060", "evillocalhost", nil, 403},
		{"127.0.0.1:6060", "127.0.0.1.evil.example", nil, 403},
		{"127.0.0.1:6060", "evil.example", []string{"Origin", "http://evil.example"}, 403},
		// What a page can set makes no proxy of it.
		{"127.0.0.1:6060", "evil.example", []string{"X-Forwarded-For", "192.0.2.1", "X-Forwarded-Host", "a.example", "X-Forwarded-Proto", "https", "Forwarded", "for=192.0.2.1", "Authorization", "x", "Cookie", "x=1"}, 403},

		{"127.0.0.1:6060", "127.0.0.1:6060", nil, 200},
		{"127.0.0.1:6060", "192.0.2.1", nil, 200},
		{"[::1]:6060", "[::1]:6060", nil, 200},
		{"[::1]:6060", "[::1]", nil, 200},
		{"127.0.0.1:6060", "localhost:6060", nil, 200},
		{"127.0.0.1:6060", "LocalHost.", nil, 200},
		{"127.0.0.1:6060", "shop.localhost:6060", nil, 200},

		// Proxies on the same machine that pass on the name.
		{"127.0.0.1:8080", "shop.example", []string{"Via", "1.1 Caddy"}, 200},
		{"127.0.0.1:8080", "shop.example", []string{"Sec-Fetch-Site", "same-origin"}, 200},
		{"127.0.0.1:8080", "shop.example", []string{"Sec-Fetch-Site", "none"}, 200},

		// Addresses that others reach have other guards.
		{"192.0.2.1:8080", "shop.example", nil, 200},
		{"[2001:db8::1]:8080", "shop.example", nil, 200},
		{"/run/shop.sock", "shop.example", nil, 200},
		{"", "shop.example", nil, 200},
	} {
		if got := status(c.to, c.host, nil, c.header...); got != c.status {
			t.Errorf("%v: %d", c, got)
		}
	}
	withTLS := func(r *http.Request) { r.TLS = new(tls.ConnectionState) }
	if got := status("127.0.0.1:6060", "shop.example", withTLS); got != http.StatusOK {
		t.Errorf("by TLS: %d", got) // the browser has seen a certificate for that name
	}

	server := serve(t, newFakeSource(1), Options{Actions: true}) // a server tells where a request came to
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/actors/actors/1/halt", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "evil.example"
		response, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %s", method, response.Status)
		}
	}
}

// A page of another site can lead here, but have nothing of this in it.
func TestOtherSites(t *testing.T) {
	for _, c := range []struct {
		site, mode, dest string
		status           int
	}{
		{"cross-site", "no-cors", "image", 403},
		{"cross-site", "no-cors", "script", 403},
		{"cross-site", "cors", "empty", 403},
		{"cross-site", "navigate", "iframe", 403},
		{"cross-site", "navigate", "object", 403},
		{"cross-site", "", "", 403},
		{"cross-site", "navigate", "document", 200},
		{"cross-site", "navigate", "", 200}, // of a browser that does not say it
		{"same-site", "navigate", "document", 200},
		{"same-origin", "cors", "empty", 200},
		{"same-origin", "no-cors", "script", 200},
		{"none", "navigate", "document", 200},
		{"", "", "", 200}, // no browser
	} {
		if got := status("127.0.0.1:6060", "localhost:6060", nil, "Sec-Fetch-Site", c.site, "Sec-Fetch-Mode", c.mode, "Sec-Fetch-Dest", c.dest); got != c.status {
			t.Errorf("%v: %d", c, got)
		}
	}
}
