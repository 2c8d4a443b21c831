package observer

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/internal/inspect"
)

func TestSnapshotShowsWhatAnActorShows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New(Options{Actions: true})
		f := &fake{reading: inspect.Reading{
			Path: "top/a", Parent: 7, Received: 10, Undelivered: 2, Length: 3, High: 9, Limit: 64,
			Capacity: "64", Processes: 2, Idle: 1, Pool: true,
		}}
		a := bear(o, 12, "a", f)
		a.Queued.Add(time.Millisecond)
		born := time.Now()
		time.Sleep(2 * time.Second)
		s := o.Snapshot()
		if s.Schema != Schema || !s.Time.Equal(time.Now()) || !s.Actions || len(s.Actors) != 1 {
			t.Fatalf("got %+v", s)
		}
		got := s.Actors[0]
		if got.ID != 12 || got.Name != "a" || got.Path != "top/a" || got.Parent != 7 || got.Kind != KindPool || got.Message != "int" ||
			got.State != StateBusy || !got.Since.Equal(born) {
			t.Errorf("got %+v", got)
		}
		if want := (Processes{Total: 2, Busy: 1}); got.Processes != want {
			t.Errorf("processes are %+v, want %+v", got.Processes, want)
		}
		if want := (Queue{Length: 3, High: 9, Limit: 64, Capacity: "64"}); got.Queue != want {
			t.Errorf("the queue is %+v, want %+v", got.Queue, want)
		}
		if got.Accepted != 15 || got.Received != 10 || got.Undelivered != 2 {
			t.Errorf("counts are %d, %d, %d", got.Accepted, got.Received, got.Undelivered)
		}
		if want := (Rates{7.5, 5, 1}); got.Rate != want || s.Totals.Rate != want {
			t.Errorf("rates are %v, in all %v, want %v", got.Rate, s.Totals.Rate, want)
		}
		if got.InQueue.Count != 1 || got.InQueue.Max != time.Millisecond || got.Handling.Count != 0 {
			t.Errorf("latencies are %+v, %+v", got.InQueue, got.Handling)
		}
		if tt := s.Totals; tt.Actors != 1 || tt.Processes != 2 || tt.Busy != 1 || tt.Length != 3 || tt.Accepted != 15 {
			t.Errorf("totals are %+v", tt)
		}
		if s.Program.PID == 0 || s.Program.Go != runtime.Version() || s.Program.Goroutines == 0 || s.Program.Heap == 0 {
			t.Errorf("the program is %+v", s.Program)
		}
		runtime.KeepAlive(a)
	})
}

// Whoever reads the JSON finds lists, not null, where there is nothing.
func TestSnapshotHasLists(t *testing.T) {
	text, err := json.Marshal(New(Options{}).Snapshot())
	if err != nil || strings.Contains(string(text), "null") {
		t.Errorf("got %s, %v", text, err)
	}
}

func TestRatesBetweenLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New(Options{})
		f := new(fake)
		a := bear(o, 1, "a", f)
		rate := func(received uint64, after time.Duration) float64 {
			time.Sleep(after)
			f.set(func(f *fake) { f.reading.Received = received })
			return o.Snapshot().Actors[0].Rate.Received
		}
		for i, step := range []struct {
			received uint64
			after    time.Duration
			want     float64
		}{
			{100, 100 * time.Millisecond, 0}, // too early to say
			{100, 900 * time.Millisecond, 100},
			{200, 499 * time.Millisecond, 100}, // too early: what the look before said
			{300, 501 * time.Millisecond, 200}, // since the one before that
			{300, time.Second, 0},
		} {
			if got := rate(step.received, step.after); got != step.want {
				t.Errorf("step %d: rate is %v, want %v", i, got, step.want)
			}
		}
		runtime.KeepAlive(a)
	})
}

