package otel

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric/noop"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"tinyactor/observer"
)

// fake is an observer whose snapshots the test makes up.
type fake struct {
	snap    observer.Snapshot
	ended   func(observer.Actor)
	stopped bool
}

func (f *fake) Snapshot() observer.Snapshot { return f.snap }

func (f *fake) Ended(told func(observer.Actor)) (stop func()) {
	f.ended = told
	return func() { f.stopped = true }
}

// look is the moment of the made up snapshots.
var look = time.Unix(1_000_000, 0)

// worker returns an actor in which every number is another one.
func worker(id uint64, name string) observer.Actor {
	hand := look.Add(-1500 * time.Millisecond)
	return observer.Actor{
		ID: id, Name: name,
		Accepted: 100, Received: 90, Undelivered: 3,
		Restarts:  observer.Restarts{Total: 5},
		Panics:    4,
		Processes: observer.Processes{Total: 11, Busy: 8, Stuck: 1},
		Queue:     observer.Queue{Length: 7, High: 17, Limit: 64},
		Waiting:   &observer.Waiting{Count: 2},
		HandSince: &hand,
		Handling:  observer.Latency{Count: 3, Sum: 20 * time.Second, P50: time.Second, P95: 2 * time.Second, P99: 3 * time.Second, Max: 4 * time.Second},
	}
}

