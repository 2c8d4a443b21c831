package supervisor_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// page is where a logger writes to.
type page struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

// lines returns what was written since the last call, in alphabetical order: what
// different actors tell has none. Numbers of actors, which differ from run to run,
// are blotted out.
func (p *page) lines() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := regexp.MustCompile(`#[0-9]+`).ReplaceAllString(p.text.String(), "#n")
	p.text.Reset()
	return slices.Sorted(strings.Lines(text))
}

// logger returns a logger that writes to p whatever is the same in every run.
func (p *page) logger(t *testing.T, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(p, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch a.Key {
		case slog.TimeKey:
			return slog.Attr{}
		case "id":
			if a.Value.Uint64() == 0 {
				t.Error("a line without an id")
			}
			return slog.Attr{}
		case "stack":
			if !strings.Contains(a.Value.String(), "_test.go") {
				t.Errorf("the stack is %s", a.Value)
			}
			return slog.String("stack", "…")
		}
		return a
	}}))
}

// scene is a tree and what happens in it, one thing after the other.
type scene struct {
	t     *testing.T
	d     diary
	ctx   context.Context
	root  *supervisor.Supervisor
	loose chan struct{} // lets what is stuck go on
	hung  *actor.Child[int, actor.None]
}

// act is one thing that happens, and what is logged of it.
type act struct {
	what string
	do   func(s *scene)
	want []string
}

var errFlush = errors.New("flush\nfailed")