// The parts of a reading are of different moments; what they add up to never
// goes back.
func TestCountsNeverGoBack(t *testing.T) {
	o := New(Options{})
	f := &fake{reading: inspect.Reading{Received: 5, Length: 5}}
	a := bear(o, 1, "a", f)
	o.Snapshot()
	f.set(func(f *fake) { f.reading.Length, f.reading.Received = 2, 4 })
	if s := o.Snapshot(); s.Actors[0].Accepted != 10 || s.Totals.Accepted != 10 || s.Actors[0].Received != 5 || s.Totals.Received != 5 {
		t.Errorf("got %+v, in all %+v", s.Actors[0], s.Totals)
	}
	runtime.KeepAlive(a)
}

// What is told of an actor adds up, even if others look while a snapshot is made.
func TestCountsAddUp(t *testing.T) {
	f := &fake{reading: inspect.Reading{Received: 5, Undelivered: 1, Length: 2}}
	var o *Observer
	another := false
	o = New(Options{Redact: func(_ Text, text string) string {
		if !another {
			another = true
			f.set(func(f *fake) { f.reading.Length, f.reading.Received = 7, 30 })
			o.Snapshot()
		}
		return text
	}})
	a := bear(o, 1, "a", f)
	for range 2 {
		got := o.Snapshot().Actors[0]
		if got.Accepted != got.Received+got.Undelivered+uint64(got.Queue.Length) || got.Queue.High < got.Queue.Length {
			t.Errorf("%d accepted, %d received, %d undelivered, %+v", got.Accepted, got.Received, got.Undelivered, got.Queue)
		}
	}
	runtime.KeepAlive(a)
}

// What is read of an actor that has ended is the last word, whatever was read before.
func TestTheLastReadingIsTaken(t *testing.T) {
	for _, lookFirst := range []bool{false, true} {
		t.Run(fmt.Sprint(lookFirst), func(t *testing.T) {
			o := New(Options{})
			var told Actor
			o.Ended(func(a Actor) { told = a })
			f := &fake{reading: inspect.Reading{Received: 12, Undelivered: 3, Length: 5}}
			actors := []*inspect.Actor{bear(o, 1, "a", f), bear(o, 2, "b", &fake{reading: inspect.Reading{Received: 4}})}
			o.Snapshot()
			f.set(func(f *fake) { f.reading = inspect.Reading{Received: 14, Undelivered: 2, Ended: true} })
			if lookFirst {
				o.Snapshot()
			}
			o.observe(actor.Event{Kind: actor.EventEnded, ID: 1, Name: "a", Process: -1})
			if told.Accepted != 16 || told.Received != 14 || told.Undelivered != 2 {
				t.Errorf("told is %+v", told)
			}
			if got := o.Snapshot().Totals; got.Accepted != 20 || got.Received != 18 || got.Undelivered != 2 {
				t.Errorf("totals are %+v", got)
			}
			runtime.KeepAlive(actors)
		})
	}
}

// What an actor that has ended had received stays in the totals, whether a look
// or the event comes first.
func TestTotalsKeepWhatHasEnded(t *testing.T) {
	for _, lookFirst := range []bool{false, true} {
		t.Run(fmt.Sprint(lookFirst), func(t *testing.T) {
			o := New(Options{})
			f, g := new(fake), new(fake)
			a, b := bear(o, 1, "a", f), bear(o, 2, "b", g)
			f.set(func(f *fake) { f.reading = inspect.Reading{Received: 3, Undelivered: 1, Ended: true} })
			g.set(func(f *fake) { f.reading = inspect.Reading{Received: 4} })
			if lookFirst {
				o.Snapshot()
			}
			o.observe(actor.Event{Kind: actor.EventEnded, ID: 1, Name: "a", Process: -1})
			for range 2 {
				s := o.Snapshot()
				if len(s.Actors) != 1 || s.Actors[0].ID != 2 || s.Totals.Received != 7 || s.Totals.Undelivered != 1 || s.Totals.Accepted != 8 {
					t.Errorf("got %+v of %+v", s.Totals, s.Actors)
				}
			}
			runtime.KeepAlive(a)
			runtime.KeepAlive(b)
		})
	}
}

