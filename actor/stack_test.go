package actor_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"tinyactor/actor"
)

// stackBodies are bodies with a frame of their own, as small ones have.
var stackBodies = []struct {
	name string
	body func(got func(int)) func(context.Context, *actor.Inbox[int]) error
}{
	{"Recv", func(got func(int)) func(context.Context, *actor.Inbox[int]) error {
		return func(ctx context.Context, in *actor.Inbox[int]) error {
			var state [8]int
			for {
				m, err := in.Recv(ctx)
				if err != nil {
					return err
				}
				state[m%len(state)]++
				got(state[m%len(state)])
			}
		}
	}},
	{"Messages", func(got func(int)) func(context.Context, *actor.Inbox[int]) error {
		return func(ctx context.Context, in *actor.Inbox[int]) error {
			var state [8]int
			for m := range in.Messages(ctx) {
				state[m%len(state)]++
				got(state[m%len(state)])
			}
			return in.Err()
		}
	}},
}

// An actor's goroutine keeps the stack that every goroutine begins with, 2 KiB,
// whether its messages were queued or handed to it: that is most of what an idle
// actor costs. It is measured in a program of its own, whose other goroutines
// leave no stacks.
func TestC4IdleActorKeepsItsFirstStack(t *testing.T) {
	const variable = "TINYACTOR_STACKS"
	if os.Getenv(variable) != "" {
		measureStacks()
		return
	}
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("the race detector needs more stack")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), variable+"=1", "GOMAXPROCS=1", "GODEBUG=adaptivestackstart=0", "GOGC=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	stacks := map[string]float64{}
	for line := range strings.Lines(string(out)) {
		var name string
		var bytes float64
		if n, _ := fmt.Sscanf(line, "stack %s %g", &name, &bytes); n == 2 {
			stacks[name] = bytes
			t.Logf("%s: %.0f bytes of stack", name, bytes)
		}
	}
	most := stacks["goroutine"] + 256
	for _, b := range stackBodies {
		if bytes := stacks[b.name]; bytes > most || bytes < 2000 {
			t.Errorf("%s: an idle actor has %.0f bytes of stack, want at most %.0f", b.name, bytes, most)
		}
	}
}

// measureStacks prints how many bytes of stack a goroutine has that has done
// nothing, and an actor that waits.
func measureStacks() {
	const n = 10_000
	measure := func(name string, f func()) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		fmt.Println("stack", name, math.Round(float64(after.StackInuse-before.StackInuse)/n))
	}
	rest := func() {
		for range 10 { // there is one processor: after that, all wait
			runtime.Gosched()
		}
	}
	never := make(chan struct{})
	measure("goroutine", func() {
		for range n {
			go func() { <-never }()
		}
		rest()
	})
	for _, b := range stackBodies {
		var received atomic.Int64
		begin := make(chan struct{})
		body := b.body(func(int) { received.Add(1) })
		addrs := make([]*actor.Address[int], n)
		measure(b.name, func() {
			for i := range addrs {
				_, addrs[i] = actor.Spawn(context.Background(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
					<-begin
					return body(ctx, in)
				})
			}
			for round := range 3 {
				for _, a := range addrs {
					if err := a.Send(context.Background(), round); err != nil {
						panic(err)
					}
				}
				if round == 0 {
					close(begin) // the first message was queued, the others find a process that waits
				}
				for received.Load() < int64(n*(round+1)) {
					runtime.Gosched()
				}
				rest()
			}
		})
		runtime.KeepAlive(addrs)
	}
	close(never)
}
