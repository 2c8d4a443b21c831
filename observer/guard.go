package observer

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// guard lets through what no web page of somebody else's can have made a browser
// ask for, as far as that can be told, and says what browsers may do with the answers.
func guard(next http.Handler) http.Handler {
	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.SetDenyHandler(http.HandlerFunc(refuseOrigin))
	next = sameOrigin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header())
		switch {
		case rebound(r):
			refuse(w, http.StatusForbidden, "This address is called localhost, or by its number; a proxy that passes on another name has to send Via.")
		case foreignPart(r):
			refuseOrigin(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func refuseOrigin(w http.ResponseWriter, _ *http.Request) {
	refuse(w, http.StatusForbidden, "This request comes from a page of another origin.")
}

// secure says what a browser may do with the answers: load from this server what
// the page is made of, and nothing else.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "+
		"img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
}

// rebound reports whether a request may be of a page whose own name its server has
// made to stand for this machine: DNS rebinding. To the browser the answer is then
// of that page's origin. No such page can set Via; nor has it been loaded by TLS, as
// this server has no certificate for the name, and browsers send Sec-Fetch-Site only
// by TLS and to localhost. X-Forwarded-For and the like prove nothing: a page can
// set them.
func rebound(r *http.Request) bool {
	return r.TLS == nil && toLoopback(r) && !ownName(r.Host) &&
		r.Header.Get("Via") == "" && r.Header.Get("Sec-Fetch-Site") == ""
}

// toLoopback reports whether a request has come to an address that only this
// machine reaches.
func toLoopback(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return false
	}
	at, err := netip.ParseAddrPort(local.String())
	return err == nil && at.Addr().Unmap().IsLoopback()
}

// ownName reports whether no name server is asked what host stands for.
func ownName(host string) bool {
	name := (&url.URL{Host: host}).Hostname()
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// foreignPart reports whether a page of another site asks for a part of itself, an
// image or a frame, and not a user who follows a link. It could not read the
// answer, but a stack costs the program something, and a stream a viewer's place.
func foreignPart(r *http.Request) bool {
	if r.Header.Get("Sec-Fetch-Site") != "cross-site" {
		return false
	}
	to := r.Header.Get("Sec-Fetch-Dest")
	return r.Header.Get("Sec-Fetch-Mode") != "navigate" || to != "document" && to != ""
}
