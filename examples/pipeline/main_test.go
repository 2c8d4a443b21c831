package main

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Nine items are in the pipeline at most: in each of the three stages one in
// hand and room for two. Each further one waits until the last stage is done
// with one.
func TestRun(t *testing.T) {
	const ahead = 3 * (1 + room)
	var want strings.Builder
	for i := 1; i <= 15; i++ {
		fmt.Fprintf(&want, "item %2d is accepted after %v\n", i, time.Duration(max(0, i-ahead))*slow)
	}
	fmt.Fprintf(&want, "all are through after %v, sum %d\n", 15*slow, 15*len("gopher"))

	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		if err := run(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		if out.String() != want.String() {
			t.Errorf("the program prints\n%swant\n%s", out.String(), want.String())
		}
	})
}