func TestStates(t *testing.T) {
	for want, r := range map[State]inspect.Reading{
		StateIdle:     {Processes: 2, Idle: 2},
		StateBusy:     {Processes: 2, Idle: 1},
		StateClosed:   {Processes: 2, Closed: true},
		StateHalted:   {Processes: 2, Closed: true, Halted: true},
		StateAborting: {Processes: 2, Closed: true, Halted: true, Aborted: true},
		StateStopped:  {Supervised: true},
		StateStuck:    {Stuck: 1, Supervised: true, Aborted: true},
	} {
		if got := stateOf(&r, ""); got != want {
			t.Errorf("%+v is %s, want %s", r, got, want)
		}
	}
	o := New(Options{})
	waiter := bear(o, 1, "waiter", &fake{reading: inspect.Reading{Processes: 2}})
	f := &fake{reading: inspect.Reading{Processes: 1}, waits: []inspect.Wait{{From: 1, Since: time.Now()}}}
	target := bear(o, 2, "target", f)
	if got := o.Snapshot().Actors[0].State; got != StateRoom {
		t.Errorf("who waits for room is %s", got)
	}
	f.set(func(f *fake) {
		f.waits = append(f.waits, inspect.Wait{From: 1, FromProcess: 1, Ask: true, Since: time.Now()})
	})
	if got := o.Snapshot().Actors[0].State; got != StateAnswer {
		t.Errorf("who waits for an answer is %s", got)
	}
	runtime.KeepAlive(waiter)
	runtime.KeepAlive(target)
}

func TestWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New(Options{})
		first := time.Now()
		f := new(fake)
		a := bear(o, 1, "a", f)
		b := bear(o, 2, "b", &fake{reading: inspect.Reading{Path: "top/b"}})
		time.Sleep(time.Second)
		f.waits = []inspect.Wait{{From: 2, Since: time.Now(), Ask: true}, {Since: first}, {From: 99, FromName: "unseen", Since: time.Now()}}
		for range 20 {
			f.waits = append(f.waits, inspect.Wait{From: 77, Since: time.Now()})
		}
		s := o.Snapshot()
		w := s.Actors[0].Waiting
		if w == nil || w.Count != 23 || !w.Since.Equal(first) || len(w.From) != mostNamed ||
			strings.Join(w.From[:4], " ") != "outside top/b unseen #77" {
			t.Errorf("waiting are %+v", w)
		}
		if s.Actors[1].Waiting != nil {
			t.Errorf("nobody waits for b, but %+v", s.Actors[1].Waiting)
		}
		if want := (Wait{To: 1, For: "room", Since: first}); s.Waits[0] != want || s.Totals.Waiting != 23 {
			t.Errorf("the longest wait of %d is %+v, want %+v", s.Totals.Waiting, s.Waits[0], want)
		}
		runtime.KeepAlive(a)
		runtime.KeepAlive(b)
	})
}

// How old the message in hand is can be told from looks where it was not timed.
func TestHandSinceFromLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New(Options{})
		f := &fake{reading: inspect.Reading{Processes: 1, Received: 1}}
		a := bear(o, 1, "a", f)
		since := func() *time.Time { return o.Snapshot().Actors[0].HandSince }
		first := time.Now()
		if got := since(); got != nil {
			t.Errorf("the first look says %v", got)
		}
		for range 3 {
			time.Sleep(time.Second)
			if got := since(); got == nil || !got.Equal(first) {
				t.Errorf("a later look says %v, want %v", got, first)
			}
		}
		timed := first.Add(-time.Hour)
		f.set(func(f *fake) { f.reading.HandSince = timed })
		if got := since(); got == nil || !got.Equal(timed) {
			t.Errorf("of a message that was timed it says %v, want %v", got, timed)
		}
		f.set(func(f *fake) { f.reading.HandSince, f.reading.Received = time.Time{}, 2 })
		if got := since(); got != nil {
			t.Errorf("of the next message it says %v", got)
		}
		f.set(func(f *fake) { f.reading.Idle = 1 })
		for _, timed := range []time.Time{{}, timed} { // a process that waits for a signal has not said that it is done
			f.set(func(f *fake) { f.reading.HandSince = timed })
			time.Sleep(time.Second)
			if got := since(); got != nil {
				t.Errorf("of an idle actor it says %v", got)
			}
		}
		runtime.KeepAlive(a)
	})
}

