package actor_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// The tests of this file give any numbers and durations to what takes them. A
// call either works as it is documented, or panics with a text that names the
// function and the argument, if that makes no sense; nothing hangs: in a bubble
// that is a deadlock, which is reported.

// aGeneration is the longest that the tests let pass; timers of a longer time
// are as good as none.
const aGeneration = 30 * 365 * 24 * time.Hour

// refuses reports whether f panics, and checks that it does if and only if it is
// to, with a text that begins with function and argument.
func refuses(t *testing.T, text string, senseless bool, f func()) (refused bool) {
	t.Helper()
	defer func() {
		t.Helper()
		p := recover()
		refused = p != nil
		switch {
		case refused != senseless:
			t.Errorf("%s: panic %v, want one: %t", text, p, senseless)
		case refused && !strings.HasPrefix(fmt.Sprint(p), "actor: "+text):
			t.Errorf("the panic says %q, want %q", p, text)
		}
	}()
	f()
	return false
}

func FuzzO5Bounded(f *testing.F) {
	f.Add(int64(1), uint8(3))
	f.Add(int64(0), uint8(0))
	f.Add(int64(math.MinInt64), uint8(0))
	f.Add(int64(math.MaxInt32), uint8(200))
	f.Add(int64(1<<30), uint8(10))
	f.Fuzz(func(t *testing.T, number int64, sends uint8) {
		n := int(number)
		var c actor.Capacity
		if refuses(t, fmt.Sprintf("Bounded: n is %d,", n), n < 1, func() { c = actor.Bounded(n) }) {
			return
		}
		if c != actor.Bounded(n) || c.String() != fmt.Sprintf("Bounded(%d)", n) {
			t.Errorf("Bounded(%d) is %v", n, c)
		}
		accepted := 0
		child, addr := actor.Spawn(context.Background(), actor.Config{Capacity: c, Undelivered: func(any) {}}, waitForAbort)
		for range sends {
			if addr.TrySend(0) == nil {
				accepted++
			}
		}
		if want := min(n, int(sends)); accepted != want || addr.Len() != want || addr.Capacity() != c {
			t.Errorf("%d of %d were accepted by %v", accepted, sends, addr.Capacity())
		}
		child.Abort()
		<-child.Done()
	})
}

// waitForAbort is a body that cares for nothing but its abort.
func waitForAbort(ctx context.Context, _ *actor.Inbox[int]) error {
	<-ctx.Done()
	return nil
}

func FuzzO5Backpressure(f *testing.F) {
	f.Add(int64(1), int64(0), 1.0, uint8(3))
	f.Add(int64(0), int64(-1), 0.5, uint8(0))
	f.Add(int64(math.MinInt64), int64(math.MinInt64), math.NaN(), uint8(0))
	f.Add(int64(math.MaxInt32), int64(math.MaxInt64), math.MaxFloat64, uint8(20))
	f.Add(int64(1), int64(math.MaxInt64), math.Inf(1), uint8(20))
	f.Add(int64(3), int64(time.Second), 1.0, uint8(20))
	f.Add(int64(1), int64(1), 1e300, uint8(20))
	f.Fuzz(func(t *testing.T, mark, base int64, factor float64, sends uint8) {
		start := int(mark)
		text, senseless := "Backpressure: ", true
		switch d := time.Duration(base); {
		case start < 1:
			text += fmt.Sprintf("start is %d,", start)
		case d < 0:
			text += fmt.Sprintf("base is %v,", d)
		case math.IsNaN(factor), factor < 1, math.IsInf(factor, 0):
			text += fmt.Sprintf("factor is %v,", factor)
		default:
			senseless = false
		}
		var c actor.Capacity
		if refuses(t, text, senseless, func() { c = actor.Backpressure(start, time.Duration(base), factor) }) {
			return
		}
		if want := fmt.Sprintf("Backpressure(%d, %v, %v)", start, time.Duration(base), factor); c.String() != want {
			t.Errorf("%s is %v", want, c)
		}
		synctest.Test(t, func(t *testing.T) {
			child, addr := actor.Spawn(t.Context(), actor.Config{Capacity: c, Undelivered: func(any) {}}, waitForAbort)
			for range sends {
				began := time.Now()
				if err := addr.Send(t.Context(), 0); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took > 10*time.Millisecond || took > 0 && addr.Len() <= start {
					t.Errorf("message %d is delayed by %v", addr.Len(), took)
				}
			}
			child.Abort()
			<-child.Done()
		})
	})
}

// bodies are what an actor may do when its owner has ended.
var bodies = []func(context.Context, *actor.Inbox[int]) error{
	lifeObey,
	waitForAbort,
	func(context.Context, *actor.Inbox[int]) error { return nil },
	func(ctx context.Context, in *actor.Inbox[int]) error { in.Recv(ctx); panic("crash") },
}

