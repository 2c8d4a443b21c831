package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var out strings.Builder
		if err := run(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		const want = `colour: "blue", error: <nil>
shape: not found: true
archive: too late: true
colour: "blue", error: <nil>
`
		if out.String() != want {
			t.Errorf("the program prints\n%swant\n%s", out.String(), want)
		}
		if took := time.Since(start); took != 50*time.Millisecond {
			t.Errorf("it took %v", took)
		}
	})
}

// An asker without a deadline waits as long as the search takes, and an abort
// of the store ends both.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		child, addr := actor.Spawn(t.Context(), actor.Config{}, serve)
		if _, err := actor.Ask(t.Context(), addr, get{key: "archive/colour"}.to); err != errNotFound {
			t.Errorf("the archive answers %v", err)
		}
		if took := time.Since(start); took != time.Hour {
			t.Errorf("the search took %v", took)
		}
		time.AfterFunc(time.Minute, func() { child.Abort() })
		if _, err := actor.Ask(t.Context(), addr, get{key: "archive/colour"}.to); !errors.Is(err, actor.ErrAborted) {
			t.Errorf("the aborted store answers %v", err)
		}
		if _, err := child.Wait(context.Background()); !errors.Is(err, actor.ErrAborted) {
			t.Errorf("the store ends with %v", err)
		}
	})
}
