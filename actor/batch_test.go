package actor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// rxTimedBatch is rxBatch that also says how long it took.
func rxTimedBatch(n int, wait time.Duration) rxStep {
	return func(ctx context.Context, in *actor.Inbox[int]) string {
		start := time.Now()
		text := rxBatch(n, wait)(ctx, in)
		return fmt.Sprint(text, " ", time.Since(start))
	}
}

func TestR7BatchTakesWhatIsThere(t *testing.T) {
	for _, c := range []struct {
		n, queued int
		wait      time.Duration
		want      string
	}{
		{3, 5, time.Hour, "[1 2 3] 0s"}, // full
		{3, 3, time.Hour, "[1 2 3] 0s"},
		{3, 2, time.Second, "[1 2] 1s"},
		{3, 2, 0, "[1 2] 0s"},
		{3, 2, -time.Second, "[1 2] 0s"},
		{1, 2, time.Hour, "[1] 0s"},
	} {
		t.Run(fmt.Sprintf("%d of %d in %v", c.n, c.queued, c.wait), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, addr, p := rxPool(t, actor.Config{}, 1)
				for i := range c.queued {
					rxSend(t, addr, i+1)
				}
				o := p[0].does(rxTimedBatch(c.n, c.wait))
				time.Sleep(time.Minute)
				rxWant(t, "batch", o, c.want)
				if left, want := addr.Len(), max(0, c.queued-c.n); left != want {
					t.Errorf("%d messages left, want %d", left, want)
				}
			})
		})
	}
}

// The time runs from the first message on, and the batch ends with it or when
// it is full.
func TestR7BatchWaits(t *testing.T) {
	for _, c := range []struct {
		at   []time.Duration // when 1, 2, … are sent
		want string
	}{
		{[]time.Duration{time.Hour}, "[1] 1h0m10s"},
		{[]time.Duration{5 * time.Second, 14 * time.Second, 16 * time.Second}, "[1 2] 15s"},
		{[]time.Duration{0, time.Second, 2 * time.Second, 3 * time.Second}, "[1 2 3] 2s"},
	} {
		t.Run(c.want, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, addr, p := rxPool(t, actor.Config{}, 1)
				o := p[0].does(rxTimedBatch(3, 10*time.Second))
				start := time.Now()
				for i, at := range c.at {
					time.Sleep(at - time.Since(start))
					rxSend(t, addr, i+1)
				}
				time.Sleep(time.Minute)
				rxWant(t, "batch", o, c.want)
			})
		})
	}
}

// A second batch has its own time, also if the first was cut short.
func TestR7EachBatchHasItsOwnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, addr, p := rxPool(t, actor.Config{}, 1)
		for _, want := range []string{"[1 2] 3s", "[1 2] 3s", "[1] 10s", "[1 2] 3s"} {
			o := p[0].does(rxTimedBatch(2, 10*time.Second))
			rxSend(t, addr, 1)
			time.Sleep(3 * time.Second)
			if strings.Contains(want, "2") {
				rxSend(t, addr, 2)
			}
			time.Sleep(20 * time.Second)
			rxWant(t, "batch", o, want)
		}
	})
}

// The batch's time is up at the moment at which a message is given to it: it
// must end all the same.
func TestR7TimeoutAndMessageTogether(t *testing.T) {
	for range 300 {
		synctest.Test(t, func(t *testing.T) {
			_, addr, p := rxPool(t, actor.Config{}, 1)
			o := p[0].does(rxTimedBatch(3, time.Second))
			rxSend(t, addr, 1)
			second := time.AfterFunc(time.Second, func() { rxSend(t, addr, 2) })
			defer second.Stop()
			time.Sleep(time.Minute)
			synctest.Wait()
			if text := o.text(); text != "[1] 1s" && text != "[1 2] 1s" {
				t.Errorf("batch: %s, want one or two messages after 1s", text)
			}
		})
		if t.Failed() {
			return
		}
	}
}

// What ends a wait ends the gathering. The messages come without it, and the
// next receive tells.
func TestR7EndWhileGathering(t *testing.T) {
	type pool = *actor.Pool[int, actor.None]
	for _, c := range []struct {
		name string
		end  func(pool, context.CancelFunc)
		next []string
	}{
		{"close", func(p pool, _ context.CancelFunc) { p.Close() }, []string{"closed", "closed"}},
		{"halt", func(p pool, _ context.CancelFunc) { p.Halt() }, []string{"halted", "closed"}},
		{"halt some", func(p pool, _ context.CancelFunc) { p.HaltSome(1) }, []string{"halted", "canceled"}},
		{"ctx", func(_ pool, cancel context.CancelFunc) { cancel() }, []string{"canceled", "canceled"}},
	} {
		for _, gathered := range []int{2, 0} {
			t.Run(fmt.Sprintf("%s at %d", c.name, gathered), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					pool, addr, p := rxPool(t, actor.Config{}, 1)
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					batch := rxWith(ctx, rxTimedBatch(5, time.Hour))
					o := p[0].does(batch)
					time.Sleep(time.Second)
					for i := range gathered {
						rxSend(t, addr, i+1)
					}
					time.Sleep(time.Second)
					c.end(pool, cancel)
					next := c.next
					if gathered > 0 {
						rxWant(t, "batch", o, "[1 2] 2s")
						cancel()
						o = p[0].does(rxWith(ctx, rxBatch(5, time.Hour)))
						rxWant(t, "next batch", o, next[0])
					} else {
						rxWant(t, "batch", o, next[0]+" 2s")
						cancel()
					}
					rxWant(t, "last batch", p[0].does(rxWith(ctx, rxBatch(5, time.Hour))), next[1])
				})
			})
		}
	}
}

