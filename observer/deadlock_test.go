package observer_test

import (
	"bytes"
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/observer"
)

// What the library logs of actors that end with messages is not of interest here.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	m.Run()
}

// order is what the actors of these tests are sent: send something, ask, or
// whatever else to do.
type order struct {
	do    func(ctx context.Context) error
	reply actor.Reply[int]
}

// gate, in a context, is what the actors below wait for before they begin: until
// all of them have got their orders.
type gate chan struct{}

type gateKey struct{}

// closedGate returns a context with a gate.
func closedGate(ctx context.Context) (context.Context, gate) {
	g := make(gate)
	return context.WithValue(ctx, gateKey{}, g), g
}

// obedient is a body that does what it is told, and answers.
func obedient(ctx context.Context, in *actor.Inbox[order]) error {
	if g, ok := ctx.Value(gateKey{}).(gate); ok {
		<-g
	}
	return in.Serve(ctx, func(ctx context.Context, o order) error {
		if o.do != nil {
			_ = o.do(ctx)
		}
		o.reply.Answer(1, nil)
		return nil
	})
}

// asks is an order to ask another actor.
func asks(to *actor.Address[order]) order {
	return order{do: func(ctx context.Context) error {
		_, err := actor.Ask(ctx, to, func(r actor.Reply[int]) order { return order{reply: r} })
		return err
	}}
}

// fills is an order to send to another actor until that has no room.
func fills(to *actor.Address[order]) order {
	return order{do: func(ctx context.Context) error {
		for {
			if err := to.Send(ctx, order{}); err != nil {
				return err
			}
		}
	}}
}

// logText is a log that may be written and read at the same time.
type logText struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// watched returns a context that an observer watches, and what that logs. The
// actors below are aborted at the end of the test.
func watched(t *testing.T, opts observer.Options) (context.Context, *observer.Observer, *logText) {
	log := new(logText)
	opts.Logger = slog.New(slog.NewTextHandler(log, nil))
	o := observer.New(opts)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	return o.Watch(ctx), o, log
}

// small is the capacity of actors that are soon full.
var small = actor.Config{Capacity: actor.Bounded(4), AbortTimer: time.Second}

func named(name string) actor.Config {
	c := small
	c.Name = name
	return c
}

// spawn spawns an obedient actor.
func spawn(ctx context.Context, name string) (*actor.Child[order, actor.None], *actor.Address[order]) {
	return actor.Spawn(ctx, named(name), obedient)
}

func spawnPool(ctx context.Context, name string, n int) *actor.Address[order] {
	_, addr := actor.SpawnPool(ctx, named(name), n, func(ctx context.Context, in *actor.Inbox[order]) (actor.None, error) {
		return actor.None{}, obedient(ctx, in)
	})
	return addr
}

