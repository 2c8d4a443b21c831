package observer

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeSource is one whose actors a test sets.
type fakeSource struct {
	mu      sync.Mutex
	shown   Snapshot
	looks   int
	looking func()                      // called by each look, if set
	acted   []string                    // "verb id"
	acting  func(context.Context) error // called by act, if set
	errs    map[uint64]error            // of stack and act, by id
	dump    map[uint64]string           // of stack
	record  []byte                      // of trace
}

func newFakeSource(actors int) *fakeSource {
	f := &fakeSource{shown: Snapshot{Schema: Schema, Waits: []Wait{}, Deadlocks: []Deadlock{}, Events: []Event{}}}
	for i := range actors {
		f.shown.Actors = append(f.shown.Actors, fakeActor(uint64(i+1)))
	}
	return f
}

// fakeActor is as wide as a real one.
func fakeActor(id uint64) Actor {
	since := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	return Actor{
		ID: id, Name: fmt.Sprint("worker ", id), Path: fmt.Sprint("shop/orders/worker ", id), Parent: 1,
		Kind: KindWorker, Message: "shop.Order", State: StateIdle, Since: since,
		Processes: Processes{Total: 1},
		Queue:     Queue{Limit: 64, Capacity: "64 messages"},
		Exit:      &Exit{Time: since, Reason: "no connection"},
	}
}

// change calls do with what the next look will see, and time goes on by as much.
func (f *fakeSource) change(do func(*Snapshot)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do(&f.shown)
}

// happen is something that happens to somebody.
func (f *fakeSource) happen(random *rand.Rand) {
	f.change(func(s *Snapshot) {
		at := func() *Actor { return &s.Actors[random.IntN(len(s.Actors))] }
		switch what := random.IntN(5); {
		case what == 0 && len(s.Actors) > 1:
			i := random.IntN(len(s.Actors))
			s.Actors = slices.Delete(slices.Clone(s.Actors), i, i+1)
		case what == 1 || len(s.Actors) == 0:
			last := uint64(0)
			for _, a := range s.Actors {
				last = max(last, a.ID)
			}
			s.Actors = append(s.Actors, fakeActor(last+1+random.Uint64N(3)))
		case what == 2:
			at().Accepted++
		case what == 3:
			a := at()
			a.Panic = &Panic{Time: time.Now(), Value: "out of order", Stack: "goroutine 1"}
			s.Totals.Panics++
		default:
			seq := uint64(1)
			if len(s.Events) > 0 {
				seq = s.Events[len(s.Events)-1].Seq + 1
			}
			s.Events = append(slices.Clone(s.Events), Event{Seq: seq, Kind: "panicked"})
			if len(s.Events) > 8 {
				s.Events = s.Events[1:]
			}
		}
	})
}

func (f *fakeSource) Snapshot() Snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looks++
	if f.looking != nil {
		f.looking()
	}
	s := f.shown
	s.Time = time.Now()
	s.Actors = slices.Clone(s.Actors)
	return s
}

func (f *fakeSource) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.looks
}

func (f *fakeSource) stack(id uint64) (string, error) { return f.dump[id], f.errs[id] }

func (f *fakeSource) trace() ([]byte, time.Time, bool) {
	return f.record, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), f.record != nil
}

func (f *fakeSource) act(ctx context.Context, id uint64, verb string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.acted = append(f.acted, fmt.Sprint(verb, " ", id))
	if f.acting != nil {
		return f.acting(ctx)
	}
	return f.errs[id]
}

// viewer does what the page does with the events of a stream.
type viewer struct {
	lines     *bufio.Reader
	shown     map[string]any  // the snapshot, without its actors
	actors    map[float64]any // by id
	events    []any           // all of them, each once
	snapshots int             // events of that kind
	deltas    int
}

func newViewer(stream io.Reader) *viewer { return &viewer{lines: bufio.NewReader(stream)} }

// newViewerOn lets v go on with an event that was not sent.
func newViewerOn(v *viewer, event []byte) *viewer {
	v.lines = bufio.NewReader(bytes.NewReader(event))
	return v
}

