package main

import (
	"net/http"
	"strings"

	"tinyactor/observer"
)

// actorsPath is where the page is that shows the actors.
const actorsPath = "/debug/actors/"

// newObserver returns what watches the actors of a service.
func newObserver(set settings) *observer.Observer {
	return observer.New(observer.Options{Actions: set.actions})
}

// withActors answers requests below actorsPath with o's page, and others with
// the rest.
func withActors(o *observer.Observer, rest http.Handler) http.Handler {
	actors := http.StripPrefix(strings.TrimSuffix(actorsPath, "/"), o.Handler())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, actorsPath):
			actors.ServeHTTP(w, r)
		case r.URL.Path+"/" == actorsPath:
			http.Redirect(w, r, actorsPath, http.StatusMovedPermanently)
		default:
			rest.ServeHTTP(w, r)
		}
	})
}
