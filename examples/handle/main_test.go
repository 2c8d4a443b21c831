package main

import (
	"io"
	"log"
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
		const want = `6 coins
Blue Monday: bar 1
Blue Monday: bar 2
Blue Monday: dropped
Yellow: bar 1
Yellow: bar 2
Yellow: dropped
stopped; takes coins: false
a new one: 0 coins
`
		if out.String() != want {
			t.Errorf("the program prints\n%swant\n%s", out.String(), want)
		}
	})
}

// The jukebox may be stopped at any time, and then nothing plays on: the bubble
// waits for that.
func TestStopWhilePlaying(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box, guest := newJukebox(t.Context(), log.New(io.Discard, "", 0))
		for _, song := range []string{"one", "two", "three"} {
			if err := guest.play(t.Context(), song); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := box.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		if coins, err := guest.coins(t.Context()); err == nil {
			t.Errorf("a stopped jukebox has %d coins", coins)
		}
	})
}
