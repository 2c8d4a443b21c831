package actor_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// undeliveredGoroutine names the goroutine that calls it.
func undeliveredGoroutine() string {
	var line [64]byte
	name, _, _ := bytes.Cut(line[:runtime.Stack(line[:], false)], []byte(" ["))
	return string(name)
}

func undeliveredFill(t *testing.T, addr *actor.Address[int], n int) {
	t.Helper()
	for i := range n {
		if err := addr.Send(t.Context(), i); err != nil {
			t.Fatal(err)
		}
	}
}

func undeliveredWant(t *testing.T, l *list[int], first, n int) {
	t.Helper()
	var want []int
	for i := range n {
		want = append(want, first+i)
	}
	if got := l.get(); !slices.Equal(got, want) {
		t.Errorf("undelivered %v, want %v", got, want)
	}
}

// Undelivered gets what is left one by one, in order, on the goroutine of the
// process that ends last, before Done is closed.
func TestX6UndeliveredRunsOnTheLastProcess(t *testing.T) {
	for _, n := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			var back list[int]
			var goroutines list[string]
			var last string
			var running atomic.Int32
			var self *actor.Pool[int, actor.None]
			started := make(chan struct{})
			cfg := actor.Config{Undelivered: func(m any) {
				if running.Add(1) > 1 {
					t.Error("two calls at the same time")
				}
				select {
				case <-self.Done():
					t.Error("Done is closed already")
				default:
				}
				goroutines.add(undeliveredGoroutine())
				time.Sleep(time.Second)
				back.add(m.(int))
				running.Add(-1)
			}}
			pool, addr := actor.SpawnPool(t.Context(), cfg, n, actor.NoValue(
				func(ctx context.Context, in *actor.Inbox[int]) error {
					<-started
					time.Sleep(time.Duration(10-in.Index()) * time.Minute) // process 0 ends last
					if got := back.get(); len(got) != 0 {
						t.Errorf("undelivered %v while a process lives", got)
					}
					if in.Index() == 0 {
						last = undeliveredGoroutine()
					}
					return nil
				}))
			self = pool
			undeliveredFill(t, addr, 5)
			close(started)
			<-pool.Done()
			undeliveredWant(t, &back, 0, 5)
			for _, g := range goroutines.get() {
				if g != last {
					t.Errorf("a call on %s, want %s of the last process", g, last)
				}
			}
			if pool.Len() != 0 {
				t.Errorf("Len is %d after Done", pool.Len())
			}
		})
	}
}

// No lock is held: Undelivered may use its own actor and send elsewhere.
func TestX6UndeliveredHoldsNoLock(t *testing.T) {
	captureLogs(t)
	synctest.Test(t, func(t *testing.T) {
		var got list[int]
		heir, heirAddr := actor.Spawn(t.Context(), actor.Config{}, keep(&got))
		var self *actor.Child[int, actor.None]
		calls := 0
		cfg := actor.Config{Undelivered: func(m any) {
			calls++
			if err := heirAddr.TrySend(m.(int)); err != nil {
				t.Error(err)
			}
			a := self.Address()
			if err := a.Send(t.Context(), 1); !errors.Is(err, actor.ErrClosed) {
				t.Errorf("Send to the ending actor: %v", err)
			}
			if left := self.Len(); left != 3-calls {
				t.Errorf("Len is %d in call %d", left, calls)
			}
			if self.Processes() != 0 || !a.Closed() || self.Close() {
				t.Error("the actor is not one whose body has ended")
			}
			if err := self.Pool().Spawn(actor.NoValue(keep(new(list[int])))); !errors.Is(err, actor.ErrClosed) {
				t.Errorf("Pool.Spawn in the ending actor: %v", err)
			}
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			if err := a.Wait(ended); !errors.Is(err, context.Canceled) {
				t.Errorf("Wait in the ending actor: %v", err)
			}
			a.Watch(heirAddr, func(error) int { return 0 })
			a.SendAfter(time.Hour, 1)
			self.Pool().HaltSome(1)
			self.Halt()
			self.Detach()
			self.Attach(time.Minute)
			self.Drop()
			self.Abort()
		}}
		release := make(chan struct{})
		child, addr := actor.Spawn(t.Context(), cfg, until[int](release))
		self = child
		undeliveredFill(t, addr, 3)
		close(release)
		if _, err := child.Wait(t.Context()); err != nil {
			t.Errorf("exit is %v: the body had ended well before the abort", err)
		}
		heir.Drain(t.Context())
		undeliveredWant(t, &got, 0, 3)
	})
}