// next takes the next event, or says why there is none.
func (v *viewer) next() error {
	kind := ""
	for {
		line, err := v.lines.ReadString('\n')
		if err != nil {
			return err
		}
		line = strings.TrimSuffix(line, "\n")
		switch field, value, _ := strings.Cut(line, ": "); field {
		case "event":
			kind = value
		case "data":
			if err := v.take(kind, []byte(value)); err != nil {
				return err
			}
		case "":
			if kind != "" {
				return nil
			}
		}
	}
}

// take takes the data of an event.
func (v *viewer) take(kind string, data []byte) error {
	var got map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		return fmt.Errorf("%w in %s", err, data)
	}
	for _, field := range []string{"actors", "waits", "deadlocks", "events"} {
		if _, ok := got[field].([]any); !ok {
			return fmt.Errorf("field %s of a %s is no list", field, kind)
		}
	}
	switch kind {
	case "snapshot":
		v.snapshots++
		v.actors = make(map[float64]any)
	case "delta":
		v.deltas++
		if v.actors == nil {
			return errors.New("a delta comes before a snapshot")
		}
		for _, id := range got["gone"].([]any) {
			if _, ok := v.actors[id.(float64)]; !ok {
				return fmt.Errorf("actor %v is gone, which was never there", id)
			}
			delete(v.actors, id.(float64))
		}
	default:
		return fmt.Errorf("event %q", kind)
	}
	for _, a := range got["actors"].([]any) {
		v.actors[a.(map[string]any)["id"].(float64)] = a
	}
	last := 0.0
	if len(v.events) > 0 {
		last = v.events[len(v.events)-1].(map[string]any)["seq"].(float64)
	}
	for _, e := range got["events"].([]any) {
		if seq := e.(map[string]any)["seq"].(float64); seq > last {
			v.events, last = append(v.events, e), seq
		} else if kind == "delta" {
			return fmt.Errorf("event %v comes after %v", seq, last)
		}
	}
	for _, field := range []string{"actors", "gone", "events"} {
		delete(got, field)
	}
	v.shown = got
	return nil
}

// differs says how what the viewer has differs from a snapshot.
func (v *viewer) differs(s Snapshot) string {
	var want map[string]any
	if err := json.Unmarshal(encode(s), &want); err != nil {
		return err.Error()
	}
	actors := make([]any, 0, len(v.actors))
	for _, a := range v.actors {
		actors = append(actors, a)
	}
	id := func(a any) float64 { return a.(map[string]any)["id"].(float64) }
	slices.SortFunc(actors, func(a, b any) int { return cmp.Compare(id(a), id(b)) })
	if !reflect.DeepEqual(want["actors"], any(actors)) {
		return fmt.Sprintf("actors:\n%v\nwant\n%v", actors, want["actors"])
	}
	events := want["events"].([]any)
	if n := len(events); n > len(v.events) || n > 0 && !reflect.DeepEqual(events, v.events[len(v.events)-n:]) {
		return fmt.Sprintf("events:\n%v\nwant at the end\n%v", v.events, events)
	}
	delete(want, "actors")
	delete(want, "events")
	if !reflect.DeepEqual(want, v.shown) {
		return fmt.Sprintf("%v\nwant\n%v", v.shown, want)
	}
	return ""
}

// pipes is a network in memory, for bubbles: it has no buffers, so a client that
// does not read is a slow one at once.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

// servePipes serves h until the test ends, and returns the server and a client.
func servePipes(t *testing.T, server *http.Server) *http.Client {
	t.Helper()
	l := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	served := make(chan error)
	go func() { served <- server.Serve(l) }()
	transport := &http.Transport{Protocols: server.Protocols, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		client, server := net.Pipe()
		select {
		case l.conns <- server:
			return client, nil
		case <-l.done:
			return nil, net.ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
		<-served
	})
	return &http.Client{Transport: transport}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

// fetch sends a GET, which must be answered by that status.
func fetch(t *testing.T, client *http.Client, url string, status int) *http.Response {
	t.Helper()
	return request(t, client, http.MethodGet, url, status)
}

func request(t *testing.T, client *http.Client, method, url string, status int, header ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	if response.StatusCode != status {
		t.Fatalf("%s %s: %s, want %d", method, url, response.Status, status)
	}
	return response
}

// body is the whole body.
func body(t *testing.T, r *http.Response) string {
	t.Helper()
	all, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}