// acts are at least one event of each kind. In front of each line is the level
// from which it is seen.
var acts = []act{
	{"a child starts and crashes", func(s *scene) {
		w := s.d.worker("w")
		w.Backoff = supervisor.Backoff{Min: time.Second, Jitter: -1}
		s.add(w)
		tell(s.t, w, "crash")
	}, []string{
		`DEBUG msg="process spawned" actor=w path=root/w process=0`,
		`DEBUG msg="child started" actor=w path=root/w`,
		`DEBUG msg="process ended" actor=w path=root/w process=0 reason=crash`,
		`WARN msg="child ended, restarting it" actor=w path=root/w process=0 attempt=1 delay=1s reason=crash`,
		`DEBUG msg="process spawned" actor=w path=root/w process=0`,
		`INFO msg="child restarted" actor=w path=root/w process=0 attempt=1`,
	}},
	{"a child panics", func(s *scene) {
		w := s.d.worker("p")
		s.add(w)
		tell(s.t, w, "panic")
	}, []string{
		`DEBUG msg="process spawned" actor=p path=root/p process=0`,
		`DEBUG msg="child started" actor=p path=root/p`,
		`ERROR msg="actor panicked" actor=p path=root/p process=0 reason="panic: told to" stack=…`,
		`DEBUG msg="process ended" actor=p path=root/p process=0 reason="panic: told to"`,
		`WARN msg="child ended, restarting it" actor=p path=root/p process=0 attempt=1 delay=0s reason="panic: told to"`,
		`DEBUG msg="process spawned" actor=p path=root/p process=0`,
		`INFO msg="child restarted" actor=p path=root/p process=0 attempt=1`,
	}},
	{"a child is replaced", func(s *scene) {
		w := s.d.worker("r")
		s.add(w)
		if err := w.Replace(s.ctx, s.d.obey("new")); err != nil {
			s.t.Error(err)
		}
	}, []string{
		`DEBUG msg="process spawned" actor=r path=root/r process=0`,
		`DEBUG msg="child started" actor=r path=root/r`,
		`DEBUG msg="actor halted" actor=r path=root/r process=0`,
		`DEBUG msg="process ended" actor=r path=root/r process=0`,
		`DEBUG msg="process spawned" actor=r path=root/r process=0`,
		`INFO msg="child replaced" actor=r path=root/r process=0`,
	}},
	{"a child that is not restarted fails", func(s *scene) {
		w := s.d.worker("t", restart(supervisor.Temporary))
		s.add(w)
		tell(s.t, w, "crash")
	}, []string{
		`DEBUG msg="process spawned" actor=t path=root/t process=0`,
		`DEBUG msg="child started" actor=t path=root/t`,
		`DEBUG msg="process ended" actor=t path=root/t process=0 reason=crash`,
		`WARN msg="child failed" actor=t path=root/t process=0 reason=crash`,
		`DEBUG msg="process spawned" actor=t path=root/t process=0`, // it hands back what is left
		`DEBUG msg="actor closed" actor=t path=root/t`,
		`DEBUG msg="process ended" actor=t path=root/t process=0`,
		`DEBUG msg="actor ended" actor=t path=root/t reason=crash`,
	}},
	{"a child that is not restarted panics", func(s *scene) {
		w := s.d.worker("t", restart(supervisor.Temporary))
		s.add(w)
		tell(s.t, w, "panic")
	}, []string{
		`DEBUG msg="process spawned" actor=t path=root/t process=0`,
		`DEBUG msg="child started" actor=t path=root/t`,
		`ERROR msg="actor panicked" actor=t path=root/t process=0 reason="panic: told to" stack=…`,
		`DEBUG msg="process ended" actor=t path=root/t process=0 reason="panic: told to"`,
		`DEBUG msg="child failed" actor=t path=root/t process=0 reason="panic: told to"`,
		`DEBUG msg="process spawned" actor=t path=root/t process=0`,
		`DEBUG msg="actor closed" actor=t path=root/t`,
		`DEBUG msg="process ended" actor=t path=root/t process=0`,
		`DEBUG msg="actor ended" actor=t path=root/t reason="panic: told to"`,
	}},
	{"a child fails while it is stopped", func(s *scene) {
		w := s.d.worker("f", func(w *supervisor.Worker[order]) {
			w.Run = func(ctx context.Context, in *actor.Inbox[order]) error {
				supervisor.Started(ctx)
				<-in.Halting()
				return errFlush
			}
		})
		s.add(w)
		if err := s.root.Terminate(s.ctx, "f"); err != nil {
			s.t.Error(err)
		}
	}, []string{
		`DEBUG msg="process spawned" actor=f path=root/f process=0`,
		`DEBUG msg="child started" actor=f path=root/f`,
		`DEBUG msg="actor halted" actor=f path=root/f`,
		`DEBUG msg="process ended" actor=f path=root/f process=0 reason="flush\nfailed"`,
		`WARN msg="child failed" actor=f path=root/f process=0 reason="flush\nfailed"`,
	}},
	{"children do not start", func(s *scene) {
		if err := s.root.Add(s.ctx, s.d.worker("s", fails(errCrash))); err == nil {
			s.t.Error("no error")
		}
		s.root.Add(s.ctx, s.d.worker("i", fails(supervisor.ErrIgnore)))
	}, []string{
		`DEBUG msg="process spawned" actor=s path=root/s process=0`,
		`DEBUG msg="process ended" actor=s path=root/s process=0 reason=crash`,
		`ERROR msg="child did not start" actor=s path=root/s reason=crash`,
		`DEBUG msg="process spawned" actor=s path=root/s process=0`,
		`DEBUG msg="actor closed" actor=s path=root/s`,
		`DEBUG msg="process ended" actor=s path=root/s process=0`,
		`DEBUG msg="actor ended" actor=s path=root/s reason=crash`,
		`DEBUG msg="process spawned" actor=i path=root/i process=0`,
		`DEBUG msg="process ended" actor=i path=root/i process=0 reason="supervisor: ignore"`,
		`INFO msg="child has nothing to run" actor=i path=root/i process=0`,
	}},
	{"significant children have ended", func(s *scene) {
		w := s.d.worker("w", restart(supervisor.Transient), func(w *supervisor.Worker[order]) { w.Significant = true })
		s.add(&supervisor.Spec{Name: "auto", Restart: supervisor.Temporary, AutoShutdown: supervisor.AnySignificant, Children: []supervisor.Child{w}})
		tell(s.t, w, "return")
	}, []string{
		`DEBUG msg="process spawned" actor=auto path=root/auto process=0`,
		`DEBUG msg="process spawned" actor=w path=root/auto/w process=0`,
		`DEBUG msg="child started" actor=w path=root/auto/w`,
		`DEBUG msg="child started" actor=auto path=root/auto`,
		`DEBUG msg="process ended" actor=w path=root/auto/w process=0`,
		`INFO msg="supervisor ends" actor=w path=root/auto/w reason="supervisor \"auto\": its significant child \"w\" has ended"`,
		`DEBUG msg="process ended" actor=auto path=root/auto process=0 reason="supervisor \"auto\": its significant child \"w\" has ended"`,
		`DEBUG msg="process spawned" actor=auto path=root/auto process=0`, // both once more, to hand back what is left
		`DEBUG msg="actor closed" actor=auto path=root/auto`,
		`DEBUG msg="process spawned" actor=w path=root/auto/w process=0`,
		`DEBUG msg="actor closed" actor=w path=root/auto/w`,
		`DEBUG msg="process ended" actor=w path=root/auto/w process=0`,
		`DEBUG msg="actor ended" actor=w path=root/auto/w`,
		`DEBUG msg="process ended" actor=auto path=root/auto process=0`,
		`DEBUG msg="actor ended" actor=auto path=root/auto reason="supervisor \"auto\": its significant child \"w\" has ended"`,
	}},
	{"there is one restart too many", func(s *scene) {
		w := s.d.worker("w")
		s.add(&supervisor.Spec{Name: "sub", Limit: supervisor.Limit{Restarts: -1}, Children: []supervisor.Child{w}})
		tell(s.t, w, "crash")
	}, []string{
		`DEBUG msg="process spawned" actor=sub path=root/sub process=0`,
		`DEBUG msg="process spawned" actor=w path=root/sub/w process=0`,
		`DEBUG msg="child started" actor=w path=root/sub/w`,
		`DEBUG msg="child started" actor=sub path=root/sub`,
		`DEBUG msg="process ended" actor=w path=root/sub/w process=0 reason=crash`,
		`ERROR msg="supervisor gives up: restart limit exceeded" actor=w path=root/sub/w reason="supervisor \"sub\": child \"w\": one restart too many: crash"`,
		`DEBUG msg="process ended" actor=sub path=root/sub process=0 reason="supervisor \"sub\": child \"w\": one restart too many: crash"`,
		`WARN msg="child ended, restarting it" actor=sub path=root/sub process=0 attempt=1 delay=0s reason="supervisor \"sub\": child \"w\": one restart too many: crash"`,
		`DEBUG msg="process spawned" actor=sub path=root/sub process=0`,
		`DEBUG msg="process spawned" actor=w path=root/sub/w process=0`,
		`DEBUG msg="child started" actor=w path=root/sub/w`,
		`INFO msg="child restarted" actor=sub path=root/sub process=0 attempt=1`,
	}},
	{"actors of nobody end", func(s *scene) {
		s.spawn("in order", func(context.Context, *actor.Inbox[int]) error { return nil })
		s.spawn("", func(context.Context, *actor.Inbox[int]) error { return errCrash })
		s.spawn("panics", func(context.Context, *actor.Inbox[int]) error { panic("told to") })
		s.spawn("goexit", func(context.Context, *actor.Inbox[int]) error { exitGoroutine(); return nil })
	}, []string{
		`DEBUG msg="process spawned" actor="in order" path="in order" process=0`,
		`DEBUG msg="actor closed" actor="in order" path="in order"`,
		`DEBUG msg="process ended" actor="in order" path="in order" process=0`,
		`DEBUG msg="actor ended" actor="in order" path="in order"`,
		`DEBUG msg="process spawned" path=#n process=0`,
		`DEBUG msg="actor closed" path=#n`,
		`WARN msg="process ended" path=#n process=0 reason=crash`,
		`DEBUG msg="actor ended" path=#n reason=crash`,
		`DEBUG msg="process spawned" actor=panics path=panics process=0`,
		`ERROR msg="actor panicked" actor=panics path=panics process=0 reason="panic: told to" stack=…`,
		`DEBUG msg="actor closed" actor=panics path=panics`,
		`DEBUG msg="process ended" actor=panics path=panics process=0 reason="panic: told to"`,
		`DEBUG msg="actor ended" actor=panics path=panics reason="panic: told to"`,
		`DEBUG msg="process spawned" actor=goexit path=goexit process=0`,
		`DEBUG msg="actor closed" actor=goexit path=goexit`,
		`WARN msg="process ended" actor=goexit path=goexit process=0 reason="body called runtime.Goexit"`,
		`DEBUG msg="actor ended" actor=goexit path=goexit reason="body called runtime.Goexit"`,
	}},
	{"messages are left", func(s *scene) {
		halts := func(_ context.Context, in *actor.Inbox[int]) error { <-in.Halting(); return nil }
		for _, config := range []actor.Config{{Name: "dropped"}, {Name: "handed back", Undelivered: func(any) {}}} {
			child, address := actor.Spawn(s.ctx, config, halts)
			address.SendNow(1)
			address.SendNow(2)
			child.Halt()
			<-child.Done()
		}
	}, []string{
		`DEBUG msg="process spawned" actor=dropped path=dropped process=0`,
		`DEBUG msg="actor halted" actor=dropped path=dropped`,
		`WARN msg="messages undelivered" actor=dropped path=dropped count=2 type=int`,
		`DEBUG msg="process ended" actor=dropped path=dropped process=0`,
		`DEBUG msg="actor ended" actor=dropped path=dropped`,
		`DEBUG msg="process spawned" actor="handed back" path="handed back" process=0`,
		`DEBUG msg="actor halted" actor="handed back" path="handed back"`,
		`INFO msg="messages undelivered" actor="handed back" path="handed back" count=2 type=int`,
		`DEBUG msg="process ended" actor="handed back" path="handed back" process=0`,
		`DEBUG msg="actor ended" actor="handed back" path="handed back"`,
	}},
	{"an actor is stuck", func(s *scene) {
		s.hung = s.spawn("hung", func(context.Context, *actor.Inbox[int]) error { <-s.loose; return errCrash })
		s.hung.Halt()
		time.Sleep(time.Second)
		s.hung.Abort()
	}, []string{
		`DEBUG msg="process spawned" actor=hung path=hung process=0`,
		`DEBUG msg="actor halted" actor=hung path=hung`,
		`INFO msg="actor aborted" actor=hung path=hung`,
		`WARN msg="process did not notice its halt; Ready or Halting belong in its select" actor=hung path=hung process=0 stack=…`,
		`ERROR msg="process stuck; it has not ended after an abort" actor=hung path=hung process=0 reason="process 0 is stuck: halted 2s ago, aborted 1s ago: its body has not ended" stack=…`,
	}},
	{"it ends after all", func(s *scene) {
		close(s.loose)
		<-s.hung.Done()
	}, []string{
		`DEBUG msg="process ended" actor=hung path=hung process=0 reason="crash\nactor \"hung\" (#n): aborted"`,
		`INFO msg="process no longer stuck; it has ended after all" actor=hung path=hung process=0 reason="crash\nactor \"hung\" (#n): aborted"`,
		`DEBUG msg="actor ended" actor=hung path=hung reason="crash\nactor \"hung\" (#n): aborted"`,
	}},
}

