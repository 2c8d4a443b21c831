package supervisor_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// FuzzStart makes trees with any fields, valid or not. What Validate refuses is
// named with its field and is not started. What it accepts starts, restarts and
// stops: no panic, and no hang, which in a bubble is a deadlock.
func FuzzStart(f *testing.F) {
	for _, seed := range []string{
		"",
		"\x00",
		"\x04\x00w\x00\x01\x00\x00\x00",
		"\x03\x01a\x01\x01b\x02\x01c\x03\x00",
		strings.Repeat("\x02\x05", 40),
		strings.Repeat("\x07\x01\x03", 40),
		strings.Repeat("\xff", 120),
		strings.Repeat("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09", 12),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		quiet(t)
		synctest.Test(t, func(t *testing.T) {
			g := &grower{data: data}
			spec := g.spec(3)
			fault := supervisor.Validate(spec)
			checkFault(t, fault)
			began := time.Now()
			s, err := supervisor.Start(context.Background(), spec)
			if fault != nil {
				if err == nil || err.Error() != fault.Error() {
					t.Errorf("Validate says %v, and Start %v", fault, err)
				}
				return
			}
			if err != nil {
				return // a child did not start, or behaved so badly that the limit is exceeded
			}
			time.Sleep(3 * time.Second)
			for _, w := range g.workers {
				_ = w.Address().TrySend(1)
			}
			for _, d := range g.dynamics {
				brief, cancel := context.WithTimeout(context.Background(), time.Second)
				_, _ = d.Add(brief, 1)
				cancel()
			}
			brief, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			s.Count()
			s.Children()
			_, _ = s.Stop(brief)
			if took := time.Since(began); took > time.Hour {
				t.Errorf("it has taken %v", took)
			}
			<-s.Done()
		})
	})
}

// checkFault checks that each line of an error of Validate names what is wrong.
func checkFault(t *testing.T, fault error) {
	t.Helper()
	if fault == nil {
		return
	}
	fields := []string{
		"Name", "Run", "Processes", "Fresh", "OnStuck", "AwaitStart", "Restart", "Backoff.", "Limit.", "Strategy", "AutoShutdown",
		"Template", "Max", "Significant", "is nil", "in the tree already",
	}
	for line := range strings.SplitSeq(fault.Error(), "\n") {
		named := false
		for _, field := range fields {
			named = named || strings.Contains(line, field)
		}
		if !named || !strings.HasPrefix(line, "supervisor ") {
			t.Errorf("no field is named in: %s", line)
		}
	}
}

// grower makes a tree of bytes.
type grower struct {
	data     []byte
	seen     []supervisor.Child
	workers  []*supervisor.Worker[int]
	dynamics []*supervisor.Dynamic[int, int]
}

// next returns the next byte, 0 when there are no more.
func (g *grower) next() byte {
	if len(g.data) == 0 {
		return 0
	}
	b := g.data[0]
	g.data = g.data[1:]
	return b
}

// odd reports whether something unusual is wanted; mostly it is not, so that many
// trees are valid.
func (g *grower) odd() bool { return g.next() > 200 }

func (g *grower) number() int {
	if !g.odd() {
		return int(g.next() % 5)
	}
	return []int{-1, -2, math.MinInt, math.MaxInt, 1 << 30, 100}[g.next()%6]
}

// few is a number of processes: too many, or not very many.
func (g *grower) few() int {
	n := g.number()
	if n <= 1_000_000 {
		n = min(n, 20)
	}
	return n
}

func (g *grower) duration() time.Duration {
	if !g.odd() {
		return time.Duration(g.next()) * 10 * time.Millisecond
	}
	if g.odd() {
		var raw [8]byte
		for i := range raw {
			raw[i] = g.next()
		}
		return time.Duration(binary.LittleEndian.Uint64(raw[:]))
	}
	return []time.Duration{-1, math.MinInt64, math.MaxInt64, 1, time.Hour, -time.Second}[g.next()%6]
}

func (g *grower) float() float64 {
	if !g.odd() {
		return []float64{0, 1, 2, 1.5}[g.next()%4]
	}
	return []float64{-1, 0.5, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64}[g.next()%7]
}

// constant is a value of one of the types that have a few.
func (g *grower) constant() uint8 {
	if g.odd() {
		return g.next()
	}
	return g.next() % 3
}

func (g *grower) name(prefix string) string {
	if g.odd() {
		return []string{"", "same", "a/b", "\x00\xff%d\n"}[g.next()%4]
	}
	return fmt.Sprint(prefix, len(g.seen))
}

func (g *grower) backoff() supervisor.Backoff {
	if g.next()%2 == 0 {
		return supervisor.Backoff{}
	}
	return supervisor.Backoff{Min: g.duration(), Max: g.duration(), Factor: g.float(), Jitter: g.float(), ResetAfter: g.duration()}
}

func (g *grower) limit() supervisor.Limit {
	return supervisor.Limit{Restarts: g.number(), Period: g.duration()}
}

