package otel_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"tinyactor/actor"
	"tinyactor/observer"
	"tinyactor/telemetry/otel"
)

// sums returns the values of the sums of integers, by name and template.
func sums(t *testing.T, r metric.Reader) map[string]int64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := r.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	values := make(map[string]int64)
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if d, ok := m.Data.(metricdata.Sum[int64]); ok {
				for _, p := range d.DataPoints {
					template, _ := p.Attributes.Value("messaging.destination.template")
					values[m.Name+" "+template.AsString()] += p.Value
				}
			}
		}
	}
	return values
}

// Real actors, while they live and after their end.
func TestActors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := metric.NewManualReader()
		o := observer.New(observer.Options{})
		unregister, err := otel.Register(metric.NewMeterProvider(metric.WithReader(r)), o, otel.Options{})
		if err != nil {
			t.Fatal(err)
		}
		ctx := o.Watch(t.Context())
		var children []*actor.Child[int, actor.None]
		for i := range 3 {
			child, addr := actor.Spawn(ctx, actor.Config{Name: fmt.Sprintf("worker-%d", i)}, func(ctx context.Context, in *actor.Inbox[int]) error {
				return in.Serve(ctx, func(context.Context, int) error { return nil })
			})
			for n := range 10 {
				addr.Send(ctx, n)
			}
			children = append(children, child)
		}
		for living := int64(3); ; living-- {
			synctest.Wait()
			got := sums(t, r)
			for name, want := range map[string]int64{
				"messaging.client.sent.messages worker-*":     30,
				"messaging.client.consumed.messages worker-*": 30,
				"tinyactor.actors worker-*":                   living,
				"tinyactor.processes worker-*":                living,
			} {
				if got[name] != want {
					t.Errorf("with %d actors, %s is %d, want %d", living, name, got[name], want)
				}
			}
			if living == 0 {
				break
			}
			children[living-1].Stop(ctx)
		}
		if err := unregister(); err != nil {
			t.Error(err)
		}
	})
}