func (s *scene) add(c supervisor.Child) {
	s.t.Helper()
	if err := s.root.Add(s.ctx, c); err != nil {
		s.t.Error(err)
	}
}

func (s *scene) spawn(name string, body func(context.Context, *actor.Inbox[int]) error) *actor.Child[int, actor.None] {
	child, _ := actor.Spawn(s.ctx, actor.Config{Name: name}, body)
	return child
}

// play plays all acts; each is followed by check.
func play(t *testing.T, observers []actor.Observer, check func(act)) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{t: t, ctx: context.Background(), loose: make(chan struct{})}
		for _, o := range observers {
			s.ctx = actor.WithObserver(s.ctx, o)
		}
		root, err := supervisor.Start(s.ctx, &supervisor.Spec{Name: "root", Limit: supervisor.Limit{Restarts: 100}})
		if err != nil {
			t.Fatal(err)
		}
		s.root = root
		rest := func() { // until nothing happens any more
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		rest()
		check(act{what: "the root starts", want: []string{`DEBUG msg="process spawned" actor=root path=root process=0`}})
		for _, a := range acts {
			a.do(s)
			rest()
			check(a)
		}
		stop(t, root)
	})
}

// LogObserver writes one line for each event, which says who, where and why. What
// package actor would log by itself it does not log as well.
func TestLogObserver(t *testing.T) {
	var debug, info, library page
	before, output, flags := slog.Default(), log.Writer(), log.Flags()
	slog.SetDefault(library.logger(t, slog.LevelDebug))
	t.Cleanup(func() {
		slog.SetDefault(before)
		log.SetOutput(output)
		log.SetFlags(flags)
	})
	everything := new(watcher)
	told := make(map[actor.EventKind]bool)
	play(t, []actor.Observer{
		everything, supervisor.LogObserver(debug.logger(t, slog.LevelDebug)), supervisor.LogObserver(info.logger(t, slog.LevelInfo)),
	}, func(a act) {
		t.Helper()
		events := everything.take()
		for _, e := range events {
			told[e.Kind] = true
		}
		all, visible := debug.lines(), info.lines()
		if len(all) != len(events) {
			t.Errorf("%s: %d lines of %d events", a.what, len(all), len(events))
		}
		var want, wantVisible []string
		for _, line := range a.want {
			want = append(want, "level="+line+"\n")
			if !strings.HasPrefix(line, "DEBUG") {
				wantVisible = append(wantVisible, "level="+line+"\n")
			}
		}
		slices.Sort(want)
		slices.Sort(wantVisible)
		if !slices.Equal(all, want) {
			t.Errorf("%s:\n%swant:\n%s", a.what, strings.Join(all, ""), strings.Join(want, ""))
		}
		if !slices.Equal(visible, wantVisible) {
			t.Errorf("%s, at level info:\n%swant:\n%s", a.what, strings.Join(visible, ""), strings.Join(wantVisible, ""))
		}
		if lines := library.lines(); len(lines) > 0 {
			t.Errorf("%s: package actor logs as well:\n%s", a.what, strings.Join(lines, ""))
		}
	})
	kinds := allKinds(t)
	if len(kinds) < 20 {
		t.Errorf("found only %v", kinds)
	}
	for _, kind := range kinds {
		if !told[kind] {
			t.Errorf("nothing is %s here", kind)
		}
	}
}