// tell sends an order that must find room.
func tell(t *testing.T, to *actor.Address[order], o order) {
	t.Helper()
	if err := to.Send(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}

// knots are programs whose actors wait for each other for ever, and what is to be
// read of that.
var knots = []struct {
	name string
	tie  func(t *testing.T, ctx context.Context)
	want []string // the texts of the deadlocks
}{
	{"two ask each other", func(t *testing.T, ctx context.Context) {
		_, a := spawn(ctx, "a")
		_, b := spawn(ctx, "b")
		tell(t, a, asks(b))
		tell(t, b, asks(a))
	}, []string{"a waits for an answer of b, b waits for an answer of a"}},

	{"three ask each other", func(t *testing.T, ctx context.Context) {
		_, a := spawn(ctx, "a")
		_, b := spawn(ctx, "b")
		_, c := spawn(ctx, "c")
		tell(t, a, asks(b))
		tell(t, b, asks(c))
		tell(t, c, asks(a))
	}, []string{"a waits for an answer of b, b waits for an answer of c, c waits for an answer of a"}},

	{"the question is in hand", func(t *testing.T, ctx context.Context) {
		_, a := spawn(ctx, "a")
		_, b := spawn(ctx, "b")
		tell(t, a, order{do: func(ctx context.Context) error {
			_, err := actor.Ask(ctx, b, func(r actor.Reply[int]) order { return order{do: asks(a).do, reply: r} })
			return err
		}})
	}, []string{"a waits for an answer of b, b waits for an answer of a"}},

	{"two without room", func(t *testing.T, ctx context.Context) {
		_, a := spawn(ctx, "a")
		_, b := spawn(ctx, "b")
		tell(t, a, fills(b))
		tell(t, b, fills(a))
	}, []string{"a waits for room in b, b waits for room in a"}},

	{"three without room", func(t *testing.T, ctx context.Context) {
		_, a := spawn(ctx, "a")
		_, b := spawn(ctx, "b")
		_, c := spawn(ctx, "c")
		tell(t, a, fills(b))
		tell(t, b, fills(c))
		tell(t, c, fills(a))
	}, []string{"a waits for room in b, b waits for room in c, c waits for room in a"}},

	{"mixed", func(t *testing.T, ctx context.Context) {
		_, a := spawn(ctx, "a")
		_, b := spawn(ctx, "b")
		tell(t, a, asks(b))
		tell(t, b, fills(a))
	}, []string{"a waits for an answer of b, b waits for room in a"}},

	{"all of a pool", func(t *testing.T, ctx context.Context) {
		_, a := spawn(ctx, "a")
		p := spawnPool(ctx, "p", 2)
		tell(t, p, asks(a))
		tell(t, p, asks(a))
		tell(t, a, asks(p))
	}, []string{"a waits for an answer of p, p waits for an answer of a"}},

	{"a pool that waits for two", func(t *testing.T, ctx context.Context) {
		_, a := spawn(ctx, "a")
		_, b := spawn(ctx, "b")
		p := spawnPool(ctx, "p", 2)
		tell(t, p, asks(a))
		tell(t, p, asks(b))
		tell(t, a, asks(p))
		tell(t, b, asks(p))
	}, []string{"a waits for an answer of p, p waits for an answer of a", "b waits for an answer of p, p waits for an answer of b"}},

	{"a pool that asks itself", func(t *testing.T, ctx context.Context) {
		p := spawnPool(ctx, "p", 2)
		tell(t, p, asks(p))
		tell(t, p, asks(p))
	}, []string{"p waits for an answer of p"}},

	{"a parent and its child", func(t *testing.T, ctx context.Context) {
		_, a := spawn(ctx, "a")
		tell(t, a, order{do: func(ctx context.Context) error {
			_, c := spawn(ctx, "c")
			tell(t, c, asks(a))
			return fills(c).do(ctx)
		}})
	}, []string{"a waits for room in a/c, a/c waits for an answer of a"}},

	{"others wait behind it", func(t *testing.T, ctx context.Context) {
		_, a := spawn(ctx, "a")
		_, b := spawn(ctx, "b")
		_, c := spawn(ctx, "c")
		tell(t, a, asks(b))
		tell(t, b, asks(a))
		tell(t, c, asks(a))
	}, []string{"a waits for an answer of b, b waits for an answer of a"}},

	{"one of a pool is at work", func(t *testing.T, ctx context.Context) {
		_, a := spawn(ctx, "a")
		p := spawnPool(ctx, "p", 3)
		tell(t, p, order{do: func(context.Context) error {
			pause(5 * time.Second)
			return nil
		}})
		tell(t, p, asks(a))
		tell(t, p, asks(a))
		tell(t, a, asks(p)) // which that one takes, in the end
	}, nil},

	{"held up by backpressure", func(t *testing.T, ctx context.Context) {
		cfg := actor.Config{Capacity: actor.Backpressure(1, time.Second, 1), AbortTimer: time.Second}
		_, a := actor.Spawn(ctx, cfg, obedient)
		_, b := actor.Spawn(ctx, cfg, obedient)
		tell(t, a, fills(b))
		tell(t, b, fills(a))
	}, nil},

	{"a goroutine that has the context", func(t *testing.T, ctx context.Context) {
		_, a := spawn(ctx, "a")
		_, b := spawn(ctx, "b")
		tell(t, b, asks(a))
		tell(t, a, order{do: func(ctx context.Context) error {
			go func() { _ = asks(b).do(ctx) }()
			pause(5 * time.Second)
			return nil
		}})
	}, nil},
}

// pause is what an actor does that is at work.
func pause(d time.Duration) { <-time.After(d) }

func texts(ds []observer.Deadlock) []string {
	var all []string
	for _, d := range ds {
		all = append(all, d.Text)
	}
	slices.Sort(all)
	return all
}

// A deadlock is found and logged within a second, whether somebody looks or not,
// and once.
func TestDeadlocks(t *testing.T) {
	for _, knot := range knots {
		t.Run(knot.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				t.Cleanup(func() { time.Sleep(10 * time.Second) }) // until all are aborted
				ctx, o, log := watched(t, observer.Options{})
				ctx, gate := closedGate(ctx)
				knot.tie(t, ctx)
				close(gate)
				synctest.Wait()
				if got := o.Snapshot().Deadlocks; len(got) > 0 {
					t.Errorf("at once there are %v", got)
				}
				time.Sleep(time.Second)
				synctest.Wait()
				if got := strings.Count(log.String(), "deadlock"); got != len(knot.want) {
					t.Errorf("logged %d, want %d:\n%s", got, len(knot.want), log)
				}
				if len(knot.want) == 1 && !strings.Contains(log.String(), `level=WARN msg="deadlock: actors wait for each other" text="`+knot.want[0]+`" actors=`) {
					t.Errorf("logged is %s", log)
				}
				for range 3 {
					time.Sleep(time.Second)
					got := o.Snapshot()
					if !slices.Equal(texts(got.Deadlocks), knot.want) {
						t.Errorf("there are %q, want %q; waits: %+v", texts(got.Deadlocks), knot.want, got.Waits)
					}
				}
				if got := strings.Count(log.String(), "deadlock"); got != len(knot.want) {
					t.Errorf("later %d were logged, want %d:\n%s", got, len(knot.want), log)
				}
			})
		})
	}
}

