package supervisor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tinyactor/actor"
)

// A script is a test of the machine in words. Each line is an event, "->", and
// the actions that it must cause, without notes and cancelled timers:
//
//	exit b crash -> halt c
//
// A child is called by its name, a process of several by name.number.
type script struct {
	t       *testing.T
	m       *machine
	names   []string
	ids     map[string]int
	more    []Child // for add
	now     time.Duration
	lot     float64
	request int
	latest  map[string]int   // incarnation of each process
	timers  map[string]timer // armed, by purpose and child
	notes   []string         // of the last step
}

// never is so long that scripts do not show such a timer.
const never time.Duration = 1 << 62

var errCrash = errors.New("crash")

// run runs the lines of a script.
func run(t *testing.T, spec *Spec, text string, more ...Child) *script {
	t.Helper()
	s := newScript(t, configOf(spec), spec.Children, more)
	s.play(text)
	return s
}

// runDynamic runs the lines of a script for a supervisor of which more are to be
// added.
func runDynamic(t *testing.T, limit Limit, max int, text string, more ...Child) *script {
	t.Helper()
	s := newScript(t, config{dynamic: true, limit: limit.orDefault(), max: max}, nil, more)
	s.play(text)
	return s
}

func configOf(spec *Spec) config {
	return config{strategy: spec.Strategy, limit: spec.Limit.orDefault(), auto: spec.AutoShutdown}
}

func newScript(t *testing.T, cfg config, children, more []Child) *script {
	s := &script{t: t, ids: map[string]int{}, latest: map[string]int{}, timers: map[string]timer{}, more: more, names: []string{""}}
	seeds := make([]seed, len(children))
	for i, c := range children {
		seeds[i].spec = c
		s.learn(c)
	}
	s.m = newMachine(cfg, seeds)
	return s
}

// learn gives a child the next id.
func (s *script) learn(c Child) int {
	name := c.plan().name
	s.names = append(s.names, name)
	s.ids[name] = len(s.names) - 1
	return s.ids[name]
}

func (s *script) play(text string) {
	s.t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		left, want, _ := strings.Cut(line, "->")
		if got := s.do(strings.TrimSpace(left)); got != strings.TrimSpace(want) {
			s.t.Errorf("%s\n got %s\nnotes %q", line, got, s.notes)
		}
	}
}

// do steps one event, given in words, and returns the actions in words.
func (s *script) do(words string) string {
	s.t.Helper()
	f := strings.Fields(words)
	if f[0] == "wait" {
		d, err := time.ParseDuration(f[1])
		if err != nil {
			s.t.Fatal(err)
		}
		s.now += d
		return ""
	}
	return s.said(s.m.step(s.event(f)))
}

// event reads an event.
func (s *script) event(f []string) event {
	s.t.Helper()
	e := event{at: s.now, lot: s.lot}
	arg := func(i int) string {
		if i < len(f) {
			return f[i]
		}
		return ""
	}
	switch f[0] {
	case "start":
		e.kind = evStart
	case "stop", "abort":
		e.kind, e.terminal = evStop, arg(1) == "terminal"
		if f[0] == "abort" {
			e.kind = evAbort
		}
	case "timer":
		key := arg(1) + " " + arg(2)
		tm, ok := s.timers[key]
		if !ok {
			s.t.Fatalf("no timer %s runs, but %v", key, s.timers)
		}
		e.kind, e.timer = evTimer, tm
	case "up", "exit", "stuck", "released", "closed":
		s.processEvent(&e, f[0], arg(1), arg(2))
	default:
		s.requestEvent(&e, f[0], arg(1), arg(3))
	}
	return e
}

func (s *script) processEvent(e *event, what, child, how string) {
	s.t.Helper()
	e.kind = map[string]eventKind{"up": evUp, "exit": evExit, "stuck": evStuck, "released": evReleased, "closed": evClosed}[what]
	name, number, _ := strings.Cut(child, ".")
	e.child = s.ids[name]
	if number != "" {
		fmt.Sscan(number, &e.process)
	}
	e.incarnation = s.latest[fmt.Sprintf("%d.%d", e.child, e.process)]
	switch how {
	case "", "ok":
	case "shutdown":
		e.exit, e.err = exitShutdown, ErrShutdown
	case "ignore":
		e.exit, e.err = exitIgnored, ErrIgnore
	case "crash":
		e.exit, e.err = exitFailed, errCrash
	case "old":
		e.incarnation--
	default:
		s.t.Fatalf("an exit cannot be %q", how)
	}
	if e.kind == evStuck {
		e.err = actor.ErrStuck
	}
}

