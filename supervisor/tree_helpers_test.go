package supervisor_test

import (
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// diary is what happened in a test, in order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) add(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, line)
}

// take returns what happened since the last call, in one line.
func (d *diary) take() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := strings.Join(d.lines, " ")
	d.lines = nil
	return s
}

// want fails the test if what happened since the last call is something else.
func (d *diary) want(t *testing.T, want string) {
	t.Helper()
	synctest.Wait()
	if got := d.take(); got != want {
		t.Errorf("happened:\n%s\nwant:\n%s", got, want)
	}
}

var errCrash = errors.New("crash")

// order tells a worker of these tests what to do.
type order struct {
	actor.Reply[int]
	do string // see obey
}

func crash(actor.Reply[int]) order { return order{do: "crash"} }

// obey is a body that writes "+name" and "-name" when it begins and ends, and
// does what its orders say.
func (d *diary) obey(name string) func(context.Context, *actor.Inbox[order]) error {
	return func(ctx context.Context, in *actor.Inbox[order]) error {
		d.add("+" + name)
		defer d.add("-" + name)
		return in.Serve(ctx, func(ctx context.Context, m order) error {
			switch m.do {
			case "crash":
				return errCrash
			case "crash late":
				time.Sleep(time.Millisecond)
				return errCrash
			case "panic":
				panic("told to")
			case "goexit":
				exitGoroutine()
			case "return":
				return actor.ErrHalted
			case "shutdown":
				return supervisor.ErrShutdown
			case "hang":
				<-ctx.Done()
			case "id":
				m.Answer(in.Index(), nil)
			default:
				d.add(name + ":" + m.do)
			}
			return nil
		})
	}
}

// worker is a worker that obeys. The next child starts when it has begun.
func (d *diary) worker(name string, change ...func(*supervisor.Worker[order])) *supervisor.Worker[order] {
	w := &supervisor.Worker[order]{Name: name, Run: d.obey(name), AwaitStart: time.Minute}
	for _, f := range change {
		f(w)
	}
	return w
}

// tell sends an order.
func tell(t *testing.T, w *supervisor.Worker[order], do string) {
	t.Helper()
	if err := w.Address().SendNow(order{do: do}); err != nil {
		t.Errorf("%s %s: %v", w.Name, do, err)
	}
}

// start starts a tree whose panics and stuck processes are not logged.
func start(t *testing.T, spec *supervisor.Spec) *supervisor.Supervisor {
	t.Helper()
	s, err := supervisor.Start(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// stop stops a tree and wants no error.
func stop(t *testing.T, s *supervisor.Supervisor) supervisor.Report {
	t.Helper()
	r, err := s.Stop(context.Background())
	if err != nil {
		t.Errorf("Stop: %v", err)
	}
	return r
}

// quiet drops what is logged until the test ends.
func quiet(t *testing.T) {
	before, output, flags := slog.Default(), log.Writer(), log.Flags()
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	t.Cleanup(func() {
		slog.SetDefault(before)
		log.SetOutput(output)
		log.SetFlags(flags)
	})
}

// watcher is an observer that keeps the events of some kinds.
type watcher struct {
	mu     sync.Mutex
	kinds  []actor.EventKind
	events []actor.Event
}

func (w *watcher) LogsPanics() bool { return true }

func (w *watcher) Observe(e actor.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.kinds) == 0 || slices.Contains(w.kinds, e.Kind) {
		w.events = append(w.events, e)
	}
}

// take returns the events since the last call.
func (w *watcher) take() []actor.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	events := w.events
	w.events = nil
	return events
}

// states returns what each child is doing.
func states(s *supervisor.Supervisor) string {
	var all []string
	for _, i := range s.Children() {
		all = append(all, i.Name+"="+i.State.String())
	}
	return strings.Join(all, " ")
}

// soon is a context that ends in an hour of fake time.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	t.Cleanup(cancel)
	return ctx
}