func TestNewWantsSense(t *testing.T) {
	for name, opts := range map[string]Options{
		"Events": {Events: -1}, "Every": {Every: -1}, "Viewers": {Viewers: -1}, "Trace": {Trace: -1},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, "Options."+name+" ") {
					t.Errorf("Options.%s: panic says %q", name, got)
				}
			}()
			New(opts)
		}()
	}
	for samples, want := range map[int]int{0: DefaultSamples, -1: 0, 7: 7} {
		if got := (*sink)(New(Options{Samples: samples})).Samples(); got != want {
			t.Errorf("Samples %d times %d, want %d", samples, got, want)
		}
	}
}

// The observer does not log panics: who logs them without it still does.
func TestObserverDoesNotLogPanics(t *testing.T) {
	var o actor.Observer = (*sink)(New(Options{}))
	if _, ok := o.(interface{ LogsPanics() bool }); ok {
		t.Error("the observer says that it logs panics")
	}
}

func TestEventsKeepTheLatest(t *testing.T) {
	o := New(Options{Events: 3})
	if got := o.after(0); got == nil || len(got) > 0 {
		t.Errorf("before the first there are %v", got)
	}
	for i := 1; i <= 5; i++ {
		o.observe(actor.Event{Kind: actor.EventSpawned, ID: actor.ID(i), Name: "a"})
		for seq := range uint64(i + 2) {
			var want []uint64
			for n := max(seq+1, uint64(max(1, i-2))); n <= uint64(i); n++ {
				want = append(want, n)
			}
			var got []uint64
			for _, e := range o.after(seq) {
				if e.ID != e.Seq {
					t.Fatalf("event %d is of actor %d", e.Seq, e.ID)
				}
				got = append(got, e.Seq)
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("of %d events, after %d there are %v, want %v", i, seq, got, want)
			}
		}
	}
}

func TestEventsOfWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New(Options{})
		f := &fake{reading: inspect.Reading{Path: "top/w", Supervised: true, Parent: 1}}
		a := bear(o, 5, "w", f)
		boom := &actor.PanicError{Value: "boom", Stack: []byte("the stack")}
		crash := func() time.Time {
			o.observe(actor.Event{Kind: actor.EventPanicked, Time: time.Now(), ID: 5, Name: "w", Path: "top/w", Err: fmt.Errorf("w: %w", boom), Stack: "the stack"})
			o.observe(actor.Event{Kind: actor.EventExited, Time: time.Now(), ID: 5, Name: "w", Path: "top/w", Err: fmt.Errorf("w: %w", boom)})
			o.observe(actor.Event{Kind: actor.EventRestarting, Time: time.Now(), ID: 5, Name: "w", Path: "top/w", Err: boom, Attempt: 1, After: time.Minute})
			return time.Now()
		}
		at := crash()
		got := o.Snapshot().Actors[0]
		if got.State != StateRestarting || got.Restarts.Total != 1 || got.Restarts.Until == nil || !got.Restarts.Until.Equal(at.Add(time.Minute)) {
			t.Errorf("a restart is awaited, but it is %s with %+v", got.State, got.Restarts)
		}
		if p := got.Panic; p == nil || p.Value != "boom" || p.Stack != "the stack" || !p.Time.Equal(at) {
			t.Errorf("the panic is %+v", p)
		}
		if e := got.Exit; e == nil || e.Reason != "w: panic: boom" {
			t.Errorf("the exit is %+v", e)
		}
		time.Sleep(time.Minute)
		f.set(func(f *fake) { f.reading.Processes, f.reading.Idle = 1, 1 })
		o.observe(actor.Event{Kind: actor.EventSpawned, ID: 5, Name: "w", Path: "top/w"})
		o.observe(actor.Event{Kind: actor.EventRestarted, ID: 5, Name: "w", Path: "top/w", Attempt: 1})
		got = o.Snapshot().Actors[0]
		if got.State != StateIdle || got.Restarts.Until != nil || got.Panic == nil || got.Restarts.Total != 1 {
			t.Errorf("after the restart it is %s with %+v, panic %v", got.State, got.Restarts, got.Panic)
		}
		events := o.Snapshot().Events
		if len(events) != 5 || events[2].Kind != "restarting" || events[2].Path != "top/w" || events[2].Attempt != 1 || events[2].Delay != time.Minute {
			t.Errorf("the events are %+v", events)
		}
		if tt := o.Snapshot().Totals; tt.Panics != 1 || tt.Restarts != 1 {
			t.Errorf("totals are %+v", tt)
		}
		runtime.KeepAlive(a)
	})
}

