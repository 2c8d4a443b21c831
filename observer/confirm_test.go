package observer

import (
	"context"
	"log/slog"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/internal/inspect"
)

// counting is a log handler that counts lines.
type counting struct{ lines atomic.Int64 }

func (*counting) Enabled(context.Context, slog.Level) bool    { return true }
func (c *counting) Handle(context.Context, slog.Record) error { c.lines.Add(1); return nil }
func (c *counting) WithAttrs([]slog.Attr) slog.Handler        { return c }
func (c *counting) WithGroup(string) slog.Handler             { return c }
func askBy(from uint64, process int, since time.Time) inspect.Wait {
	return inspect.Wait{From: from, Process: process, Ask: true, Since: since}
}

// ring makes actors each of which waits for an answer of the next, and the last
// for one of the first.
func waitInARing(o *Observer, fakes []*fake) []*inspect.Actor {
	actors := make([]*inspect.Actor, len(fakes))
	for i, f := range fakes {
		f.reading = inspect.Reading{Processes: 1}
		f.waits = []inspect.Wait{askBy(uint64((i+len(fakes)-1)%len(fakes)+1), -1, time.Now())}
		actors[i] = bear(o, uint64(i+1), "", f)
	}
	return actors
}

// A cycle whose waits are not the same in a second reading is none.
func TestCycleThatEndsMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(counting)
		o := New(Options{Logger: slog.New(log)})
		a, b := new(fake), new(fake)
		actors := waitInARing(o, []*fake{a, b})
		b.parked = func() inspect.Parking {
			a.set(func(f *fake) { f.waits[0].Since = time.Now() }) // the next wait of the same process
			return inspect.Asleep
		}
		time.Sleep(time.Second)
		if got := o.Snapshot().Deadlocks; len(got) > 0 || log.lines.Load() > 0 {
			t.Errorf("reported are %+v", got)
		}
		b.set(func(f *fake) { f.parked = nil })
		time.Sleep(time.Second)
		if got := o.Snapshot().Deadlocks; len(got) != 1 || log.lines.Load() != 1 {
			t.Errorf("of a cycle that stays, reported are %+v", got)
		}
		runtime.KeepAlive(actors)
	})
}

// A cycle of which a process is not asleep itself is looked at a few times and
// then left alone, until one of its processes begins to wait once more: that one may
// sleep itself now, and not somebody else for it.
func TestCycleThatIsNotConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New(Options{})
		var asked atomic.Int64
		a, b := new(fake), new(fake)
		actors := waitInARing(o, []*fake{a, b})
		a.parked = func() inspect.Parking { asked.Add(1); return inspect.Awake }
		(*sink)(o).Waits()
		time.Sleep(time.Minute + alarmAfter/2)
		if asked.Load() != mostTries || o.alarm.state.Load() != quiet {
			t.Errorf("it was asked %d times, and the alarm is %d", asked.Load(), o.alarm.state.Load())
		}
		for range 10 {
			o.Snapshot()
		}
		if asked.Load() != mostTries {
			t.Errorf("with somebody who looks, it was asked %d times", asked.Load())
		}
		a.set(func(f *fake) { f.parked = nil })
		b.set(func(f *fake) { f.waits = append(f.waits, askBy(1, -1, time.Now())) })
		(*sink)(o).Waits()
		time.Sleep(time.Second)
		if got := o.Snapshot().Deadlocks; len(got) != 1 {
			t.Errorf("when it waits itself, reported are %+v", got)
		}
		runtime.KeepAlive(actors)
	})
}

// A wait is to be seen only after the call that tells of it: a look follows that
// call, also if one comes between.
func TestWaitThatIsSeenLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(counting)
		o := New(Options{Logger: slog.New(log)})
		a, b := new(fake), new(fake)
		actors := waitInARing(o, []*fake{a, b})
		late := a.waits
		a.waits = nil
		(*sink)(o).Waits()
		time.Sleep(alarmAfter - time.Millisecond)
		(*sink)(o).Waits()
		late[0].Since = time.Now()
		time.Sleep(2 * time.Millisecond)
		a.set(func(f *fake) { f.waits = late })
		time.Sleep(time.Second)
		if log.lines.Load() != 1 {
			t.Errorf("logged are %d", log.lines.Load())
		}
		runtime.KeepAlive(actors)
	})
}

