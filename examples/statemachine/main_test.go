package main

import (
	"strings"
	"testing"
	"testing/synctest"
)

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		if err := run(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		const want = ` 100 ms: unlocked
 300 ms: nobody came: locked
 400 ms: locked, ignores: push
 500 ms: unlocked
 600 ms: open
 800 ms: beep: open for too long
 900 ms: locked
1000 ms: unlocked
1250 ms: photo taken
1250 ms: open
1250 ms: a tick of an earlier state is ignored
1300 ms: locked
`
		if out.String() != want {
			t.Errorf("the program prints\n%swant\n%s", out.String(), want)
		}
	})
}