func (s *script) requestEvent(e *event, what, child, from string) {
	s.t.Helper()
	kind, ok := map[string]eventKind{"add": evAdd, "terminate": evTerminate, "restart": evRestart, "remove": evRemove, "replace": evReplace}[what]
	if !ok {
		s.t.Fatalf("there is no event %q", what)
	}
	s.request++
	e.kind, e.request, e.from = kind, s.request, s.ids[from]
	switch {
	case kind == evAdd:
		i := slices.IndexFunc(s.more, func(c Child) bool { return c.plan().name == child })
		e.spec = s.more[i]
		old, again := s.ids[child]
		e.child = s.learn(e.spec)
		if again && s.m.byID[old] != nil {
			s.ids[child] = old // it is going to be refused
		}
	case kind == evReplace || s.m.cfg.dynamic:
		if e.child = s.ids[child]; e.child == 0 {
			e.child = 1 << 30
		}
	default:
		e.name = child
	}
}

// who names a process.
func (s *script) who(child, process int) string {
	name := s.names[child]
	if c := s.m.byID[child]; process == all || c != nil && len(c.numbers) == 1 {
		return name
	}
	return fmt.Sprintf("%s.%d", name, process)
}

// said returns actions in words.
func (s *script) said(acts []action) string {
	var words []string
	s.notes = nil
	for _, a := range acts {
		switch a.kind {
		case actStart:
			s.latest[fmt.Sprintf("%d.%d", a.child, a.process)] = a.incarnation
			words = append(words, "start "+s.who(a.child, a.process))
		case actHalt:
			words = append(words, "halt "+s.who(a.child, a.process))
		case actAbort:
			words = append(words, "abort "+s.who(a.child, a.process))
		case actClose:
			words = append(words, "close "+s.who(a.child, all))
		case actArm:
			key := s.timerName(a.timer)
			s.timers[key] = a.timer
			if a.after == never {
				continue
			}
			words = append(words, fmt.Sprintf("arm %s %v", key, a.after))
		case actCancel:
			delete(s.timers, s.timerName(a.timer))
		case actAdopt:
			words = append(words, fmt.Sprintf("adopt %d", a.request))
		case actReply:
			words = append(words, fmt.Sprintf("reply %d %s", a.request, errName(a.err)))
		case actStarted:
			words = append(words, "started")
		case actFinish:
			words = append(words, strings.TrimSpace(fmt.Sprintf("finish %s %s", reasonName(a.reason), s.who(a.child, all))))
		case actNote:
			s.notes = append(s.notes, fmt.Sprintf("%s %s", noteName(a.note), s.who(a.child, a.process)))
		}
	}
	return strings.Join(words, ", ")
}

func (s *script) timerName(t timer) string {
	purpose := []string{"restart", "group", "start", "abort"}[t.purpose]
	return purpose + " " + s.who(t.child, t.process)
}

func errName(err error) string {
	if err == nil {
		return "ok"
	}
	name := strings.TrimPrefix(err.Error(), "supervisor: ")
	return strings.ReplaceAll(name, " ", "-")
}

func reasonName(r reason) string {
	return []string{"stopped", "aborted", "start-failed", "limit", "auto", "stuck"}[r]
}

func noteName(n noteKind) string {
	return []string{
		"started", "start failed", "ignored", "restarting", "restarted", "replaced",
		"ended", "stopped", "stuck", "released", "removed", "escalated",
	}[n]
}

// work makes a worker that is never aborted, so that scripts have few timers.
func work(name string, change ...func(*Worker[int])) *Worker[int] {
	w := &Worker[int]{Name: name, Run: idle, AbortTimer: never}
	for _, f := range change {
		f(w)
	}
	return w
}

func idle(context.Context, *actor.Inbox[int]) error { return nil }

func transient(w *Worker[int])   { w.Restart = Transient }
func temporary(w *Worker[int])   { w.Restart = Temporary }
func significant(w *Worker[int]) { w.Significant = true }
func draining(w *Worker[int])    { w.Drain = true }
func waitStuck(w *Worker[int])   { w.OnStuck = StuckWait }
func swapStuck(w *Worker[int])   { w.OnStuck = StuckReplace }
func brutal(w *Worker[int])      { w.AbortTimer = -1 }

// awaited makes its supervisor await its start, for a time that scripts need not mention.
func awaited(w *Worker[int]) { w.AwaitStart = never }

func await(d time.Duration) func(*Worker[int])      { return func(w *Worker[int]) { w.AwaitStart = d } }
func processes(n int) func(*Worker[int])            { return func(w *Worker[int]) { w.Processes = n } }
func backoff(b Backoff) func(*Worker[int])          { return func(w *Worker[int]) { w.Backoff = b } }
func abortTimer(d time.Duration) func(*Worker[int]) { return func(w *Worker[int]) { w.AbortTimer = d } }
func children(ws ...*Worker[int]) (list []Child) {
	for _, w := range ws {
		list = append(list, w)
	}
	return list
}
