package prometheus_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"tinyactor/actor"
	"tinyactor/observer"
	actorprom "tinyactor/telemetry/prometheus"
)

func Example() {
	o := observer.New(observer.Options{})
	registry := prometheus.NewRegistry() // or the default one: prometheus.MustRegister
	registry.MustRegister(actorprom.New(o, actorprom.Options{}))

	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))

	ctx := o.Watch(context.Background()) // all actors below it are seen
	for i := range 2 {
		child, addr := actor.Spawn(ctx, actor.Config{Name: fmt.Sprintf("worker-%d", i)}, func(ctx context.Context, in *actor.Inbox[string]) error {
			return in.Serve(ctx, func(context.Context, string) error { return nil })
		})
		if err := addr.Send(ctx, "hello"); err != nil {
			log.Print(err)
		}
		defer child.Stop(ctx)
	}

	page := httptest.NewRecorder()
	mux.ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for line := range strings.Lines(page.Body.String()) {
		if strings.HasPrefix(line, "tinyactor_messages_accepted_total") {
			fmt.Print(line)
		}
	}
	// Output: tinyactor_messages_accepted_total{actor="worker-*"} 2
}