// The same in real time. The second is counted in pauses of this goroutine, so
// that it is longer on a machine that has much else to do.
func TestDeadlocksInRealTime(t *testing.T) {
	const pauses, each = 100, 10 * time.Millisecond
	for _, knot := range knots {
		if len(knot.want) == 0 {
			continue
		}
		t.Run(knot.name, func(t *testing.T) {
			ctx, _, log := watched(t, observer.Options{})
			ctx, gate := closedGate(ctx)
			knot.tie(t, ctx)
			close(gate)
			for range pauses {
				if strings.Count(log.String(), "deadlock") == len(knot.want) {
					return
				}
				pause(each)
			}
			t.Error("not reported within a second")
		})
	}
}

// When a deadlock is over it is not shown any more, and the next one of the same
// actors is another.
func TestDeadlockEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		t.Cleanup(func() { time.Sleep(10 * time.Second) })
		ctx, o, log := watched(t, observer.Options{})
		_, a := spawn(ctx, "a")
		_, b := spawn(ctx, "b")
		for i := 1; i <= 3; i++ {
			told := make(chan struct{})
			tell(t, b, order{do: func(ctx context.Context) error {
				<-told
				return asks(a).do(ctx)
			}})
			tell(t, a, order{do: func(ctx context.Context) error {
				<-told
				ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
				defer cancel()
				return asks(b).do(ctx)
			}})
			since := time.Now()
			close(told)
			time.Sleep(4 * time.Second)
			if got := o.Snapshot().Deadlocks; len(got) != 1 || !got[0].Since.Equal(since) || len(got[0].Actors) != 2 {
				t.Errorf("round %d: there are %+v", i, got)
			}
			time.Sleep(time.Minute) // sooner, it would not be logged again
			if got := o.Snapshot(); len(got.Deadlocks)+len(got.Waits) > 0 {
				t.Errorf("round %d: afterwards there are %+v", i, got)
			}
			if got := strings.Count(log.String(), "deadlock"); got != i {
				t.Errorf("round %d: %d were logged", i, got)
			}
		}
	})
}

// A pool whose only free process leaves is blocked from then on, though nobody
// begins to wait.
func TestDeadlockBecauseOneLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		t.Cleanup(func() { time.Sleep(10 * time.Second) })
		ctx, _, log := watched(t, observer.Options{})
		ctx, gate := closedGate(ctx)
		_, a := spawn(ctx, "a")
		leave := make(chan struct{})
		_, p := actor.SpawnPool(ctx, named("p"), 2, actor.NoValue(func(ctx context.Context, in *actor.Inbox[order]) error {
			if in.Index() == 0 {
				<-leave
				return nil
			}
			return obedient(ctx, in)
		}))
		tell(t, p, asks(a))
		tell(t, a, asks(p))
		close(gate)
		time.Sleep(time.Minute)
		if log.String() != "" {
			t.Errorf("while one is free, logged is %s", log)
		}
		close(leave)
		time.Sleep(time.Second)
		if got := strings.Count(log.String(), "deadlock"); got != 1 {
			t.Errorf("when it has left, %d are logged", got)
		}
	})
}