// allKinds returns the constants of type EventKind that package actor declares.
func allKinds(t *testing.T) []actor.EventKind {
	source, err := os.ReadFile("../actor/observe.go")
	if err != nil {
		t.Fatal(err)
	}
	var kinds []actor.EventKind
	for _, found := range regexp.MustCompile(`Event[A-Z]\w+\s+EventKind = "(.+)"`).FindAllSubmatch(source, -1) {
		kinds = append(kinds, actor.EventKind(found[1]))
	}
	return kinds
}

// The table of docs/logs.md says how each kind of event is logged.
func TestLogObserverDocs(t *testing.T) {
	text, err := os.ReadFile("../docs/logs.md")
	if err != nil {
		t.Fatal(err)
	}
	var p page
	o := supervisor.LogObserver(p.logger(t, slog.LevelDebug))
	documented := make(map[actor.EventKind]bool)
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z ]+)` \\| (error|warn|info|debug) \\| ([^|]+) \\|").FindAllStringSubmatch(string(text), -1) {
		kind, level, line := actor.EventKind(row[1]), strings.ToUpper(row[2]), row[3]
		documented[kind] = true
		o.Observe(actor.Event{Kind: kind, ID: 1, Process: -1, Err: errCrash, Dropped: true})
		if got, want := strings.Join(p.lines(), ""), fmt.Sprintf("level=%s msg=%q path=", level, line); !strings.HasPrefix(got, want) {
			t.Errorf("%s is logged as\n%sdocs/logs.md says\n%s", kind, got, want)
		}
	}
	for _, kind := range allKinds(t) {
		if !documented[kind] {
			t.Errorf("%s is not in docs/logs.md", kind)
		}
	}
}
