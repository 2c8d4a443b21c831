package supervisor

import "testing"

// Attempts to bring a group back that fail count as restarts too.
func TestRule26FailedAttemptsOfAGroupCount(t *testing.T) {
	run(t, &Spec{Strategy: OneForAll, Limit: Limit{Restarts: 2}, Children: children(work("a", awaited), work("b"))}, `
		start         -> start a
		up a          -> start b, started
		exit a crash  -> halt b
		exit b        -> start a
		exit a crash  -> arm group a 0s
		timer group a -> start a
		exit a crash  -> finish limit a
	`)
}