func FuzzO1Config(f *testing.F) {
	f.Add("", int64(0), uint8(0), uint8(0))
	f.Add("name", int64(-1), uint8(1), uint8(1))
	f.Add("a\x00b\xff\n", int64(math.MinInt64), uint8(2), uint8(2))
	f.Add("%d%!s", int64(math.MaxInt64), uint8(4), uint8(3))
	f.Add("", int64(time.Hour), uint8(6), uint8(1))
	f.Add("", int64(1), uint8(255), uint8(4))
	f.Fuzz(func(t *testing.T, name string, timer int64, flags, body uint8) {
		captureLogs(t)
		synctest.Test(t, func(t *testing.T) {
			handedBack := 0
			cfg := actor.Config{
				Name:        name,
				AbortTimer:  time.Duration(timer),
				Detached:    flags&1 != 0,
				Drain:       flags&2 != 0,
				Undelivered: func(any) { handedBack++ },
			}
			if flags&4 != 0 {
				cfg.Capacity = actor.Bounded(3)
			}
			if flags&8 != 0 {
				cfg.Undelivered = func(any) { panic("no") }
			}
			owner, end := context.WithCancel(context.Background())
			defer end()
			if flags&16 != 0 {
				end()
			}
			child, addr := actor.Spawn(owner, cfg, bodies[int(body)%len(bodies)])
			if child.Name() != name || !strings.Contains(child.String(), fmt.Sprint(child.ID())) {
				t.Errorf("it is called %q", child)
			}
			accepted := 0
			for range 3 {
				if addr.TrySend(1) == nil {
					accepted++
				}
			}
			end()
			endsInTime(t, child, cfg.AbortTimer, cfg.Detached)
			if addr.Len() != 0 || handedBack > accepted {
				t.Errorf("%d are in the inbox, and of %d there are %d leftovers", addr.Len(), accepted, handedBack)
			}
		})
	})
}

// endsInTime checks that an actor whose owner has ended has an end when its abort
// timer has run out, and ends it if that does not concern it.
func endsInTime(t *testing.T, child *actor.Child[int, actor.None], timer time.Duration, detached bool) {
	t.Helper()
	wait := timer
	switch {
	case timer == 0:
		wait = actor.DefaultAbortTimer
	case timer < 0:
		wait = 0
	}
	if detached || wait > aGeneration {
		time.Sleep(time.Hour)
		child.Abort()
		wait = time.Hour
	}
	began := time.Now()
	<-child.Done()
	if took := time.Since(began); took > wait {
		t.Errorf("with a timer of %v it has ended after %v", timer, took)
	}
}

func FuzzO1Attach(f *testing.F) {
	f.Add(int64(0), int64(-1), uint8(1), true)
	f.Add(int64(math.MaxInt64), int64(math.MinInt64), uint8(1), false)
	f.Add(int64(1), int64(math.MaxInt64), uint8(0), true)
	f.Add(int64(time.Second), int64(time.Minute), uint8(1), true)
	f.Fuzz(func(t *testing.T, first, second int64, body uint8, before bool) {
		captureLogs(t)
		synctest.Test(t, func(t *testing.T) {
			owner, end := context.WithCancel(context.Background())
			defer end()
			child, _ := actor.Spawn(owner, actor.Config{Detached: true}, bodies[int(body)%len(bodies)])
			child.Attach(time.Duration(first))
			child.Detach()
			if !before {
				end()
			}
			child.Pool().Attach(time.Duration(second))
			end()
			endsInTime(t, child, time.Duration(second), false)
		})
	})
}

func FuzzO5SpawnPool(f *testing.F) {
	f.Add(int64(1), int64(1))
	f.Add(int64(0), int64(0))
	f.Add(int64(math.MinInt64), int64(math.MinInt32))
	f.Add(int64(500), int64(math.MaxInt32))
	f.Add(int64(1_000_001), int64(0))
	f.Add(int64(20), int64(7))
	f.Add(int64(20), int64(-1))
	f.Fuzz(func(t *testing.T, processes, some int64) {
		n, halts := int(processes), int(some)
		const most = 1_000_000
		if n > 500 && n <= most {
			n = n%500 + 1 // each is a goroutine, and there are many runs
		}
		synctest.Test(t, func(t *testing.T) {
			var pool *actor.Pool[int, actor.None]
			if refuses(t, fmt.Sprintf("SpawnPool: n is %d,", n), n < 1 || n > most, func() {
				pool, _ = actor.SpawnPool(context.Background(), actor.Config{}, n, actor.NoValue(lifeObey))
			}) {
				return
			}
			synctest.Wait()
			if !refuses(t, fmt.Sprintf("HaltSome: n is %d,", halts), halts < 0, func() { pool.HaltSome(halts) }) {
				synctest.Wait()
				if left := n - min(n, halts); pool.Processes() != left {
					t.Errorf("%d of %d are left after HaltSome(%d)", pool.Processes(), n, halts)
				}
			}
			if exits, err := pool.Stop(context.Background()); len(exits) != n || err != nil {
				t.Errorf("%d exits of %d, %v", len(exits), n, err)
			}
		})
	})
}

