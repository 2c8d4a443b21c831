package otel

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/messagingconv"

	"tinyactor/internal/tally"
	"tinyactor/observer"
)

// scope is the name of what makes the metrics and spans.
const scope = "tinyactor/telemetry/otel"

// Options are what Register is called with. The zero value is right for most.
type Options struct {
	// Template returns the messaging.destination.template of an actor, which it keeps
	// for its life. It is called by several goroutines at the same time, must not use
	// the observer, and should return few different ones; if it panics, the template
	// is "other". nil is the actor's name, in which digits and ids are replaced by a
	// star; "#*" for an actor without a name.
	Template func(observer.Actor) string

	// Templates is how many there are at most; 0 is DefaultTemplates. They are
	// given in the order in which actors are seen, those of one look in the order in
	// which they were spawned. Actors for whose template there is no room are
	// summed up as "other".
	Templates int
}

// DefaultTemplates is what Options.Templates is if it is 0.
const DefaultTemplates = tally.DefaultLabels

// Register makes the instruments that the package documentation lists, with a
// meter of mp, and reads them from what o sees: it counts from now on, for actors
// that live now from their beginning. It goes on until unregister is called. The errors
// are those of the meter. It panics if mp or o is nil.
func Register(mp metric.MeterProvider, o *observer.Observer, opts Options) (unregister func() error, err error) {
	switch {
	case mp == nil:
		panic("otel: Register: the meter provider is nil")
	case o == nil:
		panic("otel: Register: the observer is nil")
	}
	return register(mp, o, opts)
}

func register(mp metric.MeterProvider, source tally.Source, opts Options) (func() error, error) {
	m := maker{meter: mp.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL))}
	all := m.instruments()
	if m.err != nil {
		return nil, fmt.Errorf("otel: Register: %w", m.err)
	}
	t := tally.New(source, opts.Template, opts.Templates)
	attributes := attributeCache{sets: make(map[string]*attributeSets)}
	registration, err := m.meter.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		r := t.Read()
		for i := range r.Sums {
			s := &r.Sums[i]
			sets := attributes.of(s.Label)
			for _, observe := range all.observe {
				observe(to, s, sets)
			}
		}
		to.ObserveInt64(all.deadlocks, int64(r.Deadlocks), metric.WithAttributeSet(ofSystem))
		return nil
	}, m.made...)
	if err != nil {
		t.Stop()
		return nil, fmt.Errorf("otel: Register: %w", err)
	}
	return func() error {
		t.Stop()
		return registration.Unregister()
	}, nil
}

var (
	system   = semconv.MessagingSystemKey.String("tinyactor")
	ofSystem = attribute.NewSet(system)
)

// The values of tinyactor.process.state and tinyactor.quantile.
var (
	states    = [...]string{"idle", "busy", "stuck"}
	quantiles = [...]string{"0.5", "0.95", "0.99", "1"}
)

// attributeSets are those of one template. To make a set costs more than to
// observe a value with it.
type attributeSets struct {
	plain, send, receive metric.MeasurementOption
	state                [len(states)]metric.MeasurementOption
	quantile             [len(quantiles)]metric.MeasurementOption
}

// attributeCache keeps the sets of each template. The readers of a meter provider
// ask at the same time.
type attributeCache struct {
	mu   sync.Mutex
	sets map[string]*attributeSets
}

func (c *attributeCache) of(template string) *attributeSets {
	c.mu.Lock()
	defer c.mu.Unlock()
	sets := c.sets[template]
	if sets == nil {
		sets = newAttributeSets(template)
		c.sets[template] = sets
	}
	return sets
}

func newAttributeSets(template string) *attributeSets {
	of := func(more ...attribute.KeyValue) metric.MeasurementOption {
		more = append(more, system, semconv.MessagingDestinationTemplate(template))
		return metric.WithAttributeSet(attribute.NewSet(more...))
	}
	sets := &attributeSets{
		plain:   of(),
		send:    of(semconv.MessagingOperationName("send")),
		receive: of(semconv.MessagingOperationName("receive")),
	}
	for i, state := range states {
		sets.state[i] = of(attribute.String("tinyactor.process.state", state))
	}
	for i, q := range quantiles {
		sets.quantile[i] = of(attribute.String("tinyactor.quantile", q))
	}
	return sets
}

// instruments are all of them, and how they are observed.
type instruments struct {
	observe   []func(metric.Observer, *tally.Sum, *attributeSets)
	deadlocks metric.Int64Observable
}

// maker makes instruments and keeps the errors.
type maker struct {
	meter metric.Meter
	made  []metric.Observable
	err   error
}

func made[I metric.Observable](m *maker, i I, err error) I {
	m.err = errors.Join(m.err, err)
	m.made = append(m.made, i)
	return i
}

func (m *maker) counter(name, unit, text string) metric.Int64Observable {
	i, err := m.meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(text))
	return made(m, i, err)
}

