package supervisor

import (
	"testing"
	"time"
)

// A group that waits does not come back early because a sibling that need not
// wait has failed meanwhile.
func TestRule67GroupIsNotBackEarly(t *testing.T) {
	b := backoff(Backoff{Min: 10 * time.Second, Jitter: -1})
	run(t, &Spec{Strategy: RestForOne, Limit: Limit{Restarts: 9}, Children: children(work("a"), work("b", b))}, `
		start         -> start a, start b, started
		exit b crash  -> arm group b 10s
		wait 4s       ->
		exit a crash  -> arm group a 6s
		timer group a -> start a, start b
	`)
}
