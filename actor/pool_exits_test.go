package actor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// Case 31: Processes and Len are right through a pool's life, for all who ask.
func TestC5Counts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := actor.NoValue(func(ctx context.Context, in *actor.Inbox[int]) error {
			<-in.Halting()
			return nil
		})
		pool, addr := actor.SpawnPool(t.Context(), actor.Config{Undelivered: func(any) {}}, 4, body)
		check := func(after string, processes, messages int) {
			t.Helper()
			synctest.Wait()
			if a, p := addr.Processes(), pool.Processes(); a != processes || p != processes {
				t.Errorf("after %s: %d and %d processes, want %d", after, a, p, processes)
			}
			if a, p := addr.Len(), pool.Len(); a != messages || p != messages {
				t.Errorf("after %s: %d and %d messages, want %d", after, a, p, messages)
			}
		}
		check("spawn", 4, 0)
		pool.HaltSome(1)
		check("HaltSome(1)", 3, 0)
		rxSend(t, addr, 1, 2)
		if err := pool.Spawn(body); err != nil {
			t.Error(err)
		}
		check("Spawn", 4, 2)
		pool.HaltSome(2)
		check("HaltSome(2)", 2, 2)
		if err := pool.Spawn(actor.NoValue(func(ctx context.Context, in *actor.Inbox[int]) error {
			_, err := in.Recv(ctx)
			if n := in.Len(); n != 1 {
				t.Errorf("Inbox.Len: %d, want 1", n)
			}
			return err
		})); err != nil {
			t.Error(err)
		}
		check("a process that receives once", 2, 1)
		pool.Halt()
		check("Halt", 0, 0)
		<-pool.Done()
	})
}

// Index counts in the order of spawning and is never used again.
func TestC5IndexIsNeverReused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		index := func(_ context.Context, in *actor.Inbox[int]) string { return fmt.Sprint(in.Index()) }
		pool, _, p := rxPool(t, actor.Config{}, 3)
		for i := 3; i < 10; i++ {
			p[len(p)-1].quit() // the youngest, whose number would come first if numbers were used again
			p = append(p[:len(p)-1], rxJoin(t, pool))
			rxWant(t, "Index", p[len(p)-1].does(index), fmt.Sprint(i))
		}
		rxWant(t, "Index of the oldest", p[0].does(index), "0")
		child, addr := actor.Spawn(t.Context(), actor.Config{}, func(_ context.Context, in *actor.Inbox[int]) error {
			if in.Index() != 0 {
				t.Errorf("Index %d in another actor, want 0", in.Index())
			}
			return nil
		})
		<-child.Done()
		if err := addr.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Exits gives each caller all exits, from the first on and in order of ending,
// whenever it begins; Wait gives the same.
func TestC5ExitsForEachCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		release := make([]chan struct{}, 4)
		for i := range release {
			release[i] = make(chan struct{})
		}
		pool, _ := actor.SpawnPool(t.Context(), actor.Config{}, 4,
			func(_ context.Context, in *actor.Inbox[int]) (string, error) {
				<-release[in.Index()]
				if in.Index() == 2 {
					return "two", broken
				}
				return fmt.Sprint("value ", in.Index()), nil
			})
		want := []actor.Exit[string]{
			{Index: 1, Value: "value 1"}, {Index: 2, Value: "two", Err: broken},
			{Index: 3, Value: "value 3"}, {Index: 0, Value: "value 0"},
		}
		var wg sync.WaitGroup
		var lists [5]list[actor.Exit[string]]
		follow := func(k int) {
			wg.Go(func() {
				for e := range pool.Exits(context.Background()) {
					lists[k].add(e)
				}
			})
		}
		follow(4)
		for k, e := range want {
			follow(k)
			close(release[e.Index])
			synctest.Wait()
			for j := range k + 1 {
				if got := lists[j].get(); !slices.Equal(got, want[:k+1]) {
					t.Errorf("after %d exits caller %d has %v, want %v", k+1, j, got, want[:k+1])
				}
			}
		}
		wg.Wait()
		late := slices.Collect(pool.Exits(t.Context()))
		waited, err := pool.Wait(t.Context())
		if err != broken || !slices.Equal(late, want) || !slices.Equal(waited, want) || !slices.Equal(lists[4].get(), want) {
			t.Errorf("Exits after the end %v, Wait %v, %v; want %v", late, waited, err, want)
		}
	})
}

// A loop over Exits ends with its ctx, and may be left and begun anew.
func TestC5ExitsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, _, p := rxPool(t, actor.Config{}, 2)
		p[1].quit()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for range 2 {
			for e := range pool.Exits(ctx) {
				if e.Index != 1 {
					t.Errorf("exit %v, want that of process 1", e)
				}
				break
			}
		}
		if got := slices.Collect(pool.Exits(ctx)); len(got) != 1 || ctx.Err() == nil {
			t.Errorf("exits %v until the ctx ends, want one", got)
		}
	})
}

// A child that has become a pool still answers for the process with index 0.
func TestC5ChildIsProcessZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		child, _ := actor.SpawnValue(t.Context(), actor.Config{}, func(context.Context, *actor.Inbox[int]) (int, error) {
			<-release
			return 7, nil
		})
		pool := child.Pool()
		if err := pool.Spawn(func(context.Context, *actor.Inbox[int]) (int, error) { return 8, nil }); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		close(release)
		if got, err := child.Wait(t.Context()); got != 7 || err != nil {
			t.Errorf("Child.Wait: %d, %v; want 7", got, err)
		}
		exits, err := pool.Wait(t.Context())
		if want := []actor.Exit[int]{{Index: 1, Value: 8}, {Index: 0, Value: 7}}; err != nil || !slices.Equal(exits, want) {
			t.Errorf("Pool.Wait: %v, %v; want %v", exits, err, want)
		}
	})
}