func (m *maker) upDown(name, unit, text string) metric.Int64Observable {
	i, err := m.meter.Int64ObservableUpDownCounter(name, metric.WithUnit(unit), metric.WithDescription(text))
	return made(m, i, err)
}

func (m *maker) instruments() instruments {
	sent, err := messagingconv.NewClientSentMessagesObservable(m.meter)
	made(m, sent.Inst(), err)
	consumed, err := messagingconv.NewClientConsumedMessagesObservable(m.meter)
	made(m, consumed.Inst(), err)
	highest, err := m.meter.Int64ObservableGauge("tinyactor.queue.highest", metric.WithUnit("{message}"),
		metric.WithDescription("The longest that the queue of one of the actors is known to have been."))
	made(m, highest, err)
	oldest, err := m.meter.Float64ObservableGauge("tinyactor.handling.oldest", metric.WithUnit("s"),
		metric.WithDescription("For how long the message that has been handled longest has been."))
	made(m, oldest, err)
	var (
		undelivered = m.counter("tinyactor.messages.undelivered", "{message}", "Messages that were accepted and received by nobody, because the actor ended.")
		restarts    = m.counter("tinyactor.restarts", "{restart}", "Restarts by supervisors.")
		panics      = m.counter("tinyactor.panics", "{panic}", "Panics of processes.")
		actors      = m.upDown("tinyactor.actors", "{actor}", "Actors that live.")
		processes   = m.upDown("tinyactor.processes", "{process}", "Processes by what they do: idle ones wait for a message; stuck ones have not ended after an abort.")
		length      = m.upDown("tinyactor.queue.length", "{message}", "Messages that are queued, in all actors together.")
		capacity    = m.upDown("tinyactor.queue.capacity", "{message}", "Messages that the bounded queues of all actors together have room for.")
		waiting     = m.upDown("tinyactor.waiting_senders", "{sender}", "Goroutines that wait in a Send or an Ask.")
	)
	all := instruments{deadlocks: m.upDown("tinyactor.deadlocks", "{deadlock}", "Cycles of actors that wait for each other.")}
	all.observe = append(all.observe, func(to metric.Observer, s *tally.Sum, a *attributeSets) {
		to.ObserveInt64(sent.Inst(), int64(s.Accepted), a.send)
		to.ObserveInt64(consumed.Inst(), int64(s.Received), a.receive)
		to.ObserveInt64(undelivered, int64(s.Undelivered), a.plain)
		to.ObserveInt64(restarts, int64(s.Restarts), a.plain)
		to.ObserveInt64(panics, int64(s.Panics), a.plain)
		to.ObserveInt64(actors, int64(s.Actors), a.plain)
		for i, n := range [len(states)]int{s.Idle, s.Busy, s.Stuck} {
			to.ObserveInt64(processes, int64(n), a.state[i])
		}
		to.ObserveInt64(length, int64(s.Length), a.plain)
		if s.Bounded && s.Actors > 0 {
			to.ObserveInt64(capacity, int64(s.Limit), a.plain)
		}
		to.ObserveInt64(highest, int64(s.High), a.plain)
		to.ObserveInt64(waiting, int64(s.Waiting), a.plain)
		to.ObserveFloat64(oldest, s.InHand.Seconds(), a.plain)
	},
		m.times("tinyactor.queueing.", "from a message's acceptance to its receipt", func(s *tally.Sum) *tally.Times { return &s.InQueue }),
		m.times("tinyactor.handling.", "from a message's receipt to the process's next receive", func(s *tally.Sum) *tally.Times { return &s.Handling }))
	return all
}

// times makes the instruments for a distribution.
func (m *maker) times(prefix, what string, of func(*tally.Sum) *tally.Times) func(metric.Observer, *tally.Sum, *attributeSets) {
	sum, err := m.meter.Float64ObservableCounter(prefix+"time", metric.WithUnit("s"),
		metric.WithDescription("The time "+what+", of all messages that were timed together."))
	made(m, sum, err)
	count := m.counter(prefix+"timed", "{message}", "Messages that were timed.")
	quantile, err := m.meter.Float64ObservableGauge(prefix+"quantile", metric.WithUnit("s"),
		metric.WithDescription("Quantiles of the time "+what+": the highest that one of the actors has over its life."))
	made(m, quantile, err)
	return func(to metric.Observer, s *tally.Sum, a *attributeSets) {
		t := of(s)
		if t.Count == 0 {
			return
		}
		to.ObserveFloat64(sum, t.Sum.Seconds(), a.plain)
		to.ObserveInt64(count, int64(t.Count), a.plain)
		if s.Actors == 0 {
			return
		}
		for i, q := range [len(quantiles)]float64{t.P50.Seconds(), t.P95.Seconds(), t.P99.Seconds(), t.Max.Seconds()} {
			to.ObserveFloat64(quantile, q, a.quantile[i])
		}
	}
}
