//go:build perturb && !modelcheck

package sched

import (
	"math/rand/v2"
	"runtime"
	"time"
)

// oneIn is how many operations there are to one that lets others run first.
const oneIn = 8

type gate interface{ Open() bool }

func before(string, gate) {
	if rand.Uint32N(oneIn) == 0 {
		runtime.Gosched()
	}
}

func changed() {}

func yield() { runtime.Gosched() }

func spin() { runtime.Gosched() }

// Select receives from one of three channels, each of which may be nil, and says
// which. v is what first gave.
func Select[T any](first <-chan T, done <-chan struct{}, tick <-chan time.Time) (v T, which int) {
	before("select", nil)
	select {
	case v = <-first:
		return v, First
	case <-done:
		return v, Done
	case <-tick:
		return v, Tick
	}
}
