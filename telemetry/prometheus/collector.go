package prometheus

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tinyactor/internal/tally"
	"tinyactor/observer"
)

// Options are what a collector is made with. The zero value is right for most.
type Options struct {
	// Label returns the label of an actor, which it keeps for its life. It is
	// called by several goroutines at the same time, must not use the observer,
	// and should return few different ones; if it panics, the label is "other".
	// nil is the actor's name, in which digits and ids are replaced by a star;
	// "#*" for an actor without a name.
	Label func(observer.Actor) string

	// Labels is how many labels there are at most; 0 is DefaultLabels. They are
	// given in the order in which actors are seen, those of one scrape in the order
	// in which they were spawned. Actors for whose label there is no room
	// are summed up under the label "other".
	Labels int
}

// DefaultLabels is what Options.Labels is if it is 0.
const DefaultLabels = tally.DefaultLabels

// New returns a collector of what o sees. It counts from now on, for actors that
// live now from their beginning. o refers to it from then on. It panics if o is nil.
//
// It is safe for concurrent use, and may be registered with several registries. A
// label of the whole program, such as its name, is for prometheus.WrapRegistererWith.
func New(o *observer.Observer, opts Options) prometheus.Collector {
	if o == nil {
		panic("prometheus: New: the observer is nil")
	}
	return newCollector(o, opts)
}

func newCollector(source tally.Source, opts Options) *collector {
	return &collector{tally.New(source, opts.Label, opts.Labels)}
}

type collector struct{ tally *tally.Tally }

// family is a metric with the label actor, and where it is read from.
type family struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(*tally.Sum) float64
}

func newDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("tinyactor_"+name, help, labels, nil)
}

func counter(name, help string, read func(*tally.Sum) uint64) family {
	return family{newDesc(name, help, "actor"), prometheus.CounterValue, func(s *tally.Sum) float64 { return float64(read(s)) }}
}

func gauge(name, help string, read func(*tally.Sum) int) family {
	return family{newDesc(name, help, "actor"), prometheus.GaugeValue, func(s *tally.Sum) float64 { return float64(read(s)) }}
}

var families = []family{
	counter("messages_accepted_total", "Messages that were accepted: received, undelivered or still queued.",
		func(s *tally.Sum) uint64 { return s.Accepted }),
	counter("messages_received_total", "Messages that were received.",
		func(s *tally.Sum) uint64 { return s.Received }),
	counter("messages_undelivered_total", "Messages that were accepted and received by nobody, because the actor ended.",
		func(s *tally.Sum) uint64 { return s.Undelivered }),
	counter("restarts_total", "Restarts by supervisors.",
		func(s *tally.Sum) uint64 { return s.Restarts }),
	counter("panics_total", "Panics of processes.",
		func(s *tally.Sum) uint64 { return s.Panics }),
	gauge("actors", "Actors that live.",
		func(s *tally.Sum) int { return s.Actors }),
	gauge("queue_length", "Messages that are queued, in all actors together.",
		func(s *tally.Sum) int { return s.Length }),
	gauge("queue_length_highest", "The longest that the queue of one of the actors that live is known to have been.",
		func(s *tally.Sum) int { return s.High }),
	gauge("waiting_senders", "Goroutines that wait in a Send or an Ask.",
		func(s *tally.Sum) int { return s.Waiting }),
	{newDesc("handling_oldest_seconds", "For how long the message that has been handled longest has been.", "actor"), prometheus.GaugeValue,
		func(s *tally.Sum) float64 { return s.InHand.Seconds() }},
}

var (
	capacity  = newDesc("queue_capacity", "Messages that the bounded queues of all actors together have room for; absent where a queue is not bounded.", "actor")
	processes = newDesc("processes", "Processes by what they do: idle ones wait for a message; stuck ones have not ended after an abort.", "actor", "state")
	deadlocks = newDesc("deadlocks", "Cycles of actors that wait for each other.")
	inQueue   = newDesc("queueing_seconds", "From a message's acceptance to its receipt, of those messages that are timed.", "actor")
	handling  = newDesc("handling_seconds", "From a message's receipt to the process's next receive, of those messages that are timed.", "actor")
)

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, f := range families {
		ch <- f.desc
	}
	for _, d := range []*prometheus.Desc{capacity, processes, deadlocks, inQueue, handling} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	r := c.tally.Read()
	for i := range r.Sums {
		s := &r.Sums[i]
		for _, f := range families {
			ch <- prometheus.MustNewConstMetric(f.desc, f.kind, f.read(s), s.Label)
		}
		if s.Bounded && s.Actors > 0 {
			ch <- prometheus.MustNewConstMetric(capacity, prometheus.GaugeValue, float64(s.Limit), s.Label)
		}
		for _, p := range []struct {
			state string
			n     int
		}{{"idle", s.Idle}, {"busy", s.Busy}, {"stuck", s.Stuck}} {
			ch <- prometheus.MustNewConstMetric(processes, prometheus.GaugeValue, float64(p.n), s.Label, p.state)
		}
		if s.InQueue.Count > 0 {
			ch <- histogram(inQueue, &s.InQueue, s.Label)
		}
		if s.Handling.Count > 0 {
			ch <- histogram(handling, &s.Handling, s.Label)
		}
	}
	ch <- prometheus.MustNewConstMetric(deadlocks, prometheus.GaugeValue, float64(r.Deadlocks))
}

// histogram has the octaves as they are for buckets, so that nothing is lost: the
// bounds are powers of two of a nanosecond, from one microsecond to 17 seconds.
func histogram(desc *prometheus.Desc, t *tally.Times, label string) prometheus.Metric {
	buckets := make(map[float64]uint64, len(t.Octaves)-1)
	var below uint64
	for i, n := range t.Octaves[:len(t.Octaves)-1] {
		below += n
		buckets[(1024 * time.Nanosecond << i).Seconds()] = below
	}
	return prometheus.MustNewConstHistogram(desc, t.Count, t.Sum.Seconds(), buckets, label)
}
