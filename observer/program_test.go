package observer

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// What a viewer of a real program sees and does, from a crash to the end.
func TestProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New(Options{Actions: true, Logger: slog.New(slog.DiscardHandler)})
		client := servePipes(t, &http.Server{Handler: http.StripPrefix("/actors", o.Handler())})
		store := &supervisor.Worker[int]{
			Name:    "store",
			Backoff: supervisor.Backoff{Min: 10 * time.Second},
			OnCrash: func(int, error) {},
			Run: func(ctx context.Context, in *actor.Inbox[int]) error {
				return in.Serve(ctx, func(_ context.Context, n int) error {
					return fmt.Errorf("%d is %v", n, 1/n)
				})
			},
		}
		tree, err := supervisor.Start(actor.WithObserver(o.Watch(t.Context()), supervisor.LogObserver(slog.New(slog.DiscardHandler))), &supervisor.Spec{Name: "shop", Children: []supervisor.Child{store}})
		if err != nil {
			t.Fatal(err)
		}
		v := newViewer(fetch(t, client, "http://pipe/actors/stream", http.StatusOK).Body)
		// until takes events until the store is as wanted.
		until := func(what string, wanted func(store map[string]any) bool) {
			t.Helper()
			for range 20 {
				if err := v.next(); err != nil {
					t.Fatal(err)
				}
				if wanted(v.named("store")) {
					return
				}
			}
			t.Fatalf("the store is never %s: %v", what, v.named("store"))
		}
		state := func(is State) func(map[string]any) bool {
			return func(store map[string]any) bool { return store != nil && store["state"] == string(is) }
		}
		until("idle", state(StateIdle))
		at := fmt.Sprintf("http://pipe/actors/actors/%v/", v.named("store")["id"])

		store.Address().Send(t.Context(), 0)
		until("restarting", state(StateRestarting))
		crash, ok := v.named("store")["panic"].(map[string]any)
		if !ok || !strings.Contains(fmt.Sprint(crash["value"]), "divide by zero") || !strings.Contains(fmt.Sprint(crash["stack"]), "TestProgram") {
			t.Errorf("the panic is shown as %v", crash)
		}
		until("idle again", state(StateIdle))
		if v.named("store")["panic"] == nil {
			t.Error("the restart has taken the panic away")
		}
		if v.snapshots != 1 {
			t.Errorf("%d snapshots, want 1", v.snapshots)
		}

		if got := body(t, fetch(t, client, at+"stack", http.StatusOK)); !strings.Contains(got, "TestProgram") {
			t.Errorf("the stack is %q", got)
		}
		fetch(t, client, at+"stack", http.StatusTooManyRequests)
		since := v.named("store")["since"]
		request(t, client, http.MethodPost, at+"restart", http.StatusNoContent)
		until("idle after a restart", state(StateIdle))
		if v.named("store")["since"] != since {
			t.Error("a restart makes another actor")
		}
		shop := fmt.Sprintf("http://pipe/actors/actors/%v/", v.named("shop")["id"])
		refused := request(t, client, http.MethodPost, shop+"restart", http.StatusConflict)
		if got := body(t, refused); !strings.HasPrefix(got, "That does not apply: ") {
			t.Errorf("to restart the root is refused with %q", got)
		}
		request(t, client, http.MethodPost, shop+"halt", http.StatusNoContent)
		until("gone", func(store map[string]any) bool { return store == nil })
		if _, err := tree.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		request(t, client, http.MethodPost, at+"halt", http.StatusNotFound)
		if len(v.actors) != 0 {
			t.Errorf("there are still %v", v.actors)
		}
	})
}

// named returns the actor of that name as the viewer has it, or nil.
func (v *viewer) named(name string) map[string]any {
	for _, a := range v.actors {
		if a := a.(map[string]any); a["name"] == name {
			return a
		}
	}
	return nil
}

func BenchmarkLookAtIdleActors(b *testing.B) {
	const actors = 10_000
	o := New(Options{})
	owner, cancel := context.WithCancel(o.Watch(b.Context()))
	defer cancel()
	addrs := make([]*actor.Address[int], actors) // keep them alive
	for i := range addrs {
		_, addrs[i] = actor.Spawn(owner, actor.Config{Name: fmt.Sprint("idle ", i)}, func(ctx context.Context, in *actor.Inbox[int]) error {
			return in.Serve(ctx, func(context.Context, int) error { return nil })
		})
	}
	f := newFeed(o, time.Nanosecond, 1)
	f.enter()
	_, seen, _ := f.after(0)
	for b.Loop() {
		_, seen, _ = f.after(seen)
	}
	b.ReportMetric(float64(f.size), "snapshot-B")
	runtime.KeepAlive(addrs)
}
