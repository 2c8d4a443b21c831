package main

import (
	"fmt"
	"log"
	"strings"
	"testing"
)

// When the last send has returned, at most five messages wait; the others are
// received, each by one of the three processes. All three are halted before
// the first exit is printed.
func TestRun(t *testing.T) {
	const halted, exited = "Actor has received halt signal - Exiting now...", "Actor exited with message: Halt"
	for range 100 {
		var out strings.Builder
		if err := run(t.Context(), log.New(&out, "", 0)); err != nil {
			t.Fatal(err)
		}
		received := make(map[uint32]bool)
		halts, exits := 0, 0
		for line := range strings.Lines(out.String()) {
			line = strings.TrimSuffix(line, "\n")
			var index int
			var n uint32
			switch _, err := fmt.Sscanf(line, "Received message on actor %d: %d", &index, &n); {
			case err == nil && !received[n] && n < 20 && index >= 0 && index < 3 && exits == 0:
				received[n] = true
			case line == halted && exits == 0:
				halts++
			case line == exited && halts == 3:
				exits++
			default:
				t.Errorf("unexpected line %q", line)
			}
		}
		if len(received) < 15 || halts != 3 || exits != 3 {
			t.Errorf("%d messages were received, %d processes were halted, %d exits printed", len(received), halts, exits)
		}
		if t.Failed() {
			t.Fatalf("the program prints\n%s", out.String())
		}
	}
}
