package main

import (
	"log"
	"regexp"
	"strings"
	"testing"

	"tinyactor/actor"
)

// Of the two messages none, the first or both may be received before the halt,
// always in their order. What follows is certain.
func TestRun(t *testing.T) {
	want := regexp.MustCompile(`^(Received message: 10
(Received message: 5
)?)?Actor has received halt signal - Exiting now\.\.\.
Actor exited with message: Halt
$`)
	for range 100 {
		var out strings.Builder
		if err := run(t.Context(), log.New(&out, "", 0)); err != nil {
			t.Fatal(err)
		}
		if !want.MatchString(out.String()) {
			t.Fatalf("the program prints\n%s", out.String())
		}
	}
}

// A closed actor receives everything first.
func TestClosed(t *testing.T) {
	var out strings.Builder
	child, address := actor.SpawnValue(t.Context(), actor.Config{}, receiver(log.New(&out, "", 0)))
	for _, n := range []uint32{10, 5} {
		if err := address.Send(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	exit, err := child.Drain(t.Context())
	if exit != "Closed" || err != nil {
		t.Errorf("the actor exited with %q, %v", exit, err)
	}
	const want = "Received message: 10\nReceived message: 5\nChannel is closed - Exiting now...\n"
	if out.String() != want {
		t.Errorf("the actor printed\n%swant\n%s", out.String(), want)
	}
}
