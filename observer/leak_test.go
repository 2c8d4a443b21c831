package observer

import (
	"context"
	"runtime/pprof"
	"strings"
	"testing"

	"tinyactor/actor"
)

// leak spawns an actor that waits for what nobody can ever do.
//
//go:noinline
func leak(ctx context.Context) {
	actor.Spawn(ctx, actor.Config{Name: "leaked"}, func(context.Context, *actor.Inbox[int]) error {
		<-make(chan struct{})
		return nil
	})
}

// A profile of leaked goroutines finds those of actors that are watched. There is
// one with GOEXPERIMENT=goroutineleakprofile.
func TestLeakProfile(t *testing.T) {
	profile := pprof.Lookup("goroutineleak")
	if profile == nil {
		t.Skip("this Go has no profile of leaked goroutines")
	}
	o := New(Options{})
	leak(o.Watch(t.Context()))
	await(t, "spawned", func() bool { return len(o.Snapshot().Actors) == 1 && len(o.after(0)) > 0 })
	var text strings.Builder
	if err := profile.WriteTo(&text, 1); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), `"actor":"leaked"`) {
		t.Errorf("the profile is %s", text.String())
	}
}