// A panic in Undelivered is recorded, with the actor's name and the stack, and
// so is nothing but the panic: the rest follows and the exit stays what it was.
// A Goexit ends nothing either.
func TestX6UndeliveredMayPanic(t *testing.T) {
	for name, failing := range map[string]func(){
		"panic":     func() { panic(errAskBoom) },
		"panic nil": func() { panic(nil) },
		"Goexit":    runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			l := captureLogs(t)
			synctest.Test(t, func(t *testing.T) {
				var back list[int]
				var events obsEvents
				cfg := actor.Config{Name: "leaver", Undelivered: func(m any) {
					back.add(m.(int))
					if m.(int)%2 == 0 {
						failing()
					}
				}}
				release := make(chan struct{})
				child, addr := actor.Spawn(actor.WithObserver(t.Context(), &events), cfg, until[int](release))
				undeliveredFill(t, addr, 4)
				close(release)
				if _, err := child.Wait(t.Context()); err != nil {
					t.Errorf("exit is %v", err)
				}
				undeliveredWant(t, &back, 0, 4)
				synctest.Wait()
				count := 0
				for _, e := range events.kind(actor.EventUndelivered) {
					count += e.Count
				}
				if count != 4 {
					t.Errorf("the observer heard of %d undelivered messages, want 4", count)
				}
				if name == "Goexit" {
					return
				}
				if lines := l.lines("level=ERROR", "panicked", "actor=leaver", "undelivered_test.go"); len(lines) != 2 {
					t.Errorf("logged %q, want both panics with their stacks", lines)
				}
				for _, e := range events.kind(actor.EventPanicked) {
					p, ok := errors.AsType[*actor.PanicError](e.Err)
					if !ok || e.Process != -1 || !strings.Contains(e.Err.Error(), `"leaver"`) || !strings.Contains(string(p.Stack), "undelivered_test.go") {
						t.Errorf("the observer heard of %+v", e)
					}
				}
				if n := len(events.kind(actor.EventPanicked)); n != 2 {
					t.Errorf("the observer heard of %d panics, want 2", n)
				}
			})
		})
	}
}

// If Undelivered hangs, its process counts as stuck: Stop says where, owners
// stop waiting, and what is behind follows when it goes on after all.
func TestX6UndeliveredThatHangsIsStuck(t *testing.T) {
	captureLogs(t)
	synctest.Test(t, func(t *testing.T) {
		var back list[int]
		hang := make(chan struct{})
		cfg := actor.Config{Name: "hoarder", Undelivered: func(m any) { undeliveredHang(hang); back.add(m.(int)) }}
		var child *actor.Child[int, actor.None]
		owner, _ := actor.Spawn(t.Context(), actor.Config{Name: "owner"}, func(ctx context.Context, in *actor.Inbox[int]) error {
			var addr *actor.Address[int]
			child, addr = actor.Spawn(ctx, cfg, func(ctx context.Context, in *actor.Inbox[int]) error {
				<-in.Halting()
				return nil
			})
			undeliveredFill(t, addr, 3)
			_, err := in.Recv(ctx)
			return err
		})
		synctest.Wait()
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := owner.Stop(ctx)
		if d := time.Since(start); d != time.Second+actor.StuckAfter {
			t.Errorf("Stop took %v", d)
		}
		if !errors.Is(err, actor.ErrStuck) {
			t.Fatalf("Stop says %v, want ErrStuck", err)
		}
		for _, words := range []string{`"hoarder"`, "Undelivered", "undeliveredHang"} {
			if !strings.Contains(err.Error(), words) {
				t.Errorf("the error does not have %q: %v", words, err)
			}
		}
		<-owner.Done()
		select {
		case <-child.Done():
			t.Error("Done is closed while Undelivered hangs")
		default:
		}
		close(hang)
		<-child.Done()
		undeliveredWant(t, &back, 0, 3)
	})
}

// undeliveredHang is a frame to look for in a stack.
//
//go:noinline
func undeliveredHang(c <-chan struct{}) { <-c }

// Behind a stuck process Undelivered runs on another goroutine, as soon as the
// process is declared stuck, and not again when it ends after all.
func TestX6UndeliveredBehindAStuckProcess(t *testing.T) {
	captureLogs(t)
	for name, failing := range map[string]func(){
		"returns": func() {},
		"panics":  func() { panic(errAskBoom) },
		"Goexit":  runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var back list[int]
				var goroutines list[string]
				release := make(chan struct{})
				stuck := make(chan string, 2)
				cfg := actor.Config{Undelivered: func(m any) {
					goroutines.add(undeliveredGoroutine())
					back.add(m.(int))
					failing()
				}}
				pool, addr := actor.SpawnPool(t.Context(), cfg, 2, actor.NoValue(
					func(ctx context.Context, in *actor.Inbox[int]) error {
						stuck <- undeliveredGoroutine()
						<-release
						return nil
					}))
				undeliveredFill(t, addr, 3)
				pool.Abort()
				time.Sleep(actor.StuckAfter)
				synctest.Wait()
				undeliveredWant(t, &back, 0, 3)
				for range 2 {
					if g := <-stuck; slices.Contains(goroutines.get(), g) {
						t.Errorf("Undelivered ran on %s, which is stuck", g)
					}
				}
				close(release)
				<-pool.Done()
				undeliveredWant(t, &back, 0, 3)
			})
		})
	}
}
