package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"tinyactor/actor"
	"tinyactor/observer"
)

// asProgram makes the test's own binary the command.
const asProgram = "TINYACTOR_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// service has two actors, one full and waited for, and serves its observer.
func service(t *testing.T) (address string) {
	t.Helper()
	o := observer.New(observer.Options{})
	ctx := o.Watch(t.Context())
	release, busy := make(chan struct{}), make(chan struct{})
	full, to := actor.Spawn(ctx, actor.Config{Name: "store \x1b[2J", Capacity: actor.Bounded(2), Undelivered: func(any) {}}, func(ctx context.Context, in *actor.Inbox[int]) error {
		_, err := in.Recv(ctx)
		close(busy)
		<-release
		return err
	})
	sender, _ := actor.Spawn(ctx, actor.Config{Name: "reader"}, func(ctx context.Context, in *actor.Inbox[string]) error {
		for i := range 4 { // one is in hand, two are queued, and one waits
			if err := to.Send(ctx, i); err != nil {
				return err
			}
		}
		_, err := in.Recv(ctx)
		return err
	})
	<-busy
	mux := http.NewServeMux()
	mux.Handle("/debug/actors/", http.StripPrefix("/debug/actors", o.Handler()))
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		server.Close()
		close(release)
		_, _ = full.Stop(context.Background())
		_, _ = sender.Stop(context.Background())
	})
	for {
		if s := o.Snapshot(); s.Totals.Waiting > 0 {
			return server.URL + "/debug/actors"
		}
	}
}

// TestProgram looks at a real program.
func TestProgram(t *testing.T) {
	address := service(t)
	for _, mounted := range []string{address, address + "/", address + "/snapshot.json"} {
		status, stdout, stderr := execute(t, 0, "top", "-once", mounted)
		if status != exitOK || stderr != "" {
			t.Fatalf("%d, %s", status, stderr)
		}
		for _, want := range []string{"actors 2  busy 2/2  queued 2 ", "waiting 1  stuck 0", "wait room", " 2/2 "} {
			if !strings.Contains(stdout, want) {
				t.Errorf("there is no %q in\n%s", want, stdout)
			}
		}
	}
	if _, stdout, _ := execute(t, 0, "top", "-once", address); !strings.Contains(stdout, `store \x1b[2J`) || strings.Contains(stdout, "\x1b") {
		t.Errorf("names are not escaped:\n%s", stdout)
	}
	if status, stdout, stderr := execute(t, 0, "top", "-json", address); status != exitOK || !strings.Contains(stdout, `"for": "room"`) {
		t.Errorf("%d, %s\n%s", status, stderr, stdout)
	}
	wrong := strings.TrimSuffix(address, "/actors")
	if status, _, stderr := execute(t, 0, "top", "-once", wrong); status != exitFailed || !strings.HasPrefix(stderr, "tinyactor: there is no observer at "+wrong+" (404") {
		t.Errorf("a wrong path: %d, %s", status, stderr)
	}
	screen := newScreen(t)
	_, ended := start(t, screen, address)
	screen.until(t, true, "wait room")
	screen.until(t, true, `store \x1b[2J`)
	press := func(keys string) {
		for _, k := range keys {
			screen.term.SendRaw([]byte(string(k)))
		}
	}
	press("/store\r\r")
	screen.until(t, true, "waited for by 1, longest ")
	press("q")
	wait(t, ended)
}