func FuzzR7RecvBatch(f *testing.F) {
	f.Add(uint16(0), int64(0), uint8(3), int64(0))
	f.Add(uint16(10), int64(-1), uint8(3), int64(time.Second))
	f.Add(uint16(10), int64(math.MaxInt64), uint8(3), int64(time.Second))
	f.Add(uint16(10), int64(math.MinInt64), uint8(0), int64(math.MaxInt64))
	f.Add(uint16(1000), int64(time.Second), uint8(200), int64(time.Millisecond))
	f.Add(uint16(4), int64(1), uint8(5), int64(1))
	f.Fuzz(func(t *testing.T, size uint16, wait int64, queued uint8, patience int64) {
		captureLogs(t)
		patience = min(patience, int64(aGeneration))
		synctest.Test(t, func(t *testing.T) {
			dst := make([]int, size)
			child, addr := actor.SpawnValue(context.Background(), actor.Config{Undelivered: func(any) {}, Capacity: actor.Unbounded()},
				func(ctx context.Context, in *actor.Inbox[int]) (n int, err error) {
					ctx, cancel := context.WithTimeout(ctx, time.Duration(patience))
					defer cancel()
					in.Address().SendAfter(time.Microsecond, 0) // so that one comes at last
					for range queued {
						in.Address().SendNow(0)
					}
					refused := refuses(t, "RecvBatch: dst is empty", size == 0, func() { n, err = in.RecvBatch(ctx, dst, time.Duration(wait)) })
					if refused {
						return 0, io.EOF
					}
					return n, err
				})
			began := time.Now()
			n, err := child.Wait(context.Background())
			most := max(0, time.Duration(patience), time.Microsecond)
			switch took := time.Since(began); {
			case size == 0:
			case err != nil && (n != 0 || queued > 0 || !errors.Is(err, context.DeadlineExceeded)):
				t.Errorf("a batch of %d and the error %v", n, err)
			case err == nil && (n < min(int(queued), int(size), 1) || n > min(int(queued)+1, int(size))):
				t.Errorf("a batch of %d of %d for %d", n, queued, size)
			case took > most, queued > 0 && took > max(0, time.Duration(wait)):
				t.Errorf("it has waited for %v", took)
			}
			if addr.Len() != 0 {
				t.Error("something is left")
			}
		})
	})
}

func FuzzS11Timers(f *testing.F) {
	f.Add(int64(0), uint8(3), int64(0))
	f.Add(int64(-1), uint8(0), int64(math.MinInt64))
	f.Add(int64(math.MinInt64), uint8(0), int64(math.MaxInt64))
	f.Add(int64(math.MaxInt64), uint8(5), int64(time.Hour))
	f.Add(int64(1), uint8(100), int64(1))
	f.Add(int64(time.Second), uint8(2), int64(-time.Second))
	f.Fuzz(func(t *testing.T, period int64, ticks uint8, after int64) {
		every, once := time.Duration(period), time.Duration(after)
		synctest.Test(t, func(t *testing.T) {
			var got list[int]
			child, addr := actor.Spawn(context.Background(), actor.Config{}, keep(&got))
			defer child.Stop(context.Background())
			var stop func() bool
			if !refuses(t, fmt.Sprintf("SendEvery: d is %v,", every), every <= 0, func() { stop = addr.SendEvery(every, 1) }) {
				want := int(ticks)
				if every > aGeneration/256 {
					want = 0
				}
				time.Sleep(time.Duration(want) * every)
				synctest.Wait()
				if n := len(got.get()); n != want {
					t.Errorf("after %d times %v there were %d ticks", want, every, n)
				}
				if !stop() || stop() {
					t.Error("to stop it prevents ticks, once")
				}
			}
			before := len(got.get())
			stop = addr.SendAfter(once, 1)
			due := once <= aGeneration
			if due {
				time.Sleep(max(0, once))
			} else {
				time.Sleep(time.Hour)
			}
			synctest.Wait()
			if prevented, n := stop(), len(got.get())-before; prevented == due || (n == 1) != due {
				t.Errorf("SendAfter(%v): %d messages, and stop has prevented one: %t", once, n, prevented)
			}
		})
	})
}

// What an error says may be asked for, whatever somebody has panicked with.
func FuzzE4PanicError(f *testing.F) {
	f.Add("text", []byte("stack"), uint8(0))
	f.Add("", []byte(nil), uint8(1))
	f.Add("%!v\x00", []byte{0xff}, uint8(2))
	f.Fuzz(func(t *testing.T, text string, stack []byte, kind uint8) {
		cause := errors.New(text)
		value := []any{text, cause, nil, 7, panickyError{}, []byte(text), func() {}}[kind%7]
		err := &actor.PanicError{Value: value, Stack: stack}
		if err.Error() == "" || strings.Contains(err.Error(), "%!v(PANIC") && kind%7 != 4 && !strings.Contains(text, "PANIC") {
			t.Errorf("it says %q", err)
		}
		if want, _ := value.(error); errors.Unwrap(err) != want {
			t.Errorf("it unwraps to %v", errors.Unwrap(err))
		}
	})
}

// panickyError is an error that cannot be printed.
type panickyError struct{}

func (panickyError) Error() string { panic("no text") }
