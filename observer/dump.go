package observer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// What keeps a request from being done.
var (
	errUnknown       = errors.New("observer: there is no such actor, or no more")
	errTooOften      = errors.New("observer: the program stands still during a dump: once per second is enough")
	errNotApplicable = errors.New("observer: that does not apply")
)

// betweenDumps is the time between two goroutine dumps.
const betweenDumps = time.Second

// throttle lets something happen at most once in a while.
type throttle struct {
	mu   sync.Mutex
	last time.Time
}

// pass reports whether it may happen now, if it did not within the last d.
func (t *throttle) pass(d time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if since := now.Sub(t.last); !t.last.IsZero() && since >= 0 && since < d {
		return false
	}
	t.last = now
	return true
}

// over says that what pass has let happen is over: the pause begins there.
func (t *throttle) over() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = time.Now()
}

// stack returns where the processes of an actor are.
func (o *Observer) stack(id uint64) (string, error) {
	_, a := o.lookup(id)
	if a == nil {
		return "", errUnknown
	}
	if !o.dumps.pass(betweenDumps) {
		return "", errTooOften
	}
	stacks := a.Stacks()
	o.dumps.over()
	if len(stacks) == 0 {
		return "no process of this actor is to be seen in a goroutine dump\n", nil
	}
	var b strings.Builder
	for _, process := range slices.Sorted(maps.Keys(stacks)) {
		fmt.Fprintf(&b, "process %d:\n%s\n\n", process, strings.TrimSpace(o.redact.text(TextStack, stacks[process])))
	}
	return b.String(), nil
}
