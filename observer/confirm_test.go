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
		b.parked = func() bool {
			a.set(func(f *fake) { f.waits[0].Since = time.Now() }) // the next wait of the same process
			return true
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
// then left alone, until somebody else begins to wait.
func TestCycleThatIsNotConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New(Options{})
		var asked atomic.Int64
		a, b := new(fake), new(fake)
		actors := waitInARing(o, []*fake{a, b})
		a.parked = func() bool { asked.Add(1); return false }
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
		b.set(func(f *fake) { f.waits[0].Since = time.Now() })
		(*sink)(o).Waits()
		time.Sleep(time.Second)
		if got := o.Snapshot().Deadlocks; len(got) != 1 {
			t.Errorf("of another, reported are %+v", got)
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

// However many deadlocks there are, and however large, the program stands still
// only now and then; and all are found in the end.
func TestDumpsForDeadlocksAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(counting)
		o := New(Options{Logger: slog.New(log)})
		const rings, size = 40, 3
		var asked atomic.Int64
		var actors []*inspect.Actor
		for i := range uint64(rings) {
			for j := range uint64(size) {
				f := &fake{reading: inspect.Reading{Processes: 1}, parked: func() bool { asked.Add(1); return true }}
				f.waits = []inspect.Wait{askBy(i*size+(j+size-1)%size+1, -1, time.Now())}
				actors = append(actors, bear(o, i*size+j+1, "", f))
			}
		}
		(*sink)(o).Waits()
		time.Sleep(time.Second)
		if asked.Load() > mostParked+parkedASecond {
			t.Errorf("in the first second %d were asked", asked.Load())
		}
		time.Sleep(time.Minute)
		if log.lines.Load() != rings || asked.Load() != rings*size {
			t.Errorf("found are %d, asked were %d", log.lines.Load(), asked.Load())
		}
		runtime.KeepAlive(actors)
	})
}
