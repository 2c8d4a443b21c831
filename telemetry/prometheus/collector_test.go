package prometheus

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"tinyactor/observer"
)

// expect compares one family with its lines, in which @ stands for its name.
func expect(t *testing.T, c prometheus.Collector, kind, name, lines string) {
	t.Helper()
	name = "tinyactor_" + name
	text := fmt.Sprintf("# HELP %s %s\n# TYPE %[1]s %[3]s\n%s\n", name, help(t, c, name), kind, strings.ReplaceAll(lines, "@", name))
	if err := testutil.CollectAndCompare(c, strings.NewReader(text), name); err != nil {
		t.Error(err)
	}
}

func help(t *testing.T, c prometheus.Collector, name string) string {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(c)
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetHelp()
		}
	}
	return ""
}

func TestFamilies(t *testing.T) {
	free := worker(3, "cache")
	free.Queue.Limit, free.Waiting, free.HandSince = 0, nil, nil
	free.Handling = observer.Latency{}
	c := newCollector(&fake{snap: observer.Snapshot{
		Time:      look,
		Actors:    []observer.Actor{worker(1, "worker-1"), worker(2, "worker-2"), free},
		Deadlocks: make([]observer.Deadlock, 2),
	}}, Options{})
	both := func(cache, workers float64) string {
		return fmt.Sprintf("@{actor=%q} %v\n@{actor=%q} %v", "cache", cache, "worker-*", workers)
	}
	expect(t, c, "counter", "messages_accepted_total", both(100, 200))
	expect(t, c, "counter", "messages_received_total", both(90, 180))
	expect(t, c, "counter", "messages_undelivered_total", both(3, 6))
	expect(t, c, "counter", "restarts_total", both(5, 10))
	expect(t, c, "counter", "panics_total", both(4, 8))
	expect(t, c, "gauge", "actors", both(1, 2))
	expect(t, c, "gauge", "queue_length", both(7, 14))
	expect(t, c, "gauge", "queue_length_highest", both(17, 17))
	expect(t, c, "gauge", "queue_capacity", `@{actor="worker-*"} 128`)
	expect(t, c, "gauge", "waiting_senders", both(0, 4))
	expect(t, c, "gauge", "handling_oldest_seconds", both(0, 1.5))
	expect(t, c, "gauge", "processes", `
@{actor="cache",state="busy"} 8
@{actor="cache",state="idle"} 3
@{actor="cache",state="stuck"} 1
@{actor="worker-*",state="busy"} 16
@{actor="worker-*",state="idle"} 6
@{actor="worker-*",state="stuck"} 2`)
	expect(t, c, "gauge", "deadlocks", `@ 2`)

	var h strings.Builder
	for i := range 25 {
		n := 2
		if i >= 10 {
			n = 4
		}
		fmt.Fprintf(&h, "@_bucket{actor=\"worker-*\",le=\"%v\"} %d\n", float64(int64(1024)<<i)/1e9, n)
	}
	h.WriteString("@_bucket{actor=\"worker-*\",le=\"+Inf\"} 6\n@_sum{actor=\"worker-*\"} 40\n@_count{actor=\"worker-*\"} 6")
	expect(t, c, "histogram", "handling_seconds", h.String())
}

// Names, units and help are as client_golang's linter wants them, and every
// family is described: a pedantic registry would complain.
func TestLint(t *testing.T) {
	a := worker(1, "worker-1")
	a.InQueue = a.Handling
	c := newCollector(&fake{snap: observer.Snapshot{Time: look, Actors: []observer.Actor{a}}}, Options{})
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(c)
	problems, err := testutil.GatherAndLint(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	described := make(chan *prometheus.Desc, 100)
	c.Describe(described)
	n, err := testutil.GatherAndCount(r)
	if err != nil {
		t.Fatal(err)
	}
	if want := len(described) + 2; n != want { // processes are three
		t.Errorf("%d series of one actor, want %d", n, want)
	}
}

func TestOptions(t *testing.T) {
	f := &fake{snap: observer.Snapshot{Actors: []observer.Actor{worker(1, "a"), worker(2, "b"), worker(3, "c"), worker(4, "d")}}}
	c := newCollector(f, Options{Labels: 2, Label: func(a observer.Actor) string { return "<" + a.Name + ">" }})
	expect(t, c, "gauge", "actors", `@{actor="<a>"} 1
@{actor="<b>"} 1
@{actor="other"} 2`)
}

func TestEndedActorsStayCounted(t *testing.T) {
	f := &fake{snap: observer.Snapshot{Time: look, Actors: []observer.Actor{worker(1, "a")}}}
	c := newCollector(f, Options{})
	expect(t, c, "counter", "messages_received_total", `@{actor="a"} 90`)
	f.snap.Actors = nil
	f.ended(worker(1, "a"))
	expect(t, c, "counter", "messages_received_total", `@{actor="a"} 90`)
	expect(t, c, "gauge", "queue_length", `@{actor="a"} 0`)
	expect(t, c, "gauge", "queue_capacity", "")
}

// Names may be anything: the text stays well-formed.
func TestOddNames(t *testing.T) {
	f := &fake{snap: observer.Snapshot{Actors: []observer.Actor{
		worker(1, "a\"b\\c\nd"), worker(2, "\xff"), worker(3, strings.Repeat("x", 1000)), worker(4, ""),
	}}}
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(newCollector(f, Options{}))
	if _, err := r.Gather(); err != nil {
		t.Error(err)
	}
}

func TestConcurrentScrapes(t *testing.T) {
	f := &fake{snap: observer.Snapshot{Time: look, Actors: []observer.Actor{worker(1, "worker-1")}}}
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(newCollector(f, Options{}))
	var wg sync.WaitGroup
	for id := range uint64(4) {
		wg.Go(func() {
			for range 50 {
				if _, err := r.Gather(); err != nil {
					t.Error(err)
				}
				f.ended(worker(100+id, "short"))
			}
		})
	}
	wg.Wait()
}

func TestNilObserver(t *testing.T) {
	defer func() {
		if v := recover(); v == nil {
			t.Error("no panic")
		}
	}()
	New(nil, Options{})
}