// collect returns what a reader gets: a line for each point, "name unit kind {attributes} value".
func collect(t *testing.T, r sdk.Reader) []string {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := r.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, scope := range all.ScopeMetrics {
		if scope.Scope.Name != "tinyactor/telemetry/otel" || scope.Scope.SchemaURL != semconv.SchemaURL {
			t.Errorf("the scope is %+v", scope.Scope)
		}
		for _, m := range scope.Metrics {
			if m.Description == "" {
				t.Errorf("%s has no description", m.Name)
			}
			head := m.Name + " " + m.Unit
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				lines = appendPoints(lines, head+kind(d.IsMonotonic), d.DataPoints)
			case metricdata.Sum[float64]:
				lines = appendPoints(lines, head+kind(d.IsMonotonic), d.DataPoints)
			case metricdata.Gauge[int64]:
				lines = appendPoints(lines, head+" gauge", d.DataPoints)
			case metricdata.Gauge[float64]:
				lines = appendPoints(lines, head+" gauge", d.DataPoints)
			default:
				t.Errorf("%s is a %T", m.Name, d)
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func kind(monotonic bool) string {
	if monotonic {
		return " counter"
	}
	return " updown"
}

func appendPoints[N int64 | float64](lines []string, head string, points []metricdata.DataPoint[N]) []string {
	for _, p := range points {
		var attributes []string
		for _, a := range p.Attributes.ToSlice() {
			if a.Key == "messaging.system" && a.Value.AsString() == "tinyactor" {
				continue // as in all
			}
			attributes = append(attributes, fmt.Sprintf("%s=%s", a.Key, a.Value.AsString()))
		}
		lines = append(lines, fmt.Sprintf("%s {%s} %v", head, strings.Join(attributes, " "), p.Value))
	}
	return lines
}

func newReader(t *testing.T, f *fake, opts Options) (sdk.Reader, func() error) {
	t.Helper()
	r := sdk.NewManualReader()
	unregister, err := register(sdk.NewMeterProvider(sdk.WithReader(r)), f, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r, unregister
}

// TestInstruments is the whole list, as the documentation has it.
func TestInstruments(t *testing.T) {
	r, _ := newReader(t, &fake{snap: observer.Snapshot{
		Time:      look,
		Actors:    []observer.Actor{worker(1, "worker-1"), worker(2, "worker-2")},
		Deadlocks: make([]observer.Deadlock, 2),
	}}, Options{})
	const at = "messaging.destination.template=worker-*"
	want := []string{
		"messaging.client.consumed.messages {message} counter {" + at + " messaging.operation.name=receive} 180",
		"messaging.client.sent.messages {message} counter {" + at + " messaging.operation.name=send} 200",
		"tinyactor.actors {actor} updown {" + at + "} 2",
		"tinyactor.deadlocks {deadlock} updown {} 2",
		"tinyactor.handling.oldest s gauge {" + at + "} 1.5",
		"tinyactor.handling.quantile s gauge {" + at + " tinyactor.quantile=0.5} 1",
		"tinyactor.handling.quantile s gauge {" + at + " tinyactor.quantile=0.95} 2",
		"tinyactor.handling.quantile s gauge {" + at + " tinyactor.quantile=0.99} 3",
		"tinyactor.handling.quantile s gauge {" + at + " tinyactor.quantile=1} 4",
		"tinyactor.handling.time s counter {" + at + "} 40",
		"tinyactor.handling.timed {message} counter {" + at + "} 6",
		"tinyactor.messages.undelivered {message} counter {" + at + "} 6",
		"tinyactor.panics {panic} counter {" + at + "} 8",
		"tinyactor.processes {process} updown {" + at + " tinyactor.process.state=busy} 16",
		"tinyactor.processes {process} updown {" + at + " tinyactor.process.state=idle} 6",
		"tinyactor.processes {process} updown {" + at + " tinyactor.process.state=stuck} 2",
		"tinyactor.queue.capacity {message} updown {" + at + "} 128",
		"tinyactor.queue.highest {message} gauge {" + at + "} 17",
		"tinyactor.queue.length {message} updown {" + at + "} 14",
		"tinyactor.restarts {restart} counter {" + at + "} 10",
		"tinyactor.waiting_senders {sender} updown {" + at + "} 4",
	}
	if got := collect(t, r); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// only returns the lines of one instrument.
func only(t *testing.T, r sdk.Reader, name string) string {
	t.Helper()
	return strings.Join(slices.DeleteFunc(collect(t, r), func(line string) bool {
		return !strings.HasPrefix(line, name+" ")
	}), "\n")
}

func TestOptions(t *testing.T) {
	a, b := worker(1, "a"), worker(2, "b")
	a.Queue.Limit = 0
	r, _ := newReader(t, &fake{snap: observer.Snapshot{Actors: []observer.Actor{a, b}}},
		Options{Templates: 1, Template: func(a observer.Actor) string { return "<" + a.Name + ">" }})
	want := `tinyactor.actors {actor} updown {messaging.destination.template=<a>} 1
tinyactor.actors {actor} updown {messaging.destination.template=other} 1`
	if got := only(t, r, "tinyactor.actors"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	want = `tinyactor.queue.capacity {message} updown {messaging.destination.template=other} 64`
	if got := only(t, r, "tinyactor.queue.capacity"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestEndedActorsStayCounted(t *testing.T) {
	f := &fake{snap: observer.Snapshot{Actors: []observer.Actor{worker(1, "a")}}}
	r, _ := newReader(t, f, Options{})
	collect(t, r)
	f.snap.Actors = nil
	f.ended(worker(1, "a"))
	f.ended(worker(2, "a"))
	for name, want := range map[string]string{
		"tinyactor.handling.time":     "tinyactor.handling.time s counter {messaging.destination.template=a} 40",
		"tinyactor.handling.quantile": "",
		"tinyactor.actors":            "tinyactor.actors {actor} updown {messaging.destination.template=a} 0",
	} {
		if got := only(t, r, name); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestUnregister(t *testing.T) {
	f := &fake{snap: observer.Snapshot{Actors: []observer.Actor{worker(1, "a")}}}
	r, unregister := newReader(t, f, Options{})
	if err := unregister(); err != nil {
		t.Error(err)
	}
	if got := collect(t, r); len(got) != 0 || !f.stopped {
		t.Errorf("it goes on: %q, stopped is %v", got, f.stopped)
	}
}

// A meter provider has several readers as a rule, one that pushes and one that is
// scraped; they look at the same time.
func TestReadersAtTheSameTime(t *testing.T) {
	var snap observer.Snapshot
	for id := range uint64(100) {
		snap.Actors = append(snap.Actors, worker(id+1, fmt.Sprintf("%c%c", 'a'+id/10, 'a'+id%10)))
	}
	for range 10 { // each time anew: the first looks are those that remember something
		readers := []*sdk.ManualReader{sdk.NewManualReader(), sdk.NewManualReader()}
		if _, err := register(sdk.NewMeterProvider(sdk.WithReader(readers[0]), sdk.WithReader(readers[1])), &fake{snap: snap}, Options{}); err != nil {
			t.Fatal(err)
		}
		var looking sync.WaitGroup
		for _, r := range readers {
			looking.Go(func() {
				var all metricdata.ResourceMetrics
				if err := r.Collect(t.Context(), &all); err != nil {
					t.Error(err)
				}
			})
		}
		looking.Wait()
	}
}

// A reader of differences gets what has come since its last look, also of actors
// that have ended since, and a view has its say. What another reader does in
// between changes nothing.
func TestDifferencesAndViews(t *testing.T) {
	f := &fake{snap: observer.Snapshot{Actors: []observer.Actor{worker(1, "a"), worker(2, "b")}}}
	deltas := sdk.NewManualReader(sdk.WithTemporalitySelector(sdk.DeltaTemporalitySelector))
	totals := sdk.NewManualReader()
	provider := sdk.NewMeterProvider(sdk.WithReader(deltas), sdk.WithReader(totals), sdk.WithView(
		sdk.NewView(sdk.Instrument{Name: "tinyactor.restarts"}, sdk.Stream{Name: "restarts", AttributeFilter: attribute.NewDenyKeysFilter("messaging.destination.template")}),
		sdk.NewView(sdk.Instrument{Name: "tinyactor.queue.*"}, sdk.Stream{Aggregation: sdk.AggregationDrop{}}),
	))
	unregister, err := register(provider, f, Options{})
	if err != nil {
		t.Fatal(err)
	}
	expect := func(r sdk.Reader, name string, want ...string) {
		t.Helper()
		if got := only(t, r, name); got != strings.Join(want, "\n") {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	const received = "messaging.client.consumed.messages {message} counter {messaging.destination.template=%s messaging.operation.name=receive} %d"
	expect(deltas, "messaging.client.consumed.messages", fmt.Sprintf(received, "a", 90), fmt.Sprintf(received, "b", 90))
	expect(totals, "restarts", "restarts {restart} counter {} 10")
	expect(totals, "tinyactor.queue.length")

	last := worker(1, "a")
	last.Received += 5
	f.snap.Actors = f.snap.Actors[1:]
	f.ended(last)
	expect(deltas, "messaging.client.consumed.messages", fmt.Sprintf(received, "a", 5), fmt.Sprintf(received, "b", 0))
	expect(totals, "messaging.client.consumed.messages", fmt.Sprintf(received, "a", 95), fmt.Sprintf(received, "b", 90))

	// The provider may have been shut down before.
	if err := errors.Join(provider.Shutdown(t.Context()), unregister()); err != nil {
		t.Error(err)
	}
}

func TestNoOperation(t *testing.T) {
	unregister, err := Register(noop.NewMeterProvider(), &observer.Observer{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := unregister(); err != nil {
		t.Error(err)
	}
}