// A bubble may end while a look is due in it, of an observer that is not of it. That
// look does not come, and the next ones must.
func TestAlarmOutlivesABubble(t *testing.T) {
	log := new(counting)
	o := New(Options{Logger: slog.New(log)})
	die := func() {
		t.Helper()
		synctest.Test(t, func(*testing.T) { (*sink)(o).Waits() })
		if o.alarm.state.Load() == quiet {
			t.Fatal("it has looked")
		}
	}
	var actors []*inspect.Actor
	die()
	synctest.Test(t, func(t *testing.T) { // whose time begins when that of the first did
		time.Sleep(2 * lostAfter)
		actors = waitInARing(o, []*fake{new(fake), new(fake)})
		(*sink)(o).Waits()
		time.Sleep(time.Second)
		if log.lines.Load() != 1 {
			t.Errorf("in another bubble, logged are %d", log.lines.Load())
		}
	})
	die()
	for _, a := range actors {
		a.Source.(*fake).set(func(f *fake) { f.waits[0].Since = time.Now().Add(-ripe) })
	}
	(*sink)(o).Waits()
	await(t, "reported outside", func() bool { return log.lines.Load() == 2 })
	synctest.Test(t, func(t *testing.T) {
		for _, a := range actors {
			a.Source.(*fake).set(func(f *fake) { f.waits[0].Since = time.Now() })
		}
		(*sink)(o).Waits()
		time.Sleep(time.Second)
		if log.lines.Load() != 3 {
			t.Errorf("in a bubble after that, logged are %d", log.lines.Load())
		}
	})
}

// A dump that is cut off shows nothing of some processes. That is no reason to take
// them for awake: a cycle that stays as it is is reported.
func TestCycleThatADumpDoesNotShow(t *testing.T) {
	for _, test := range []struct {
		what string
		a, b inspect.Parking
		want int
	}{
		{"all", inspect.Unseen, inspect.Unseen, 1},
		{"one", inspect.Asleep, inspect.Unseen, 1},
		{"one, and the other is awake", inspect.Unseen, inspect.Awake, 0},
	} {
		t.Run(test.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := New(Options{})
				dumps := 0
				a := &fake{parked: func() inspect.Parking { return test.a }}
				b := &fake{parked: func() inspect.Parking { return test.b }}
				actors := waitInARing(o, []*fake{a, b})
				a.dump = func() { dumps++ }
				time.Sleep(ripe)
				if got := o.Snapshot().Deadlocks; len(got) > 0 || dumps != 1 {
					t.Errorf("after %d dumps, reported are %+v", dumps, got)
				}
				(*sink)(o).Waits()
				time.Sleep(2 * time.Second)
				if got := o.Snapshot().Deadlocks; len(got) != test.want || test.want == 1 && dumps != unseenTries {
					t.Errorf("after %d dumps, reported are %+v", dumps, got)
				}
				runtime.KeepAlive(actors)
			})
		})
	}
}

// However many deadlocks there are, and however large, one dump is for all of them.
func TestOneDumpForAllDeadlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(counting)
		o := New(Options{Logger: slog.New(log)})
		const rings, size = 40, 30
		dumps := 0
		var actors []*inspect.Actor
		for i := range uint64(rings) {
			for j := range uint64(size) {
				f := &fake{reading: inspect.Reading{Processes: 1}, dump: func() { dumps++ }}
				f.waits = []inspect.Wait{askBy(i*size+(j+size-1)%size+1, -1, time.Now())}
				actors = append(actors, bear(o, i*size+j+1, "", f))
			}
		}
		(*sink)(o).Waits()
		time.Sleep(time.Second)
		if log.lines.Load() != rings || dumps != 1 {
			t.Errorf("with %d dumps, found are %d", dumps, log.lines.Load())
		}
		runtime.KeepAlive(actors)
	})
}

// However often there is something new to confirm, and however long a dump takes,
// the program stands still only now and then.
func TestDumpsAreFarBetween(t *testing.T) {
	for _, took := range []time.Duration{0, 10 * time.Millisecond, 250 * time.Millisecond} {
		t.Run(took.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := New(Options{})
				dumps := 0
				a := &fake{parked: func() inspect.Parking { return inspect.Awake }}
				actors := waitInARing(o, []*fake{a, new(fake)})
				a.dump = func() { dumps++; time.Sleep(took) }
				for start := time.Now(); time.Since(start) < time.Minute; time.Sleep(ripe) {
					o.Snapshot()
					a.set(func(f *fake) { f.waits[0].Since = time.Now() }) // another cycle
					time.Sleep(ripe)
					o.Snapshot()
				}
				if total := time.Duration(dumps) * took; dumps > 121 || total > 13*time.Second {
					t.Errorf("in a minute it stood still %d times, %v in total", dumps, total)
				}
				if dumps < 20 {
					t.Errorf("it was looked only %d times", dumps)
				}
				runtime.KeepAlive(actors)
			})
		})
	}
}
