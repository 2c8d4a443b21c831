package prometheus_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tinyactor/actor"
	"tinyactor/observer"
	"tinyactor/supervisor"
	actorprom "tinyactor/telemetry/prometheus"
)

// gather returns the values of the counters, gauges and counts of histograms, by
// name and labels.
func gather(t *testing.T, r prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			key := f.GetName()
			for _, l := range m.GetLabel() {
				key += " " + l.GetValue()
			}
			switch {
			case m.Counter != nil:
				values[key] = m.GetCounter().GetValue()
			case m.Gauge != nil:
				values[key] = m.GetGauge().GetValue()
			default:
				values[key] = float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return values
}

// observed returns a context that is watched, and what is exported of it.
func observed(t *testing.T) (context.Context, prometheus.Gatherer) {
	o := observer.New(observer.Options{})
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(actorprom.New(o, actorprom.Options{}))
	return o.Watch(t.Context()), r
}

// expectValues compares some of what is exported.
func expectValues(t *testing.T, r prometheus.Gatherer, want map[string]float64) {
	t.Helper()
	got := gather(t, r)
	for key, v := range want {
		if got["tinyactor_"+key] != v {
			t.Errorf("%s is %v, want %v", key, got["tinyactor_"+key], v)
		}
	}
}

func TestActors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, r := observed(t)
		var children []*actor.Child[int, actor.None]
		for i := range 3 {
			child, addr := actor.Spawn(ctx, actor.Config{Name: fmt.Sprintf("worker-%d", i), Capacity: actor.Bounded(8)}, receive)
			for n := range 10 {
				addr.Send(ctx, n)
			}
			children = append(children, child)
		}
		full, addr := actor.Spawn(ctx, actor.Config{Name: "full", Capacity: actor.Bounded(2), Undelivered: func(any) {}},
			func(ctx context.Context, in *actor.Inbox[int]) error {
				<-in.Halting()
				return nil
			})
		addr.Send(ctx, 1)
		addr.Send(ctx, 2)
		go addr.Send(ctx, 3)
		synctest.Wait()
		expectValues(t, r, map[string]float64{
			"actors worker-*":                  3,
			"messages_accepted_total worker-*": 30,
			"messages_received_total worker-*": 30,
			"processes worker-* idle":          3,
			"queue_capacity worker-*":          24,
			"queue_length full":                2,
			"queue_capacity full":              2,
			"processes full busy":              1,
			"waiting_senders full":             1,
			"deadlocks":                        0,
		})
		children[0].Stop(ctx)
		children[1].Stop(ctx)
		full.Stop(ctx)
		synctest.Wait()
		expectValues(t, r, map[string]float64{
			"actors worker-*":                  1,
			"messages_accepted_total worker-*": 30,
			"messages_received_total worker-*": 30,
			"messages_undelivered_total full":  2,
			"actors full":                      0,
			"queue_length full":                0,
		})
		children[2].Stop(ctx)
	})
}

// What supervisors and crashes do.
func TestRestarts(t *testing.T) {
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(slog.DiscardHandler)) // where panics are logged
	synctest.Test(t, func(t *testing.T) {
		ctx, r := observed(t)
		worker := &supervisor.Worker[int]{
			Name: "worker-1",
			Run: func(ctx context.Context, in *actor.Inbox[int]) error {
				return in.Serve(ctx, func(_ context.Context, n int) error {
					if n == 0 {
						panic("zero")
					}
					return fmt.Errorf("%d", n)
				})
			},
		}
		root, err := supervisor.Start(ctx, &supervisor.Spec{
			Name:     "root",
			Limit:    supervisor.Limit{Restarts: 10, Period: time.Minute},
			Children: []supervisor.Child{worker},
		})
		if err != nil {
			t.Fatal(err)
		}
		for n := range 3 {
			worker.Address().Send(ctx, n)
			time.Sleep(time.Minute)
		}
		synctest.Wait()
		want := map[string]float64{
			"restarts_total worker-*":          3,
			"panics_total worker-*":            1,
			"messages_received_total worker-*": 3,
			"actors worker-*":                  1,
			"actors root":                      1,
			"processes worker-* idle":          1,
		}
		expectValues(t, r, want)
		root.Stop(ctx)
		synctest.Wait()
		want["actors worker-*"], want["actors root"], want["processes worker-* idle"] = 0, 0, 0
		expectValues(t, r, want)
	})
}

// A handler that hangs, and a process that does not end.
func TestHanging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, r := observed(t)
		release := make(chan struct{})
		child, addr := actor.Spawn(ctx, actor.Config{Name: "worker-1"}, func(ctx context.Context, in *actor.Inbox[int]) error {
			return in.Serve(ctx, func(context.Context, int) error { <-release; return nil })
		})
		addr.Send(ctx, 1)
		time.Sleep(time.Minute)
		expectValues(t, r, map[string]float64{"handling_oldest_seconds worker-*": 60, "handling_seconds worker-*": 0})
		child.Abort()
		time.Sleep(time.Minute)
		synctest.Wait()
		expectValues(t, r, map[string]float64{"processes worker-* stuck": 1, "processes worker-* busy": 0})
		close(release)
		<-child.Done()
		synctest.Wait()
		expectValues(t, r, map[string]float64{"processes worker-* stuck": 0, "messages_received_total worker-*": 1})
	})
}

// Actors that come and go while others scrape: no series goes down, and in the
// end all that was received is counted.
func TestNoSeriesGoesDown(t *testing.T) {
	const spawners, each, messages = 4, 100, 5
	synctest.Test(t, func(t *testing.T) {
		ctx, r := observed(t)
		const key = "tinyactor_messages_received_total request-*"
		stop := make(chan struct{})
		var spawning, scraping sync.WaitGroup
		scraping.Go(func() {
			for before := 0.0; ; {
				now := gather(t, r)[key]
				if now < before {
					t.Errorf("%v after %v", now, before)
				}
				before = now
				select {
				case <-stop:
					return
				default:
				}
			}
		})
		for i := range spawners {
			spawning.Go(func() {
				for j := range each {
					child, addr := actor.Spawn(ctx, actor.Config{Name: fmt.Sprintf("request-%d", i*each+j)}, receive)
					for n := range messages {
						addr.Send(ctx, n)
					}
					child.Drain(ctx)
				}
			})
		}
		spawning.Wait()
		close(stop)
		scraping.Wait()
		synctest.Wait()
		if n := gather(t, r)[key]; n != spawners*each*messages {
			t.Errorf("%v messages are counted, want %d", n, spawners*each*messages)
		}
	})
}

// A collector may be in several registries; several observers are told apart by a
// label that each is registered with.
func TestSeveral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registries := []*prometheus.Registry{prometheus.NewPedanticRegistry(), prometheus.NewPedanticRegistry()}
		for _, tree := range []string{"left", "right"} {
			o := observer.New(observer.Options{})
			c := actorprom.New(o, actorprom.Options{})
			for _, r := range registries {
				if err := prometheus.WrapRegistererWith(prometheus.Labels{"tree": tree}, r).Register(c); err != nil {
					t.Fatal(err)
				}
			}
			child, addr := actor.Spawn(o.Watch(t.Context()), actor.Config{Name: "worker-1"}, receive)
			for n := range len(tree) {
				addr.Send(t.Context(), n)
			}
			defer child.Stop(t.Context())
		}
		synctest.Wait()
		for _, r := range registries {
			expectValues(t, r, map[string]float64{
				"messages_received_total worker-* left":  4,
				"messages_received_total worker-* right": 5,
				"deadlocks left":                         0,
				"deadlocks right":                        0,
			})
		}
	})
}