// In a program whose actors have much to do and wait for each other without end,
// but never in a circle, nothing is reported.
func TestNoDeadlockInABusyProgram(t *testing.T) {
	t.Run("for minutes", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			t.Cleanup(func() { time.Sleep(time.Minute) })
			busy(t, 2*time.Minute, 700*time.Millisecond)
		})
	})
	t.Run("in real time", func(t *testing.T) {
		t.Parallel()
		d := 3 * time.Second
		if testing.Short() {
			d = time.Second
		}
		busy(t, d, 2*time.Millisecond)
	})
}

// busy runs layers of actors, some of them pools, for so long. Each asks one of
// the next layer or fills its queue, tells one of the layer before something if
// that has room, and takes up to slow to do it.
func busy(t *testing.T, d, slow time.Duration) {
	ctx, o, log := watched(t, observer.Options{})
	const layers, width = 4, 5
	var all [layers][width]*actor.Address[int]
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(5, 6))
	draw := func(n int64) int64 { mu.Lock(); defer mu.Unlock(); return random.Int64N(n) }
	var replies sync.Map // of the questions under way, by number
	var questions atomic.Int64
	for layer := layers - 1; layer >= 0; layer-- {
		for i := range width {
			body := func(ctx context.Context, in *actor.Inbox[int]) error {
				return in.Serve(ctx, func(ctx context.Context, m int) error {
					pause(time.Duration(draw(int64(slow))))
					if layer+1 < layers {
						to := all[layer+1][draw(width)]
						if draw(2) == 0 {
							_ = to.Send(ctx, 0)
						} else {
							_, _ = actor.Ask(ctx, to, func(r actor.Reply[int]) int {
								n := questions.Add(1)
								replies.Store(n, r)
								return int(n)
							})
						}
					}
					if layer > 0 {
						_ = all[layer-1][draw(width)].TrySend(0)
					}
					if r, ok := replies.LoadAndDelete(int64(m)); ok {
						r.(actor.Reply[int]).Answer(1, nil)
					}
					return nil
				})
			}
			cfg := actor.Config{Capacity: actor.Bounded(2), AbortTimer: time.Second}
			if i == 0 {
				_, all[layer][i] = actor.SpawnPool(ctx, cfg, 3, actor.NoValue(body))
			} else {
				_, all[layer][i] = actor.Spawn(ctx, cfg, body)
			}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	for i := range 3 * width {
		go func() {
			for all[0][i%width].Send(ctx, 0) == nil {
			}
		}()
	}
	longest := time.Duration(0)
	for ctx.Err() == nil {
		s := o.Snapshot()
		if len(s.Deadlocks) > 0 {
			t.Fatalf("reported are %+v", s.Deadlocks)
		}
		if len(s.Waits) > 0 {
			longest = max(longest, s.Time.Sub(s.Waits[0].Since))
		}
		time.Sleep(97 * time.Millisecond)
	}
	if log.String() != "" {
		t.Errorf("logged is %s", log)
	}
	if s := o.Snapshot(); s.Totals.Received < 1000 || slow > 500*time.Millisecond && longest < time.Second {
		t.Errorf("it was not busy: %d received, the longest wait was %v", s.Totals.Received, longest)
	}
}

// Actors that give up, and try again, and block each other again, are logged once
// in a while.
func TestDeadlockThatComesAgainIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, _, log := watched(t, observer.Options{})
		retries := func(to *actor.Address[order]) order {
			return order{do: func(ctx context.Context) error {
				for range 60 {
					short, end := context.WithTimeout(ctx, time.Second)
					_, _ = actor.Ask(short, to, func(r actor.Reply[int]) order { return order{reply: r} })
					end()
				}
				return nil
			}}
		}
		below, open := closedGate(ctx)
		_, a := spawn(below, "a")
		_, b := spawn(below, "b")
		tell(t, a, retries(b))
		tell(t, b, retries(a))
		close(open)
		time.Sleep(59 * time.Second)
		synctest.Wait()
		if n := strings.Count(log.String(), "deadlock"); n != 1 {
			t.Errorf("logged %d times:\n%s", n, log)
		}
		for _, addr := range []*actor.Address[order]{a, b} {
			addr.Halt()
			<-addr.Done()
		}
	})
}