func TestRestartsWithinAPeriod(t *testing.T) {
	var l restartLog
	start := time.Now()
	for i := range 2 * mostTimes {
		l.add(start.Add(time.Duration(i)*time.Second), 0, start)
	}
	now := start.Add((2*mostTimes - 1) * time.Second)
	for _, n := range []int{0, 1, 10, mostTimes/2 - 1} {
		if got := l.within(time.Duration(n)*time.Second, now); got != n+1 {
			t.Errorf("within %d s there were %d, want %d", n, got, n+1)
		}
	}
	if l.total != 2*mostTimes || len(l.times) > mostTimes {
		t.Errorf("total is %d, kept are %d", l.total, len(l.times))
	}
}

// A process that watches Ready and waits for somebody else meanwhile is busy.
func TestWhoWaitsIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New(Options{})
		ctx, end := context.WithCancel(o.Watch(t.Context()))
		_, silent := actor.Spawn(ctx, actor.Config{Name: "silent"}, func(_ context.Context, in *actor.Inbox[actor.Reply[int]]) error {
			<-in.Halting()
			return nil
		})
		tick := make(chan struct{})
		pool, _ := actor.SpawnPool(ctx, actor.Config{Name: "pool"}, 3, actor.NoValue(func(ctx context.Context, in *actor.Inbox[int]) error {
			select {
			case <-in.Ready():
				return nil
			case <-tick:
			}
			if in.Index() == 2 {
				<-in.Halting()
				return nil
			}
			_, err := actor.Ask(ctx, silent, func(r actor.Reply[int]) actor.Reply[int] { return r })
			return err
		}))
		synctest.Wait()
		if a := find(t, o.Snapshot(), "pool"); a.State != StateIdle || a.Processes.Busy != 0 {
			t.Errorf("who watches Ready is %s, %d busy", a.State, a.Processes.Busy)
		}
		close(tick)
		synctest.Wait()
		s := o.Snapshot()
		if a := find(t, s, "pool"); a.State != StateAnswer || a.Processes.Busy != 2 || a.HandSince != nil || s.Totals.Busy != 3 {
			t.Errorf("who waits for answers is %s, %d busy, of all %d", a.State, a.Processes.Busy, s.Totals.Busy)
		}
		end()
		<-pool.Done()
	})
}

// Events are shown in the order in which they happened, and each is sent once,
// though they come on different ways.
func TestEventsAreInOrder(t *testing.T) {
	o := New(Options{})
	now := time.Now().Round(0)
	tell := func(kind actor.EventKind, after time.Duration) {
		o.observe(actor.Event{Kind: kind, ID: 7, Process: 0, Time: now.Add(after)})
	}
	kinds := func(events []Event) (kinds string) {
		for _, e := range events {
			kinds += e.Kind + " "
		}
		return kinds
	}
	tell(actor.EventSpawned, -time.Minute)
	tell(actor.EventRestarting, 3*time.Millisecond) // of the supervisor
	tell(actor.EventPanicked, time.Millisecond)
	first := o.Snapshot().Events
	if got, want := kinds(first), "spawned panicked restarting "; got != want {
		t.Errorf("in order are %s, want %s", got, want)
	}
	tell(actor.EventExited, 2*time.Millisecond)
	tell(actor.EventRestarted, -time.Hour) // the clock was set back
	second := o.Snapshot().Events
	if got, want := kinds(second), "spawned panicked exited restarting restarted "; got != want {
		t.Errorf("in order are %s, want %s", got, want)
	}
	if got, want := kinds(since(first, second)), "exited restarted "; got != want {
		t.Errorf("new are %s, want %s", got, want)
	}
	if got := since(second, second); got == nil || len(got) > 0 {
		t.Errorf("new is %v", got)
	}
}