func (g *grower) spec(depth int) *supervisor.Spec {
	s := &supervisor.Spec{
		Name:     g.name("spec"),
		Strategy: supervisor.Strategy(g.constant()),
		Limit:    g.limit(),
		Restart:  supervisor.Restart(g.constant()),
		Backoff:  g.backoff(),
	}
	s.AutoShutdown = supervisor.AutoShutdown(g.constant())
	if g.odd() {
		s.AbortTimer = g.duration()
	}
	g.seen = append(g.seen, s)
	for range g.next() % 5 {
		s.Children = append(s.Children, g.child(depth-1))
	}
	return s
}

func (g *grower) child(depth int) supervisor.Child {
	if g.odd() {
		return []supervisor.Child{nil, (*supervisor.Worker[int])(nil), (*supervisor.Spec)(nil), g.seen[int(g.next())%len(g.seen)]}[g.next()%4]
	}
	switch kind := g.next() % 4; {
	case kind == 1 && depth > 0:
		return g.spec(depth)
	case kind == 2:
		return g.dynamic()
	default:
		w := g.worker()
		g.workers = append(g.workers, w)
		return w
	}
}

func (g *grower) worker() *supervisor.Worker[int] {
	w := &supervisor.Worker[int]{
		Name:      g.name("worker"),
		Run:       g.body(),
		Processes: g.few(),
		Restart:   supervisor.Restart(g.constant()),
		Backoff:   g.backoff(),
		OnStuck:   supervisor.StuckPolicy(g.constant()),
		Drain:     g.next()%2 == 0,
	}
	if flags := g.next(); flags > 128 {
		w.Significant, w.Fresh, w.AwaitStart, w.AbortTimer = flags&1 != 0, flags&2 != 0, g.duration(), g.duration()
	}
	g.seen = append(g.seen, w)
	return w
}

// body makes a body that behaves well, or badly, and always ends when aborted.
func (g *grower) body() func(context.Context, *actor.Inbox[int]) error {
	if g.odd() {
		return nil
	}
	kind, d := g.next(), time.Duration(g.next())*10*time.Millisecond
	return func(ctx context.Context, in *actor.Inbox[int]) error {
		time.Sleep(10 * time.Millisecond) // else, with a high limit, there are restarts for ever and time stands still
		if kind&1 == 0 {
			supervisor.Started(ctx)
		}
		switch kind / 2 % 5 {
		case 1: // ends after a while
			ctx, cancel := context.WithTimeout(ctx, d)
			defer cancel()
			_, err := in.Recv(ctx)
			return err
		case 2:
			return nil
		case 3:
			return supervisor.ErrIgnore
		case 4: // deaf
			<-ctx.Done()
			return errors.New("aborted")
		}
		return in.Serve(ctx, func(_ context.Context, m int) error {
			if kind > 128 {
				panic(m)
			}
			return nil
		})
	}
}

func (g *grower) dynamic() *supervisor.Dynamic[int, int] {
	d := &supervisor.Dynamic[int, int]{
		Name:    g.name("dynamic"),
		Limit:   g.limit(),
		Max:     g.number(),
		Restart: supervisor.Restart(g.constant()),
		Backoff: g.backoff(),
	}
	if !g.odd() {
		d.Template = func(int) *supervisor.Worker[int] {
			if g.odd() {
				return nil
			}
			return g.worker()
		}
	}
	g.seen = append(g.seen, d)
	g.dynamics = append(g.dynamics, d)
	return d
}

// The constants' names, for any number.
func FuzzNames(f *testing.F) {
	f.Add(uint8(0))
	f.Add(uint8(255))
	f.Fuzz(func(t *testing.T, n uint8) {
		for _, name := range []fmt.Stringer{
			supervisor.Restart(n), supervisor.Strategy(n), supervisor.AutoShutdown(n), supervisor.StuckPolicy(n), supervisor.State(n),
		} {
			if s := name.String(); s == "" || n > 4 && s != fmt.Sprintf("unknown(%d)", n) {
				t.Errorf("%T %d is called %q", name, n, s)
			}
		}
	})
}

// LogObserver writes a line, or nothing, for any event.
func FuzzLogObserver(f *testing.F) {
	f.Add("started", "name", uint64(1), int64(0), "error\nstack", "root/sub", int64(1), int64(1))
	f.Add("panicked", "", uint64(0), int64(-1), "", "", int64(-1), int64(math.MinInt64))
	f.Add("no such kind", "\xff\x00", uint64(math.MaxUint64), int64(math.MaxInt64), "\n\n", "%d", int64(math.MinInt64), int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, kind, name string, id uint64, process int64, fault, path string, attempt, after int64) {
		var out strings.Builder
		o := supervisor.LogObserver(slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
		e := actor.Event{
			Kind: actor.EventKind(kind), Name: name, ID: actor.ID(id), Process: int(process), Supervisor: path, Stack: fault,
			Attempt: int(attempt), After: time.Duration(after),
		}
		if fault != "" {
			e.Err = errors.New(fault)
		}
		o.Observe(e)
		if n := strings.Count(out.String(), "\n"); n > 1 {
			t.Errorf("%d lines:\n%s", n, out.String())
		}
	})
}
