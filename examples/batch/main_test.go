package main

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"tinyactor/actor"
)

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		if err := run(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		const want = `after 0s: rows 0 to 99
after 0s: rows 100 to 199
after 50ms: rows 200 to 249
after 100ms: rows 250 to 279
after 100ms: 280 rows are written
`
		if out.String() != want {
			t.Errorf("the program prints\n%swant\n%s", out.String(), want)
		}
	})
}

// A batch that cannot be written ends the writer, whose exit says how far it came.
func TestWriteFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errDisk := errors.New("disk full")
		batches := 0
		child, addr := actor.SpawnValue(t.Context(), actor.Config{}, writer(func([]int) error {
			if batches++; batches == 2 {
				return errDisk
			}
			return nil
		}))
		if err := send(t.Context(), addr, 0, 2*rows); err != nil {
			t.Fatal(err)
		}
		if written, err := child.Wait(t.Context()); written != rows || err != errDisk {
			t.Errorf("the writer ends with %d rows, %v", written, err)
		}
	})
}
