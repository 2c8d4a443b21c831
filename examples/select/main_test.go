package main

import (
	"errors"
	"net"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// Over a real socket a tick may come between any two lines.
func TestRun(t *testing.T) {
	want := regexp.MustCompile(`^(tick\n)*HELLO\n(tick\n)*news\n(tick\n)+bye\n$`)
	var out strings.Builder
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if !want.MatchString(out.String()) {
		t.Errorf("the program prints\n%s", out.String())
	}
}

// In a bubble time passes only while nobody has anything to do.
func TestTalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
		start := time.Now()
		var out strings.Builder
		if err := talk(t.Context(), &out, server, client, time.Minute); err != nil {
			t.Fatal(err)
		}
		if got, want := out.String(), "HELLO\nnews\ntick\nbye\n"; got != want {
			t.Errorf("the client reads\n%swant\n%s", got, want)
		}
		if took := time.Since(start); took != time.Minute {
			t.Errorf("it took %v", took)
		}
	})
}

func TestHangUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
		child, _ := actor.Spawn(t.Context(), actor.Config{}, serve(server, time.Minute))
		client.Close()
		if _, err := child.Wait(t.Context()); err != nil {
			t.Errorf("the actor ends with %v", err)
		}
	})
}

// An actor that writes to somebody who does not read ends when it is aborted.
func TestAbortWhileWriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
		defer client.Close()
		child, _ := actor.Spawn(t.Context(), actor.Config{}, serve(server, time.Second))
		time.Sleep(2 * time.Second)
		child.Abort()
		if _, err := child.Wait(t.Context()); !errors.Is(err, actor.ErrAborted) {
			t.Errorf("the actor ends with %v", err)
		}
	})
}