// A halt that is there before comes alone, and leaves the queue.
func TestR7HaltBeforeBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, addr, p := rxPool(t, actor.Config{}, 1)
		rxSend(t, addr, 1, 2)
		pool.Halt()
		rxWant(t, "batch", p[0].does(rxBatch(3, time.Hour)), "halted")
		rxWant(t, "next batch", p[0].does(rxBatch(3, time.Hour)), "[1 2]")
		rxWant(t, "last batch", p[0].does(rxBatch(3, time.Hour)), "closed")
	})
}

func TestR7GatheredCountsAsReceived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var left list[int]
		_, addr, p := rxPool(t, actor.Config{Undelivered: left.addAny}, 1)
		rxSend(t, addr, 1, 2, 3)
		o := p[0].does(rxBatch(2, time.Hour))
		rxWant(t, "batch", o, "[1 2]")
		o = p[0].does(rxBatch(2, time.Hour))
		rxWant(t, "batch", o, "waits")
		if n := addr.Len(); n != 0 {
			t.Errorf("%d messages in the inbox while the third is gathered, want 0", n)
		}
		rxSend(t, addr, 4)
		p[0].quit()
		if got := left.get(); len(got) != 0 {
			t.Errorf("undelivered %v, want nothing", got)
		}
	})
}

// Nobody has seen what is gathered when an abort comes: it goes back, in order,
// before what is queued.
func TestR7AbortGivesBack(t *testing.T) {
	for _, n := range []int{0, 1, 3} {
		synctest.Test(t, func(t *testing.T) {
			var left list[int]
			pool, addr, p := rxPool(t, actor.Config{Undelivered: left.addAny}, 1)
			dst := []int{-1, -1, -1, -1, -1}
			o := p[0].does(func(ctx context.Context, in *actor.Inbox[int]) string {
				return rxSay(in.RecvBatch(ctx, dst, time.Hour))
			})
			var want []int
			for i := range n + 1 {
				synctest.Wait()
				rxSend(t, addr, i+1) // the last is given to the process, which may not have seen it at the abort
				want = append(want, i+1)
			}
			pool.Abort()
			rxWant(t, "batch", o, "unwinds")
			if got := left.get(); !slices.Equal(got, want) {
				t.Errorf("undelivered %v, want %v", got, want)
			}
			if m := slices.Max(dst); m > 0 {
				t.Errorf("dst keeps %d, which was given back", m)
			}
		})
	}
}

// Two processes gather at once: both give back, and nothing comes twice.
func TestR7AbortOfAPoolGivesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var left list[int]
		pool, addr, p := rxPool(t, actor.Config{Undelivered: left.addAny}, 2)
		a, b := p[0].does(rxBatch(5, time.Hour)), p[1].does(rxBatch(5, time.Hour))
		for i := range 6 {
			rxSend(t, addr, i)
			synctest.Wait()
		}
		pool.Abort()
		rxWant(t, "batch", a, "unwinds")
		rxWant(t, "batch", b, "unwinds")
		got := left.get()
		slices.Sort(got)
		if !slices.Equal(got, []int{0, 1, 2, 3, 4, 5}) {
			t.Errorf("undelivered %v, want 0 to 5", got)
		}
	})
}

func TestR7EmptyDstPanics(t *testing.T) {
	captureLogs(t)
	for _, dst := range [][]int{nil, {}} {
		child, addr := actor.Spawn(context.Background(), actor.Config{Undelivered: func(any) {}},
			func(ctx context.Context, in *actor.Inbox[int]) error {
				_, err := in.RecvBatch(ctx, dst, 0)
				return err
			})
		_ = addr.SendNow(1) // whether or not there is something to receive
		_, err := child.Wait(context.Background())
		if panicked := new(actor.PanicError); !errors.As(err, &panicked) || !strings.Contains(err.Error(), "dst") {
			t.Errorf("RecvBatch(%#v): %v, want a panic that names dst", dst, err)
		}
	}
}
